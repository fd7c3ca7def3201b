"""Who is here: people, their pages, how well they are heard; coming and going by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from adminpanel.due import health as due_health
from adminpanel.health.here import PAGE, load_counts, load_here
from adminpanel.live.here import look_at_gone
from adminpanel.tests.test_health import page, process
from bookings.tests import make
from realtime.models import JournalRow, LastSeen, Presence, ServerProcess
from tests.crawl import browser


@pytest.fixture
def web(db: None) -> ServerProcess:
    """A process that holds pages."""
    return process()


@pytest.fixture
def desk(frank: User) -> Client:
    """Frank's browser."""
    return browser(frank)


def here(user: User) -> Any:
    """Their row, or None."""
    return load_here([str(user.pk)]).get(str(user.pk))


def names(client: Client, **asked: str) -> list[str]:
    """Who is listed, in order."""
    response = client.get(reverse("desk:presence"), asked)
    return [person.user.name for person in response.context["people"].values()]


# --- One person -----------------------------------------------------------------------------------


def test_somebody_is_here_with_their_pages_since_the_first_of_them(alice, bob, web):
    first = page(web, alice, seconds=50)
    page(web, alice, seconds=10, away=True)
    found = here(alice)
    assert found.state == "online" and found.since == first.since and len(found.pages) == 2 and found.more == 0
    assert found.shown[0] == first and here(bob) is None


def test_away_is_who_looks_at_none_of_their_pages(alice, web):
    page(web, alice, away=True)
    assert here(alice).state == "away"


def test_the_worst_page_says_how_they_are_heard(alice, web):
    page(web, alice, round_trip_ms=40)
    assert (here(alice).way, here(alice).quality, here(alice).round_trip) == ("socket", "good", 40)
    page(web, alice, round_trip_ms=300)
    assert (here(alice).quality, here(alice).round_trip) == ("fair", 300)
    page(web, alice, round_trip_ms=1000)
    assert here(alice).quality == "poor"
    page(web, alice, way="switched")
    assert here(alice).way == "switched"
    page(web, alice, way="poll")
    assert here(alice).way == "poll"


def test_who_goes_from_one_page_to_the_next_stays_and_who_is_gone_goes(alice, web):
    LastSeen.objects.create(kind="user", principal=str(alice.pk), seen_at=timezone.now())
    found = here(alice)
    assert found.state == "online" and found.pages == [] and found.since is None and found.quality == "good"
    LastSeen._base_manager.update(seen_at=timezone.now() - timedelta(seconds=configured.LIVE["PRESENCE_EVERY"] * 3))
    assert here(alice) is None


def test_pages_that_are_not_heard_of_and_closed_accounts_are_not_here(alice, charlie, web):
    page(web, alice, seconds=configured.LIVE["OFFLINE_AFTER"] + 5)
    page(web, charlie)
    charlie.is_active = False
    charlie.save(update_fields=["is_active"])
    assert here(alice) is None and here(charlie) is None


def test_thirty_people_cost_as_much_as_one(web, django_assert_num_queries):
    people = [make.person(f"Person {number}") for number in range(30)]
    for person in people:
        page(web, person)
        page(web, person)
    for some in (people[:1], people):
        with django_assert_num_queries(2):
            assert len(load_here([str(person.pk) for person in some])) == len(some)


# --- The list -------------------------------------------------------------------------------------


def test_the_list_is_by_name_and_searched_and_filtered(desk, alice, bob, ed, frank, web):
    page(web, alice)
    page(web, bob, away=True)
    page(web, ed, way="poll")
    page(web, "a-link")
    assert names(desk) == sorted([alice.name, bob.name, ed.name])
    assert names(desk, role=Role.TECHNICIAN) == [bob.name] and names(desk, role="king") == names(desk)
    assert names(desk, state="away") == [bob.name] and names(desk, state="online") == sorted([alice.name, ed.name])
    assert names(desk, way="asking") == [ed.name] and names(desk, way="socket") == sorted([alice.name, bob.name])
    assert names(desk, q=alice.email) == [alice.name] and names(desk, q="no-such\0") == []
    said = desk.get(reverse("desk:presence"), {"q": "no-such"}).content.decode()
    assert "Nobody who is here fits that" in said


def test_the_list_is_paged_and_costs_the_same_for_many(desk, web, django_assert_max_num_queries):
    for number in range(PAGE + 3):
        page(web, make.person(f"Person {number:02}"))
    with django_assert_max_num_queries(11):
        response = desk.get(reverse("desk:presence"), {"page": "2"})
    assert len(response.context["people"]) == 3 and "Page 2<" in response.content.decode()
    assert 'data-new="pill"' in response.content.decode()


def test_on_one_page_people_come_in_by_themselves(desk, alice, web):
    page(web, alice)
    assert 'data-new="insert"' in desk.get(reverse("desk:presence")).content.decode()
    assert 'data-new="pill"' in desk.get(reverse("desk:presence"), {"role": "customer"}).content.decode()


def test_a_row_says_where_since_when_and_how(desk, alice, web):
    page(web, alice, round_trip_ms=420)
    Presence._base_manager.update(page="/jobs/7/?show=all")
    said = desk.get(reverse("desk:presence")).content.decode()
    assert (
        "/jobs/7/?show=all" in said and "Live, fair, 420 ms" in said and reverse("desk:person", args=[alice.pk]) in said
    )


# --- Counts ---------------------------------------------------------------------------------------


def test_people_are_counted_once_whatever_they_have_open(alice, bob, ed, web, django_assert_num_queries):
    for who in (alice, alice, ed):
        page(web, who)
    page(web, bob, away=True)
    page(web, ed, away=True)
    page(web, "a-link")
    page(web, "a-link")
    page(web, make.person("Gone"), seconds=3600)
    with django_assert_num_queries(1):
        found = load_counts(["all"])["all"]
    assert (found.all, found.away, found.links) == (3, 1, 1)
    assert {role: count for role, _, count in found.roles} == {"customer": 1, "technician": 1, "driver": 1, "admin": 0}
    assert load_counts(["other"]) == {}


# --- Live -----------------------------------------------------------------------------------------


def touched() -> set[tuple[str, str]]:
    """What pages on the topic were told to look at again."""
    return set(JournalRow.objects.filter(topic="desk.presence").values_list("fragment", "key"))


def test_coming_and_going_reaches_the_page(alice, web):
    row = page(web, alice)
    both = {("adminpanel.here", str(alice.pk)), ("adminpanel.here_counts", "all")}
    assert touched() == both
    QuerySet(JournalRow).delete()
    row.delete()
    assert touched() == both
    QuerySet(JournalRow).delete()
    page(web, "a-link")
    assert touched() == {("adminpanel.here_counts", "all")}


def test_who_does_not_come_back_is_taken_off_once(alice, web):
    now = timezone.now()
    LastSeen.objects.create(kind="user", principal=str(alice.pk), seen_at=now)
    QuerySet(JournalRow).delete()
    grace = timedelta(seconds=configured.LIVE["PRESENCE_EVERY"] * 2)
    assert look_at_gone(now, now + timedelta(seconds=1)) == 0 and not touched()
    assert look_at_gone(now + grace - timedelta(seconds=1), now + grace + timedelta(seconds=1)) == 1
    assert touched() == {("adminpanel.here", str(alice.pk)), ("adminpanel.here_counts", "all")}
    due_health._asked = None
    assert due_health.run_due(now + grace) == 1 and due_health.run_due(now + grace + timedelta(seconds=1)) == 0
