"""What accounts holds about a person, and how it forgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Q

from accounts import credentials, sessions
from accounts.holdings import Held, Holding, Section, claim_rows, file_of, hold, values_of
from accounts.models import (
    AccountHistory,
    AccountNote,
    Credential,
    CredentialHistory,
    DeskAction,
    Flag,
    Technician,
    User,
    WorkingHours,
)
from common.geo import Point, area_point
from common.models import IdempotencyKey
from realtime.bulk import bulk_delete, bulk_update
from realtime.models import LastSeen

STEP = ("from_state", "to_state", "actor_role", "reason", "at")


def sections(user: User) -> Iterable[Section]:
    """The account, the trade, documents, sessions, and what the desk did and noted."""
    me = User.objects.filter(pk=user.pk)
    columns = ("email", "name", "role", "phone", "time_zone", "joined_at", "last_login", "is_active")
    yield Section("account", values_of(me, *columns))
    trade = Technician.objects.filter(pk=user.pk)
    yield Section("trade", values_of(trade, "about", "base_label", "base_latitude", "base_longitude", "radius_km",
                                     "verified_at"))  # fmt: skip
    yield Section("skills", values_of(Technician.skills.through.objects.filter(technician=user.pk), "skill__name"))
    yield Section("working_hours", values_of(WorkingHours.objects.filter(technician=user.pk), "weekday", "starts",
                                             "ends"))  # fmt: skip
    documents = Credential.objects.filter(technician=user.pk)
    yield Section("documents", values_of(documents, "kind", "number", "name", "valid_until", "status", "reason",
                                         "submitted_at", "decided_at"))  # fmt: skip
    steps = CredentialHistory.objects.filter(subject__technician=user.pk)
    yield Section("document_history", values_of(steps, "subject_id", *STEP))
    signed_in = UserSession.objects.filter(user=user.pk)
    yield Section("sessions", values_of(signed_in, "created_at", "ip", "user_agent"))
    yield Section("account_history", values_of(AccountHistory.objects.filter(user=user.pk), *STEP))
    done = DeskAction.objects.filter(person=user.pk)
    yield Section("done_by_the_desk", values_of(done, "verb", "label", "reason", "details", "at"))
    yield Section("notes_of_the_desk", values_of(AccountNote.objects.filter(user=user.pk), "text", "at"))


def files(user: User) -> Iterable[Held]:
    """The photo and the documents."""
    yield from file_of(user, "photo", "photo")
    for row in Credential.objects.filter(technician=user.pk).order_by("pk"):
        yield from file_of(row, "file", "documents", row.name)


def claim(user: User) -> None:
    """Their trade, which whatever fills their time locks first, and then their documents."""
    claim_rows(Technician.objects.filter(pk=user.pk), Credential.objects.filter(technician=user.pk))


def forget(user: User, now: datetime) -> None:
    """The trade's words and place, documents, sessions, factors, notes, and the name where the desk's lines have it."""
    credentials.forget_documents(user)
    for technician in Technician.objects.filter(pk=user.pk):
        base = area_point(Point(technician.base_latitude, technician.base_longitude))
        technician.about, (technician.base_latitude, technician.base_longitude) = "", base
        technician.save(update_fields=["about", "base_latitude", "base_longitude"])
    sessions.end_all_of(user)
    for model in (EmailAddress, Authenticator):
        model.objects.filter(user_id=user.pk).delete()
    bulk_delete(AccountNote.objects.filter(user=user.pk))
    bulk_delete(LastSeen.objects.filter(kind="user", principal=str(user.pk)))
    IdempotencyKey.objects.filter(principal=f"user {user.pk}").delete()
    forget_lines(user)
    LogEntry.objects.filter(content_type__app_label="accounts", content_type__model__in=("user", "technician"),
                            object_id=str(user.pk)).update(object_repr="", change_message="")  # fmt: skip


def forget_lines(user: User) -> None:
    """What the desk's lines call the person, who they were before a correction, and the flags that name them."""
    by_id = Q(subject_kind__in=("user", "driver"), subject_id=user.pk)
    talks = Q(subject_kind="conversation", person=user.pk)
    bulk_update(DeskAction.objects.filter(by_id | talks), label="", details={})
    Flag.users.through._default_manager.filter(user_id=user.pk).delete()
    for row in DeskAction.objects.filter(verb="changed_flag"):
        if any(user.email in people for people in row.details.get("people", ())):
            row.details["people"] = [[e for e in people if e != user.email] for people in row.details["people"]]
            row.save(update_fields=["details"])


hold(Holding("accounts", sections=sections, files=files, claim=claim, forget=forget))
