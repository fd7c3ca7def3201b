"""Drafting, placing, changing and calling off a booking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from bookings import actions
from bookings.models import Booking, BookingPhoto
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE, NOW
from common.geo import Point, area_point
from common.money import Money
from common.refusals import Conflict, Invalid, TooLarge
from common.zones import LocalTimeProblem, instant


class TestDraft:
    def test_a_draft_keeps_what_was_typed_so_far(self, alice):
        booking = actions.save_draft(by=alice, title="Tap", now=NOW)
        assert make.fresh(booking).title == "Tap"
        assert booking.status == "draft"
        assert booking.customer == alice

    def test_the_next_step_adds_to_it_and_loses_nothing(self, alice):
        booking = actions.save_draft(by=alice, title="Tap", postcode="NW1 7HJ")
        actions.save_draft(booking, by=alice, description="It drips.")
        kept = make.fresh(booking)
        assert (kept.title, kept.postcode, kept.description) == ("Tap", "NW1 7HJ", "It drips.")
        assert Booking.objects.count() == 1

    def test_the_rounded_point_goes_with_the_exact_one(self, alice):
        booking = actions.save_draft(by=alice, latitude=51.5390, longitude=-0.1426)
        kept = make.fresh(booking)
        assert kept.public_point == area_point(Point(51.5390, -0.1426))
        assert kept.public_point != (kept.latitude, kept.longitude)

    def test_taking_the_pin_off_takes_the_rounded_point_off(self, alice):
        booking = actions.save_draft(by=alice, latitude=51.5, longitude=-0.1)
        actions.save_draft(booking, by=alice, latitude=None, longitude=None)
        assert make.fresh(booking).public_point is None

    def test_an_edit_of_the_text_leaves_the_point(self, alice):
        booking = actions.save_draft(by=alice, latitude=51.5, longitude=-0.1)
        actions.save_draft(booking, by=alice, title="Tap")
        assert make.fresh(booking).public_point is not None

    @pytest.mark.parametrize("who", ["bob", "ed", "frank"])
    def test_only_customers_book(self, who, request):
        with pytest.raises(PermissionDenied):
            actions.save_draft(by=request.getfixturevalue(who), title="Tap")

    def test_a_stranger_does_not_write_in_it(self, alice, charlie):
        with pytest.raises(PermissionDenied):
            actions.save_draft(make.draft(alice), by=charlie, title="Mine")

    def test_once_placed_it_is_no_draft(self, alice):
        with pytest.raises(Conflict, match="placed already"):
            actions.save_draft(make.job(alice), by=alice, title="Other")

    def test_a_draft_is_discarded_with_its_photos(self, alice, media, django_capture_on_commit_callbacks):
        booking = make.draft(alice)
        actions.add_photo(booking, make.picture(), by=alice)
        with django_capture_on_commit_callbacks(execute=True):
            actions.discard_draft(booking, by=alice)
        assert not Booking.objects.exists()
        assert not [path for path in media.rglob("*") if path.is_file()]

    def test_a_placed_booking_is_not_discarded(self, alice):
        with pytest.raises(Conflict):
            actions.discard_draft(make.job(alice), by=alice)


class TestOpen:
    def test_placing_opens_it_with_the_rule_of_the_day(self, alice):
        booking = make.fresh(make.job(alice))
        assert booking.status == "open"
        assert booking.placed_at == NOW
        assert booking.policy["free_hours"] == 24
        assert make.states(booking) == ["open"]

    def test_it_expires_when_the_visit_can_no_longer_end_within_the_window(self, alice):
        booking = make.job(alice, window_start=NOW + DAY, window_end=NOW + DAY + 4 * HOUR, duration_minutes=90)
        assert booking.expires_at == NOW + DAY + 2 * HOUR + 30 * MINUTE

    @pytest.mark.parametrize(
        ("missing", "sentence"),
        [
            ({"category": None}, "kind of job"),
            ({"title": "  "}, "title"),
            ({"address_line1": ""}, "address"),
            ({"area_label": ""}, "area"),
            ({"window_start": None, "window_end": None}, "time"),
            ({"duration_minutes": None}, "time"),
            ({"latitude": None, "longitude": None}, "map"),
            ({"latitude": 0.0, "longitude": 0.0}, "map"),
            ({"latitude": 91.0}, "map"),
            ({"budget": Decimal(0)}, "budget"),
            ({"budget": Decimal("10.005")}, "budget"),
            ({"duration_minutes": 300}, "shorter than the 300 minutes"),
            ({"window_start": NOW - 5 * HOUR, "window_end": NOW - HOUR}, "passed"),
            ({"window_start": NOW - HOUR, "window_end": NOW + 30 * MINUTE}, "passed"),
        ],
    )
    def test_what_is_missing_is_said_and_nothing_is_placed(self, alice, missing, sentence):
        booking = make.draft(alice, **missing)
        with pytest.raises(Invalid, match=sentence):
            actions.open_booking(booking, by=alice, now=NOW)
        assert make.fresh(booking).status == "draft"
        assert make.states(booking) == []

    def test_placing_twice_is_refused(self, alice):
        booking = make.job(alice)
        with pytest.raises(Conflict):
            actions.open_booking(booking, by=alice, now=NOW)
        assert make.states(booking) == ["open"]

    def test_nobody_places_another_persons_draft(self, alice, charlie, bob):
        booking = make.draft(alice)
        for stranger in (charlie, bob):
            with pytest.raises(PermissionDenied):
                actions.open_booking(booking, by=stranger, now=NOW)


class TestClockChanges:
    """A window typed in local time, on the two days a year when the clocks of London move."""

    def test_a_time_that_does_not_exist_is_refused_with_a_choice(self):
        with pytest.raises(LocalTimeProblem, match="does not exist") as refused:
            instant(datetime(2027, 3, 28, 1, 30), "Europe/London")
        assert len(refused.value.choices) == 2

    def test_a_time_that_happens_twice_is_refused_with_both(self):
        with pytest.raises(LocalTimeProblem, match="twice") as refused:
            instant(datetime(2027, 10, 31, 1, 30), "Europe/London")
        first, second = refused.value.choices
        assert second - first == HOUR

    def test_a_window_over_the_spring_change_is_an_hour_shorter_than_its_figures(self, alice):
        start = instant(datetime(2027, 3, 28, 0, 30), "Europe/London")
        end = instant(datetime(2027, 3, 28, 3, 30), "Europe/London")
        booking = make.job(alice, window_start=start, window_end=end, duration_minutes=120)
        assert booking.window_end - booking.window_start == 2 * HOUR
        assert booking.expires_at == start

    def test_a_visit_that_fits_the_figures_but_not_the_hours_is_refused(self, alice):
        start = instant(datetime(2027, 3, 28, 0, 30), "Europe/London")
        end = instant(datetime(2027, 3, 28, 3, 30), "Europe/London")
        booking = make.draft(alice, window_start=start, window_end=end, duration_minutes=150)
        with pytest.raises(Invalid, match="shorter than the 150 minutes"):
            actions.open_booking(booking, by=alice, now=NOW)

    def test_a_window_over_the_autumn_change_has_the_extra_hour(self, alice):
        start = instant(datetime(2027, 10, 31, 0, 30), "Europe/London")
        end = instant(datetime(2027, 10, 31, 2, 30), "Europe/London")
        booking = make.job(alice, window_start=start, window_end=end, duration_minutes=180)
        assert booking.expires_at == start

    def test_a_visit_over_the_autumn_change_lasts_as_long_as_it_lasts(self, alice, bob):
        """From 01:30 summer time, an hour's visit ends at 01:30 winter time."""
        start = instant(datetime(2027, 10, 31, 1, 30), "Europe/London", fold=0)
        booking = make.job(alice, window_start=start, window_end=start + 3 * HOUR)
        session = make.accept(make.offer(booking, bob))
        assert session.ends_at - session.starts_at == HOUR
        assert session.ends_at == instant(datetime(2027, 10, 31, 1, 30), "Europe/London", fold=1)


