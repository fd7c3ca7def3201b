"""`python -m bench [ROW ...]`: every speed figure as a JSON line, beside a reference measured in the same run.

Rows: fanout, memory, return, requests, save, poll, command, chat, notices, tracking, desk; all without arguments.
Run it by `make bench`, which gives it a PostgreSQL and a Redis of its own.
"""

import asyncio
import os
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["EXTRA_APPS"] = "bench"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.crowd import Crowd  # noqa: E402
from bench.desk import row_desk  # noqa: E402
from bench.figures import percentile, report  # noqa: E402
from bench.measured import Server, crowd, make_people, serving  # noqa: E402
from bench.models import PlainRow, Row  # noqa: E402
from bench.road import row_tracking  # noqa: E402
from bench.talk import row_chat, row_notices  # noqa: E402
from bench.text import text  # noqa: E402
from realtime import journal  # noqa: E402
from tools.processes import ROOT  # noqa: E402

SOCKETS = int(os.environ.get("BENCH_SOCKETS", "1000"))
FLAT_OUT = 50  # changes one after another
PACED, PAUSE = 20, 0.5  # two changes a second
SERVERS = ("daphne", "uvicorn")


async def fan_out(server: Server, kind: str, sessions: list[str], first: int) -> tuple[float, list[float]]:
    """Deliveries per second flat out, and the delays from commit to receipt when paced."""
    people = await crowd(server, kind, sessions)
    await people.enter()
    warm = first + 900
    await server.change(kind, warm, 5)
    await people.until(warm + 4)
    people.forget()
    commits = await server.change(kind, first, FLAT_OUT)
    await people.until(first + FLAT_OUT - 1)
    marks = [page.marks() for page in people.pages]
    wanted = range(first, first + FLAT_OUT)
    missing = sum(number not in found for found in marks for number in wanted)
    if missing:
        raise RuntimeError(f"{kind}: {missing} deliveries never came.")
    took = max(found[number] for found in marks for number in wanted) - min(commits.values())
    people.forget()
    commits = await server.change(kind, first + 100, PACED, PAUSE)
    await people.until(first + 100 + PACED - 1)
    delays = [page.marks()[number] - at for page in people.pages for number, at in commits.items()]
    await people.leave()
    return FLAT_OUT * len(marks) / took, delays


async def row_fanout(sessions: list[str]) -> None:
    for kind in SERVERS:
        found: dict[str, tuple[float, list[float]]] = {}
        for place, way in enumerate(("live", "plain", "bare")):
            async with serving(kind) as server:
                found[way] = await fan_out(server, way, sessions, 1000 * (place + 1))
        for reference, name in (("plain", "plain_channels"), ("bare", "bare_asgi")):
            report(f"fanout_flat_out_{kind}", found["live"][0], "deliveries/s", name, found[reference][0])
            for share in (0.5, 0.99):
                mine, theirs = (percentile(found[way][1], share) * 1000 for way in ("live", reference))
                report(f"fanout_paced_{kind}_p{share * 100:.0f}", mine, "ms", name, theirs)


async def row_memory(sessions: list[str]) -> None:
    for kind in SERVERS:
        sizes = {}
        for way in ("live", "plain", "bare"):
            async with serving(kind) as server:
                some = await crowd(server, way, sessions[:50])
                await some.enter()  # what the first sockets bring up is not theirs
                before = await asyncio.to_thread(server.memory)
                many = await crowd(server, way, sessions)
                await many.enter()
                await asyncio.sleep(1)
                sizes[way] = (await asyncio.to_thread(server.memory) - before) / len(sessions)
                await many.leave()
                await some.leave()
        report(f"socket_memory_{kind}", sizes["live"], "KB/socket", "plain_channels", sizes["plain"])
        report(f"socket_memory_{kind}", sizes["live"], "KB/socket", "bare_asgi", sizes["bare"])


async def row_return(sessions: list[str]) -> None:
    for kind in SERVERS:
        took = {}
        for way in ("live", "plain"):
            async with serving(kind) as server:
                people = await crowd(server, way, sessions)
                await people.enter()
                number = 9000
                await people.leave()
                await server.change(way, number, 1)
                if way == "plain":
                    people.url += "?state=1"
                start = time.perf_counter()
                await people.enter(at_once=len(sessions))
                await people.until(number)
                took[way] = time.perf_counter() - start
                await people.leave()
        report(f"return_{len(sessions)}_{kind}", took["live"], "s", "plain_channels", took["plain"])


