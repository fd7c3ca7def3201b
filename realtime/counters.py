"""What the live mechanism counts, per process, for Prometheus and for the health page."""

from __future__ import annotations

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

LAG_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.25, 0.5, 1, 2, 5, 15, 60)
PREFIX = "callout_live_"

sockets_open = Gauge(f"{PREFIX}sockets_open", "Sockets open in this process.")
sockets_opened = Counter(f"{PREFIX}sockets_opened", "Sockets accepted.")
sockets_refused = Counter(f"{PREFIX}sockets_refused", "Sockets refused before they opened.", ["why"])
closes = Counter(f"{PREFIX}closes", "Sockets closed, by close code.", ["code"])
frames = Counter(f"{PREFIX}frames", "Frames sent to sockets.")
bytes_sent = Counter(f"{PREFIX}sent_bytes", "Bytes of text sent to sockets.")
batches = Counter(f"{PREFIX}batches", "Batches of changes rendered.")
renders = Counter(f"{PREFIX}renders", "Fragments rendered for delivery.", ["fragment"])
render_errors = Counter(f"{PREFIX}render_errors", "Fragments that failed to render.", ["fragment"])
tail_finds = Counter(f"{PREFIX}tail_finds", "Followed changes that the tail found and no bell had brought.")
bells_lost = Counter(f"{PREFIX}bells_lost", "Messages that did not reach the channel layer.")
connected = Counter(f"{PREFIX}connected", "Sockets welcomed for the first time.")
reconnected = Counter(f"{PREFIX}reconnected", "Pages that said hello and had a socket before.")
connects_failed = Counter(f"{PREFIX}connects_failed", "Tries to open a socket that failed while the page could ask.")
hellos = Counter(f"{PREFIX}hellos", "Sockets that said hello.")
resumes = Counter(f"{PREFIX}resumes", "Sockets or polls that came back and were told what changed since.")
resets = Counter(f"{PREFIX}resets", "Cursors too old or foreign: the page re-rendered its regions.")
polls = Counter(f"{PREFIX}polls", "Polls answered, by result.", ["result"])
slow_closed = Counter(f"{PREFIX}slow_closed", "Sockets closed because they stopped reading.")
gone = Counter(f"{PREFIX}gone", "Topics taken from a follower who no longer belongs.")
hub_restarts = Counter(f"{PREFIX}hub_restarts", "Times a task of the hub failed and was started again.", ["task"])
commit_to_send = Histogram(f"{PREFIX}commit_to_send_seconds", "From commit to the socket.", buckets=LAG_BUCKETS)
commit_to_browser = Histogram(
    f"{PREFIX}commit_to_browser_seconds", "From commit to the page, as browsers report it.", buckets=LAG_BUCKETS
)


def snapshot() -> dict[str, float]:
    """The counters of this process as a flat mapping of sample name (with labels) to value."""
    found: dict[str, float] = {}
    for metric in REGISTRY.collect():
        if metric.name.startswith(PREFIX):
            for sample in metric.samples:
                if not sample.name.endswith("_created"):
                    labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
                    found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
