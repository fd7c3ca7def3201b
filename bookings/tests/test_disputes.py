"""The verbs of a dispute: who may do what when, what is kept of it, and what each refusal says."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import DeskAction, User
from bookings import actions, due
from bookings.models import Booking, Dispute, DisputeEvidence
from bookings.states import DisputeStatus
from bookings.tests import make, quarrel
from bookings.tests.make import DAY, HOUR, MINUTE
from common.refusals import Conflict, Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice: User, bob: User) -> Booking:
    """Alice's, finished by Bob."""
    return quarrel.done(alice, bob)


# --- Opening --------------------------------------------------------------------------------------


def test_the_customer_opens_one_against_the_technician(job, alice, bob):
    dispute = quarrel.opened(job, alice, wanted="  A second visit ")
    assert (dispute.party, dispute.opened_by, dispute.against_id) == ("customer", alice, bob.pk)
    assert (dispute.status, dispute.wanted, dispute.currency) == ("open", "A second visit", "GBP")
    assert [(row.from_state, row.to_state, row.actor, row.reason) for row in dispute.history.all()] == [
        ("", "open", alice, "The work is not right")
    ]


def test_the_technician_opens_one_against_the_customer(job, alice, bob):
    dispute = quarrel.opened(job, bob, reason="unpaid")
    assert (dispute.party, dispute.opened_by, dispute.against) == ("technician", bob, alice)


