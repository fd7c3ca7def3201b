"""A populated site for the invariants: one booking in every state, with photos, proposals and histories, on the
real clock, so that every page has something to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import Credential, CredentialKind, Role, User
from accounts.tests import papers
from bookings import actions
from bookings.models import (
    Bid,
    Booking,
    BookingPhoto,
    CompletionPhoto,
    Dispute,
    DisputeEvidence,
    RescheduleProposal,
    Review,
    Session,
)
from bookings.tests import make, quarrel
from bookings.tests.make import DAY, HOUR
from chat.actions import ask_about, desk_conversation, send_message
from chat.models import Attachment, Conversation, Message, QuickReply
from config import settings as configured
from notifications.models import Notification

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class World:
    """What Alice owns and Bob works on; Dora has offered once and lost."""

    draft: Booking
    open: Booking
    bid: Bid  # Bob's, on `open`
    asked: Session  # pending, with a proposal of Bob's
    pending: Session
    waiting: Session
    live: Session
    paused: Session
    finished: Session
    proposal: RescheduleProposal
    draft_photo: BookingPhoto
    open_photo: BookingPhoto
    visit_photo: BookingPhoto
    finished_photo: CompletionPhoto
    notice: Notification  # Alice's
    desk_talk: Conversation  # Alice's, with the desk
    reply: QuickReply
    dispute: Dispute  # Alice's against Bob, new: he is not asked yet
    claim: Dispute  # Bob's against Alice, who is asked
    case: Dispute  # Alice's against Bob, to be decided
    settled: Dispute  # Bob's against Alice, decided
    hidden: DisputeEvidence  # to `dispute`
    proof: DisputeEvidence  # to `claim`
    flagged: Review  # Alice's about Bob, who has flagged it
    published: Review  # Bob's about Alice, of the same job
    sealed: Review  # Alice's about Bob, of another; he has not written
    talk: Conversation  # about Bob's offer on `open`
    said: Message  # Alice's, in it
    attached: Attachment  # to that
    paper: Credential  # Bob's, to be checked
    held: Credential  # Bob's, approved


def make_cast() -> dict[str, User]:
    """The cast of `conftest.py`, by name: a customer and her technician, strangers in each role, a driver, an admin."""
    return {
        "alice": make.person("Alice"),
        "bob": make.technician("Bob"),
        "charlie": make.person("Charlie"),
        "dora": make.technician("Dora"),
        "ed": make.person("Ed", Role.DRIVER),
        "frank": make.person("Frank", Role.ADMIN, is_staff=True, is_superuser=True),
    }


def later(days: int, now: datetime) -> dict[str, datetime]:
    """A window some days ahead, so that no two visits overlap."""
    start = (now + days * DAY).replace(hour=10, minute=0, second=0, microsecond=0)
    return {"window_start": start, "window_end": start + 6 * HOUR}


def job(by: User, days: int, now: datetime, title: str, photo: bool = False) -> Booking:
    """A placed booking, with a photo if wanted."""
    draft = make.draft(by, now=now, title=title, **later(days, now))
    if photo:
        actions.add_photo(draft, make.picture(), by=by, now=now)
    return actions.open_booking(draft, by=by, now=now)


def visit(by: User, worker: User, days: int, now: datetime, title: str) -> Session:
    """A booked visit."""
    return make.accept(make.offer(job(by, days, now, title, photo=True), worker, 60 + days, now=now), now=now)


def populate(alice: User, bob: User, dora: User, frank: User) -> World:
    """Everything once."""
    now = timezone.now() - timedelta(minutes=20)
    open_ = job(alice, 2, now, "Kitchen tap leaks", photo=True)
    bid = make.offer(open_, bob, 61, now=now)
    contested = job(alice, 3, now, "Boiler is cold")
    make.offer(contested, dora, 90, now=now)
    asked = make.accept(make.offer(contested, bob, 80, now=now), now=now)
    proposal = actions.propose_reschedule(asked, by=bob, starts_at=asked.starts_at + HOUR, message="Traffic", now=now)
    sessions = {}
    for days, state in enumerate(("pending", "waiting", "live", "paused", "finished"), 4):
        sessions[state] = visit(alice, bob, days, now, f"Job that is {state}")
    make.waiting(sessions["waiting"], at=now)
    actions.record_contact_attempt(sessions["waiting"], by=bob, channel="call", now=now)
    for state in ("live", "paused", "finished"):
        make.live(sessions[state], at=now)
    actions.pause_session(sessions["paused"], by=bob, reason="Fetching a part", now=now + timedelta(minutes=5))
    done = actions.complete_session(
        sessions["finished"], by=bob, note="New washer.", photos=[make.picture()], now=now + timedelta(minutes=9)
    )
    quarrels = disputes(alice, bob, done.booking, sessions["paused"].booking, ended(alice, bob, now), frank)
    draft = make.draft(alice, now=now, title="Draft of a job", **later(20, now))
    draft_photo = actions.add_photo(draft, make.picture(), by=alice, now=now)
    talk = ask_about(bid, by=alice, now=now)
    said = send_message(talk, by=alice, id=uuid4(), text="Parts included?", files=[make.picture()], now=now)
    return World(
        draft=draft,
        open=open_,
        bid=bid,
        asked=asked,
        **{state: make.fresh(session) for state, session in sessions.items()},
        proposal=proposal,
        draft_photo=draft_photo,
        open_photo=open_.photos.get(),
        visit_photo=sessions["pending"].booking.photos.get(),
        finished_photo=done.completion.photos.get(),
        notice=tell(alice, now),
        desk_talk=desk_conversation(alice, by=alice, now=now),
        reply=QuickReply.objects.create(role=Role.CUSTOMER, text="Thank you, see you then."),
        **quarrels,
        hidden=quarrels["dispute"].evidence.get(),
        proof=quarrels["claim"].evidence.get(),
        **reviews(alice, bob, now),
        talk=talk,
        said=said,
        attached=said.attachments.get(),
        paper=papers.sent(bob, CredentialKind.TRADE, now=now),
        held=papers.held(bob, now=now),
    )


def tell(user: User, now: datetime) -> Notification:
    """Something new in somebody's bell that no page's opening reads."""
    notice = Notification(user=user, kind="bookings.by_desk", priority="high", event=f"world.{now.timestamp()}")
    notice.text, notice.url, notice.at = "Something else has happened", "/", now
    notice.save()
    return notice


def disputes(
    alice: User, bob: User, done: Booking, paused: Booking, stopped: Sequence[Booking], frank: User
) -> dict[str, Dispute]:
    """One in every stage that has something to do in it, and one that is decided."""
    about = {"statement": "We cannot agree.", "wanted": "Half of the price"}
    dispute = actions.open_dispute(done, by=alice, reason="quality", files=[make.picture()], **about)
    claim = actions.open_dispute(stopped[0], by=bob, reason="unpaid", files=[quarrel.paper()], **about)
    case = actions.open_dispute(paused, by=alice, reason="damage", **about)
    settled = actions.open_dispute(stopped[1], by=bob, reason="conduct", **about)
    for each in (claim, case, settled):
        actions.take_on(each, by=None)
    case = actions.answer_dispute(case, by=bob, answer="I was careful.", files=[quarrel.paper("Report.pdf")])
    settled = actions.answer_dispute(settled, by=alice, answer="So was he.")
    settled = actions.resolve_dispute(settled, by=frank, outcome="shared", decision="Both.", amount=Decimal(20))
    return {"dispute": dispute, "claim": make.fresh(claim), "case": case, "settled": settled}


def reviews(alice: User, bob: User, now: datetime) -> dict[str, Review]:
    """What they say of each other after two more jobs."""
    jobs = [make.live(visit(alice, bob, days, now, "Reviewed job"), at=now) for days in (18, 19)]
    for each in jobs:
        actions.complete_session(each, by=bob, note="All done.", now=now + timedelta(minutes=9))
    flagged = actions.write_review(jobs[0].booking, by=alice, stars=2, text="He was late.")
    published = actions.write_review(jobs[0].booking, by=bob, stars=4, text="She was patient.")
    actions.flag_review(flagged, by=bob, reason="untrue", words="I was on time.")
    sealed = actions.write_review(jobs[1].booking, by=alice, stars=5, text="He was early.")
    return {"flagged": flagged, "published": published, "sealed": sealed}


def ended(alice: User, bob: User, now: datetime) -> list[Booking]:
    """One of each of the bad ends; those that were stopped at the door."""
    actions.cancel_booking(job(alice, 12, now, "Cancelled job"), by=alice, reason="mistake", now=now)
    expired = job(alice, 13, now, "Expired job")
    with transaction.atomic():
        actions.booking.expire_booking(expired, now=now)
    actions.release(visit(alice, bob, 14, now, "Released job"), by=bob, reason="Ill", now=now)
    stopped = [make.waiting(visit(alice, bob, days, now, "Stopped job"), at=now).booking for days in (15, 17)]
    for each in stopped:
        actions.cancel_booking(each, by=bob, reason="unsafe", now=now)
    actions.reject_bid(make.offer(job(alice, 16, now, "Declined job"), bob, 70, now=now), by=alice, now=now)
    return stopped


def patterns() -> dict[str, URLPattern]:
    """Every address of the site by its name, Django's admin and throw-away apps aside."""
    return dict(walk(get_resolver().url_patterns))


