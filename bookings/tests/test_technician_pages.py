"""The technician's pages: who gets them, what they say in each state, and that lists cost no more for more."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings import actions
from bookings.live import technician as live
from bookings.models import RescheduleProposal
from bookings.tests import make
from bookings.tests.make import DAY, HOUR

ADDRESS, PHONE, MAIL = "12 Inverness Street", "020 7946 0018", "alice@example.org"


def client_of(user: User | None) -> Client:
    """A browser in which `user` is signed in."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def page_of(user: User, url: str) -> str:
    """The page's text."""
    response = client_of(user).get(url)
    assert response.status_code == 200, response.content.decode()[:1000]
    return response.content.decode()


def job_url(booking) -> str:
    return reverse("bookings:job", args=[booking.pk])


def words(html: str) -> str:
    """The text of a page without its tags, spaces made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def alice(alice: User) -> User:
    """Alice has a phone."""
    alice.phone = PHONE
    alice.save(update_fields=["phone"])
    return alice


def soon(customer: User, by: User, *, starts_in: timedelta = HOUR, **changes):
    """A visit of the real clock's today (or of the hour after), for pages that read the clock."""
    now = timezone.now()
    start = now + starts_in
    return make.visit(customer, by, now=now, window_start=start, window_end=start + 4 * HOUR, **changes)


# --- Who gets which page --------------------------------------------------------------------------


def visit_urls(session) -> list[str]:
    names = (
        "check_in enter_code pause_session resume_session complete_session stop_work release contact_attempt "
        "report_no_show propose_move"
    )
    return [reverse(f"bookings:{name}", args=[session.pk]) for name in names.split()]


def all_urls(session) -> list[str]:
    """Every address of the technician's side, about one visit with its offer and a proposal of its customer."""
    proposal = RescheduleProposal.objects.get(session=session)
    return [
        reverse("bookings:today"),
        reverse("bookings:marketplace"),
        job_url(session.booking),
        reverse("bookings:offer", args=[session.booking_id]),
        reverse("bookings:withdraw_offer", args=[session.bid_id]),
        *visit_urls(session),
        *(reverse(f"bookings:{name}_move", args=[proposal.pk]) for name in ("accept", "decline", "withdraw")),
    ]


def no_longer_news(booking) -> None:
    """Let the hour pass in which pages that show a job are told that it has gone."""
    for row in booking.history.all():
        row.at -= live.GONE_IS_NEWS + HOUR
        row.save(update_fields=["at"])


@pytest.fixture
def session(alice, bob):
    """Bob's visit at Alice's, which she asks to move."""
    session = make.visit(alice, bob)
    actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + HOUR, now=make.NOW)
    return session


class TestAccess:
    def test_its_technician_gets_every_page(self, session, bob):
        for url in all_urls(session):
            response = client_of(bob).get(url)
            assert response.status_code == 200, url
            assert response.content.decode().count("<h1") == 1, url

    def test_another_technician_gets_404_for_what_is_not_theirs(self, session, dora):
        no_longer_news(session.booking)
        own = {reverse("bookings:today"), reverse("bookings:marketplace")}
        for url in all_urls(session):
            if url in own:
                continue
            # For an hour after it left the market, who comes too late with an offer is told that it is taken.
            gone = (409,) if url == reverse("bookings:offer", args=[session.booking_id]) else (404, 405)
            assert client_of(dora).get(url).status_code in gone, url
            assert client_of(dora).post(url).status_code in gone, url
        assert all(client_of(dora).get(url).status_code == 200 for url in own)

    @pytest.mark.parametrize("who", ["alice", "charlie", "ed", "frank"])
    def test_other_roles_get_403_on_every_address_that_is_the_technicians_alone(self, session, who, request):
        user = request.getfixturevalue(who)
        for url in all_urls(session):
            if url != job_url(session.booking):
                assert client_of(user).get(url).status_code == 403, url
                assert client_of(user).post(url).status_code in (403, 405), url

    def test_the_signed_out_get_the_login_page(self, session):
        for url in all_urls(session):
            response = client_of(None).get(url)
            assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/login/"), url

    def test_a_strangers_job_that_is_open_may_be_looked_at(self, alice, dora):
        assert "Kitchen tap leaks" in page_of(dora, job_url(make.job(alice)))

    def test_a_job_that_is_gone_or_a_draft_is_nobodys_business(self, alice, bob, dora):
        assert client_of(dora).get(job_url(make.visit(alice, bob).booking)).status_code == 404
        assert client_of(dora).get(job_url(make.draft(alice))).status_code == 404

    def test_who_comes_too_late_is_told_so_for_an_hour_and_then_knows_nothing(self, alice, bob, dora):
        booking = make.visit(alice, bob, now=timezone.now()).booking
        url = reverse("bookings:offer", args=[booking.pk])
        for response in (client_of(dora).get(url), client_of(dora).post(url, offer_data(booking))):
            html = response.content.decode()
            assert response.status_code == 409 and "Taken by another technician a moment ago." in html
            main = html.split("<main", 1)[1]  # below the bell, which told of it while it was open
            assert booking.title not in main and job_url(booking) not in html
        no_longer_news(booking)
        assert client_of(dora).get(url).status_code == 404
        assert client_of(dora).post(url, offer_data(booking)).status_code == 404

    def test_the_unverified_may_look_but_not_offer(self, alice):
        nina, booking = make.technician("Nina", verified=False), make.job(alice)
        assert "You may look, but not offer yet" in page_of(nina, reverse("bookings:marketplace"))
        assert "You may look, but not offer yet" in page_of(nina, job_url(booking))
        for send in (client_of(nina).get, client_of(nina).post):
            response = send(reverse("bookings:offer", args=[booking.pk]))
            assert response.status_code == 403
            assert "not all of your papers are approved" in response.content.decode()

    def test_who_lacks_the_skill_is_told_so(self, alice):
        sparks, booking = make.technician("Sparks", "electrics"), make.job(alice)
        assert "needs Plumbing, which is not among your skills" in page_of(sparks, job_url(booking))
        assert client_of(sparks).get(reverse("bookings:offer", args=[booking.pk])).status_code == 403


