"""Who has no part in a conversation gets nothing of it: no page, fragment, poll, frame, file; nor does who loses it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from bookings import actions as deeds
from bookings.tests import make
from chat import actions, transitions
from chat.models import Attachment, Conversation, Message, Participant
from e2e.flow import PHONE, accepted, customer, job, offered, stayed, work_card
from e2e.live import Wire
from e2e.talk import (
    agreed,
    asked,
    composer,
    goes_to,
    message,
    messages,
    opened,
    said,
    sent,
    talk_page,
    typing,
    unread_in_nav,
)

WITHIN = 2000  # ms from the change to the page: the promise of design.md
FIRST, SECOND, LATER = "The key is under the blue pot", "The alarm code is in the drawer", "A word from the desk"
SECRETS = ("blue pot", "in the drawer", "washer.jpg")
LOST = "This is no longer yours to see."

# Another client of the socket: asks for topics it has no part in, and speaks where it may not.
INTRUDE = """([topics, conversation]) => new Promise((done) => {
  const cursor = document.querySelector("meta[name=live]")?.dataset.cursor ?? "";
  const socket = new WebSocket(`ws://${location.host}/live/socket`);
  socket.onopen = () => socket.send(JSON.stringify({ t: "hello", i: 1, c: cursor, topics, page: "/profile/" }));
  socket.onclose = ({ code }) => done(code);
  socket.onmessage = ({ data }) => {
    if (JSON.parse(data).t !== "welcome") return;
    for (const topic of topics) socket.send(JSON.stringify({ t: "follow", i: 2, c: cursor, topics: [topic] }));
    for (const [kind, more] of [["chat.typing", {}], ["chat.seen", { delivered: 99, read: 99 }]]) {
      socket.send(JSON.stringify({ t: "say", kind, data: { conversation, ...more } }));
    }
    done("welcome");
  };
})"""
SENDS = """async ([url, id]) => {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const body = new URLSearchParams({ id, text: "From a stranger" });
  return (await fetch(url, { method: "POST", headers: { ...headers, "HX-Request": "true" }, body })).status;
}"""


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@dataclass
class Talk:
    """A conversation with something said, a photo, and the addresses of all that."""

    thread: Conversation
    message: Message
    file: Attachment

    @property
    def pages(self) -> list[str]:
        """Every address that shows something of it."""
        named: list[tuple[str, Any]] = [
            ("conversation", self.thread.pk),
            ("about", self.thread.bid_id),
            ("delete", self.message.pk),
            ("file", self.file.pk),
            ("thumb", self.file.pk),
        ]
        return [
            *(reverse(f"chat:{name}", args=[key]) for name, key in named),
            f"{reverse('chat:older', args=[self.thread.pk])}?before=9",
        ]

    @property
    def desk_page(self) -> str:
        """The desk's page of it."""
        return reverse("desk:conversation", args=[self.thread.pk])


@pytest.fixture
def files_of_site(site, settings) -> None:
    """Files that the test keeps are where the site looks for them."""
    settings.MEDIA_ROOT = site.base_env["MEDIA_ROOT"]


def with_photo(thread: Conversation, by: User) -> Talk:
    """Somebody says the first secret and sends a photo."""
    first = actions.send_message(thread, by=by, id=uuid4(), text=FIRST, files=[make.picture("washer.jpg")])
    return Talk(thread, first, first.attachments.get())


def topics_of(talk: Talk) -> list[str]:
    """What an intruder would like to follow."""
    bid = talk.thread.bid
    assert bid is not None
    people = [f"{kind}.{pk}" for kind in ("person", "user") for pk in (bid.technician_id, bid.booking.customer_id)]
    return [f"chat.{talk.thread.pk}", *people, "desk.messages", "replies.admin"]


def carried_nothing(wire: Wire, *topics: str) -> None:
    """No frame and no poll brought anything of the conversation."""
    brought = json.dumps([frame.get("f", []) for frame in wire.got])
    assert not [secret for secret in SECRETS if secret in brought], brought
    assert not [frame for frame in wire.of("signal") if frame["topic"] in topics]
    for poll in wire.polls:
        if poll.status == 200:
            news = poll.json()
            assert not [secret for secret in SECRETS if secret in json.dumps(news["f"])], news
            assert not news.get("s"), news


def knows_nothing(page: Page) -> None:
    """Nothing of it is anywhere in the page, hidden parts included."""
    html = page.content()
    assert not [secret for secret in SECRETS if secret in html]


def something_later(who: User, frank: User, *pages: Page) -> None:
    """A later thing that these pages do hear of: what came before it has arrived, or never will."""
    actions.send_message(actions.desk_conversation(who, by=frank), by=frank, id=uuid4(), text=LATER)
    for page in pages:
        unread_in_nav(page, 1)


