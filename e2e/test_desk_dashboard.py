"""The dashboard in real browsers: what others do moves its figures, charts, badges and feed, by socket and by poll."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts import credentials
from accounts.models import CredentialKind, Role, User
from accounts.tests.papers import document
from bookings import actions
from bookings.tests import make
from e2e.flow import PHONE, Way, accept, accepted, customer, follows, job, offered, stay, stayed

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SMALL: dict[str, Any] = {**PHONE}
IN_TIME = 20_000  # ms; a healthy run never waits for it


@pytest.fixture
def frank(db: None) -> User:
    """The desk."""
    return make.person("Frank", Role.ADMIN, is_staff=True)


def dashboard(person: Callable[..., Page], who: User, way: Way | None = None, query: str = "", **options: Any) -> Page:
    """The open dashboard, its charts drawn."""
    page = person(who, url=way.url if way else "", **{**WIDE, **options})
    page.goto(reverse("desk:dashboard") + query)
    expect(page.locator("#charts canvas")).to_have_count(3)
    return stay(follows(page, way.state if way else "live"))


def says(page: Page, **figures: str) -> None:
    """Wait until the page shows these figures."""
    for name, text in figures.items():
        expect(page.locator(f"[data-cell={name}]")).to_have_text(text, timeout=IN_TIME)


def line(page: Page, kind: str, text: str) -> Locator:
    """The newest line of a kind in the feed that says `text`."""
    return page.locator(f"#feed > [data-kind={kind}]", has_text=text).first


def drawn(page: Page) -> list[dict[str, Any]]:
    """What the first chart shows, and how: jobs placed, and finished."""
    found: list[dict[str, Any]] = page.evaluate(
        """Chart.getChart(document.querySelector('#charts canvas')).data.datasets
           .map(({ data, backgroundColor }) => ({ data, backgroundColor }))"""
    )
    return found


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for what only a script can see."""
    end = time.monotonic() + IN_TIME / 1000
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


@pytest.mark.smoke
def test_what_a_customer_and_a_technician_do_moves_everything_on_it(
    person: Callable[..., Page], way: Way, frank: User
) -> None:
    alice, bob = customer(), make.technician("Bob")
    desk = dashboard(person, frank, way)
    says(desk, open="0", visits="0", completed="0", revenue="£0.00")
    booking = job(alice, title="Boiler is cold")
    offered(booking, bob, 75)
    says(desk, open="1", placed_day="1")
    expect(line(desk, "bid", "Boiler is cold")).to_contain_text("Bob", timeout=IN_TIME)
    hers = person(alice, url=way.url, **PHONE)
    hers.goto(reverse("bookings:job", args=[booking.pk]))
    accept(hers, "Bob", "£75.00")
    says(desk, open="0", visits="1")
    session = booking.sessions.get()
    actions.check_in(session, by=bob)
    says(desk, waiting="1")
    actions.start_session(session, by=alice)
    says(desk, waiting="0", live="1")
    actions.complete_session(session, by=bob, note="New valve.")
    says(desk, live="0", visits="0", completed="1", revenue="£75.00", completed_month="1")
    expect(line(desk, "booking", "Boiler is cold")).to_contain_text("Finished", timeout=IN_TIME)
    table = desk.locator("#adminpanel-charts-day tbody tr").last
    expect(table).to_contain_text("£75.00", timeout=IN_TIME)
    until(desk, lambda: [sum(each["data"]) for each in drawn(desk)] == [1, 1])
    stayed(desk)


def test_what_waits_for_a_decision_is_counted_in_the_rail_and_above(person: Callable[..., Page], frank: User) -> None:
    bob = make.technician("Bob")
    desk = dashboard(person, frank)
    other = person(frank, **WIDE)
    other.goto(reverse("desk:audit"))
    stay(follows(other))
    badges = [page.locator("#adminpanel-waits-verification") for page in (desk, other)]
    for badge in badges:
        expect(badge).to_be_hidden()
    sent = credentials.submit_credential(bob.technician, by=bob, kind=CredentialKind.TRADE, document=document())
    says(desk, verification="1")
    for badge in badges:
        expect(badge).to_have_text("1 waiting", timeout=IN_TIME)
    credentials.approve_credential(sent, by=frank)
    says(desk, verification="0")
    for badge in badges:
        expect(badge).to_be_hidden(timeout=IN_TIME)
    stayed(desk, other)


def test_the_feed_rests_under_the_pointer_and_hides_what_is_muted(person: Callable[..., Page], frank: User) -> None:
    alice, bob = customer(), make.technician("Bob")
    first = job(alice, title="First job")
    desk = dashboard(person, frank)
    expect(line(desk, "booking", "First job")).to_be_visible()
    line(desk, "booking", "First job").hover()
    expect(desk.locator(".feed-paused")).to_be_visible()
    second = job(alice, title="Second job")
    says(desk, open="2")
    expect(line(desk, "booking", "Second job")).to_have_count(0)
    desk.locator("h1").hover()
    expect(line(desk, "booking", "Second job")).to_be_visible(timeout=IN_TIME)
    desk.locator(".feed-mute > summary").click()
    desk.get_by_label("Offers", exact=True).uncheck()
    desk.keyboard.press("Escape")
    desk.locator("h1").hover()  # the menu lay over the feed
    expect(desk.locator("#feed-muted")).to_have_text("1 muted")
    offered(second, bob)
    job(alice, title="Third job")
    expect(line(desk, "booking", "Third job")).to_be_visible(timeout=IN_TIME)
    expect(line(desk, "bid", "Second job")).to_be_hidden()
    stayed(desk)
    desk.reload()
    expect(line(desk, "booking", "First job")).to_be_visible()
    expect(line(desk, "bid", "Second job")).to_be_hidden()
    assert first


def test_on_a_phone_nothing_is_wider_than_it_and_the_charts_follow_the_theme(
    person: Callable[..., Page], frank: User
) -> None:
    alice, bob = customer(), make.technician("Bob")
    make.finished(accepted(offered(job(alice), bob)), at=timezone.now())
    desk = dashboard(person, frank, query="?period=week", **SMALL)
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(desk.locator("#adminpanel-charts-week tbody tr")).to_have_count(7)
    light = drawn(desk)
    desk.emulate_media(color_scheme="dark")
    until(desk, lambda: drawn(desk)[0]["backgroundColor"] != light[0]["backgroundColor"])
    assert [each["data"] for each in drawn(desk)] == [each["data"] for each in light]
    stayed(desk)
