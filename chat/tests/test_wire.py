"""Conversations over real sockets and polls: the same bytes by every way, to those who belong and to nobody else,
and what pages may say, kindly or not."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts import actions as accounts
from accounts.models import Role, User
from bookings import actions as jobs
from bookings import due
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, NOW
from chat import actions
from chat import live as wire
from chat.actions import add_quick_reply
from chat.live import chat_topic, desk_talks_topic, desk_topic, person_topic, replies_topic, talks_topic
from chat.models import Conversation, Message, Participant, Side
from chat.tests.say import agreed, asking, say, session_of, with_desk
from chat.tests.test_access import TABLE
from notifications.tests.telling import look_at
from realtime import inbound
from realtime.fragments import declared, get
from realtime.models import JournalRow, KeptSignal
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Live, Page, journal_now, until
from realtime.tests.harness import session_of as browser
from realtime.topics import Principal, user_topic

VERSION = re.compile(r'data-version="\d+"')
POLL, SAY = "/live/poll", "/live/say"


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the hub reads on connections of its own."""


@pytest.fixture(autouse=True)
def throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing is passed on once in each test, however slow the machine is."""
    monkeypatch.setattr(wire, "throttle", wire.Throttle(3600))


@pytest.fixture
def cast(alice, bob, charlie, dora, ed, frank) -> dict[str, User]:
    """The fixed cast, and Grace, a second admin."""
    everybody = {user.first_name.lower(): user for user in (alice, bob, charlie, dora, ed, frank)}
    return everybody | {"grace": make.person("Grace", Role.ADMIN, is_staff=True)}


def polled(client: Client, cursor: str, *topics: str) -> dict[str, Any]:
    """What a page without a socket is told; empty where nothing changed."""
    answer = client.get(POLL, {"c": cursor, "topic": list(topics), "page": "/messages/"})
    assert answer.status_code in (200, 204)
    return answer.json() if answer.status_code == 200 else {}


def essence(html: str) -> str:
    """Without its version, which says when it was read and not what."""
    return VERSION.sub('data-version=""', html)


# --- The same by every way ------------------------------------------------------------------------


class Way(NamedTuple):
    """How a fragment comes to be seen: by whom, on which page and topic, under which key, and what brings it."""

    who: User
    url: str
    topic: str
    key: object
    act: Callable[[], object]


def ways(cast: dict[str, User]) -> dict[str, Way]:
    """One for each fragment."""
    alice, bob, frank, pk = cast["alice"], cast["bob"], cast["frank"], uuid4()
    thread, desk = agreed(alice, bob), with_desk(alice)
    page, talk, mine = reverse("chat:conversation", args=[thread.pk]), chat_topic(thread.pk), user_topic(alice.pk)
    row, role = f"{thread.pk}-{alice.pk}", Role.CUSTOMER
    read = {"by": bob, "delivered": 1, "read": 1, "now": NOW}
    reply = 'I am "here" & waiting'
    return {
        "chat.message": Way(alice, page, talk, pk, lambda: say(thread, bob, "A <b>bold</b> www.example.org", id=pk)),
        "chat.state": Way(alice, page, talk, thread.pk, lambda: cancel(thread)),
        "chat.marks": Way(alice, page, talk, thread.pk, lambda: actions.mark_seen(thread, **read)),
        "chat.person": Way(alice, page, person_topic(bob.pk), bob.pk, lambda: look_at(bob, "/")),
        "chat.replies": Way(
            alice, reverse("chat:replies"), replies_topic(role), role, lambda: add_quick_reply(role, reply, by=frank)
        ),
        "chat.row": Way(alice, reverse("chat:list"), talks_topic(alice.pk), row, lambda: say(thread, bob, "News")),
        "chat.unread": Way(alice, reverse("profile"), mine, alice.pk, lambda: say(thread, bob, "News")),
        "chat.desk_row": Way(
            frank, reverse("desk:messages"), desk_talks_topic(), desk.pk, lambda: say(desk, alice, "Help")
        ),
    }


@pytest.mark.parametrize("name", sorted(each.name for each in declared() if each.name.startswith("chat.")))
def test_page_push_and_poll_are_the_same_bytes(live: Live, cast, name) -> None:  # noqa: F811
    way, fragment = ways(cast)[name], get(name)
    assert fragment is not None
    client, cursor, dom_id = browser(way.who), journal_now(), fragment.dom_id(str(way.key))
    page = live.page(client, [way.topic])
    assert client.get(way.url).status_code == 200

    way.act()
    until(lambda: dom_id in page.html, "the push")
    live.quiet()

    (by_poll,) = [piece["html"] for piece in polled(client, cursor, way.topic)["f"] if piece["id"] == dom_id]
    assert essence(page.html[dom_id]) == essence(by_poll)
    assert essence(by_poll) in essence(client.get(way.url).content.decode())


def test_the_answer_to_the_sender_is_the_push(live: Live, alice, bob) -> None:  # noqa: F811
    thread, pk = agreed(alice, bob), uuid4()
    page = live.page(browser(bob), [chat_topic(thread.pk)])
    url, form = reverse("chat:send", args=[thread.pk]), {"id": str(pk), "text": "On my way <soon>"}
    answer = browser(alice).post(url, form, headers={"HX-Request": "true"}).json()
    page.sees("On my way")
    assert answer.keys() == {"topic", "live", "id", "v", "html"}
    assert (answer["topic"], answer["live"]) == (chat_topic(thread.pk), "chat.message")
    assert essence(answer["html"]) == essence(page.html[f"chat-message-{pk}"])


# --- Who hears ------------------------------------------------------------------------------------


def topics_of(live: Live, cast: dict[str, User], names: list[str]) -> tuple[dict[str, Page], dict[str, set[str]]]:  # noqa: F811
    """Everybody asks for everything: their open pages, and which of `names` each may follow."""
    pages = {name: live.open(browser(user)) for name, user in cast.items()}
    heard = {name: set(names) - set(page.hello(names)["gone"]) for name, page in pages.items()}
    return pages, heard


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_only_those_who_read_a_conversation_hear_of_it(live: Live, cast, kind) -> None:  # noqa: F811
    thread = kind(cast)
    readers = {name for name, may in zip(cast, [*TABLE[kind].split(), "r"], strict=True) if may != "-"}
    topic = chat_topic(thread.pk)
    pages, heard = topics_of(live, cast, [topic])
    assert {name for name, topics in heard.items() if topics} == readers

    cursor = journal_now()
    Message.objects.create(conversation=thread, seq=90, side=Side.SYSTEM, text="Between ourselves", at=NOW)
    for name in readers:
        pages[name].sees("Between ourselves")
    live.quiet()
    for name, user in cast.items():
        answer = polled(browser(user), cursor, topic)
        assert (
            ("Between ourselves" in str(pages[name].got)) == ("Between ourselves" in str(answer)) == (name in readers)
        )
        assert answer["gone"] == ([] if name in readers else [topic])
        page = browser(user).get(reverse("chat:conversation", args=[thread.pk]))
        assert page.status_code == (404 if name not in readers else 302 if user.role == Role.ADMIN else 200)


def test_what_differs_by_person_is_theirs_alone(live: Live, cast) -> None:  # noqa: F811
    alice, bob, ed = cast["alice"], cast["bob"], cast["ed"]
    thread = agreed(alice, bob)
    names = {
        user_topic(alice.pk): {"alice"},
        talks_topic(bob.pk): {"bob"},
        talks_topic(alice.pk): {"alice"},
        person_topic(bob.pk): {"alice", "frank", "grace"},
        person_topic(ed.pk): {"frank", "grace"},
        desk_topic(): {"frank", "grace"},
        desk_talks_topic(): {"frank", "grace"},
        replies_topic(Role.TECHNICIAN): {"bob", "dora"},
        replies_topic(Role.ADMIN): {"frank", "grace"},
        chat_topic(thread.pk + 1000): set(),
    }
    pages, heard = topics_of(live, cast, list(names))
    assert {topic: {name for name, own in heard.items() if topic in own} for topic in names} == names
    say(thread, bob, "For Alice's list")
    say(with_desk(ed), ed, "For the desk's list")
    pages["alice"].sees("For Alice&#x27;s list")
    for name in ("frank", "grace"):
        pages[name].sees("For the desk&#x27;s list")
    live.quiet()
    for name in ("charlie", "dora", "ed"):
        assert "list" not in str(pages[name].html)


def test_nobody_without_an_account_hears_anything(live: Live, alice, bob) -> None:  # noqa: F811
    topic = chat_topic(agreed(alice, bob).pk)
    assert live.open(None).say_hello([topic]).closed() == 4401
    assert Client().get(POLL, {"c": journal_now(), "topic": topic}).status_code == 401
    assert Client().post(SAY, {"kind": "chat.typing", "data": {}}, content_type="application/json").status_code == 401


# --- Losing it on an open page --------------------------------------------------------------------


def release(thread: Conversation) -> None:
    jobs.release(session_of(thread), by=session_of(thread).technician.user, reason="Ill", now=NOW)


def cancel(thread: Conversation) -> None:
    booking = session_of(thread).booking
    jobs.cancel_booking(booking, by=booking.customer, reason="mistake", now=NOW)


def no_show(thread: Conversation) -> None:
    session = make.waiting(session_of(thread))
    jobs.record_contact_attempt(session, by=session.technician.user, channel="door", now=session.starts_at)
    jobs.report_no_show(session, by=session.technician.user, now=session.starts_at + HOUR)


def put_away(thread: Conversation) -> None:
    session = make.finished(session_of(thread))
    due.put_finished_away(session.starts_at + DAY)


@pytest.mark.parametrize("lose", [release, cancel, no_show, put_away], ids=lambda lose: lose.__name__)
def test_who_loses_a_conversation_loses_it_on_the_open_page(live: Live, alice, bob, media, lose) -> None:  # noqa: F811
    thread = agreed(alice, bob)
    topic, cursor = chat_topic(thread.pk), journal_now()
    photo = say(thread, alice, "Our door", files=[make.picture()]).attachments.get()
    hers, his = live.page(browser(alice), [topic]), live.page(browser(bob), [topic, talks_topic(bob.pk)])

    lose(thread)
    until(lambda: any(topic in frame["gone"] for frame in his.pushes), "he is told that it is gone")
    live.quiet()  # what the loss itself brings is there
    before = len(his.of("f"))
    Message.objects.create(conversation=thread, seq=90, side=Side.SYSTEM, text="After him", at=NOW)
    hers.sees("After him")
    live.quiet()
    # At most he is told once more that the row of his list is gone.
    assert not [piece for frame in his.of("f")[before:] for piece in frame["f"] if piece["html"] is not None]
    assert "After him" not in str(his.got)
    row = f"chat-row-{thread.pk}-{bob.pk}"
    assert row in his.shown and row not in his.html  # it was taken out of his list
    answer = polled(browser(bob), cursor, topic)
    assert answer["gone"] == [topic] and not answer["f"]
    urls = [reverse("chat:conversation", args=[thread.pk]), f"{reverse('chat:older', args=[thread.pk])}?before=9"]
    urls += [reverse(name, args=[photo.pk]) for name in ("chat:file", "chat:thumb")]
    assert [browser(bob).get(url).status_code for url in urls] == [404] * 4
    assert [browser(alice).get(url).status_code for url in urls] == [200] * 4


def test_a_withdrawn_offer_s_talk_is_closed_on_both_open_pages_and_may_still_be_read(live: Live, alice, bob) -> None:  # noqa: F811
    thread = asking(alice, bob)
    pages = [live.page(browser(user), [chat_topic(thread.pk)]) for user in (alice, bob)]
    jobs.withdraw_bid(thread.bid, by=bob, now=NOW)
    for page in pages:
        page.sees("this conversation is closed")
    live.quiet()
    assert all(frame["gone"] == [] for page in pages for frame in page.pushes)
    form = {"id": str(uuid4()), "text": "Still there?"}
    for user in (alice, bob):
        url = reverse("chat:send", args=[thread.pk])
        assert browser(user).post(url, form, headers={"HX-Request": "true"}).status_code == 409


@pytest.mark.parametrize("who", ["bob", "frank"])
def test_a_closed_account_s_page_is_closed(live: Live, cast, who) -> None:  # noqa: F811
    thread, user = agreed(cast["alice"], cast["bob"]), cast[who]
    hers, theirs = (live.page(browser(each), [chat_topic(thread.pk)]) for each in (cast["alice"], user))
    client = browser(user)
    accounts.deactivate(user, by=cast["grace"])
    say(thread, cast["alice"], "After that")
    hers.sees("After that")
    assert theirs.closed() == 4401
    assert "After that" not in str(theirs.got)
    assert client.get(POLL, {"c": journal_now(), "topic": chat_topic(thread.pk)}).status_code == 401


# --- Typing ---------------------------------------------------------------------------------------


def typing(thread: Conversation) -> dict[str, Any]:
    """What a page says while somebody types."""
    return {"kind": "chat.typing", "data": {"conversation": thread.pk}}


@pytest.mark.parametrize("by_socket", [True, False], ids=["socket", "post"])
def test_typing_reaches_the_others_and_neither_the_sender_nor_strangers(live: Live, cast, by_socket) -> None:  # noqa: F811
    alice, bob = cast["alice"], cast["bob"]
    thread = agreed(alice, bob)
    topic, cursor = chat_topic(thread.pk), journal_now()
    pages, _ = topics_of(live, cast, [topic])
    live.joined(topic)
    if by_socket:
        pages["alice"].send(t="say", **typing(thread))
    else:
        assert browser(alice).post(SAY, typing(thread), content_type="application/json").status_code == 204

    expected = {"topic": topic, "name": "typing", "data": {"side": "customer", "name": "Alice"}}
    for name in ("bob", "frank", "grace"):
        until(lambda name=name: pages[name].of("signal"), f"{name} hears it")
        assert pages[name].of("signal") == [{"t": "signal", **expected}]
    say(thread, bob, "I see that you type")
    pages["alice"].sees("I see that you type")
    assert not any(pages[name].of("signal") for name in ("alice", "charlie", "dora", "ed"))
    for name, user in cast.items():
        heard = polled(browser(user), cursor, topic).get("s", [])
        assert [{key: each[key] for key in expected} for each in heard] == (
            [expected] if name in ("bob", "frank", "grace") else []
        )
    assert not JournalRow.objects.filter(fragment__contains="typing").exists()


def test_typing_is_passed_on_once_a_while(live: Live, alice, bob) -> None:  # noqa: F811
    thread = agreed(alice, bob)
    hers, his = (live.page(browser(user), [chat_topic(thread.pk)]) for user in (alice, bob))
    live.joined(chat_topic(thread.pk))
    for _ in range(10):
        hers.send(t="say", **typing(thread))
    his.send(t="say", **typing(thread))  # somebody else is not held back by it
    until(lambda: hers.of("signal") and his.of("signal"), "both hear")
    say(thread, alice, "Later")
    his.sees("Later")
    assert len(his.of("signal")) == 1 and KeptSignal.objects.count() == 2


def test_who_types_about_an_offer_is_not_named_before_it_is_accepted(live: Live, alice, bob) -> None:  # noqa: F811
    thread = asking(alice, bob)
    his = live.page(browser(bob), [chat_topic(thread.pk)])
    live.joined(chat_topic(thread.pk))
    inbound.hear("chat.typing", Principal("user", str(alice.pk)), {"conversation": thread.pk})
    until(lambda: his.of("signal"), "a signal")
    assert his.of("signal")[0]["data"] == {"side": "customer", "name": "The customer"}


# --- Receipts -------------------------------------------------------------------------------------


def marks(thread: Conversation, user: User | None) -> tuple[int, int]:
    """How far a side has come: delivered, read."""
    return Participant.objects.values_list("delivered", "read").get(conversation=thread, user=user)


@pytest.mark.parametrize("by_socket", [True, False], ids=["socket", "post"])
def test_what_was_seen_is_said_by_socket_and_by_post_and_shown_to_the_others(live: Live, alice, bob, by_socket) -> None:  # noqa: F811
    thread = agreed(alice, bob)
    say(thread, alice, "One")
    hers, his = (live.page(browser(user), [chat_topic(thread.pk)]) for user in (alice, bob))
    words = {"kind": "chat.seen", "data": {"conversation": thread.pk, "delivered": 2, "read": 2}}
    if by_socket:
        his.send(t="say", **words)
    else:
        assert browser(bob).post(SAY, words, content_type="application/json").status_code == 204
    hers.sees("Read by")
    assert marks(thread, bob) == (2, 2) and marks(thread, alice) == (0, 0)
    shown = re.search(r'data-marks="([^"]*)"', hers.html[f"chat-marks-{thread.pk}"])
    assert shown
    found = {each["side"]: each for each in json.loads(shown[1].replace("&quot;", '"'))}
    assert (found["technician"]["delivered"], found["technician"]["read"]) == (2, 2)


def test_all_admins_share_the_desk_s_receipts(cast) -> None:
    thread = with_desk(cast["alice"])
    say(thread, cast["alice"], "Help")
    words = {"conversation": thread.pk, "delivered": 1, "read": 1}
    inbound.hear("chat.seen", Principal("user", str(cast["grace"].pk)), words)
    assert marks(thread, None) == (1, 1) and marks(thread, cast["alice"]) == (0, 0)


# --- Hostile words --------------------------------------------------------------------------------

NONSENSE: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1.5,
    2**31,
    2**63,
    2**70,
    "1",
    "",
    "' OR 1=1 --",
    "\x00",
    [],
    [1],
    {},
    {"a": 1},
]
GOOD = {"delivered": 1, "read": 1}
BAD_FIGURES = [each for each in NONSENSE if each != 0 or isinstance(each, bool)]


def kept() -> list[Any]:
    """Everything that talking writes."""
    return [
        *Participant.objects.order_by("pk").values_list("pk", "delivered", "read", "marked_at"),
        *KeptSignal.objects.values_list("pk", flat=True),
        JournalRow.objects.filter(fragment__startswith="chat.").count(),
    ]


def test_nonsense_changes_nothing_and_fills_no_log(alice, bob, charlie, frank, caplog) -> None:
    thread, foreign = agreed(alice, bob), with_desk(charlie)
    say(thread, alice, "One")
    say(foreign, charlie, "Another's")
    who, before = Principal("user", str(bob.pk)), kept()
    said: list[tuple[str, dict[str, Any]]] = [
        *(("chat.seen", {"conversation": pk, **GOOD}) for pk in [*NONSENSE, foreign.pk, thread.pk + 1000]),
        *(("chat.seen", {"conversation": thread.pk, "delivered": bad, "read": 0}) for bad in BAD_FIGURES),
        *(("chat.seen", {"conversation": thread.pk, "delivered": 0, "read": bad}) for bad in BAD_FIGURES),
        *(("chat.typing", {"conversation": pk}) for pk in [*NONSENSE, foreign.pk]),
        ("chat.seen", {}),
        ("chat.seen", {"conversation": thread.pk}),
        ("chat.typing", {}),
    ]
    with caplog.at_level(logging.INFO):
        for kind, data in said:
            inbound.hear(kind, who, data)
            assert kept() == before, (kind, data)
        inbound.hear("chat.seen", Principal("link", "made-up"), {"conversation": thread.pk, **GOOD})
        inbound.hear("chat.seen", Principal("user", "999999"), {"conversation": thread.pk, **GOOD})
    assert kept() == before
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_marks_beyond_the_end_are_the_end_and_never_go_back(alice, bob) -> None:
    thread = agreed(alice, bob)
    say(thread, alice, "One")
    who = Principal("user", str(bob.pk))
    inbound.hear("chat.seen", who, {"conversation": thread.pk, "delivered": 2**31 - 1, "read": 2**31 - 1})
    assert marks(thread, bob) == (2, 2)
    inbound.hear("chat.seen", who, {"conversation": thread.pk, "delivered": 0, "read": 1})
    assert marks(thread, bob) == (2, 2)


@pytest.mark.parametrize("data", ['{"conversation": 1e400}', '{"conversation": NaN}', "[]", "7", '"x"', "null", "{}"])
def test_a_socket_and_a_post_of_nonsense_harm_only_their_sender(live: Live, alice, bob, caplog, data) -> None:  # noqa: F811
    thread = agreed(alice, bob)
    say(thread, alice, "One")
    before = kept()
    hers, his = (live.page(browser(user), [chat_topic(thread.pk)]) for user in (alice, bob))
    for kind in ("chat.seen", "chat.typing"):
        text = f'{{"t": "say", "kind": "{kind}", "data": {data}}}'
        his.send_text(text)
        answer = browser(bob).post(SAY, text, content_type="application/json")
        assert answer.status_code in (204, 400)
    say(thread, alice, "Later")
    hers.sees("Later")
    live.quiet()
    assert not hers.of("signal") and marks(thread, bob) == (0, 0)
    assert before[:-1] == kept()[:-1]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
