"""The rail of the desk: its rooms, where one is, and the badges of the queues."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Credential, CredentialKind, CredentialStatus, User
from adminpanel.queues.waiting import load_queues, queues
from adminpanel.rooms import groups
from bookings.models import Dispute, Review
from bookings.states import DisputeReason, DisputeStatus, HideReason, Party, ReviewStatus
from bookings.tests import make
from bookings.tests.follow import audience, on, sent, touched_by
from tests.crawl import browser


@pytest.fixture
def desk(frank: User) -> Client:
    """Frank's browser."""
    return browser(frank)


def document(technician: User, **fields) -> Credential:
    """A document that waits to be checked."""
    kept = {"kind": CredentialKind.IDENTITY, "file": "credentials/x.pdf", "name": "passport.pdf"}
    return Credential.objects.create(technician=technician.technician, **{**kept, **fields})


def review(customer: User, technician: User, status: str = ReviewStatus.FLAGGED) -> Review:
    """What a customer says of a technician, in that state."""
    now = timezone.now()
    return Review.objects.create(
        booking=make.job(customer),
        author=customer,
        about=technician,
        party=Party.CUSTOMER,
        stars=1,
        status=status,
        opens_at=now,
        published_at=None if status == ReviewStatus.SUBMITTED else now,
    )


def dispute(customer: User, technician: User, status: str = DisputeStatus.OPEN) -> Dispute:
    """A complaint of a customer, in that state."""
    return Dispute.objects.create(
        booking=make.job(customer),
        opened_by=customer,
        against=technician,
        party=Party.CUSTOMER,
        reason=DisputeReason.QUALITY,
        statement="It leaks again.",
        status=status,
        answer_by=timezone.now(),
    )


def waits() -> dict[str, int]:
    """How many wait in each queue."""
    return {name: queue.waits for name, queue in load_queues(list(queues())).items()}


def rail(client: Client, url: str = "/desk/") -> str:
    """The rail of a page."""
    found = re.search(r'<details class="rail".*?</details>', client.get(url).content.decode(), re.S)
    assert found
    return found[0]


# --- Rooms ----------------------------------------------------------------------------------------


def test_every_room_has_its_link_and_the_page_one_is_on_is_named(desk):
    page = rail(desk)
    for group in groups():
        assert group.label in page
        for room in group.rooms:
            assert f'href="{room.url}"' in page
    assert page.count('aria-current="page"') == 1 and 'href="/desk/" aria-current="page"' in page


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/desk/", "/desk/"),
        ("/desk/audit/", "/desk/audit/"),
        ("/desk/fleet/7/", "/desk/fleet/"),
        ("/desk/nowhere/", ""),
    ],
)
def test_a_page_below_a_room_belongs_to_it_and_not_to_the_dashboard(path, here):
    assert [room.url for group in groups(path) for room in group.rooms if room.is_here] == ([here] if here else [])


# --- Badges ---------------------------------------------------------------------------------------


def test_a_queue_counts_what_waits_for_the_desk_and_nothing_else(alice, bob, dora):
    document(bob)
    document(bob, kind=CredentialKind.INSURANCE, status=CredentialStatus.APPROVED)
    document(dora)
    for status in (ReviewStatus.FLAGGED, ReviewStatus.PUBLISHED, ReviewStatus.SUBMITTED):
        review(alice, bob, status)
    for status in (DisputeStatus.OPEN, DisputeStatus.AWAITING_RESPONSE, DisputeStatus.UNDER_REVIEW):
        dispute(alice, bob, status)
    assert waits() == {"verification": 2, "reviews": 1, "disputes": 2}
    dora.is_active = False
    dora.save(update_fields=["is_active"])
    assert waits()["verification"] == 1


def test_all_queues_cost_one_query(alice, bob):
    document(bob)
    with CaptureQueriesContext(connection) as seen:
        waits()
    assert len(seen) == 1


def test_a_badge_is_told_by_whatever_comes_into_its_queue_and_leaves_it(alice, bob, frank):
    for make_one, name, after in (
        (lambda: document(bob), "verification", {"status": CredentialStatus.APPROVED}),
        (lambda: review(alice, bob), "reviews", {"status": ReviewStatus.HIDDEN, "hide_reason": HideReason.ABUSE}),
        (lambda: dispute(alice, bob), "disputes", {"status": DisputeStatus.WITHDRAWN}),
    ):
        made = []
        came = touched_by(lambda make_one=make_one, made=made: made.append(make_one()))
        row = make.fresh(made[0])
        for field, value in after.items():
            setattr(row, field, value)
        left = touched_by(lambda row=row: row.save())
        for touches in (came, left):
            assert on(touches, "desk.waits") == {("adminpanel.waits", name)}
            assert audience(touches, "adminpanel.waits", frank, alice, bob) == {"Frank"}
        assert "hidden" in sent(left, frank)[f"adminpanel-waits-{name}"]


def test_of_a_sealed_review_no_badge_hears(alice, bob):
    assert not on(touched_by(lambda: review(alice, bob, ReviewStatus.SUBMITTED)), "desk.waits")


def test_a_closed_account_takes_its_documents_out_of_the_queue(bob):
    document(bob)
    bob.is_active = False
    assert on(touched_by(lambda: bob.save(update_fields=["is_active"])), "desk.waits")
