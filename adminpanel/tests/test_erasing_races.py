"""Erasing people while others are at work on the same jobs: nobody waits for ever, and nothing is half forgotten."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from accounts import people
from accounts.models import User
from bookings import actions, due
from bookings.models import Booking
from bookings.states import BookingStatus
from bookings.tests import make, quarrel
from bookings.tests.make import DAY, HOUR
from chat.actions import ask_about, send_message
from chat.models import Message
from common.refusals import Refusal
from common.tests.race import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, JOBS = 4, 3
Call = Callable[[], Any]


@pytest.fixture
def desks() -> list[User]:
    return [make.person(f"Desk{n}", "admin") for n in range(3)]


def finished_jobs(alice: User, bob: User, rivals: list[User]) -> list[Booking]:
    """Jobs that are over, with offers, a conversation and words of everybody in each."""
    found = []
    for number in range(JOBS):
        now = timezone.now() - (JOBS - number) * DAY
        job = make.job(alice, now=now, title=f"Secret {number}")
        for rival in rivals:
            make.offer(job, rival, 90, now=now, message="Secret offer")
        bid = make.offer(job, bob, 80, now=now, message="Secret offer")
        talk = ask_about(bid, by=alice, now=now)
        for who in (alice, bob):
            send_message(talk, by=who, id=uuid4(), text="Secret hello", now=now)
        found.append(make.finished(make.accept(bid, now=now)).booking)
    return found


def work_on(job: Booking, alice: User, bob: User, desk: User) -> list[Call]:
    """What both sides, the desk and the clock may be doing with it."""
    now = quarrel.end_of(job) + HOUR
    talk = job.bids.get(status="accepted").conversation
    return [
        partial(actions.write_review, job, by=alice, stars=4, text="Secret word", now=now),
        partial(actions.write_review, job, by=bob, stars=3, text="Secret word", now=now),
        partial(quarrel.opened, job, bob, now=now, statement="Secret drip"),
        partial(send_message, talk, by=bob, id=uuid4(), text="Hello", now=now),
        partial(due.run_due, now),
    ]


def refused_or_done(results: list[Any]) -> list[Any]:
    """Results without refusals; anything else that went wrong fails: a deadlock is the database's own error."""
    errors = [result for result in results if isinstance(result, Exception)]
    readable = (Refusal, PermissionDenied, Http404)
    assert all(isinstance(error, readable) for error in errors), errors
    return [result for result in results if not isinstance(result, Exception)]


def test_both_sides_are_erased_while_others_work_on_their_jobs(desks: list[User]) -> None:
    """Two desks erase Alice and Bob crosswise; reviews, disputes, messages and the clock are about the same jobs."""
    for number in range(ROUNDS):
        alice, bob = make.person(f"Alice{number}"), make.technician(f"Bob{number}")
        rivals = [make.technician(f"Rival{number}{n}") for n in range(2)]
        jobs = finished_jobs(alice, bob, rivals)
        erasing = [
            partial(people.erase_person, person, by=desk, reason="They asked.")
            for person, desk in zip((alice, bob, rivals[0]), desks, strict=True)
        ]
        work = [call for job in jobs for call in work_on(job, alice, bob, desks[0])]
        calls = work[: len(work) // 2] + erasing + work[len(work) // 2 :]
        results = at_once(calls)
        refused_or_done(results)
        assert make.fresh(rivals[0]).erased_at is not None  # nothing of theirs was running, whatever the others did
        if make.fresh(alice).erased_at:
            assert not Booking.objects.filter(customer=alice, title__startswith="Secret").exists()
            assert not Message.objects.filter(author=alice).exclude(text="").exists()


def test_a_job_is_placed_while_its_customer_is_erased(desks: list[User]) -> None:
    """Either there is an open job, and nobody was erased; or there is nobody left, and no job."""
    for number in range(ROUNDS * 2):
        alice = make.person(f"Placer{number}")
        now = timezone.now()
        drafts = [make.draft(alice, now=now, window_start=now + DAY, window_end=now + DAY + 6 * HOUR) for _ in range(3)]
        placing = [partial(actions.open_booking, draft, by=alice, now=now) for draft in drafts]
        erasing = partial(people.erase_person, alice, by=desks[0], reason="They asked.")
        refused_or_done(at_once([*placing[:1], erasing, *placing[1:]]))
        is_gone = make.fresh(alice).erased_at is not None
        assert Booking.objects.filter(customer=alice).exists() is not is_gone
        assert not Booking.objects.filter(customer=alice, status=BookingStatus.DRAFT).exists()


def test_two_desks_that_erase_one_person_do_it_once(desks: list[User]) -> None:
    alice = make.person("Alice")
    finished_jobs(alice, make.technician("Bob"), [])
    calls = [partial(people.erase_person, alice, by=desk, reason="They asked.") for desk in desks] * 2
    done = refused_or_done(at_once(calls))
    assert len(done) == 1
    assert make.fresh(alice).erased_at is not None
