"""What the desk does with jobs on its own word: books, sends, replaces, moves, acts for others; with a reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import DeskAction, User
from bookings import actions, due
from bookings.actions import Plan
from bookings.links import job_url
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW, TOMORROW_NOON
from common.refusals import Conflict, Invalid
from notifications.models import Notification
from tests.crawl import browser

LATER = NOW + MINUTE


def plan(who: User, **changes: Any) -> Plan:
    """Tomorrow at noon, for £75."""
    usual = Plan(who.technician, TOMORROW_NOON, Decimal(75), "They called us", ends_at=TOMORROW_NOON + HOUR)
    return replace(usual, **changes)


def send(booking: Booking, who: User, by: User, **changes: Any) -> Session:
    """The desk sends somebody."""
    return actions.assign_technician(booking, plan(who, **changes), by=by, now=LATER)


def texts(user: User) -> set[str]:
    """What somebody was told."""
    return set(Notification.objects.filter(user=user).values_list("text", flat=True))


# --- Booking for somebody -------------------------------------------------------------------------


def test_the_desk_books_and_the_history_says_why(alice: User, bob: User, frank: User) -> None:
    made = actions.book_for(alice, by=frank, reason=" On the telephone ", now=NOW, **make.typed())
    assert (made.status, made.customer, made.placed_at, made.expires_at) == ("open", alice, NOW, made.latest_start)
    row = made.history.get()
    assert (row.from_state, row.to_state, row.actor, row.reason) == ("draft", "open", frank, "On the telephone")
    assert texts(alice) == {"The desk placed your job: Kitchen tap leaks"}
    assert texts(bob) == {"New job near you: Kitchen tap leaks"}


def test_only_the_desk_books_for_others_and_only_for_a_reason(alice: User, bob: User, frank: User) -> None:
    for by in (alice, bob):
        with pytest.raises(PermissionDenied):
            actions.book_for(alice, by=by, reason="Why not", now=NOW, **make.typed())
    with pytest.raises(Invalid, match="say why"):
        actions.book_for(alice, by=frank, reason="  ", now=NOW, **make.typed())
    assert not Booking.objects.exists()


def test_it_books_only_for_customers_who_are_here(alice: User, bob: User, frank: User) -> None:
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    for who in (alice, bob):
        with pytest.raises(Invalid, match="booked for customers"):
            actions.book_for(who, by=frank, reason="Asked", now=NOW, **make.typed())


def test_what_is_missing_is_named_and_nothing_is_left_behind(alice: User, frank: User) -> None:
    with pytest.raises(Invalid, match="the address"):
        actions.book_for(alice, by=frank, reason="Asked", now=NOW, **make.typed(address_line1=" "))
    assert not Booking.objects.exists()


# --- Sending somebody -----------------------------------------------------------------------------


def test_somebody_is_sent_without_an_offer(alice: User, bob: User, frank: User) -> None:
    booking = make.job(alice)
    visit = send(booking, bob, frank)
    bid = visit.bid
    assert make.fresh(booking).status == "assigned" and visit.technician == bob.technician
    assert (bid.amount, bid.status, visit.starts_at, visit.overlap_allowed) == (75, "accepted", TOMORROW_NOON, False)
    assert make.states(bid) == ["submitted", "accepted"] and bid.revisions.count() == 1
    assert {row.reason for row in bid.history.all()} == {"They called us"}
    assert {row.actor for row in bid.history.all()} == {frank}
    assert visit.blocked_until == visit.ends_at + 25 * MINUTE and len(visit.start_code) == 4


def test_both_sides_are_told_once_and_in_the_right_words(alice: User, bob: User, frank: User) -> None:
    booking = make.job(alice)
    send(booking, bob, frank)
    assert texts(alice) == {"The desk sends you Bob, Wed 3 Mar, 12:00 GMT: Kitchen tap leaks"}
    assert "The desk gave you a visit, Wed 3 Mar, 12:00 GMT, £75.00: Kitchen tap leaks" in texts(bob)
    assert not [text for text in texts(bob) if "accepted" in text]


def test_the_other_offers_are_closed_by_it(alice: User, bob: User, dora: User, frank: User) -> None:
    booking = make.job(alice)
    other = make.offer(booking, dora)
    send(booking, bob, frank)
    assert make.fresh(other).status == "not_selected"


def test_an_offer_that_stands_becomes_its_next_revision(alice: User, bob: User, frank: User) -> None:
    booking = make.job(alice)
    bid = make.offer(booking, bob, 60)
    visit = send(booking, bob, frank)
    bid = make.fresh(bid)
    assert visit.bid_id == bid.pk and (bid.revision, bid.amount, bid.status) == (2, 75, "accepted")
    assert [row.amount for row in bid.revisions.all()] == [60, 75]


def test_their_other_offers_at_that_time_are_withdrawn(alice: User, charlie: User, bob: User, frank: User) -> None:
    rival = make.offer(make.job(charlie), bob)
    send(make.job(alice), bob, frank)
    assert make.fresh(rival).status == "withdrawn"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda bob: setattr(bob.technician, "verified_at", None), "takes no jobs"),
        (lambda bob: setattr(bob, "is_active", False), "takes no jobs"),
        (lambda bob: setattr(bob, "role", "customer"), "takes no jobs"),
        (lambda bob: bob.technician.skills.clear(), "does not have the skill"),
    ],
)
def test_who_takes_no_such_jobs_is_not_sent(alice: User, bob: User, frank: User, spoil: Any, words: str) -> None:
    booking = make.job(alice)
    spoil(bob)
    bob.save()
    bob.technician.save()
    with pytest.raises(Invalid, match=words):
        send(booking, bob, frank)
    assert make.fresh(booking).status == "open" and not booking.bids.exists()


def test_whom_the_customer_declined_is_not_sent(alice: User, bob: User, frank: User) -> None:
    booking = make.job(alice)
    actions.reject_bid(make.offer(booking, bob), by=alice, now=NOW)
    with pytest.raises(Conflict, match="has declined Bob's offer"):
        send(booking, bob, frank)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": Decimal(0)}, "above zero"),
        ({"amount": Decimal("7.505")}, "whole pence"),
        ({"starts_at": NOW}, "has passed"),
        ({"ends_at": TOMORROW_NOON}, "end after it starts"),
        ({"ends_at": TOMORROW_NOON + 25 * HOUR}, "within a day"),
        ({"reason": ""}, "say why"),
        ({"starts_at": NOW + 400 * DAY, "ends_at": NOW + 400 * DAY + HOUR}, "a year ahead"),
    ],
)
def test_impossible_plans_are_refused_in_words(
    alice: User, bob: User, frank: User, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        send(make.job(alice), bob, frank, **changes)


@pytest.mark.parametrize("status", ["in_progress", "completed", "cancelled"])
def test_a_job_that_has_moved_on_takes_nobody(alice: User, bob: User, dora: User, frank: User, status: str) -> None:
    booking = make.in_state(alice, bob, status)
    with pytest.raises(Conflict, match="Things moved on"):
        send(booking, dora, frank)


def test_a_technicians_time_is_theirs_unless_the_desk_lets_visits_overlap(
    alice: User, charlie: User, bob: User, frank: User
) -> None:
    first = make.visit(charlie, bob)
    booking = make.job(alice)
    with pytest.raises(Conflict, match="let the visits overlap"):
        send(booking, bob, frank)
    assert make.fresh(booking).status == "open" and not DeskAction.objects.exists()
    visit = send(booking, bob, frank, overlap_allowed=True)
    assert visit.overlap_allowed
    line = DeskAction.objects.get()
    assert (line.verb, line.actor, line.person, line.reason) == ("allowed_overlap", frank, bob, "They called us")
    assert (line.subject_kind, line.subject_id, line.details) == (
        "booking",
        booking.pk,
        {"visit": [first.pk, visit.pk]},
    )


def test_an_overlap_that_is_allowed_and_does_not_happen_is_none(alice: User, bob: User, frank: User) -> None:
    visit = send(make.job(alice), bob, frank, overlap_allowed=True)
    assert not visit.overlap_allowed and not DeskAction.objects.exists()


def test_only_the_desk_sends(alice: User, bob: User, dora: User) -> None:
    booking = make.job(alice)
    for by in (alice, bob, dora):
        with pytest.raises(PermissionDenied):
            send(booking, bob, by)


# --- Sending somebody else ------------------------------------------------------------------------


def test_somebody_else_is_sent_in_one_step(alice: User, bob: User, dora: User, frank: User) -> None:
    first = make.visit(alice, bob)
    visit = send(first.booking, dora, frank)
    booking = make.fresh(first.booking)
    assert (booking.status, visit.technician) == ("assigned", dora.technician)
    assert make.fresh(first).status == "cancelled" and make.fresh(first.bid).status == "released"
    assert make.states(booking) == ["open", "assigned", "open", "assigned"]
    assert "The desk called the visit off: Kitchen tap leaks" in texts(bob)
    assert "The desk sends you Dora, Wed 3 Mar, 12:00 GMT: Kitchen tap leaks" in texts(alice)
    assert not [text for text in texts(alice) if "can no longer come" in text]
    assert not [text for text in texts(dora) if "open again" in text]


@pytest.mark.parametrize("who", ["alice", "frank"])
def test_technicians_hear_who_it_was(alice: User, bob: User, dora: User, frank: User, who: str) -> None:
    by, name = (alice, "The customer") if who == "alice" else (frank, "The desk")
    booking = make.job(alice)
    early, late = make.offer(booking, bob), make.offer(booking, dora, starts_at=booking.window_start + 2 * HOUR)
    start = booking.window_start + HOUR
    actions.change_window(booking, by=by, window_start=start, window_end=start + 4 * HOUR, now=LATER)
    assert make.fresh(early).outcome == f"{name} changed the time. You may offer again."
    assert f"{name} changed the time of {booking}, so your offer has lapsed. You may offer again" in texts(bob)
    assert f"{name} changed the time of {booking}. Your offer still fits" in texts(dora)
    actions.reject_bid(late, by=by, now=LATER)
    assert make.fresh(late).outcome == f"{name} declined it."
    visit = make.visit(alice, bob, starts_at=TOMORROW_NOON + 5 * DAY)
    actions.cancel_booking(visit.booking, by=by, reason="plans_changed", now=LATER)
    assert f"{name} called the visit off: {visit.booking}" in texts(bob)
    page = browser(bob).get(job_url(visit.booking_id)).content.decode()
    assert ("Alice" if who == "alice" else "The desk") + " called the job off." in page


def test_all_whose_offers_no_longer_fit_hear_of_it(alice: User, bob: User, dora: User) -> None:
    booking = make.job(alice)
    for technician in (bob, dora):
        make.offer(booking, technician)
    start = booking.window_start + DAY
    actions.change_window(booking, by=alice, window_start=start, window_end=start + 4 * HOUR, now=LATER)
    lapsed = f"The customer changed the time of {booking}, so your offer has lapsed. You may offer again"
    assert lapsed in texts(bob) and lapsed in texts(dora)


def test_what_the_desk_takes_back_is_not_the_technicians_doing(alice: User, bob: User, dora: User, frank: User) -> None:
    offer, visit = make.offer(make.job(alice), dora), make.visit(alice, bob)
    actions.withdraw_bid(offer, by=frank, now=LATER)
    actions.release(visit, by=frank, reason="The van broke down", now=LATER)
    assert make.fresh(offer).outcome == "The desk withdrew it."
    assert make.fresh(visit.bid).outcome == "The desk took the job back."


def test_who_was_replaced_by_mistake_comes_back(alice: User, bob: User, dora: User, frank: User) -> None:
    first = make.visit(alice, bob)
    send(first.booking, dora, frank)
    again = send(first.booking, bob, frank, amount=Decimal(80))
    assert again.technician == bob.technician and again.bid_id == first.bid_id
    assert make.states(first.bid) == ["submitted", "accepted", "released", "submitted", "accepted"]
    assert make.fresh(first.booking).status == "assigned" and first.booking.sessions.active().get() == again


def test_who_is_booked_already_is_not_sent_again(alice: User, bob: User, frank: User) -> None:
    visit = make.visit(alice, bob)
    with pytest.raises(Conflict, match="booked for this job already"):
        send(visit.booking, bob, frank)


def test_nobody_is_replaced_at_the_door(alice: User, bob: User, dora: User, frank: User) -> None:
    visit = make.waiting(make.visit(alice, bob))
    with pytest.raises(Conflict, match="Things moved on"):
        actions.assign_technician(visit.booking, plan(dora), by=frank, now=NOW)
    assert make.fresh(visit).status == "waiting"


# --- Moving a visit -------------------------------------------------------------------------------


def moved(visit: Session, by: User, **changes: Any) -> Session:
    """The desk moves it an hour later."""
    values = {"starts_at": visit.starts_at + HOUR, "reason": "Traffic.", "now": LATER, **changes}
    return actions.move_visit(visit, by=by, **values)


def test_the_desk_moves_a_visit_and_both_sides_are_told(alice: User, bob: User, frank: User) -> None:
    visit = make.visit(alice, bob)
    done = moved(visit, frank)
    assert (done.starts_at, done.ends_at) == (visit.starts_at + HOUR, visit.ends_at + HOUR)
    assert make.fresh(visit).blocked_until == done.ends_at + 25 * MINUTE
    row = visit.history.latest("pk")
    assert (row.from_state, row.to_state, row.actor) == ("pending", "pending", frank)
    assert row.reason == "Moved by the desk: Traffic; it was Wed 12:00-13:00 GMT."
    words = "The desk moved the visit to Wed 3 Mar, 13:00 GMT: Kitchen tap leaks"
    assert words in texts(alice) and words in texts(bob)


def test_what_was_proposed_is_settled_by_it(alice: User, bob: User, frank: User) -> None:
    visit = make.visit(alice, bob)
    wish = actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + 2 * HOUR, now=NOW)
    moved(visit, frank)
    assert make.fresh(wish).status == "expired"


def test_a_customers_wish_does_not_dodge_the_fee(alice: User, bob: User, frank: User) -> None:
    visit = make.visit(alice, bob, amount=80)
    near = visit.starts_at - HOUR
    moved(visit, frank, starts_at=visit.starts_at + 3 * DAY, wished_by_customer=True, now=near)
    assert make.fresh(visit.booking).fee_floor == 40  # half, as it was an hour before
    assert actions.quote_cancellation(make.fresh(visit.booking), by=alice, now=near).money.amount == 40


def test_the_desks_own_move_leaves_the_fee_alone(alice: User, bob: User, frank: User) -> None:
    visit = make.visit(alice, bob, amount=80)
    moved(visit, frank, starts_at=visit.starts_at + 3 * DAY, now=visit.starts_at - HOUR)
    assert make.fresh(visit.booking).fee_floor == 0


def test_a_taken_time_is_refused_unless_an_overlap_is_allowed(
    alice: User, charlie: User, bob: User, frank: User
) -> None:
    visit = make.visit(alice, bob)
    make.visit(charlie, bob, window_start=TOMORROW_NOON + 3 * HOUR, window_end=TOMORROW_NOON + 5 * HOUR)
    there = TOMORROW_NOON + 3 * HOUR
    with pytest.raises(Conflict, match="overlap"):
        moved(visit, frank, starts_at=there)
    assert moved(visit, frank, starts_at=there, overlap_allowed=True).overlap_allowed
    assert DeskAction.objects.get().verb == "allowed_overlap"
    assert not moved(visit, frank, starts_at=visit.starts_at).overlap_allowed


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"starts_at": NOW}, Invalid, "has passed"),
        ({"starts_at": TOMORROW_NOON}, Invalid, "has already"),
        ({"ends_at": TOMORROW_NOON}, Invalid, "end after it starts"),
        ({"starts_at": NOW + 400 * DAY}, Invalid, "a year ahead"),
        ({"reason": " "}, Invalid, "say why"),
    ],
)
def test_impossible_moves_are_refused(
    alice: User, bob: User, frank: User, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        moved(make.visit(alice, bob), frank, **changes)


def test_a_visit_that_has_begun_is_not_moved(alice: User, bob: User, frank: User) -> None:
    visit = make.waiting(make.visit(alice, bob))
    with pytest.raises(Conflict, match="Things moved on"):
        moved(visit, frank, starts_at=visit.starts_at + DAY)


def test_only_the_desk_moves_without_asking(alice: User, bob: User) -> None:
    visit = make.visit(alice, bob)
    for by in (alice, bob):
        with pytest.raises(PermissionDenied):
            moved(visit, by)


# --- Acting for somebody --------------------------------------------------------------------------


def test_what_is_done_for_somebody_has_its_reason_in_the_audit(alice: User, bob: User, frank: User) -> None:
    bid = make.offer(make.job(alice), bob)
    actions.on_behalf(
        bid.booking, lambda: make.accept(bid, by=frank, now=LATER), verb="accepted_offer", by=frank, person=alice,
        reason=" She cannot tap ", now=LATER,
    )  # fmt: skip
    line = DeskAction.objects.get()
    assert (line.verb, line.person, line.reason, line.at) == ("accepted_offer", alice, "She cannot tap", LATER)
    assert bid.history.latest("pk").actor == frank


def test_what_is_refused_leaves_no_line(alice: User, bob: User, frank: User) -> None:
    visit = make.waiting(make.visit(alice, bob))
    with pytest.raises(Conflict):
        actions.on_behalf(
            visit.booking, lambda: actions.release(visit, by=frank, reason="Ill"), verb="took_visit_back", by=frank,
            person=bob, reason="Ill",
        )  # fmt: skip
    assert not DeskAction.objects.exists()


def test_nobody_but_the_desk_acts_for_others(alice: User, bob: User) -> None:
    booking = make.job(alice)
    with pytest.raises(PermissionDenied):
        actions.on_behalf(booking, lambda: pytest.fail("done"), verb="x", by=bob, person=alice, reason="Why not")


def test_the_desk_reports_either_side_absent(alice: User, charlie: User, bob: User, dora: User, frank: User) -> None:
    at_door = make.waiting(make.visit(alice, bob))
    actions.record_contact_attempt(
        at_door, by=frank, channel="door", party="technician", now=at_door.starts_at + MINUTE
    )
    assert at_door.contact_attempts.get().party == "technician"
    late = at_door.starts_at + 20 * MINUTE
    actions.report_no_show(at_door, by=frank, party="technician", now=late)
    assert make.fresh(at_door.booking).no_show_party == "customer"
    nobody = make.visit(charlie, dora)
    actions.record_contact_attempt(nobody, by=frank, channel="call", now=nobody.starts_at + MINUTE)
    actions.report_no_show(nobody, by=frank, now=late)
    assert make.fresh(nobody.booking).no_show_party == "technician"


def test_a_technician_cannot_speak_for_the_customer(alice: User, bob: User) -> None:
    visit = make.visit(alice, bob)
    made = actions.record_contact_attempt(visit, by=bob, channel="call", party="customer", now=visit.starts_at)
    assert made.party == "technician"


# --- Waiting too long -----------------------------------------------------------------------------


def test_the_desk_is_told_once_of_a_job_that_waits_too_long(alice: User, frank: User) -> None:
    booking = make.job(alice)
    assert due.notice_waiting(NOW + 59 * MINUTE) == 0
    assert due.notice_waiting(NOW + 60 * MINUTE) == 1
    assert due.notice_waiting(NOW + 61 * MINUTE) == 0
    row = Notification.objects.get(user=frank)
    assert (row.text, row.kind) == ("Nobody is assigned yet: Kitchen tap leaks", "bookings.desk_unassigned")
    assert row.url == f"/desk/bookings/{booking.pk}/" and not texts(alice)
    assert list(Booking.objects.past_target()) == [booking]


def test_who_is_assigned_waits_no_longer_and_a_reopened_one_does_at_once(alice: User, bob: User, frank: User) -> None:
    booking = make.job(alice)
    due.notice_waiting(NOW + HOUR)
    visit = send(booking, bob, frank)
    assert make.fresh(booking).target_passed_at is None and not Booking.objects.past_target()
    actions.release(visit, by=bob, reason="Ill", now=NOW + 2 * HOUR)
    assert due.notice_waiting(NOW + 2 * HOUR) == 1 and Booking.objects.past_target().get() == booking


def test_late_is_who_should_have_checked_in(alice: User, bob: User) -> None:
    visit = make.visit(alice, bob)
    assert not Booking.objects.late(visit.starts_at + 4 * MINUTE)
    assert Booking.objects.late(visit.starts_at + 5 * MINUTE).get() == visit.booking
    make.waiting(visit)
    assert not Booking.objects.late(visit.starts_at + 10 * MINUTE)