class TestWindow:
    def test_the_customer_moves_the_window_of_an_open_job(self, alice):
        booking = make.job(alice)
        later = booking.window_start + DAY
        actions.change_window(booking, by=alice, window_start=later, window_end=later + 3 * HOUR, now=NOW)
        kept = make.fresh(booking)
        assert kept.window_start == later
        assert kept.expires_at == later + 2 * HOUR
        assert kept.history.last().reason == "Changed the time window."

    def test_offers_outside_the_new_window_lapse_and_may_return(self, alice, bob, dora):
        booking = make.job(alice)
        early = make.offer(booking, bob)
        late = make.offer(booking, dora, starts_at=booking.window_start + 2 * HOUR)
        start = booking.window_start + HOUR
        actions.change_window(booking, by=alice, window_start=start, window_end=start + 3 * HOUR, now=NOW)
        assert make.fresh(early).status == "expired"
        assert "changed the time" in make.fresh(early).outcome
        assert make.fresh(late).status == "submitted"
        again = actions.revise_bid(early, by=bob, amount=Decimal(55), starts_at=start, now=NOW)
        assert (again.status, again.revision) == ("submitted", 2)

    def test_a_window_in_the_past_is_refused(self, alice):
        booking = make.job(alice)
        with pytest.raises(Invalid, match="passed"):
            actions.change_window(booking, by=alice, window_start=NOW - DAY, window_end=NOW - HOUR, now=NOW)

    def test_a_window_that_ends_before_it_starts_is_refused(self, alice):
        booking = make.job(alice)
        with pytest.raises(Invalid, match="after its start"):
            actions.change_window(booking, by=alice, window_start=NOW + DAY, window_end=NOW + HOUR, now=NOW)

    def test_an_assigned_job_is_moved_by_consent_only(self, alice, bob):
        booking = make.visit(alice, bob).booking
        with pytest.raises(Conflict):
            actions.change_window(booking, by=alice, window_start=NOW + DAY, window_end=NOW + 2 * DAY, now=NOW)

    def test_a_stranger_moves_nothing(self, alice, charlie):
        with pytest.raises(PermissionDenied):
            actions.change_window(
                make.job(alice), by=charlie, window_start=NOW + DAY, window_end=NOW + 2 * DAY, now=NOW
            )


