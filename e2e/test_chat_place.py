"""Where a conversation stands when it opens, grows above and grows below; and what is written while the way is bad."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from bookings import actions as deeds
from bookings.tests import make
from chat.models import Conversation, Message
from e2e.flow import accepted, customer, job, offered, stayed
from e2e.talk import (
    agreed,
    asked,
    composer,
    goes_to,
    has_read,
    long_talk,
    message,
    messages,
    opened,
    pill,
    said,
    says,
    scroll_box,
    sent,
    state,
    talk_page,
    write,
)

SEND = re.compile(r"/messages/\d+/send/$")

# The message in the middle of the box, and how far below its top edge it stands.
MIDDLE = """(box) => {
  const edges = box.getBoundingClientRect();
  const isBelow = (each) => each.getBoundingClientRect().bottom > edges.top + edges.height / 2;
  const here = [...box.querySelectorAll("li[data-seq]")].find(isBelow);
  return [here.id, here.getBoundingClientRect().top - edges.top];
}"""
PLACE_OF = "(box, id) => document.getElementById(id).getBoundingClientRect().top - box.getBoundingClientRect().top"
FROM_END = "(box) => box.scrollHeight - box.scrollTop - box.clientHeight"


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def thread(alice: User, bob: User) -> Conversation:
    """About a job that Bob has been accepted for."""
    return agreed(alice, bob)


def numbered(page: Page, number: int):
    """Message `number` of a long talk."""
    return message(page, f"Message {number:03}:")


def is_at_end(page: Page) -> None:
    """The last message is on the screen, or comes there: what arrives is drawn first."""
    expect(messages(page).last).to_be_in_viewport()
    page.wait_for_function(f"(box) => ({FROM_END})(box) < 4", arg=scroll_box(page).element_handle())


# --- Where it stands ------------------------------------------------------------------------------


def test_it_opens_at_the_first_unread_message_and_reads_on_the_way_down(person, alice, bob, thread):
    long_talk(thread, 50, bob)
    has_read(thread, alice, 36)  # the line of the acceptance and 35 messages

    page = talk_page(person, alice, thread)

    first = numbered(page, 36)
    expect(first).to_be_in_viewport(ratio=1)
    expect(first).to_have_attribute("data-first-new", "")
    expect(numbered(page, 50)).not_to_be_in_viewport()
    edges, box = first.bounding_box(), scroll_box(page).bounding_box()
    assert edges and box and edges["y"] - box["y"] < box["height"] / 2

    scroll_box(page).focus()
    scroll_box(page).press("End")
    expect(numbered(page, 50)).to_be_in_viewport()
    expect(page.locator("[data-live='chat.unread'] .nav-badge")).to_have_count(0)
    expect(numbered(page, 36)).to_have_attribute("data-first-new", "")
    stayed(page)


def test_what_was_read_opens_at_the_end_and_older_messages_come_in_above_without_a_jump(person, alice, bob, thread):
    long_talk(thread, 75, bob, bob, alice)
    has_read(thread, alice, 76)
    page = talk_page(person, alice, thread)
    is_at_end(page)
    expect(messages(page)).to_have_count(30)

    for there in (60, 76):
        middle, before = up(page)
        expect(messages(page)).to_have_count(there)
        steady(page, middle, before)

    says(page, shown(thread))
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    stayed(page)


def up(page: Page) -> tuple[str, float]:
    """Scroll near the top; which message stands in the middle then, and where."""
    box = scroll_box(page)
    box.hover()
    box.evaluate("(box) => { box.scrollTop = 120 }")
    middle, before = box.evaluate(MIDDLE)
    return str(middle), float(before)


def steady(page: Page, middle: str, before: float) -> None:
    """That message stands where it stood: two frames later, when all has been drawn."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert abs(scroll_box(page).evaluate(PLACE_OF, middle) - before) <= 2


