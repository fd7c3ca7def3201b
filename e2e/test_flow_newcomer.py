"""A newcomer: on the trial site, where offers come by themselves; and with a browser that runs no JavaScript."""

from __future__ import annotations

import re

from django.contrib.auth.hashers import make_password
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from bookings.models import Booking
from bookings.states import BookingStatus
from bookings.tests import make
from e2e.flow import ADDRESS, PHONE, banner, book, customer, follows, stay, stayed
from e2e.site import Process

PASSWORD = "correct horse battery staple"
OFFERS_WITHIN = 40_000  # ms from the booking to the first offer


def test_a_new_customer_books_on_the_trial_site_and_offers_arrive(site, person):
    """What `make run` promises: the demo's people offer within 15 s, and a toast says so on whatever page she is."""
    demo = {"DEMO": "on"}
    site.manage("demo", env=demo)
    web = site.spawn(demo)
    simulator = Process("simulate", ["simulate"], {**site.env, **demo}, site.folder)
    site.others.append(simulator)
    page = person(url=web.url, **PHONE)
    page.goto(reverse("account_signup"))
    page.get_by_label("Your name").fill("Nora Newcomer")
    page.get_by_label("E-mail").fill("nora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_role("heading", name="Hello Nora")).to_be_visible()

    book(page, "Kitchen tap drips", kind="")
    job_page = page.url
    page.goto(reverse("profile"))
    stay(follows(page))

    news = page.locator("#toasts .toast-x", has_text="offer").first
    expect(news).to_be_visible(timeout=OFFERS_WITHIN)
    expect(banner(page)).to_contain_text("best £")
    stayed(page)
    news.get_by_role("link").click()
    expect(page).to_have_url(job_page)
    stay(follows(page))
    expect(page.locator(".offers .offer").first).to_be_visible()
    expect(banner(page)).to_contain_text("best £")
    stayed(page)
    assert simulator.is_running()


def sign_in(person, user: User) -> Page:
    """At the sign-in page of a browser without JavaScript."""
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")  # the tests' own quick hasher is not the site's
    user.save(update_fields=["password"])
    page = person(java_script_enabled=False, **PHONE)
    page.goto(reverse("home"))
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(re.compile(reverse("account_login")))
    return page


def press(page: Page, link: str, button: str = "", **fields: str) -> None:
    """Follow a link to the page that asks, fill it in, and send it."""
    page.locator("main").get_by_role("link", name=link).first.click()
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.locator("main").get_by_role("button", name=button or link).click()


def test_without_javascript_one_can_sign_in_book_offer_accept_and_read(person, site):
    make.category()
    alice, bob = sign_in(person, customer()), sign_in(person, make.technician("Bob"))
    booking = book(alice)

    bob.get_by_role("link", name="Jobs", exact=True).click()
    bob.locator("main").get_by_role("link", name="Kitchen tap leaks", exact=True).click()
    press(bob, "Make an offer", "Send the offer", Your_price="60")
    expect(bob.locator("main")).to_contain_text("£60.00")

    alice.reload()
    press(alice, "Accept", "Accept £60.00")
    expect(alice.locator(".job-now")).to_contain_text("Bob Test")
    assert make.fresh(booking).status == BookingStatus.ASSIGNED

    bob.reload()
    expect(bob.locator("main")).to_contain_text(ADDRESS)
    press(bob, "I have arrived")
    alice.reload()
    code = booking.sessions.get().start_code
    expect(alice.locator("main")).to_contain_text(code)
    press(bob, "Enter the start code", "Start the work", Start_code=code)
    press(bob, "Finish the visit", "Finish", What_was_done="New washer.")
    alice.reload()
    expect(alice.locator("main")).to_contain_text("New washer.")
    assert Booking.objects.get().status == BookingStatus.COMPLETED


def test_without_javascript_a_changed_price_is_refused_on_a_page_of_its_own(person, site):
    make.category()
    alice, bob = sign_in(person, customer()), sign_in(person, make.technician("Bob"))
    book(alice)
    bob.goto(reverse("bookings:marketplace"))
    bob.locator("main").get_by_role("link", name="Kitchen tap leaks", exact=True).click()
    press(bob, "Make an offer", "Send the offer", Your_price="60")
    alice.reload()
    alice.locator("main").get_by_role("link", name="Accept").first.click()

    press(bob, "Change it", "Send the change", Your_price="80")
    alice.get_by_role("button", name="Accept £60.00").click()

    expect(alice.locator("main")).to_contain_text("The price changed, please look again.")
    alice.get_by_role("link", name="See the job").click()
    expect(alice.locator(".offers .offer")).to_contain_text("£80.00")