# --- Contact privacy (rule 9) ---------------------------------------------------------------------


class TestContact:
    def private(self, html: str) -> list[str]:
        return [word for word in (ADDRESS, PHONE, MAIL, "51.539") if word in html]

    def test_before_winning_only_the_area(self, alice, bob):
        booking = make.job(alice)
        html = page_of(bob, job_url(booking))
        assert self.private(html) == [] and "Camden, NW1" in html
        make.offer(booking, bob)
        html = page_of(bob, job_url(booking))
        assert self.private(html) == []
        assert f'data-latitude="{booking.area_latitude}"' in html and 'data-radius-km="0.6"' in html

    def test_the_marketplace_has_the_area_only(self, alice, bob):
        make.job(alice)
        html = page_of(bob, reverse("bookings:marketplace"))
        assert self.private(html) == [] and "Camden, NW1" in html

    def test_the_winner_reads_it(self, alice, bob):
        html = page_of(bob, job_url(make.visit(alice, bob).booking))
        assert self.private(html) == [ADDRESS, PHONE, MAIL, "51.539"]
        assert "tel:02079460018" in html

    def test_who_lost_does_not(self, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, dora, 70)
        make.accept(make.offer(booking, bob))
        html = page_of(dora, job_url(booking))
        assert self.private(html) == [] and "The customer chose another offer." in html

    def test_a_release_a_cancellation_and_a_job_put_away_close_it(self, alice, bob):
        released = make.visit(alice, bob)
        actions.release(released, by=bob, reason="Van broke down", now=make.NOW)
        cancelled = make.visit(alice, bob)
        actions.cancel_booking(cancelled.booking, by=alice, reason="mistake", now=make.NOW)
        done = make.finished(make.visit(alice, bob))
        assert self.private(page_of(bob, job_url(done.booking))) != []
        away = make.fresh(done.booking)
        away.put_away_at = timezone.now()
        away.save(update_fields=["put_away_at"])
        for session in (released, cancelled, done):
            assert self.private(page_of(bob, job_url(session.booking))) == [], session.status


# --- What the job page says -----------------------------------------------------------------------


