"""The live fleet: the map and the list of drivers, cross-selected, and the tray of legs without a driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.models import Role
from adminpanel.fleet.board import board_of
from adminpanel.live.fleet import travellers
from adminpanel.talk.recipients import LONGEST, numbers
from realtime.pages import live_page
from tracking.states import Duty
from tracking.topics import dispatch_topic, fleet_topic

# What each filter may be: value -> words; the first is what stands without a wish.
CHOICES = {
    "duty": {
        "": "At work",
        Duty.ON_DUTY: "On duty",
        Duty.ON_BREAK: "On a break",
        Duty.OFF_DUTY: "Off duty",
        "all": "Everybody",
    },
    "connection": {
        "": "Any connection",
        "online": "Online",
        "away": "Away",
        "offline": "Offline",
        "stale": "Away or offline",
    },
    "load": {"": "Any load", "available": "Available", "busy": "Busy"},
}
LABELS = {"duty": "Duty", "connection": "Connection", "load": "Load"}


@dataclass(frozen=True)
class Filter:
    """One of the filters and what is chosen of it."""

    name: str
    label: str
    chosen: str
    choices: list[tuple[str, str]]


class Wanted:
    """Which drivers the page shows. All are on it: the rows say what they are, and the filter is the list's own
    attribute, so that a driver who changes comes and goes by themselves.
    """

    def __init__(self, asked: QueryDict) -> None:
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self.chosen = {name: clean(asked.get(name, ""), choices) for name, choices in CHOICES.items()}
        self.driver = next(iter(numbers([asked.get("driver", "")])), None)

    @property
    def filters(self) -> list[Filter]:
        """The three, for the form."""
        return [Filter(name, LABELS[name], self.chosen[name], list(CHOICES[name].items())) for name in CHOICES]


def clean(value: str, choices: dict[str, str]) -> str:
    """A value that is one of them; else none."""
    return value if value in choices else ""


@require_safe
@role_required(Role.ADMIN)
@live_page(pace="dashboard")
def fleet(request: HttpRequest) -> HttpResponse:
    """The page."""
    wanted = Wanted(request.GET)
    context: dict[str, Any] = {
        "wanted": wanted,
        "topic": dispatch_topic(),
        "fleet_topic": fleet_topic(),
        "board": board_of(wanted.search, timezone.now()),
        "travellers": {str(row.pk): row for row in travellers()},
    }
    return render(request, "adminpanel/fleet.html", context)
