"""The row about the desk at its full size: each of its pages, over 100,000 bookings and over 1,000.

The reference is the same page of the same server over a hundredth of the rows. Filled by the demo and
`demo.multiply`, so every row has its history.
"""

import asyncio
import http.client
import os
import time

from django.contrib.auth import get_user_model
from django.db import connection, reset_queries
from django.urls import reverse
from django.utils import timezone

from bench.figures import percentile, report
from bench.measured import Server, make_people, serving

SMALL, LARGE = 1000, int(os.environ.get("BENCH_BOOKINGS", "100000"))
TIMES = 30  # each page is asked so often
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


def desk_session() -> str:
    """The session of an admin; the bench's have no second factor, and say so in their session."""
    from accounts.models import Role

    (key,) = make_people(1, "desk{}@example.org")
    user = get_user_model().objects.get(email="desk0@example.org")
    user.role, user.is_staff = Role.ADMIN, True
    user.save(update_fields=["role", "is_staff"])
    return key


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


def measured(server: Server, session: str) -> dict[str, list[float]]:
    """Each page so many times, in turn."""
    for path in PAGES.values():
        asked(server, path, session)
    found: dict[str, list[float]] = {name: [] for name in PAGES}
    for _ in range(TIMES):
        for name, path in PAGES.items():
            found[name].append(asked(server, path, session))
    return found


def grow(bookings: int, people: int) -> float:
    """Fill the database up; returns the seconds it took."""
    from demo.multiply import multiply

    begin = time.perf_counter()
    multiply(bookings=bookings, people=people)
    reset_queries()
    return time.perf_counter() - begin


def begin() -> str:
    """The demo, and somebody at the desk."""
    from demo.fill import fill

    fill(timezone.now())
    session = desk_session()
    grow(SMALL, SMALL // 5)
    connection.close()
    return session


async def row_desk(sessions: list[str]) -> None:
    """Both sizes, one after the other, each with a server process of its own."""
    off = {"SECOND_FACTOR": "off"}
    session = await asyncio.to_thread(begin)
    async with serving("daphne", off) as server:
        small = await asyncio.to_thread(measured, server, session)
    took = await asyncio.to_thread(grow, LARGE, LARGE // 5)
    async with serving("daphne", off) as server:
        large = await asyncio.to_thread(measured, server, session)
    report("desk_filled", took, "s", "limit", 180)
    for name in PAGES:
        for share in (0.5, 0.95):
            here, there = percentile(large[name], share), percentile(small[name], share)
            report(f"desk_{name}_p{share * 100:.0f}", here, "ms", f"{SMALL}_bookings", there)
