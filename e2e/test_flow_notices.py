"""What others did pops up on a page elsewhere, from the bell's notices; whoever looks at the job is not disturbed."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from bookings import actions
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.make import HOUR
from e2e.flow import PHONE, accepted, customer, follows, job, job_page, offer_card, offered, stay, stayed, toast
from notifications.models import Notification
from realtime.presence import looking_at


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def booking(alice: User) -> Booking:
    """Her open job."""
    return job(alice)


def elsewhere(person, who: User, state: str = "live") -> Page:
    """A page that has nothing to do with any job, and the only one they have open."""
    page = person(who, **PHONE)
    page.goto(reverse("profile"))
    return stay(follows(page, state))


def told(page: Page, text: str) -> None:
    """A toast says so; it is read and put away, so that at most three never stand at once."""
    expect(toast(page, text)).to_be_visible()
    toast(page, text).get_by_role("button", name="Close").click()
    expect(toast(page, text)).to_have_count(0)


def ask_to_move(session: Session, by: User):
    """Another hour, please."""
    return actions.propose_reschedule(session, by=by, starts_at=make.fresh(session).starts_at + HOUR)


@pytest.mark.smoke
def test_a_customer_elsewhere_is_told_what_the_technician_does(person, alice, bob, booking):
    page = elsewhere(person, alice)
    bid = offered(booking, bob)
    told(page, "Bob offers £60.00 on Kitchen tap leaks")
    actions.revise_bid(bid, by=bob, amount=Decimal("72.50"), starts_at=bid.starts_at)
    told(page, "Bob now offers £72.50")
    session = accepted(bid)
    actions.decline_reschedule(ask_to_move(session, bob), by=alice)
    told(page, "Bob asks to move the visit")
    actions.decline_reschedule(ask_to_move(session, alice), by=bob)
    told(page, "Bob would rather keep the time")
    actions.accept_reschedule(ask_to_move(session, alice), by=bob)
    told(page, "Bob agreed, the visit is moved")
    make.waiting(session, at=timezone.now())
    told(page, "Bob is at your door")
    actions.start_session(session, by=bob, code=session.start_code)
    told(page, "Bob has begun the work")
    actions.pause_session(session, by=bob, reason="Lunch")
    told(page, "Bob paused the work")
    actions.cancel_booking(booking, by=bob, reason="cannot_be_done")
    told(page, "Bob called the job off")
    stayed(page)


def test_a_customer_elsewhere_is_told_of_a_visit_given_back_and_a_job_that_expired(site, person, alice, bob, booking):
    session = accepted(offered(booking, bob))
    page = elsewhere(person, alice)
    actions.release(session, by=bob, reason="Ill")
    told(page, "Your technician can no longer come")
    booking.refresh_from_db()
    booking.expires_at = timezone.now()
    booking.save(update_fields=["expires_at"])
    site.manage("clock", "--once")
    told(page, "No offer was accepted in time")
    stayed(page)


def test_a_technician_elsewhere_is_told_what_the_customer_does(person, alice, bob, dora, booking):
    first, second = offered(job(alice), bob), offered(booking, bob, 70)
    offered(booking, dora, 80)
    page, other = elsewhere(person, bob), elsewhere(person, dora)
    actions.reject_bid(first, by=alice)
    told(page, "Your offer of £60.00 was declined")
    session = accepted(second)
    told(page, "Your offer of £70.00 was accepted")
    told(other, "Another offer was chosen for Kitchen tap leaks")
    actions.accept_reschedule(ask_to_move(session, bob), by=alice)
    told(page, "The customer agreed, the visit is moved")
    make.waiting(session, at=timezone.now())
    actions.start_session(session, by=alice)
    told(page, "The customer let the work begin")
    actions.cancel_booking(booking, by=alice, reason="plans_changed")
    told(page, "The customer called the visit off")
    stayed(page, other)


def test_a_page_that_polls_is_told_too(site, person, alice, bob, booking):
    site.restart({"LIVE_TRANSPORT": "poll", "LIVE_POLL_EVERY": "0.4", "LIVE_POLL_AT_MOST": "0.5"})
    page = elsewhere(person, bob, "polling")
    accepted(offered(booking, bob))
    told(page, "Your offer of £60.00 was accepted")
    stayed(page)


def test_a_toast_leads_to_the_job_and_the_job_s_page_has_none(person, alice, bob, dora, booking):
    page = elsewhere(person, alice)
    offered(booking, bob)
    toast(page, "Bob offers £60.00").get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/jobs/{booking.pk}/$"))
    stay(follows(page))

    offered(booking, dora, 70)
    expect(offer_card(page, "Dora Test")).to_contain_text("£70.00")  # came in the same frame as the toast would have
    expect(page.locator("#toasts .toast-x")).to_have_count(0)
    stayed(page)


def test_what_they_look_at_is_read_in_the_bell_already(person, alice, bob, dora, booking):
    page = job_page(person, alice, booking)
    # Precondition: the server knows which page she has open.
    until(page, lambda: looking_at([alice.pk], f"/jobs/{booking.pk}/") == {alice.pk})
    offered(booking, bob)
    expect(offer_card(page, "Bob Test")).to_be_visible()
    row = Notification.objects.get(user=alice)
    assert row.read_at and not row.toasts and not row.mails.exists()


def until(page: Page, true) -> None:
    """Wait for something that only the server knows."""
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not become true within 10 s.")
