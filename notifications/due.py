"""What happens to notices by the clock: many are told in portions, mails go out, pauses end, old rows go."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.db import transaction

from notifications import kinds, mails
from notifications.models import FanOut, Mail, MailStatus, Notification, Quiet
from notifications.numbers import number
from notifications.telling import Notice, tell
from realtime.bulk import bulk_delete, bulk_update

log = logging.getLogger(__name__)

PORTIONS = 20  # a tick
LETTERS = 50  # a tick
BUDGET = 60.0  # seconds a tick may send: far below the age at which another clock takes a mail out of our hand
PRUNED = 500  # rows a tick and table


def run_due(as_of: datetime) -> int:
    """Do all that is due by `as_of`; returns how many people, letters and rows that was."""
    done = 0
    for duty in (tell_many, end_pauses, send_mails, prune):
        try:
            done += duty(as_of)
        except Exception:  # a notice whose words no longer fit its kind must not hold up everybody's mails
            log.exception("%s failed; it is tried again at the next tick.", duty.__name__)
    return done


# --- Many people ----------------------------------------------------------------------------------


def tell_many(as_of: datetime) -> int:
    """Tell the next portions of the people whom an action left to us; returns how many."""
    told = 0
    for _ in range(PORTIONS):
        portion = tell_portion(as_of)
        if not portion:
            break
        told += portion
    return told


def tell_portion(as_of: datetime) -> int:
    """Tell the next people of the oldest notice, and forget them in the same transaction."""
    with transaction.atomic():
        row = FanOut.objects.select_for_update(skip_locked=True).order_by("pk").first()
        if row is None:
            return 0
        now, later = row.people[: number("PORTION")], row.people[number("PORTION") :]
        kind = kinds.get(row.kind)
        if kind is not None:  # its app may be gone since
            tell(now, Notice(kind, row.event, row.url, row.group, row.words, row.actor_id, row.at), as_of)
        if later:
            row.people = later
            row.save(update_fields=["people"])
        else:
            row.delete()
    return len(now)


# --- Mails and pauses -----------------------------------------------------------------------------


def send_mails(as_of: datetime) -> int:
    """Send what is due, over one connection; returns how many letters were taken in hand."""
    if not mails.waiting(as_of).exists():
        return 0
    began, taken, connection = time.monotonic(), 0, get_connection()
    try:
        while taken < LETTERS and time.monotonic() - began < BUDGET and mails.send_next(as_of, connection):
            taken += 1
    finally:
        connection.close()
    return taken


def end_pauses(as_of: datetime) -> int:
    """Pauses that are over, so that open settings pages say so."""
    over = Quiet.objects.filter(paused_until__lte=as_of)
    with transaction.atomic():
        held = list(over.select_for_update(skip_locked=True).values_list("pk", flat=True)[:PRUNED])
        return bulk_update(Quiet.objects.filter(pk__in=held), paused_until=None) if held else 0


# --- Pruning --------------------------------------------------------------------------------------


def prune(as_of: datetime) -> int:
    """Forget notices that were read, and mails, after 90 days: some a tick, until there are none."""
    before = as_of - timedelta(days=number("KEEP_DAYS"))
    read = list(Notification.objects.filter(read_at__lt=before).order_by().values_list("pk", flat=True)[:PRUNED])
    if read:
        bulk_delete(Notification.objects.filter(pk__in=read))
    old = Mail.objects.filter(created_at__lt=before).exclude(status=MailStatus.QUEUED).order_by()
    gone = list(old.values_list("pk", flat=True)[:PRUNED])
    if gone:
        Mail.objects.filter(pk__in=gone).delete()
    return len(read) + len(gone)
