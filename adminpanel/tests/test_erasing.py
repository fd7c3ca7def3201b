"""Erasing keeps the books: after it no table holds a name, an address or a word of the person, and every state, time
and amount is what it was. Looked for in all columns of all tables, whatever is added to them later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.utils import timezone

from accounts import people
from accounts.audit import record
from accounts.models import AccountNote, DeskAction, Flag, Role, User
from accounts.tests.papers import verified
from accounts.turning import Setting, turn_flag
from adminpanel.tests.road import accepted, comes_online, leg, offered
from bookings import actions
from bookings.models import Bid, Booking, BookingPhoto, Dispute, DisputeEvidence, Review, Session
from bookings.tests import make
from bookings.tests.make import DAY, HOUR
from chat.actions import ask_about, send_message
from chat.models import Attachment, Message
from common.refusals import Conflict
from notifications.models import Notification, Preference
from tests.crawl import browser
from tracking import actions as driving
from tracking.access import current_shift
from tracking.models import Fix, Journey, Position, ShareLink
from tracking.tests import make as road

MARK = "xyzzy"  # in every word they write
NOT_LOOKED_AT = {"sessions.Session"}  # encoded; those of the person are gone, which is asked below


def everything() -> Iterator[tuple[str, str]]:
    """Every row of every table as (table, its text)."""
    for model in apps.get_models():
        if model._meta.label not in NOT_LOOKED_AT and model._meta.managed:
            for row in model._base_manager.values():
                yield model._meta.label, str(row)


def holding(*secrets: str) -> set[str]:
    """The tables that still hold one of them."""
    return {f"{label}: {text[:400]}" for label, text in everything() if any(each in text for each in secrets)}


def window(days: int) -> dict[str, Any]:
    """A job some days from now."""
    start = (timezone.now() + days * DAY).replace(minute=0, second=0, microsecond=0)
    return {"window_start": start, "window_end": start + 6 * HOUR}


def job(by: User, days: int) -> Booking:
    """A job of words that only they wrote."""
    now = timezone.now()
    words = {"title": f"{MARK} tap", "description": f"{MARK} drips", "address_line2": f"{MARK} floor"}
    draft = make.draft(by, now=now, **window(days), **words)
    actions.add_photo(draft, make.picture(), by=by, now=now)
    return actions.open_booking(draft, by=by, now=now)


def lives(alice: User, bob: User, frank: User) -> Session:
    """A job that was done, with everything that is said on the way; one that was called off; and a draft."""
    now = timezone.now()
    alice.phone = bob.phone = ""
    people.correct_person(
        alice, by=frank, name="Alice Liddell", phone="+44 7700 900321", time_zone="UTC", reason="Asked"
    )
    people.correct_person(bob, by=frank, name="Bob Mason", phone="+44 7700 900654", time_zone="UTC", reason="Asked")
    bid = make.offer(job(alice, 2), bob, 80, now=now, message=f"{MARK} I can")
    talk = ask_about(bid, by=alice, now=now)
    for who in (alice, bob):
        send_message(talk, by=who, id=uuid4(), text=f"{MARK} hello", files=[make.picture(f"{MARK}.jpg")], now=now)
    visit = make.accept(bid, now=now)
    moved = actions.propose_reschedule(visit, by=bob, starts_at=visit.starts_at + HOUR, message=f"{MARK} late", now=now)
    actions.withdraw_reschedule(moved, by=bob, now=now)
    visit = make.waiting(visit, at=now)
    actions.record_contact_attempt(visit, by=bob, channel="call", note=f"{MARK} no answer", now=now)
    visit = actions.start_session(visit, by=alice, now=now)
    actions.pause_session(visit, by=bob, reason=f"{MARK} a part", now=now)
    actions.resume_session(visit, by=bob, now=now)
    visit = actions.complete_session(visit, by=bob, note="New washer.", photos=[make.picture()], now=now)
    quarrel(visit.booking, alice, bob)
    off = job(alice, 5)
    actions.cancel_booking(off, by=alice, reason="other", note=f"{MARK} moved away", now=now)
    make.draft(alice, now=now, title=f"{MARK} draft", **window(9))
    people.add_note(alice, by=frank, text=f"{MARK} rings twice")
    people.add_note(bob, by=frank, text=f"{MARK} is late")
    Preference.objects.create(user=alice, kind="chat.message", channel="email", wanted=False)
    return visit


def quarrel(booking: Booking, alice: User, bob: User) -> None:
    """Reviews of both sides, and a dispute that was settled."""
    now = timezone.now()
    for author, about, party in ((alice, bob, "customer"), (bob, alice, "technician")):
        Review.objects.create(booking=booking, author=author, about=about, party=party, stars=4, text=f"{MARK} good",
                              status="published", published_at=now, opens_at=now)  # fmt: skip
    dispute = Dispute.objects.create(booking=booking, opened_by=alice, against=bob, party="customer", reason="quality",
                                     statement=f"{MARK} bad", wanted=f"{MARK} money", answer=f"{MARK} not so",
                                     status="withdrawn", ended_at=now)  # fmt: skip
    for who in (alice, bob):
        kept = DisputeEvidence(dispute=dispute, by=who, note=f"{MARK} look", name=f"{MARK}.jpg")
        kept.file.save("x.jpg", make.picture(), save=True)


def books() -> dict[str, list[Any]]:
    """What must not change: states, times, amounts and histories, without the person's words."""
    columns = {
        Booking: (
            "pk",
            "customer_id",
            "status",
            "window_start",
            "window_end",
            "area_label",
            "fee_amount",
            "category_id",
        ),
        Bid: ("pk", "booking_id", "technician_id", "amount", "status", "revision"),
        Session: ("pk", "technician_id", "status", "started_at", "finished_at", "paused_seconds"),
        Review: ("pk", "author_id", "about_id", "stars", "status"),
        Dispute: ("pk", "status", "opened_by_id", "against_id", "reason", "outcome", "amount"),
        Message: ("pk", "conversation_id", "author_id", "seq", "at"),
    }
    found = {str(model): list(model.objects.order_by("pk").values_list(*names)) for model, names in columns.items()}
    for model in apps.get_models():
        if model.__name__.endswith("History") and model.__name__ != "AccountHistory":
            found[str(model)] = list(
                model._base_manager.order_by("pk").values_list("pk", "from_state", "to_state", "at")
            )
    return found


