"""The row about the desk at its full size: each of its pages, over 100,000 bookings and over 1,000.

The reference is the same page of the same server over a hundredth of the rows. Filled by the demo and
`demo.multiply`, so every row has its history. Then 50 desks open beside one, and an export of everything.
"""

import asyncio
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.contrib.auth import get_user_model
from django.db import connection, reset_queries
from django.urls import reverse
from django.utils import timezone

from bench.desks import cost_of_changes, exported
from bench.figures import percentile, report
from bench.measured import Server, make_people, serving
from bench.road import cpu, database_pids
from tools.processes import ROOT

SMALL, LARGE = 1000, int(os.environ.get("BENCH_BOOKINGS", "100000"))
DESKS = 50
TIMES, ROUNDS = int(os.environ.get("BENCH_TIMES", "20")), 5  # each page is asked so often, in so many turns
PAGES = {
    "dashboard": reverse("desk:dashboard"),
    "bookings": reverse("desk:bookings"),
    "bookings_late": f"{reverse('desk:bookings')}?show=late",
    "bookings_found": f"{reverse('desk:bookings')}?q=tap",
    "people": reverse("desk:people"),
    "people_found": f"{reverse('desk:people')}?q=anna",
    "verification": reverse("desk:verification"),
    "reviews": reverse("desk:reviews"),
    "disputes": reverse("desk:disputes"),
    "audit": reverse("desk:audit"),
    "audit_of_the_desk": f"{reverse('desk:audit')}?whose=desk",
    "fleet": reverse("desk:fleet"),
    "messages": reverse("desk:messages"),
    "health": reverse("desk:health"),
    "presence": reverse("desk:presence"),
    "flags": reverse("desk:flags"),
}


def desk_sessions() -> list[str]:
    """The sessions of admins; the bench's have no second factor, and need none here."""
    from accounts.models import Role

    keys = make_people(DESKS, "desk{}@example.org")
    for user in get_user_model().objects.filter(email__regex=r"^desk\d+@example\.org$"):
        user.role, user.is_staff = Role.ADMIN, True
        user.save(update_fields=["role", "is_staff"])
    return keys


def asked(server: Server, path: str, session: str) -> float:
    """Milliseconds until the first byte of a page."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        begin = time.perf_counter()
        line.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        answer = line.getresponse()
        answer.read(1)
        took = (time.perf_counter() - begin) * 1000
        answer.read()
    finally:
        line.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}.")
    return took


@dataclass
class Asking:
    """How long a page took each time until its first byte, and the CPU it cost, both in milliseconds."""

    waits: list[float]
    cpu: float


def measured(large: Server, small: Server, session: str) -> Iterator[tuple[str, Asking, Asking]]:
    """Each page so many times at each size, in turn: whatever else the machine does, it does to both."""
    for name, path in PAGES.items():
        found = []
        for server in (large, small):
            asked(server, path, session)
            found.append(Asking([], 0.0))
        for _ in range(ROUNDS):
            for server, asking in zip((large, small), found, strict=True):
                before = spent(server)
                asking.waits += [asked(server, path, session) for _ in range(TIMES // ROUNDS)]
                asking.cpu += (spent(server) - before) * 1000 / TIMES
        yield name, found[0], found[1]


def spent(server: Server) -> float:
    """CPU seconds of the server process and of PostgreSQL: what others do on the machine is not in it."""
    return cpu(server.process.pid) + sum(map(cpu, database_pids()))


def grow() -> float:
    """Fill the database up; returns the seconds it took."""
    from demo.multiply import multiply

    begin = time.perf_counter()
    multiply(bookings=LARGE, people=LARGE // 5)
    reset_queries()
    connection.close()
    return time.perf_counter() - begin


def begin() -> tuple[list[str], dict[str, str]]:
    """The demo with people at the desk, and the same in a second database, where it grows to the small size.

    Returns their sessions, and the environment of the second.
    """
    from demo.fill import fill

    fill(timezone.now())
    sessions = desk_sessions()
    connection.close()
    connection.close_pool()
    url = os.environ["DATABASE_URL"]
    whole, _, name = url.rpartition("/")
    with psycopg.connect(f"{whole}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE small TEMPLATE "{name}"')
    small = {"DATABASE_URL": f"{whole}/small"}
    command = [sys.executable, "manage.py", "multiply", f"--bookings={SMALL}", f"--people={SMALL // 5}"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **small, "DEMO": "on"}, check=True, stdout=subprocess.DEVNULL)
    return sessions, small


async def row_desk(sessions: list[str]) -> None:
    """Both sizes side by side, each with a server process of its own; then many desks beside one, and a file."""
    desks, smaller = await asyncio.to_thread(begin)
    report("desk_filled", await asyncio.to_thread(grow), "s", "limit", 180)
    async with serving("daphne") as large, serving("daphne", smaller) as small:
        pages = await asyncio.to_thread(lambda: list(measured(large, small, desks[0])))
    for name, here, there in pages:
        for share in (0.5, 0.95):
            value, reference = (percentile(each.waits, share) for each in (here, there))
            report(f"desk_{name}_p{share * 100:.0f}", value, "ms", f"{SMALL}_bookings", reference)
        report(f"desk_{name}_cpu", here.cpu, "ms", f"{SMALL}_bookings", there.cpu)
    async with serving("daphne") as server:
        one = await cost_of_changes(server, desks[:1])
        many = await cost_of_changes(server, desks)
    for part, cost, reference in zip(("server", "database"), many, one, strict=True):
        report(f"desk_change_{part}_cpu", cost, f"ms_with_{DESKS}_desks", "one_desk", reference)
    async with serving("daphne") as server:
        await asyncio.to_thread(asked, server, PAGES["bookings"], desks[0])
        rows, first, last, grown = await asyncio.to_thread(exported, server, desks[0])
    report("desk_export", last, f"s_for_{rows}_rows", "first_byte", first)
    report("desk_export_memory", grown / 1024, "MB_more_at_most", "rows", rows)
