"""What a process reports of itself with each presence batch: its counters, what grew lately, and what waits in it."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from realtime import counters

if TYPE_CHECKING:
    from realtime.hub import Hub

LATELY = 300.0  # seconds that "lately" reaches back
KEPT_EVERY = 10.0  # seconds between the counts it is taken from
LEFT_OUT = f"{counters.PREFIX}renders_total"  # a hundred names that nobody asks for lately


class Vitals:
    """Keeps the counts of the last minutes, so that a page can say what happens now and not since the start."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: deque[tuple[float, dict[str, float]]] = deque()

    def report(self) -> dict[str, Any]:
        """The counters, with `lately` (seconds, and what grew in them) and `now` (what waits); in a thread."""
        counts = counters.snapshot()
        return counts | {"lately": self.lately(counts, time.monotonic()), "now": waiting(self._hub)}

    def lately(self, counts: dict[str, float], now: float) -> dict[str, Any]:
        """How much each count grew, and over how many seconds: since the start where that is less long ago."""
        while len(self._kept) > 1 and self._kept[1][0] <= now - LATELY:
            self._kept.popleft()
        since, before = self._kept[0] if self._kept else (now, counts)
        if not self._kept or now - self._kept[-1][0] >= KEPT_EVERY:
            self._kept.append((now, counts))
        grew = {name: value - before.get(name, 0) for name, value in counts.items() if not name.startswith(LEFT_OUT)}
        return {"seconds": round(now - since, 1), "grew": {name: value for name, value in grew.items() if value}}


def waiting(hub: Hub) -> dict[str, Any]:
    """What waits in a process at this moment, and whether it hears the journal and the channel layer."""
    sockets = list(hub.sockets)
    age = time.time() - hub.ears.looked_at / 1000 if hub.ears.looked_at else None
    return {
        "bells": hub.ringer.depth,
        "hellos": len(hub.waiting),
        "changes": len(hub.dirty),
        "behind": sum(socket.behind for socket in sockets),
        "said": sum(len(socket.lane or ()) for socket in sockets),
        "tail_age": None if age is None else round(age, 2),
        "layer": "failing" if hub.ringer.failing else "ok",
        "failing": hub.state["failing"],
    }
