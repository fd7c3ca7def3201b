"""Losing and gaining access on open pages: delivery stops, what may no longer be seen leaves, nobody reloads."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.actions import deactivate, verify_technician
from accounts.models import User
from bookings import actions
from bookings.models import Booking
from bookings.rules.numbers import minutes
from bookings.tests import make
from e2e.flow import (
    PHONE,
    accept,
    accepted,
    banner,
    customer,
    follows,
    job,
    job_page,
    knows_address,
    knows_nothing,
    offered,
    place_card,
    profile_page,
    stay,
    stayed,
    work_card,
)

WITHIN = 2000  # ms from the change to the page: the promise of design.md
SIGN_IN = re.compile(re.escape(reverse("account_login")))


@pytest.fixture
def alice(db: None) -> User:
    """A customer who can be called."""
    return customer()


@pytest.fixture
def booking(alice: User) -> Booking:
    """Her open job."""
    return job(alice)


class Wire:
    """Every frame that a page's socket receives, from before its first load."""

    def __init__(self, page: Page) -> None:
        self.frames: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", self._received))

    def _received(self, frame: str | bytes) -> None:
        self.frames.append(str(frame))

    def carried(self, *secrets: str) -> list[str]:
        """The frames whose content held any of `secrets`."""
        return [frame for frame in self.frames if any(holds(frame, secret) for secret in secrets)]


def holds(frame: str, secret: str) -> bool:
    """Whether a frame's fragments or topics hold `secret`.

    A start code of four digits may stand in a clock's time, a cursor or a version by chance: those do not count.
    """
    message = json.loads(frame)
    content = " ".join(
        [*message.get("gone", []), *(f"{each['topic']} {each['html']}" for each in message.get("f", []))]
    )
    if re.fullmatch(r"\d{4}", secret):
        return re.search(rf"(?<!\d){secret}(?!\d)", content) is not None
    return secret in content


def listened(person, who: User, booking: Booking) -> tuple[Page, Wire]:
    """An open, live job page, and what comes over its wire."""
    page = person(who, **PHONE)
    wire = Wire(page)
    page.goto(reverse("bookings:job", args=[booking.pk]))
    return stay(follows(page)), wire


def something_later(page: Page, by: User) -> None:
    """A later thing that this technician does hear of: what came before it has arrived, or never will."""
    job(by, title="Cellar pump leaks")
    expect(banner(page)).to_contain_text("Cellar pump leaks")


# --- Losing ---------------------------------------------------------------------------------------


def test_who_is_not_selected_learns_that_and_nothing_after_it(person, alice, bob, dora, booking):
    offered(booking, dora, 70)
    loser, wire = listened(person, dora, booking)

    session = accepted(offered(booking, bob))
    expect(work_card(loser)).to_contain_text("The customer chose another offer.", timeout=WITHIN)
    make.live(session, at=timezone.now())
    actions.complete_session(session, by=bob, note="Swapped the tap.")
    something_later(loser, alice)

    knows_nothing(loser)
    stayed(loser)
    told = wire.carried(session.start_code, "Inverness", "900321", "Swapped the tap", f"technician.{bob.pk}")
    assert not told, told


def test_a_released_technician_loses_the_address_and_hears_nothing_of_the_next(person, alice, bob, dora, booking):
    session = accepted(offered(booking, bob))
    page, wire = listened(person, bob, booking)
    knows_address(page)

    actions.release(session, by=bob, reason="Ill")
    knows_nothing(page, within=WITHIN)
    expect(work_card(page)).to_contain_text("You withdrew after winning.", timeout=WITHIN)
    wire.frames.clear()
    replacement = accepted(offered(make.fresh(booking), dora, 80))
    make.live(replacement, at=timezone.now())
    something_later(page, alice)

    knows_nothing(page)
    stayed(page)
    assert not wire.carried(replacement.start_code, "Inverness", "900321", "Dora"), wire.frames


def test_an_onlooker_loses_the_area_of_a_job_that_is_taken(person, alice, bob, dora, booking):
    page = job_page(person, dora, booking)
    expect(page.get_by_role("region", name="Area")).to_be_visible()

    accepted(offered(booking, bob))

    expect(page.get_by_role("heading", name="No longer open")).to_be_visible(timeout=WITHIN)
    expect(page.get_by_role("region", name="Area")).to_have_count(0, timeout=WITHIN)
    stayed(page)


