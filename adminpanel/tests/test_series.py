"""What the charts are drawn from: hours and days, money, waiting times; and how it goes at a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminpanel.dashboard.glance import Compared, load_glances
from adminpanel.dashboard.series import PERIODS, Series, count, part_of, starts_of
from adminpanel.tests.test_figures import SOON
from bookings.tests import make
from bookings.tests.follow import touched_by

NOW = make.NOW
DAY, WEEK, MONTH = PERIODS.values()


def pieces(series: Series) -> dict[str, tuple[int, int, Decimal]]:
    """What there is anything of: label -> placed, finished, revenue."""
    found = {each.label: (each.placed, each.finished, each.revenue) for each in series.pieces}
    return {label: figures for label, figures in found.items() if any(figures)}


def placed(alice: User, at: str, **more) -> object:
    """A job placed at an instant."""
    moment = datetime.fromisoformat(at)
    return make.job(alice, now=moment, window_start=moment + make.DAY, window_end=moment + 2 * make.DAY, **more)


# --- Pieces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [(DAY, "10:00", "09:00"), (WEEK, "Wed 24 Feb", "Tue 2 Mar"), (MONTH, "Mon 1 Feb", "Tue 2 Mar")],
)
def test_a_period_ends_with_the_piece_that_goes_on(db, period, first, last):
    series = count(period, NOW + 5 * make.MINUTE)
    assert len(series.pieces) == period.number
    assert (series.pieces[0].label, series.pieces[-1].label) == (first, last)


def test_what_happened_stands_in_its_hour_and_its_day(alice, bob):
    placed(alice, "2027-03-01T20:59+00:00")
    placed(alice, "2027-03-01T21:00+00:00")
    placed(alice, "2027-02-25T12:00+00:00")
    make.finished(make.visit(alice, bob, amount="60.50", **SOON), at=NOW + make.HOUR)
    now = NOW + 2 * make.HOUR
    some, none = Decimal("60.500"), Decimal(0)
    assert pieces(count(DAY, now)) == {
        "20:00": (1, 0, none), "21:00": (1, 0, none), "09:00": (1, 0, none), "10:00": (0, 1, some)
    }  # fmt: skip
    assert pieces(count(WEEK, now)) == {
        "Thu 25 Feb": (1, 0, none),
        "Mon 1 Mar": (2, 0, none),
        "Tue 2 Mar": (1, 1, some),
    }


def test_days_are_those_of_the_desk(alice):
    """In summer a day begins an hour before midnight UTC."""
    placed(alice, "2027-07-01T22:59+00:00")
    placed(alice, "2027-07-01T23:00+00:00")
    found = pieces(count(WEEK, datetime(2027, 7, 2, 9, tzinfo=UTC)))
    assert found == {"Thu 1 Jul": (1, 0, 0), "Fri 2 Jul": (1, 0, 0)}


def test_no_hour_is_lost_or_merged_when_the_clocks_change(alice):
    """On the last Sunday of October one o'clock comes twice."""
    placed(alice, "2026-10-25T00:30+00:00")
    placed(alice, "2026-10-25T01:30+00:00")
    series = count(DAY, datetime(2026, 10, 25, 12, tzinfo=UTC))
    twice = [each.placed for each in series.pieces if each.label == "01:00"]
    assert twice == [1, 1] and len({each.at for each in series.pieces}) == 24


def test_every_day_of_a_month_in_which_the_clocks_change_is_there_once(db):
    starts = starts_of(MONTH, datetime(2027, 4, 10, 12, tzinfo=UTC))
    names = [part_of(at, MONTH) for at in starts]
    assert len(set(names)) == 30 and all(name.endswith("00:00:00") for name in names)


def test_revenue_of_another_currency_is_not_added(alice, bob):
    session = make.finished(make.visit(alice, bob, **SOON), at=NOW)
    bid = session.bid
    bid.currency = "EUR"
    bid.save(update_fields=["currency"])
    assert pieces(count(DAY, NOW + make.MINUTE)) == {"09:00": (1, 1, Decimal(0))}


def test_waiting_times_are_minutes_on_average(alice, bob, dora):
    first, second = make.job(alice, **SOON), make.job(alice, **SOON)
    make.offer(first, bob, now=NOW + 10 * make.MINUTE)
    make.offer(first, dora, now=NOW + 30 * make.MINUTE)  # not the first
    bid = make.offer(second, dora, now=NOW + 21 * make.MINUTE)
    make.job(alice, **SOON)  # nobody offers: it is not in the average
    make.accept(bid, now=NOW + 50 * make.MINUTE)
    piece = count(DAY, NOW + make.HOUR - make.MINUTE).pieces[-1]
    assert (piece.first_offer, piece.booked) == (16, 50)
    assert count(DAY, NOW + 2 * make.HOUR).pieces[-1].first_offer is None


def test_a_period_costs_one_query(alice, bob):
    make.finished(make.visit(alice, bob, **SOON), at=NOW)
    with CaptureQueriesContext(connection) as seen:
        count(MONTH, NOW + make.HOUR)
    assert len(seen) == 1


# --- Who is told ----------------------------------------------------------------------------------


def told(act) -> set[str]:
    """The charts that an act has looked at again."""
    return {touch.key for touch in touched_by(act) if touch.fragment == "adminpanel.charts"}


def test_charts_are_told_of_what_they_show_and_of_nothing_else(alice, bob):
    every = set(PERIODS)
    assert not told(lambda: make.draft(alice))
    job = make.job(alice, **SOON)
    assert told(lambda: make.job(alice)) == every
    assert told(lambda: make.offer(job, bob)) == every
    session = make.accept(job.bids.get())
    assert not told(lambda: make.live(session))
    assert told(
        lambda: make.actions.complete_session(make.fresh(session), by=bob, note="Done.", now=NOW + 3 * make.HOUR)
    )


# --- At a glance ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [(3, 2, "+50 %"), (1, 2, "−50 %"), (2, 2, "Same"), (0, 0, "Same"), (3, 0, "None before"), (1001, 1000, "Same")],
)
def test_a_figure_stands_beside_the_one_before(now, before, words):
    assert Compared("x", "X", "", Decimal(now), Decimal(before), "").change == words


def test_the_newest_professionals_are_named_the_last_first(bob, dora):
    closed = make.technician("Gone", is_active=False)
    long_ago = make.technician("Old", verified=False)
    long_ago.joined_at = timezone.now() - timedelta(days=31)
    long_ago.save(update_fields=["joined_at"])
    glance = load_glances(["all"])["all"]
    assert [each.pk for each in glance.newest] == [dora.pk, bob.pk] and closed
    figures = {each.name: each.text for each in glance.lately}
    assert figures == {"placed_day": "0", "professionals": "3"}


def test_a_month_is_told_in_every_currency_that_was_earned(alice, bob):
    now = timezone.now()
    window = {"window_start": now + make.HOUR, "window_end": now + 5 * make.HOUR}
    session = make.finished(make.visit(alice, bob, now=now, **window), at=now)
    glance = load_glances(["all"])["all"]
    assert [each.text for each in glance.month] == ["1", "1", "£60.00", "1"] and glance.visits == 0
    session.bid.currency = "EUR"
    session.bid.save(update_fields=["currency"])
    from adminpanel.dashboard import kept

    kept.forget()
    names = [each.name for each in load_glances(["all"])["all"].month]
    assert "revenue_month_eur" in names and "revenue_month_gbp" in names
