"""The health page and who is here: they move as people come and go, by socket and by polling; alerts come and clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Role, User
from adminpanel.due import health as due_health
from adminpanel.health.measures import Lag, Limit, Measured, limits
from bookings.tests import make
from e2e.flow import Way, customer, follows, stay, stayed, toast
from e2e.people import People, is_live

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


def desk_page(person: Callable[..., Page], who: User, name: str, way: Way) -> Page:
    """The desk's open page, following in that way."""
    page = person(who, url=way.url, **WIDE)
    page.goto(reverse(name))
    return stay(follows(page, way.state))


def customers(page: Page) -> Locator:
    """How many pages of customers the health page counts in the process that started last."""
    return page.locator("[data-process]").last.locator("td").first


def lag_of(milliseconds: float) -> Limit:
    """The limit of the lag, as it would be measured."""
    found = limits(Measured(lag=Lag(100, milliseconds, milliseconds, milliseconds)))
    return next(limit for limit in found if limit.name == "lag")


def test_the_health_page_and_who_is_here_move_as_people_come_and_go(person: People, way: Way, frank: User) -> None:
    alice = customer()
    health = desk_page(person, frank, "desk:health", way)
    presence = desk_page(person, frank, "desk:presence", way)
    here = presence.locator(f"[data-person='{alice.pk}']")
    expect(customers(health)).to_have_text("0")
    expect(here).to_have_count(0)

    hers = person(alice)
    hers.goto(reverse("home"))
    expect(here).to_contain_text("Online")
    expect(here).to_contain_text(reverse("home"))
    expect(presence.locator("[data-cell=customer]")).to_have_text("1")
    expect(customers(health)).to_have_text("1")

    hers.goto(reverse("profile"))
    expect(here).to_contain_text(reverse("profile"))

    hers.context.close()
    expect(customers(health)).to_have_text("0")
    expect(presence.locator("[data-cell=customer]")).to_have_text("0")
    stayed(health, presence)


def test_an_alert_is_told_once_and_clears(person: People, way: Way, frank: User) -> None:
    health = desk_page(person, frank, "desk:health", way)
    nadia = make.person("Nadia", Role.ADMIN, is_staff=True)
    other = person(nadia, url=way.url, **WIDE)  # nobody is told of what they are looking at
    other.goto(reverse("desk:replies"))
    follows(other, way.state)
    expect(health.locator("#alerts")).to_contain_text("No limit has been crossed")

    due_health.settle(lag_of(2500), timezone.now(), stands=False)
    expect(health.locator("#alerts > [data-limit=lag]")).to_contain_text("From commit to page: 2.5 s")
    expect(health.locator("#alerts > [data-limit=lag]")).to_contain_text("Stands")
    expect(toast(other, "From commit to page: 2.5 s")).to_be_visible()

    due_health.settle(lag_of(20), timezone.now(), stands=True)
    expect(health.locator("#alerts > [data-limit=lag]")).to_contain_text("Cleared")
    expect(toast(other, "is well again")).to_be_visible()
    stayed(health)


@pytest.mark.smoke
def test_a_clock_that_runs_is_seen_and_so_is_one_that_does_not(site: Any, person: People, frank: User) -> None:
    health = desk_page(person, frank, "desk:health", Way(site.url, "live"))
    expect(health.locator(".health")).to_contain_text("None runs: nothing expires")
    clock = site.clock()
    expect(health.locator(".parts")).to_contain_text("One runs")
    clock.stop()
    expect(health.locator(".health")).to_contain_text("None runs: nothing expires")
    is_live(health)
    stayed(health)
