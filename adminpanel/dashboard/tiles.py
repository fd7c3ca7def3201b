"""The figures as the dashboard shows them: each with where it leads, what changed since yesterday, and its trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from adminpanel.dashboard.figures import Figures, figures
from adminpanel.dashboard.samples import Past, past, value
from common.money import Money

WIDTH, HEIGHT = 100, 24  # of a trend, in its own units


class Sort(NamedTuple):
    """One kind of tile: `tone` colours it while there is any, `query` is asked of the page at `page`."""

    name: str
    label: str
    icon: str
    page: str
    query: Mapping[str, str] = {}
    tone: str = ""


SORTS = (
    Sort("open", "Open", "search", "desk:bookings", {"show": "open"}),
    Sort("unassigned", "Past target", "hourglass", "desk:bookings", {"show": "unassigned"}, "bad"),
    Sort("late", "Late", "triangle-alert", "desk:bookings", {"show": "late"}, "bad"),
    Sort("waiting", "At the door", "door-open", "desk:bookings", {"show": "waiting"}),
    Sort("live", "Working", "circle-play", "desk:bookings", {"show": "live"}),
    Sort("completed", "Finished today", "circle-check", "desk:bookings", {"show": "today"}),
    Sort("revenue", "Revenue today", "banknote", "desk:bookings", {"show": "today"}),
    Sort("people", "People online", "users", "desk:presence"),
    Sort("verification", "Documents", "badge-check", "desk:verification", {}, "wait"),
    Sort("reviews", "Flagged reviews", "flag", "desk:reviews", {}, "wait"),
    Sort("disputes", "Disputes", "gavel", "desk:disputes", {}, "wait"),
)
DRIVERS = (
    Sort("drivers_online", "online", "wifi", "desk:fleet", {"connection": "online"}),
    Sort("drivers_stale", "stale", "wifi-off", "desk:fleet", {"connection": "stale"}, "wait"),
    Sort("drivers_off", "off", "moon", "desk:fleet", {"duty": "off_duty"}),
)


@dataclass(frozen=True)
class Tile:
    """One figure. `change` is what it went up by since yesterday at this hour; None where that is not known."""

    sort: Sort
    figures: Figures
    past: Past

    @property
    def name(self) -> str:
        """What it counts."""
        return self.sort.name

    @property
    def text(self) -> str:
        """The figure."""
        if self.name == "revenue":
            return " + ".join(str(each) for each in self.figures.money("revenue"))
        return f"{self.figures.count(self.name):,}"

    @property
    def url(self) -> str:
        """The list that it counts."""
        return address(self.sort)

    @property
    def tone(self) -> str:
        """Its colour; none while there is nothing to see to."""
        return self.sort.tone if self.figures.count(self.name) else ""

    @property
    def change(self) -> Decimal | None:
        """What it went up by since yesterday."""
        return None if self.past.yesterday is None else value(self.figures, self.name) - self.past.yesterday

    @property
    def change_words(self) -> str:
        """The same, with its sign."""
        if self.change is None:
            return ""
        if self.name == "revenue":
            size = str(Money(abs(self.change), self.figures.money("revenue")[0].currency))
        else:
            size = f"{abs(self.change):,.0f}"
        return f"+{size}" if self.change > 0 else f"−{size}" if self.change < 0 else "Same"

    @property
    def trend(self) -> str:
        """The last day as points of a line, 24 hours from left to right; empty while too little is known."""
        return line([*self.past.hours, value(self.figures, self.name)])


def address(sort: Sort) -> str:
    """Where a tile leads."""
    try:
        page = reverse(sort.page)
    except NoReverseMatch:
        return ""
    return f"{page}?{urlencode(sort.query)}" if sort.query else page


def line(steps: Sequence[Decimal]) -> str:
    """A line through figures, as an SVG polyline takes it: the highest at the top, the lowest at the bottom."""
    if len(steps) < 3:
        return ""
    low, span = min(steps), max(steps) - min(steps)
    heights = [float((step - low) / span) if span else 0.0 for step in steps]
    places = [(WIDTH * number / (len(steps) - 1), 1 + (HEIGHT - 2) * (1 - high)) for number, high in enumerate(heights)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


@dataclass(frozen=True)
class Strip:
    """Every tile, and the drivers' three figures in one."""

    tiles: list[Tile]
    drivers: list[Tile]

    @property
    def figures(self) -> Figures:
        """What they show."""
        return self.tiles[0].figures


def strip_of(seen: Figures) -> Strip:
    """The tiles of figures; one query, for how they were."""
    known = past(seen.at)

    def tiles(sorts: Sequence[Sort]) -> list[Tile]:
        return [Tile(sort, seen, known.get(sort.name, Past())) for sort in sorts]

    return Strip(tiles(SORTS), tiles(DRIVERS))


def load_strips(keys: Sequence[str]) -> Mapping[str, Strip]:
    """The one strip, under its one key."""
    return {key: strip_of(figures()) for key in keys if key == "all"}
