"""What the database itself refuses, whatever the code does: rules 1 and 4."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from bookings.models import Bid, Booking, RescheduleProposal, ServiceCategory, Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE


def refused(row, **changes) -> None:
    """Saving `row` with `changes` violates a constraint."""
    for name, value in changes.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


@pytest.mark.parametrize("model", [Booking, Bid, Session])
def test_a_state_is_one_of_the_list(alice, bob, model):
    make.visit(alice, bob)
    refused(model.objects.get(), status="lost")


def test_one_accepted_bid_a_booking(alice, bob, dora):
    booking = make.job(alice)
    loser = make.offer(booking, dora)
    make.accept(make.offer(booking, bob))
    refused(make.fresh(loser), status="accepted")


def test_one_bid_a_technician_and_booking(alice, bob):
    bid = make.offer(make.job(alice), bob)
    refused(bid, pk=None)


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_is_positive(alice, bob, amount):
    refused(make.offer(make.job(alice), bob), amount=Decimal(amount))


def test_a_bid_ends_after_it_starts(alice, bob):
    bid = make.offer(make.job(alice), bob)
    refused(bid, ends_at=bid.starts_at)


def test_a_revision_number_is_not_given_twice(alice, bob):
    refused(make.offer(make.job(alice), bob).revisions.get(), pk=None)


@pytest.mark.parametrize("status", ["pending", "waiting"])
def test_one_active_visit_a_booking(alice, bob, dora, status):
    session = make.visit(alice, bob)
    refused(session, pk=None, technician_id=dora.pk, status=status)


def test_a_cancelled_visit_beside_the_active_one_is_fine(alice, bob):
    session = make.visit(alice, bob)
    session.pk, session.status = None, "cancelled"
    session.save()
    assert Session.objects.count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "paused", "started_at": make.NOW},
        {"status": "live"},
        {"status": "completed"},
        {"ends_at": make.NOW - DAY},
        {"blocked_until": make.NOW - DAY},
    ],
)
def test_a_visits_times_fit_its_state(alice, bob, changes):
    refused(make.visit(alice, bob), **changes)


@pytest.mark.parametrize(
    "field", ["category", "latitude", "area_latitude", "window_start", "duration_minutes", "placed_at", "expires_at"]
)
def test_a_placed_booking_is_whole(alice, field):
    refused(make.job(alice), **{field: None})


def test_a_draft_may_lack_all_of_it(alice):
    Booking.objects.create(customer=alice)


def test_a_window_ends_after_it_starts(alice):
    booking = make.draft(alice)
    refused(booking, window_end=booking.window_start)


def test_a_no_show_names_who_was_absent(alice, bob):
    booking = make.visit(alice, bob).booking
    refused(booking, status="no_show")
    refused(make.fresh(booking), no_show_party="customer")


def test_one_open_proposal_a_visit(alice, bob):
    session = make.visit(alice, bob)
    values = {
        "session": session,
        "proposed_by": alice,
        "party": "customer",
        "starts_at": session.starts_at + DAY,
        "ends_at": session.ends_at + DAY,
        "expires_at": session.starts_at,
    }
    first = RescheduleProposal.objects.create(**values)
    refused(RescheduleProposal(**values))
    first.status = "declined"
    first.save(update_fields=["status"])
    RescheduleProposal.objects.create(**values)


def test_a_categorys_prices_are_in_order(db):
    refused(make.category(), typical_high=Decimal(1))
    assert ServiceCategory.objects.get().typical_high == 120


@pytest.mark.postgresql
class TestExclusion:
    """PostgreSQL's own guard: half-open ranges [start, end + travel) of a technician's active visits."""

    def another(self, session, charlie, **changes) -> Session:
        """A visit of the same technician at another customer's, not saved."""
        booking = make.job(charlie)
        bid = Bid.objects.create(
            booking=booking,
            technician_id=session.technician_id,
            amount=50,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            valid_until=session.starts_at,
            status="withdrawn",
        )
        values = {
            "starts_at": session.starts_at,
            "ends_at": session.ends_at,
            "blocked_until": session.blocked_until,
            **changes,
        }
        return Session(
            booking=booking,
            bid=bid,
            technician_id=session.technician_id,
            travel_minutes=25,
            start_code="1234",
            **values,
        )

    def shifted(self, session, charlie, by: timedelta, **changes) -> Session:
        times = {name: getattr(session, name) + by for name in ("starts_at", "ends_at", "blocked_until")}
        return self.another(session, charlie, **times, **changes)

    def test_overlapping_visits_are_refused(self, alice, bob, charlie):
        refused(self.shifted(make.visit(alice, bob), charlie, 30 * MINUTE))

    def test_the_travel_is_part_of_the_visit(self, alice, bob, charlie):
        refused(self.shifted(make.visit(alice, bob), charlie, HOUR + 24 * MINUTE))

    def test_ranges_are_half_open(self, alice, bob, charlie):
        self.shifted(make.visit(alice, bob), charlie, HOUR + 25 * MINUTE).save()

    def test_an_override_is_let_through(self, alice, bob, charlie):
        self.shifted(make.visit(alice, bob), charlie, 30 * MINUTE, overlap_allowed=True).save()

    def test_visits_that_are_over_do_not_count(self, alice, bob, charlie):
        self.shifted(make.visit(alice, bob), charlie, 30 * MINUTE, status="cancelled").save()

    def test_another_technicians_do_not_count(self, alice, bob, charlie, dora):
        session = self.shifted(make.visit(alice, bob), charlie, 30 * MINUTE)
        session.technician_id = dora.pk
        session.save()
