"""One notice to a portion of people: who of them gets it, on which channel, when, and in which row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from accounts.models import User
from notifications.kinds import Kind
from notifications.models import Channel, Mail, MailStatus, Notification, Preference, Priority, Quiet
from notifications.numbers import seconds
from notifications.quiet import silent_until
from realtime.bulk import bulk_create, bulk_save
from realtime.presence import looking_at

ROUNDS = 10  # how often a row may be made, or read away, by somebody else between our look and our insert


@dataclass(frozen=True)
class Notice:
    """What is told: `words` fill the kind's text; `at` is when it happened."""

    kind: Kind
    event: str
    url: str
    group: str
    words: Mapping[str, str]
    actor_id: int | None
    at: datetime

    def sentence(self, count: int = 1) -> str:
        """Its text, for `count` of them together."""
        return self.kind.sentence(self.words, count)

    @property
    def grows(self) -> bool:
        """Whether it joins an unread one of its kind and group."""
        return bool(self.group and self.kind.grouped)

    @property
    def is_urgent(self) -> bool:
        """Urgent ones pass quiet hours and pauses."""
        return self.kind.priority == Priority.URGENT


@dataclass
class Reader:
    """One person and how they are told: `looks` says whether they have the page in question before them, `row`
    is where it stands in their bell."""

    user: User
    channels: set[str]
    quiet: Quiet | None
    looks: bool = False
    row: Notification | None = field(default=None, repr=False)

    def silent_until(self, at: datetime, notice: Notice) -> datetime | None:
        """The end of the silence that `at` falls in for them, or None; urgent ones know none."""
        return None if notice.is_urgent else silent_until(self.quiet, self.user.time_zone, at)

    def pops(self, notice: Notice, now: datetime) -> bool:
        """Whether it may pop up on their pages."""
        return not self.looks and self.silent_until(now, notice) is None


def tell(people: Sequence[int], notice: Notice, now: datetime) -> None:
    """Tell `people` (ids), with a constant number of queries. Who may not or does not want to hear is left out."""
    with transaction.atomic(savepoint=False):
        readers = readers_of(people, notice, now)
        on_page = [reader for reader in readers if Channel.PAGE in reader.channels]
        put_on_pages(on_page, notice, now)
        queue_mails([each for each in readers if Channel.EMAIL in each.channels and not each.looks], notice, now)


def readers_of(people: Sequence[int], notice: Notice, now: datetime) -> list[Reader]:
    """Those of `people` who are told, in the order of their ids. Two queries and presence's one."""
    wanted = User.objects.filter(pk__in=people, is_active=True, role__in=notice.kind.roles)
    users = list(wanted.select_related("quiet").order_by("pk"))
    found = [user.pk for user in users]
    if not found:
        return []
    chosen = choices_of(found, notice.kind)
    looking = looking_at(found, urlsplit(notice.url).path)
    return [Reader(user, chosen[user.pk], getattr(user, "quiet", None), user.pk in looking) for user in users]


def choices_of(user_ids: Iterable[int], kind: Kind) -> dict[int, set[str]]:
    """The channels on which each wants `kind`."""
    wanted = {pk: set(kind.channels) for pk in user_ids}
    for row in Preference.objects.filter(user__in=wanted, kind=kind.name):
        (wanted[row.user_id].add if row.wanted else wanted[row.user_id].discard)(row.channel)
    return wanted


# --- On the page ----------------------------------------------------------------------------------


def put_on_pages(readers: Sequence[Reader], notice: Notice, now: datetime) -> None:
    """Add to each reader's unread row of the group, or make one.

    Two at once make one row with the count 2: the second waits at the unique index, and then finds the
    first one's row. Locking people instead would have actions that tell several of them wait crosswise.
    """
    waiting = list(readers)
    for _ in range(ROUNDS):
        if notice.grows:
            add_to_rows(waiting, notice, now)
            renew_rows([each for each in waiting if each.looks and each.row is None], notice, now)
        waiting = [reader for reader in waiting if reader.row is None]
        if not waiting or make_rows(waiting, notice, now):
            return
    raise IntegrityError(f"{notice.kind.name} of {notice.group} could not be told to {len(waiting)} people.")


GROWN = ("count", "text", "url", "event", "at", "actor", "toasts", "read_at")


