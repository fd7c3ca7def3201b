"""The demo's past many times over: consistent copies, ids behind which new rows find place, and refusals."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import AccountHistory, Technician, User
from bookings import actions
from bookings.models import Bid, BidHistory, Booking, BookingHistory, ReviewFlag, Session, SessionHistory
from bookings.tests import make
from demo.multiply import multiply
from demo.tests.conftest import number_on

NOW = timezone.now()


def test_it_is_for_a_demo_on_postgresql(settings, db):
    with pytest.raises(CommandError, match="not a demo site"):
        call_command("multiply")
    settings.DEMO = True
    sentence = "no demo here" if connection.vendor == "postgresql" else "for PostgreSQL"
    with pytest.raises(CommandError, match=sentence):
        call_command("multiply", stdout=StringIO())


@pytest.fixture
def low_numbers(db):
    """New rows come right behind what is there: each multiplying takes the numbers ten times higher."""
    number_on()


@pytest.fixture
def past(low_numbers, alice, bob, frank):
    """A finished job, one called off, one still open, one that is assigned."""
    done = make.finished(make.visit(alice, bob, now=NOW - 7 * make.DAY))
    off = make.job(alice, now=NOW)
    make.offer(off, bob, now=NOW)
    actions.cancel_booking(off, by=alice, reason="plans_changed", now=NOW)
    make.offer(make.job(alice, now=NOW), bob, now=NOW)
    return done


@pytest.mark.postgresql
def test_the_copies_are_as_consistent_as_the_stories(past):
    before = {model: model.objects.count() for model in (Booking, Bid, Session, BookingHistory, SessionHistory)}

    made = multiply(bookings=20, people=6)

    assert made["booking"] == 2 * 10 + 1
    assert made["user"] == 2 * 3
    assert Booking.objects.count() == before[Booking] + 21
    assert BookingHistory.objects.count() > 10 * before[BookingHistory] - 10
    for history, subject in ((BookingHistory, Booking), (BidHistory, Bid), (SessionHistory, Session)):
        for row in subject.objects.all():
            moves = list(history.objects.filter(subject=row).order_by("at", "pk").values_list("from_state", "to_state"))
            assert moves[-1][1] == row.status
            assert [start for start, _ in moves[1:]] == [end for _, end in moves[:-1]]
    copies = User.objects.filter(email__startswith="n")
    assert copies.count() == 6
    assert Booking.objects.filter(customer__in=copies).count() == 21
    assert Technician.objects.filter(user__in=copies).count() == 3
    assert (
        AccountHistory.objects.filter(user__in=copies).count()
        == 3 * AccountHistory.objects.exclude(user__in=copies).count()
    )
    assert not Booking.objects.filter(created_at__gt=timezone.now()).exists()


@pytest.mark.postgresql
def test_reviews_come_with_their_flags_and_what_waits_is_not_copied(past, alice, bob, frank):
    flags = make_flagged(past.booking, alice, bob, frank)
    waits = make.finished(make.visit(alice, bob, now=NOW - 5 * make.DAY))
    actions.disputes.open_dispute(waits.booking, by=alice, reason="quality", statement="It drips again.", now=NOW)

    made = multiply(bookings=20, people=6)

    assert made["booking"] == 2 * 10 + 1 and made["dispute"] == 0
    assert made["review"] == 2 * made["reviewflag"] == 20
    for flag in ReviewFlag.objects.exclude(pk=flags.pk).select_related("review__booking"):
        assert flag.by == flag.review.about and flag.review.status == "hidden"
        assert flag.review.author_id == flag.review.booking.customer_id


def make_flagged(booking, alice, bob, frank):
    """Both have written, and the desk has hidden what Alice said."""
    when = NOW - 6 * make.DAY
    said = actions.reviews.write_review(booking, by=alice, stars=3, text="Late.", now=when)
    actions.reviews.write_review(booking, by=bob, stars=5, now=when)
    flag = actions.reviews.flag_review(said, by=bob, reason="untrue", now=when)
    actions.reviews.hide_review(said, by=frank, why="false", reason="He was on time.", now=when)
    return flag


@pytest.mark.postgresql
def test_whatever_comes_next_finds_its_place(past, alice, bob):
    multiply(bookings=20, people=6)

    session = make.visit(alice, bob, now=NOW + make.DAY)

    assert session.pk == Session.objects.order_by("-pk")[0].pk
    assert session.booking_id == Booking.objects.order_by("-pk")[0].pk
