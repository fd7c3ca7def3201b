"""What moves by itself on the dashboard: its figures, how it goes at a glance, and what the charts are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from accounts.models import Credential, CredentialStatus, Role, Technician, User
from adminpanel.dashboard.figures import charts_topic, figures_topic
from adminpanel.dashboard.glance import load_glances
from adminpanel.dashboard.series import PERIODS, load_series
from adminpanel.dashboard.tiles import load_strips
from adminpanel.queues.waiting import FOR_THE_DESK
from bookings.models import Bid, Booking, Dispute, Review, Session
from bookings.states import BookingStatus, ReviewStatus, SessionStatus
from realtime.fragments import Fragment, watch
from realtime.models import LastSeen, Presence
from realtime.topics import Topic
from tracking.models import Shift

Place = tuple[str, str]


def where(matters: Callable[[Any], bool], topic: Topic, *keys: str) -> Callable[[Any], Iterable[Place]]:
    """The touches of rows that matter; both as they were and as they are."""
    return lambda row: [(topic(), key) for key in keys] if matters(row) else []


def is_somebody(row: Presence | LastSeen) -> bool:
    """A page of a person, not of a shared link."""
    return row.kind == "user"


def is_placed(row: Booking) -> bool:
    """Whether others than its customer know of it."""
    return row.status != BookingStatus.DRAFT


def is_finished(row: Session) -> bool:
    """Whether it counts as work done."""
    return row.status == SessionStatus.COMPLETED


def is_for_the_desk(row: Credential | Review | Dispute) -> bool:
    """Whether it waits for a decision. Of a sealed review nobody hears, not even that it exists."""
    return row.status in (CredentialStatus.PENDING, ReviewStatus.FLAGGED, *FOR_THE_DESK)


def always(row: Any) -> bool:
    """Whatever it is."""
    return True


def figures_of(matters: Callable[[Any], bool] = always) -> Callable[[Any], Iterable[Place]]:
    """The strip of figures."""
    return where(matters, figures_topic, "all")


def glance_of(matters: Callable[[Any], bool] = always) -> Callable[[Any], Iterable[Place]]:
    """The panel."""
    return where(matters, charts_topic, "all")


def charts_of(matters: Callable[[Any], bool] = always) -> Callable[[Any], Iterable[Place]]:
    """The charts of every period: which of them pages show is not known here."""
    return where(matters, charts_topic, *PERIODS)


# Not `latest`: one row that everybody's transaction rewrites would make all of them wait for each other.
kpis = Fragment(
    "adminpanel.kpis",
    template="adminpanel/_kpis.html",
    load=load_strips,
    topics=lambda strip: [figures_topic()],
    watches=[
        watch(Booking, fields=("status", "target_passed_at"), touches=figures_of(is_placed)),
        watch(Session, fields=("status", "starts_at", "finished_at"), touches=figures_of()),
        watch(Shift, fields=("duty", "ended_at"), touches=figures_of()),
        watch(User, fields=("role", "is_active"), touches=figures_of()),
        watch(Presence, touches=figures_of(is_somebody)),
        watch(LastSeen, touches=figures_of(is_somebody)),
        watch(Credential, fields=("status",), touches=figures_of(is_for_the_desk)),
        watch(Review, fields=("status",), touches=figures_of(is_for_the_desk)),
        watch(Dispute, fields=("status",), touches=figures_of(is_for_the_desk)),
    ],
)
glance = Fragment(
    "adminpanel.glance",
    template="adminpanel/_glance.html",
    load=load_glances,
    topics=lambda glance: [charts_topic()],
    watches=[
        watch(Booking, fields=("placed_at",), touches=glance_of(is_placed)),
        watch(Session, fields=("status", "finished_at"), touches=glance_of()),
        watch(
            User,
            fields=("role", "is_active", "name", "photo"),
            touches=glance_of(lambda row: row.role != Role.DRIVER),
        ),
        watch(Technician, fields=("verified_at",), touches=glance_of()),
    ],
)
charts = Fragment(
    "adminpanel.charts",
    template="adminpanel/_charts.html",
    load=load_series,
    topics=lambda series: [charts_topic()],
    watches=[
        watch(Booking, fields=("placed_at",), touches=charts_of(is_placed)),
        watch(Session, fields=("status", "finished_at"), touches=charts_of(is_finished)),
        watch(Bid, fields=("submitted_at",), touches=charts_of()),
    ],
)
