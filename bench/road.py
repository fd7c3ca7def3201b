"""The row about people on the road: 200 drivers send a fix each second, 50 desks and 200 customers look on.

Beside it the plain way: a view that saves a row, renders it once and does one `group_send`, to consumers that pass the
HTML on. There too a page has one socket: each desk joins the groups of all drivers, each customer that of theirs.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from picows import WSMsgType

from bench.crowd import Crowd, Page
from bench.figures import percentile, report
from bench.measured import Server, make_people, serving
from realtime import journal
from tools.servers import Postgres

DRIVERS = CUSTOMERS = int(os.environ.get("BENCH_DRIVERS", "200"))
DESKS = DRIVERS // 4
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))
WARM = 4  # seconds before anything is counted
TICK = os.sysconf("SC_CLK_TCK")
STEP = 0.00012  # degrees of latitude a second: 13 m
TRACKS = ("tracking_fix", "bench_plainfix")
COUNTED = ("tracking_fix", "tracking_position", "tracking_journey", "realtime_journal", "bench_plainfix")


# --- Who ------------------------------------------------------------------------------------------


@dataclass
class Cast:
    """The people of this row: session keys by role, and who drives to whom."""

    drivers: list[str]
    desks: list[str]
    customers: list[str]
    driver_ids: list[int]
    desk_ids: list[int]
    customer_ids: list[int]
    booking_ids: list[int]
    journey_ids: list[int]


def cast() -> Cast:
    """Everybody on duty and on the way, each driver to one customer."""
    from accounts.models import Role
    from bookings.tests.make import job
    from tracking.models import Dispatch, Driver, Journey, Leg, Shift
    from tracking.states import DispatchStatus

    keys = {
        name: make_people(count, f"road-{name}-{{}}@example.org")
        for name, count in (("driver", DRIVERS), ("desk", DESKS), ("customer", CUSTOMERS))
    }
    people = {
        name: list(get_user_model().objects.filter(email__startswith=f"road-{name}-").order_by("pk")) for name in keys
    }
    for name, role in (("driver", Role.DRIVER), ("desk", Role.ADMIN)):
        for user in people[name]:
            user.role = role
            user.save(update_fields=["role"])
    now = timezone.now()
    made = Cast(*keys.values(), *([each.pk for each in people[name]] for name in keys), [], [])
    for driver, customer in zip(people["driver"], people["customer"], strict=True):
        Shift.objects.create(user=driver, started_at=now, duty_since=now)
        booking = job(customer)
        leg = Leg.objects.create(booking=booking, note="A boiler", created_by=people["desk"][0])
        dispatch = Dispatch.objects.create(
            leg=leg,
            driver=Driver.objects.get_or_create(user=driver)[0],
            status=DispatchStatus.EN_ROUTE,
            offered_by=people["desk"][0],
            offered_at=now,
            deadline=now + timedelta(minutes=1),
        )
        journey = Journey.objects.create(
            booking=booking, dispatch=dispatch, traveller=driver, latitude=51.55, longitude=-0.1, opened_at=now
        )
        made.booking_ids.append(booking.pk)
        made.journey_ids.append(journey.pk)
    return made


# --- What is sent ---------------------------------------------------------------------------------


@dataclass
class Sending:
    """All drivers' fixes: which latitude was sent when, by driver."""

    sent: list[dict[str, float]] = field(default_factory=lambda: [{} for _ in range(DRIVERS)])

    def fix(self, number: int, turn: int) -> dict[str, Any]:
        """A driver's next fix, noted."""
        now = time.time()
        latitude = f"{51.4 + number * 0.0003 + turn * STEP:.5f}"
        self.sent[number][str(float(latitude))] = now
        at = int(now * 1000)
        return {"at": at, "lat": float(latitude), "lng": -0.1, "acc": 8, "spd": 13.1, "hdg": 0}

    async def each_second(self, number: int, send: Any, until: float) -> None:
        """Have one driver send a fix a second, at their own moment of it."""
        start = time.monotonic() + number / DRIVERS
        turn = 0
        while time.monotonic() < until:
            await asyncio.sleep(max(0.0, start + turn - time.monotonic()))
            await send(number, self.fix(number, turn))
            turn += 1


# --- What is measured -----------------------------------------------------------------------------