def test_evidence_comes_along(job, alice, media):
    dispute = quarrel.opened(job, alice, files=[make.picture("Tap.png"), quarrel.paper()])
    assert [(row.name, row.by, row.at) for row in dispute.evidence.all()] == [
        ("Tap.png", alice, dispute.opened_at),
        ("Invoice.pdf", alice, dispute.opened_at),
    ]
    assert sorted(Path(row.file.name).suffix for row in dispute.evidence.all()) == [".jpg", ".pdf"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reason": "boredom"}, "choose what it is about"),
        ({"statement": " \n "}, "say what happened"),
        ({"statement": "x" * 4001}, "too long"),
        ({"files": [make.picture() for _ in range(7)]}, "At most 6 files"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_kept(job, alice, media, wrong, sentence):
    with pytest.raises(Invalid, match=sentence):
        quarrel.opened(job, alice, **wrong)
    assert not Dispute.objects.exists() and not list(media.iterdir())


def test_strangers_open_nothing(job, charlie, dora, ed, frank):
    for stranger in (charlie, dora, ed, frank):
        with pytest.raises(PermissionDenied):
            quarrel.opened(job, stranger)


def test_who_made_an_offer_and_lost_is_no_side(alice, bob, dora):
    booking = make.job(alice)
    make.offer(booking, dora, 70)
    make.finished(make.accept(make.offer(booking, bob)))
    with pytest.raises(PermissionDenied):
        quarrel.opened(booking, dora)


def test_who_gave_the_job_back_is_no_side_any_more(alice, bob, dora):
    visit = make.visit(alice, bob)
    actions.release(visit, by=bob, reason="Ill", now=make.NOW)
    make.finished(make.accept(make.offer(visit.booking, dora)))
    with pytest.raises(PermissionDenied):
        quarrel.opened(visit.booking, bob)
    assert quarrel.opened(visit.booking, alice).against_id == dora.pk


def test_a_job_can_be_disputed_while_the_technician_is_there(alice, bob):
    visit = make.live(make.visit(alice, bob))
    assert quarrel.opened(visit.booking, bob, reason="conduct").status == "open"


def test_a_no_show_can_be_disputed_by_whoever_is_said_not_to_have_been_there(alice, bob):
    visit = make.waiting(make.visit(alice, bob))
    actions.record_contact_attempt(visit, by=bob, channel="call", now=visit.starts_at)
    actions.report_no_show(visit, by=bob, now=visit.starts_at + HOUR)
    assert quarrel.opened(visit.booking, alice, reason="not_there").party == "customer"


def test_work_that_was_called_off_can_be_disputed(alice, bob):
    visit = make.live(make.visit(alice, bob))
    actions.cancel_booking(visit.booking, by=alice, reason="other", now=visit.starts_at + HOUR)
    assert quarrel.opened(visit.booking, bob, reason="unpaid").against == alice


@pytest.mark.parametrize("status", ["open", "assigned", "cancelled"])
def test_before_anybody_came_there_is_nothing_to_dispute(alice, bob, status):
    booking = make.in_state(alice, bob, status)
    with pytest.raises(Conflict, match="once the technician has come"):
        quarrel.opened(booking, alice)


def test_a_visit_called_off_before_anybody_came_has_its_fee_and_no_dispute(alice, bob):
    visit = make.visit(alice, bob)
    actions.cancel_booking(visit.booking, by=alice, reason="mistake", now=visit.starts_at - HOUR)
    with pytest.raises(Conflict, match="once the technician has come"):
        quarrel.opened(visit.booking, bob)


def test_a_job_has_one_that_stands(job, alice, bob, frank):
    first = quarrel.opened(job, alice)
    for person in (alice, bob):
        with pytest.raises(Conflict, match="a dispute about this job already"):
            quarrel.opened(job, person)
    actions.withdraw_dispute(first, by=alice)
    assert quarrel.opened(job, bob, reason="price").status == "open"


def test_the_database_keeps_it_to_one_that_stands(job, alice, bob):
    quarrel.opened(job, alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.create(booking=job, opened_by=bob, against=alice, party="technician", reason="price")


def test_what_was_decided_is_final(alice, bob, frank):
    dispute = quarrel.in_state("resolved", alice, bob, frank)
    for person in (alice, bob):
        with pytest.raises(Conflict, match="has decided about this job already"):
            quarrel.opened(dispute.booking, person)


def test_two_weeks_after_the_end_it_is_too_late(job, alice):
    end = quarrel.end_of(job)
    with pytest.raises(Conflict, match="for 14 days after its end"):
        quarrel.opened(job, alice, now=end + 14 * DAY)
    assert quarrel.opened(job, alice, now=end + 14 * DAY - MINUTE).status == "open"


# --- Taking it on ---------------------------------------------------------------------------------


def test_the_desk_takes_it_on_and_the_other_side_has_two_days(alice, bob, frank):
    dispute = quarrel.taken_on(quarrel.opened(quarrel.done(alice, bob), alice), frank)
    assert dispute.status == "awaiting_response"
    assert dispute.answer_by == dispute.opened_at + 49 * HOUR
    assert dispute.history.last().actor == frank


def test_only_the_desk_takes_it_on(alice, bob, frank):
    dispute = quarrel.opened(quarrel.done(alice, bob), alice)
    for person in (alice, bob):
        with pytest.raises(PermissionDenied):
            quarrel.taken_on(dispute, person)
    quarrel.taken_on(dispute, frank)
    with pytest.raises(Conflict, match="this dispute is now awaiting an answer"):
        quarrel.taken_on(dispute, frank)


def test_what_the_desk_leaves_the_clock_takes_on_after_four_hours(alice, bob):
    dispute = quarrel.opened(quarrel.done(alice, bob), alice)
    assert due.take_on_disputes(dispute.opened_at + 4 * HOUR - MINUTE) == 0
    assert due.take_on_disputes(dispute.opened_at + 4 * HOUR) == 1
    assert due.take_on_disputes(dispute.opened_at + 4 * HOUR) == 0
    dispute = make.fresh(dispute)
    assert (dispute.status, dispute.answer_by) == ("awaiting_response", dispute.opened_at + 52 * HOUR)
    assert (dispute.history.last().actor, dispute.history.last().actor_role) == (None, "clock")


# --- Answering ------------------------------------------------------------------------------------


def test_the_other_side_answers_and_the_desk_is_next(alice, bob, frank, media):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    dispute = quarrel.answered(dispute, files=[quarrel.paper("Report.pdf")])
    assert (dispute.status, dispute.answer) == ("under_review", "It did not drip when I left.")
    assert dispute.answered_at == dispute.opened_at + 3 * HOUR
    assert dispute.evidence.get().by == bob


def test_nobody_else_answers_and_nobody_twice(alice, bob, charlie, frank):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    for person in (alice, charlie, frank):
        with pytest.raises(PermissionDenied):
            actions.answer_dispute(dispute, by=person, answer="No")
    with pytest.raises(Invalid, match="how you see it"):
        actions.answer_dispute(dispute, by=bob, answer=" ")
    quarrel.answered(dispute)
    with pytest.raises(Conflict, match="is now under review"):
        quarrel.answered(dispute)


def test_before_the_desk_has_asked_there_is_nothing_to_answer(alice, bob, frank):
    dispute = quarrel.in_state("open", alice, bob, frank)
    with pytest.raises(Conflict, match="is now open"):
        quarrel.answered(dispute)


def test_after_the_deadline_the_answer_counts_no_more_even_before_the_clock_has_ticked(alice, bob, frank):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    with pytest.raises(Conflict, match="time to answer has passed"):
        quarrel.answered(dispute, now=dispute.answer_by)
    assert make.fresh(dispute).status == "awaiting_response"
    assert actions.add_evidence(dispute, by=bob, note="I was ill", now=dispute.answer_by)


def test_an_hour_before_the_deadline_it_does(alice, bob, frank):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    assert quarrel.answered(dispute, now=dispute.answer_by - MINUTE).status == "under_review"


def test_without_an_answer_the_clock_moves_it_on_at_the_deadline(alice, bob, frank):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    assert due.end_answering(dispute.answer_by - timedelta(seconds=1)) == 0
    assert due.end_answering(dispute.answer_by) == 1
    assert due.end_answering(dispute.answer_by) == 0
    dispute = make.fresh(dispute)
    assert (dispute.status, dispute.answer, dispute.answered_at) == ("under_review", "", None)
    assert dispute.history.last().reason == "No answer came in time."


# --- Evidence -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "may"),
    [
        ("open", {"alice", "frank"}),
        ("awaiting_response", {"alice", "bob", "frank"}),
        ("under_review", {"alice", "bob", "frank"}),
    ],
)
def test_who_may_add_evidence_when(alice, bob, charlie, dora, frank, status, may):
    dispute = quarrel.in_state(status, alice, bob, frank)
    added = set()
    for person in (alice, bob, charlie, dora, frank):
        try:
            actions.add_evidence(dispute, by=person, note="Look")
            added.add(person.first_name.lower())
        except PermissionDenied:
            pass
    assert added == may
    assert {row.by.first_name.lower() for row in dispute.evidence.all()} == may


@pytest.mark.parametrize("status", ["resolved", "withdrawn"])
def test_after_the_end_nothing_is_added(alice, bob, frank, status):
    dispute = quarrel.in_state(status, alice, bob, frank)
    with pytest.raises(Conflict, match=f"is now {status}"):
        actions.add_evidence(dispute, by=alice, note="One more thing")


def test_the_words_stand_with_the_first_file(alice, bob, frank, media):
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    actions.add_evidence(dispute, by=bob, note=" The valve ", files=[make.picture("a.jpg"), quarrel.paper("b.pdf")])
    assert list(dispute.evidence.values_list("note", "name")) == [("The valve", "a.jpg"), ("", "b.pdf")]
    actions.add_evidence(dispute, by=bob, note="He was shown it")
    assert (dispute.evidence.last().note, dispute.evidence.last().file.name) == ("He was shown it", "")


def test_nothing_is_no_evidence_and_what_is_hostile_is_refused_by_its_name(alice, bob, frank, media):
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    with pytest.raises(Invalid, match="Write a line"):
        actions.add_evidence(dispute, by=alice, note="  ")
    with pytest.raises(Invalid, match=r"page\.html: Only photos"):
        actions.add_evidence(dispute, by=alice, files=[make.picture(), quarrel_page()])
    assert not dispute.evidence.exists() and not list(media.iterdir())


def quarrel_page():
    """A page that calls itself a photo."""
    page = quarrel.paper("page.html")
    page.file.seek(0)
    page.file.truncate()
    page.file.write(b"<script>alert(1)</script>")
    page.file.seek(0)
    return page


def test_there_is_an_end_to_what_one_side_piles_up(alice, bob, frank, settings):
    settings.BOOKINGS = {"EVIDENCE_MOST": 2}
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    for note in ("One", "Two"):
        actions.add_evidence(dispute, by=alice, note=note)
    with pytest.raises(Invalid, match="2 pieces of evidence are enough"):
        actions.add_evidence(dispute, by=alice, note="Three")
    assert actions.add_evidence(dispute, by=bob, note="Mine")


def test_what_the_desk_adds_leaves_a_line(alice, bob, frank):
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    actions.add_evidence(dispute, by=alice, note="Mine")
    actions.add_evidence(dispute, by=frank, note="I have called both")
    line = DeskAction.objects.get()
    assert (line.verb, line.subject_kind, line.subject_id) == ("added_evidence", "dispute", dispute.pk)
    assert (line.actor, line.reason, line.label) == (frank, "I have called both", "Kitchen tap leaks")


# --- Withdrawing and deciding ---------------------------------------------------------------------


@pytest.mark.parametrize("status", ["open", "awaiting_response", "under_review"])
def test_whoever_opened_it_may_withdraw_it_until_it_is_decided(alice, bob, frank, status):
    dispute = quarrel.in_state(status, alice, bob, frank)
    for person in (bob, frank):
        with pytest.raises(PermissionDenied):
            actions.withdraw_dispute(dispute, by=person)
    now = timezone.now()
    dispute = actions.withdraw_dispute(dispute, by=alice, now=now)
    assert (dispute.status, dispute.ended_at) == ("withdrawn", now)


@pytest.mark.parametrize("status", ["resolved", "withdrawn"])
def test_afterwards_it_cannot_be_withdrawn(alice, bob, frank, status):
    dispute = quarrel.in_state(status, alice, bob, frank)
    with pytest.raises(Conflict, match=f"is now {status}"):
        actions.withdraw_dispute(dispute, by=alice)


def test_the_desk_decides_and_says_why(alice, bob, frank):
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    dispute = quarrel.decided(dispute, frank, outcome="shared", amount=Decimal("20.005"), decision=" Both saw it. ")
    assert (dispute.status, dispute.outcome, dispute.decision) == ("resolved", "shared", "Both saw it.")
    assert (dispute.decided_by, dispute.amount, str(dispute.sum)) == (frank, Decimal("20.01"), "£20.01")
    assert dispute.ended_at == dispute.opened_at + 4 * HOUR
    assert dispute.history.last().reason == "Shared between both, £20.01. Both saw it."


def test_only_the_desk_decides_and_only_what_is_under_review(alice, bob, frank):
    dispute = quarrel.in_state("awaiting_response", alice, bob, frank)
    with pytest.raises(Conflict, match="is now awaiting an answer"):
        quarrel.decided(dispute, frank)
    quarrel.answered(dispute)
    for person in (alice, bob):
        with pytest.raises(PermissionDenied):
            quarrel.decided(dispute, person)
    quarrel.decided(dispute, frank)
    with pytest.raises(Conflict, match="is now resolved"):
        quarrel.decided(dispute, frank)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"outcome": "nobody"}, "how it is decided"),
        ({"decision": "  "}, "say why"),
        ({"amount": Decimal(0)}, "above zero"),
        ({"amount": Decimal("0.001")}, "above zero"),
        ({"amount": Decimal(-5)}, "above zero"),
        ({"outcome": "no_fault", "amount": Decimal(5)}, "nothing is owed"),
    ],
)
def test_a_decision_that_is_none_is_refused(alice, bob, frank, wrong, sentence):
    dispute = quarrel.in_state("under_review", alice, bob, frank)
    with pytest.raises(Invalid, match=sentence):
        quarrel.decided(dispute, frank, **wrong)
    assert make.fresh(dispute).status == "under_review"


