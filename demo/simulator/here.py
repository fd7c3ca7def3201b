"""The open pages of simulated drivers: without them the desk would see everybody on duty offline."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from demo.simulator.world import SIMULATOR, World
from realtime.presence import Book, Page
from realtime.topics import Principal
from tracking.links import drive_url
from tracking.models import Shift
from tracking.states import Duty

if TYPE_CHECKING:
    from realtime.hub import Hub

SECONDS = 5  # between two looks


class Pages:
    """The simulator as a process that has a page open for each driver on duty whose device has network."""

    def __init__(self) -> None:
        stand_in = SimpleNamespace(
            id=SIMULATOR,
            name="simulator",
            started_at=time.time(),
            vitals=SimpleNamespace(report=dict),  # it serves nobody, so it counts nothing
        )
        self.book = Book(cast("Hub", stand_in))
        self.since: dict[int, float] = {}
        self.looked_at = 0.0

    def keep(self, world: World) -> int:
        """Write who is here, if it is time and anybody looks on; returns how many are."""
        now = world.now.timestamp()
        if not world.road_is_open or 0 <= now - self.looked_at < SECONDS:
            return 0
        self.looked_at = now
        on_duty = Shift.objects.filter(user__in=world.drivers).exclude(duty=Duty.OFF_DUTY)
        here = [pk for pk in on_duty.values_list("user_id", flat=True) if not world.fleet.is_cut_off(pk, world.now)]
        self.since = {pk: self.since.get(pk, now) for pk in here}
        self.book.put([self.page(pk, now) for pk in here])
        return 0

    def page(self, user_id: int, now: float) -> Page:
        """A driver's one screen."""
        who = Principal("user", str(user_id))
        return Page(f"driver-{user_id}", who, drive_url(), "socket", False, self.since[user_id], now)

    def close(self) -> None:
        """Everybody closes their page."""
        self.book.close()
