"""What people do in a conversation, and what they see there: real clicks and keys, on phones."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import FilePayload, Locator, Page, expect

from accounts.models import User
from bookings.models import Bid
from bookings.tests import make
from chat import actions
from chat.models import Conversation, Message
from e2e.flow import PHONE, accepted, follows, job, offered, stay

EXPIRES = 10_000  # ms: what goes by itself after five seconds is gone by then


# --- Parts of a conversation ----------------------------------------------------------------------


def messages(page: Page) -> Locator:
    """All that stands in the conversation: sent, on the way, and the lines of the system."""
    return page.locator("[data-live-list='chat.message'] > li:not([data-live-empty])")


def message(page: Page, text: str) -> Locator:
    """The message that says `text`."""
    return messages(page).filter(has_text=text)


def words(page: Page) -> list[str]:
    """What the messages say, from top to bottom."""
    return messages(page).locator("[data-text]").all_inner_texts()


def says(page: Page, texts: list[str]) -> None:
    """Wait until the messages say just this, from top to bottom."""
    expect(messages(page).locator("[data-text]")).to_have_text(texts, use_inner_text=True)


def composer(page: Page) -> Locator:
    """Where a message is written."""
    return page.get_by_role("textbox", name=re.compile("^Message"))


def scroll_box(page: Page) -> Locator:
    """What scrolls."""
    return page.get_by_role("log")


def pill(page: Page) -> Locator:
    """What says that there is more below."""
    return page.locator("[data-chat-pill]")


def typing(page: Page) -> Locator:
    """Who writes just now."""
    return page.locator("[data-chat-typing]")


def state(page: Page) -> Locator:
    """The line that says that a conversation is closed, or what is hidden in it."""
    return page.locator("[data-live='chat.state']")


def quick_reply(page: Page, text: str) -> Locator:
    """The button with that sentence."""
    return page.get_by_role("group", name="Quick replies").get_by_role("button", name=text, exact=True)


# --- Parts of other pages -------------------------------------------------------------------------


def row(page: Page, title: str) -> Locator:
    """The conversation of that title in a person's list or the desk's."""
    return page.locator("[data-live='chat.row'], [data-live='chat.desk_row']").filter(has_text=title)


def unread_in_row(page: Page, title: str, number: int) -> None:
    """The row says that so many are unread; 0: it says nothing."""
    badge = row(page, title).locator("[data-cell=unread]")
    expect(badge).to_have_text(re.compile(rf"^{number}\b")) if number else expect(badge).to_have_count(0)


def unread_in_nav(page: Page, number: int) -> None:
    """The link to the messages says so."""
    badge = page.locator("[data-live='chat.unread'] .nav-badge")
    expect(badge).to_have_text(re.compile(rf"^{number}\b")) if number else expect(badge).to_have_count(0)


# --- Doing ----------------------------------------------------------------------------------------


def write(page: Page, text: str) -> Locator:
    """Write and send it; the message, which may still be on its way."""
    is_ready(page)  # before that, Enter is a line
    composer(page).fill(text)
    composer(page).press("Enter")
    expect(composer(page)).to_have_value("")
    expect(message(page, text)).to_be_visible()
    return message(page, text)


def sent(page: Page, text: str) -> Locator:
    """Write it, and wait until the server has it, which may show other words of it."""
    written = page.locator(f"#{write(page, text).get_attribute('id')}")
    expect(written).to_have_attribute("data-version", re.compile(r"\d+"))
    return written


def attach(page: Page, *files: FilePayload) -> None:
    """Choose files for the next message."""
    page.locator("input.chat-file:not(.chat-camera)").set_input_files(list(files))
    for file in files:
        expect(page.get_by_role("list", name="Files to send")).to_contain_text(file["name"])


def photo(name: str = "tap.jpg") -> FilePayload:
    """A small photo as the file dialog hands it over."""
    picture = make.picture(name, size=(320, 240))
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture.read()}


def delete(page: Page, text: str) -> None:
    """Take one's own message back, by its link and the question."""
    message(page, text).hover()
    message(page, text).get_by_role("link", name="Delete this message").click()
    question = page.get_by_role("dialog")
    question.get_by_role("button", name="Delete", exact=True).click()
    expect(question).to_have_count(0)


def ticked(page: Page, text: str, way: str) -> None:
    """One's own message has come so far: sent, delivered or read. An icon and a word say so."""
    tick = message(page, text).locator("[data-ticks]")
    expect(tick).to_have_attribute("data-state", way)
    expect(tick).to_have_text(way.capitalize())


# --- Opening pages --------------------------------------------------------------------------------


def goes_to(page: Page, url: str, way: str = "live") -> Page:
    """Load `url` and stay there."""
    page.goto(url)
    return stay(follows(page, way))


def talk_page(person: Callable[..., Page], who: User, thread: Conversation, **options: Any) -> Page:
    """The open, live page of a conversation, on a phone."""
    return opened(person(who, **{**PHONE, **options}), thread)


def opened(page: Page, thread: Conversation, way: str = "live") -> Page:
    """The conversation in this browser, its script at work."""
    return is_ready(goes_to(page, reverse("chat:conversation", args=[thread.pk]), way))


def is_ready(page: Page) -> Page:
    """The script of the conversation on the page is at work."""
    expect(page.locator("[data-chat][data-ready]")).to_have_count(1)
    return page


# --- Made without clicks --------------------------------------------------------------------------


def asked(bid: Bid) -> Conversation:
    """The conversation about an offer."""
    return actions.ask_about(bid, by=bid.booking.customer)


def agreed(customer: User, technician: User) -> Conversation:
    """The conversation about a job that this technician has been accepted for."""
    return asked(make.fresh(accepted(offered(job(customer), technician)).bid))


def said(thread: Conversation, by: User, text: str, *, at: datetime | None = None) -> Message:
    """Somebody says it, elsewhere."""
    return actions.send_message(thread, by=by, id=uuid4(), text=text, now=at)


def long_talk(thread: Conversation, number: int, *people: User) -> list[Message]:
    """So many messages of `people` in turn, one a minute, the last an hour ago: two lines each."""
    start = timezone.now() - timedelta(hours=1, minutes=number)
    text = "Message {:03}: the tap drips, the washer is worn, and nobody knows where the valve is."
    return [
        said(thread, people[each % len(people)], text.format(each), at=start + timedelta(minutes=each))
        for each in range(1, number + 1)
    ]


def has_read(thread: Conversation, who: User, up_to: int) -> None:
    """They have read so far, at another time."""
    actions.mark_seen(thread, by=who, delivered=up_to, read=up_to, now=timezone.now() - timedelta(minutes=30))
