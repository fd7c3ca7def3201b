"""The kinds of notices: each app declares its own in its `notices.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.models import Channel, Priority

_kinds: dict[str, Kind] = {}


@dataclass(frozen=True)
class Kind:
    """One kind of notice, named `<app>.<noun>`.

    `label` is how the preferences call it, under the heading `section`. `text` and `grouped` are formats: their
    fields are the words given to `notify`, `grouped` has `{count}` too ("{count} new offers on {job}"). Without
    `grouped` every notice stands by itself. `roles` are those who can get it and may choose about it.
    """

    name: str
    label: str
    section: str
    text: str
    roles: tuple[str, ...]
    priority: str = Priority.MEDIUM
    channels: tuple[str, ...] = (Channel.PAGE,)
    grouped: str = ""

    def __post_init__(self) -> None:
        if self.name in _kinds:
            raise ValueError(f"The kind {self.name} is declared twice.")
        _kinds[self.name] = self

    def sentence(self, words: Mapping[str, object], count: int = 1) -> str:
        """The notice's text for `words`, or for `count` of them together."""
        form = self.grouped if count > 1 and self.grouped else self.text
        return form.format(count=count, **words)[:300]


def get(name: str) -> Kind | None:
    """The kind declared as `name`."""
    return _kinds.get(name)


def declared() -> list[Kind]:
    """Every declared kind, in the order of declaration."""
    return list(_kinds.values())
