"""Telling people what happened to accounts and documents: listens to the steps of accounts, which knows no bell."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from accounts.access import admins
from accounts.credentials import word
from accounts.models import Credential, CredentialStatus, Role, Technician, User
from accounts.steps import credential_moved, credential_runs_out, signed_up, verification_moved
from notifications.actions import notify
from notifications.kinds import Kind
from notifications.notices import (
    APPROVED,
    CREDENTIAL_WAITS,
    ENDED,
    NEW_TECHNICIAN,
    PAUSED,
    REFUSED,
    RUNS_OUT,
    VERIFIED,
)

QUEUE = "desk.credentials"  # the desk's notices of documents: whoever opens the queue has read them
SIGN_UPS = "desk.sign-ups"
ENDS: dict[str, Kind] = {
    CredentialStatus.REJECTED: REFUSED,
    CredentialStatus.SUSPENDED: ENDED,
    CredentialStatus.EXPIRED: ENDED,
}


def connect() -> None:
    """Listen."""
    for signal, listener in (
        (signed_up, tell_sign_up),
        (verification_moved, tell_verification),
        (credential_moved, tell_document),
        (credential_runs_out, tell_end),
    ):
        signal.connect(listener, dispatch_uid=f"notifications.{listener.__name__}")


def tell_sign_up(user: User, now: datetime, **_: object) -> None:
    """The desk hears of a new technician: somebody has to check them."""
    if user.role == Role.TECHNICIAN:
        notify(
            admins(),
            NEW_TECHNICIAN,
            by=user,
            event=f"signed-up.{user.pk}",
            url=reverse("desk:person", args=[user.pk]),
            now=now,
            group=SIGN_UPS,
            words={"name": str(user)},
        )


def tell_verification(technician: Technician, by: User | None, reason: str, now: datetime, **_: object) -> None:
    """What the desk decided by hand."""
    tell(technician, VERIFIED if technician.is_verified else PAUSED, by=by, now=now, reason=reason)


def tell_document(
    credential: Credential, before: str, by: User | None, now: datetime, turned: bool | None, **_: object
) -> None:
    """One notice a step: what it means for their offers, where it means something, else what was decided."""
    if credential.status == CredentialStatus.PENDING:
        tell_desk(credential, by=by, now=now)
    elif turned is None:
        tell(credential.technician, ENDS.get(credential.status, APPROVED), by=by, now=now, credential=credential)
    elif turned:
        tell(credential.technician, VERIFIED, by=by, now=now)
    else:
        reason = f"{credential.get_kind_display()}: {credential.reason}"
        tell(credential.technician, PAUSED, by=by, now=now, reason=reason)


def tell_desk(credential: Credential, *, by: User | None, now: datetime) -> None:
    """A document waits."""
    notify(
        admins(),
        CREDENTIAL_WAITS,
        by=by,
        event=f"credential.{credential.pk}",
        url=reverse("desk:credential", args=[credential.pk]),
        now=now,
        group=QUEUE,
        words={"name": str(credential.technician), "document": word(credential.kind)},
    )


def tell_end(credential: Credential, now: datetime, **_: object) -> None:
    """Its last day is near."""
    tell(credential.technician, RUNS_OUT, by=None, now=now, credential=credential)


def tell(
    technician: Technician,
    kind: Kind,
    *,
    by: User | None,
    now: datetime,
    credential: Credential | None = None,
    reason: str = "",
) -> None:
    """Tell the technician, on whose documents' page it leads."""
    words = {"reason": reason}
    if credential is not None:
        day = credential.valid_until
        words |= {"document": word(credential.kind), "reason": credential.reason}
        words |= {"day": f"{day:%-d %B %Y}" if day else ""}
    event = f"documents.{technician.pk}.{kind.name}.{now.isoformat()}"
    notify([technician.pk], kind, by=by, event=event, url=reverse("credentials"), now=now, words=words)