class TestCancel:
    def cancel(self, booking, by, *, now=NOW, reason="plans_changed", **options):
        return make.fresh(actions.cancel_booking(booking, by=by, reason=reason, now=now, **options))

    def test_an_open_job_is_free_and_its_offers_close(self, alice, bob, dora):
        booking = make.job(alice)
        bids = [make.offer(booking, bob), make.offer(booking, dora, 70)]
        cancelled = self.cancel(booking, alice, note="Fixed it myself")
        assert cancelled.status == "cancelled"
        assert (cancelled.cancelled_by, cancelled.cancel_reason) == (alice, "plans_changed")
        assert cancelled.fee == Money(Decimal(0), "GBP")
        assert {make.fresh(bid).status for bid in bids} == {"closed"}
        assert make.fresh(bids[0]).outcome == "The job was cancelled."

    def test_the_fee_of_an_assigned_job_is_stored_with_its_reason(self, alice, bob):
        session = make.visit(alice, bob, amount=80)
        cancelled = self.cancel(session.booking, alice, now=session.starts_at - HOUR)
        assert cancelled.fee == Money(Decimal("40.000"), "GBP")
        assert cancelled.fee_explanation == "£40.00, 50% of £80.00: less than 2 hours ahead."
        assert make.fresh(session).status == "cancelled"
        assert make.states(session) == ["pending", "cancelled"]

    def test_the_accepted_offer_stays_accepted_as_the_record_of_the_price(self, alice, bob):
        session = make.visit(alice, bob)
        self.cancel(session.booking, alice)
        assert make.fresh(session.bid).status == "accepted"

    def test_the_fee_shown_before_the_tap_is_the_fee_that_is_stored(self, alice, bob):
        session = make.visit(alice, bob)
        at = session.starts_at - 3 * HOUR
        shown = actions.quote_cancellation(session.booking, by=alice, now=at)
        cancelled = self.cancel(session.booking, alice, now=at, seen_fee=shown.money.amount)
        assert cancelled.fee == shown.money

    def test_a_fee_that_grew_since_it_was_shown_is_asked_again(self, alice, bob):
        session = make.visit(alice, bob)
        shown = actions.quote_cancellation(session.booking, by=alice, now=session.starts_at - 3 * HOUR)
        with pytest.raises(Conflict, match="fee changed"):
            self.cancel(session.booking, alice, now=session.starts_at - HOUR, seen_fee=shown.money.amount)
        assert make.fresh(session.booking).status == "assigned"

    def test_while_the_work_is_on_it_can_be_called_off_and_the_clock_stops(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        at = session.starts_at + 20 * MINUTE
        cancelled = self.cancel(session.booking, alice, now=at, reason="unsafe")
        kept = make.fresh(session)
        assert (cancelled.status, kept.status) == ("cancelled", "cancelled")
        assert kept.worked(at + HOUR) == 20 * MINUTE
        assert cancelled.fee == session.bid.price

    def test_a_technician_on_site_may_call_it_off_free_for_the_customer(self, alice, bob):
        session = make.waiting(make.visit(alice, bob))
        cancelled = self.cancel(session.booking, bob, now=session.starts_at, reason="cannot_be_done")
        assert cancelled.status == "cancelled"
        assert not cancelled.fee
        assert cancelled.cancelled_by == bob
        assert cancelled.history.last().actor_role == "technician"

    def test_a_technician_who_has_not_checked_in_withdraws_instead(self, alice, bob):
        session = make.visit(alice, bob)
        with pytest.raises(Conflict, match="Withdraw from the job instead"):
            self.cancel(session.booking, bob)

    @pytest.mark.parametrize("stranger", ["charlie", "dora", "ed"])
    def test_strangers_cancel_nothing(self, alice, bob, stranger, request):
        session = make.visit(alice, bob)
        with pytest.raises(PermissionDenied):
            self.cancel(session.booking, request.getfixturevalue(stranger))

    def test_an_admin_cancels_free_of_charge(self, alice, bob, frank):
        session = make.visit(alice, bob)
        cancelled = self.cancel(session.booking, frank, now=session.starts_at - MINUTE)
        assert not cancelled.fee
        assert cancelled.history.last().actor_role == "admin"

    def test_a_reason_is_one_of_the_list(self, alice):
        with pytest.raises(Invalid, match="choose a reason"):
            self.cancel(make.job(alice), alice, reason="because")

    @pytest.mark.parametrize("status", ["draft", "completed", "cancelled"])
    def test_what_is_over_or_not_yet_placed_is_not_cancelled(self, alice, bob, status):
        booking = make.in_state(alice, bob, status)
        with pytest.raises(Conflict):
            self.cancel(booking, alice)

    def test_a_long_note_is_cut_to_the_column(self, alice):
        assert len(self.cancel(make.job(alice), alice, note="x" * 1000).cancel_note) == 300

    def test_an_open_proposal_to_move_the_visit_ends_with_it(self, alice, bob):
        session = make.visit(alice, bob)
        proposal = actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + DAY, now=NOW)
        self.cancel(session.booking, alice)
        assert make.fresh(proposal).status == "expired"


