"""Who is behind a socket or a poll: a session's user, or the bearer of a share link."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime.orders import SESSION_FIELD
from realtime.topics import Principal

Found = tuple[Principal, str]
Admission = Callable[[Any, Mapping[str, Any]], bool]

_admissions: list[Admission] = []


def admission(rule: Admission) -> Admission:
    """Register a rule of the site's: the sockets of a session hear nothing unless it says yes to user and session."""
    _admissions.append(rule)
    return rule


def of_sessions(session_keys: Collection[str]) -> dict[str, Found]:
    """The signed-in user and the session's live id behind each key: two queries for any number of keys.

    Signed-out, expired and deactivated ones, sessions older than the user's password, and those that a rule of the
    site does not admit, are missing.
    """
    stored = SessionStore.get_model_class().objects.filter(
        session_key__in=set(session_keys), expire_date__gt=timezone.now()
    )
    decoded = {row.session_key: row.get_decoded() for row in stored}
    ids = {data[SESSION_KEY] for data in decoded.values() if SESSION_KEY in data}
    people = {str(user.pk): user for user in get_user_model()._default_manager.filter(pk__in=ids, is_active=True)}
    found: dict[str, Found] = {}
    for key, data in decoded.items():
        user = people.get(data.get(SESSION_KEY, ""))
        if user is not None and _still_signed_in(user, data) and all(rule(user, data) for rule in _admissions):
            found[key] = (Principal("user", str(user.pk)), data.get(SESSION_FIELD, ""))
    return found


def _still_signed_in(user: Any, data: dict[str, Any]) -> bool:
    return constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def session_cookie(headers: Collection[tuple[bytes, bytes]]) -> str:
    """The session key in a handshake's Cookie header, or nothing."""
    for name, value in headers:
        if name == b"cookie":
            return parse_cookie(value.decode("latin1")).get(settings.SESSION_COOKIE_NAME, "")
    return ""
