"""Two people write at once, a hundred messages each, while lines are cut, requests doubled, answers lost, Redis
stopped or the server killed: each message stands once, and both pages end equal to a fresh load of themselves."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Error, Page, Route, expect

from accounts.models import User
from chat.models import Conversation, Message, Side
from e2e.flow import customer
from e2e.proxy import Proxy
from e2e.talk import agreed, talk_page

MANY, FEWEST = 100, 40  # messages of one side
WITHIN = 240.0  # seconds for all of it; generous, because a healthy run never waits for it
UNLIMITED = {"CHAT": "A_MINUTE=1000"}  # twenty a minute would take five
TAIL = 30  # messages of a fresh load

# Writes through the page's own form, a few milliseconds apart, from a seed.
WRITE = """([name, many, seed]) => {
  const field = document.querySelector("[data-chat-form] textarea");
  let number = 0;
  window.written = new Promise((done) => {
    const next = () => {
      if (number === many) { done(); return; }
      number += 1;
      seed = (seed * 1103515245 + 12345) % 2147483648;
      field.value = `${name} ${number}`;
      field.form.requestSubmit();
      setTimeout(next, 2 + seed % 40);
    };
    next();
  });
}"""

# What stands in the list: id, number, side, text, and how far one's own messages have come.
SHOWN = """() => [...document.querySelectorAll("[data-live-list='chat.message'] > li[data-live]")].map((item) => [
  item.id, item.dataset.version ? Number(item.dataset.seq) : "on its way", item.dataset.side,
  item.querySelector("[data-text]").textContent.trim(), item.querySelector("[data-ticks]")?.dataset.state ?? "",
])"""


@pytest.fixture
def alice(db: None) -> User:
    """A customer."""
    return customer()


class Line:
    """Of a page's requests to send some are sent twice at once, and some lose their answer: which ones, a seed says."""

    def __init__(self, page: Page, seed: int) -> None:
        chosen = random.Random(seed).sample(range(2, FEWEST), 12)
        self._twice, self._lost, self._number = set(chosen[:10]), set(chosen[10:]), 0
        self.threads: list[threading.Thread] = []
        page.route("**/send/", self._take)

    def _take(self, route: Route) -> None:
        self._number += 1
        with contextlib.suppress(Error):  # the line was cut below it: the page hears of that as a browser does
            if self._number in self._lost:
                route.fetch()
                route.abort("connectionreset")
                return
            if self._number in self._twice:
                self._repeat(route)
            route.continue_()

    def _repeat(self, route: Route) -> None:
        asked = route.request
        again = urllib.request.Request(asked.url, asked.post_data_buffer, asked.all_headers(), method="POST")

        def send() -> None:
            with contextlib.suppress(OSError), urllib.request.urlopen(again, timeout=20) as answer:
                answer.read()

        self.threads.append(threading.Thread(target=send))
        self.threads[-1].start()


