"""Two people talk about a job on two phones, and with the desk, and nobody reloads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from bookings import actions as deeds
from bookings.tests import make
from chat import actions
from chat.models import Conversation, QuickReply
from e2e.flow import PHONE, Way, accepted, customer, follows, job, job_page, offer_card, offered, stay, stayed
from e2e.talk import (
    EXPIRES,
    agreed,
    asked,
    attach,
    composer,
    delete,
    goes_to,
    is_ready,
    message,
    messages,
    opened,
    photo,
    quick_reply,
    row,
    said,
    says,
    scroll_box,
    sent,
    state,
    ticked,
    typing,
    unread_in_nav,
    unread_in_row,
    words,
)

WIDE = {"viewport": {"width": 1440, "height": 900}}
NUMBER = "07700 900123"


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


# --- Two about a job --------------------------------------------------------------------------------


class Pair:
    """Alice on the page of her job; Bob on his list of messages, and later on the conversation in another tab."""

    def __init__(self, person: Any, way: Way, alice: User, bob: User, frank: User) -> None:
        self.person, self.way, self.users, self.frank = person, way, (alice, bob), frank
        self.thread: Conversation = agreed(alice, bob)
        self.alice: Page = person(alice, url=way.url, **PHONE)
        goes_to(self.alice, reverse("bookings:job", args=[self.thread.bid.booking_id]), way.state)
        is_ready(self.alice)
        scroll_box(self.alice).scroll_into_view_if_needed()

    def bob_comes(self) -> None:
        """Bob looks at his list."""
        self.list: Page = self.person(self.users[1], url=self.way.url, **PHONE)
        goes_to(self.list, reverse("chat:list"), self.way.state)

    def bob_reads(self) -> None:
        """He opens the conversation from it, in another tab."""
        self.bob: Page = opened(self.list.context.new_page(), self.thread, self.way.state)


@pytest.mark.parametrize("way", [pytest.param("live", marks=pytest.mark.smoke), "switched off"], indirect=True)
def test_two_people_talk_about_a_job(person, way, alice, bob, frank):
    actions.add_quick_reply(Role.CUSTOMER, "The key is with the porter", by=frank)
    two = Pair(person, way, alice, bob, frank)
    a_message_is_sent_delivered_and_read(two)
    an_answer_is_read_where_it_arrives(two)
    typing_shows_and_goes_by_itself(two)
    a_photo_arrives_and_opens(two)
    what_is_deleted_leaves_a_tombstone(two)
    one_tap_sends_a_quick_reply_that_the_desk_may_change(two)
    the_visit_s_steps_stand_in_between(two)
    both_show_the_same(two)
    stayed(two.alice, two.bob, two.list)


def a_message_is_sent_delivered_and_read(two: Pair) -> None:
    sent(two.alice, "Is Tuesday still fine?")
    ticked(two.alice, "Is Tuesday", "sent")  # Bob has no page open

    two.bob_comes()
    unread_in_row(two.list, "Alice", 1)
    unread_in_nav(two.list, 1)
    ticked(two.alice, "Is Tuesday", "delivered")
    sent(two.alice, "The tap drips more than before.")
    unread_in_row(two.list, "Alice", 2)
    unread_in_nav(two.list, 2)
    expect(row(two.list, "Alice")).to_contain_text("The tap drips more than before.")

    two.bob_reads()
    expect(message(two.bob, "The tap drips more")).to_be_visible()
    ticked(two.alice, "The tap drips more", "read")
    ticked(two.alice, "Is Tuesday", "read")
    unread_in_row(two.list, "Alice", 0)
    unread_in_nav(two.list, 0)
    unread_in_nav(two.bob, 0)


def an_answer_is_read_where_it_arrives(two: Pair) -> None:
    sent(two.bob, "Yes, at ten.")
    expect(message(two.alice, "Yes, at ten.")).to_be_visible()
    ticked(two.bob, "Yes, at ten.", "read")
    unread_in_nav(two.alice, 0)
    expect(two.alice.get_by_role("status").filter(has_text="Bob: Yes, at ten.")).to_have_count(1)


def typing_shows_and_goes_by_itself(two: Pair) -> None:
    composer(two.bob).press_sequentially("I bring")
    expect(typing(two.alice)).to_have_text("Bob is typing…")
    expect(typing(two.alice)).to_be_hidden(timeout=EXPIRES)
    expect(typing(two.bob)).to_be_hidden()
    composer(two.bob).fill("")


def a_photo_arrives_and_opens(two: Pair) -> None:
    attach(two.bob, photo("washer.jpg"))
    sent(two.bob, "This washer?")
    two.photo = message(two.alice, "This washer?").get_by_role("link", name="Photo: washer.jpg")
    for page in (two.alice, two.bob):
        thumb = message(page, "This washer?").get_by_role("img", name="Photo: washer.jpg")
        expect(thumb).to_have_js_property("naturalWidth", 320)
    two.address = two.photo.get_attribute("href")
    answer = two.alice.request.get(two.address)
    assert answer.ok and answer.headers["content-type"] == "image/jpeg"


def what_is_deleted_leaves_a_tombstone(two: Pair) -> None:
    delete(two.bob, "This washer?")
    for page in (two.bob, two.alice):
        expect(message(page, "deleted")).to_be_visible()
        expect(message(page, "This washer?")).to_have_count(0)
        expect(messages(page).get_by_role("img", name="washer.jpg")).to_have_count(0)
    assert two.alice.request.get(two.address).status == 404
    expect(message(two.bob, "was deleted").get_by_role("link", name="Delete")).to_have_count(0)


def one_tap_sends_a_quick_reply_that_the_desk_may_change(two: Pair) -> None:
    actions.change_quick_reply(
        QuickReply.objects.get(text__startswith="The key"), "The key is in the box", by=two.frank
    )
    expect(quick_reply(two.alice, "The key is with the porter")).to_have_count(0)
    quick_reply(two.alice, "The key is in the box").click()
    for page in (two.alice, two.bob):
        expect(message(page, "The key is in the box")).to_be_visible()


def the_visit_s_steps_stand_in_between(two: Pair) -> None:
    session = two.thread.bid.booking.sessions.get()
    deeds.check_in(session, by=two.users[1])
    for page in (two.alice, two.bob):
        expect(page.locator("[data-live='chat.message'][data-side=system]").last).to_be_visible()
        expect(page.locator("[data-live='chat.message'][data-side=system]").last).to_contain_text("at the door")


def both_show_the_same(two: Pair) -> None:
    sent(two.alice, "Thank you!")
    expect(message(two.bob, "Thank you!")).to_be_visible()
    fresh = opened(two.list.context.new_page(), two.thread, two.way.state)
    for page in (two.alice, two.bob):
        says(page, words(fresh))


# --- A question about an offer ----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["live", "refused by a proxy"], indirect=True)
def test_a_question_about_an_offer_hides_numbers_until_it_is_accepted(person, way, alice, bob):
    bid = offered(job(alice), bob)
    asking, answering = (person(who, url=way.url, **PHONE) for who in (bob, alice))

    goes_to(asking, reverse("bookings:job", args=[bid.booking_id]), way.state)
    asking.get_by_role("link", name="Ask the customer").click()
    asking.get_by_label("Message", exact=True).fill(f"Which floor? Call me on {NUMBER}.")
    asking.get_by_role("button", name="Send").click()
    expect(asking).to_have_url(re.compile(r"/messages/\d+/$"))
    stay(follows(asking, way.state))
    hidden(asking)

    goes_to(answering, reverse("bookings:job", args=[bid.booking_id]), way.state)
    unread_in_row(answering, "Bob", 1)
    offer_card(answering, "Bob").get_by_role("link", name="Ask a question").click()
    expect(answering).to_have_url(re.compile(r"/messages/\d+/$"))
    stay(follows(answering, way.state))
    hidden(answering)
    sent(answering, "The third. My number is 020 7946 0018.")
    expect(message(asking, "The third. My number is [phone number hidden].")).to_be_visible()

    accepted(bid)

    for page in (asking, answering):
        expect(message(page, f"Call me on {NUMBER}")).to_be_visible()
        expect(message(page, "020 7946 0018")).to_be_visible()
        expect(state(page)).not_to_contain_text("hidden")
        expect(message(page, "Offer accepted: £60.00")).to_be_visible()
    sent(asking, "See you then.")
    expect(message(answering, "See you then.")).to_be_visible()
    stayed(asking, answering)


def hidden(page: Page) -> None:
    """The number is nowhere in the page, and a sentence says why."""
    expect(message(page, "Call me on [phone number hidden]")).to_be_visible()
    expect(state(page)).to_contain_text("hidden")
    assert NUMBER not in page.content()


def test_a_question_that_arrives_on_the_open_job_page_leads_to_the_answer(person, alice, bob):
    bid = offered(job(alice), bob)
    page = goes_to(person(alice, **PHONE), reverse("bookings:job", args=[bid.booking_id]))

    said(asked(bid), bob, "Which floor?")

    unread_in_row(page, "Bob", 1)
    stayed(page)
    row(page, "Bob").get_by_role("link").click()
    expect(message(page, "Which floor?")).to_be_visible()


def test_the_talk_comes_onto_both_open_job_pages_and_goes_with_the_visit(person, alice, bob, dora):
    booking = job(alice)
    first, second = offered(booking, bob), offered(booking, dora, 80)
    customers, bobs, doras = (job_page(person, who, booking) for who in (alice, bob, dora))
    for page in (customers, bobs, doras):
        expect(composer(page)).to_have_count(0)

    session = accepted(first)
    talks(customers, bobs, "The key is with the porter.")
    talks(bobs, customers, "Good, at ten then.")
    composer(customers).fill("Half typed")

    deeds.release(session, by=bob, reason="Ill")
    expect(composer(bobs)).to_have_count(0)
    expect(messages(bobs)).to_have_count(0)
    expect(composer(customers)).to_have_count(0)
    accepted(deeds.revise_bid(make.fresh(second), by=dora, amount=second.amount, starts_at=second.starts_at))
    talks(customers, doras, "Are you free on Tuesday?")
    expect(message(customers, "Good, at ten then.")).to_have_count(0)
    stayed(customers, bobs, doras)


def talks(page: Page, other: Page, text: str) -> None:
    """What is written on one page arrives on the other."""
    sent(is_ready(page), text)
    expect(message(other, text)).to_be_visible()


# --- With the desk ----------------------------------------------------------------------------------


def test_the_desk_answers_whoever_writes_to_it(person, alice, frank):
    desk = goes_to(person(frank, **WIDE), reverse("desk:messages"))
    expect(desk.get_by_text("No messages yet")).to_be_visible()
    page = goes_to(person(alice, **PHONE), reverse("chat:list"))

    page.get_by_role("link", name="Write to the desk").click()
    page.get_by_label("Message", exact=True).fill("Can I change my address?")
    page.get_by_role("button", name="Send").click()
    stay(follows(page))
    expect(message(page, "Can I change my address?")).to_be_visible()
    brought(desk, "Alice Test")
    unread_in_row(desk, "Alice Test", 1)
    unread_in_nav(desk, 1)
    stayed(desk)

    row(desk, "Alice Test").get_by_role("link").click()
    expect(desk).to_have_url(re.compile(r"/desk/messages/\d+/$"))
    stay(follows(desk))
    ticked(page, "Can I change my address?", "read")
    unread_in_nav(desk, 0)
    unread_in_row(desk, "Alice Test", 0)
    sent(desk, "Yes, on your profile.")
    expect(message(page, "Yes, on your profile.")).to_be_visible()
    ticked(desk, "Yes, on your profile.", "read")
    composer(page).press_sequentially("Tha")
    expect(typing(desk)).to_have_text("Alice is typing…")
    composer(desk).press_sequentially("You are")
    expect(typing(page)).to_contain_text("desk is typing…")
    stayed(desk, page)


def brought(desk: Page, title: str) -> None:
    """The list has that row; if it only said that there is something new, that was tapped."""
    new = desk.get_by_role("button", name=re.compile(r"^\d+ new$"))
    expect(row(desk, title).or_(new).first).to_be_visible()
    if new.is_visible():
        new.click()
    expect(row(desk, title)).to_be_visible()


def test_a_broadcast_shows_who_has_read_it(person, alice, bob, frank):
    desk = goes_to(person(frank, **WIDE), reverse("desk:messages"))
    profiles = [profile_of(person, who) for who in (alice,)]
    desk.get_by_role("link", name="New", exact=True).click()
    for name in ("Alice", "Bob"):
        choose(desk, name)
    desk.get_by_label("Subject").fill("Bank holiday")
    desk.get_by_label("Text").fill("The desk is closed on Monday.")
    desk.get_by_role("button", name="Send").click()
    expect(desk).to_have_url(re.compile(r"/desk/messages/\d+/$"))
    stay(follows(desk))
    expect(receipt(desk, "Alice")).to_contain_text("Delivered")
    expect(receipt(desk, "Bob")).to_contain_text("Not yet")

    unread_in_nav(profiles[0], 1)
    profiles[0].get_by_role("navigation", name="Main").get_by_role("link", name="Messages").click()
    row(profiles[0], "Bank holiday").get_by_role("link").click()
    expect(message(profiles[0], "closed on Monday")).to_be_visible()
    expect(composer(profiles[0])).to_have_count(0)
    expect(receipt(desk, "Alice")).to_contain_text("Read")
    profile_of(person, bob)
    expect(receipt(desk, "Bob")).to_contain_text("Delivered")
    stayed(desk)


def profile_of(person: Any, who: User) -> Page:
    """Somebody on a page that has nothing to do with messages."""
    return goes_to(person(who, **PHONE), reverse("profile"))


def choose(desk: Page, name: str) -> None:
    """Find a person by name and tick the box."""
    desk.get_by_label("A person's name or e-mail address").fill(name)
    desk.get_by_role("list", name="Found").get_by_role("checkbox", name=re.compile(name)).check()
    expect(desk.get_by_role("list", name="Chosen").get_by_text(f"{name} Test")).to_be_visible()


def receipt(desk: Page, name: str) -> Locator:
    """One person's."""
    return desk.get_by_role("list", name="Receipts").get_by_role("listitem").filter(has_text=name)