def walk(rows: list[URLPattern | URLResolver], namespace: str = "") -> list[tuple[str, URLPattern]]:
    """The named patterns under `rows`, namespaces included. Raises for one without a name."""
    found: list[tuple[str, URLPattern]] = []
    for row in rows:
        if isinstance(row, URLPattern):
            assert row.name, f"{row.pattern} has no name"
            found.append((namespace + row.name, row))
        elif row.namespace != "admin" and not is_extra(row):
            found += walk(row.url_patterns, f"{namespace}{row.namespace}:" if row.namespace else namespace)
    return found


def is_extra(row: URLResolver) -> bool:
    """Whether these are the addresses of a throw-away app."""
    names = {f"{name}.urls" for name in configured.EXTRA_APPS}
    return getattr(row.urlconf_module, "__name__", "") in names


def admin_patterns() -> dict[str, URLPattern]:
    """The addresses of Django's admin."""
    (admin,) = (row for row in get_resolver().url_patterns if getattr(row, "namespace", None) == "admin")
    found: list[tuple[str, URLPattern]] = []

    def into(rows: list[URLPattern | URLResolver]) -> None:
        for row in rows:
            if isinstance(row, URLResolver):
                into(row.url_patterns)
            elif row.name:
                found.append((f"admin:{row.name}", row))

    into(admin.url_patterns)
    return dict(found)
