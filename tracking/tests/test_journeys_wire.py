"""Somebody on the way, over real sockets and polls: who hears each fix, and how soon nobody does any more."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings import actions as visits
from bookings.live.customer import booking_customer
from bookings.tests import make
from bookings.tests.make import HOUR
from common.geo import Point
from realtime.tests.conftest import live  # noqa: F401 (fixture)
from realtime.tests.harness import Live, Page, journal_now, session_of, until
from tracking import actions
from tracking.models import Journey, Position, ShareLink
from tracking.topics import journey_topic

POLL = "/live/poll"
ON_THE_ROAD = Point(51.5450, -0.1410)
SECRET = Point(51.4444, -0.0777)  # where they go afterwards


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here: the hub reads on connections of its own."""


@pytest.fixture
def visit(alice, bob):
    """Bob is booked with Alice, an hour from now."""
    now = timezone.now()
    return make.visit(alice, bob, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)


@pytest.fixture
def journey(visit, bob) -> Journey:
    """Bob is on the way, and has been seen."""
    journey = actions.set_out(visit, by=bob)
    fix(journey, ON_THE_ROAD)
    return journey


@pytest.fixture
def link(journey, alice) -> ShareLink:
    """Alice has shared it."""
    return actions.share(journey, by=alice)


def fix(journey: Journey, place: Point) -> Position:
    """A fix is believed, as intake writes it; also after the end, as if something were still collected."""
    row = Position.objects.filter(user=journey.traveller_id).first() or Position(user_id=journey.traveller_id)
    now = timezone.now()
    row.latitude, row.longitude, row.fix_at, row.seen_at, row.received_at = *place, now, now, now
    row.journey_id = journey.pk
    row.save()
    return row


def card_topics(journey: Journey) -> list[str]:
    """What the customer's job page follows of it."""
    return [booking_customer(journey.booking_id), journey_topic(journey.pk)]


def bearer(live: Live, link: ShareLink) -> Page:  # noqa: F811
    """The page of somebody with the link, without a session."""
    page = live.open(None)
    page.hello([journey_topic(link.journey_id)], link=link.token)
    return page


def refused(live: Live, journey: Journey, token: str) -> Page:  # noqa: F811
    """The page of somebody whose link opens nothing: it is sent away for good."""
    page = live.open(None)
    page.say_hello([journey_topic(journey.pk)], link=token)
    assert page.closed() == 4403
    return page


def heard(page: Page) -> str:
    """All that a page was ever sent."""
    return json.dumps(page.got)


def polled(client: Client, topics: list[str], cursor: str, **more: str) -> dict:
    """What a page without a socket is answered."""
    answer = client.get(POLL, {"c": cursor, "topic": topics, **more})
    return answer.json() if answer.status_code == 200 else {"f": [], "status": answer.status_code}


class TestWhileItLasts:
    def test_each_fix_reaches_the_customer_and_the_bearer(self, live, journey, link, alice) -> None:  # noqa: F811
        pages = [live.page(session_of(alice), card_topics(journey)), bearer(live, link)]
        fix(journey, Point(51.5412, -0.1404))
        for page in pages:
            page.sees("51.5412")

    def test_strangers_and_the_desks_page_of_another_topic_do_not(self, live, journey, link, charlie, bob) -> None:  # noqa: F811
        strangers = [live.page(session_of(each), [journey_topic(journey.pk)]) for each in (charlie, bob)]
        made_up = refused(live, journey, "x" * 32)
        seen = bearer(live, link)
        fix(journey, Point(51.5412, -0.1404))
        seen.sees("51.5412")
        live.quiet()
        for page in (*strangers, made_up):
            assert "51.54" not in heard(page) and "Bob" not in heard(page)

    def test_the_poll_says_the_same(self, journey, link, alice) -> None:
        cursor = journal_now()
        fix(journey, Point(51.5412, -0.1404))
        mine = polled(session_of(alice), card_topics(journey), cursor)
        theirs = polled(Client(), [journey_topic(journey.pk)], cursor, link=link.token)
        for answer in (mine, theirs):
            assert any("51.5412" in (piece["html"] or "") for piece in answer["f"])

    def test_a_stranger_polls_in_vain(self, journey, charlie) -> None:
        cursor = journal_now()
        fix(journey, Point(51.5412, -0.1404))
        answer = polled(session_of(charlie), card_topics(journey), cursor)
        assert not answer["f"] and set(answer["gone"]) == set(card_topics(journey))


ENDS = {
    "arrived": lambda v, j, a, b: visits.check_in(v, by=b),
    "cancelled": lambda v, j, a, b: visits.cancel_booking(v.booking, by=a, reason="mistake"),
    "turned back": lambda v, j, a, b: actions.turn_back(j, by=b),
}


class TestAfterTheEnd:
    @pytest.mark.parametrize("end", ENDS)
    def test_open_sockets_are_told_at_once_and_hear_nothing_more(
        self, live, visit, journey, link, alice, bob, end  # noqa: F811
    ) -> None:  # fmt: skip
        topic = journey_topic(journey.pk)
        pages = [live.page(session_of(alice), card_topics(journey)), bearer(live, link)]
        ENDS[end](visit, journey, alice, bob)
        for page in pages:
            until(lambda page=page: [f for f in page.got if topic in f.get("gone", ())], "the topic is gone")
        until(lambda: f"tracking-ride-{visit.booking_id}" not in pages[0].html, "the card has left the page")
        fix(journey, SECRET)
        live.quiet()
        for page in pages:
            assert "51.4444" not in heard(page)

    def test_nor_does_the_poll_nor_a_page_that_comes_back(self, live, visit, journey, link, alice, bob) -> None:  # noqa: F811
        cursor = journal_now()
        visits.check_in(visit, by=bob)
        fix(journey, SECRET)
        back = live.page(session_of(alice), card_topics(journey), cursor)
        answers = [
            json.dumps(polled(session_of(alice), card_topics(journey), cursor)),
            json.dumps(polled(Client(), [journey_topic(journey.pk)], cursor, link=link.token)),
            heard(back),
            heard(refused(live, journey, link.token)),
            session_of(alice).get(f"/jobs/{visit.booking_id}/").content.decode(),
            Client().get(reverse("tracking:shared", args=[link.token])).content.decode(),
        ]
        for answer in answers:
            assert "51.4444" not in answer and "51.545" not in answer

    def test_a_link_taken_back_ends_on_its_open_page_while_the_customer_goes_on(
        self, live, journey, link, alice  # noqa: F811
    ) -> None:  # fmt: skip
        mine, theirs = live.page(session_of(alice), card_topics(journey)), bearer(live, link)
        actions.revoke_link(link, by=alice)
        until(lambda: [f for f in theirs.got if journey_topic(journey.pk) in f.get("gone", ())], "told that it is gone")
        fix(journey, SECRET)
        mine.sees("51.4444")
        live.quiet()
        assert "51.4444" not in heard(theirs)

    def test_the_next_trip_is_not_the_old_links(self, live, visit, journey, link, bob) -> None:  # noqa: F811
        actions.turn_back(journey, by=bob)
        again = actions.set_out(visit, by=bob, now=timezone.now() + timedelta(seconds=1))
        page = refused(live, again, link.token)
        fix(again, SECRET)
        live.quiet()
        assert "51.4444" not in heard(page)
