"""The row about the desk at its full size: each of its pages, over 100,000 bookings and over 1,000.

The reference is the same page of the same server over a hundredth of the rows. Filled by the demo and
`demo.multiply`, so every row has its history. Then 50 desks open beside one, and an export of everything.
"""

import asyncio
import http.client
import os
import time
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import connection, reset_queries
from django.urls import reverse
from django.utils import timezone

from bench.desks import cost_of_changes, exported
from bench.figures import percentile, report
from bench.measured import Server, make_people, serving
from bench.road import cpu, database_pids

SMALL, LARGE = 1000, int(os.environ.get("BENCH_BOOKINGS", "100000"))
DESKS = 50
TIMES = 20  # each page is asked so often
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


def measured(server: Server, session: str) -> dict[str, Asking]:
    """Each page so many times, one page after the other."""
    for path in PAGES.values():
        asked(server, path, session)
    found = {}
    for name, path in PAGES.items():
        before = spent(server)
        waits = [asked(server, path, session) for _ in range(TIMES)]
        found[name] = Asking(waits, (spent(server) - before) * 1000 / TIMES)
    return found


def spent(server: Server) -> float:
    """CPU seconds of the server process and of PostgreSQL: what others do on the machine is not in it."""
    return cpu(server.process.pid) + sum(map(cpu, database_pids()))


def grow(bookings: int, people: int) -> float:
    """Fill the database up; returns the seconds it took."""
    from demo.multiply import multiply

    begin = time.perf_counter()
    multiply(bookings=bookings, people=people)
    reset_queries()
    return time.perf_counter() - begin


def begin() -> list[str]:
    """The demo, and people at the desk."""
    from demo.fill import fill

    fill(timezone.now())
    sessions = desk_sessions()
    grow(SMALL, SMALL // 5)
    connection.close()
    return sessions


async def row_desk(sessions: list[str]) -> None:
    """Both sizes, one after the other, each with a server process of its own."""
    desks = await asyncio.to_thread(begin)
    async with serving("daphne") as server:
        small = await asyncio.to_thread(measured, server, desks[0])
    took = await asyncio.to_thread(grow, LARGE, LARGE // 5)
    report("desk_filled", took, "s", "limit", 180)
    async with serving("daphne") as server:
        large = await asyncio.to_thread(measured, server, desks[0])
    for name in PAGES:
        for share in (0.5, 0.95):
            here, there = (percentile(each[name].waits, share) for each in (large, small))
            report(f"desk_{name}_p{share * 100:.0f}", here, "ms", f"{SMALL}_bookings", there)
        report(f"desk_{name}_cpu", large[name].cpu, "ms", f"{SMALL}_bookings", small[name].cpu)
    async with serving("daphne") as server:
        one = await cost_of_changes(server, desks[:1])
        many = await cost_of_changes(server, desks)
    for name, here, there in zip(("server", "database"), many, one, strict=True):
        report(f"desk_change_{name}_cpu", here, f"ms_with_{DESKS}_desks", "one_desk", there)
    async with serving("daphne") as server:
        await asyncio.to_thread(asked, server, PAGES["bookings"], desks[0])
        rows, first, last, grown = await asyncio.to_thread(exported, server, desks[0])
    report("desk_export", last, f"s_for_{rows}_rows", "first_byte", first)
    report("desk_export_memory", grown / 1024, "MB_more_at_most", "rows", rows)
