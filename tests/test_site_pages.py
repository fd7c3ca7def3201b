"""What every page must be (style.md, habit 10), found by walking the site as each role over a populated database."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings import actions
from bookings.tests import make
from tests.crawl import Crawl
from tests.world import job, populate, visit

PASSWORD = "correct horse battery staple"
STARTS = ("/", "/accounts/profile/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")


@pytest.fixture
def populated(media, alice: User, bob: User, dora: User, frank: User) -> None:
    """Bookings in every state."""
    frank.is_superuser = True
    frank.save(update_fields=["is_superuser"])
    populate(alice, bob, dora)


def browser(user: User | None) -> Client:
    """Signed in as `user` with a password just given; None: nobody."""
    client = Client()
    if user is not None:
        if not user.has_usable_password() or not user.check_password(PASSWORD):
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    ("who", "at_least"), [("alice", 45), ("bob", 40), ("charlie", 10), ("dora", 18), ("ed", 9), ("", 9)]
)
def test_every_page_that_a_person_reaches_is_sound(populated, request, who, at_least):
    """One h1, a strict policy, nothing inline, unique ids, no dead link, action, anchor or file."""
    crawl = Crawl(browser(request.getfixturevalue(who) if who else None)).walk(*STARTS)
    assert not crawl.wrong, "\n".join(sorted(set(crawl.wrong)))
    assert len(crawl.pages) >= at_least, sorted(crawl.pages)


def test_an_admin_finds_no_dead_link_in_the_admin_either(populated, frank):
    """Django's own pages are not ours to judge, but what we put there must load, under the same policy."""
    crawl = Crawl(browser(frank), most=3).walk("/")
    ours = [what for what in crawl.wrong if not re.search(r"inline|elements of id| h1|which is not there", what)]
    assert not ours, "\n".join(sorted(set(ours)))
    assert any("/admin/bookings/booking/" in url for url in crawl.pages)


@pytest.mark.parametrize("url", ["/no/such/page/", "/jobs/999999/", "/static/no-such-file.css"])
def test_errors_are_pages_too(client, alice, url):
    client.force_login(alice)
    response = client.get(url)
    assert response.status_code == 404
    if not url.startswith(settings.STATIC_URL):
        assert response.content.decode().count("<h1") == 1
        assert "script-src 'self'" in response["Content-Security-Policy"]


def test_refusals_are_pages_with_a_way_on(client, alice, bob):
    """409 and 422, as a page (without JavaScript) with one h1 and a link, and under the policy."""
    now = timezone.now()
    bid = make.offer(job(alice, 2, now, "Tap"), bob, 60, now=now)
    url = reverse("bookings:accept", args=[bid.booking_id, bid.pk, 1])
    actions.revise_bid(bid, by=bob, amount=bid.amount + 1, starts_at=bid.starts_at)
    client.force_login(alice)
    for response in (client.get(url), client.post(url)):
        html = response.content.decode()
        assert response.status_code == 409 and "The price changed, please look again." in html
        assert html.count("<h1") == 1 and f'href="{reverse("bookings:job", args=[bid.booking_id])}"' in html
        assert "script-src 'self'" in response["Content-Security-Policy"]


# --- Lists cost the same for one row as for twenty ------------------------------------------------


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
