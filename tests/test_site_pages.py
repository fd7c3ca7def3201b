"""What every page must be (style.md, habit 10), found by walking the site as each role over a populated database."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from bookings import actions
from bookings.tests import make
from tests.crawl import Crawl, browser
from tests.world import job

STARTS = ("/", "/accounts/profile/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")


@pytest.mark.parametrize(
    ("who", "at_least"), [("alice", 45), ("bob", 40), ("charlie", 10), ("dora", 18), ("ed", 9), ("", 9)]
)
def test_every_page_that_a_person_reaches_is_sound(settled, who, at_least):
    """One h1, a strict policy, nothing inline, unique ids, no dead link, action, anchor or file."""
    crawl = Crawl(browser(settled.people.get(who))).walk(*STARTS)
    assert not crawl.wrong, "\n".join(sorted(set(crawl.wrong)))
    assert len(crawl.pages) >= at_least, sorted(crawl.pages)


def test_an_admin_finds_no_dead_link_in_the_admin_either(settled):
    """Django's own pages are not ours to judge, but what we put there must load, under the same policy."""
    crawl = Crawl(browser(settled.people["frank"]), most=3).walk("/")
    ours = [what for what in crawl.wrong if not re.search(r"inline|elements of id| h1|which is not there", what)]
    assert not ours, "\n".join(sorted(set(ours)))
    assert any("/admin/bookings/booking/" in url for url in crawl.pages)


@pytest.mark.parametrize("url", ["/no/such/page/", "/jobs/999999/", "/static/no-such-file.css"])
def test_errors_are_pages_too(client, settled, url):
    client.force_login(settled.people["alice"])
    response = client.get(url)
    assert response.status_code == 404
    if not url.startswith(settings.STATIC_URL):
        assert response.content.decode().count("<h1") == 1
        assert "script-src 'self'" in response["Content-Security-Policy"]


def test_refusals_are_pages_with_a_way_on(client, settled):
    """409 and 422, as a page (without JavaScript) with one h1 and a link, and under the policy."""
    now, alice, bob = timezone.now(), settled.people["alice"], settled.people["bob"]
    bid = make.offer(job(alice, 30, now, "Tap"), bob, 60, now=now)
    url = reverse("bookings:accept", args=[bid.booking_id, bid.pk, 1])
    actions.revise_bid(bid, by=bob, amount=bid.amount + 1, starts_at=bid.starts_at)
    client.force_login(alice)
    for response in (client.get(url), client.post(url)):
        html = response.content.decode()
        assert response.status_code == 409 and "The price changed, please look again." in html
        assert html.count("<h1") == 1 and f'href="{reverse("bookings:job", args=[bid.booking_id])}"' in html
        assert "script-src 'self'" in response["Content-Security-Policy"]