def add_to_rows(readers: Sequence[Reader], notice: Notice, now: datetime) -> None:
    """One more in the unread rows of the group, where there are any."""
    by_id = {reader.user.pk: reader for reader in readers}
    rows = unread_rows(by_id, notice)
    for row in rows:
        by_id[row.user_id].row = row
    newer = [row for row in rows if row.event != notice.event]  # told twice of one event: it is one
    for row in newer:
        reader = by_id[row.user_id]
        row.count += 1
        row.text, row.url, row.event, row.at = notice.sentence(row.count), notice.url, notice.event, notice.at
        row.actor_id, row.toasts = notice.actor_id, reader.pops(notice, now)
        row.read_at = now if reader.looks else None
    bulk_save(newer, GROWN)


def renew_rows(readers: Sequence[Reader], notice: Notice, now: datetime) -> None:
    """Whoever looks on has read it: the row that told them of the group before tells of this one now.

    A row for each would fill the bell of somebody who talks for an hour.
    """
    by_id = {reader.user.pk: reader for reader in readers}
    told = Notification.objects.filter(
        user__in=list(by_id), kind=notice.kind.name, group=notice.group, grows=True, read_at__isnull=False
    )
    newest = told.order_by().values("user").annotate(newest=Max("pk")).values("newest")
    held = list(Notification.objects.filter(pk__in=newest).select_for_update().order_by("pk")) if by_id else []
    for row in held:
        by_id[row.user_id].row = row
        row.count, row.text, row.url, row.event, row.at = 1, notice.sentence(), notice.url, notice.event, notice.at
        row.actor_id, row.toasts, row.read_at = notice.actor_id, False, now
    bulk_save(held, GROWN)


def unread_rows(user_ids: Iterable[int], notice: Notice) -> list[Notification]:
    """The unread rows of the group, locked in the order of their ids."""
    rows: QuerySet[Notification] = Notification.objects.filter(
        user__in=list(user_ids), kind=notice.kind.name, group=notice.group, grows=True, read_at=None
    )
    return list(rows.select_for_update().order_by("pk"))


def make_rows(readers: Sequence[Reader], notice: Notice, now: datetime) -> bool:
    """A new row for each, or none and False where somebody else made one of them meanwhile."""
    rows = [new_row(reader, notice, now) for reader in readers]
    try:
        with transaction.atomic():
            made = bulk_create(Notification, rows)
    except IntegrityError:
        if not notice.grows:
            raise
        return False
    for reader, row in zip(readers, made, strict=True):
        reader.row = row
    return True


def new_row(reader: Reader, notice: Notice, now: datetime) -> Notification:
    """A notice by itself, or the first of its group. Whoever looks at the page in question has read it already."""
    return Notification(
        user_id=reader.user.pk,
        kind=notice.kind.name,
        priority=notice.kind.priority,
        group=notice.group,
        grows=notice.grows,
        event=notice.event,
        text=notice.sentence(),
        url=notice.url,
        actor_id=notice.actor_id,
        at=notice.at,
        read_at=now if reader.looks else None,
        toasts=reader.pops(notice, now),
    )


# --- By mail --------------------------------------------------------------------------------------


def queue_mails(readers: Sequence[Reader], notice: Notice, now: datetime) -> None:
    """A mail to each, due when its priority says and not in their silence. One a person and event at most.

    What joined an unread row joins its mail too, while that waits: a talk of an hour is not a mail a message.
    """
    joined = add_to_mails(readers, notice)
    due = now + seconds(f"MAIL_{notice.kind.priority.upper()}_SECONDS")
    mails = [
        Mail(
            user_id=reader.user.pk,
            notification=reader.row,
            kind=notice.kind.name,
            priority=notice.kind.priority,
            event=notice.event,
            text=notice.sentence(),
            url=notice.url,
            created_at=now,
            due_at=reader.silent_until(due, notice) or due,
        )
        for reader in readers
        if reader.user.pk not in joined
    ]
    if mails:
        Mail.objects.bulk_create(mails, ignore_conflicts=True)


def add_to_mails(readers: Iterable[Reader], notice: Notice) -> set[int]:
    """Have the mails that still wait about these unread rows say what the rows say now; returns whose they are."""
    grown = {each.row.pk: each.row for each in readers if each.row is not None and each.row.count > 1}
    if not grown:
        return set()
    waiting = Mail.objects.filter(notification__in=list(grown), status=MailStatus.QUEUED, claimed_at=None)
    mails = list(waiting.select_for_update(no_key=True).order_by("pk"))
    for mail in mails:
        mail.text, mail.url = grown[mail.notification_id or 0].text, notice.url
    Mail.objects.bulk_update(mails, ["text", "url"])
    return {mail.user_id for mail in mails}
