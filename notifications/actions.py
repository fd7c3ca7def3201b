"""Telling people, and what they do with what they were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from common.refusals import Invalid
from notifications.kinds import Kind
from notifications.models import Channel, FanOut, Mail, MailStatus, Notification, Preference, Quiet
from notifications.numbers import number
from notifications.telling import Notice, tell
from realtime.bulk import bulk_delete, bulk_update


def notify(
    people: Iterable[User | int],
    kind: Kind,
    *,
    by: User | None,
    event: str,
    url: str,
    now: datetime,
    group: str = "",
    words: Mapping[str, str] | None = None,
) -> None:
    """Tell `people` that `event` happened, inside the caller's transaction; `by`, who did it, is never told.

    `event` names what happened ("bid-history.45"): a person gets one mail about it at most. Notices of one
    `kind` and `group` ("booking.7") share a row while it is unread. `url` is where it leads, `words` fill the
    kind's text. Up to 25 people are told here, with a constant number of queries; more are told by the clock.
    """
    ids = {person if isinstance(person, int) else person.pk for person in people}
    told = sorted(ids - {by.pk if by else None})
    notice = Notice(kind, event, url, group, dict(words or {}), by.pk if by else None, now)
    notice.sentence()  # a word that is missing fails here, not in the clock
    if not told:
        return
    if len(told) <= number("AT_ONCE_MOST"):
        tell(told, notice, now)
        return
    FanOut.objects.create(
        kind=kind.name,
        event=event,
        group=group,
        words=notice.words,
        url=url,
        actor=by,
        at=now,
        people=told,
    )


# --- Reading and clearing -------------------------------------------------------------------------


def mark_read_about(user: User, group: str, kinds: Iterable[Kind] | None, now: datetime) -> int:
    """What `user` saw on a page is read in the bell too: unread notices of `group`, of all kinds or of `kinds`."""
    rows = Notification.objects.filter(user=user, group=group)
    if kinds is not None:
        rows = rows.filter(kind__in=[kind.name for kind in kinds])
    return mark_read(rows, now=now)


def mark_read(rows: QuerySet[Notification], *, now: datetime) -> int:
    """Mark those of `rows` that are unread as read; returns how many.

    A row that somebody is adding to at this moment is left: it tells something that was not read yet.
    """
    unread = rows.filter(read_at=None)
    if not unread.exists():  # most pages are opened with nothing unread about them, and lock nothing
        return 0
    with transaction.atomic():
        held = held_now(unread)
        return bulk_update(Notification.objects.filter(pk__in=held), read_at=now) if held else 0


def clear(rows: QuerySet[Notification]) -> int:
    """Delete `rows`, and the mails about them that did not go yet; returns how many."""
    with transaction.atomic():
        held = held_now(rows)
        Mail.objects.filter(notification__in=held, status=MailStatus.QUEUED).update(status=MailStatus.SKIPPED)
        if held:
            bulk_delete(Notification.objects.filter(pk__in=held))
        return len(held)


def held_now(rows: QuerySet[Notification]) -> list[int]:
    """The ids of `rows`, locked; without those that another transaction holds, or two would wait for each other."""
    return list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))


# --- Choices --------------------------------------------------------------------------------------


def choose(user: User, choices: Mapping[tuple[Kind, str], bool]) -> None:
    """Keep what `user` wants by (kind, channel). What equals the kind's default needs no row."""
    with transaction.atomic():
        for (kind, channel), wanted in choices.items():
            rows = Preference.objects.filter(user=user, kind=kind.name, channel=channel)
            if wanted == (channel in kind.channels):
                rows.delete()
            else:
                Preference.objects.update_or_create(
                    user=user, kind=kind.name, channel=channel, defaults={"wanted": wanted}
                )


def turn_off_mail(user: User, kinds: Iterable[Kind]) -> None:
    """No more mails of `kinds`, and none of those that wait."""
    wanted = list(kinds)
    choose(user, {(kind, Channel.EMAIL): False for kind in wanted})
    waiting = Mail.objects.filter(user=user, kind__in=[kind.name for kind in wanted], status=MailStatus.QUEUED)
    waiting.update(status=MailStatus.SKIPPED)


def set_quiet_hours(user: User, *, starts: time | None, ends: time | None) -> Quiet:
    """No toasts and no mails from `starts` to `ends` of each of the person's days; None, None: no such hours.

    Raises `Invalid` for one end without the other, or two that are the same.
    """
    if (starts is None) != (ends is None):
        raise Invalid("Quiet hours need both a start and an end.")
    if starts is not None and starts == ends:
        raise Invalid("Quiet hours must end at another time than they start.")
    with transaction.atomic():
        quiet = quiet_of(user)
        quiet.starts, quiet.ends = starts, ends
        quiet.save(update_fields=["starts", "ends"])
    return quiet


def pause(user: User, *, now: datetime) -> Quiet:
    """No toasts and no mails for an hour from now."""
    with transaction.atomic():
        quiet = quiet_of(user)
        quiet.paused_until = now + timedelta(minutes=number("PAUSE_MINUTES"))
        quiet.save(update_fields=["paused_until"])
    return quiet


def resume(user: User) -> Quiet:
    """End a pause."""
    with transaction.atomic():
        quiet = quiet_of(user)
        if quiet.paused_until is not None:
            quiet.paused_until = None
            quiet.save(update_fields=["paused_until"])
    return quiet


def quiet_of(user: User) -> Quiet:
    """The person's row, locked; made when they had none."""
    Quiet.objects.get_or_create(user=user)
    return Quiet.objects.select_for_update().get(user=user)
