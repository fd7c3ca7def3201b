"""The protocol, as docs/protocol.md has it: hello, follow, beats, refusals, close codes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from realtime import counters, hub, journal
from realtime.models import JournalRow
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Counted, Live, Page, journal_now, sample, session_key, session_of, until
from realtime.topics import user_topic

# --- Hello and welcome


def test_a_hello_is_answered_with_a_welcome(live: Live, board: Board, alices: Client, topic: str) -> None:
    page, before = live.open(alices), journal.milliseconds()
    welcome = page.hello([topic])
    assert welcome.keys() == {"t", "i", "c", "now", "gone", "reset", "more", "f"}
    assert welcome["f"] == [] and welcome["gone"] == [] and not welcome["reset"] and not welcome["more"]
    assert before - 1 <= welcome["now"] <= journal.milliseconds()
    assert journal.parse_cursor(welcome["c"]).epoch == journal.now().epoch


def test_a_hello_brings_what_changed_since_its_cursor(live: Live, board: Board, alices: Client, topic: str) -> None:
    Note.objects.create(board=board, text="Before")
    cursor, resumes = journal_now(), Counted("resumes_total")
    made = Note.objects.create(board=board, text="Since")
    gone = Note.objects.create(board=board, text="Came and went")
    gone_id = f"board-note-{gone.pk}"
    gone.delete()
    page = live.page(alices, [topic], cursor)
    assert "Since" in page.html[f"board-note-{made.pk}"] and page.shown[gone_id][1] is None
    assert "Before" not in str(page.got) and "2 notes on Kitchen" in str(page.html) and resumes() == 1


def test_a_hello_without_topics_is_welcomed(live: Live, alices: Client) -> None:
    assert live.open(alices).hello([])["gone"] == []


@pytest.mark.parametrize("cursor", ["", "nonsense", "0ther0ne.5", "null"])
def test_an_unusable_cursor_resets_and_the_page_goes_on_with_a_new_one(
    live: Live, board: Board, alices: Client, topic: str, cursor: str
) -> None:
    page, resets = live.open(alices), Counted("resets_total")
    welcome = page.hello([topic], cursor)
    assert welcome["reset"] and welcome["f"] == [] and resets() == 1
    page.got.clear()
    again = page.hello([topic], welcome["c"])
    assert not again["reset"]
    Note.objects.create(board=board, text="Afterwards")
    page.sees("Afterwards")


def test_a_cursor_older_than_the_journal_resets_and_a_younger_one_beside_it_does_not(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    ancient = journal_now()
    Note.objects.create(board=board, text="Old")
    young = journal_now()
    JournalRow.objects.update(at=timezone.now() - timezone.timedelta(hours=3))
    Note.objects.create(board=board, text="New")
    live.quiet()  # or the tail itself would be older than the journal
    journal.prune(timezone.now() - timezone.timedelta(hours=1))
    pages = [live.open(client).say_hello([topic], c) for client, c in ((alices, ancient), (bobs, young))]
    old, new = (page.answer("welcome") for page in pages)
    assert old["reset"] and old["f"] == [] and not new["reset"]
    assert "New" in str(pages[1].html)


def test_an_emptied_state_table_brings_every_page_back_whole(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    from realtime.models import JournalState

    page = live.page(alices, [topic])
    JournalState.objects.all().delete()
    assert page.closed() == 4013
    back = live.open(alices)
    assert back.hello([topic], page.cursor)["reset"]
    Note.objects.create(board=board, text="Healed")
    back.sees("Healed")


def test_nobody_signed_in_is_told_so_after_the_handshake(live: Live, board: Board, topic: str) -> None:
    page = live.open(None)
    assert page.accepted
    page.say_hello([topic])
    assert page.closed() == 4401 and page.got == []


def test_a_session_that_has_ended_or_run_out_is_signed_out(live: Live, alice: Any, board: Board, topic: str) -> None:
    ended, expired, made_up = session_of(alice), session_of(alice), session_of(alice)
    Session.objects.filter(pk=session_key(ended)).delete()
    Session.objects.filter(pk=session_key(expired)).update(expire_date=timezone.now())
    made_up.cookies["sessionid"] = "x" * 32
    for client in (ended, expired, made_up):
        assert live.open(client).say_hello([topic]).closed() == 4401


def test_unknown_topics_are_gone_and_the_rest_is_followed(
    live: Live, board: Board, alices: Client, alice: Any, topic: str
) -> None:
    page = live.open(alices)
    strange = ["nothing", "board.999999", "board.x", user_topic(alice.pk + 1)]
    assert page.hello([topic, user_topic(alice.pk), *strange])["gone"] == sorted(strange)
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")
    assert live.hub.followers.keys() == {topic, user_topic(alice.pk)}


def test_a_link_follows_its_topic_without_an_account(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.open(None)
    assert page.hello([topic, "user.1"], link=f"open-{board.pk}")["gone"] == ["user.1"]
    Note.objects.create(board=board, text="For the bearer")
    page.sees("For the bearer")


def test_a_guessed_link_opens_nothing_even_beside_a_session(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    page = live.open(alices)
    page.send(t="hello", c=journal_now(), topics=[topic], link="open-0")
    assert page.closed() == 4403


# --- Follow, unfollow, beat, acknowledge


def test_a_follow_brings_what_changed_on_the_new_topic_alone(
    live: Live, board: Board, alices: Client, alice: Any, topic: str
) -> None:
    page = live.page(alices, [user_topic(alice.pk)])
    Note.objects.create(board=board, text="Between")
    answer = page.follow([topic, "nothing"])
    assert answer["c"] is None and answer["gone"] == ["nothing"] and not answer["reset"]
    assert "Between" in str(page.html)
    Note.objects.create(board=board, text="Then")
    page.sees("Then")


def test_a_follow_with_an_unusable_cursor_says_reset(live: Live, board: Board, alices: Client, topic: str) -> None:
    assert live.page(alices, []).follow([topic], "nonsense")["reset"]


def test_a_follow_before_the_welcome_is_not_the_protocol(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.open(alices)
    page.send(t="follow", c=journal_now(), topics=[topic])
    assert page.closed() == 4400 and topic not in live.hub.followers


def test_an_unfollowed_topic_is_heard_no_more(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str
) -> None:
    page, other = live.page(alices, [topic]), live.page(bobs, [topic])
    page.send(t="unfollow", topics=[topic, "nothing"])
    until(lambda: len(live.hub.followers[topic]) == 1, "unfollowed")
    Note.objects.create(board=board, text="Milk")
    other.sees("Milk")
    live.quiet()
    assert page.pushes == []


def test_a_page_that_says_hello_again_follows_what_it_says_now(
    live: Live, board: Board, alices: Client, alice: Any, topic: str
) -> None:
    page = live.page(alices, [topic])
    page.got.clear()
    page.hello([user_topic(alice.pk)])
    assert live.hub.followers.keys() == {user_topic(alice.pk)}


def test_a_beat_says_how_fresh_the_truth_is(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    until(lambda: live.hub.asof, "a look at the journal")
    page.send(t="beat", away=True)
    (beat,) = until(lambda: page.of("beat"), "a beat")
    assert beat.keys() == {"t", "c", "asof", "now"} and 0 <= beat["now"] - beat["asof"] < 20_000
    assert journal.parse_cursor(beat["c"])
    assert [socket.away for socket in live.hub.sockets] == [True]
    page.send(t="beat", away=False)
    until(lambda: len(page.of("beat")) == 2, "another beat")
    assert [socket.away for socket in live.hub.sockets] == [False]


def test_a_beat_before_the_welcome_is_not_answered(live: Live, alices: Client) -> None:
    page = live.open(alices)
    page.send(t="beat")
    page.hello([])
    assert [frame["t"] for frame in page.got] == ["welcome"]


def test_the_cursor_of_a_beat_misses_nothing(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    for number in range(10):
        Note.objects.create(board=board, text=f"Note {number}")
        page.send(t="beat")
        beats = until(lambda n=number: page.of("beat")[n:], "a beat")
        seen = {key for key in page.shown if key.startswith("board-note-")}
        back = live.page(alices, [topic], beats[0]["c"] or page.cursor)
        found = seen | {key for key in back.shown if key.startswith("board-note-")}
        assert len(found) == number + 1
        back.leave()


def test_acknowledgements_report_how_late_frames_came(live: Live, alices: Client) -> None:
    page, before = live.page(alices, []), sample("commit_to_browser_seconds_sum")
    counted = Counted("commit_to_browser_seconds_count")
    page.send(t="ack", n=1, lag=[10, 30.5, -5, 10**9])
    until(lambda: counted() == 4, "observed")
    assert sample("commit_to_browser_seconds_sum") - before == pytest.approx(0.01 + 0.0305 + 0 + 600)


# --- What may say something


def handshake(live: Live, client: Client, **headers: str | None) -> Page:
    return live.open(client, headers=headers)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("testserver", "http://testserver"),
        ("testserver", "http://TESTSERVER:80"),
        ("testserver:80", "http://testserver"),
        ("testserver:8123", "http://testserver:8123"),
        ("localhost:8123", "http://localhost:8123"),
        ("testserver", "https://shop.example:8443"),
    ],
)
def test_our_own_origin_and_trusted_ones_may_connect(
    live: Live, alices: Client, settings: Any, host: str, origin: str
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example:8443"]
    page = handshake(live, alices, host=host, origin=origin)
    assert page.accepted and page.hello([])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("testserver", None),
        ("testserver", ""),
        ("testserver", "null"),
        ("testserver", "https://testserver"),
        ("testserver", "http://testserver:8080"),
        ("testserver:8123", "http://testserver:8124"),
        ("testserver:8123", "http://testserver"),
        ("testserver", "http://evil.example"),
        ("testserver", "http://testserver.evil.example"),
        ("testserver", "http://nottestserver"),
        ("testserver", "http://localhost"),
        ("testserver", "http://testserver:port"),
        ("testserver", "testserver"),
        ("testserver", "https://shop.example"),
        ("testserver", "http://shop.example:8443"),
    ],
)
def test_a_foreign_origin_is_refused(live: Live, alices: Client, settings: Any, host: str, origin: str | None) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example:8443"]
    refused = Counted("sockets_refused_total", why="origin")
    page = handshake(live, alices, host=host, origin=origin)
    assert not page.accepted and refused() == 1 and not live.hub.sockets


@pytest.mark.parametrize("host", ["evil.example", "", None, "testserver.evil.example"])
def test_a_foreign_host_is_refused(live: Live, alices: Client, host: str | None) -> None:
    refused = Counted("sockets_refused_total", why="host")
    page = handshake(live, alices, host=host, origin=f"http://{host}")
    assert not page.accepted and refused() == 1


def test_behind_a_trusted_proxy_the_scheme_is_the_one_it_names(live: Live, alices: Client, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    secure = {"x-forwarded-proto": "https"}
    assert handshake(live, alices, origin="https://testserver", **secure).accepted
    assert not handshake(live, alices, origin="http://testserver", **secure).accepted
    assert handshake(live, alices, origin="http://testserver").accepted


def test_without_a_trusted_proxy_its_header_is_not_believed(live: Live, alices: Client, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    assert not handshake(live, alices, origin="https://testserver", **{"x-forwarded-proto": "https"}).accepted


def test_switched_to_polling_every_socket_is_refused_at_once(live: Live, alices: Client, settings: Any) -> None:
    refused = Counted("sockets_refused_total", why="poll")
    settings.LIVE = {**settings.LIVE, "TRANSPORT": "poll"}
    assert not live.open(alices).accepted and refused() == 1
    settings.LIVE = {**settings.LIVE, "TRANSPORT": "socket"}
    assert live.open(alices).accepted


def test_a_server_that_is_going_takes_nobody_new_and_says_goodbye(live: Live, alices: Client, settings: Any) -> None:
    page = live.page(alices, [])
    live.call(live.hub.goodbye)
    assert page.closed() == 4012
    assert page.got[-1] == {"t": "bye", "spread": settings.LIVE["RETURN_SPREAD"]}
    refused = Counted("sockets_refused_total", why="going")
    assert not live.open(alices).accepted and refused() == 1


# --- What may be said


def test_a_message_over_the_limit_closes(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    page.send_text("x" * (64 * 1024 + 1))
    assert page.closed() == 4009


def test_the_limit_counts_bytes_and_the_largest_message_passes(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    bare = json.dumps({"t": "beat", "pad": ""})
    page.send(t="beat", pad="x" * (64 * 1024 - len(bare)))
    until(lambda: page.of("beat"), "the largest message is taken")
    page.send_text(json.dumps({"t": "beat", "pad": "é" * 33_000}, ensure_ascii=False))
    assert page.closed() == 4009


def test_bytes_are_refused(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    page.send_raw(type="websocket.receive", bytes=b"\x00")
    assert page.closed() == 4009


MALFORMED = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"hello"',
    "{}",
    '{"t": null}',
    '{"t": []}',
    '{"t": "nothing"}',
    '{"t": "welcome"}',
    '{"t": "__init__"}',
    '{"t": "hello"}',
    '{"t": "hello", "c": 5, "topics": []}',
    '{"t": "hello", "c": "", "topics": "board.1"}',
    '{"t": "hello", "c": "", "topics": {"board.1": 1}}',
    '{"t": "hello", "c": "", "topics": [1]}',
    '{"t": "hello", "c": "", "topics": [null]}',
    '{"t": "hello", "c": "", "topics": [], "page": 5}',
    '{"t": "hello", "c": "", "topics": [], "page": "a\\u0000b"}',
    '{"t": "hello", "c": "", "topics": [], "page": "\\ud800"}',
    '{"t": "hello", "c": "", "topics": [], "link": "\\u0000"}',
    '{"t": "hello", "c": "", "topics": ["board.1\\u0000"]}',
    '{"t": "hello", "c": "\\ud800", "topics": []}',
    '{"t": "follow", "c": "", "topics": null}',
    '{"t": "unfollow"}',
    '{"t": "ack"}',
    '{"t": "ack", "n": -5}',
    '{"t": "ack", "n": 10000000}',
    '{"t": "ack", "n": "many"}',
    '{"t": "ack", "n": []}',
    '{"t": "ack", "n": 1e999}',
    '{"t": "ack", "n": NaN}',
    '{"t": "ack", "n": 1, "lag": 5}',
    '{"t": "ack", "n": 1, "lag": [NaN]}',
    '{"t": "ack", "n": 1, "lag": [Infinity]}',
    '{"t": "say"}',
    '{"t": "say", "kind": []}',
    "[" * 30_000,
    json.dumps({"t": "hello", "c": "", "topics": ["x" * 101]}),
    json.dumps({"t": "hello", "c": "", "topics": [f"board.{n}" for n in range(501)]}),
    json.dumps({"t": "hello", "c": "", "topics": [], "page": "x" * 201}),
]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:60])
def test_what_is_not_the_protocol_closes_and_hurts_nobody(
    live: Live, board: Board, alices: Client, bobs: Client, topic: str, text: str, caplog: Any
) -> None:
    other, page = live.page(bobs, [topic]), live.page(alices, [topic])
    page.send_text(text)
    assert page.closed() == 4400
    Note.objects.create(board=board, text="Milk")
    other.sees("Milk")
    assert caplog.text == ""
    assert sample("commit_to_browser_seconds_sum") == sample("commit_to_browser_seconds_sum"), "never not-a-number"


@pytest.mark.parametrize(
    "text",
    [
        '{"t": "ack", "n": 1, "lag": ["nan", null, {}, "5"]}',
        '{"t": "ack", "n": 1, "lag": [1e400]}',
        '{"t": "say", "kind": "board.unknown", "data": {}}',
        '{"t": "say", "kind": "board.typing", "data": []}',
        '{"t": "unfollow", "topics": ["nothing"]}',
        '{"t": "beat", "away": "yes", "more": {"x": [1]}}',
    ],
)
def test_what_is_odd_but_harmless_is_taken(live: Live, alices: Client, text: str) -> None:
    page = live.page(alices, [])
    page.send_text(text)
    page.send(t="beat")
    until(lambda: page.of("beat"), "still answered")
    assert page.code is None and sample("commit_to_browser_seconds_sum") < float("inf")


def test_a_page_that_talks_too_fast_is_closed(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    for _ in range(260):
        page.send(t="ack", n=0)
    assert page.closed() == 4029


def test_a_burst_within_reason_passes(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    for _ in range(150):
        page.send(t="ack", n=0)
    page.send(t="beat")
    until(lambda: page.of("beat"), "still answered")


def test_no_page_follows_more_than_its_share(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.open(alices)
    page.hello([f"user.{10**9 + n}" for n in range(499)])
    page.send(t="follow", c=page.cursor, topics=[f"user.{10**10 + n}" for n in range(490)])
    page.follow([topic])
    assert live.hub.followers.keys() == {topic}


# --- Saying


def test_typing_reaches_the_others_on_the_topic(
    live: Live, board: Board, alices: Client, alice: Any, bobs: Client, topic: str
) -> None:
    hers, his, idle = live.page(alices, [topic]), live.page(bobs, [topic]), live.page(bobs, [])
    live.joined(topic)
    hers.send(t="say", kind="board.typing", data={"board": board.pk})
    (signal,) = until(lambda: his.of("signal"), "a signal")
    assert signal == {"t": "signal", "topic": topic, "name": "typing", "data": {"who": str(alice.pk)}}
    his.send(t="say", kind="board.typing", data={"board": board.pk})
    until(lambda: hers.of("signal"), "the answer")
    assert len(hers.of("signal")) == 1 and len(his.of("signal")) == 1 and idle.of("signal") == []
    assert JournalRow.objects.filter(fragment__contains="typing").count() == 0


def test_a_handler_checks_access_itself_and_its_failure_costs_nothing(
    live: Live, board: Board, alices: Client, bobs: Client, charlies: Client, topic: str, caplog: Any
) -> None:
    his, strange = live.page(bobs, [topic]), live.page(charlies, [])
    live.joined(topic)
    strange.send(t="say", kind="board.typing", data={"board": board.pk})
    strange.send(t="say", kind="board.typing", data={"board": "no number"})
    until(lambda: "could not be handled" in caplog.text, "logged")
    hers = live.page(alices, [])
    hers.send(t="say", kind="board.typing", data={"board": board.pk})
    until(lambda: his.of("signal"), "a signal")
    assert len(his.of("signal")) == 1 and strange.code is None


# --- Leaving


def test_who_leaves_is_forgotten(live: Live, board: Board, alices: Client, topic: str) -> None:
    pages, before = [live.page(alices, [topic]) for _ in range(3)], Counted("closes_total", code="1001")
    for page in pages:
        page.leave()
    until(lambda: not live.hub.sockets, "all have left")
    assert live.hub.followers == {} and before() == 3 and sample("sockets_open") == 0


def test_who_leaves_before_the_answer_is_not_answered(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.open(alices).say_hello([topic])
    page.leave()
    until(lambda: not live.hub.sockets, "left")
    until(lambda: not live.hub.waiting, "the question is taken up")
    live.quiet()
    assert live.hub.followers == {}


def test_who_never_says_hello_is_closed(live: Live, alices: Client, settings: Any) -> None:
    settings.LIVE = {**settings.LIVE, "HELLO_WITHIN": 0.3, "ACK_WITHIN": 0.4}
    assert live.open(alices).closed() == 4013


def test_every_close_code_is_counted(live: Live, alices: Client) -> None:
    page, closes = live.page(alices, []), Counted("closes_total", code="4400")
    page.send_text("{")
    page.closed()
    assert closes() == 1 and counters.snapshot()[f"{counters.PREFIX}closes_total{{code=4400}}"] >= 1


def test_the_consumer_needs_no_channel_of_its_own(live: Live, alices: Client) -> None:
    from realtime.consumer import LiveConsumer

    assert LiveConsumer.channel_layer_alias is None and live.hub is hub.current()