class TestJobPage:
    def test_an_open_job_says_what_where_when_and_how_many_offers(self, alice, bob, dora):
        booking = make.job(alice, budget=Decimal(80))
        make.offer(booking, dora)
        text = words(page_of(bob, job_url(booking)))
        for words_ in ("It drips since Sunday.", "Camden, NW1", "Hoped for £80.00", "1 offer so far", "Make an offer"):
            assert words_ in text
        assert "Less than 1 km away from Camden." in text
        assert "£60.00" not in text  # nobody reads the price of another

    def test_ones_own_offer_with_its_rank(self, alice, bob, dora):
        booking = make.job(alice)
        make.offer(booking, dora, 50)
        make.offer(booking, bob, 60)
        text = words(page_of(bob, job_url(booking)))
        assert "£60.00" in text and "2nd lowest of 2" in text and "£50.00" not in text

    def test_an_offer_that_lost_says_why_and_what_next(self, alice, bob):
        bid = make.offer(make.job(alice), bob)
        actions.reject_bid(bid, by=alice, now=make.NOW)
        text = words(page_of(bob, job_url(bid.booking)))
        assert "The customer declined it." in text and "See open jobs" in text and "Offer again" not in text

    def test_a_job_that_opens_again_takes_the_offer_of_who_was_not_chosen(self, alice, bob, dora):
        booking = make.job(alice)
        lost = make.offer(booking, bob, 70)
        session = make.accept(make.offer(booking, dora))
        actions.release(session, by=dora, reason="Ill", now=make.NOW)
        text = words(page_of(bob, job_url(booking)))
        assert "The job is open again" in text and "Offer again" in text
        client_of(bob).post(reverse("bookings:offer", args=[booking.pk]), offer_data(booking, "65"))
        assert (make.fresh(lost).status, make.fresh(lost).revision) == ("submitted", 2)

    @pytest.mark.parametrize(
        ("reach", "button", "page"),
        [
            (lambda s: s, "On my way", "tracking:on_my_way"),
            (make.waiting, "Enter the start code", "bookings:enter_code"),
            (make.live, "Finish the visit", "bookings:complete_session"),
        ],
    )
    def test_there_is_one_button_for_the_next_transition(self, alice, bob, reach, button, page):
        session = make.visit(alice, bob)
        reach(session)
        html = page_of(bob, job_url(session.booking))
        assert html.count("btn-primary btn-lg") == 1
        link = re.search(r'<a class="btn btn-primary btn-lg[^>]*href="([^"]+)"[^>]*>(.*?)</a>', html)
        assert link and words(link[2]) == button
        assert link[1] == reverse(page, args=[session.pk])

    def test_a_paused_visit_goes_on(self, alice, bob):
        session = make.live(make.visit(alice, bob))
        actions.pause_session(session, by=bob, reason="Fetching a part", now=session.starts_at + make.MINUTE * 5)
        html = page_of(bob, job_url(session.booking))
        assert reverse("bookings:resume_session", args=[session.pk]) in html and "Fetching a part" in html

    def test_a_finished_visit_shows_what_was_done_and_asks_nothing(self, alice, bob):
        html = page_of(bob, job_url(make.finished(make.visit(alice, bob)).booking))
        assert "New washer." in html and "btn-primary btn-lg" not in html

    def test_what_happened_is_told_in_order(self, alice, bob):
        text = words(page_of(bob, job_url(make.finished(make.visit(alice, bob)).booking)))
        story = ["You made an offer", "The customer chose you", "You arrived", "Work began", "Finished"]
        places = [text.rindex(line) for line in story]
        assert places == sorted(places)

    def test_the_other_sides_wish_to_move_is_asked(self, session, bob):
        text = words(page_of(bob, job_url(session.booking)))
        assert "Alice asks for another time" in text and "Agree" in text and "Another time" not in text


# --- Today ----------------------------------------------------------------------------------------


class TestToday:
    URL = "/today/"

    def test_somebody_new_is_told_what_the_page_is_for(self, bob):
        text = words(page_of(bob, self.URL))
        assert "Nothing booked yet" in text and "See open jobs" in text

    def test_the_current_visit_stands_first_with_its_button(self, alice, bob):
        late = soon(alice, bob, starts_in=6 * HOUR, title="Boiler rattles")
        first = soon(alice, bob, starts_in=HOUR, title="Tap drips")
        html = page_of(bob, self.URL)
        assert html.index("Tap drips") < html.index("Boiler rattles")
        assert reverse("bookings:check_in", args=[first.pk]) in html
        assert reverse("bookings:check_in", args=[late.pk]) not in html
        assert ADDRESS in html

    def test_work_under_way_comes_before_what_is_next(self, alice, bob):
        first = soon(alice, bob, starts_in=HOUR, title="Tap drips")
        soon(alice, bob, starts_in=6 * HOUR, title="Boiler rattles")
        make.live(first, at=timezone.now())
        html = page_of(bob, self.URL)
        assert reverse("bookings:complete_session", args=[first.pk]) in html and "data-since" in html

    def test_offers_wait_for_an_answer(self, alice, bob):
        make.offer(make.job(alice, title="Blocked drain"), bob, 75)
        text = words(page_of(bob, self.URL))
        assert "Waiting for an answer" in text and "Blocked drain" in text and "£75.00" in text

    def test_other_peoples_visits_are_not_in_it(self, alice, bob, dora):
        soon(alice, bob)
        assert ADDRESS not in page_of(dora, self.URL)

    def test_many_visits_cost_no_more_queries(self, alice, bob):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                page_of(bob, self.URL)
            return len(queries)

        page_of(bob, self.URL)
        make.offer(make.job(alice), bob)
        soon(alice, bob, starts_in=HOUR)
        one = cost()
        for number in range(2, 6):
            make.offer(
                make.job(alice, window_start=make.NOW + number * DAY, window_end=make.NOW + number * DAY + 4 * HOUR),
                bob,
            )
            soon(alice, bob, starts_in=number * 5 * HOUR)
        assert cost() == one


# --- The marketplace ------------------------------------------------------------------------------