@dataclass
class Spent:
    """CPU seconds and rows written so far."""

    server: float
    database: float
    written: dict[str, int]
    size: int

    @classmethod
    def now(cls, server: Server) -> "Spent":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables")
            written = {name: int(count) for name, count in cursor.fetchall()}
            cursor.execute("SELECT pg_total_relation_size('tracking_fix')")
            size = int(cursor.fetchone()[0])
        return cls(cpu(server.process.pid), sum(map(cpu, database_pids())), written, size)


def cpu(pid: int) -> float:
    """CPU seconds of a process, user and system."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def database_pids() -> Iterator[int]:
    """The processes of this bench's PostgreSQL."""
    found = list(Postgres.from_env().folder.rglob("postmaster.pid"))
    parent = int(found[0].read_text().split()[0])
    yield parent
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == parent:
            yield int(stat.parent.name)


def arrivals(page: Page, sent: dict[str, float], mark: bytes, end: bytes) -> list[float]:
    """Milliseconds from sending each of a driver's fixes to its first frame at a page."""
    found: dict[str, float] = {}
    for at, payload in page.frames:
        for part in payload.split(mark)[1:]:
            found.setdefault(part.partition(end)[0].decode(), at)
    return [(found[text] - sent[text]) * 1000 for text in found.keys() & sent.keys()]


@dataclass
class Found:
    """The figures of one way."""

    fixes: float  # taken in, a second
    cpu: float  # ms of the server process, a fix
    database: float  # ms of PostgreSQL, a fix
    customer: list[float]
    desk: list[float]
    frames: float  # a desk page and second
    written: dict[str, float]  # rows, a fix
    grown: float  # MB an hour


async def measured(server: Server, sending: Sending, send: Any, crowds: tuple[Crowd, Crowd], desk_of: Any) -> Found:
    """Send for a while and look at what it cost and when it arrived."""
    desks, customers = crowds
    until = time.monotonic() + WARM + SECONDS
    drivers = [asyncio.create_task(sending.each_second(n, send, until)) for n in range(DRIVERS)]
    await asyncio.sleep(WARM)
    desks.forget()
    customers.forget()
    for each in sending.sent:
        each.clear()
    before, start = await asyncio.to_thread(Spent.now, server), time.monotonic()
    await asyncio.gather(*drivers)
    await asyncio.sleep(1.5)  # the last frames, and the statistics of the last transactions
    after, took = await asyncio.to_thread(Spent.now, server), time.monotonic() - start
    # What was saved, not what was sent: a way that cannot keep up has a queue before and after.
    done = max(after.written.get(name, 0) - before.written.get(name, 0) for name in TRACKS)
    return Found(
        fixes=done / took,
        cpu=(after.server - before.server) * 1000 / done,
        database=(after.database - before.database) * 1000 / done,
        customer=[
            delay
            for page, sent in zip(customers.pages, sending.sent, strict=True)
            for delay in arrivals(page, sent, b'data-latitude=\\"', b"\\")
        ],
        desk=[delay for n in range(0, DRIVERS, 7) for delay in desk_of(desks.pages[0], n, sending.sent[n])],
        frames=sum(len(page.frames) for page in desks.pages) / len(desks.pages) / took,
        written={name: (after.written.get(name, 0) - before.written.get(name, 0)) / done for name in COUNTED},
        grown=(after.size - before.size) / 2**20 * 3600 / took,
    )


# --- The two ways ---------------------------------------------------------------------------------


