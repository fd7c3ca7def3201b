"""What happens to visits and jobs happens to the journeys and legs that belong to them, in the same transaction."""

from __future__ import annotations


def connect() -> None:
    """Listen to the histories of bookings."""
