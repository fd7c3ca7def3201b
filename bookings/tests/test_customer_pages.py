"""The customer's pages as pages: one heading, the security policy, constant queries, and home by role."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bookings import actions
from bookings.models import Booking
from bookings.states import BookingStatus
from bookings.tests import make
from bookings.tests.make import HOUR, NOW
from bookings.views.home import HISTORY_PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(client: Client, alice: User) -> Client:
    """Alice at her browser."""
    client.force_login(alice)
    return client


def sane(answer: HttpResponse) -> str:
    """The page, with what every page of ours has."""
    assert answer.status_code == 200
    page = answer.content.decode()
    assert len(re.findall(r"<h1\b", page)) == 1
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "no-cache" in answer["Cache-Control"] or "private" in answer["Cache-Control"]
    assert not re.search(r"\sstyle=|\son\w+=\"|<script(?![^>]*src=)", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "ids are unique"
    assert not re.findall(r"<img (?![^>]*alt=)", page)
    return page


def queries(get: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        get()
    return len(seen)


class TestPages:
    @pytest.mark.parametrize("status", [s for s in BookingStatus.values if s not in ("draft", "expired", "no_show")])
    def test_the_job_page_in_every_state(self, web, alice, bob, status: str) -> None:
        booking = make.in_state(alice, bob, status)
        page = sane(web.get(f"/jobs/{booking.pk}/"))
        assert 'data-cursor="' in page and 'data-poll-every="3' in page
        assert f'data-topic="booking.{booking.pk}.customer"' in page

    def test_its_state_stands_in_fragments_only(self, web, alice, bob) -> None:
        """Two states of one job differ in nothing but live elements: nothing else can be out of date."""
        booking = make.job(alice)
        make.offer(booking, bob)
        before = outside_fragments(sane(web.get(f"/jobs/{booking.pk}/")))
        make.live(make.accept(booking.bids.get()))
        assert outside_fragments(sane(web.get(f"/jobs/{booking.pk}/"))) == before

    @pytest.mark.parametrize("path", ["cancel", "move", "code", "start"])
    def test_confirm_pages(self, web, alice, bob, path: str) -> None:
        visit = make.visit(alice, bob)
        page = sane(web.get(f"/jobs/{visit.booking_id}/{path}/"))
        assert 'name="idempotency_key"' in page and 'name="csrfmiddlewaretoken"' in page
        assert f'href="/jobs/{visit.booking_id}/" data-dialog-close' in page

    @pytest.mark.parametrize("path", ["/book/", "/book/where/", "/book/when/", "/book/review/", "/book/discard/"])
    def test_the_booking_form(self, web, alice, path: str) -> None:
        make.draft(alice)
        assert 'name="idempotency_key"' in sane(web.get(path))

    def test_home_when_nothing_was_ever_booked(self, web) -> None:
        page = sane(web.get("/"))
        assert "Nothing is going on" in page and "are kept here" in page

    def test_home_with_something_going_on_and_something_over(self, web, alice, bob) -> None:
        make.finished(make.visit(alice, bob, title="Old boiler"))
        make.offer(make.job(alice), bob, 60)
        page = sane(web.get("/")).split("<main", 1)[1]  # below the bell, which tells both
        assert page.index("Kitchen tap leaks") < page.index("Old boiler") and "best" in page and "£60.00" in page


def outside_fragments(page: str) -> str:
    """The page's main part without its live elements and regions, its keys and its cursor."""
    main = page[page.index("<main") : page.index("</main>")]
    for tag in ("header", "section", "li"):
        main = re.sub(rf'<{tag} id="bookings-[^"]*" data-live=.*?</{tag}>', "", main, flags=re.DOTALL)
    main = re.sub(r"<div [^>]*data-live-absent hidden></div>", "", main)  # places of what is not there yet
    main = re.sub(r'<section [^>]*data-live-region.*?(?=<div class="side)', "", main, flags=re.DOTALL)  # the talk
    return re.sub(r"\s+", "", main)