def without_drafts(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """A draft is no book: it goes."""
    return {name: [row for row in rows if "draft" not in row] for name, rows in found.items()}


def folders(media: Path) -> Counter[str]:
    """How many files lie in each folder."""
    return Counter(path.parent.name for path in media.rglob("*.*"))


@pytest.fixture
def visit(media: Any, alice: User, bob: User, frank: User) -> Session:
    """A life between the two."""
    return lives(alice, bob, frank)


def test_a_customer_leaves_no_word_and_all_books(visit, media, alice, bob, frank, django_capture_on_commit_callbacks):
    theirs = browser(alice)
    before = without_drafts(books())
    assert folders(media) == {"jobs": 3, "messages": 4, "disputes": 2}
    with django_capture_on_commit_callbacks(execute=True):
        people.erase_person(alice, by=frank, reason="She asked")
    assert folders(media) == {"jobs": 1, "messages": 2, "disputes": 1}  # Bob's, and what was done at the visit
    assert theirs.get("/accounts/profile/").status_code == 302 and not alice.usersession_set.exists()
    left = holding("Alice", "alice@example.org", "+44 7700 900321", "12 Inverness Street", "NW1 7HJ")
    assert not left, "\n".join(left)
    assert without_drafts(books()) == before
    booking = make.fresh(visit.booking)
    assert (booking.title, booking.area_label, booking.description) == (booking.category.name, "Camden, NW1", "")
    assert (
        (booking.latitude, booking.longitude) == (booking.area_latitude, booking.area_longitude) != tuple(make.CAMDEN)
    )
    assert not BookingPhoto.objects.exists() and not Booking.objects.filter(status="draft").exists()
    assert not Attachment.objects.filter(message__author=alice).exists()
    assert not AccountNote.objects.filter(user=alice).exists() and not Preference.objects.exists()
    assert not Notification.objects.filter(actor=alice).exists()


def test_what_a_customer_wrote_is_gone_and_what_others_wrote_stays(visit, alice, bob, frank):
    people.erase_person(alice, by=frank, reason="She asked")
    marked = {label for label, text in everything() if MARK in text}
    assert "bookings.Booking" not in marked
    said = dict(Message.objects.filter(author__isnull=False).values_list("author_id", "text"))
    assert said == {alice.pk: "", bob.pk: f"{MARK} hello"}
    assert dict(Review.objects.values_list("author_id", "text")) == {alice.pk: "", bob.pk: f"{MARK} good"}
    dispute = Dispute.objects.get()
    assert (dispute.statement, dispute.wanted, dispute.answer) == ("", "", f"{MARK} not so")
    assert dict(DisputeEvidence.objects.values_list("by_id", "note")) == {alice.pk: "", bob.pk: f"{MARK} look"}
    assert visit.completion.note == "New washer."


def test_both_gone_leave_no_word_of_theirs_anywhere(
    visit, media, alice, bob, frank, django_capture_on_commit_callbacks
):
    verified(bob)
    before = without_drafts(books())
    with django_capture_on_commit_callbacks(execute=True):
        for who in (bob, alice):
            people.erase_person(who, by=frank, reason="They asked")
    assert without_drafts(books()) == before
    left = holding(MARK, "Alice", "alice@", "Bob", "bob@example.org", "+44 7700", "12 Inverness Street", "NW1 7HJ")
    assert not left, "\n".join(left)
    assert folders(media) == {"jobs": 1}  # what was done at the visit stays
    assert [user.name for user in User.objects.exclude(pk=frank.pk).order_by("pk")] == [
        "Former customer",
        "Former technician",
    ]
    technician = bob.technician
    technician.refresh_from_db()
    assert (technician.base_latitude, technician.base_longitude) != tuple(make.CAMDEN) and technician.about == ""


def test_the_desks_lines_about_somebody_lose_name_and_title_and_stay(visit, alice, bob, frank):
    sam = road.driver("Sam")
    quarrel_about = Dispute.objects.get()
    lines = [
        record(frank, "moved_visit", subject_kind="booking", subject_id=visit.booking_id, label=f"{MARK} tap"),
        record(frank, "added_evidence", subject_kind="dispute", subject_id=quarrel_about.pk, label=f"{MARK} tap"),
        record(frank, "wrote_message", subject_kind="conversation", subject_id=1, label=alice.name, person=alice),
        record(frank, "changed_driver", subject_kind="driver", subject_id=sam.pk, label=sam.user.name, person=sam.user,
               details={"plate": ["", "AB12 CDE"]}),
    ]  # fmt: skip
    wanted = Setting(percent=Decimal(10), people=[alice, bob])
    turn_flag(Flag.objects.create(name="try_it", everyone=False), wanted, by=frank, reason="A try")
    for who in (alice, sam.user):
        people.erase_person(who, by=frank, reason="They asked")
    kept = DeskAction.objects.filter(pk__in=[line.pk for line in lines]).order_by("pk")
    assert [(line.verb, line.label, line.details) for line in kept] == [(line.verb, "", {}) for line in lines]
    turned = DeskAction.objects.get(verb="changed_flag")
    assert turned.details["people"] == [[], [bob.email]] and turned.details["percent"] == [0, 10]
    assert list(Flag.objects.get(name="try_it").users.all()) == [bob]


def test_a_driver_leaves_no_place(media, alice, frank):
    what = leg(alice, frank)
    sam = road.at_work("Sam", at=road.NEAR, now=timezone.now(), plate="AB12 CDE")
    with pytest.raises(Conflict, match="They are on duty"):
        people.erase_person(sam.user, by=frank, reason="Left")
    dispatch = accepted(what, sam)
    with pytest.raises(Conflict, match="in their hands"):
        people.erase_person(sam.user, by=frank, reason="Left")
    driving.set_off(dispatch, by=sam.user)
    with pytest.raises(Conflict, match="on the way"):
        people.erase_person(sam.user, by=frank, reason="Left")
    driving.arrive(dispatch, by=sam.user)
    driving.complete(dispatch, by=sam.user)
    driving.go_off_duty(current_shift(sam.pk), by=sam.user)
    Fix.objects.create(user=sam.user, at=timezone.now(), received_at=timezone.now(), latitude=51.5, longitude=-0.1)
    people.erase_person(sam.user, by=frank, reason="Left")
    left = holding("Sam Test", "sam@example.org", "AB12 CDE")
    assert not left, "\n".join(left)
    assert not Fix.objects.exists() and not Position.objects.exists()
    assert Journey.objects.filter(traveller=sam.user).count() == 1 and sam.dispatches.get().status == "completed"


def test_where_a_customers_ways_led_is_only_the_area_afterwards(media, alice, bob, frank):
    visit = make.visit(alice, bob, now=timezone.now(), **window(1))
    way = Journey.objects.create(booking=visit.booking, session=visit, traveller=bob, opened_at=timezone.now(),
                                 latitude=visit.booking.latitude, longitude=visit.booking.longitude)  # fmt: skip
    ShareLink.objects.create(journey=way, made_by=alice, made_at=timezone.now())
    way.closed_at, way.end = timezone.now(), "arrived"
    way.save()
    make.finished(visit, at=timezone.now() + timedelta(days=1))
    people.erase_person(alice, by=frank, reason="She asked")
    way.refresh_from_db()
    assert way.destination == make.fresh(visit.booking).public_point and not ShareLink.objects.exists()


@pytest.mark.parametrize("what", ["offer", "dispute"])
def test_an_offer_or_a_dispute_that_stands_is_in_the_way(media, alice, bob, frank, what):
    now = timezone.now()
    if what == "offer":
        make.offer(make.job(alice, now=now, **window(2)), bob, now=now)
    else:
        done = make.finished(make.visit(alice, bob)).booking
        Dispute.objects.create(
            booking=done, opened_by=bob, against=alice, party="technician", reason="unpaid", statement="x"
        )
    with pytest.raises(Conflict, match="See to that first"):
        people.erase_person(bob, by=frank, reason="Asked")
    assert make.fresh(bob).name == "Bob Test" and not DeskAction.objects.exists()


def test_an_admin_is_erased_by_another_and_what_they_did_stays(media, alice, frank):
    gina = make.person("Gina", Role.ADMIN, is_staff=True)
    people.correct_person(alice, by=gina, name="Alice", phone="", time_zone="UTC", reason="Zone")
    people.erase_person(gina, by=frank, reason="Left")
    gina.refresh_from_db()
    assert (gina.name, gina.is_staff) == ("Former admin", False)
    assert DeskAction.objects.get(verb="corrected_person").actor == gina


def test_an_erased_person_is_nowhere_online(media, alice, frank):
    comes_online(alice)
    people.erase_person(alice, by=frank, reason="Asked")
    assert not holding("alice@example.org")


def test_offered_legs_are_in_the_way_too(media, alice, frank):
    sam = road.at_work("Sam", at=road.NEAR, now=timezone.now())
    offered(leg(alice, frank), sam)
    with pytest.raises(Conflict, match="A leg is offered"):
        people.erase_person(sam.user, by=frank, reason="Left")