class Two:
    """Alice and Bob on their conversation, each on a line of their own that can be cut."""

    def __init__(self, person: Callable[..., Page], thread: Conversation, users: dict[User, Proxy], seed: int) -> None:
        self.thread, self.proxies, self.luck = thread, list(users.values()), random.Random(seed)
        self.names = [user.first_name for user in users]
        self.pages = [talk_page(person, user, thread, url=proxy.url) for user, proxy in users.items()]
        self.lines = [Line(page, seed + number) for number, page in enumerate(self.pages)]

    def write(self, each: int = MANY) -> None:
        """Both begin to write, and go on by themselves."""
        self.each, self.end = each, time.monotonic() + WITHIN
        for name, page in zip(self.names, self.pages, strict=True):
            page.evaluate(WRITE, [name, each, self.luck.randrange(10_000)])

    @property
    def said(self) -> Any:
        """What people have said, as the database has it."""
        return Message.objects.filter(conversation=self.thread).exclude(side=Side.SYSTEM).order_by("seq")

    def until(self, condition: Callable[[], object], what: Callable[[], str]) -> None:
        """Wait until `condition` is true. The pages' events are handled meanwhile."""
        while not condition():
            assert time.monotonic() < self.end, f"not within {WITHIN} s: {what()}"
            self.pages[0].wait_for_timeout(150)

    def has(self, share: float) -> None:
        """Wait until the server has that share of all messages."""
        wanted = int(share * 2 * self.each)
        self.until(lambda: self.said.count() >= wanted, lambda: f"{self.said.count()} of {wanted} messages")

    def cut(self) -> None:
        """One of the two lines, or both, end in the middle of whatever they carry."""
        for proxy in self.luck.choice([self.proxies, self.proxies[:1], self.proxies[1:]]):
            proxy.cut()

    def shown(self, page: Page) -> list[list[Any]]:
        """What stands in the list of `page`."""
        found: list[list[Any]] = page.evaluate(SHOWN)
        return found

    def are_true(self) -> None:
        """Each message is there once, in its writer's order; both pages show all of it, as a fresh load does."""
        self.has(1)
        for line in self.lines:
            for thread in line.threads:
                self.until(lambda thread=thread: not thread.is_alive(), lambda: "a doubled request has ended")
        texts = list(self.said.values_list("text", flat=True))
        for name in self.names:
            assert [text for text in texts if text.startswith(name)] == [f"{name} {n + 1}" for n in range(self.each)]
        rows = self.thread.messages.order_by("seq")
        kept = [[f"chat-message-{row.pk}", row.seq, row.side, row.text] for row in rows]
        assert [seq for _, seq, _, _ in kept] == list(range(1, 2 * self.each + 2))
        for page in self.pages:
            self.until(lambda page=page: [item[:4] for item in self.shown(page)] == kept, lambda page=page: (
                difference(self.shown(page), kept)))  # fmt: skip
            assert all(page.evaluate("window.neverReloaded === true") for page in self.pages)
            self.equals_a_fresh_load(page)

    def equals_a_fresh_load(self, page: Page) -> None:
        """The end of the list, receipts included, is what another tab of the same person loads."""
        fresh = page.context.new_page()
        fresh.goto(reverse("chat:conversation", args=[self.thread.pk]))
        expect(fresh.locator("[data-chat][data-ready]")).to_have_count(1)

        def tails() -> tuple[list[Any], list[Any]]:
            one, other = self.shown(page), self.shown(fresh)
            assert len(other) >= TAIL
            return one[-len(other) :], other

        def same() -> bool:
            one, other = tails()
            return one == other and {item[4] for item in one if item[4]} == {"read"}

        self.until(same, lambda: difference(*tails()))
        fresh.close()


def difference(one: list[Any], other: list[Any]) -> str:
    """What only one of two lists has."""
    here, there = [each for each in one if each not in other], [each for each in other if each not in one]
    return f"only here: {here[:6]}\nonly there: {there[:6]}" if here or there else f"another order, or not read: {one}"


@pytest.fixture
def two(site, person, console, alice, bob) -> Iterator[Callable[..., Two]]:
    """`two(seed)`: both on their pages, each on a line of their own; `apart`: Bob's leads to a second process."""
    console.allow_outage()
    site.restart(UNLIMITED, kill=True)
    proxies = [Proxy(site.web.port), Proxy(site.web.port)]

    def make(seed: int, *, apart: bool = False) -> Two:
        if apart:
            proxies[1].port = site.spawn().port
        return Two(person, agreed(alice, bob), dict(zip((alice, bob), proxies, strict=True)), seed)

    yield make
    for proxy in proxies:
        proxy.close()


def test_two_hundred_messages_over_lines_that_are_cut_stand_once_and_alike(two):
    pair = two(1)
    pair.write()
    for share in sorted(pair.luck.uniform(0.05, 0.95) for _ in range(5)):
        pair.has(share)
        pair.cut()
    pair.are_true()


def test_two_hundred_messages_without_redis_stand_once_and_alike(redis, two):
    # Precondition: they are on two processes, which hear of each other's messages by Redis.
    pair = two(2, apart=True)
    pair.write()
    pair.has(0.2)
    redis.stop()
    pair.has(0.4)
    pair.cut()
    pair.has(0.6)
    redis.start()
    pair.has(0.8)
    pair.cut()
    pair.are_true()


def test_messages_over_a_server_that_is_killed_stand_once_and_alike(site, two):
    pair = two(3)
    pair.write(FEWEST)
    pair.has(0.3)
    site.kill9()
    site.restart(UNLIMITED)
    pair.are_true()
