"""Mails: claimed in a transaction, sent outside of it, marked in another.

A clock that dies between sending and marking leaves a claim without a mark: five minutes later the mail is
taken again and goes out a second time, with the same Message-ID. So of one mail there may be a duplicate for
each such death, and never a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import User
from notifications import kinds
from notifications.letters import Letter, compose
from notifications.models import Channel, Mail, MailStatus, Priority, Quiet
from notifications.numbers import number, seconds
from notifications.quiet import silent_until
from notifications.telling import choices_of

BACK_OFF = (1, 5, 15, 60, 240)  # minutes after each try that failed; then it is given up
MOST_IN_A_DIGEST = 50


@dataclass(frozen=True)
class Claim:
    """Mails of one person, taken in hand together. `is_digest`: they go as one letter."""

    user: User
    mails: Sequence[Mail]
    is_digest: bool
    first_id: int  # of those taken, also of one that is no longer wanted: it names the letter

    @property
    def ids(self) -> list[int]:
        """Of its mails."""
        return [mail.pk for mail in self.mails]


def send_next(as_of: datetime, connection: BaseEmailBackend) -> bool:
    """Send the letter that is due first; False when none is. What fails is tried again later."""
    claim = claim_next(as_of)
    if claim is None:
        return False
    if claim.mails:
        try:
            message = compose(Letter(claim.user, claim.mails, claim.is_digest, claim.first_id), connection)
            connection.send_messages([message])
        except Exception as error:  # whatever a mail server, or its absence, brings
            connection.close()
            put_off(claim, as_of, error)
        else:
            Mail.objects.filter(pk__in=claim.ids).update(status=MailStatus.SENT, sent_at=as_of, error="")
    return True


# --- Claiming -------------------------------------------------------------------------------------


def claim_next(as_of: datetime) -> Claim | None:
    """Take the person whose mail is due first in hand; another clock skips what this one holds.

    What is no longer wanted is skipped here, and what falls into a pause that began meanwhile is put off.
    """
    with transaction.atomic():
        first = waiting(as_of).select_for_update(skip_locked=True, of=("self",)).select_related("user").first()
        if first is None:
            return None
        taken = those_with(first, as_of)
        digest = len(taken) >= number("DIGEST_FROM")
        mails = still_wanted(first.user, taken if digest else [first], as_of)
        Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(claimed_at=as_of, attempts=F("attempts") + 1)
        for mail in mails:
            mail.attempts += 1
    return Claim(first.user, mails, digest, min(mail.pk for mail in taken) if digest else first.pk)


def waiting(as_of: datetime) -> QuerySet[Mail]:
    """What is due and in nobody's hand, or in a hand that let go."""
    free = Q(claimed_at=None) | Q(claimed_at__lte=as_of - seconds("CLAIM_SECONDS"))
    return Mail.objects.filter(free, status=MailStatus.QUEUED, due_at__lte=as_of).order_by("due_at", "pk")


def those_with(first: Mail, as_of: datetime) -> list[Mail]:
    """What is due for the same person. Of a claim that was let go: what was in that hand, so that the second
    letter is the first one again."""
    rows = waiting(as_of).filter(user=first.user_id, claimed_at=first.claimed_at)
    return list(rows.select_for_update(skip_locked=True)[:MOST_IN_A_DIGEST])


def still_wanted(user: User, mails: Sequence[Mail], as_of: datetime) -> list[Mail]:
    """Those of `mails` that go out now; the others are marked, or put off to the end of a silence."""
    quiet = Quiet.objects.filter(user=user).first()
    ids = [mail.pk for mail in mails]
    read = set(Mail.objects.filter(pk__in=ids, notification__read_at__isnull=False).values_list("pk", flat=True))
    going = []
    for mail in mails:
        silence = None if mail.priority == Priority.URGENT else silent_until(quiet, user.time_zone, as_of)
        if mail.pk in read or not is_wanted(user, mail):
            end(mail, MailStatus.SKIPPED)
        elif mail.attempts > len(BACK_OFF):
            end(mail, MailStatus.FAILED, mail.error or "The clock died each time it sent this.")
        elif silence is not None:
            Mail.objects.filter(pk=mail.pk).update(due_at=silence, claimed_at=None)
        else:
            going.append(mail)
    return going


def is_wanted(user: User, mail: Mail) -> bool:
    """Whether this person still has this kind of mail."""
    kind = kinds.get(mail.kind)
    if kind is None or not user.is_active or user.role not in kind.roles:
        return False
    return Channel.EMAIL in choices_of([user.pk], kind)[user.pk]


def end(mail: Mail, status: MailStatus, error: str = "") -> None:
    """This mail is not sent any more."""
    Mail.objects.filter(pk=mail.pk).update(status=status, error=error[:300])


def put_off(claim: Claim, as_of: datetime, error: Exception) -> None:
    """Try again later, ever more seldom; after the last time it has failed."""
    for mail in claim.mails:
        words = f"{type(error).__name__}: {error}"[:300].replace("\x00", "")
        if mail.attempts > len(BACK_OFF):
            end(mail, MailStatus.FAILED, words)
            continue
        later = as_of + timedelta(minutes=BACK_OFF[mail.attempts - 1])
        Mail.objects.filter(pk=mail.pk).update(claimed_at=None, due_at=later, error=words)
