"""What moves by itself in the desk's queue of documents: the rows of its lists, and the one that is looked at."""

from __future__ import annotations

from accounts.access import desk
from accounts.models import Credential, Role, Technician, User
from adminpanel.queues.verification import PILES, lists_of, load_cases, load_rows
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

Place = tuple[str, str]

list_topic = Topic(
    "desk.verification.{which:str}", users=lambda user_ids, which: desk(user_ids) if which in PILES else set()
)
credential_topic = Topic("desk.credential.{credential_id}", users=lambda user_ids, credential_id: desk(user_ids))


def topics_of(row: Credential) -> list[str]:
    """The lists it stands in."""
    return [list_topic(which) for which in lists_of(row)]


def rows_of(user: User) -> list[Place]:
    """The rows of a technician whose name changed, or whose account was closed or opened. They stand there or did:
    what no longer belongs is removed.
    """
    if user.role != Role.TECHNICIAN and not Technician.objects.filter(pk=user.pk).exists():
        return []
    found = Credential.objects.filter(technician=user.pk).values_list("pk", flat=True)
    return [(list_topic(which), str(pk)) for pk in found for which in PILES]


def cases_of(technician_id: int) -> list[Place]:
    """All documents of a technician: each page shows the others beside its own."""
    found = Credential.objects.filter(technician=technician_id).values_list("pk", flat=True)
    return [(credential_topic(pk), str(pk)) for pk in found]


def cases_beside(row: Credential) -> list[Place]:
    """The document itself, which may be gone, and those beside it."""
    return [(credential_topic(row.pk), str(row.pk)), *cases_of(row.technician_id)]


credential_row = Fragment(
    "adminpanel.credential_row",
    template="adminpanel/_credential_row.html",
    load=load_rows,
    topics=topics_of,
    watches=[
        watch(Credential, remember=("status", "valid_until")),
        watch(User, fields=("name", "is_active", "role", "photo"), touches=rows_of, referring=True),
    ],
    order=lambda row: f"{row.submitted_at.timestamp():017.6f}",
)
credential_case = Fragment(
    "adminpanel.credential_case",
    template="adminpanel/_credential_case.html",
    load=load_cases,
    topics=lambda case: [credential_topic(case.credential.pk)],
    watches=[
        watch(Credential, touches=cases_beside),
        watch(
            Technician,
            fields=("verified_at",),
            touches=lambda technician: cases_of(technician.pk),
            referring=True,
        ),
        watch(User, fields=("name", "is_active", "role"), touches=lambda user: cases_of(user.pk), referring=True),
    ],
)