def offer_data(booking, amount: str = "60", **changes) -> dict[str, str]:
    """What the offer form sends: the start of the window, in the job's own time."""
    start = booking.window_start.astimezone(booking.zone)
    return {
        "amount": amount,
        "day": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M}",
        "message": "I bring a washer.",
        "valid_for": "2880",
        **changes,
    }


class TestMarketplace:
    URL = "/market/"

    def titles(self, html: str) -> list[str]:
        return [words(title) for title in re.findall(r'<p class="row-title">(.*?)</p>', html)]

    def test_jobs_of_ones_skills_and_area_nearest_first_under_whole_kilometres(self, alice, bob):
        make.job(alice, title="Far", latitude=make.GREENWICH.latitude, longitude=make.GREENWICH.longitude)
        make.job(alice, title="Close by")
        make.job(alice, title="Other trade", category=make.category("sockets", "electrics"))
        make.job(alice, title="Brighton", latitude=make.BRIGHTON.latitude, longitude=make.BRIGHTON.longitude)
        html = page_of(bob, self.URL)
        assert self.titles(html) == ["Close by", "Far"]
        text = words(html).partition("2 jobs")[2]  # the banner above names the newest
        assert text.index("Less than 1 km away") < text.index("Close by") < text.index("More than 10 km away")

    def test_the_list_follows_the_marketplace_with_a_pill(self, alice, bob):
        booking = make.job(alice)
        html = page_of(bob, self.URL)
        assert 'data-live-list="bookings.market_row" data-topic="marketplace" data-new="pill"' in html
        assert (
            f'<li id="bookings-market-row-{booking.pk}" data-live="bookings.market_row" data-topic="marketplace"'
            in html
        )

    def test_filters(self, alice, bob):
        make.job(alice, title="Near")
        make.job(alice, title="Far", latitude=make.GREENWICH.latitude, longitude=make.GREENWICH.longitude)
        now = timezone.now()
        make.job(alice, title="Soon", window_start=now + HOUR, window_end=now + 5 * HOUR, now=now)
        assert self.titles(page_of(bob, self.URL + "?km=2")) == ["Soon", "Near"]
        assert self.titles(page_of(bob, self.URL + "?day=week")) == ["Soon"]
        assert self.titles(page_of(bob, self.URL + "?sort=soon")) == ["Soon", "Near", "Far"]
        assert self.titles(page_of(bob, self.URL + f"?skill={make.skill().pk}&sort=new"))[0] in ("Near", "Far", "Soon")

    def test_a_foreign_skill_or_nonsense_finds_nothing_and_does_not_fail(self, alice, bob):
        make.job(alice)
        for query in (
            f"?skill={make.skill('electrics').pk}",
            "?km=900",
            "?sort=drop",
            "?day=never",
            "?page=99",
            "?skill=x",
        ):
            assert client_of(bob).get(self.URL + query).status_code == 200
        assert self.titles(page_of(bob, self.URL + f"?skill={make.skill('electrics').pk}")) == []

    def test_pages(self, alice, bob, monkeypatch):
        monkeypatch.setattr("bookings.views.technician.PAGE", 2)
        for number in range(5):
            make.job(alice, title=f"Job {number}")
        first = page_of(bob, self.URL + "?sort=new&km=5")
        assert self.titles(first) == ["Job 4", "Job 3"] and "Page 1 of 3" in first
        assert 'href="?sort=new&amp;km=5&amp;page=2"' in first
        assert self.titles(page_of(bob, self.URL + "?sort=new&page=3")) == ["Job 0"]

    def test_a_job_one_has_answered_is_not_shown_again(self, alice, bob):
        make.offer(make.job(alice, title="Answered"), bob)
        make.job(alice, title="Fresh")
        html = page_of(bob, self.URL)
        assert self.titles(html) == ["Fresh"] and "1 offer awaiting an answer" in words(html)

    def test_a_lapsed_offer_may_be_made_again(self, alice, bob):
        bid = make.offer(make.job(alice, title="Again"), bob)
        actions.withdraw_bid(bid, by=bob, now=make.NOW)
        assert self.titles(page_of(bob, self.URL)) == ["Again"]

    def test_four_kinds_of_empty(self, alice, bob):
        assert "No open jobs right now" in page_of(bob, self.URL)
        assert "No job matches" in page_of(bob, self.URL + "?km=2")
        make.offer(make.job(alice), bob)
        assert "You have answered everything" in page_of(bob, self.URL)
        bob.technician.skills.clear()
        assert "Say what you can do" in page_of(bob, self.URL)
        assert "No connection" in page_of(bob, self.URL)  # shown by the badge's state

    def test_many_jobs_cost_no_more_queries(self, alice, bob):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                page_of(bob, self.URL)
            return len(queries)

        page_of(bob, self.URL)
        make.job(alice)
        one = cost()
        for _ in range(8):
            make.job(alice)
        assert cost() == one
