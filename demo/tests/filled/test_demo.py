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
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection

from accounts import credentials
from accounts.actions import sign_up_customer
from accounts.models import AccountNote, Credential, CredentialHistory, CredentialStatus, DeskAction, Technician, User
from adminpanel.dashboard.figures import count
from adminpanel.dashboard.samples import SAMPLED, past
from adminpanel.models import FigureSample
from bookings.actions.desk import note_waiting_too_long
from bookings.actions.disputes import withdraw_dispute
from bookings.actions.reviews import keep_review, write_review
from bookings.due import run_due
from bookings.models import (
    Bid,
    BidHistory,
    Booking,
    BookingHistory,
    Dispute,
    DisputeHistory,
    Review,
    ReviewHistory,
    ServiceCategory,
    Session,
    SessionHistory,
)
from bookings.states import BidStatus, BookingStatus, DisputeStatus, ReviewStatus, SessionStatus
from common.documents import clean_document
from demo.cast import DOMAIN, EVERYBODY, PASSWORD, PLAYABLE, SIMULATED_EMAILS, TECHNICIANS
from demo.fill import freshen, make_teller
from demo.portraits import LOOKS
from demo.sheets import pdf
from demo.simulator import opinions
from demo.simulator.market import OPEN_A_TRADE
from demo.simulator.world import World
from demo.tests.conftest import NOW, person, rows
from demo.trades import KINDS, TRADES
from demo.trends import HOUR, HOURS, Past
from demo.words import DONE, note_for
from tracking.models import Dispatch, DispatchHistory, Shift, ShiftHistory

DAY = timedelta(days=1)

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
        (Credential, CredentialHistory),
        (Review, ReviewHistory),
        (Dispute, DisputeHistory),
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


def test_today_something_was_earned_and_most_open_jobs_are_on_target(demo: None) -> None:
    today = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gt=NOW - timedelta(hours=6))
    assert today.count() == 3
    waiting = Booking.objects.filter(status=BookingStatus.OPEN).exclude(customer=person("emma"))
    assert waiting.filter(placed_at__lt=NOW - HOUR).count() < waiting.count() / 3


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


# --- documents ------------------------------------------------------------------------------------


def test_whoever_is_verified_has_the_documents_for_it(demo: None) -> None:
    for technician in Technician.objects.exclude(verified_at=None):
        held = technician.credentials.filter(status=CredentialStatus.APPROVED)
        assert not credentials.missing(held.values_list("kind", flat=True)), technician
        assert all(row.file.size < 60_000 and row.decided_at < technician.verified_at for row in held)


def test_two_run_out_soon_and_one_was_refused(demo: None) -> None:
    holding = Credential.objects.filter(status=CredentialStatus.APPROVED)
    soon = holding.filter(valid_until__lte=(NOW + credentials.SOON).date())
    assert soon.count() == 2 and not soon.filter(warned_at=None).exists()
    assert "cut off" in Credential.objects.get(status=CredentialStatus.REJECTED).reason


def test_lucys_insurance_waits_and_with_it_she_is_verified(demo: None) -> None:
    waiting = list(credentials.waiting())
    lucys = next(row for row in waiting if row.technician.user == person("lucy"))
    assert len(waiting) == 2 and lucys.kind == "insurance"
    credentials.approve_credential(lucys, by=person("olivia"), now=NOW)
    assert Technician.objects.get(user=person("lucy")).is_verified


def test_a_typed_page_is_one_that_the_site_takes() -> None:
    page = pdf("Certificate (of a kind)", [r"Number: 1\2", "Sum insured: £2,000,000"])
    start = int(page.rpartition(b"startxref\n")[2].split()[0])
    assert page[start:].startswith(b"xref\n0 7\n") and rb"\(of a kind\)" in page and b"\xa32,000" in page
    places = [int(line[:10]) for line in page[start:].splitlines()[3:9]]
    assert all(page[place:].startswith(b"%d 0 obj" % number) for number, place in enumerate(places, start=1))
    assert clean_document(SimpleUploadedFile("page.pdf", page)).content.read() == page


# --- reviews --------------------------------------------------------------------------------------


def test_most_reviews_are_open_and_each_other_state_is_there(demo: None) -> None:
    states = Counter(Review.objects.values_list("status", flat=True))
    assert states[ReviewStatus.PUBLISHED] > 20 and set(Review.objects.values_list("stars", flat=True)) == {3, 4, 5}
    assert (states[ReviewStatus.SUBMITTED], states[ReviewStatus.FLAGGED], states[ReviewStatus.HIDDEN]) == (2, 1, 1)
    assert Review.objects.get(status=ReviewStatus.FLAGGED).flags.filter(settled_at=None).count() == 1


def test_what_was_said_of_emma_opens_with_her_own_words(demo: None) -> None:
    sealed = Review.objects.get(status=ReviewStatus.SUBMITTED, about=person("emma"))
    write_review(sealed.booking, by=person("emma"), stars=5, now=NOW)
    sealed.refresh_from_db()
    assert sealed.status == ReviewStatus.PUBLISHED


