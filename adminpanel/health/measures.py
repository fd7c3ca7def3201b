"""What the live system measures, out of what its processes report: sums, percentiles, and limits to keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adminpanel.health.numbers import number
from realtime.counters import PREFIX

Counts = Mapping[str, float]
TO_BROWSER, TO_SOCKET = "commit_to_browser_seconds", "commit_to_send_seconds"


def total(counts: Counts, name: str) -> int:
    """A counter's value, all its labels together."""
    full = f"{PREFIX}{name}_total"
    return round(sum(value for key, value in counts.items() if key.partition("{")[0] == full))


def by_label(counts: Counts, name: str) -> dict[str, int]:
    """A counter's values by the value of its one label, the largest first."""
    full = f"{PREFIX}{name}_total{{"
    mine = {key.removeprefix(full).rstrip("}"): round(value) for key, value in counts.items() if key.startswith(full)}
    found = {label.partition("=")[2]: value for label, value in mine.items()}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def added(counts: Iterable[Counts]) -> Counts:
    """Counts of several processes together."""
    whole: Counter[str] = Counter()
    for each in counts:
        whole.update(each)
    return whole


@dataclass(frozen=True)
class Lag:
    """How late changes came, in milliseconds; None where nothing came."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


def lag(counts: Counts, name: str) -> Lag:
    """The percentiles of a histogram."""
    start = f"{PREFIX}{name}_bucket{{le="
    mine = {key.removeprefix(start).rstrip("}"): value for key, value in counts.items() if key.startswith(start)}
    buckets = {float(bound): value for bound, value in mine.items()}
    count = round(max(buckets.values(), default=0))
    return Lag(count, *(percentile(buckets, share) for share in (0.5, 0.95, 0.99)))


def percentile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value in milliseconds that `share` of what a cumulative histogram counted stays below, evenly spread within
    its bucket; of what lies above the last bound, that bound. None where it counted nothing.
    """
    count = max(buckets.values(), default=0)
    if not count:
        return None
    wanted, low, below = share * count, 0.0, 0.0
    for bound, upto in sorted(buckets.items()):
        if upto >= wanted:
            if bound == float("inf") or upto == below:
                return low * 1000
            return (low + (bound - low) * (wanted - below) / (upto - below)) * 1000
        low, below = bound, upto
    return low * 1000


@dataclass(frozen=True)
class Measured:
    """What the limits are about; over the last minutes, the pages as they are now."""

    connected: int = 0
    failed: int = 0
    lag: Lag = field(default_factory=lambda: Lag(0, None, None, None))
    sockets: int = 0
    polling: int = 0
    switched: int = 0  # poll because a flag says so

    @property
    def tries(self) -> int:
        """To open a socket, while the page could reach us at all."""
        return self.connected + self.failed

    @property
    def pages(self) -> int:
        """Open now."""
        return self.sockets + self.polling + self.switched


@dataclass(frozen=True)
class Limit:
    """One limit: what was measured (None: too little to say), what it may be, and whether it is crossed."""

    name: str
    label: str
    value: float | None
    unit: str
    bound: int
    clear: int
    least: bool  # whether less is worse
    detail: str

    @property
    def is_crossed(self) -> bool:
        """Worse than it may be."""
        return self.value is not None and (self.value < self.bound if self.least else self.value > self.bound)

    @property
    def is_clear(self) -> bool:
        """Well again: better than the bound by a margin, so that it does not come and go; or nothing to measure."""
        return self.value is None or (self.value >= self.clear if self.least else self.value <= self.clear)

    @property
    def shown(self) -> str:
        """The value in words."""
        return "no data yet" if self.value is None else in_unit(self.value, self.unit)

    @property
    def rule(self) -> str:
        """What it may be, in words."""
        return f"{'at least' if self.least else 'at most'} {in_unit(self.bound, self.unit)}"


def in_unit(value: float, unit: str) -> str:
    """98.7 %, 43 ms, 1.2 s."""
    if unit == "ms" and value >= 1000:
        return f"{value / 1000:.1f}".removesuffix(".0") + " s"
    if unit == "ms":
        return f"{value:.0f} ms"
    return f"{value:.1f}".removesuffix(".0") + " %"


CONNECT, LAG, POLLING = "connect_success", "lag", "polling"
UNITS = {CONNECT: "%", LAG: "ms", POLLING: "%"}
LABELS = {CONNECT: "Connections that succeed", LAG: "From commit to page", POLLING: "Pages that poll"}


def limits(seen: Measured) -> list[Limit]:
    """The three limits as they stand."""
    enough_tries, enough_lags = seen.tries >= number("TRIES_LEAST"), seen.lag.count >= number("LAGS_LEAST")
    enough_pages = seen.pages >= number("PAGES_LEAST")
    return [
        limit(
            CONNECT,
            100 * seen.connected / seen.tries if enough_tries else None,
            "CONNECT_PERCENT",
            f"{seen.connected} of {seen.tries} tries in the last five minutes",
        ),
        limit(
            LAG,
            seen.lag.p95 if enough_lags else None,
            "LAG_MS",
            f"95 of 100 are faster, of {seen.lag.count} deliveries in the last five minutes",
        ),
        limit(
            POLLING,
            100 * seen.polling / seen.pages if enough_pages else None,
            "POLLING_PERCENT",
            f"{seen.polling} of {seen.pages} open" + (f", {seen.switched} more by a flag" if seen.switched else ""),
        ),
    ]


def limit(name: str, value: float | None, bound: str, detail: str) -> Limit:
    """One of them; `bound` names its number."""
    stem, _, ending = bound.rpartition("_")
    clear = number(f"{stem}_CLEAR_{ending}")
    return Limit(name, LABELS[name], value, UNITS[name], number(bound), clear, name == CONNECT, detail)


def reported(counters: Mapping[str, Any]) -> Counts:
    """What grew lately in a process, out of its report."""
    lately: Counts = counters.get("lately", {}).get("grew", {})
    return lately
