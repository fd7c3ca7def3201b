"""What follows from a sign-in, a sign-out and a saved account, whoever caused it: a page, Django's admin, a shell."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_reset
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import sessions
from accounts.models import User
from accounts.steps import sessions_changed
from realtime.orders import end_session


@receiver(user_logged_in)
def list_session(request: HttpRequest, **_: Any) -> None:
    """A sign-in stands on the sessions list."""
    sessions.record(request)


@receiver(user_logged_out)
def end_own_sockets(request: HttpRequest | None, **_: Any) -> None:
    """A sign-out ends the sockets of that session, and no other. The session is still readable here."""
    session = getattr(request, "session", None)
    if session is None:
        return
    for row in UserSession.objects.filter(session_key=session.session_key):
        row.delete()
        sessions_changed.send(UserSession, user_id=row.user_id)
    if live_id := session.get("live_id"):
        end_session(str(live_id))


@receiver(post_save, sender=User)
def end_sessions_after_save(instance: User, created: bool, raw: bool = False, **_: Any) -> None:
    """Whoever is switched off loses all sessions; a new password ends all but the one it was set in.

    `_password` is what Django itself keeps for `password_changed`: it is set by `set_password` and
    empty when a sign-in only strengthens the stored hash, which must end nothing.
    """
    if created or raw:
        return
    if not instance.is_active:
        sessions.end_all_of(instance)
    elif getattr(instance, "_password", None) is not None:
        sessions.end_all_of(instance, keep=getattr(instance, "kept_session", sessions.NOBODY))


@receiver(pre_delete, sender=User)
def end_sessions_before_delete(instance: User, **_: Any) -> None:
    """A deleted account has no open pages."""
    sessions.end_all_of(instance)


@receiver(password_reset)
def end_sessions_after_reset(user: User, **_: Any) -> None:
    """A password reset by mail keeps no session, not even one of the same person in the same browser."""
    sessions.end_all_of(user)
