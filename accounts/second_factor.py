"""The second factor: who must have one, whether a session has shown it, and how somebody gets in who lost theirs.

allauth keeps the factors and asks for them at the sign-in. What it does not know is held here: an admin's session
that never showed one opens nothing (`accounts.guards`), whichever way it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import sessions
from accounts.access import require_desk
from accounts.audit import record
from accounts.models import Role, User
from common.refusals import Conflict

# Of allauth's records in a session; the second says whose they are.
RECORDS, WHOSE = AUTHENTICATION_METHODS_SESSION_KEY, f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"
REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes only stand in for one of these


class Stored(Protocol):
    """What a session holds: Django's own object, or what was read from its row."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of `key`."""


def must_have_one(user: User) -> bool:
    """Whether this site lets `user` in with a second factor only: the desk, and whoever may open Django's admin."""
    return bool(settings.SECOND_FACTOR) and (user.role == Role.ADMIN or user.is_staff or user.is_superuser)


def records_of(user: User, session: Stored | Mapping[str, Any]) -> list[dict[str, Any]]:
    """How and when `user` proved who they are in this session, the latest last."""
    found = session.get(RECORDS)
    return list(found) if isinstance(found, list) and session.get(WHOSE) == str(user.pk) else []


def has_shown_it(user: User, session: Stored | Mapping[str, Any]) -> bool:
    """Whether a second factor was shown in this session."""
    return any(each.get("method") == "mfa" for each in records_of(user, session))


def admits(user: User, session: Stored | Mapping[str, Any]) -> bool:
    """Whether this session opens more than the page that sets a second factor up. No query."""
    return not must_have_one(user) or has_shown_it(user, session)


def factors_of(user: User) -> QuerySet[Authenticator]:
    """Their authenticator app and passkeys, without the recovery codes."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk, type__in=REAL)
    return found


def has_one(user: User) -> bool:
    """Whether they have set one up. One query."""
    return factors_of(user).exists()


def may_add(user: User) -> bool:
    """Whether `user` may set one up: the desk, and whoever has shown that their address is theirs."""
    return user.is_staff or not EmailAddress.objects.filter(user_id=user.pk, primary=True, verified=False).exists()


def may_remove(factor: Authenticator) -> bool:
    """Whether a person may take `factor` away: the desk keeps one at least."""
    return not must_have_one(factor.user) or factors_of(factor.user).exclude(pk=factor.pk).exists()


@transaction.atomic
def reset(user: User, *, by: User | None, reason: str = "", now: datetime | None = None) -> User:
    """Take all factors of somebody who lost theirs; their sessions end, and the next one sets up anew.

    `by` is an admin, or None for the command of whoever runs the site. Raises `Conflict` where there is nothing to
    take, and for one's own: that is done on one's own page, by showing it.
    """
    require_desk(by)
    if by is not None and by.pk == user.pk:
        raise Conflict("Your own second factor is changed under “My account”, not here.")
    person: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not has_one(person):
        raise Conflict(f"{person} has no second factor to take away.")
    Authenticator.objects.filter(user_id=person.pk).delete()
    sessions.end_all_of(person)
    record(
        by,
        "reset_second_factor",
        subject_kind="user",
        subject_id=person.pk,
        label=str(person),
        person=person,
        reason=reason,
        now=now,
    )
    return person


def note_it_was_shown(request: HttpRequest, kind: str) -> None:
    """Setting one up shows it: the session that did so is in."""
    record_authentication(request, request.user, "mfa", type=kind, reauthenticated=True)


@receiver(post_delete, sender=Authenticator)
def end_sessions_without_one(instance: Authenticator, **_: Any) -> None:
    """Whoever must have one and has none left is in nowhere, however it went: the admin, a shell, the command."""
    if instance.type not in REAL:
        return
    person: User | None = User.objects.filter(pk=instance.user_id).first()
    if person is not None and must_have_one(person) and not has_one(person):
        sessions.end_all_of(person)
