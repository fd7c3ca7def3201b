"""The bell, its toasts and its mails in real browsers: what is counted, what pops up, what is left alone."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from bookings import actions
from bookings.models import Booking
from bookings.tests import make
from e2e.flow import PHONE, accepted, customer, follows, job, offered, stay, stayed, toast
from notifications.models import Notification, Preference

OFFER = "Bob offers £60.00 on Kitchen tap leaks"


@pytest.fixture
def alice(db: None) -> User:
    """A customer."""
    return customer()


@pytest.fixture
def booking(alice: User) -> Booking:
    """Her open job."""
    return job(alice)


def at(person: Callable[..., Page], who: User, name: str = "profile", **options: object) -> Page:
    """A live page of `who` that has nothing to do with any job."""
    page = person(who, **PHONE, **options)
    page.goto(reverse(name))
    return stay(follows(page))


def badge(page: Page) -> Locator:
    """The figure on the bell."""
    return page.locator(".bell .badge-x")


def counts(page: Page, unread: int) -> None:
    """The bell and the title say how many are unread."""
    expect(page.locator(".bell")).to_have_attribute("data-unread", str(unread))
    if unread:
        expect(badge(page)).to_have_text(str(unread))
        expect(page).to_have_title(re.compile(rf"^\({unread}\) "))
    else:
        expect(badge(page)).to_have_count(0)
        expect(page).to_have_title(re.compile(r"^(?!\()"))


def in_menu(page: Page) -> list[str]:
    """The bell's newest notices, without the time each of them carries."""
    texts: list[str] = page.locator(".bell-item .bell-text").evaluate_all(
        "items => items.map((item) => item.firstChild.textContent.trim())"
    )
    return texts


def nothing_pops_up(page: Page) -> None:
    """No toast stands. Say it after the bell has counted: both come in one frame."""
    expect(page.locator("#toasts .toast-x")).to_have_count(0)


def dearer(bid, amount: int = 65) -> None:
    """The technician asks for more."""
    actions.revise_bid(make.fresh(bid), by=bid.technician.user, amount=Decimal(amount), starts_at=bid.starts_at)


# --- Counting -------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_the_bell_and_the_title_count_and_reading_in_one_browser_moves_the_other(person, alice, bob, booking):
    page, other = at(person, alice), at(person, alice, "home")
    counts(page, 0)

    bid = offered(booking, bob)
    for each in (page, other):
        counts(each, 1)
    dearer(bid)
    for each in (page, other):
        counts(each, 2)
    assert in_menu(page) == ["Bob now offers £65.00 on Kitchen tap leaks", OFFER]

    page.get_by_label("Notifications, 2 unread").click()
    page.get_by_role("link", name="Mark all read").click()
    for each in (page, other):
        counts(each, 0)
    assert len(in_menu(other)) == 2  # they are read, not gone
    stayed(page, other)


def test_offers_on_one_job_are_one_notice_until_it_is_read(person, alice, bob, dora, booking):
    page = at(person, alice)
    offered(booking, bob)
    expect(toast(page, OFFER)).to_be_visible()
    offered(booking, dora, 70)
    expect(toast(page, "2 new offers on Kitchen tap leaks")).to_be_visible()
    counts(page, 1)
    assert in_menu(page) == ["2 new offers on Kitchen tap leaks"]

    offered(job(alice, title="Attic drips"), dora, 80)
    counts(page, 2)  # another job's are another notice
    page.get_by_label("Notifications, 2 unread").click()
    page.get_by_role("link", name="Mark all read").click()
    counts(page, 0)
    offered(booking, make.technician("Tom"), 90)
    counts(page, 1)
    assert in_menu(page)[0] == "Tom offers £90.00 on Kitchen tap leaks"
    stayed(page)


# --- Toasts ---------------------------------------------------------------------------------------


def test_three_toasts_stand_at_most_and_the_rest_is_counted(person, alice, bob):
    page = at(person, alice)
    for number in range(1, 6):
        offered(job(alice, title=f"Job {number}"), bob)
    counts(page, 5)
    expect(page.locator("#toasts .toast-x[data-more]")).to_have_text(re.compile("^2 more changes"))
    expect(page.locator("#toasts .toast-x:not([data-more])")).to_have_count(3)
    assert "Job 1" in page.locator("#toasts .toast-x:not([data-more])").first.inner_text()


def test_what_stands_open_does_not_pop_up_there_but_in_the_other_tab(site, person, alice, bob, booking):
    # Precondition: the server does not know yet which page is open, so it leaves the choice to the browser.
    site.restart({"LIVE_PRESENCE_EVERY": "600"}, kill=True)
    page = person(alice, **PHONE)
    page.goto(reverse("bookings:job", args=[booking.pk]))
    stay(follows(page))
    other = page.context.new_page()
    other.goto(reverse("profile"))
    stay(follows(other))

    offered(booking, bob)
    expect(toast(other, OFFER)).to_be_visible()
    counts(page, 1)
    nothing_pops_up(page)
    stayed(page, other)


