"""What the customer's buttons do, by plain forms: from the offers to the finished job, and every refusal."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings import actions
from bookings.models import Bid, ContactAttempt, RescheduleProposal, Session
from bookings.states import BidStatus, BookingStatus, SessionStatus
from bookings.tests import make
from bookings.tests.make import HOUR

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(client: Client, alice: User) -> Client:
    """Alice at her browser."""
    client.force_login(alice)
    return client


def soon(hours: float = 48) -> dict[str, object]:
    """A window that begins in so many hours from the real now, at which the pages are looked at."""
    start = timezone.now().replace(second=0, microsecond=0) + timedelta(hours=hours)
    return {"window_start": start, "window_end": start + 4 * HOUR}


def visit_in(hours: float, alice: User, bob: User) -> Session:
    """A visit that starts in so many hours, booked a while ago."""
    booked = timezone.now() - 3 * HOUR
    return make.visit(alice, bob, now=min(booked, booked + timedelta(hours=hours)), **soon(hours))


def hidden(page: str) -> dict[str, str]:
    """The hidden inputs of the form on a page, as its browser would send them."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_from_the_offer_to_the_finished_job(web: Client, alice: User, bob: User) -> None:
    booking = make.job(alice, now=timezone.now(), **soon())
    bid = make.offer(booking, bob, 60, now=timezone.now())
    page = web.get(f"/jobs/{booking.pk}/").content.decode()
    accept = f"/jobs/{booking.pk}/bids/{bid.pk}/accept/1/"
    assert f'href="{accept}"' in page
    question = web.get(accept).content.decode()
    assert "Accept £60.00" in question and "Free until 5 minutes" in question
    answer = web.post(accept, hidden(question))
    assert (answer.status_code, answer["Location"]) == (303, f"/jobs/{booking.pk}/")
    visit = Session.objects.get()
    assert "Bob Test" in web.get(f"/jobs/{booking.pk}/").content.decode()
    actions.check_in(visit, by=bob)
    page = web.get(f"/jobs/{booking.pk}/").content.decode()
    assert visit.start_code in page
    start = f"/jobs/{booking.pk}/start/"
    assert web.post(start, hidden(web.get(start).content.decode())).status_code == 303
    assert make.fresh(visit).status == SessionStatus.LIVE
    actions.complete_session(visit, by=bob, note="New washer.")
    page = web.get(f"/jobs/{booking.pk}/").content.decode()
    assert "New washer." in page and "Cancel the job" not in page


