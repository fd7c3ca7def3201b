"""The stand itself: what every other browser test takes for granted."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from e2e.people import is_live, is_troubled


@pytest.mark.smoke
def test_a_stranger_is_led_to_the_sign_in_page_without_a_complaint(person):
    page = person()
    page.goto(reverse("profile"))

    expect(page.locator("h1")).to_have_count(1)
    expect(page).to_have_url(re.compile(re.escape(reverse("account_login"))))


@pytest.mark.smoke
def test_a_person_is_signed_in_and_live(person, alice):
    page = person(alice)
    page.goto(reverse("profile"))

    is_live(page)
    expect(page.locator("body")).to_contain_text(alice.name)


def test_one_test_leaves_people_behind(alice):
    assert User.objects.count() == 1


def test_and_the_next_one_finds_none(site):
    assert User.objects.count() == 0
    assert not site.others


def test_a_page_returns_to_a_server_that_was_killed(site, person, alice, console):
    console.allow_outage()
    page = person(alice)
    page.goto(reverse("profile"))
    is_live(page)

    site.kill9()
    is_troubled(page, "reconnecting")
    site.restart()

    is_live(page)


def test_parts_of_a_page_that_were_asked_of_a_dead_server_arrive_without_a_reload(site, person, bob, console):
    # Precondition: his page is there, its map and its line are still to be loaded.
    console.allow_outage()
    page = person(bob)
    page.route("**/js/map.*.js", lambda route: (site.kill9(), route.continue_()), times=1)
    with page.expect_event("requestfailed", lambda request: "/js/map." in request.url):
        page.goto(reverse("trade_edit"))
    page.evaluate("window.stayed = true")

    site.restart()

    expect(page.locator("[data-map-pick].leaflet-container")).to_be_visible()
    is_live(page)
    assert page.evaluate("window.stayed")


def test_a_part_that_is_lost_on_the_way_to_a_live_page_is_asked_for_again(person, bob, console):
    console.allow("net::ERR_FAILED")
    page = person(bob)
    page.route("**/js/map/base.*.js", lambda route: route.abort(), times=2)  # a part of the map's own
    page.goto(reverse("trade_edit"))
    is_live(page)

    expect(page.locator("[data-map-pick].leaflet-container")).to_be_visible()


def test_a_part_with_a_fault_of_its_own_is_no_outage_and_is_heard_of(person, bob, console):
    console.allow("uncaught of its own")
    page = person(bob)
    fault = {"body": "throw new TypeError('of its own')", "content_type": "text/javascript"}
    page.route("**/js/map.*.js", lambda route: route.fulfill(**fault))

    with page.expect_event("pageerror"):
        page.goto(reverse("trade_edit"))

    is_live(page)


def test_a_second_server_process_knows_the_same_people(site, person, alice):
    page = person(alice, url=site.spawn().url)
    page.goto(reverse("profile"))

    is_live(page)


def test_a_proxy_that_refuses_upgrades_and_then_does_not(proxy, person, alice, console):
    console.allow_outage()
    proxy.upgrades = False
    page = person(alice, url=proxy.url)
    page.goto(reverse("profile"))
    is_troubled(page, "polling")
    assert proxy.refused > 0

    proxy.upgrades = True

    is_live(page)


def test_an_operators_command_runs_beside_the_site(site, alice):
    site.manage("clock", "--once")
