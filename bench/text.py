"""The kilobyte that every measured fragment carries, with the number of the change in it."""

MARK = "change-%06d;"
FILLING = "0123456789abcdef" * 56


def text(number: int) -> str:
    """About 900 characters; with the fragment's own mark-up it is 1 kB."""
    return MARK % number + FILLING