class TestHome:
    def test_signed_out_it_says_what_this_is(self, client: Client, db) -> None:
        make.category()
        page = sane(client.get("/"))
        assert "/accounts/signup/" in page and "/accounts/login/" in page and "£40–£120" in page
        assert 'name="live"' not in page

    @pytest.mark.parametrize(("who", "there"), [("bob", "/today/"), ("ed", "/drive/"), ("frank", "/desk/")])
    def test_the_others_are_sent_to_where_they_work(self, client: Client, request, who: str, there: str) -> None:
        client.force_login(request.getfixturevalue(who))
        assert client.get("/")["Location"] == there

    def test_the_history_begins_with_what_ended_last(self, web, alice) -> None:
        first, second = make.job(alice, title="Placed first"), make.job(alice, title="Placed second")
        actions.cancel_booking(second, by=alice, reason="plans_changed", now=NOW)
        actions.cancel_booking(first, by=alice, reason="plans_changed", now=NOW + HOUR)
        page = web.get("/").content.decode().split('id="past-jobs"')[1]
        assert page.index("Placed first") < page.index("Placed second")

    def test_the_history_is_paged(self, web, alice) -> None:
        for number in range(HISTORY_PAGE + 1):
            booking = make.job(alice, title=f"Job number {number}.")
            actions.cancel_booking(booking, by=alice, reason="mistake", now=make.NOW)
        first, second = sane(web.get("/")), sane(web.get("/?page=2"))
        assert first.count('data-live="bookings.past_job"') == HISTORY_PAGE and "Job number 0." not in first
        assert "Job number 0." in second and second.count('data-live="bookings.past_job"') == 1
        assert 'data-new="insert"' in first.split('id="past-jobs"')[1][:200]
        assert 'data-new="pill"' in second.split('id="past-jobs"')[1][:200]

    @pytest.mark.parametrize("page", ["0", "x", "99"])
    def test_a_page_that_is_not_there_is_the_nearest_one(self, web, page: str) -> None:
        assert web.get(f"/?page={page}").status_code == 200


class TestCost:
    def test_home_costs_the_same_with_many_jobs(self, web, alice, bob, dora) -> None:
        def more(hours: int) -> None:
            start = make.TOMORROW_NOON + hours * HOUR
            window = {"window_start": start, "window_end": start + 4 * HOUR}
            make.offer(make.job(alice, **window), dora, starts_at=start + 2 * HOUR)
            make.visit(alice, bob, **window)
            gone = make.visit(alice, bob, window_start=start + 20 * HOUR, window_end=start + 24 * HOUR)
            actions.cancel_booking(gone.booking, by=alice, reason="mistake", now=make.NOW)

        more(0)
        web.get("/")
        few = queries(lambda: web.get("/"))
        for hours in (100, 200, 300):
            more(hours)
        assert queries(lambda: web.get("/")) == few

    def test_the_job_page_costs_the_same_with_many_offers(self, web, alice) -> None:
        booking = make.job(alice)
        web.get(f"/jobs/{booking.pk}/")
        make.offer(booking, make.technician("First"))
        few = queries(lambda: web.get(f"/jobs/{booking.pk}/"))
        for name in ("Second", "Third", "Fourth"):
            make.offer(booking, make.technician(name))
        assert queries(lambda: web.get(f"/jobs/{booking.pk}/")) == few

    def test_the_first_step_costs_the_same_with_many_kinds_of_jobs(self, web) -> None:
        make.category()
        web.get("/book/")
        few = queries(lambda: web.get("/book/"))
        for slug in ("lights", "locks", "doors"):
            make.category(slug, slug)
        assert queries(lambda: web.get("/book/")) == few


class TestPhotos:
    def test_they_are_kept_by_this_browser_only(self, web, alice, media: Path) -> None:
        photo = actions.add_photo(make.job(alice), make.picture(), by=alice)
        answer = web.get(f"/photos/{photo.pk}/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer["Cache-Control"].startswith("private") and answer["X-Content-Type-Options"] == "nosniff"

    def test_one_whose_file_is_gone_is_not_found(self, web, alice, media: Path) -> None:
        photo = actions.add_photo(make.job(alice), make.picture(), by=alice)
        Path(photo.image.path).unlink()
        assert web.get(f"/photos/{photo.pk}/").status_code == 404

    def test_the_page_shows_them(self, web, alice, media: Path) -> None:
        booking = make.job(alice)
        photo = actions.add_photo(booking, make.picture(), by=alice)
        assert f'src="/photos/{photo.pk}/"' in web.get(f"/jobs/{booking.pk}/").content.decode()
        assert Booking.objects.count() == 1