class TestPhotos:
    def test_a_photo_is_kept_as_a_clean_jpeg_under_a_random_name(self, alice, media):
        booking = make.draft(alice)
        photo = actions.add_photo(booking, make.picture("IMG_2031 Alice home.png", form="PNG"), by=alice)
        assert photo.image.name.startswith("jobs/")
        assert photo.image.name.endswith(".jpg")
        assert "Alice" not in photo.image.name
        assert photo.image.read(2) == b"\xff\xd8"
        photo.image.close()

    def test_six_are_enough(self, alice, media):
        booking = make.draft(alice)
        for _ in range(6):
            actions.add_photo(booking, make.picture(), by=alice)
        with pytest.raises(Invalid, match="6 photos are enough"):
            actions.add_photo(booking, make.picture(), by=alice)

    def test_removing_one_deletes_its_file_after_the_commit(self, alice, media, django_capture_on_commit_callbacks):
        photo = actions.add_photo(make.draft(alice), make.picture(), by=alice)
        path = media / photo.image.name
        assert path.exists()
        with django_capture_on_commit_callbacks(execute=True):
            actions.remove_photo(photo, by=alice)
            assert path.exists()
        assert not path.exists()
        assert not BookingPhoto.objects.exists()

    def test_strangers_add_and_remove_nothing(self, alice, charlie, bob, media):
        booking = make.job(alice)
        photo = actions.add_photo(booking, make.picture(), by=alice)
        for stranger in (charlie, bob):
            with pytest.raises(PermissionDenied):
                actions.add_photo(booking, make.picture(), by=stranger)
            with pytest.raises(PermissionDenied):
                actions.remove_photo(photo, by=stranger)

    def test_an_assigned_job_keeps_its_pictures(self, alice, bob, media):
        booking = make.job(alice)
        photo = actions.add_photo(booking, make.picture(), by=alice)
        make.accept(make.offer(booking, bob))
        with pytest.raises(Conflict):
            actions.remove_photo(photo, by=alice)
        with pytest.raises(Conflict):
            actions.add_photo(booking, make.picture(), by=alice)

    def test_what_is_no_picture_is_refused_before_anything_is_locked(self, alice, media, settings):
        upload = make.picture()
        upload.size = 11 * 1024 * 1024
        with pytest.raises(TooLarge):
            actions.add_photo(make.draft(alice), upload, by=alice)


