"""The badges of the rail: how many wait in each queue, on every page of the desk."""

from __future__ import annotations

from accounts.access import desk
from accounts.models import Credential, CredentialStatus, Role, User
from adminpanel.queues.waiting import FOR_THE_DESK, load_queues
from bookings.models import Dispute, Review
from bookings.states import ReviewStatus
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

Place = tuple[str, str]

waits_topic = Topic("desk.waits", users=desk)


def credentials_wait(row: Credential) -> list[Place]:
    """A document that is to be checked."""
    return [(waits_topic(), "verification")] if row.status == CredentialStatus.PENDING else []


def technicians_wait(row: User) -> list[Place]:
    """The documents of a technician who comes or goes."""
    return [(waits_topic(), "verification")] if row.role == Role.TECHNICIAN else []


def reviews_wait(row: Review) -> list[Place]:
    """A flagged review. Of a sealed one nothing is heard, not even that it exists."""
    return [(waits_topic(), "reviews")] if row.status == ReviewStatus.FLAGGED else []


def disputes_wait(row: Dispute) -> list[Place]:
    """A dispute that the desk has to take on or to decide."""
    return [(waits_topic(), "disputes")] if row.status in FOR_THE_DESK else []


waits = Fragment(
    "adminpanel.waits",
    template="adminpanel/_waits.html",
    load=load_queues,
    topics=lambda queue: [waits_topic()],
    watches=[
        watch(Credential, fields=("status",), touches=credentials_wait),
        watch(User, fields=("is_active", "role"), touches=technicians_wait),
        watch(Review, fields=("status",), touches=reviews_wait),
        watch(Dispute, fields=("status",), touches=disputes_wait),
    ],
)
