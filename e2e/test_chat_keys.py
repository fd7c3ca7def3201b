"""A conversation by keyboard alone, and as a screen reader tells of it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from chat import actions
from chat.models import Conversation
from e2e.flow import customer, stay, stayed
from e2e.keys import tab_to
from e2e.talk import (
    agreed,
    attach,
    composer,
    goes_to,
    has_read,
    is_ready,
    long_talk,
    message,
    messages,
    photo,
    quick_reply,
    said,
    scroll_box,
    sent,
    talk_page,
)

WIDE = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def thread(alice: User, bob: User) -> Conversation:
    """About a job that Bob has been accepted for."""
    return agreed(alice, bob)


def test_everything_is_done_by_keyboard_alone(person, alice, bob, frank, thread):
    actions.add_quick_reply(Role.CUSTOMER, "The key is with the porter", by=frank)
    said(thread, bob, "Which floor is it?")
    page = goes_to(person(alice, **WIDE), reverse("home"))
    other = talk_page(person, bob, thread)

    reach_the_conversation(page)
    write_and_read(page, other)
    send_a_quick_reply(page, other)
    attach_and_remove(page)
    delete_after_the_question(page, other)
    read_further_up(page)
    stayed(page, other)


def reach_the_conversation(page: Page) -> None:
    """From home by the navigation and the list."""
    tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Messages 1 unread"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    tab_to(page, page.get_by_role("main").get_by_role("link", name=re.compile("Bob Test")))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bob Test")
    stay(is_ready(page))


def write_and_read(page: Page, other: Page) -> None:
    """Shift+Enter makes a line, Enter sends; the caret stays."""
    tab_to(page, composer(page))
    page.keyboard.type("The third.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("There is no lift.")
    expect(composer(page)).to_have_value("The third.\nThere is no lift.")
    page.keyboard.press("Enter")
    expect(message(other, "There is no lift.")).to_be_visible()
    expect(composer(page)).to_be_focused()
    expect(composer(page)).to_have_value("")
    page.keyboard.type("By the button")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    expect(message(other, "By the button")).to_be_visible()
    expect(composer(page)).to_be_focused()


def send_a_quick_reply(page: Page, other: Page) -> None:
    """It stands before the composer."""
    tab_to(page, quick_reply(page, "The key is with the porter"), back=True)
    page.keyboard.press("Enter")
    expect(message(other, "The key is with the porter")).to_be_visible()


def attach_and_remove(page: Page) -> None:
    """The file field takes the focus; what was chosen is removed by its button, and the caret goes back."""
    field = page.get_by_label("Add photos or a PDF")
    tab_to(page, field)
    with page.expect_file_chooser() as chooser:
        page.evaluate("true")  # keys take another road into the page than the wish to hear of choosers: let that arrive
        page.keyboard.press("Space")
    chooser.value.set_files([photo("tap.jpg")])
    tab_to(page, page.get_by_role("button", name="Remove tap.jpg"), back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Files to send")).to_have_count(0)
    expect(composer(page)).to_be_focused()


def delete_after_the_question(page: Page, other: Page) -> None:
    """The question can be closed by Escape, which gives the focus back; or answered."""
    link = message(page, "By the button").get_by_role("link", name="Delete this message")
    tab_to(page, link, back=True)
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog", name="Delete the message?")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, question.get_by_role("button", name="Delete", exact=True))
    page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    expect(message(other, "Message deleted")).to_be_visible()
    expect(message(page, "Message deleted")).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"


def read_further_up(page: Page) -> None:
    """The messages take the focus, so that arrows and page keys scroll them."""
    tab_to(page, scroll_box(page), back=True)


def test_the_log_is_scrolled_and_the_pill_used_by_keys(person, alice, bob, thread):
    long_talk(thread, 25, bob)
    has_read(thread, alice, 26)
    page = talk_page(person, alice, thread)
    scroll_box(page).focus()
    page.keyboard.press("Home")
    expect(messages(page).first).to_be_in_viewport()
    said(thread, bob, "Below the fold")
    new = page.get_by_role("button", name="1 new message")

    tab_to(page, new)
    page.keyboard.press("Enter")

    expect(message(page, "Below the fold")).to_be_in_viewport()
    expect(scroll_box(page)).to_be_focused()
    stayed(page)


# --- As a screen reader has it ----------------------------------------------------------------------


def test_the_conversation_is_told_with_roles_names_and_news(person, alice, bob, thread):
    said(thread, bob, "Which floor is it?")
    page, other = talk_page(person, alice, thread), talk_page(person, bob, thread)
    news = page.locator("[data-chat-news]")
    expect(news).to_have_role("status")
    expect(news).to_have_text("")  # what stands there when it opens is read, not announced

    expect(page.get_by_role("region", name="Bob Test")).to_be_visible()
    expect(page.get_by_role("log", name="Messages")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message to Bob")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    expect(page.get_by_role("log").get_by_role("listitem")).to_have_count(2)
    spoken(message(page, "Which floor is it?"), "Bob", "Which floor is it?")

    composer(other).press_sequentially("I")
    expect(news).to_have_text("Bob is typing")
    sent(other, "I bring a new washer.")
    expect(news).to_have_text("Bob: I bring a new washer.")
    attach(other, photo("washer.jpg"))
    other.get_by_role("button", name="Send", exact=True).click()
    expect(news).to_have_text("Bob: a file")
    expect(page.get_by_role("log").get_by_role("img", name="Photo: washer.jpg")).to_be_visible()

    sent(page, "The third.")
    expect(message(page, "The third.").locator("[data-ticks]")).to_have_text("Read")
    stayed(page, other)


def spoken(said: Locator, who: str, text: str) -> None:
    """Its words as a screen reader has them: who, what, when."""
    heard = said.aria_snapshot()
    assert re.search(rf"{who}.*{re.escape(text)}.*time: .*\d\d:\d\d", heard, re.DOTALL), heard


def test_without_javascript_one_reads_and_writes(person, alice, bob, thread):
    said(thread, bob, "Which floor is it?")
    page = person(alice, java_script_enabled=False, **WIDE)
    page.goto(reverse("chat:list"))
    page.get_by_role("main").get_by_role("link", name=re.compile("Bob Test")).click()
    expect(page.get_by_role("log")).to_contain_text("Which floor is it?")

    page.get_by_label("Message to Bob").fill("The third.")
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.get_by_role("log")).to_contain_text("The third.")
    page.get_by_label("Message to Bob").fill("x" * 4001)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Message to Bob")).to_have_value("x" * 4001)
    opened_again = page.get_by_role("log").get_by_role("link", name="Delete this message").last
    opened_again.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text("Message deleted")