# --- disputes and notes ---------------------------------------------------------------------------


def test_three_disputes_stand_at_three_stages(demo: None) -> None:
    states = Counter(Dispute.objects.values_list("status", flat=True))
    assert states == dict.fromkeys((DisputeStatus.OPEN, DisputeStatus.AWAITING_RESPONSE, DisputeStatus.RESOLVED), 1)
    assert Dispute.objects.get(status=DisputeStatus.OPEN).against == person("tariq")
    awaited = Dispute.objects.get(status=DisputeStatus.AWAITING_RESPONSE)
    assert awaited.answer_by and awaited.answer_by > NOW + DAY and awaited.evidence.count() == 1


def test_the_desk_keeps_something_in_mind_and_its_line_is_in_the_audit(demo: None) -> None:
    notes = AccountNote.objects.all()
    assert {note.user for note in notes} == {person("daniel.osei")} and len(notes) == 2
    assert DeskAction.objects.filter(verb="noted", person=person("daniel.osei")).count() == 2


# --- the trend ------------------------------------------------------------------------------------


def test_every_figure_has_a_trend_and_a_yesterday(demo: None) -> None:
    assert FigureSample.objects.count() == (HOURS + 1) * len(SAMPLED)
    found = past(NOW)
    assert set(found) == set(SAMPLED)
    assert all(len(each.hours) == 24 and each.yesterday is not None for each in found.values())
    assert any(found["open"].hours) and any(found["drivers_online"].hours) and any(found["people"].hours)


def test_what_the_histories_say_of_now_is_what_is_counted_now(demo: None) -> None:
    for job in Booking.objects.filter(status=BookingStatus.OPEN, placed_at__lte=NOW - HOUR):
        note_waiting_too_long(job, now=NOW)
    told, counted = Past.read(NOW - DAY, NOW).figures(NOW), count(NOW)
    by_clock = {"people", "drivers_online", "drivers_stale"}  # who has a page open is in no history
    for name in set(SAMPLED) - by_clock - {"revenue"}:
        assert told[name] == counted.count(name), name
    assert told["revenue"] == counted.money("revenue")[0].amount


# --- kept fresh -----------------------------------------------------------------------------------


def test_what_was_decided_is_followed_by_something_else_to_decide(demo: None) -> None:
    keep_review(Review.objects.get(status=ReviewStatus.FLAGGED), by=person("olivia"), reason="It stands.", now=NOW)
    dispute = Dispute.objects.get(status=DisputeStatus.OPEN)
    withdraw_dispute(dispute, by=dispute.opened_by, now=NOW)
    for row in credentials.waiting():
        credentials.reject_credential(row, by=person("olivia"), reason="Not readable.", now=NOW)
    later = NOW + 2 * DAY
    freshen(later)
    assert Review.objects.filter(status=ReviewStatus.FLAGGED).count() == 1
    fresh = Dispute.objects.get(status=DisputeStatus.OPEN)
    assert {fresh.opened_by.email, fresh.against.email} <= SIMULATED_EMAILS
    assert credentials.waiting().count() == 2
    assert all(len(each.hours) == 24 and each.yesterday is not None for each in past(later).values())
    before = rows() | {"samples": FigureSample.objects.count()}
    freshen(later)
    assert rows() | {"samples": FigureSample.objects.count()} == before


def test_what_ran_out_is_renewed_and_they_offer_again(demo: None) -> None:
    later = NOW + 7 * DAY
    row = Credential.objects.get(technician__user=person("grace.mensah"), kind="insurance")
    credentials.expire_credential(row, now=later)
    assert not Technician.objects.get(user=person("grace.mensah")).is_verified
    freshen(later)
    assert Technician.objects.get(user=person("grace.mensah")).is_verified


# --- the simulator --------------------------------------------------------------------------------


def test_whom_a_person_worked_for_or_with_writes_within_minutes_once(demo: None) -> None:
    visit = finished_lately("emma", "anna.novak")
    assert not opinions.write(world_after(visit, 40))
    assert opinions.write(world_after(visit, 401)) == 1
    assert Review.objects.get(booking=visit.booking).author == person("anna.novak")
    assert not opinions.write(world_after(visit, 402))


def test_among_themselves_they_write_now_and_then(demo: None) -> None:
    visit = finished_lately("priya.nair", "anna.novak")
    wrote = [opinions.wants_to(world_after(visit, 401, seed=seed), visit, visit.technician.user) for seed in range(40)]
    assert 4 <= sum(wrote) <= 20


def finished_lately(customer: str, technician: str) -> Session:
    """A visit of the last hours that went well."""
    start = NOW - timedelta(hours=3)
    return make_teller(NOW, seed=3).finished(f"{customer}@{DOMAIN}", f"{technician}@{DOMAIN}", KINDS["leaks"], start)


def world_after(visit: Session, seconds: float, seed: int = 1) -> World:
    """What the simulator sees so long after the work."""
    assert visit.finished_at
    return World(visit.finished_at + timedelta(seconds=seconds), seed)
