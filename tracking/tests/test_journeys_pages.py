"""The pages of setting out and of sharing: who gets which answer, what they say, and what their buttons do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE
from tracking import actions
from tracking.models import Journey, ShareLink
from tracking.tests import make as road
from tracking.tests.make import NEAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(alice, bob):
    """Bob is booked with Alice, an hour from now."""
    now = timezone.now()
    return make.visit(alice, bob, now=now, window_start=now + HOUR, window_end=now + 5 * HOUR)


@pytest.fixture
def journey(visit, bob) -> Journey:
    """Bob is on the way."""
    return actions.set_out(visit, by=bob)


@pytest.fixture
def link(journey, alice) -> ShareLink:
    """Alice has shared it."""
    return actions.share(journey, by=alice)


def url(name: str, *args: object) -> str:
    """The address of one of these pages."""
    return reverse(f"tracking:{name}", args=args)


def at(user) -> Client:
    """A browser of `user`; None is signed out."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def words(html: str) -> str:
    """The text of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def post(client: Client, address: str) -> int:
    """Tap the button of a confirm page."""
    page = client.get(address).content.decode()
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    return client.post(address, {"idempotency_key": key[1] if key else ""}).status_code


class TestWhoGetsWhat:
    @pytest.fixture
    def pages(self, visit, journey, link) -> dict[str, str]:
        return {
            "on_my_way": url("on_my_way", visit.pk),
            "turn_back": url("turn_back", journey.pk),
            "share": url("share", journey.pk),
            "revoke_link": url("revoke_link", link.pk),
        }

    EXPECTED: ClassVar = {
        "on_my_way": {"bob": 200, "dora": 404, "alice": 403, "charlie": 403, "ed": 403, "frank": 403},
        "turn_back": {"bob": 200, "dora": 404, "alice": 403, "charlie": 403, "ed": 403, "frank": 403},
        "share": {"alice": 200, "charlie": 404, "bob": 403, "dora": 403, "ed": 403, "frank": 403},
        "revoke_link": {"alice": 200, "charlie": 404, "bob": 403, "dora": 403, "ed": 403, "frank": 403},
    }

    @pytest.mark.parametrize("name", EXPECTED)
    def test_by_role(self, request, pages, name) -> None:
        got = {who: at(request.getfixturevalue(who)).get(pages[name]).status_code for who in self.EXPECTED[name]}
        assert got == self.EXPECTED[name]

    @pytest.mark.parametrize("name", EXPECTED)
    def test_posting_is_no_way_around(self, request, pages, name) -> None:
        for who, status in self.EXPECTED[name].items():
            if status != 200:
                assert at(request.getfixturevalue(who)).post(pages[name]).status_code == status
        assert Journey.objects.get().is_open and ShareLink.objects.get().revoked_at is None

    @pytest.mark.parametrize("name", EXPECTED)
    def test_signed_out_is_the_login_page(self, pages, name) -> None:
        answer = Client().get(pages[name])
        assert answer.status_code == 302 and "/login/" in answer["Location"]

    @pytest.mark.parametrize("name", EXPECTED)
    def test_what_does_not_exist(self, alice, bob, name) -> None:
        assert at(bob if name in ("on_my_way", "turn_back") else alice).get(url(name, 999)).status_code == 404


class TestTheTraveller:
    def test_it_asks_and_says_what_it_means(self, visit, bob) -> None:
        text = words(at(bob).get(url("on_my_way", visit.pk)).content.decode())
        assert "Are you on your way?" in text and "Alice then sees where you are on a map" in text

    def test_early_birds_are_told_so(self, alice, bob) -> None:
        now = timezone.now()
        start = now + timedelta(days=2)
        visit = make.visit(alice, bob, now=now, window_start=start, window_end=start + 4 * HOUR)
        assert "You are early" in at(bob).get(url("on_my_way", visit.pk)).content.decode()

    def test_the_tap_sets_out(self, visit, bob) -> None:
        assert post(at(bob), url("on_my_way", visit.pk)) == 303
        assert Journey.objects.get().traveller == bob

    def test_a_double_tap_is_one(self, visit, bob) -> None:
        client = at(bob)
        page = client.get(url("on_my_way", visit.pk)).content.decode()
        key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
        for _ in range(2):
            assert client.post(url("on_my_way", visit.pk), {"idempotency_key": key[1]}).status_code == 303
        assert Journey.objects.count() == 1

    def test_too_late_says_how_far_it_is(self, visit, bob) -> None:
        make.waiting(visit, at=timezone.now())
        assert "You have checked in already" in at(bob).get(url("on_my_way", visit.pk)).content.decode()

    def test_turning_back(self, journey, bob) -> None:
        client = at(bob)
        assert post(client, url("turn_back", journey.pk)) == 303
        assert not make.fresh(journey).is_open
        assert "not on the way any more" in client.get(url("turn_back", journey.pk)).content.decode()

    def test_the_job_page_has_the_step_the_card_and_its_way_back(self, visit, journey, bob) -> None:
        page = at(bob).get(f"/jobs/{visit.booking_id}/").content.decode()
        assert page.count("btn-primary btn-lg") == 1 and "I have arrived" in page
        assert f'id="tracking-trip-{journey.pk}"' in page and url("turn_back", journey.pk) in page

    def test_before_it_the_primary_step_is_to_set_out(self, visit, bob) -> None:
        page = at(bob).get(f"/jobs/{visit.booking_id}/").content.decode()
        primary = re.findall(r'<a class="btn btn-primary btn-lg[^>]*href="([^"]+)"', page)
        assert primary == [url("on_my_way", visit.pk)]
        assert reverse("bookings:check_in", args=[visit.pk]) in page  # who is there already says so

    def test_who_has_a_question_to_answer_answers_it_first(self, visit, alice, bob) -> None:
        from bookings import actions as visits

        visits.propose_reschedule(visit, by=alice, starts_at=visit.starts_at + HOUR)
        page = at(bob).get(f"/jobs/{visit.booking_id}/").content.decode()
        assert "btn-primary btn-lg" not in page and url("on_my_way", visit.pk) in page


class TestTheCustomer:
    def test_the_card_stands_first_on_the_job_page(self, visit, journey, alice) -> None:
        page = at(alice).get(f"/jobs/{visit.booking_id}/").content.decode()
        assert page.index("Bob is on the way") < page.index('id="bookings-job-now')
        assert f'data-ride-map="{journey.pk}"' in page

    def test_without_a_journey_there_is_an_empty_place_for_it(self, visit, alice) -> None:
        page = at(alice).get(f"/jobs/{visit.booking_id}/").content.decode()
        assert re.search(rf'id="tracking-ride-{visit.booking_id}"[^>]*data-live-absent', page)
        assert "data-ride-map" not in page

    def test_after_it_nothing_of_the_position_is_in_the_page(self, visit, journey, alice, bob) -> None:
        road.place(bob, NEAR, now=timezone.now())
        assert "51.545" in at(alice).get(f"/jobs/{visit.booking_id}/").content.decode()
        actions.turn_back(journey, by=bob)
        road.place(bob, NEAR, now=timezone.now())  # of another journey, say
        assert "51.545" not in at(alice).get(f"/jobs/{visit.booking_id}/").content.decode()

    def test_sharing_and_taking_it_back(self, visit, journey, alice) -> None:
        client = at(alice)
        assert post(client, url("share", journey.pk)) == 303
        link = ShareLink.objects.get()
        assert link.token in client.get(f"/jobs/{visit.booking_id}/").content.decode()
        assert post(client, url("revoke_link", link.pk)) == 303
        assert link.token not in client.get(f"/jobs/{visit.booking_id}/").content.decode()

    def test_what_is_over_cannot_be_shared(self, journey, alice, bob) -> None:
        actions.turn_back(journey, by=bob)
        answer = at(alice).post(url("share", journey.pk))
        assert answer.status_code == 409 and "This trip is over" in answer.content.decode()


class TestTheSharedPage:
    def page(self, link: ShareLink, user=None):
        return at(user).get(url("shared", link.token))

    @pytest.mark.parametrize("who", [None, "alice", "bob", "charlie", "ed", "frank"])
    def test_whoever_has_the_link_sees_the_trip(self, request, link, who) -> None:
        answer = self.page(link, request.getfixturevalue(who) if who else None)
        html = answer.content.decode()
        assert answer.status_code == 200 and "Bob is on the way" in html
        assert f'data-link="{link.token}"' in html and f'data-topic="journey.{link.journey_id}"' in html
        # They are nobody here: nothing of their own stands on it, and nothing of the customer's.
        assert "data-signed-in" not in html and 'data-topic="user.' not in html and "Alice" not in html

    def test_it_holds_no_address_and_no_name_but_the_first(self, link, bob) -> None:
        html = self.page(link).content.decode()
        for secret in ("Inverness", "NW1", "Kitchen tap", "Bob Test", bob.email, "alice@"):
            assert secret not in html

    def test_it_is_kept_by_nobody(self, link) -> None:
        answer = self.page(link)
        assert "no-store" in answer["Cache-Control"] and answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]

    def test_a_made_up_one_is_nothing(self, link) -> None:
        assert Client().get(url("shared", "x" * 32)).status_code == 404
        assert Client().get(url("shared", link.token[:-1])).status_code == 404

    def gone(self, link: ShareLink) -> None:
        for user in (None, link.made_by):
            answer = self.page(link, user)
            html = answer.content.decode()
            assert answer.status_code == 410 and "This trip is over" in html
            assert 'name="live"' not in html and "data-latitude" not in html and "Bob" not in html

    def test_taken_back_it_is_over(self, link, alice) -> None:
        actions.revoke_link(link, by=alice)
        self.gone(link)

    def test_so_it_is_at_the_end(self, link, bob, visit) -> None:
        road.place(bob, NEAR, now=timezone.now())
        actions.turn_back(link.journey, by=bob)
        self.gone(link)

    def test_and_stays_so_when_they_set_out_again(self, link, bob, visit) -> None:
        actions.turn_back(link.journey, by=bob)
        actions.set_out(visit, by=bob, now=timezone.now() + MINUTE)
        self.gone(link)

    def test_it_is_for_looking(self, link) -> None:
        assert Client().post(url("shared", link.token)).status_code == 405