def test_the_window_may_be_today_as_long_as_enough_of_it_is_left(alice):
    booking = make.job(alice, window_start=NOW - HOUR, window_end=NOW + 2 * HOUR)
    assert booking.expires_at == NOW + HOUR
    assert booking.latest_start - booking.duration < booking.window_end


def test_address_lines_leave_out_what_is_empty(alice):
    booking = make.draft(alice, address_line2="", postcode="")
    assert booking.address_lines == ["12 Inverness Street", "London"]


def test_a_booking_is_named_by_its_title_and_a_nameless_draft_too(alice):
    assert str(make.draft(alice)) == "Kitchen tap leaks"
    assert str(actions.save_draft(by=alice)) == "Untitled job"


def test_durations_and_budget_are_values(alice):
    booking = make.draft(alice, budget=Decimal("75.5"), duration_minutes=45)
    assert booking.duration == timedelta(minutes=45)
    assert str(booking.budget_hint) == "£75.50"
    assert make.draft(alice).budget_hint is None


class TestFarAhead:
    """A job in the year 9999 would break every page that shows it in another zone."""

    FAR = datetime(9999, 12, 31, 12, tzinfo=UTC)

    def test_a_job_is_wanted_within_a_year(self, alice):
        with pytest.raises(Invalid, match="more than a year"):
            make.job(alice, window_end=self.FAR)

    def test_nor_is_an_open_one_moved_there(self, alice):
        booking = make.job(alice)
        with pytest.raises(Invalid, match="more than a year"):
            actions.change_window(booking, by=alice, window_start=booking.window_start, window_end=self.FAR, now=NOW)

    def test_nor_is_a_visit(self, alice, bob):
        with pytest.raises(Invalid, match="more than a year"):
            actions.propose_reschedule(make.visit(alice, bob), by=bob, starts_at=self.FAR, now=NOW)