async def ours(server: Server, who: Cast, cursor: str) -> Found:
    """The site's own pages: one socket each, fixes over the driver's."""

    def hello(*topics: str) -> dict[str, Any]:
        return {"t": "hello", "c": cursor, "topics": list(topics), "page": "/bench"}

    def crowd(sessions: list[str], topics: list[list[str]]) -> Crowd:
        by_session = dict(zip(sessions, topics, strict=True))
        return Crowd(server.port, "/live/socket", sessions, lambda key: hello(*by_session[key]))

    drivers = crowd(who.drivers, [[f"user.{pk}", f"user.{pk}.fixes", f"user.{pk}.drive"] for pk in who.driver_ids])
    desks = crowd(who.desks, [[f"user.{pk}", "desk.fleet", "desk.dispatch"] for pk in who.desk_ids])
    pairs = zip(who.customer_ids, who.booking_ids, who.journey_ids, strict=True)
    customers = crowd(who.customers, [[f"user.{u}", f"booking.{b}.customer", f"journey.{j}"] for u, b, j in pairs])
    for each in (drivers, desks, customers):
        await each.enter()

    async def send(number: int, fix: dict[str, Any]) -> None:
        said = {"t": "say", "kind": "tracking.fixes", "data": {"fixes": [fix], "rtt": 40}}
        drivers.pages[number].transport.send(WSMsgType.TEXT, json.dumps(said).encode())  # type: ignore[union-attr]

    def on_desk(page: Page, number: int, sent: dict[str, float]) -> list[float]:
        found: dict[str, float] = {}
        for at, payload in page.frames:
            for part in payload.split(b"[%d," % who.driver_ids[number])[1:]:
                found.setdefault(str(float(part.partition(b",")[0])), at)
        return [(found[text] - sent[text]) * 1000 for text in found.keys() & sent.keys()]

    result = await measured(server, Sending(), send, (desks, customers), on_desk)
    for each in (drivers, desks, customers):
        await each.leave()
    return result


async def plain(server: Server, who: Cast) -> Found:
    """The plain way: a POST a fix, each driver on a connection that stays open."""
    all_groups = ",".join(str(number) for number in range(DRIVERS))
    desks = Crowd(server.port, f"/bench/plain-road?{all_groups}", who.desks)
    customers = [Crowd(server.port, f"/bench/plain-road?{number}", [key]) for number, key in enumerate(who.customers)]
    await desks.enter()
    everybody = Crowd(server.port, "", [])
    for start in range(0, CUSTOMERS, 50):
        await asyncio.gather(*(each.enter() for each in customers[start : start + 50]))
    everybody.pages = [each.pages[0] for each in customers]
    lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def send(number: int, fix: dict[str, Any]) -> None:
        if number not in lines:
            lines[number] = await asyncio.open_connection("127.0.0.1", server.port)
        reader, writer = lines[number]
        body = json.dumps({**fix, "driver": number}).encode()
        head = (
            f"POST /bench/plain-fix HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Cookie: sessionid={who.drivers[number]}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 204 " not in answer[:20]:
            raise RuntimeError(answer[:200])

    def on_desk(page: Page, number: int, sent: dict[str, float]) -> list[float]:
        return arrivals(page, sent, b'data-driver="%d" data-latitude="' % number, b'"')

    sending = Sending()
    result = await measured(server, sending, send, (desks, everybody), on_desk)
    result.customer = [
        delay
        for number, page in enumerate(everybody.pages)
        for delay in arrivals(page, sending.sent[number], b'data-latitude="', b'"')
    ]
    for _, writer in lines.values():
        writer.close()
    for each in (desks, everybody):
        await each.leave()
    return result


async def row_tracking(sessions: list[str]) -> None:
    """Both, one after the other, each on a server process of its own."""
    who = await asyncio.to_thread(cast)
    cursor = str(await asyncio.to_thread(journal.now))
    async with serving("daphne") as server:
        mine = await ours(server, who, cursor)
    async with serving("daphne") as server:
        theirs = await plain(server, who)
    report("tracking_fixes_taken", mine.fixes, "fixes/s", "plain_view", theirs.fixes)
    report("tracking_cpu_per_fix", mine.cpu, "ms", "plain_view", theirs.cpu)
    report("tracking_database_cpu_per_fix", mine.database, "ms", "plain_view", theirs.database)
    for share in (0.5, 0.99):
        for place in ("customer", "desk"):
            here, there = (percentile(getattr(found, place), share) for found in (mine, theirs))
            report(f"tracking_fix_to_{place}_p{share * 100:.0f}", here, "ms", "plain_view", there)
    report("tracking_frames_per_desk_page", mine.frames, "frames/s", "plain_view", theirs.frames)
    for name in COUNTED:
        report(f"tracking_rows_written_{name}", mine.written[name], "rows/fix", "plain_view", theirs.written[name])
    both = [sum(found.written.values()) for found in (mine, theirs)]
    report("tracking_writes_per_fix", both[0], "rows/fix", "plain_view", both[1])
    report("tracking_growth_of_tracks", mine.grown, "MB/h", "plain_view", 0)
