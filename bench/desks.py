"""What many open desks cost beside one, and what a long export takes: parts of the row `desk`."""

import asyncio
import http.client
import re
import threading
import time
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from bench.crowd import Crowd
from bench.measured import Server
from bench.road import Spent
from realtime import journal

CHANGES, PAUSE = 40, 0.3  # jobs that are called off, and seconds between them
TOKEN = "c" * 32
WATCHING = ("desk:dashboard", "desk:bookings", "desk:audit")  # where a job that is called off is seen


def topics_of(server: Server, session: str) -> list[str]:
    """What the pages of a desk follow that is looked at for jobs."""
    found: set[str] = set()
    for name in WATCHING:
        _, html = server.get(reverse(name), f"sessionid={session}")
        found |= set(re.findall(r'data-topic="([^"]+)"', html.decode()))
    return sorted(found)


def open_jobs(number: int) -> list[Any]:
    """Jobs that their customers can call off."""
    from bookings.models import Booking

    found = list(Booking.objects.filter(status="open").select_related("customer").order_by("-pk")[:number])
    if len(found) < number:
        raise RuntimeError(f"There are {len(found)} open jobs only.")
    return found


def call_off(job: Any) -> None:
    """One of them, as its customer does it."""
    from bookings import actions

    actions.cancel_booking(job, by=job.customer, reason="mistake")


async def cost_of_changes(server: Server, sessions: list[str]) -> tuple[float, float]:
    """Milliseconds of CPU that a job costs which is called off: (of the server process, of PostgreSQL).

    A desk is open for each of `sessions`; what it costs that they are open is taken off.
    """
    topics = await asyncio.to_thread(topics_of, server, sessions[0])
    hello = {"t": "hello", "c": str(await asyncio.to_thread(journal.now)), "topics": topics, "page": "/desk/"}
    desks = Crowd(server.port, "/live/socket", sessions, hello)
    await desks.enter()
    jobs = await asyncio.to_thread(open_jobs, CHANGES + 1)
    await asyncio.to_thread(call_off, jobs[0])  # what the first change brings up is not the others'
    await asyncio.sleep(5)
    idle = await asyncio.to_thread(Spent.now, server)
    await asyncio.sleep(CHANGES * PAUSE)
    before = await asyncio.to_thread(Spent.now, server)
    for job in jobs[1:]:
        await asyncio.to_thread(call_off, job)
        await asyncio.sleep(PAUSE)
    await asyncio.sleep(3)  # what has a pace comes after
    after = await asyncio.to_thread(Spent.now, server)
    if not all(page.frames for page in desks.pages):
        raise RuntimeError("A desk heard of nothing.")
    await desks.leave()
    longer = (CHANGES * PAUSE + 3) / (CHANGES * PAUSE)
    spent = (
        (after.server - before.server) - (before.server - idle.server) * longer,
        (after.database - before.database) - (before.database - idle.database) * longer,
    )
    return spent[0] * 1000 / CHANGES, spent[1] * 1000 / CHANGES


class Peak(threading.Thread):
    """The most memory that a server process had, in KB, looked at five times a second."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.most, self.over = server, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            self.most = max(self.most, self.server.memory())

    def stop(self) -> int:
        """The most there was."""
        self.over.set()
        self.join()
        return self.most


def exported(server: Server, session: str) -> tuple[int, float, float, int]:
    """All jobs as a file: (rows, seconds until the first byte, seconds until the last, KB of memory more at most)."""
    peak, before = Peak(server), server.memory()
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Cookie": f"sessionid={session}; csrftoken={TOKEN}", "Content-Type": "application/x-www-form-urlencoded"}
    peak.start()
    begin = time.perf_counter()
    line.request("POST", reverse("desk:bookings_export"), urlencode({"csrfmiddlewaretoken": TOKEN}), headers)
    answer = line.getresponse()
    if answer.status != 200 or "csv" not in answer.headers["Content-Type"]:
        raise RuntimeError(f"The export answered {answer.status}.")
    rows = answer.read(1).count(b"\n")
    first = time.perf_counter() - begin
    while part := answer.read(64 * 1024):
        rows += part.count(b"\n")
    took = time.perf_counter() - begin
    line.close()
    return rows - 1, first, took, peak.stop() - before