def test_the_link_of_a_toast_leads_there_and_marks_it_read_everywhere(person, alice, bob, booking):
    page, other = at(person, alice), at(person, alice, "home")
    offered(booking, bob)
    counts(other, 1)
    toast(page, OFFER).get_by_role("link", name="See it").click()
    expect(page).to_have_url(re.compile(rf"/jobs/{booking.pk}/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen tap leaks")
    counts(page, 0)
    counts(other, 0)
    stayed(other)


# --- Left alone -----------------------------------------------------------------------------------


def at_the_door(bid) -> None:
    """Something urgent: the technician has come."""
    make.waiting(accepted(bid), at=timezone.now())


def test_in_quiet_hours_the_bell_counts_and_only_what_is_urgent_pops_up(person, alice, bob, booking):
    page = person(alice, **PHONE)
    page.goto(reverse("notifications:settings"))
    here = datetime.now(ZoneInfo(alice.time_zone))
    page.get_by_role("textbox", name="From").fill(f"{here - timedelta(hours=2):%H:%M}")
    page.get_by_role("textbox", name="Until").fill(f"{here + timedelta(hours=2):%H:%M}")
    page.get_by_role("button", name="Save quiet hours").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page = at(person, alice)

    bid = offered(booking, bob)
    counts(page, 1)
    nothing_pops_up(page)
    at_the_door(bid)
    expect(page.locator("#toasts .toast-urgent", has_text="Bob is at your door")).to_be_visible()
    expect(page.locator("#toasts .toast-x")).to_have_count(1)
    counts(page, 2)
    stayed(page)


def test_a_pause_lasts_until_it_is_resumed(person, alice, bob, dora, booking):
    settings, page = at(person, alice, "notifications:settings"), at(person, alice)
    settings.get_by_role("link", name="Pause for 1 hour").click()
    expect(settings.locator(".notice-pause")).to_contain_text("Paused until")

    bid = offered(booking, bob)
    counts(page, 1)
    nothing_pops_up(page)
    settings.get_by_role("link", name="Resume now").click()
    expect(settings.locator(".notice-pause")).to_contain_text("Busy for a while?")
    dearer(bid)
    expect(toast(page, "Bob now offers £65.00")).to_be_visible()
    counts(page, 2)
    expect(toast(page, OFFER)).to_have_count(0)  # what came in the pause does not pop up afterwards
    stayed(page, settings)


def test_what_is_turned_off_is_not_told(person, alice, bob, booking):
    page = person(alice, **PHONE)
    page.goto(reverse("notifications:settings"))
    page.get_by_role("group", name="A new offer on your job").get_by_label("Page").uncheck()
    page.get_by_role("button", name="Save choices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page = at(person, alice)

    bid = offered(booking, bob)
    dearer(bid)  # later, and of a kind that she wants
    expect(toast(page, "Bob now offers £65.00")).to_be_visible()
    counts(page, 1)
    assert in_menu(page) == ["Bob now offers £65.00 on Kitchen tap leaks"]
    expect(page.locator("#toasts .toast-x")).to_have_count(1)
    assert Notification.objects.filter(user=alice).count() == 1


# --- Mails ----------------------------------------------------------------------------------------


class Post:
    """The mails that the site has sent, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def to(self, who: User) -> list[EmailMessage]:
        """The letters to one person so far, oldest first. One that is still being written has no line below it."""
        texts = [text for file in self.folder.iterdir() for text in re.split(rb"\n-{79}\n", file.read_bytes())[:-1]]
        letters = [email.message_from_bytes(text, policy=email.policy.default) for text in texts]
        mine = [letter for letter in letters if letter["To"] == who.email]
        return sorted(mine, key=lambda letter: int(letter["Message-ID"].split(".")[1]))

    def wait(self, page: Page, who: User, *subjects: str) -> EmailMessage:
        """Wait until `who` has had exactly these letters; the last one."""
        for _ in range(200):
            if len(self.to(who)) >= len(subjects):
                break
            page.wait_for_timeout(50)
        assert [letter["Subject"].removeprefix("Callout: ") for letter in self.to(who)] == list(subjects)
        return self.to(who)[-1]


def words_of(letter: EmailMessage) -> str:
    """The letter's plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def post(site, settings, tmp_path: Path) -> Post:
    """A site whose clock puts its mails into files, at once."""
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "MAIL_HIGH_SECONDS": 0}
    folder = tmp_path / "post"
    folder.mkdir()
    site.restart({"EMAIL_URL": f"filemail:///{folder}", "SITE_URL": site.url}, kill=True)
    site.clock()
    return Post(folder)


def test_the_link_in_a_mail_turns_its_like_off_without_signing_in(site, person, post, alice, bob, dora, booking):
    stranger = person(None, **PHONE)
    bid = offered(booking, bob)
    letter = post.wait(stranger, alice, OFFER)
    link = re.search(r"https?://\S+/notifications/unsubscribe/\S+", words_of(letter))
    assert link and f"{site.url}/jobs/{booking.pk}/" in words_of(letter)

    stranger.goto(link[0])  # a look alone turns nothing off: mail programs look by themselves
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Turn these mails off?")
    expect(stranger.locator("main li")).to_have_text(["A new offer on your job"])
    offered(booking, dora, 70)
    second = "Dora offers £70.00 on Kitchen tap leaks"
    post.wait(stranger, alice, OFFER, second)
    stranger.get_by_role("button", name="Turn off").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("These mails are turned off")

    offered(booking, make.technician("Tom"), 80)  # this one is not mailed any more, but stands in the bell
    at_the_door(bid)  # this one is: it is of another kind
    at_door = "Bob is at your door: Kitchen tap leaks"
    letter = post.wait(stranger, alice, OFFER, second, at_door)
    counts(at(person, alice), 2)

    # The button of the mail program itself.
    answer = stranger.request.post(letter["List-Unsubscribe"].strip(" <>"), form={"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    assert not Preference.objects.exclude(user=alice).exists()
    assert set(Preference.objects.filter(channel="email", wanted=False).values_list("kind", flat=True)) == {
        "bookings.offer_new",
        "bookings.at_your_door",
    }
