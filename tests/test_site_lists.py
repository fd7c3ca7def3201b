"""A list costs the same for twenty rows as for two, whatever they are rows of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings.tests import make
from tests.crawl import browser
from tests.world import job, visit


def queries(client: Client, url: str) -> int:
    """How many queries a page takes; it was asked once before, so that nothing is counted that is kept."""
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def open_jobs(alice: User, bob: User, number: int) -> None:
    """An open job of Alice's, with an offer of Bob's on every other one."""
    booking = job(alice, 2 + number, timezone.now(), f"Job {number}", photo=True)
    if number % 2:
        make.offer(booking, bob, 50 + number, now=timezone.now())


def visits(alice: User, bob: User, number: int) -> None:
    """A booked visit."""
    visit(alice, bob, 2 + number, timezone.now(), f"Visit {number}")


def finished(alice: User, bob: User, number: int) -> None:
    """A finished job."""
    now = timezone.now()
    make.finished(visit(alice, bob, 2 + number, now, f"Done {number}"), at=now)


def rivals(alice: User, bob: User, number: int) -> None:
    """One more offer on the first job."""
    if not alice.bookings.exists():
        job(alice, 2, timezone.now(), "Wanted by many")
    make.offer(alice.bookings.get(), make.technician(f"Rival{number}"), 50 + number, now=timezone.now())


def first_job(alice: User) -> str:
    """The page of Alice's first job."""
    return reverse("bookings:job", args=[alice.bookings.order_by("pk").first().pk])


LISTS: list[tuple[str, str, Callable[[User, User, int], None], str]] = [
    ("alice", "home", open_jobs, "active"),
    ("alice", "home", finished, "past"),
    ("alice", "first job", rivals, "offers"),
    ("bob", "bookings:marketplace", open_jobs, "market"),
    ("bob", "bookings:today", visits, "visits"),
    ("bob", "bookings:today", open_jobs, "offers"),
    ("frank", "admin:bookings_booking_changelist", open_jobs, "bookings"),
    ("frank", "admin:bookings_bid_changelist", rivals, "bids"),
    ("frank", "admin:bookings_session_changelist", visits, "visits"),
    ("frank", "admin:accounts_technician_changelist", rivals, "technicians"),
    ("frank", "admin:accounts_user_changelist", rivals, "people"),
]


@pytest.mark.parametrize(("who", "page", "one_more", "what"), LISTS, ids=lambda value: str(value).split(":")[-1])
def test_a_list_of_twenty_takes_no_more_queries_than_a_list_of_two(
    media, alice, bob, frank, request, who, page, one_more, what
):
    """From two on, since Django leaves a prefetch out for none; the sorts of rows are mixed in both."""
    frank.is_superuser = True
    frank.save(update_fields=["is_superuser"])
    client = browser(request.getfixturevalue(who))
    for number in (0, 1, 2):
        one_more(alice, bob, number)
    url = first_job(alice) if page == "first job" else reverse(page)
    few = queries(client, url)
    for number in range(3, 21):
        one_more(alice, bob, number)
    assert queries(client, url) == few


def test_the_list_of_sessions_does_too(alice):
    client = browser(alice)
    few = queries(client, reverse("usersessions_list"))
    for _ in range(10):
        browser(alice)
    assert queries(client, reverse("usersessions_list")) == few