def test_the_address_leaves_when_the_finished_job_is_put_away(site, person, alice, bob, booking):
    session = make.finished(accepted(offered(booking, bob)), at=timezone.now())
    page = job_page(person, bob, booking)
    knows_address(page)
    session = make.fresh(session)
    session.finished_at -= minutes("FINISHED_SHOWN_MINUTES")
    session.save(update_fields=["finished_at"])

    site.manage("clock", "--once")

    knows_nothing(page, within=WITHIN)
    expect(work_card(page)).to_contain_text("Finished")
    stayed(page)


def test_a_deactivated_account_loses_every_open_page(person, alice, bob, booking):
    accepted(offered(booking, bob))
    page = job_page(person, bob, booking)
    other = profile_page(page)
    knows_address(page)

    deactivate(bob, by=None)

    for each in (page, other):
        expect(each).to_have_url(SIGN_IN, timeout=WITHIN)
        knows_nothing(each)


def test_signing_out_in_one_tab_ends_the_other_and_back_shows_nothing(person, alice, bob, booking):
    accepted(offered(booking, bob))
    page = job_page(person, bob, booking)
    other = profile_page(page)
    knows_address(page)

    other.locator("main").get_by_role("button", name="Sign out").click()

    expect(page).to_have_url(SIGN_IN, timeout=WITHIN)
    knows_nothing(page)
    page.go_back()
    expect(page).to_have_url(SIGN_IN)
    knows_nothing(page)


def test_signing_out_here_leaves_the_same_person_elsewhere_alone(person, alice, bob, booking):
    accepted(offered(booking, bob))
    here, elsewhere = job_page(person, bob, booking), job_page(person, bob, booking)

    here.locator("summary:has-text('Your menu')").click()
    here.get_by_role("button", name="Sign out").click()
    expect(here).not_to_have_url(re.compile("/jobs/"))
    actions.check_in(booking.sessions.get(), by=bob)

    expect(work_card(elsewhere)).to_contain_text("Ask for the code")
    stayed(elsewhere)


def test_what_is_lost_leaves_by_polling_too(site, person, console, alice, bob, booking):
    console.allow(r"status of 401 .*/live/poll")  # that is how a poll says that the session ended
    site.restart({"LIVE_TRANSPORT": "poll"})
    session = accepted(offered(booking, bob))
    page = person(bob, **PHONE)
    page.goto(reverse("bookings:job", args=[booking.pk]))
    stay(follows(page, "polling"))
    other = profile_page(page, "polling")
    knows_address(page)

    actions.release(session, by=bob, reason="Ill")
    knows_nothing(page, within=10_000)
    stayed(page)
    other.locator("main").get_by_role("button", name="Sign out").click()

    expect(page).to_have_url(SIGN_IN)


# --- Gaining --------------------------------------------------------------------------------------


def test_the_winner_gains_the_address_without_a_reload(person, alice, bob, dora, booking):
    offered(booking, bob)
    offered(booking, dora, 70)
    customers, winner, loser = (job_page(person, who, booking) for who in (alice, bob, dora))
    for page in (winner, loser):
        knows_nothing(page)

    accept(customers, "Bob Test", "£60.00")

    expect(place_card(winner)).to_contain_text("12 Inverness Street", timeout=WITHIN)
    knows_address(winner)
    expect(work_card(loser)).to_contain_text("The customer chose another offer.")
    knows_nothing(loser)
    stayed(customers, winner, loser)


def test_a_technician_who_lost_and_then_wins_gains_it_on_the_same_page(person, alice, bob, dora, booking):
    """Losing must not leave an open page deaf to what comes after."""
    bid = offered(booking, dora, 70)
    session = accepted(offered(booking, bob))
    page = job_page(person, dora, booking)

    actions.release(session, by=bob, reason="Ill")
    expect(work_card(page)).to_contain_text("The job is open again")
    again = actions.revise_bid(bid, by=dora, amount=bid.amount, starts_at=bid.starts_at)
    accepted(again)

    knows_address(page)
    stayed(page)


def test_verification_opens_the_market_to_a_newcomer_without_a_reload(person, alice, booking):
    newcomer = make.technician("Nina", verified=False)
    page = person(newcomer, **PHONE)
    page.goto(reverse("profile"))
    stay(follows(page))
    before = page.locator("[data-live='accounts.verification']").inner_text()

    verify_technician(newcomer.technician, by=None)

    expect(page.locator("[data-live='accounts.verification']")).not_to_have_text(before)
    stayed(page)
