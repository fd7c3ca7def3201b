"""The rows about people talking: a chat message into the other browser's page, and news to a thousand people."""

import asyncio
import contextlib
import json
import sys
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import AsyncIterator
from typing import Any

from django.contrib.auth import get_user_model
from playwright.async_api import Page, async_playwright

from bench.crowd import Crowd
from bench.figures import percentile, report
from bench.measured import Server, crowd, make_people, serving
from realtime import journal
from tools import packages
from tools.processes import ROOT

MESSAGES, PAUSE = 120, 0.25
WARM = 20
TOKEN = "c" * 32
FAST = {"CHAT": "A_MINUTE=100000"}  # one person may write faster than people do
# Notes when an element whose text holds a number was put into the page, in ms since 1970.
NOTE_ARRIVALS = """(place) => {
  window.arrived = {};
  new MutationObserver((changes) => {
    const now = performance.timeOrigin + performance.now();
    const text = document.querySelector(place).textContent;
    for (const found of text.matchAll(/number-(\\d+)\\./g)) window.arrived[found[1]] ??= now;
  }).observe(document.querySelector(place), { childList: true, subtree: true, characterData: true });
}"""
OPEN_PLAIN = """() => new Promise((done) => {
  const socket = new WebSocket(`ws://${location.host}/bench/plain-chat`);
  socket.onmessage = (event) => document.getElementById("log").insertAdjacentHTML("beforeend", event.data);
  socket.onopen = done;
})"""


@contextlib.asynccontextmanager
async def reading(server: Server, session: str, path: str) -> AsyncIterator[Page]:
    """A page of a real browser, signed in."""
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=packages.chromium(), args=flags)
        context = await browser.new_context()
        url = f"http://127.0.0.1:{server.port}"
        await context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        page = await context.new_page()
        await page.goto(url + path)
        yield page
        await browser.close()


def post(server: Server, path: str, session: str, fields: dict[str, str]) -> None:
    """A form, as a browser's page posts it."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}",
        data=urllib.parse.urlencode(fields).encode(),
        headers={
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "HX-Request": "true",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


async def delays(server: Server, page: Page, path: str, session: str, *, with_id: bool) -> list[float]:
    """From the POST of each message to its being in the other browser's page, in ms."""
    sent: dict[int, float] = {}
    for number in range(WARM + MESSAGES):
        fields = {"text": f"Message number-{number}. I am ten minutes away, the traffic is slow."}
        if with_id:
            fields["id"] = str(uuid.uuid4())
        sent[number] = time.time() * 1000
        await asyncio.to_thread(post, server, path, session, fields)
        await asyncio.sleep(PAUSE)
    await page.wait_for_function(f"window.arrived[{WARM + MESSAGES - 1}]", timeout=30_000)
    arrived: dict[str, float] = await page.evaluate("window.arrived")
    return [arrived[str(number)] - at for number, at in sent.items() if number >= WARM]


def conversation_of(reader: Any) -> int:
    """The reader's conversation with the desk, by an admin who will write into it; returns its id."""
    from accounts.models import Role
    from chat import actions

    admin, _ = get_user_model().objects.get_or_create(
        email="bench-desk@example.org", defaults={"name": "Desk", "role": Role.ADMIN, "is_staff": True}
    )
    return actions.desk_conversation(reader, by=admin).pk


def cast() -> tuple[int, str, str]:
    """A conversation, and the sessions of its reader and its writer."""
    users = get_user_model().objects
    pk = conversation_of(users.get(email="bench0@example.org"))
    reader = make_people(1)[0]
    return pk, reader, make_people(1, "bench-desk@example.org")[0]


async def row_chat(sessions: list[str]) -> None:
    """A message's POST to the other browser's DOM, with a thousand other sockets open on the server."""
    pk, reader, writer = await asyncio.to_thread(cast)
    found: dict[str, list[float]] = {}
    async with serving("daphne", FAST) as server:
        others = await crowd(server, "live", sessions)
        await others.enter()
        async with reading(server, reader, f"/messages/{pk}/") as page:
            await page.wait_for_selector("html[data-live=live]")
            await page.evaluate(NOTE_ARRIVALS, "[data-chat]")
            found["live"] = await delays(server, page, f"/messages/{pk}/send/", writer, with_id=True)
        await others.leave()
    async with serving("daphne", FAST) as server:
        others = await crowd(server, "plain", sessions)
        await others.enter()
        async with reading(server, reader, "/bench/chat") as page:
            await page.evaluate(OPEN_PLAIN)
            await page.evaluate(NOTE_ARRIVALS, "#log")
            found["plain"] = await delays(server, page, "/bench/chat", writer, with_id=False)
        await others.leave()
    for share in (0.5, 0.99):
        mine, theirs = (percentile(found[way], share) for way in ("live", "plain"))
        report(f"chat_post_to_dom_p{share * 100:.0f}", mine, "ms", "plain_channels", theirs)


# --- News to many ---------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def clock() -> AsyncIterator[None]:
    """`manage.py clock` beside the server."""
    process = await asyncio.create_subprocess_exec(sys.executable, "manage.py", "clock", cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def ids_by_session(sessions: list[str]) -> dict[str, int]:
    """Whose session each is: `make_people` made both in the order of their numbers."""
    users = get_user_model().objects.filter(email__in=[f"bench{number}@example.org" for number in range(len(sessions))])
    by_email = dict(users.values_list("email", "pk"))
    return {key: by_email[f"bench{number}@example.org"] for number, key in enumerate(sessions)}


async def tell(server: Server, path: str, count: int, number: int) -> dict[str, float]:
    """Have the server tell `count` people; returns how long its action took (s) and when it committed."""
    _, body = await asyncio.to_thread(server.get, f"/bench/{path}?count={count}&number={number}")
    answer: dict[str, float] = json.loads(body)
    return answer


async def typical(server: Server, path: str, count: int, first: int, times: int = 7) -> float:
    """The median duration of such an action, in ms."""
    taken = [(await tell(server, path, count, first + number))["took"] * 1000 for number in range(times)]
    return percentile(taken, 0.5)


async def row_notices(sessions: list[str]) -> None:
    """One action that tells a thousand people: how long it takes, and until the last open page shows it."""
    ids = await asyncio.to_thread(ids_by_session, sessions)
    cursor = str(await asyncio.to_thread(journal.now))
    many = len(sessions)
    async with serving("daphne") as server, clock():
        hello = lambda key: {"t": "hello", "c": cursor, "topics": [f"user.{ids[key]}"], "page": "/bench"}  # noqa: E731
        pages = Crowd(server.port, "/live/socket", sessions, hello)
        await pages.enter()
        await typical(server, "tell", 1, 100, 3)
        plain = await typical(server, "tell-plain", many, 200, 3)
        one = await typical(server, "tell", 1, 300)
        pages.forget()
        first = await tell(server, "tell", many, 400)
        await pages.until(400)
        last = max(page.marks()[400] for page in pages.pages)
        request = await typical(server, "tell", many, 500)
        await pages.leave()
    report(f"notify_{many}_request", request, "ms", "notify_1", one)
    report(f"notify_{many}_request", request, "ms", "plain_in_request", plain)
    report(f"notify_{many}_on_every_page", last - first["at"], "s", "plain_in_request", plain / 1000)
