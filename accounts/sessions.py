"""The sessions of a person: where they are signed in, and ending that.

Ending a session means three things at once: the stored session, its line in the sessions list, and the
sockets of its open pages, which would otherwise go on hearing what the person may no longer see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.steps import sessions_changed
from realtime.orders import end_session, end_sessions_of


@dataclass(frozen=True)
class Kept:
    """The session that survives when all others of a person end: the one a new password was set in."""

    session_key: str = ""
    live_id: str = ""


NOBODY = Kept()


def kept(session: SessionBase) -> Kept:
    """`session`, to be kept while the others end."""
    return Kept(session.session_key or "", str(session.get("live_id", "")))


def end(rows: Iterable[UserSession]) -> None:
    """End some sessions of the sessions list, sockets included."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for row in rows:
        with transaction.atomic():
            live_id = store(row.session_key).get("live_id")
            row.end()
            if live_id:
                end_session(str(live_id))
            sessions_changed.send(UserSession, user_id=row.user_id)


def end_all_of(user: User, *, keep: Kept = NOBODY) -> None:
    """End every session of `user` but the kept one, sockets included."""
    with transaction.atomic():
        rows = UserSession.objects.filter(user_id=user.pk).exclude(session_key=keep.session_key)
        Session.objects.filter(session_key__in=list(rows.values_list("session_key", flat=True))).delete()
        rows.delete()
        end_sessions_of(user.pk, except_live_id=keep.live_id)
        sessions_changed.send(UserSession, user_id=user.pk)


class OpenSession(NamedTuple):
    """A line of the sessions list."""

    row: UserSession
    browser: str


def open_sessions(user: User) -> list[OpenSession]:
    """Where `user` is signed in, newest first: one query however many there are."""
    return sessions_of([user.pk]).get(user.pk, [])


def sessions_of(user_ids: Iterable[int]) -> dict[int, list[OpenSession]]:
    """Where several people are signed in, by their ids; the same one query."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows = UserSession.objects.filter(user_id__in=list(user_ids), session_key__in=alive)
    found: dict[int, list[OpenSession]] = defaultdict(list)
    for row in rows.order_by("-created_at", "-pk"):
        found[row.user_id].append(OpenSession(row, browser_name(row.user_agent)))
    return found


# Order matters: every browser claims to be Safari, and Edge and Opera claim to be Chrome too.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome"}
BROWSERS |= {"Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS X": "Mac"}
SYSTEMS |= {"CrOS": "ChromeOS", "Linux": "Linux"}


def browser_name(user_agent: str) -> str:
    """`Firefox on Windows`, as far as the header says."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "A browser")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def record(request: HttpRequest) -> None:
    """Put the session of `request` on the sessions list, however it was signed in (admin, demo, form)."""
    if request.META.get("REMOTE_ADDR"):
        UserSession.objects.create_from_request(request)
        sessions_changed.send(UserSession, user_id=request.user.pk)