def test_a_decision_without_an_amount_owes_nothing(alice, bob, frank):
    dispute = quarrel.in_state("resolved", alice, bob, frank)
    assert (dispute.amount, dispute.sum) == (None, None)


def test_the_files_of_what_was_refused_are_gone(job, alice, media):
    quarrel.opened(job, alice)
    with pytest.raises(Conflict):
        quarrel.opened(job, alice, files=[make.picture()])
    assert not DisputeEvidence.objects.exists() and not [each for each in media.rglob("*") if each.is_file()]


def test_the_clock_goes_on_where_one_of_them_fails(alice, bob, charlie, dora, monkeypatch):
    first, second = quarrel.opened(quarrel.done(alice, bob), alice), quarrel.opened(quarrel.done(charlie, dora), dora)
    real = due.take_on

    def broken(dispute: Dispute, *, by: User | None, now: datetime) -> Dispute:
        if dispute.pk == first.pk:
            raise ValueError("Broken")
        return real(dispute, by=by, now=now)

    monkeypatch.setattr(due, "take_on", broken)
    assert due.take_on_disputes(max(first.opened_at, second.opened_at) + 5 * HOUR) == 1
    assert (make.fresh(first).status, make.fresh(second).status) == (DisputeStatus.OPEN, "awaiting_response")
