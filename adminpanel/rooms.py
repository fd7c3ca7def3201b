"""The rooms of the desk: what its rail lists, in groups."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse


class Room(NamedTuple):
    """A page that the rail leads to; `name` is its address."""

    label: str
    icon: str
    name: str

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse(self.name)


class Group(NamedTuple):
    """Rooms that belong together."""

    label: str
    rooms: tuple[Room, ...]


ROOMS = (
    Group(
        "Now",
        (
            Room("Fleet", "truck", "desk:fleet"),
            Room("Messages", "messages-square", "desk:messages"),
        ),
    ),
    Group("People", ()),
    Group("To decide", ()),
    Group(
        "The site",
        (
            Room("Audit", "scroll-text", "desk:audit"),
            Room("Quick replies", "zap", "desk:replies"),
            Room("Records", "shield", "admin:index"),
        ),
    ),
)


def groups() -> list[Group]:
    """All that have a room."""
    return [group for group in ROOMS if group.rooms]
