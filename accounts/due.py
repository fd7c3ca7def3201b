"""What happens to documents by the clock: they are announced to run out, and they do.

Two clocks at once do nothing twice: each row is claimed under its technician's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.credentials import SOON, expire_credential, local_day, warn_of_end
from accounts.models import Credential, CredentialStatus, Role
from common.refusals import Conflict

log = logging.getLogger(__name__)
BATCH = 200  # documents a tick: a backlog is worked off over several ticks
AHEAD = timedelta(hours=14)  # so far ahead of UTC is the earliest place


def run_due(as_of: datetime) -> int:
    """Do all that is due by `as_of`, each document in its own transaction; returns how many moved."""
    holding = Credential.objects.filter(status=CredentialStatus.APPROVED).select_related("technician__user")
    moved = each(over(holding, as_of), lambda row: expire_credential(row, now=as_of))
    return moved + each(near_their_end(holding, as_of), lambda row: warn_of_end(row, now=as_of))


def over(holding: QuerySet[Credential], as_of: datetime) -> list[Credential]:
    """Those whose last day is over where their technician is."""
    last = (as_of + AHEAD).date()
    rows = holding.filter(valid_until__lt=last).order_by("valid_until", "pk")[:BATCH]
    return [row for row in rows if row.valid_until and row.valid_until < local_day(row.technician.user, as_of)]


def near_their_end(holding: QuerySet[Credential], as_of: datetime) -> list[Credential]:
    """Those that run out soon, and nobody was told; a newer one that is being checked says enough."""
    soon = (as_of + SOON).date()
    rows = holding.filter(valid_until__lte=soon, valid_until__gte=as_of.date(), warned_at__isnull=True)
    rows = rows.filter(technician__user__is_active=True, technician__user__role=Role.TECHNICIAN)
    return list(rows.order_by("valid_until", "pk")[:BATCH])


def each(rows: list[Credential], act: Callable[[Credential], object]) -> int:
    """`act` on each; one that somebody else has moved meanwhile is left, one that fails does not stop the others."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except Conflict:
            continue
        except Exception:
            log.exception("due: document %s failed", row.pk)
    return done
