"""The other turns a booking takes: races lost, offers declined, taken back, visits given back, moved, called off.

Each is done by one person at their page while the other's stands open and is never reloaded.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from bookings import actions
from bookings.models import Booking
from bookings.states import BidStatus
from bookings.tests import make
from e2e.flow import (
    PHONE,
    accept,
    accepted,
    answer,
    ask,
    bid,
    customer,
    follows,
    job,
    job_page,
    knows_address,
    knows_nothing,
    offer_card,
    offered,
    sheet,
    stayed,
    visit_card,
    work_card,
)
from e2e.talk import goes_to

HOUR = timedelta(hours=1)


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def booking(alice: User) -> Booking:
    """Her open job."""
    return job(alice)


# --- Races lost -----------------------------------------------------------------------------------


def test_of_two_accepts_the_second_reads_who_comes_and_where_to_look(person, alice, bob, dora, booking):
    """Alice has two tabs open, with the question for another offer in each."""
    offered(booking, bob, 60)
    offered(booking, dora, 70)
    first = job_page(person, alice, booking)
    second = first.context.new_page()
    second.goto(first.url)
    follows(second)
    offer_card(second, "Dora Test").get_by_role("link", name="Accept").click()
    too_late = sheet(second).get_by_role("button", name="Accept £70.00")
    expect(too_late).to_be_visible()

    accept(first, "Bob Test", "£60.00")
    expect(visit_card(second)).to_contain_text("Bob Test")
    too_late.click()

    refusal = sheet(second).get_by_role("alert")
    expect(refusal).to_contain_text("Taken by another technician a moment ago")
    refusal.get_by_role("link", name="See the job").click()
    expect(visit_card(second)).to_contain_text("Bob Test")
    assert booking.sessions.count() == 1


def test_a_technician_who_offers_too_late_is_told_what_is_similar_nearby(person, alice, bob, dora, booking):
    job(alice, title="Bathroom tap leaks too")
    page = job_page(person, dora, booking)
    ask(page, "Make an offer").get_by_label("Your price").fill("45")

    accepted(offered(booking, bob))
    expect(page.locator("main [data-live='bookings.open_job']")).to_contain_text("No longer open")
    sheet(page).get_by_role("button", name="Send the offer").click()

    refusal = sheet(page).get_by_text("Taken by another technician a moment ago. 1 similar job nearby.")
    expect(refusal).to_be_visible()
    stayed(page)
    sheet(page).get_by_role("link", name="See open jobs").click()
    expect(page.locator("main").get_by_role("link", name="Bathroom tap leaks too", exact=True)).to_be_visible()


# --- Offers ---------------------------------------------------------------------------------------


def test_a_declined_offer_tells_its_technician(person, alice, bob, booking):
    offered(booking, bob)
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    offer_card(customers, "Bob Test").get_by_role("link", name="Decline").click()
    answer(customers, "Decline the offer")

    expect(work_card(technicians)).to_contain_text("The customer declined it.")
    expect(offer_card(customers, "Bob Test")).to_have_count(0)
    expect(customers.get_by_role("heading", name="Finding technicians")).to_be_visible()
    stayed(customers, technicians)


def test_a_withdrawn_offer_leaves_the_customers_page_and_may_come_back(person, alice, bob, dora, booking):
    offered(booking, bob)
    offered(booking, dora, 70)
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    ask(technicians, "Withdraw it")
    answer(technicians, "Withdraw it")
    expect(offer_card(customers, "Bob Test")).to_have_count(0)
    expect(offer_card(customers, "Dora Test")).to_be_visible()

    bid(technicians, "55", link="Offer again")
    expect(offer_card(customers, "Bob Test")).to_contain_text("£55.00")
    expect(customers.locator(".offers .offer").first).to_contain_text("Bob Test")
    stayed(customers, technicians)


# --- Visits ---------------------------------------------------------------------------------------


def test_a_visit_given_back_opens_the_job_again_for_those_not_selected(person, alice, bob, dora, booking):
    other = offered(booking, dora, 70)
    accepted(offered(booking, bob))
    customers, winner = job_page(person, alice, booking), job_page(person, bob, booking)
    loser = job_page(person, dora, booking)
    knows_address(winner)

    ask(winner, "Withdraw from the job").get_by_label("Tell the customer why").fill("My van broke down")
    answer(winner, "Withdraw")

    expect(visit_card(customers)).to_contain_text("The technician could not come after all")
    expect(customers.get_by_text("My van broke down", exact=True)).to_be_visible()
    expect(work_card(winner)).to_contain_text("You withdrew after winning.")
    knows_nothing(winner)
    expect(offer_card(customers, "Dora Test")).to_have_count(0)  # nobody's old offer revives by itself
    expect(work_card(loser)).to_contain_text("The job is open again")

    bid(loser, "75", link="Offer again")
    expect(offer_card(customers, "Dora Test")).to_contain_text("£75.00")
    stayed(customers, winner, loser)
    assert make.fresh(other).revision == 2


def test_a_cancelled_visit_tells_the_technician_and_takes_the_address_away(person, alice, bob, booking):
    accepted(offered(booking, bob))
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)
    knows_address(technicians)

    question = ask(customers, "Cancel the job")
    expect(question).to_contain_text("Free: within 5 minutes of booking")
    question.get_by_label("My plans changed").check()
    answer(customers, "Cancel the job")

    expect(work_card(technicians)).to_contain_text("Alice called the job off.")
    knows_nothing(technicians)
    expect(visit_card(customers)).to_contain_text("Cancelled by you")
    stayed(customers, technicians)


def test_a_visit_stopped_on_site_is_told_to_the_customer(person, alice, bob, booking):
    make.waiting(accepted(offered(booking, bob)), at=timezone.now())
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    ask(technicians, "Stop the visit").get_by_label("The work cannot be done").check()
    answer(technicians, "Stop the visit")

    expect(visit_card(customers)).to_contain_text("Cancelled by Bob")
    knows_nothing(technicians)
    stayed(customers, technicians)


def test_the_customers_tap_starts_the_work_on_both_pages(person, alice, bob, booking):
    make.waiting(accepted(offered(booking, bob)), at=timezone.now())
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    ask(customers, "Let the work begin")
    answer(customers, "Start the work")

    expect(work_card(technicians)).to_contain_text("Working")
    expect(visit_card(customers)).to_contain_text("Work in progress")
    stayed(customers, technicians)


# --- Moving a visit -------------------------------------------------------------------------------


def propose(page: Page, link: str, button: str) -> None:
    """Ask for another day."""
    question = ask(page, link)
    day = timezone.localdate(timezone.now()) + timedelta(days=4)
    question.get_by_label("Day").fill(day.isoformat())
    answer(page, button)


def test_a_visit_moves_when_the_customer_agrees(person, alice, bob, booking):
    session = accepted(offered(booking, bob))
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    propose(technicians, "Another time", "Ask the customer")
    expect(customers.get_by_role("heading", name="Bob asks to move the visit")).to_be_visible()
    ask(customers, "Agree")
    answer(customers, "Agree")

    expect(technicians.get_by_role("heading", name="You asked for another time")).to_have_count(0)
    moved = make.fresh(session).starts_at
    assert moved != session.starts_at
    day = f"{moved:%a}"
    for page in (visit_card(customers).locator("[data-cell=when]"), work_card(technicians).locator("[data-cell=when]")):
        expect(page).to_contain_text(day)
    stayed(customers, technicians)


def test_a_visit_stays_when_the_technician_declines(person, alice, bob, booking):
    session = accepted(offered(booking, bob))
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)

    propose(customers, "Move the visit", "Ask Bob")
    expect(technicians.get_by_role("heading", name="Alice asks for another time")).to_be_visible()
    ask(technicians, "Keep the old time")
    answer(technicians, "Decline")

    expect(customers.get_by_role("heading", name="You asked to move the visit")).to_have_count(0)
    assert make.fresh(session).starts_at == session.starts_at
    stayed(customers, technicians)


# --- Told in time, on whatever page ---------------------------------------------------------------


def test_a_tab_in_the_background_counts_news_in_its_title(person, alice, bob, booking):
    page = goes_to(person(alice, **PHONE), reverse("profile"))  # of the job's own page they would have read it there
    title = page.title()
    page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")

    offered(booking, bob)

    expect(page).to_have_title(f"(1) {title}")
    stayed(page)


def test_home_and_today_follow_too(person, alice, bob, booking):
    home, today = person(alice, **PHONE), person(bob, **PHONE)
    home.goto(reverse("home"))
    today.goto(reverse("bookings:today"))
    follows(home)
    follows(today)

    session = accepted(offered(booking, bob))
    expect(today.get_by_role("link", name="I have arrived")).to_be_visible()
    expect(home.locator("#active-jobs")).to_contain_text("Bob Test")
    make.live(session, at=timezone.now())
    expect(today.get_by_role("link", name="Finish the visit")).to_be_visible()
    actions.complete_session(session, by=bob, note="New washer.")

    expect(home.locator("#past-jobs")).to_contain_text(booking.title)
    expect(home.locator("#active-jobs")).to_contain_text("Nothing is going on")
    expect(today.get_by_role("link", name="Finish the visit")).to_have_count(0)


def test_the_market_loses_a_job_that_is_taken(person, alice, bob, dora, booking):
    market = person(dora, **PHONE)
    market.goto(reverse("bookings:marketplace"))
    follows(market)
    expect(market.locator("main").get_by_role("link", name=booking.title, exact=True)).to_be_visible()

    accepted(offered(booking, bob))

    expect(market.locator("main").get_by_role("link", name=booking.title, exact=True)).to_have_count(0)
    expect(market.get_by_text("No open jobs right now")).to_be_visible()


def test_a_job_that_nobody_was_chosen_for_expires_by_the_clock(site, person, alice, bob, booking):
    bid_ = offered(booking, bob)
    customers, technicians = job_page(person, alice, booking), job_page(person, bob, booking)
    booking.expires_at = timezone.now()
    booking.save(update_fields=["expires_at"])

    site.manage("clock", "--once")

    expect(visit_card(customers)).to_contain_text("No offer was accepted in time")
    expect(work_card(technicians)).to_contain_text("The job expired without a choice.")
    assert make.fresh(bid_).status == BidStatus.CLOSED
    stayed(customers, technicians)
