"""The demo data: whole, true to the rules, and made in a demo's database only."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.core.management import call_command
from django.db import connection

from accounts.actions import sign_up_customer
from accounts.models import Technician, User
from bookings.due import run_due
from bookings.models import (
    Bid,
    BidHistory,
    Booking,
    BookingHistory,
    ServiceCategory,
    Session,
    SessionHistory,
)
from bookings.states import BidStatus, BookingStatus, SessionStatus
from demo.cast import EVERYBODY, PASSWORD, PLAYABLE, TECHNICIANS
from demo.fill import freshen
from demo.portraits import LOOKS
from demo.simulator.market import OPEN_A_TRADE
from demo.tests.conftest import NOW, person, rows
from demo.trades import KINDS, TRADES
from demo.words import DONE, note_for
from tracking.models import Dispatch, DispatchHistory, Shift, ShiftHistory

# --- the people -----------------------------------------------------------------------------------


def test_everybody_is_there_with_a_face_and_the_password_that_is_told(demo: None) -> None:
    assert User.objects.count() == len(EVERYBODY)
    assert all(user.photo and user.photo.size < 8_000 for user in User.objects.all())
    assert all(person(slug).check_password(PASSWORD) for slug in PLAYABLE)
    assert set(LOOKS) == {each.name for each in EVERYBODY}


def test_one_technician_waits_for_verification(demo: None) -> None:
    assert Technician.objects.filter(verified_at=None).get().user == person("lucy")
    assert Technician.objects.filter(verified_at__isnull=False).count() == len(TECHNICIANS) - 1
    assert all(row.hours.exists() and row.about for row in Technician.objects.all())


def test_each_trade_has_simulated_technicians_enough(demo: None) -> None:
    simulated = [each for each in TECHNICIANS if each.is_simulated and each.verified]
    for trade in TRADES:
        assert sum(trade.slug in each.skills for each in simulated) >= 3, trade.slug


def test_categories_have_prices_times_and_icons_of_the_sprite(demo: None) -> None:
    sprite = (Path(site.BASE_DIR) / "static/vendor/lucide/icons.svg").read_text()
    assert ServiceCategory.objects.count() == len(KINDS) >= 8
    for category in ServiceCategory.objects.select_related("skill"):
        assert f'id="{category.icon}"' in sprite and f'id="{category.skill.icon}"' in sprite
        assert 0 < category.typical_low < category.typical_high and category.currency == "GBP"


def test_a_note_fits_its_job_and_there_is_one_for_any_other() -> None:
    assert "cartridge" in note_for("Kitchen mixer tap drips")
    assert note_for("Something a visitor made up") == DONE


# --- what happened --------------------------------------------------------------------------------


def test_every_state_is_there(demo: None) -> None:
    bookings = Counter(Booking.objects.values_list("status", flat=True))
    assert set(bookings) == set(BookingStatus.values) - {BookingStatus.DRAFT}
    assert bookings[BookingStatus.COMPLETED] > 30
    visits = Counter(Session.objects.values_list("status", flat=True))
    assert visits[SessionStatus.LIVE] == 1 and visits[SessionStatus.NO_SHOW] == 2
    assert visits[SessionStatus.PENDING] > 5 and visits[SessionStatus.CANCELLED] >= 3
    assert Bid.objects.filter(status=BidStatus.RELEASED).exists()


@pytest.mark.parametrize(
    ("model", "history"),
    [
        (Booking, BookingHistory),
        (Bid, BidHistory),
        (Session, SessionHistory),
        (Dispatch, DispatchHistory),
        (Shift, ShiftHistory),
    ],
)
def test_replaying_the_history_gives_the_state(demo: None, model: Any, history: Any) -> None:
    state: dict[int, str] = {}
    seen: dict[int, datetime] = {}
    for row in history.objects.order_by("id"):
        before = "draft" if history is BookingHistory else ""
        assert row.from_state == state.get(row.subject_id, before)
        assert seen.get(row.subject_id, row.at) <= row.at <= NOW
        state[row.subject_id], seen[row.subject_id] = row.to_state, row.at
    column = "duty" if model is Shift else "status"
    assert state == dict(model.objects.values_list("pk", column))


def test_every_row_keeps_every_constraint(demo: None) -> None:
    for name in ("accounts", "bookings", "tracking", "demo"):
        for model in apps.get_app_config(name).get_models():
            for row in model._base_manager.all():
                row.validate_constraints()
    connection.check_constraints()


def test_nobody_was_ever_at_two_places_at_once(demo: None) -> None:
    worked = Session.objects.exclude(status=SessionStatus.CANCELLED).order_by("technician", "starts_at")
    visits = list(worked)
    for one, next_one in itertools.pairwise(visits):
        assert one.technician_id != next_one.technician_id or one.blocked_until <= next_one.starts_at


def test_finished_jobs_have_a_note_and_left_the_banner(demo: None) -> None:
    done = Session.objects.filter(status=SessionStatus.COMPLETED).select_related("completion", "booking")
    assert all(visit.completion.note for visit in done)
    assert all(visit.booking.put_away_at for visit in done if visit.finished_at < NOW - timedelta(days=1))


def test_the_market_has_jobs_of_each_trade_near_tariq_too(demo: None) -> None:
    jobs = Booking.objects.open_for_bids(NOW).exclude(customer=person("emma")).values_list("category__skill__slug")
    assert Counter(slug for (slug,) in jobs) == dict.fromkeys((trade.slug for trade in TRADES), OPEN_A_TRADE)
    titles = [job.title for job in Booking.objects.near(person("tariq").technician, now=NOW)]
    assert len(titles) == len(set(titles)) >= 6


def test_emma_has_a_choice_to_make_and_a_visit_ahead_and_omar_nothing(demo: None) -> None:
    choice = Booking.objects.get(customer=person("emma"), status=BookingStatus.OPEN)
    assert choice.bids.standing().count() == 3
    assert Session.objects.active().filter(booking__customer=person("emma"), starts_at__gt=NOW).exists()
    assert not person("omar").bookings.exists()
    assert Session.objects.active().filter(technician__user=person("tariq"), starts_at__gt=NOW).count() == 2


def test_after_some_days_visitors_find_it_fresh_again(demo: None) -> None:
    later = NOW + timedelta(days=4)
    run_due(later)
    assert not Booking.objects.filter(status=BookingStatus.OPEN).exists()
    freshen(later)
    choice = Booking.objects.get(customer=person("emma"), status=BookingStatus.OPEN)
    assert choice.bids.standing().count() >= 1 and choice.expires_at and choice.expires_at > later
    assert Session.objects.active().filter(technician__user=person("tariq"), starts_at__gt=later).exists()
    before = rows()
    freshen(later)
    assert rows() == before


def test_a_visitor_who_signed_up_does_not_stop_the_next_start(demo: None, capsys: Any) -> None:
    visitor = sign_up_customer(email="carol@example.org", password=None, name="Carol Reed", time_zone="Europe/London")
    call_command("demo")
    visitor.refresh_from_db()
    assert visitor.name == "Carol Reed"
