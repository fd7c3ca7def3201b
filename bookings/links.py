"""Where a sentence sends people next: the addresses that actions and banners name."""

from __future__ import annotations

from django.urls import reverse


def url(name: str, *args: object) -> str:
    """The address of a named page."""
    return reverse(name, args=args)


def job_url(booking_id: int) -> str:
    """The job page, the same address for both sides."""
    return url("bookings:job", booking_id)


def market_url() -> str:
    """The marketplace."""
    return url("bookings:marketplace")


def dispute_url(pk: int) -> str:
    """A dispute, the same address for both sides."""
    return url("bookings:dispute", pk)


def desk_url(noun: str, pk: int) -> str:
    """The same thing at the desk: a booking, a review, a dispute."""
    return url(f"desk:{noun}", pk)