# --- Who never had a part ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["charlie", "dora", "ed"], ids=["a customer", "the other bidder", "a driver"])
def test_who_has_no_part_gets_nothing(request, person, console, files_of_site, alice, bob, dora, frank, name):
    console.allow(r"status of 404|Traceback")  # what is refused is logged
    stranger: User = dora if name == "dora" else request.getfixturevalue(name)
    booking = job(alice)
    own = asked(offered(booking, dora, 80))  # Dora talks with Alice too, about her own offer
    talk = with_photo(asked(make.fresh(accepted(offered(booking, bob)).bid)), bob)
    owner = talk_page(person, alice, talk.thread)
    page = person(stranger, **PHONE)
    wire = Wire(page)
    goes_to(page, reverse("chat:conversation", args=[own.pk]) if stranger == dora else reverse("profile"))

    assert [page.request.get(url).status for url in talk.pages] == [404] * len(talk.pages)
    assert page.request.get(talk.desk_page).status == 403
    assert page.evaluate(SENDS, [reverse("chat:send", args=[talk.thread.pk]), str(uuid4())]) == 404
    assert page.evaluate(INTRUDE, [topics_of(talk), talk.thread.pk]) == "welcome"
    polls_nothing(page, topics_of(talk))

    said(talk.thread, bob, SECOND)
    actions.delete_message(talk.message, by=bob)
    expect(message(owner, SECOND)).to_be_visible()
    expect(message(owner, FIRST)).to_have_count(0)
    something_later(stranger, frank, page)

    expect(typing(owner)).to_be_hidden()
    assert not Participant.objects.filter(conversation=talk.thread, read=99).exists()
    assert not Message.objects.filter(text="From a stranger").exists()
    assert set(topics_of(talk)) <= {topic for frame in wire.got for topic in frame.get("gone", [])}
    carried_nothing(wire, *topics_of(talk))
    knows_nothing(page)
    polls_nothing(page, topics_of(talk))
    stayed(page)


def polls_nothing(page: Page, topics: list[str]) -> None:
    """A poll that names the topics says that they are not theirs, from the oldest cursor that the page can have."""
    cursor = page.locator("meta[name=live]").get_attribute("data-cursor")
    answer = page.request.post("/live/poll", form={"c": cursor, "topic": topics[0], "page": "/"})
    if answer.status != 204:
        assert answer.json()["gone"] == topics[:1]
        assert answer.json()["f"] == []


def test_who_is_signed_out_gets_nothing(person, console, files_of_site, alice, bob):
    console.allow(r"WebSocket connection to")
    talk = with_photo(agreed(alice, bob), bob)
    page = person(**PHONE)
    page.goto(reverse("account_login"))

    for url in [*talk.pages, talk.desk_page, reverse("chat:list")]:
        answer = page.request.get(url, max_redirects=0)
        assert answer.status == 302
        assert reverse("account_login") in answer.headers["location"]
    assert page.evaluate(INTRUDE, [topics_of(talk), talk.thread.pk]) == 4401
    answer = page.request.get("/live/poll", params={"c": "", "topic": f"chat.{talk.thread.pk}"})
    assert answer.status == 401
    assert not [secret for secret in SECRETS if secret in answer.text()]


# --- Who loses their part ---------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["socket", "poll"])
def test_a_released_technician_s_open_pages_end_and_hear_no_more(
    site, person, console, files_of_site, alice, bob, dora, frank, transport
):
    console.allow(r"status of 404")
    if transport == "poll":
        site.restart({"LIVE_TRANSPORT": "poll", "LIVE_POLL_AT_MOST": "0.5"})
    way, within = ("live", WITHIN) if transport == "socket" else ("polling", 10_000)
    booking = job(alice)
    session = accepted(offered(booking, bob))
    talk = with_photo(asked(session.bid), alice)
    page = person(bob, **PHONE)
    wire = Wire(page)
    opened(page, talk.thread, way)
    expect(message(page, FIRST)).to_be_visible()
    job_page = page.context.new_page()
    job_wire = Wire(job_page)
    goes_to(job_page, reverse("bookings:job", args=[booking.pk]), way)
    expect(message(job_page, FIRST)).to_be_visible()
    assert page.request.get(talk.pages[3]).ok

    deeds.release(session, by=bob, reason="Ill")

    expect(page.get_by_role("heading", name=LOST)).to_be_visible(timeout=within)
    expect(work_card(job_page)).to_contain_text("You withdrew after winning.", timeout=within)
    expect(messages(job_page)).to_have_count(0, timeout=within)
    expect(composer(job_page)).to_have_count(0, timeout=within)
    knows_nothing(page)
    knows_nothing(job_page)

    wire.got.clear()
    job_wire.got.clear()
    with transaction.atomic():
        transitions.write_about(session.bid_id, SECOND, timezone.now())  # into the one he has lost
    replacement = asked(make.fresh(accepted(offered(make.fresh(booking), dora, 80)).bid))
    said(replacement, alice, SECOND)
    something_later(bob, frank, page, job_page)

    for each, heard in ((page, wire), (job_page, job_wire)):
        carried_nothing(heard)
        knows_nothing(each)
    assert [page.request.get(url).status for url in talk.pages] == [404] * len(talk.pages)
    stayed(page, job_page)


def test_a_technician_who_loses_the_job_s_talk_finds_it_gone_from_the_list(person, console, alice, bob):
    thread = agreed(alice, bob)
    said(thread, alice, FIRST)
    page = goes_to(person(bob, **PHONE), reverse("chat:list"))
    expect(page.locator("[data-live='chat.row']")).to_contain_text(FIRST)
    unread_in_nav(page, 1)

    deeds.release(thread.bid.sessions.get(), by=bob, reason="Ill")

    expect(page.locator("[data-live='chat.row']")).to_have_count(0, timeout=WITHIN)
    unread_in_nav(page, 0)
    knows_nothing(page)
    stayed(page)


def test_the_customer_keeps_reading_what_was_said_and_can_write_no_more(person, alice, bob):
    thread = agreed(alice, bob)
    page = talk_page(person, alice, thread)
    sent(page, FIRST)

    deeds.release(thread.bid.sessions.get(), by=bob, reason="Ill")

    expect(composer(page)).to_be_hidden(timeout=WITHIN)
    expect(page.get_by_text("The technician withdrew from this job, so this conversation is closed.")).to_be_visible()
    expect(message(page, FIRST)).to_be_visible()
    expect(message(page, re.compile("Bob withdrew from this job: Ill"))).to_be_visible()
    stayed(page)
