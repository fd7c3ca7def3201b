"""What moves by itself in the list of people and on the page of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.dispatch import receiver

from accounts import steps
from accounts.access import desk
from accounts.models import AccountHistory, AccountNote, CredentialHistory, DeskAction, Technician, User
from accounts.sessions import OpenSession, sessions_of
from adminpanel.audit.lines import KIND_OF, Line, load_lines
from adminpanel.people import LAST, load_jobs, load_people
from bookings.models import Booking, Session
from bookings.states import BookingStatus
from realtime.fragments import Fragment, touch, watch
from realtime.topics import Topic
from tracking.models import Dispatch

Place = tuple[str, str]

people_topic = Topic("desk.people", users=desk)
person_topic = Topic("desk.person.{user_id}", users=lambda user_ids, user_id: desk(user_ids))

FACTS = ("name", "email", "phone", "role", "photo", "time_zone", "is_active", "erased_at")
TRADE = ("verified_at", "base_label", "radius_km", "about")

person = Fragment(
    "adminpanel.person",
    template="adminpanel/_person_row.html",
    load=load_people,
    topics=lambda person: [people_topic()],
    watches=[
        watch(User, fields=FACTS),
        watch(Technician, fields=("verified_at",), touches=lambda row: [(people_topic(), str(row.pk))]),
    ],
    order=lambda person: person.order,
)

person_card = Fragment(
    "adminpanel.person_card",
    template="adminpanel/_person_card.html",
    load=load_people,
    topics=lambda card: [person_topic(card.pk)],
    watches=[
        watch(User, fields=FACTS),
        watch(Technician, fields=TRADE, touches=lambda row: [(person_topic(row.pk), str(row.pk))]),
    ],
)

# --- Notes ----------------------------------------------------------------------------------------


def load_notes(keys: Sequence[str]) -> Mapping[str, AccountNote]:
    """Notes with who wrote them."""
    return {str(note.pk): note for note in AccountNote.objects.select_related("author").filter(pk__in=keys)}


person_note = Fragment(
    "adminpanel.person_note",
    template="adminpanel/_person_note.html",
    load=load_notes,
    topics=lambda note: [person_topic(note.user_id)],
    watches=[watch(AccountNote, remember=("user_id",))],
    order=lambda note: f"{LAST - note.pk:012d}",
)

# --- Jobs -----------------------------------------------------------------------------------------


def of(column: str) -> Any:
    """The page of whoever stands in `column` of a row; of a draft nobody but its customer knows."""

    def touches(row: Any) -> list[Place]:
        pk = getattr(row, column)
        return [] if row.status == BookingStatus.DRAFT else [(person_topic(pk), str(pk))]

    return touches


person_jobs = Fragment(
    "adminpanel.person_jobs",
    template="adminpanel/_person_jobs.html",
    load=load_jobs,
    topics=lambda jobs: [person_topic(jobs.user.pk)],
    watches=[
        watch(Booking, fields=("customer_id", "status", "title", "window_start"), touches=of("customer_id")),
        watch(Session, fields=("technician_id", "status", "starts_at"), touches=of("technician_id")),
        watch(Dispatch, fields=("driver_id", "status"), touches=of("driver_id")),
    ],
)

# --- Sessions -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sessions:
    """Where somebody is signed in."""

    user_id: int
    open: Sequence[OpenSession]


def load_sessions(keys: Sequence[str]) -> Mapping[str, Sessions]:
    """By the ids of users; one query."""
    ids = [int(key) for key in keys]
    found = sessions_of(ids)
    return {str(pk): Sessions(pk, found.get(pk, ())) for pk in ids}


person_sessions = Fragment(
    "adminpanel.person_sessions",
    template="adminpanel/_person_sessions.html",
    load=load_sessions,
    topics=lambda sessions: [person_topic(sessions.user_id)],
)


@receiver(steps.sessions_changed, dispatch_uid="adminpanel.person_sessions")
def tell_sessions(user_id: int, **_: Any) -> None:
    """The sessions list is no live model: it says so itself when it changes."""
    touch(person_sessions, [user_id])


# --- What was done about them ---------------------------------------------------------------------

ABOUT = {AccountHistory: "user_id", DeskAction: "person_id", CredentialHistory: "subject_id"}
ABOUT_KINDS = tuple(KIND_OF[model] for model in ABOUT)


def told(row: Any) -> Iterable[Place]:
    """The page of the person whom a line concerns."""
    whom = row.subject.technician_id if isinstance(row, CredentialHistory) else getattr(row, ABOUT[type(row)])
    if whom is not None:
        yield person_topic(whom), f"{KIND_OF[type(row)]}-{row.pk}"


def places(line: Line) -> list[str]:
    """Where a line belongs."""
    return [person_topic(line.person[0])] if line.person else []


person_change = Fragment(
    "adminpanel.person_change",
    template="adminpanel/_person_change.html",
    load=lambda keys: load_lines(keys),
    topics=places,
    watches=[watch(model, touches=told) for model in ABOUT],
    order=lambda line: line.order,
)