def shown(thread: Conversation) -> list[str]:
    """All of it, as it was said."""
    return list(Message.objects.filter(conversation=thread).order_by("seq").values_list("text", flat=True))


def test_it_sticks_to_the_end_only_when_it_is_there(person, alice, bob, thread):
    long_talk(thread, 25, bob)
    has_read(thread, alice, 26)
    page = talk_page(person, alice, thread)
    is_at_end(page)

    said(thread, bob, "Seen at once")
    expect(message(page, "Seen at once")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()
    is_at_end(page)

    scroll_box(page).evaluate("(box) => { box.scrollTop -= 400 }")
    middle, before = scroll_box(page).evaluate(MIDDLE)
    said(thread, bob, "Below the fold")
    expect(pill(page)).to_have_text("1 new message")
    said(thread, bob, "Further below")
    expect(pill(page)).to_have_text("2 new messages")
    steady(page, middle, before)
    expect(message(page, "Below the fold")).not_to_be_in_viewport()

    pill(page).click()
    expect(message(page, "Further below")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()

    scroll_box(page).evaluate("(box) => { box.scrollTop -= 400 }")
    sent(page, "What one writes oneself is always seen")
    is_at_end(page)
    stayed(page)


# --- A bad line -----------------------------------------------------------------------------------


def waits(page: Page, text: str) -> None:
    """It is on the page, and says that it is on its way."""
    expect(message(page, text)).to_have_attribute("data-state", "waiting")
    expect(message(page, text)).to_contain_text("Waiting for the connection")


def arrived_once(page: Page, thread: Conversation, *texts: str) -> None:
    """Sent, in the order of writing, each once, on the page and in the database."""
    for text in texts:
        expect(message(page, text)).to_have_attribute("data-version", re.compile(r"\d+"))
    says(page, shown(thread))
    assert [text for text in shown(thread) if text in texts] == list(texts)


def test_what_is_written_offline_is_sent_once_when_back(person, proxy, console, alice, bob, thread):
    console.allow_outage()
    page, other = talk_page(person, alice, thread, url=proxy.url), talk_page(person, bob, thread)

    page.context.set_offline(True)
    proxy.cut()
    write(page, "Written in a tunnel")
    waits(page, "Written in a tunnel")
    write(page, "And another")
    said(thread, bob, "Said meanwhile")
    expect(message(other, "Said meanwhile")).to_be_visible()
    page.context.set_offline(False)

    arrived_once(page, thread, "Written in a tunnel", "And another")
    expect(message(page, "Said meanwhile")).to_have_count(1)
    expect(message(other, "And another")).to_be_visible()
    says(other, shown(thread))
    stayed(page, other)


def test_what_is_written_offline_outlives_the_page_and_is_sent_from_any_other(person, console, alice, bob, thread):
    console.allow_outage()
    page, other = talk_page(person, alice, thread), talk_page(person, bob, thread)
    page.context.set_offline(True)
    write(page, "Written in a tunnel")
    waits(page, "Written in a tunnel")
    page.close()
    back = other_tab(person)

    goes_to(back, reverse("profile"))

    expect(message(other, "Written in a tunnel")).to_be_visible()
    opened(back, thread)
    arrived_once(back, thread, "Written in a tunnel")
    stayed(other)


def other_tab(person) -> Page:
    """A new tab of the first browser, which is back online."""
    context = person.contexts[0]
    context.set_offline(False)
    return context.new_page()


def test_what_waits_stands_on_the_page_after_a_reload(person, console, alice, thread):
    console.allow_outage()
    page = talk_page(person, alice, thread)
    page.route(SEND, lambda route: route.abort())  # only sending fails: the page itself loads
    write(page, "Twice told")
    waits(page, "Twice told")

    opened(page, thread)
    waits(page, "Twice told")
    page.unroute(SEND)

    arrived_once(page, thread, "Twice told")


def test_a_message_whose_answer_was_lost_is_not_doubled(person, console, alice, bob, thread):
    console.allow_outage()
    page, other = talk_page(person, alice, thread), talk_page(person, bob, thread)
    posts: list[int] = []

    def lose_the_first(route: Route) -> None:
        posts.append(route.fetch().status)
        route.abort() if len(posts) == 1 else route.continue_()

    page.route(SEND, lose_the_first)
    write(page, "Only once")

    expect(message(other, "Only once")).to_be_visible()
    sent(page, "After it")
    expect(message(other, "After it")).to_be_visible()
    arrived_once(page, thread, "Only once", "After it")
    says(other, shown(thread))
    assert len(posts) >= 2


# --- Refused --------------------------------------------------------------------------------------


def test_a_message_that_is_refused_keeps_its_text_and_may_be_tried_again(person, console, alice, bob, dora):
    console.allow_outage()
    booking = job(alice)
    bid, other = offered(booking, bob), offered(booking, dora, 70)
    thread = asked(bid)
    page = talk_page(person, bob, thread)
    page.context.set_offline(True)
    write(page, "Do you have a parking space?")
    waits(page, "parking space")
    session = accepted(other)

    page.context.set_offline(False)

    refused = message(page, "Do you have a parking space?")
    failed(page, "Do you have a parking space?", "Another offer was chosen, so this conversation is closed.")
    expect(page.get_by_role("status").filter(has_text="Not sent.")).to_have_count(1)
    expect(state(page)).to_contain_text("Another offer was chosen")
    expect(composer(page)).to_be_hidden()
    refused.get_by_role("button", name="Try again").click()
    failed(page, "Do you have a parking space?", "Another offer was chosen")
    opened(page, thread)
    failed(page, "Do you have a parking space?", "Another offer was chosen")

    deeds.release(session, by=dora, reason="Ill")
    deeds.revise_bid(make.fresh(bid), by=bob, amount=bid.amount, starts_at=bid.starts_at)
    expect(composer(page)).to_be_visible()
    refused.get_by_role("button", name="Try again").click()
    arrived_once(page, thread, "Do you have a parking space?")


def failed(page: Page, text: str, why: str) -> None:
    """It was refused: its text stands there with the reason."""
    expect(message(page, text)).to_have_attribute("data-state", "failed")
    expect(message(page, text)).to_contain_text(why)


def test_a_refused_message_may_be_changed_first(person, alice, thread):
    page = talk_page(person, alice, thread)
    refusal = "<div data-refusal><p><strong>No.</strong> Please put it differently.</p></div>"
    page.route(SEND, lambda route: route.fulfill(status=422, body=refusal, content_type="text/html"))
    write(page, "The first try")
    expect(message(page, "The first try")).to_contain_text("Please put it differently.")
    page.unroute(SEND)
    composer(page).fill("typed since")

    message(page, "The first try").get_by_role("button", name="Edit").click()

    expect(composer(page)).to_have_value("The first try\ntyped since")
    expect(composer(page)).to_be_focused()
    expect(message(page, "The first try")).to_have_count(0)
    composer(page).press("Control+End")
    composer(page).press("Enter")
    arrived_once(page, thread, "The first try\ntyped since")


def test_too_many_messages_wait_for_their_turn(person, alice, thread):
    page = talk_page(person, alice, thread)  # before the minute begins to run out
    for number in range(20):
        said(thread, alice, f"Word {number}", at=timezone.now() - timedelta(seconds=45))
    expect(message(page, "Word 19")).to_be_visible()

    write(page, "One more")

    expect(message(page, "One more")).to_have_attribute("data-state", "waiting")
    expect(message(page, "One more")).to_contain_text("That was 20 messages within a minute.")
    expect(message(page, "One more")).to_have_attribute("data-version", re.compile(r"\d+"), timeout=30_000)
    arrived_once(page, thread, "One more")
    stayed(page)
