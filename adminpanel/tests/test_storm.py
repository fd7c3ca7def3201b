"""After a storm of random actions every figure that a page was told equals a fresh count, made in another way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Credential, Role, User
from adminpanel.dashboard.figures import Figures, count
from adminpanel.dashboard.series import PERIODS
from adminpanel.dashboard.series import count as count_series
from adminpanel.dashboard.spans import Spans
from adminpanel.due import figures as due_figures
from adminpanel.queues.waiting import FOR_THE_DESK, load_queues, queues
from adminpanel.tests.storm import ACTS, Storm
from bookings.models import Booking, Dispute, Review, Session
from bookings.rules.numbers import minutes
from bookings.tests import make
from common.money import Money
from realtime.models import JournalRow, Presence
from realtime.presence import ONLINE, online
from tracking.models import Shift

ACTIONS, PARTS = 5000, 10
A_TICK = 100  # actions, after which the clock moves on


class Page:
    """An open dashboard: it looks again at what the journal names, and at nothing else."""

    def __init__(self) -> None:
        self.newest = 0
        self.moved: set[str] = set()
        self.figures = Figures(timezone.now(), {})
        self.queues: dict[str, int] = {}

    def hears(self) -> None:
        """What came since it last listened."""
        rows = JournalRow.objects.filter(pk__gt=self.newest, topic__in=("desk.figures", "desk.waits", "desk.charts"))
        news = set(rows.values_list("fragment", "key"))
        self.newest = JournalRow.objects.aggregate(newest=Max("pk"))["newest"] or 0
        if ("adminpanel.kpis", "all") in news:
            before, self.figures = shown(self.figures), count(timezone.now())
            self.moved |= {name for name, figure in shown(self.figures).items() if before[name] != figure}
        waits = [key for fragment, key in news if fragment == "adminpanel.waits"]
        self.queues |= {name: queue.waits for name, queue in load_queues(waits).items()}


SHOWN = ("open", "unassigned", "waiting", "live", "late", "completed", "people", "drivers_online", "drivers_stale",
         "drivers_off", "verification", "reviews", "disputes")  # fmt: skip


def shown(seen: Figures) -> dict[str, Any]:
    """What the strip says."""
    return {name: seen.count(name) for name in SHOWN} | {"revenue": seen.money("revenue")}


def recounted(now: datetime) -> dict[str, Any]:
    """The same, row by row in Python, by the words of the domain and none of the dashboard's own queries."""
    midnight = Spans(now).midnight
    visits = list(Session.objects.select_related("bid", "booking"))
    states = Counter(visit.status for visit in visits)
    late = [
        visit
        for visit in visits
        if visit.status == "pending"
        and visit.booking.status == "assigned"
        and visit.starts_at <= now - minutes("LATE_MINUTES")
    ]
    finished = [visit for visit in visits if visit.status == "completed" and midnight <= visit.finished_at <= now]
    jobs = [booking for booking in Booking.objects.all() if booking.status == "open"]
    active = {user.pk: user for user in User.objects.all() if user.is_active}
    drivers = [pk for pk, user in active.items() if user.role == Role.DRIVER]
    working = {shift.user_id for shift in Shift.objects.all() if shift.ended_at is None}
    here = {pk for pk, seen in online(drivers, now).items() if seen.state == ONLINE}
    since = now - timedelta(seconds=60)
    pages = [page for page in Presence.objects.all() if page.kind == "user" and page.seen_at >= since]
    papers = [each for each in Credential.objects.all() if each.status == "pending" and each.technician_id in active]
    return {
        "open": len(jobs),
        "unassigned": sum(booking.target_passed_at is not None for booking in jobs),
        "waiting": states["waiting"],
        "live": states["live"] + states["paused"],
        "late": len(late),
        "completed": len(finished),
        "people": len({page.principal for page in pages}),
        "drivers_online": len([pk for pk in drivers if pk in working and pk in here]),
        "drivers_stale": len([pk for pk in drivers if pk in working and pk not in here]),
        "drivers_off": len([pk for pk in drivers if pk not in working]),
        "verification": len(papers),
        "reviews": len([each for each in Review.objects.all() if each.status == "flagged"]),
        "disputes": len([each for each in Dispute.objects.all() if each.status in FOR_THE_DESK]),
        "revenue": [Money(sum((visit.bid.amount for visit in finished), Decimal(0)), "GBP")],
    }


@dataclass
class Weather:
    """The storm, and a page that was open from its beginning."""

    storm: Storm
    page: Page

    def rages(self, actions: int) -> None:
        """That many actions; at each step of the clock the page shows what a fresh count says."""
        for _ in range(0, actions, A_TICK):
            self.storm.moves_on()
            self.page.hears()
            assert shown(self.page.figures) == shown(count(self.storm.now)), f"the clock, at {self.storm.now}"
            for _ in range(A_TICK):
                self.storm.step()
            self.page.hears()
            assert shown(self.page.figures) == shown(count(self.storm.now)), f"after {dict(self.storm.done)}"


@pytest.fixture(scope="module")
def weather(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Weather]:
    """One storm for all tests of the module, which only go on with it, in a transaction around them."""
    due_figures._stood.clear()
    due_figures._minute.clear()
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(settings, "MEDIA_ROOT", tmp_path_factory.mktemp("media"))
        patch.setattr(timezone, "now", lambda: make.NOW)
        storm = Storm.gather(Random(20270302), make.NOW, make.person("Frank", Role.ADMIN))
        patch.setattr(timezone, "now", lambda: storm.now)
        yield Weather(storm, Page())
        transaction.set_rollback(True)


@pytest.fixture
def db(weather: Weather) -> None:
    """The database as the storm has left it: nothing is rolled back between its parts."""


pytestmark = pytest.mark.usefixtures("db")


# On SQLite five hundred must do: the five thousand take minutes there, and the queries are the same.
@pytest.mark.parametrize(
    "part", [1, *(pytest.param(part, marks=pytest.mark.postgresql) for part in range(2, PARTS + 1))]
)
def test_after_5000_random_actions_every_figure_equals_a_fresh_count(weather: Weather, part: int) -> None:
    """In parts of five hundred. A page that only follows the journal never shows anything else in between."""
    weather.rages(ACTIONS // PARTS)
    page, now = weather.page, weather.storm.now
    assert shown(page.figures) == recounted(now)
    assert page.queues == {name: page.figures.count(name) for name in page.queues}
    assert_series(now)


@pytest.mark.postgresql
def test_the_storm_left_little_out(weather: Weather) -> None:
    """Nearly every kind of action was done, every figure was moved, and far fewer were refused."""
    storm, page = weather.storm, weather.page
    assert len(storm.done) >= len(ACTS) - 4
    assert set(page.queues) == set(queues())
    assert page.moved >= {*SHOWN, "revenue"}
    assert storm.done.total() > 2 * storm.refused.total()


def assert_series(now: datetime) -> None:
    """The charts add up to what happened, by whatever pieces."""
    visits = [each for each in Session.objects.select_related("bid") if each.status == "completed"]
    placed = [each.placed_at for each in Booking.objects.all() if each.placed_at]
    for period in PERIODS.values():
        series = count_series(period, now)
        since = series.pieces[0].at
        finished = [visit for visit in visits if since <= visit.finished_at <= now]
        assert sum(piece.finished for piece in series.pieces) == len(finished)
        assert sum(piece.revenue for piece in series.pieces) == sum(visit.bid.amount for visit in finished)
        assert sum(piece.placed for piece in series.pieces) == sum(since <= at <= now for at in placed)
