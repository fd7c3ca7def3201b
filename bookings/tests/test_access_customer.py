"""Every address of the customer's side, asked for by everybody: owner, strangers, other roles, signed out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from bookings import actions
from bookings.models import Booking, CompletionPhoto
from bookings.tests import make
from bookings.tests.make import HOUR
from bookings.urls import customer_patterns

pytestmark = pytest.mark.django_db

SIGNED_OUT, OTHER_CUSTOMER, TECHNICIAN, DRIVER, ADMIN = "nobody", "charlie", "dora", "ed", "frank"
STRANGERS = (SIGNED_OUT, OTHER_CUSTOMER, TECHNICIAN, DRIVER, ADMIN)


def of_job(name: str) -> Callable[[Booking], str]:
    return lambda booking: reverse(f"bookings:{name}", args=[booking.pk])


def of_bid(name: str, *more: int) -> Callable[[Booking], str]:
    return lambda booking: reverse(f"bookings:{name}", args=[booking.pk, booking.bids.get().pk, *more])


def of_wish(name: str) -> Callable[[Booking], str]:
    def path(booking: Booking) -> str:
        wish = booking.sessions.get().proposals.get()
        return reverse(f"bookings:{name}", args=[booking.pk, wish.pk])

    return path


# The addresses that belong to one job, each with the state of the job that it needs.
OPEN = {
    "accept": of_bid("accept", 1),
    "reject": of_bid("reject"),
    "change_time": of_job("change_time"),
}
BOOKED = {
    "cancel": of_job("cancel"),
    "start_by_tap": of_job("start_by_tap"),
    "new_code": of_job("new_code"),
    "reschedule": of_job("reschedule"),
    "reschedule_accept": of_wish("reschedule_accept"),
    "reschedule_decline": of_wish("reschedule_decline"),
    "reschedule_withdraw": of_wish("reschedule_withdraw"),
    "contact": of_job("contact"),
    "no_show": of_job("no_show"),
}
OWN_STEPS = ("book", "book_where", "book_when", "book_review", "book_discard")
LOOKING = (
    ("alice", 200),
    ("bob", 200),
    (TECHNICIAN, 200),
    (ADMIN, 200),
    (OTHER_CUSTOMER, 404),
    (DRIVER, 404),
    (SIGNED_OUT, 302),
)
ELSEWHERE = ("job", "photo", "completion_photo", "review", "flag_review", "reviews_of")


@pytest.fixture
def as_(request, client: Client) -> Callable[[str], Client]:
    """The browser of somebody by their first name; of nobody, signed out."""

    def browser(name: str) -> Client:
        other = Client()
        if name != SIGNED_OUT:
            other.force_login(request.getfixturevalue(name))
        return other

    return browser


@pytest.fixture
def open_job(alice: User, bob: User) -> Booking:
    return make.offer(make.job(alice), bob).booking


@pytest.fixture
def booked_job(alice: User, bob: User) -> Booking:
    later = {"window_start": make.TOMORROW_NOON + 10 * HOUR, "window_end": make.TOMORROW_NOON + 14 * HOUR}
    visit = make.visit(alice, bob, **later)
    actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + HOUR)
    return visit.booking


def expected(who: str) -> int:
    """Signed out: to the login page; other customers are not told; other roles may not."""
    return {SIGNED_OUT: 302, OTHER_CUSTOMER: 404}.get(who, 403)


def test_every_address_is_in_these_tests() -> None:
    assert {pattern.name for pattern in customer_patterns} == {*OPEN, *BOOKED, *OWN_STEPS, *ELSEWHERE}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("name", [*OPEN, *BOOKED])
def test_what_belongs_to_one_job_is_its_customers(as_, open_job, booked_job, name: str, who: str) -> None:
    booking, path = (open_job, OPEN[name]) if name in OPEN else (booked_job, BOOKED[name])
    before = (make.fresh(booking).status, [bid.status for bid in booking.bids.all()])
    for answer in (as_(who).get(path(booking)), as_(who).post(path(booking), {"reason": "mistake"})):
        assert answer.status_code == expected(who)
        if who == SIGNED_OUT:
            assert answer["Location"].startswith("/accounts/login/?next=")
        else:
            assert booking.title not in answer.content.decode()
    assert (make.fresh(booking).status, [bid.status for bid in booking.bids.all()]) == before


def test_the_jobs_own_technician_may_not_act_for_the_customer(as_, open_job, booked_job) -> None:
    for name, path in {**OPEN, **BOOKED}.items():
        booking = open_job if name in OPEN else booked_job
        assert as_("bob").post(path(booking)).status_code == 403


@pytest.mark.parametrize("name", [*OPEN, *BOOKED])
def test_the_owner_is_let_in(as_, open_job, booked_job, name: str) -> None:
    booking, path = (open_job, OPEN[name]) if name in OPEN else (booked_job, BOOKED[name])
    assert as_("alice").get(path(booking)).status_code == 200


@pytest.mark.parametrize("name", OWN_STEPS)
def test_only_customers_book(as_, alice, name: str) -> None:
    make.draft(alice)
    path = reverse(f"bookings:{name}")
    assert as_("alice").get(path).status_code == 200
    for who, status in ((SIGNED_OUT, 302), (TECHNICIAN, 403), (DRIVER, 403), (ADMIN, 403)):
        assert as_(who).get(path).status_code == as_(who).post(path).status_code == status
    page = as_("charlie").get(path, follow=True).content.decode()
    assert "Inverness" not in page and "Kitchen tap leaks" not in page


class TestJobPage:
    @pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 200), (TECHNICIAN, 200), (ADMIN, 302)])
    def test_an_open_job_is_seen_by_its_customer_by_technicians_and_the_desk(self, as_, open_job, who, status) -> None:
        assert as_(who).get(f"/jobs/{open_job.pk}/").status_code == status

    @pytest.mark.parametrize(
        ("who", "status"), [(SIGNED_OUT, 302), (OTHER_CUSTOMER, 404), (TECHNICIAN, 404), (DRIVER, 404)]
    )
    def test_a_booked_one_is_hidden_from_strangers(self, as_, booked_job, who: str, status: int) -> None:
        assert as_(who).get(f"/jobs/{booked_job.pk}/").status_code == status

    def test_a_draft_is_nobodys_page(self, as_, alice, bob, ed, frank) -> None:
        pk = make.draft(alice).pk
        for who in ("alice", "bob", OTHER_CUSTOMER, DRIVER, ADMIN):
            assert as_(who).get(f"/jobs/{pk}/").status_code == 404

    def test_only_the_customer_reads_the_start_code(self, as_, alice, bob) -> None:
        visit = make.waiting(make.visit(alice, bob))
        path = f"/jobs/{visit.booking_id}/"
        code = f">{visit.start_code}<"
        assert code in as_("alice").get(path).content.decode()
        assert code not in as_("bob").get(path).content.decode()

    def test_it_is_only_looked_at(self, as_, open_job) -> None:
        assert as_("alice").post(f"/jobs/{open_job.pk}/").status_code == 405


class TestPhotos:
    def photo(self, booking: Booking) -> str:
        return reverse("bookings:photo", args=[actions.add_photo(booking, make.picture(), by=booking.customer).pk])

    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("alice", 200),
            ("bob", 200),
            (TECHNICIAN, 200),
            (ADMIN, 200),
            (OTHER_CUSTOMER, 404),
            (DRIVER, 404),
            (SIGNED_OUT, 302),
        ],
    )
    def test_of_an_open_job_are_for_who_may_see_it(self, as_, media: Path, open_job, who: str, status: int) -> None:
        assert as_(who).get(self.photo(open_job)).status_code == status

    def test_of_a_draft_are_the_customers_alone(self, as_, media: Path, alice, bob, frank) -> None:
        path = self.photo(make.draft(alice))
        assert as_("alice").get(path).status_code == 200
        for who in ("bob", OTHER_CUSTOMER, DRIVER, ADMIN):
            assert as_(who).get(path).status_code == 404

    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("alice", 200),
            ("bob", 200),
            (ADMIN, 200),
            (TECHNICIAN, 404),
            (OTHER_CUSTOMER, 404),
            (DRIVER, 404),
            (SIGNED_OUT, 302),
        ],
    )
    def test_of_the_finished_work_are_for_the_two_sides(
        self, as_, media: Path, alice, bob, who: str, status: int
    ) -> None:
        visit = make.live(make.visit(alice, bob))
        actions.complete_session(visit, by=bob, note="Done.", photos=[make.picture()], now=visit.starts_at + HOUR)
        path = reverse("bookings:completion_photo", args=[CompletionPhoto.objects.get().pk])
        assert as_(who).get(path).status_code == status

    @pytest.mark.parametrize("who", STRANGERS)
    def test_nobody_takes_off_anothers(self, as_, media: Path, alice, who: str) -> None:
        photo = actions.add_photo(make.draft(alice), make.picture(), by=alice)
        as_(who).post(reverse("bookings:book"), {"title": "Mine", "remove": photo.pk})
        assert Path(photo.image.path).exists()


def test_a_customer_who_became_something_else_is_let_in_no_more(as_, open_job, alice) -> None:
    alice.role = Role.DRIVER
    alice.save(update_fields=["role"])
    assert as_("alice").get(f"/jobs/{open_job.pk}/").status_code == 404
    assert as_("alice").post(f"/jobs/{open_job.pk}/cancel/").status_code == 403
