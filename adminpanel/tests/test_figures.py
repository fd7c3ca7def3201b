"""The figures of the dashboard: what each counts, what moves it by a saved row and by time alone, and its past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from adminpanel.dashboard import samples
from adminpanel.dashboard.figures import Figures, count
from adminpanel.dashboard.spans import Spans
from adminpanel.dashboard.tiles import DRIVERS, SORTS, Tile, line, strip_of
from adminpanel.due import figures as due_figures
from adminpanel.models import FigureSample
from adminpanel.tests.road import at_work, comes_online
from adminpanel.tests.test_rail import dispute, document, review
from bookings import actions
from bookings import due as bookings_due
from bookings.rules.numbers import minutes
from bookings.states import ReviewStatus
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, on, touched_by
from common.money import Money
from realtime.models import LastSeen, Presence
from tracking import actions as driving
from tracking.access import current_shift
from tracking.tests import make as road

NOW = make.NOW
SOON = {"window_start": NOW + make.HOUR, "window_end": NOW + 5 * make.HOUR}


def counts(now: datetime = NOW) -> dict[str, int]:
    """Everything that there is any of; what is new of people is left out, since who signs up does so now."""
    seen = count(now)
    names = {place.name for place in seen.totals}
    found = {name: seen.count(name) for name in names if not name.startswith(("revenue", "customers", "professionals"))}
    return {name: number for name, number in found.items() if number}


def standing(now: datetime = NOW) -> dict[str, int]:
    """What stands, without what was placed and finished when."""
    return {name: number for name, number in counts(now).items() if "placed" not in name and "completed_" not in name}


# --- What each counts -----------------------------------------------------------------------------


def test_a_job_goes_through_the_figures(alice, bob):
    booking = make.job(alice, **SOON)
    assert standing() == {"open": 1}
    session = make.accept(make.offer(booking, bob))
    assert standing() == {"visits": 1}
    assert standing(session.starts_at) == {"visits": 1}
    late = session.starts_at + minutes("LATE_MINUTES")
    assert standing(late) == {"visits": 1, "late": 1}
    make.waiting(session, at=late)
    assert standing(late) == {"visits": 1, "waiting": 1}
    actions.start_session(session, by=alice, now=late)
    assert standing(late) == {"visits": 1, "live": 1}
    actions.pause_session(session, by=bob, reason="Lunch", now=late)
    assert standing(late) == {"visits": 1, "live": 1}
    actions.resume_session(session, by=bob, now=late)
    actions.complete_session(session, by=bob, note="New washer.", now=late)
    assert standing(late) == {"completed": 1}


def test_a_draft_is_nobodys_business(alice):
    make.draft(alice)
    assert counts() == {}


def test_a_job_that_nobody_takes_passes_its_target(alice):
    make.job(alice)
    past = NOW + minutes("TARGET_MINUTES")
    touches = touched_by(lambda: bookings_due.run_due(past))
    assert standing(past) == {"open": 1, "unassigned": 1}
    assert ("adminpanel.kpis", "all") in on(touches, "desk.figures")


def test_revenue_is_the_accepted_price_of_what_was_finished_today_each_currency_by_itself(alice, bob):
    first = make.finished(make.visit(alice, bob, amount="60.50", **SOON), at=NOW + 2 * make.HOUR)
    second = make.visit(alice, make.technician("Eve"), amount=40, **SOON)
    make.finished(second, at=NOW + 2 * make.HOUR)
    seen = count(NOW + 3 * make.HOUR)
    assert seen.money("revenue") == [Money(Decimal("100.500"), "GBP")]
    bid = make.fresh(first.bid)
    bid.currency = "EUR"
    bid.save(update_fields=["currency"])
    seen = count(NOW + 3 * make.HOUR)
    assert seen.money("revenue") == [Money(Decimal(40), "GBP"), Money(Decimal("60.500"), "EUR")]
    assert count(NOW + make.DAY).money("revenue") == [Money(Decimal(0), "GBP")]


def test_today_begins_at_midnight_at_the_desk(alice, bob):
    """In summer an hour before midnight UTC."""
    summer = datetime(2027, 7, 1, 9, tzinfo=UTC)
    window = {"window_start": summer + make.HOUR, "window_end": summer + 9 * make.HOUR}
    session = make.visit(alice, bob, now=summer, **window)
    make.finished(session, at=datetime(2027, 7, 1, 22, 59, tzinfo=UTC))
    assert count(datetime(2027, 7, 1, 22, 59, 30, tzinfo=UTC)).count("completed") == 1
    assert count(datetime(2027, 7, 1, 23, 0, tzinfo=UTC)).count("completed") == 0


def test_every_driver_is_in_one_figure(db):
    sam, ann, tom = at_work("Sam"), at_work("Ann"), at_work("Tom")
    road.driver("Off")
    driving.go_off_duty(current_shift(tom.user), by=tom.user)
    comes_online(sam)
    comes_online(ann, away=True)
    now = timezone.now()
    seen = count(now)
    assert [seen.count(sort.name) for sort in DRIVERS] == [1, 1, 2] and seen.count("people") == 2


def test_who_goes_from_one_page_to_the_next_stays_online(db):
    sam = at_work("Sam")
    now = timezone.now()
    LastSeen.objects.create(kind="user", principal=str(sam.pk), seen_at=now)
    assert count(now).count("drivers_online") == 1
    assert count(now + timedelta(minutes=1)).count("drivers_stale") == 1


def test_somebody_with_three_pages_is_one_person_and_a_shared_link_nobody(alice, bob):
    rows = [*comes_online(alice), *comes_online(bob)]
    for number, change in enumerate(({"principal": str(alice.pk)}, {"kind": "link", "principal": "abc"})):
        row = make.fresh(rows[0])
        row.pk, row.page_id = None, f"more-{number}"
        for name, value in change.items():
            setattr(row, name, value)
        row.save()
    assert count(timezone.now()).count("people") == 2
    assert count(timezone.now() + timedelta(minutes=5)).count("people") == 0


def test_what_waits_for_a_decision_is_what_the_queues_hold(alice, bob):
    document(bob)
    review(alice, bob)
    review(alice, bob, ReviewStatus.SUBMITTED)
    dispute(alice, bob)
    seen = count(NOW)
    assert [seen.count(name) for name in ("verification", "reviews", "disputes")] == [1, 1, 1]


def test_this_month_stands_beside_as_much_of_the_one_before(alice):
    for at in ("02-01T09", "02-01T23", "02-02T08", "02-02T10", "02-28T10", "03-01T10", "03-02T08"):
        moment = datetime.fromisoformat(f"2027-{at}:00+00:00")
        make.job(alice, now=moment, window_start=moment + make.DAY, window_end=moment + 2 * make.DAY)
    seen = count(NOW)  # the second of March, nine in the morning
    assert (seen.count("placed_month"), seen.count("placed_month_before")) == (2, 3)
    assert (seen.count("placed_day"), seen.count("placed_day_before")) == (2, 1)


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [
        ("2027-03-30T12:00+00:00", "2027-02-01T00:00+00:00", "2027-03-01T00:00+00:00"),  # a shorter month: all of it
        ("2027-01-05T12:00+00:00", "2026-12-01T00:00+00:00", "2026-12-05T12:00+00:00"),
        ("2027-04-10T12:00+00:00", "2027-03-01T00:00+00:00", "2027-03-10T13:00+00:00"),  # summer has begun meanwhile
    ],
)
def test_the_month_before_is_measured_from_its_own_beginning(now, since, until):
    span = Spans(datetime.fromisoformat(now))
    assert (span.last_month, span.last_month_until) == (datetime.fromisoformat(since), datetime.fromisoformat(until))


def test_all_figures_cost_one_query_and_the_strip_one_more(alice, bob):
    make.finished(make.visit(alice, bob))
    with CaptureQueriesContext(connection) as seen:
        strip_of(count(NOW))
    assert len(seen) == 2


# --- Who is told ----------------------------------------------------------------------------------


def kpis_touched(act) -> bool:
    """Whether the strip is to be looked at again."""
    return "adminpanel.kpis" in {touch.fragment for touch in touched_by(act)}


def test_only_the_desk_is_told(frank, alice, bob, ed):
    touches = touched_by(lambda: make.job(alice))
    for fragment in ("adminpanel.kpis", "adminpanel.glance", "adminpanel.charts"):
        assert audience(touches, fragment, frank, alice, bob, ed) == {"Frank"}
    assert keys_of(touches, "adminpanel.charts") == {"day", "week", "month"}


def test_drafts_positions_and_sealed_reviews_move_nothing(alice, bob):
    sam = at_work("Sam")
    assert not kpis_touched(lambda: make.draft(alice))
    assert not kpis_touched(lambda: road.place(sam.user, road.NEAR, now=timezone.now() + make.MINUTE))
    booking = make.job(alice)
    sealed = touched_by(lambda: review(alice, bob, ReviewStatus.SUBMITTED))
    assert booking and not [touch for touch in sealed if touch.key == "reviews"]


def test_whoever_comes_goes_starts_or_ends_a_shift_moves_them(alice, ed):
    assert kpis_touched(lambda: comes_online(alice))
    assert kpis_touched(lambda: Presence.objects.get(principal=str(alice.pk)).delete())
    assert kpis_touched(lambda: at_work("Sam"))
    ed.is_active = False
    assert kpis_touched(lambda: ed.save(update_fields=["is_active"]))
    ed.phone = "1"
    assert not kpis_touched(lambda: ed.save(update_fields=["phone"]))


# --- By the clock ---------------------------------------------------------------------------------


@pytest.fixture
def clock():
    """A clock that has just started."""
    due_figures._stood.clear()
    due_figures._minute.clear()
    return due_figures.run_due


def told(act) -> set[str]:
    """The fragments that an act has looked at again."""
    return {touch.fragment.removeprefix("adminpanel.") for touch in touched_by(act)}


def test_a_clock_that_starts_has_everything_looked_at_again_and_then_rests(clock, alice):
    make.job(alice)
    assert told(lambda: clock(NOW)) == {"kpis", "glance", "charts"}
    assert told(lambda: clock(NOW + timedelta(seconds=1))) == set()
    assert told(lambda: clock(NOW + timedelta(seconds=61))) == set()


def test_a_visit_that_becomes_late_is_told_within_a_second(clock, alice, bob):
    session = make.visit(alice, bob, **SOON)
    late = session.starts_at + minutes("LATE_MINUTES")
    clock(late - timedelta(seconds=1))
    assert told(lambda: clock(late)) >= {"kpis"}
    assert "kpis" not in told(lambda: clock(late + timedelta(seconds=1)))


def test_at_midnight_the_day_begins_anew(clock, alice, bob):
    make.finished(make.visit(alice, bob, **SOON), at=NOW + 2 * make.HOUR)
    midnight = Spans(NOW + make.DAY).midnight
    clock(midnight - timedelta(seconds=1))
    assert told(lambda: clock(midnight)) == {"kpis", "glance", "charts"}


def test_what_leaves_the_last_24_hours_is_told_within_a_minute(clock, alice):
    make.job(alice)
    clock(NOW + make.DAY - timedelta(seconds=30))
    assert told(lambda: clock(NOW + make.DAY + timedelta(seconds=30))) >= {"glance"}


# --- Samples --------------------------------------------------------------------------------------


def test_a_sample_of_each_figure_is_kept_at_each_full_ten_minutes_once(clock, alice):
    make.job(alice)
    at = NOW + timedelta(minutes=7, seconds=3)
    clock(at)
    clock(at + timedelta(seconds=1))
    assert FigureSample.objects.count() == len(samples.SAMPLED)
    assert FigureSample.objects.get(name="open", at=NOW).value == 1
    clock(at + timedelta(minutes=3))
    assert FigureSample.objects.filter(name="open").count() == 2


def test_two_clocks_at_once_keep_one(db):
    assert samples.take(count(NOW))
    FigureSample._base_manager.filter(name="open").delete()  # the other clock looked before any was written
    assert samples.take(count(NOW))
    assert FigureSample.objects.count() == len(samples.SAMPLED)


def test_old_samples_are_forgotten(db):
    for days in (0, 34, 36):
        FigureSample.objects.create(name="open", at=NOW - days * make.DAY, value=days)
    assert samples.forget_old(NOW) == 1


def tile(name: str, now: datetime = NOW) -> Tile:
    """The tile of a figure."""
    return next(each for each in strip_of(count(now)).tiles if each.name == name)


def sample(name: str, ago: timedelta, figure: float) -> None:
    """How a figure was some time ago."""
    FigureSample.objects.create(name=name, at=samples.step_of(NOW - ago), value=Decimal(str(figure)))


@pytest.mark.parametrize(("yesterday", "words"), [(0, "+1"), (1, "Same"), (4, "−3"), (1300, "−1,299")])
def test_the_change_is_since_yesterday_at_this_hour(alice, yesterday, words):
    make.job(alice)
    sample("open", make.DAY, yesterday)
    sample("open", make.HOUR, 77)
    assert tile("open").change_words == words


def test_money_changes_in_money(alice, bob):
    make.finished(make.visit(alice, bob, amount=60, **SOON), at=NOW)
    sample("revenue", make.DAY, 99.5)
    assert tile("revenue", NOW + make.HOUR / 60).change_words == "−£39.50"


def test_without_a_sample_of_yesterday_no_change_is_claimed(db):
    sample("open", make.HOUR, 3)
    sample("open", make.DAY + 2 * make.HOUR, 3)  # the clock stood still: that is not this hour
    assert tile("open").change_words == ""


def test_where_the_clock_missed_a_step_the_sample_before_serves(alice):
    make.job(alice)
    sample("open", make.DAY + 20 * make.MINUTE, 3)
    assert tile("open").change_words == "−2"


def test_the_trend_is_the_last_day_by_the_hour_and_now(alice):
    for hours, figure in ((30, 9), (24, 4), (12, 2), (1, 0)):
        sample("open", hours * make.HOUR, figure)
    sample("open", 25 * make.MINUTE, 50)  # not at a full hour
    make.job(alice)
    assert tile("open").trend == "0.0,1.0 33.3,12.0 66.7,23.0 100.0,17.5"


@pytest.mark.parametrize(
    ("steps", "points"),
    [
        ([], ""),
        ([1, 2], ""),
        ([2, 2, 2], "0.0,23.0 50.0,23.0 100.0,23.0"),
        ([0, 5, 10], "0.0,23.0 50.0,12.0 100.0,1.0"),
    ],
)
def test_a_line_needs_three_steps_and_a_flat_one_lies_low(steps, points):
    assert line([Decimal(step) for step in steps]) == points


def test_each_tile_leads_to_its_list(db):
    strip = strip_of(Figures(NOW, {}))
    assert len(strip.tiles) == len(SORTS) and all(each.url for each in [*strip.tiles, *strip.drivers])
    assert tile("late").url == "/desk/bookings/?show=late"
