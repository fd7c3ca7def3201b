"""Many desks cost what one does."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from bookings import actions
from bookings.tests import make
from bookings.tests.make import NOW
from realtime import fragments
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Counted, Live, Page, Queries, session_of, until
from realtime.topics import user_topic

DESKS = 50
# Where a change of a job is seen at the desk.
WATCHING = ("desk:dashboard", "desk:bookings", "desk:audit")


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the hub reads on connections of its own."""


def pages_of(live: Live, user, each: int) -> list[Page]:  # noqa: F811
    """So many open pages of each kind that watches jobs, as their browsers open them."""
    client = session_of(user)
    opened = []
    for name in WATCHING:
        html = client.get(reverse(name)).content.decode()
        topics = sorted({*re.findall(r'data-topic="([^"]+)"', html), user_topic(user.pk)})
        for _ in range(each):
            page = live.open(client)
            page.say_hello(topics)
            opened.append(page)
    for page in opened:
        page.answer("welcome")
    live.quiet()
    return opened


def cost(live: Live, user, each: int, change) -> tuple[int, dict[str, int], set[tuple[str, ...]]]:  # noqa: F811
    """A change with `each` pages of a kind open: the hub's queries, its renderings, and what the kinds of pages got."""
    pages = pages_of(live, user, each)
    before = [len(page.pushes) for page in pages]  # a dashboard goes on from a count that may be a second old
    counted = {each.name: Counted("renders_total", fragment=each.name) for each in fragments.declared()}
    with Queries() as rendering:
        change()
        until(
            lambda: all(len(page.pushes) > heard for page, heard in zip(pages, before, strict=True)),
            "every desk has heard",
        )
        live.quiet()
    found = {name: times() for name, times in counted.items() if times()}
    got = {
        tuple(sorted(part["live"] for push in page.pushes[heard:] for part in push["f"]))
        for page, heard in zip(pages, before, strict=True)
    }
    for page in pages:
        page.leave()
    until(lambda: not live.hub.sockets, "all have left")
    return len(rendering.sql), found, got


@pytest.fixture
def nobody_comes_or_goes(settings) -> None:
    """Who is here is written once in a long while: it is news for the desk too, and none of this change."""
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 1000}


def test_with_fifty_desks_open_one_change_costs_what_it_costs_with_one(
    nobody_comes_or_goes,
    live,  # noqa: F811
    alice,
    bob,
    frank,
) -> None:
    make.job(alice, title="The first", now=NOW)  # so that no list is empty
    placed = [make.draft(each, title="A job", now=NOW) for each in (alice, make.person("Carol"))]
    costs = [
        cost(live, frank, each, lambda draft=draft: actions.open_booking(draft, by=draft.customer, now=NOW))
        for each, draft in zip((1, DESKS), placed, strict=True)
    ]
    (queries, rendered, got), (of_many, rendered_for_many, got_by_many) = costs
    # Topics with a pace fall into one batch or the next, and each batch begins with a look at the clock and the cursor.
    assert abs(of_many - queries) < DESKS / 5
    assert rendered == rendered_for_many and rendered["adminpanel.kpis"] == rendered["adminpanel.booking_row"] == 1
    assert got_by_many == got  # each page gets the same, in one frame or, by their pace, in several
