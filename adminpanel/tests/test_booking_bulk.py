"""Several jobs at once: each for itself, with its outcome in words; sent twice, done once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import DeskAction, User
from adminpanel.tests.test_bookings import job, visit
from adminpanel.views.booking_bulk import BULKS
from bookings import actions
from bookings.models import Booking
from bookings.tests import make
from bookings.tests.make import DAY


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def url(verb: str, *jobs: Booking) -> str:
    """The page that asks, with these jobs ticked."""
    return f"{reverse('desk:bookings_bulk', args=[verb])}?{'&'.join(f'pk={each.pk}' for each in jobs)}"


def sent(client: Client, verb: str, *jobs: Booking, **data: Any) -> tuple[str, list[tuple[bool, str]]]:
    """(the heading, the outcome of each job) after the desk said yes."""
    answer = client.post(url(verb), {"pk": [each.pk for each in jobs], "reason": "A burst main", **data})
    html = answer.content.decode()
    assert answer.status_code == 200, html[-2000:]
    heading = re.search(r"<h1>([^<]+)", html)
    found = re.findall(r'aria-label="(Done|Not done)".*?class="row-sub">([^<]*)<', html, re.DOTALL)
    assert heading
    return heading[1], [(word == "Done", text) for word, text in found]


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
@pytest.mark.parametrize("verb", BULKS)
def test_other_roles_are_refused(client: Client, request: Any, alice: User, who: str, verb: str) -> None:
    booking = job(alice)
    client.force_login(request.getfixturevalue(who))
    assert client.get(url(verb, booking)).status_code == 403
    assert client.post(url(verb), {"pk": booking.pk, "reason": "Why not"}).status_code == 403
    assert make.fresh(booking).status == "open"


def test_the_page_names_the_jobs_that_were_ticked(desk: Client, alice: User) -> None:
    first, second, third = job(alice, title="One"), job(alice, title="Two"), job(alice, title="Three")
    html = desk.get(url("cancel", third, first)).content.decode()
    assert html.index("Three") < html.index("One") and "Two" not in html and second.pk
    assert "No job is ticked" in desk.get(url("cancel")).content.decode()
    assert desk.get(url("eat", first)).status_code == 404
    assert desk.get(f"{url('cancel')}{'&'.join(f'pk={each}' for each in range(1, 103))}").status_code == 422


def test_it_asks_for_a_reason_before_it_does_anything(desk: Client, alice: User) -> None:
    booking = job(alice)
    answer = desk.post(url("cancel"), {"pk": booking.pk, "code": "other", "reason": ""})
    assert answer.status_code == 422 and "Kitchen tap leaks" in answer.content.decode()
    assert make.fresh(booking).status == "open"


def test_each_job_has_its_own_outcome(desk: Client, alice: User, bob: User, frank: User) -> None:
    fine, over = job(alice), job(alice)
    actions.cancel_booking(over, by=alice, reason="mistake")
    booked = visit(alice, bob).booking
    heading, outcomes = sent(desk, "cancel", fine, over, booked, code="other")
    assert heading == "2 of 3 done" and [each[0] for each in outcomes] == [True, False, True]
    assert "cancelled" in outcomes[1][1] and "called off" in outcomes[0][1]
    assert {make.fresh(each).status for each in (fine, over, booked)} == {"cancelled"}
    assert fine.history.latest("pk").actor == frank and "A burst main" in fine.history.latest("pk").reason
    line = DeskAction.objects.get()
    assert (line.verb, line.label, line.reason) == ("bulk_cancelled", "2 of 3 jobs", "A burst main")


def test_the_cheapest_offer_of_each_is_accepted(desk: Client, alice: User, bob: User, dora: User) -> None:
    now, wanted, lonely = timezone.now(), job(alice), job(alice, 5)
    make.offer(wanted, dora, 90, now=now)
    make.offer(wanted, bob, 61, now=now)
    heading, outcomes = sent(desk, "accept", wanted, lonely)
    assert heading == "1 of 2 done"
    assert outcomes == [(True, "Bob comes for £61.00"), (False, "There is no offer to accept.")]
    assert wanted.sessions.get().technician.user == bob
    kept = DeskAction.objects.get(verb="accepted_offer")
    assert (kept.person, kept.subject_id) == (alice, wanted.pk)


def test_jobs_move_by_days_at_the_same_time_of_day(desk: Client, alice: User, bob: User) -> None:
    open_, session = job(alice), visit(alice, bob, 3)
    done = make.in_state(alice, make.technician("Zed"), "completed")
    heading, outcomes = sent(desk, "move", open_, session.booking, done, days="7")
    assert heading == "2 of 3 done" and "nothing to move" in outcomes[2][1]
    zone = open_.zone
    for before, after in (
        (open_.window_start, make.fresh(open_).window_start),
        (session.starts_at, make.fresh(session).starts_at),
    ):
        first, then = before.astimezone(zone), after.astimezone(zone)
        assert then.replace(tzinfo=None) - first.replace(tzinfo=None) == 7 * DAY
    assert desk.post(url("move"), {"pk": open_.pk, "reason": "x", "days": "0"}).status_code == 422


def test_one_that_cannot_move_stands_in_nobodys_way(desk: Client, alice: User, charlie: User, bob: User) -> None:
    first, second = visit(alice, bob, 3), visit(charlie, bob, 4)
    heading, outcomes = sent(desk, "move", first.booking, second.booking, days="1")
    assert heading == "1 of 2 done" and not outcomes[0][0] and "Bob has a visit" in outcomes[0][1]
    assert make.fresh(first).starts_at == first.starts_at and make.fresh(second).starts_at != second.starts_at


def test_what_is_sent_twice_is_done_once(desk: Client, alice: User) -> None:
    booking = job(alice)
    before = booking.window_start
    data = {"pk": booking.pk, "reason": "x", "days": "1", "idempotency_key": "one"}
    first, second = (desk.post(url("move"), data) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 409) and "a moment ago" in second.content.decode()
    assert (make.fresh(booking).window_start - before).days == 1
