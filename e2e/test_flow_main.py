"""One booking from its four steps to its completion, two phones side by side, and nobody reloads.

The same flow runs by socket, by polling because the site has switched sockets off, and by polling because a
proxy does not let them through.
"""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from bookings.states import BidStatus, BookingStatus
from bookings.tests import make
from e2e.flow import (
    ADDRESS,
    PHONE,
    Way,
    accept,
    answer,
    ask,
    banner,
    bid,
    book,
    customer,
    follows,
    knows_address,
    offer_card,
    profile_page,
    sheet,
    stay,
    stayed,
    visit_card,
    work_card,
)


class Pair:
    """A customer and a technician, each with the page of the job and their profile open."""

    def __init__(self, person, way: Way) -> None:
        make.category()
        self.state = way.state
        self.alice: Page = person(customer(), url=way.url, **PHONE)
        self.bob: Page = person(make.technician("Bob"), url=way.url, **PHONE)

    def meet(self) -> None:
        """Alice books; Bob, who looks at the marketplace, brings the new job in and opens it."""
        self.bob.goto(reverse("bookings:marketplace"))
        follows(self.bob, self.state)
        expect(self.bob.get_by_text("No open jobs right now")).to_be_visible()
        book(self.alice)
        stay(follows(self.alice, self.state))
        expect(self.alice.get_by_role("heading", name="Finding technicians")).to_be_visible()
        self.bob.get_by_role("button", name="1 new").click()
        self.bob.locator("main").get_by_role("link", name="Kitchen tap leaks", exact=True).click()
        stay(follows(self.bob, self.state))
        assert ADDRESS not in self.bob.content()
        self.others = [profile_page(self.alice, self.state), profile_page(self.bob, self.state)]

    def banners(self, alice: str, bob: str) -> None:
        """What both read on a page that has nothing to do with the job."""
        for page, text in zip(self.others, (alice, bob), strict=True):
            expect(banner(page)).to_contain_text(text)


def test_one_booking_end_to_end_on_two_phones(person, way):
    two = Pair(person, way)
    two.meet()
    an_offer_arrives_and_changes_under_the_dialog(two)
    accepting_moves_both(two)
    the_visit_runs(two)
    the_visit_ends(two)
    stayed(two.alice, two.bob, *two.others)


def an_offer_arrives_and_changes_under_the_dialog(two: Pair) -> None:
    two.banners("Finding technicians", "New job near you")
    bid(two.bob, "60")
    expect(offer_card(two.alice, "Bob Test")).to_contain_text("£60.00")
    two.banners("1 offer, best £60.00", "Your offer: the only one so far")
    # Alice has the question for £60 before her; Bob changes his mind.
    offer_card(two.alice, "Bob Test").get_by_role("link", name="Accept").click()
    asked = sheet(two.alice).get_by_role("button", name="Accept £60.00")
    expect(asked).to_be_visible()
    bid(two.bob, "72.50", link="Change it", button="Send the change")
    expect(offer_card(two.alice, "Bob Test")).to_contain_text("£72.50")
    asked.click()
    expect(sheet(two.alice).get_by_role("alert")).to_contain_text("The price changed, please look again.")
    expect(sheet(two.alice).get_by_role("link", name="See the job")).to_be_visible()
    assert make.fresh(booking()).status == BookingStatus.OPEN
    sheet(two.alice).locator("[data-dialog-close]").last.click()
    expect(sheet(two.alice)).to_have_count(0)


def booking():
    """The one job there is."""
    from bookings.models import Booking

    return Booking.objects.get()


def accepting_moves_both(two: Pair) -> None:
    accept(two.alice, "Bob Test", "£72.50")
    expect(visit_card(two.alice)).to_contain_text("Bob Test")
    expect(two.alice.locator(".offers .offer")).to_have_count(0)
    expect(work_card(two.bob)).to_contain_text("Alice expects you")
    knows_address(two.bob)
    two.banners("Bob is coming", "Leave by")
    assert [each.status for each in booking().bids.all()] == [BidStatus.ACCEPTED]


def the_visit_runs(two: Pair) -> None:
    ask(two.bob, "I have arrived")
    answer(two.bob, "I have arrived")
    code = booking().sessions.get().start_code
    expect(two.alice.locator(".start-code output")).to_have_text(code)
    expect(work_card(two.bob)).to_contain_text("Ask for the code")
    two.banners(f"Bob is at your door, code {code}", "Ask for the code")

    ask(two.bob, "Enter the start code").get_by_label("Start code").fill(wrong(code))
    sheet(two.bob).get_by_role("button", name="Start the work").click()
    expect(sheet(two.bob)).to_contain_text("That is not the code")
    sheet(two.bob).get_by_label("Start code").fill(code)
    answer(two.bob, "Start the work")
    expect(visit_card(two.alice)).to_contain_text("Work in progress")
    expect(work_card(two.bob)).to_contain_text("Working")
    two.banners("Work in progress, 00:0", "Working, 00:0")


def wrong(code: str) -> str:
    """Another code than `code`."""
    return f"{(int(code) + 1) % 10_000:04d}"


def the_visit_ends(two: Pair) -> None:
    ask(two.bob, "Pause").get_by_label("Why?").fill("Fetching a washer")
    answer(two.bob, "Pause")
    expect(visit_card(two.alice)).to_contain_text("Fetching a washer")
    two.banners("Work paused, 00:0", "Paused, 00:0")
    ask(two.bob, "Go on working")
    answer(two.bob, "Go on working")
    expect(visit_card(two.alice)).to_contain_text("Work in progress")

    ask(two.bob, "Finish the visit").get_by_label("What was done").fill("New washer, no more drips.")
    answer(two.bob, "Finish")
    expect(visit_card(two.alice).get_by_role("heading", name="Finished")).to_be_visible()
    expect(visit_card(two.alice)).to_contain_text("New washer, no more drips.")
    expect(visit_card(two.alice)).to_contain_text("£72.50")
    expect(work_card(two.bob)).to_contain_text("New washer, no more drips.")
    two.banners("Finished", "Finished")
    assert booking().status == BookingStatus.COMPLETED