async def row_requests(sessions: list[str]) -> None:
    """An open page asks once, for its socket; polling each second asks 3,600 times. Measured over ten seconds."""
    async with serving("daphne", {"METRICS_TOKEN": "bench-token-0123456789"}) as server:

        def asked() -> float:
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.port}/metrics", headers={"Authorization": "Bearer bench-token-0123456789"}
            )
            lines = urllib.request.urlopen(request, timeout=10).read().decode().splitlines()
            return sum(
                float(line.rsplit(" ", 1)[1])
                for line in lines
                if line.startswith(
                    ("django_http_requests_before_middlewares_total", "callout_live_sockets_opened_total")
                )
            )

        span = 10
        before = await asyncio.to_thread(asked)
        people = await crowd(server, "live", sessions[:1])
        await people.enter()
        await asyncio.sleep(span)
        mine = await asyncio.to_thread(asked) - before - 1  # the second look at the counters is not the page's
        # The handshake is once, the rest of the span repeats.
        report("requests_per_hour", 1 + (mine - 1) * 3600 / span, "requests", "poll_1s", 3600)
        await people.leave()


async def row_save(sessions: list[str]) -> None:
    """One save and commit, with and without journal and bell. In this process, on PostgreSQL + Redis."""
    await asyncio.to_thread(_row_save)


def _row_save() -> None:
    def cost(make: Callable[[int], Any], count: int = 1500) -> float:
        start = time.perf_counter()
        for number in range(count):
            make(number)
        return (time.perf_counter() - start) * 1000 / count

    live: Callable[[int], Any] = lambda number: Row.objects.create(text=text(number))  # noqa: E731
    plain: Callable[[int], Any] = lambda number: PlainRow.objects.create(text=text(number))  # noqa: E731
    cost(live, 200), cost(plain, 200)
    rounds = [(cost(live), cost(plain)) for _ in range(3)]
    mine, theirs = (min(values) for values in zip(*rounds, strict=True))
    report("save_cost_added", mine - theirs, "ms", "plain_save", theirs)
    report("save_cost", mine, "ms", "plain_save", theirs)


async def row_poll(sessions: list[str]) -> None:
    """An unchanged poll, beside the least that a signed-in request can do."""
    async with serving("daphne") as server:

        def cost(path: str, count: int = 300) -> list[float]:
            taken = []
            for _ in range(count):
                start = time.perf_counter()
                server.get(path, f"sessionid={sessions[0]}")
                taken.append((time.perf_counter() - start) * 1000)
            return taken

        poll = f"/live/poll?c={await asyncio.to_thread(lambda: str(journal.now()))}&topic=wall.1&page=/bench"
        for path in (poll, "/bench/whoami"):
            await asyncio.to_thread(cost, path, 50)
        mine, theirs = [await asyncio.to_thread(cost, path) for path in (poll, "/bench/whoami")]
        report("empty_poll_p50", percentile(mine, 0.5), "ms", "session_and_user", percentile(theirs, 0.5))
        report("empty_poll_p99", percentile(mine, 0.99), "ms", "session_and_user", percentile(theirs, 0.99))


async def row_command(sessions: list[str]) -> None:
    """SQLite and the in-memory layer: another process saves, an open page hears of it by the tail."""
    folder = Path(os.environ["VAR_DIR"]) / "sqlite"
    environment = {"DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "REDIS_URL": "", "VAR_DIR": str(folder)}
    helper = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.other",
        env={**os.environ, **environment},
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert helper.stdin and helper.stdout
    session, cursor = (await helper.stdout.readline()).decode().split()
    async with serving("daphne", environment) as server:
        start = {"t": "hello", "c": cursor, "topics": ["wall.1"], "page": "/bench"}
        people = Crowd(server.port, "/live/socket", [session], start)
        await people.enter()
        delays = []
        for number in range(1, 61):
            helper.stdin.write(b"%d\n" % number)
            committed = float((await helper.stdout.readline()).decode())
            await people.until(number)
            delays.append((people.pages[0].marks()[number] - committed) * 1000)
        await people.leave()
    helper.stdin.close()
    await helper.wait()
    # A page that polls once a second learns of a change after half of that on average, a second at worst.
    report("command_to_page_p50", percentile(delays, 0.5), "ms", "poll_1s", 500)
    report("command_to_page_p99", percentile(delays, 0.99), "ms", "poll_1s", 1000)


ROWS = {
    "fanout": row_fanout,
    "memory": row_memory,
    "return": row_return,
    "requests": row_requests,
    "save": row_save,
    "poll": row_poll,
    "command": row_command,
    "chat": row_chat,
    "notices": row_notices,
    "tracking": row_tracking,
    "desk": row_desk,
}


def main() -> None:
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the bench's own tables, which point at the site's
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)  # fragments name files of it
    sessions = make_people(SOCKETS)
    connection.close()
    for name in sys.argv[1:] or ROWS:
        asyncio.run(ROWS[name](sessions))


if __name__ == "__main__":
    main()
