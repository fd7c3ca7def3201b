"""The journal's tables, presence, and the base of every live model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, TypeVar

from django.db import models, transaction

from realtime import fragments

M = TypeVar("M", bound=models.Model)


class UnjournaledWriteError(RuntimeError):
    """A bulk write on a live model would reach no page; `realtime.bulk` has the ones that do."""


class LiveQuerySet(models.QuerySet[M]):
    """Refuses the writes that send no signal: a page would go on showing what was."""

    def _refuse(self, verb: str) -> NoReturn:
        raise UnjournaledWriteError(
            f"{self.model.__name__}.{verb}() sends no post_save, so no page would hear of it; use realtime.bulk."
        )

    def update(self, **values: Any) -> int:
        """Refused: see `realtime.bulk.bulk_update`."""
        self._refuse("update")

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        """Refused: see `realtime.bulk.bulk_create`."""
        self._refuse("bulk_create")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        """Refused: see `realtime.bulk.bulk_update`."""
        self._refuse("bulk_update")

    def _raw_delete(self, using: str | None) -> int:
        self._refuse("_raw_delete")


class LiveModel(models.Model):
    """A model whose changes reach open pages: saving writes the journal in the same transaction.

    In autocommit Django sends post_save after the row is already committed; a process that died in
    between would leave a change that no page hears of. Hence the transaction around `save` and `delete`.
    """

    objects = LiveQuerySet.as_manager()
    _remembered: dict[str, Any]

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row and journal what it touches, or neither."""
        # No savepoint: all saves of a transaction then share one bell, hence one frame a page.
        with transaction.atomic(using=kwargs.get("using"), savepoint=False):
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row and journal what it touched, or neither."""
        with transaction.atomic(using=kwargs.get("using"), savepoint=False):
            return super().delete(*args, **kwargs)

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Re-read the row, or some `fields` of it; what those were is from now on what was read."""
        names = None if fields is None else list(fields)
        super().refresh_from_db(using, names, from_queryset)
        self.remember(names)

    def remember(self, only: Iterable[str] | None = None) -> None:
        """Keep the columns that decide the topics, to know at the next save where the row belonged.

        `only` names the fields that were just read or written: the others still stand in the database as
        they were remembered, whatever they are in memory.
        """
        columns = fragments.deciding_columns(type(self))
        kept = {}
        if only is not None:
            stored = {getattr(self._meta.get_field(name), "attname", name) for name in only}
            columns = tuple(name for name in columns if name in stored)
            kept = self._remembered
        self._remembered = {**kept, **{name: self.__dict__[name] for name in columns if name in self.__dict__}}


class JournalRow(models.Model):
    """`Look again at this fragment of this object on this topic`, written with the change itself.

    On PostgreSQL the table has one more column, `txid xid8`: the transaction's id, which the cursor is
    compared with (see `realtime.journal`).
    """

    topic = models.CharField(max_length=120)
    fragment = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    latest = models.BooleanField(default=False)
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "realtime_journal"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["topic", "fragment", "key"], condition=models.Q(latest=True), name="journal_latest_once"
            )
        ]


class JournalState(models.Model):
    """One row: the journal's epoch, and the highest row id (on PostgreSQL: transaction id) that was pruned."""

    epoch = models.CharField(max_length=16)
    horizon = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="journal_state_is_one_row")]


class ServerProcess(LiveModel):
    """A server process that has pages open, or a clock: who it is, when it last reported, and its counters."""

    WEB, CLOCK = "web", "clock"

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80, help_text="host:pid")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    counters = models.JSONField(default=dict)
    kind = models.CharField(max_length=8, default=WEB, db_default=WEB, help_text="web or clock")

    def __str__(self) -> str:
        return self.name


class Presence(LiveModel):
    """One open page: whose, where, since when, and when it was last heard of. Written in batches by its process."""

    process = models.ForeignKey(ServerProcess, on_delete=models.CASCADE, related_name="presences")
    page_id = models.CharField(max_length=40, help_text="The socket's number in its process, or the polling page.")
    kind = models.CharField(max_length=8, help_text="user or link")
    principal = models.CharField(max_length=64, help_text="The user's id, or a digest of the share link.")
    page = models.CharField(max_length=200)
    transport = models.CharField(max_length=8, help_text="socket, poll, or switched: it asks because a flag says so.")
    away = models.BooleanField(default=False)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    round_trip_ms = models.PositiveIntegerField(null=True, help_text="Of its last heartbeat.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["process", "page_id"], name="presence_once_a_page")]
        indexes: ClassVar = [models.Index(fields=["kind", "principal"], name="presence_principal")]

    def __str__(self) -> str:
        return f"{self.kind} {self.principal} on {self.page}"


class LastSeen(LiveModel):
    """When somebody's last open page went, kept after its presence row is gone."""

    kind = models.CharField(max_length=8, help_text="user or link")
    principal = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "principal"], name="last_seen_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.principal} at {self.seen_at:%Y-%m-%d %H:%M:%S} UTC"


class KeptSignal(models.Model):
    """A signal (somebody is typing) for as long as it holds, so that pages without a socket hear of it too."""

    topic = models.CharField(max_length=120)
    name = models.CharField(max_length=40)
    sender = models.CharField(max_length=100, help_text="The principal who caused it, or nothing.")
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["topic", "name", "sender"], name="kept_signal_latest_only")
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.topic}"
