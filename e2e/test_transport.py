"""How pages hear when sockets are refused, cut or switched off: by asking, at the domain's intervals."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Response, expect

from e2e.live import Desk, write
from realtime.tests.board.models import Card

JITTER = 0.2
SLACK = 0.3  # seconds that a busy machine may add to a timer; it never takes any off


def started(poll: Response) -> float:
    """When the browser asked, in seconds."""
    return poll.request.timing["startTime"] / 1000


def answered(poll: Response) -> float:
    """When the page had the answer's head: its end may be noted later than the page goes on."""
    return started(poll) + max(poll.request.timing["responseStart"], 0) / 1000


def pauses(polls: list[Response]) -> list[float]:
    """The seconds between each answer and the next question."""
    for poll in polls:
        poll.finished()
    return [started(after) - answered(before) for before, after in pairwise(polls)]


def is_around(pause: float, every: float) -> bool:
    """Whether `pause` is `every` on a machine that may be busy."""
    return every - 0.03 <= pause <= every + SLACK


def badge_says(page: Page, words: str) -> None:
    expect(page.locator("#live-badge")).to_have_text(re.compile(rf"^{words} · data as of \d\d:\d\d$"))


def asks_no_more(desk: Desk, board) -> None:
    """The socket is back: three changes arrive by it, longer than two polls would take, and nothing was asked."""
    desk.live()
    asked = len(desk.wire.polls)
    heard = len(desk.wire.of("beat"))
    desk.until(lambda: len(desk.wire.of("beat")) >= heard + 2, "two heartbeats")
    write(board, "By the socket")
    desk.sees("By the socket")
    assert desk.wire.bringing("By the socket")
    assert len(desk.wire.polls) == asked
    assert len(desk.wire.open) == 1


# --- Switched off by the operator -----------------------------------------------------------------


@pytest.mark.smoke
def test_with_sockets_switched_off_a_page_opens_none_and_follows_by_polling(site, desk, alice, board, console):
    # Precondition: the server was started with LIVE_TRANSPORT=poll.
    site.restart({"LIVE_TRANSPORT": "poll"}, kill=True)
    page = desk(alice).polling()

    write(board, "Asked for")
    Card.objects.create(board=board, title="A card", rank=3)

    page.sees("Asked for").sees("A card").is_true()
    badge_says(page.page, "Polling")
    assert page.wire.sockets == []
    assert {poll.headers["live-transport"] for poll in page.wire.polls} == {"poll"}

    console.allow_outage()
    site.restart()

    asks_no_more(page, board)
    page.is_true()
    assert page.wire.at_once == 1


def test_switching_sockets_off_moves_open_pages_to_polling_without_new_code(site, desk, alice, bob, board, console):
    console.allow_outage()
    pages = [desk(alice).live(), desk(bob).live()]

    site.restart({"LIVE_TRANSPORT": "poll"})
    for page in pages:
        page.polling()
    tried = [len(page.wire.sockets) for page in pages]
    asked = [len(page.wire.polls) for page in pages]
    write(board, "Without sockets")

    for page, before in zip(pages, asked, strict=True):
        page.sees("Without sockets").is_true()
        page.until(lambda page=page, before=before: len(page.wire.polls) >= before + 4, "four more polls")
    assert [len(page.wire.sockets) for page in pages] == tried
    assert all(page.wire.at_once == 1 and not page.wire.open for page in pages)


# --- Refused and cut by what stands between ------------------------------------------------------


def test_a_proxy_without_upgrades_costs_nothing_but_time(proxy, desk, alice, board, console):
    console.allow_outage()
    proxy.upgrades = False
    page = desk(alice, url=proxy.url).polling()
    badge_says(page.page, "Polling")

    write(board, "Through the old proxy")
    page.sees("Through the old proxy").is_true()

    asked = len(page.wire.polls)
    page.until(lambda: len(page.wire.polls) >= asked + 2, "two unchanged polls")
    unchanged = page.wire.polls[-1]
    assert unchanged.status == 204
    assert unchanged.headers["live-cursor"]
    assert abs(int(unchanged.headers["live-as-of"]) / 1000 - time.time()) < 10
    # A page that polls goes on trying, so one try may be under way at any moment: none of them gets through.
    page.until(lambda: page.wire.open == [], "the try that is under way is refused")
    assert page.wire.got == []

    proxy.upgrades = True

    asks_no_more(page, board)
    expect(page.badge).to_be_hidden()
    page.is_true()
    assert page.wire.at_once == 1


def test_a_cut_in_the_middle_shows_after_three_seconds(site, proxy, desk, alice, board, console):
    # Precondition: the domain's own limit, not the shrunk one of the other tests.
    console.allow_outage()
    site.restart({"LIVE_TROUBLE_AFTER": "3", "LIVE_HEARTBEAT_EVERY": "1"}, kill=True)
    page = desk(alice, url=proxy.url).live()
    write(board, "Before the cut")
    page.sees("Before the cut")
    expect(page.badge).to_be_hidden()

    cut_at = time.monotonic()
    proxy.upgrades = False
    proxy.cut()
    expect(page.root).to_have_attribute("data-live", "reconnecting")
    write(board, "During the cut")
    expect(page.badge).to_be_visible()
    assert 2.9 <= time.monotonic() - cut_at <= 6
    page.polling().sees("During the cut").is_true()
    badge_says(page.page, "Polling")

    proxy.upgrades = True

    asks_no_more(page, board)
    expect(page.badge).to_be_hidden()
    assert page.wire.at_once == 1