class TestAccepting:
    def test_a_price_that_changed_meanwhile_is_refused_with_its_sentence(self, web, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 60)
        accept = f"/jobs/{bid.booking_id}/bids/{bid.pk}/accept/1/"
        question = web.get(accept).content.decode()
        actions.revise_bid(bid, by=bob, amount=Decimal(90), starts_at=bid.starts_at)
        for answer in (web.get(accept), web.post(accept, hidden(question))):
            assert answer.status_code == 409
            page = answer.content.decode()
            assert "The price changed, please look again." in page and f'href="/jobs/{bid.booking_id}/"' in page
        assert make.fresh(bid).status == BidStatus.SUBMITTED

    def test_from_a_dialog_the_page_stays_and_the_push_moves_it(self, web, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 60)
        answer = web.post(f"/jobs/{bid.booking_id}/bids/{bid.pk}/accept/1/", headers={"HX-Request": "true"})
        assert answer.status_code == 204 and answer["HX-Trigger"] == "dialog-done"

    def test_in_a_dialog_a_refusal_is_a_fragment(self, web, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 60)
        actions.withdraw_bid(bid, by=bob)
        answer = web.post(f"/jobs/{bid.booking_id}/bids/{bid.pk}/accept/1/", headers={"HX-Request": "true"})
        page = answer.content.decode()
        assert answer.status_code == 409 and "data-refusal" in page and "<html" not in page
        assert "Bob&#x27;s offer is withdrawn by now" in page

    def test_a_double_tap_accepts_once(self, web, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob, 60)
        accept = f"/jobs/{bid.booking_id}/bids/{bid.pk}/accept/1/"
        key = hidden(web.get(accept).content.decode())
        answers = [web.post(accept, key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert Session.objects.count() == 1

    def test_the_second_of_two_offers_comes_too_late(self, web, alice, bob, dora) -> None:
        booking = make.job(alice)
        first, second = make.offer(booking, bob), make.offer(booking, dora)
        make.accept(first)
        answer = web.post(f"/jobs/{booking.pk}/bids/{second.pk}/accept/1/")
        assert answer.status_code == 409 and "see who is coming" in answer.content.decode()

    def test_an_offer_on_another_job_is_not_found_here(self, web, alice, bob) -> None:
        bid = make.offer(make.job(alice), bob)
        other = make.job(alice)
        for path in (f"/jobs/{other.pk}/bids/{bid.pk}/accept/1/", f"/jobs/{other.pk}/bids/{bid.pk}/decline/"):
            assert web.post(path).status_code == 404
        assert make.fresh(bid).status == BidStatus.SUBMITTED

    def test_declining_leaves_the_others(self, web, alice, bob, dora) -> None:
        booking = make.job(alice)
        bid, other = make.offer(booking, bob), make.offer(booking, dora)
        path = f"/jobs/{booking.pk}/bids/{bid.pk}/decline/"
        assert "cannot be made again" in web.get(path).content.decode()
        assert web.post(path).status_code == 303
        assert Bid.objects.get(pk=bid.pk).status == BidStatus.REJECTED and make.fresh(other).status == "submitted"


class TestCancelling:
    def test_an_open_job_is_free(self, web, alice) -> None:
        booking = make.job(alice)
        page = web.get(f"/jobs/{booking.pk}/cancel/").content.decode()
        assert "Free: nobody has been booked yet." in page and "The technician is late" not in page
        answer = web.post(f"/jobs/{booking.pk}/cancel/", {**hidden(page), "reason": "mistake", "note": "Sorry"})
        assert answer.status_code == 303
        found = make.fresh(booking)
        assert (found.status, found.cancel_note, found.fee_amount) == (BookingStatus.CANCELLED, "Sorry", 0)

    def test_the_fee_is_shown_before_the_tap_and_stored(self, web, alice, bob) -> None:
        visit = visit_in(5, alice, bob)
        path = f"/jobs/{visit.booking_id}/cancel/"
        page = web.get(path).content.decode()
        assert "£15.00, 25% of £60.00" in page
        assert web.post(path, {**hidden(page), "reason": "plans_changed"}).status_code == 303
        assert make.fresh(visit.booking).fee_amount == Decimal("15.000")

    def test_a_fee_that_is_no_longer_the_one_shown_is_refused(self, web, alice, bob) -> None:
        visit = visit_in(5, alice, bob)
        path = f"/jobs/{visit.booking_id}/cancel/"
        answer = web.post(path, {"seen_fee": "0.00", "seen_fee_late": "0.00", "reason": "plans_changed"})
        assert answer.status_code == 409 and "The fee changed, please look again." in answer.content.decode()
        assert make.fresh(visit.booking).status == BookingStatus.ASSIGNED

    @pytest.mark.parametrize("shown", ["sNaN", "NaN", "Infinity", "-1e999999"])
    def test_a_fee_that_is_no_figure_breaks_nothing(self, web, alice, bob, shown) -> None:
        visit = visit_in(5, alice, bob)
        path = f"/jobs/{visit.booking_id}/cancel/"
        answer = web.post(path, {"seen_fee": shown, "seen_fee_late": shown, "reason": "plans_changed"})
        assert answer.status_code in (303, 409)

    def test_a_late_technician_costs_nothing_and_the_page_says_so(self, web, alice, bob) -> None:
        visit = visit_in(-0.5, alice, bob)
        path = f"/jobs/{visit.booking_id}/cancel/"
        page = web.get(path).content.decode()
        assert "£30.00, 50%" in page and "choose that reason" in page
        assert web.post(path, {**hidden(page), "reason": "technician_late"}).status_code == 303
        assert make.fresh(visit.booking).fee_amount == 0

    def test_without_a_reason_the_form_comes_back(self, web, alice) -> None:
        booking = make.job(alice)
        answer = web.post(f"/jobs/{booking.pk}/cancel/", {"note": "Well, you see"})
        assert answer.status_code == 422 and "Well, you see" in answer.content.decode()

    def test_what_is_over_cannot_be_cancelled(self, web, alice, bob) -> None:
        visit = make.finished(make.visit(alice, bob))
        for answer in (web.get(f"/jobs/{visit.booking_id}/cancel/"), web.post(f"/jobs/{visit.booking_id}/cancel/")):
            assert answer.status_code == 409 and "completed already" in answer.content.decode()


class TestMovingTheWindow:
    def test_an_open_job_can_be_moved(self, web, alice) -> None:
        booking = make.job(alice)
        day = timezone.localdate() + timedelta(days=5)
        typed = {"day": day, "starts": "10:00", "ends": "15:00"}
        assert 'value="12:00"' in web.get(f"/jobs/{booking.pk}/time/").content.decode()
        assert web.post(f"/jobs/{booking.pk}/time/", typed).status_code == 303
        assert make.fresh(booking).window_start.date() == day

    def test_what_does_not_fit_is_said_and_what_was_typed_stands(self, web, alice) -> None:
        booking = make.job(alice)
        typed = {"day": "2027-03-04", "starts": "10:00", "ends": "10:30"}
        answer = web.post(f"/jobs/{booking.pk}/time/", typed)
        page = answer.content.decode()
        assert answer.status_code == 422 and "shorter than the 60 minutes" in page and 'value="10:30"' in page

    def test_a_booked_job_says_that_its_visit_can_be_moved(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        answer = web.get(f"/jobs/{visit.booking_id}/time/")
        assert answer.status_code == 409 and "A booked visit can be moved." in answer.content.decode()


class TestMovingTheVisit:
    def propose(self, web: Client, visit: Session, day: str = "2027-03-04") -> int:
        typed = {"day": day, "starts": "10:00", "message": "We are away"}
        return web.post(f"/jobs/{visit.booking_id}/move/", typed).status_code

    def test_the_technician_is_asked(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        assert self.propose(web, visit) == 303
        wish = RescheduleProposal.objects.get()
        assert (wish.party, wish.message, wish.status) == ("customer", "We are away", "proposed")
        assert make.fresh(visit).starts_at == visit.starts_at
        path = f"/jobs/{visit.booking_id}/move/{wish.pk}/withdraw/"
        assert web.get(path).status_code == 200 and web.post(path).status_code == 303
        assert make.fresh(wish).status == "withdrawn"

    def test_the_page_says_that_the_fee_stays(self, web, alice, bob) -> None:
        visit = visit_in(5, alice, bob)
        page = web.get(f"/jobs/{visit.booking_id}/move/").content.decode()
        assert "Cancelling costs £15.00 now; moving the visit does not make that less." in page

    def test_a_time_that_is_taken_is_said_above_the_form_which_keeps_what_was_typed(self, web, alice, bob) -> None:
        visit, other = visit_in(48, alice, bob), visit_in(72, alice, bob)
        local = other.starts_at.astimezone(other.booking.zone)
        typed = {"day": f"{local:%Y-%m-%d}", "starts": f"{local:%H:%M}", "message": "My neighbour is in then"}
        answer = web.post(f"/jobs/{visit.booking_id}/move/", typed)
        page = answer.content.decode()
        assert answer.status_code == 409 and "another visit at that time" in page
        assert "My neighbour is in then" in page

    def test_what_cannot_be_is_said_in_the_form(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        answer = web.post(f"/jobs/{visit.booking_id}/move/", {"day": "2020-03-04", "starts": "10:00"})
        assert answer.status_code == 422 and "That time has passed." in answer.content.decode()

    def test_a_skipped_time_is_asked_for_here_too(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        typed = {"day": "2027-03-28", "starts": "01:30"}
        page = web.post(f"/jobs/{visit.booking_id}/move/", typed).content.decode()
        assert "does not exist" in page and 'name="starts_choice"' in page
        typed["starts_choice"] = "2027-03-28T01:30:00+00:00"
        assert web.post(f"/jobs/{visit.booking_id}/move/", typed).status_code == 303

    @pytest.mark.parametrize(("answer", "state"), [("accept", "accepted"), ("decline", "declined")])
    def test_the_technicians_wish_is_answered(self, web, alice, bob, answer: str, state: str) -> None:
        visit = make.visit(alice, bob)
        wish = actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + HOUR)
        path = f"/jobs/{visit.booking_id}/move/{wish.pk}/{answer}/"
        assert "12:00-13:00 GMT" in web.get(path).content.decode()
        assert web.post(path).status_code == 303
        assert make.fresh(wish).status == state
        assert (make.fresh(visit).starts_at != visit.starts_at) is (answer == "accept")
        assert web.post(path).status_code == 409

    def test_nobody_agrees_with_themselves(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        wish = actions.propose_reschedule(visit, by=alice, starts_at=visit.starts_at + HOUR)
        assert web.post(f"/jobs/{visit.booking_id}/move/{wish.pk}/accept/").status_code == 403

    def test_a_wish_of_another_visit_is_not_found_here(self, web, alice, bob, dora) -> None:
        visit, other = make.visit(alice, bob), make.visit(alice, dora)
        wish = actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + HOUR)
        assert web.post(f"/jobs/{other.booking_id}/move/{wish.pk}/accept/").status_code == 404


class TestTheDoor:
    def test_a_new_code_replaces_the_old_one(self, web, alice, bob, monkeypatch) -> None:
        visit = make.waiting(make.visit(alice, bob))
        monkeypatch.setattr("bookings.actions.visit.secrets.randbelow", lambda _: 7)
        assert web.get(f"/jobs/{visit.booking_id}/code/").status_code == 200
        assert web.post(f"/jobs/{visit.booking_id}/code/").status_code == 303
        assert make.fresh(visit).start_code == "0007"

    def test_work_cannot_begin_before_the_check_in(self, web, alice, bob) -> None:
        visit = make.visit(alice, bob)
        assert web.post(f"/jobs/{visit.booking_id}/start/").status_code == 409

    @pytest.mark.parametrize("path", ["start", "code", "move", "contact", "no-show"])
    def test_without_a_visit_there_is_nothing_to_do(self, web, alice, path: str) -> None:
        booking = make.job(alice)
        answer = web.get(f"/jobs/{booking.pk}/{path}/")
        assert answer.status_code == 409 and "There is no visit to change" in answer.content.decode()


class TestNobodyCame:
    def test_before_the_start_there_is_nothing_to_report(self, web, alice, bob) -> None:
        visit = visit_in(5, alice, bob)
        page = web.get(f"/jobs/{visit.booking_id}/no-show/").content.decode()
        assert "It has not begun yet." in page and "/contact/" not in page

    def test_it_takes_a_wait_and_an_attempt_and_then_costs_nothing(self, web, alice, bob) -> None:
        visit = visit_in(-0.5, alice, bob)
        path = f"/jobs/{visit.booking_id}/no-show/"
        page = web.get(path).content.decode()
        assert "Try to reach the other side first" in page and f"/jobs/{visit.booking_id}/contact/" in page
        assert web.post(path).status_code == 409
        assert web.get(f"/jobs/{visit.booking_id}/contact/").status_code == 200
        answer = web.post(f"/jobs/{visit.booking_id}/contact/", {"channel": "call", "note": "Voicemail"})
        assert answer["Location"] == path and ContactAttempt.objects.get().party == "customer"
        assert "Close as a no-show" in web.get(path).content.decode()
        assert web.post(path).status_code == 303
        booking = make.fresh(visit.booking)
        assert (booking.status, booking.no_show_party, booking.fee_amount) == (BookingStatus.NO_SHOW, "technician", 0)

    def test_once_checked_in_nobody_is_missing(self, web, alice, bob) -> None:
        visit = make.waiting(make.visit(alice, bob))
        answer = web.get(f"/jobs/{visit.booking_id}/no-show/")
        assert answer.status_code == 409 and "Bob has checked in." in answer.content.decode()


def test_a_draft_has_no_job_page(web: Client, alice: User) -> None:
    assert web.get(f"/jobs/{make.draft(alice).pk}/").status_code == 404


def test_times_of_the_place_are_named_with_it(web: Client, alice: User) -> None:
    booking = make.job(alice, time_zone="America/New_York")
    page = web.get(f"/jobs/{booking.pk}/time/").content.decode()
    assert "Times are those of New York." in page
    assert "EST" in web.get(f"/jobs/{booking.pk}/").content.decode()
