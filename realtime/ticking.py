"""A clock's own row among the processes: without it nobody would see that none runs."""

from __future__ import annotations

import os
import platform
import time
import uuid
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from realtime.models import ServerProcess


class Report:
    """Says now and then that this clock ticks, and which apps are still busy with the tick before."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self._started_at = timezone.now()
        self._due = 0.0
        self._is_written = False
        self.late: list[str] = []
        self.done = 0

    def run_due(self, as_of: datetime) -> int:
        """Write the row, as often as a server process writes its own; returns 0, because nothing was due."""
        if time.monotonic() < self._due:
            return 0
        self._due = time.monotonic() + settings.LIVE["PRESENCE_EVERY"]
        ServerProcess.objects.update_or_create(
            id=self.id,
            defaults={
                "name": f"{platform.node()}:{os.getpid()}",
                "kind": ServerProcess.CLOCK,
                "started_at": self._started_at,
                "seen_at": as_of,
                "counters": {"done": self.done, "late": self.late},
            },
        )
        self._is_written = True
        return 0

    def close(self) -> None:
        """The clock ends."""
        if self._is_written:
            ServerProcess.objects.filter(pk=self.id).delete()