def test_a_short_cut_shows_no_badge(site, proxy, desk, alice, board, console):
    # Precondition: a limit far above what coming back takes.
    console.allow_outage()
    site.restart({"LIVE_TROUBLE_AFTER": "30"}, kill=True)
    page = desk(alice, url=proxy.url).live()
    page.page.evaluate(
        """new MutationObserver(() => { window.badgeSeen = true })
           .observe(document.getElementById("live-badge"), { attributeFilter: ["data-state"] })"""
    )

    proxy.cut()
    write(board, "While away")

    page.sees("While away").live().is_true()
    assert len(page.wire.sockets) >= 2
    assert page.wire.at_once == 1
    assert page.wire.polls == []
    assert not page.page.evaluate("window.badgeSeen")


def test_a_dead_line_is_noticed_by_the_heartbeat(site, proxy, desk, alice, board):
    # Precondition: the browser thinks that its socket is open; nothing comes through it.
    page = desk(alice, url=proxy.url).live()
    first = page.wire.sockets[0]

    proxy.lose()
    write(board, "Lost on the line")

    page.sees("Lost on the line").live().is_true()
    assert len(page.wire.sockets) == 2
    assert first is not page.wire.sockets[1]


def test_a_browser_without_network_says_so_and_returns_at_once(site, proxy, desk, alice, bob, board, console):
    # Precondition: a wait before the next try that would be far too long.
    console.allow_outage()
    site.restart({"LIVE_RETRY_FROM": "60", "LIVE_RETRY_AT_MOST": "60", "LIVE_POLL_EVERY_CLOSE": "60"}, kill=True)
    page, witness = desk(alice, url=proxy.url).live(), desk(bob).live()

    page.page.context.set_offline(True)
    proxy.cut()
    expect(page.badge).to_have_attribute("data-state", "offline")
    badge_says(page.page, "Offline")
    write(board, "While offline")
    witness.sees("While offline")
    assert page.notes.count() == 1
    page.page.context.set_offline(False)

    page.sees("While offline").live().is_true()
    expect(page.badge).to_be_hidden()


# --- Intervals -------------------------------------------------------------------------------------


def with_luck(desk, who, luck: float) -> Desk:
    """The desk of somebody whose jitter is always the same: 0 is the shortest, almost 1 the longest."""
    page = desk.closed(who)
    page.page.add_init_script(f"Math.random = () => {luck}")
    return page.open().polling()


def test_polls_slow_down_by_half_up_to_the_cap_and_quicken_with_a_change(site, desk, alice, bob, board):
    # Precondition: a session page's interval is 0.8 s here and the cap 2 s; nothing changes.
    site.restart({"LIVE_TRANSPORT": "poll", "LIVE_POLL_EVERY_CLOSE": "0.8", "LIVE_POLL_AT_MOST": "2"}, kill=True)
    lots = {1 - JITTER: with_luck(desk, alice, 0), 1 + JITTER: with_luck(desk, bob, 0.9999)}
    for share, page in lots.items():
        page.until(lambda page=page: len(page.wire.polls) >= 6, "six polls")
        quiet = page.wire.polls[:6]
        wanted = [share * every for every in (0.8, 1.2, 1.8, 2, 2)]
        assert {poll.status for poll in quiet} == {204}
        assert all(is_around(pause, every) for pause, every in zip(pauses(quiet), wanted, strict=True)), (
            pauses(quiet),
            wanted,
        )

    write(board, "News")

    for share, page in lots.items():
        page.sees("News")
        page.until(lambda page=page: page.wire.polls[-1].status == 204, "an unchanged poll after the news")
        changed = next(place for place, poll in enumerate(page.wire.polls) if poll.status == 200)
        assert is_around(pauses(page.wire.polls[changed : changed + 2])[0], share * 0.8)


def test_pages_poll_at_the_pace_of_their_kind(site, person, desk, alice):
    # Precondition: 0.4 s on session pages and 0.7 s on others, as in QUICK.
    site.restart({"LIVE_TRANSPORT": "poll"}, kill=True)
    usual = person(alice)
    usual.goto(reverse("profile"))

    assert desk(alice).page.locator("meta[name=live]").get_attribute("data-poll-every") == "0.4"
    assert usual.locator("meta[name=live]").get_attribute("data-poll-every") == "0.7"


# --- Access, without a socket ----------------------------------------------------------------------


def test_a_polling_page_ends_when_its_session_does(site, desk, alice, board, console):
    console.allow(r"status of 401")
    site.restart({"LIVE_TRANSPORT": "poll"}, kill=True)
    page = desk(alice).polling()

    alice.is_active = False
    alice.save(update_fields=["is_active"])

    expect(page.page).to_have_url(re.compile(re.escape(reverse("account_login"))))
    assert page.wire.polls[-1].status == 401


def test_a_polling_page_that_loses_its_topics_shows_them_no_longer(site, desk, alice, board, console):
    console.allow(r"status of 404")
    site.restart({"LIVE_TRANSPORT": "poll"}, kill=True)
    page = desk(alice).polling().sees("The first note")

    board.people.remove(alice)
    write(board, "Not for Alice")

    expect(page.page.locator("main h1")).to_have_text("This is no longer yours to see.")
    expect(page.page.locator("main [data-live]")).to_have_count(0)
    assert "Not for Alice" not in page.page.content()
