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
