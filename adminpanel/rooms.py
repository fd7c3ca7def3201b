"""The rooms of the desk: what its rail lists, in groups."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse


class Room(NamedTuple):
    """A page that the rail leads to; `name` is its address."""

    label: str
    icon: str
    name: str
    is_here: bool = False

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse(self.name)

    @property
    def queue(self) -> str:
        """The queue that its badge counts, where it has one of that name."""
        return self.name.removeprefix("desk:")


class Group(NamedTuple):
    """Rooms that belong together."""

    label: str
    rooms: tuple[Room, ...]


ROOMS = (
    Group(
        "Now",
        (
            Room("Dashboard", "layout-dashboard", "desk:dashboard"),
            Room("Jobs", "clipboard-list", "desk:bookings"),
            Room("Fleet", "truck", "desk:fleet"),
            Room("Messages", "messages-square", "desk:messages"),
        ),
    ),
    Group("People", (Room("People", "users", "desk:people"), Room("Who is here", "radio", "desk:presence"))),
    Group(
        "To decide",
        (
            Room("Verification", "badge-check", "desk:verification"),
            Room("Reviews", "star", "desk:reviews"),
            Room("Disputes", "gavel", "desk:disputes"),
        ),
    ),
    Group(
        "The site",
        (
            Room("Live health", "heart-pulse", "desk:health"),
            Room("Flags", "toggle-right", "desk:flags"),
            Room("Audit", "scroll-text", "desk:audit"),
            Room("Quick replies", "zap", "desk:replies"),
            Room("Records", "shield", "admin:index"),
        ),
    ),
)


def groups(path: str = "") -> list[Group]:
    """All that have a room; the room whose address `path` continues furthest is the one where one is."""
    urls = [room.url for group in ROOMS for room in group.rooms]
    root = reverse("desk:dashboard")  # all others lie below it
    here = max((url for url in urls if path == url or (url != root and path.startswith(url))), key=len, default="")
    return [Group(label, marked(rooms, here)) for label, rooms in ROOMS if rooms]


def marked(rooms: tuple[Room, ...], here: str) -> tuple[Room, ...]:
    """The rooms, of which the one at the address `here` says so."""
    return tuple(room._replace(is_here=bool(here) and room.url == here) for room in rooms)
