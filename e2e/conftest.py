"""Fixtures of the browser tests. `site` and `person` are what a test needs; see their docstrings."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from accounts.models import Flag, User
from e2e import database
from e2e.flow import Way
from e2e.live import Desks, kitchen
from e2e.people import Console, People
from e2e.proxy import Proxy
from e2e.site import Site
from realtime.tests.board.models import Board
from tools import packages
from tools.processes import ROOT
from tools.servers import Postgres, Redis

# Playwright's sync API runs an event loop in this thread, and Django would refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
EVIDENCE = ROOT / "var" / "e2e"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
expect.set_options(timeout=30_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Let fixtures know whether the test itself failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


# --- The database: the site's own, which the tests write to directly ------------------------------


@pytest.fixture(scope="session")
def _site_process(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Site]:
    """The site, migrated and started once; tests share it through `site`."""
    folder = tmp_path_factory.mktemp("site")
    env = {"STATIC_ROOT": str(folder / "static"), "MEDIA_ROOT": str(folder / "media"), "LOG_LEVEL": "INFO"}
    made = Site(folder, env)
    made.manage("migrate", "--verbosity", "0")
    made.manage("createcachetable")
    made.manage("collectstatic", "--no-input", "--verbosity", "0")
    with django_db_blocker.unblock():
        database.remember_seeds()
        try:
            yield made
        finally:
            made.stop()
            database.forget_connections()


@pytest.fixture(autouse=True)
def site(_site_process: Site) -> Site:
    """The running site on an empty database: `url`, `restart(env)`, `kill9()`, `spawn()`, `clock()`, `manage()`."""
    _site_process.reset()
    database.empty()
    return _site_process


@pytest.fixture
def media(site: Site, settings: Any) -> Path:
    """The site's media folder, which files of this process go to as well."""
    settings.MEDIA_ROOT = Path(site.base_env["MEDIA_ROOT"])
    return settings.MEDIA_ROOT


@pytest.fixture
def flags_on_again(db: None) -> Iterator[None]:
    """The running site must not go on with what a test turned."""
    yield
    for row in Flag.objects.exclude(everyone=True):
        row.everyone = True
        row.save()


@pytest.fixture
def db(site: Site) -> None:
    """Fixtures that ask for `db` write to the site's database here; nothing is rolled back, it is emptied."""


@pytest.fixture
def transactional_db(site: Site) -> None:
    """As `db`."""


@pytest.fixture
def postgres(site: Site) -> Postgres:
    """The very PostgreSQL that the site runs on; it may be stopped, and runs again for the next test."""
    return Postgres.from_env()


@pytest.fixture
def redis(site: Site) -> Redis:
    """The very Redis that the site runs on; it may be stopped, and runs again for the next test."""
    return Redis.from_env()


# --- The browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's sync API."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, one for the session; people get contexts of their own."""
    path = packages.chromium()
    assert path, "Chromium is not installed: apt-get install chromium"
    launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    yield launched
    launched.close()


@pytest.fixture
def console() -> Console:
    """What the browsers complain about; `console.allow(pattern)` for what the test provokes."""
    return Console()


@pytest.fixture
def person(site: Site, browser: Browser, console: Console, request: pytest.FixtureRequest) -> Iterator[People]:
    """`person(user)` is a page of a fresh browser, signed in. Complaints of any browser fail the test."""
    people = People(browser, site.url, console)
    said = {log: log.stat().st_size for log in site.logs()}
    yield people
    tracebacks = re.findall(r"Traceback \(most recent call last\)", new_words(site, said))
    complaints = console.unexpected()
    if request.node.stash.get(FAILED, False) or complaints:
        keep_evidence(request.node.name, people, site)
    people.leave()
    assert not complaints, "The browser complained:\n" + "\n".join(complaints)
    if tracebacks and not any(re.search(pattern, "Traceback") for pattern in console.allowed):
        keep_evidence(request.node.name, people, site)
        pytest.fail(f"The site logged {len(tracebacks)} tracebacks:\n{new_words(site, said)[-4000:]}")


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """A proxy before the site that can refuse upgrades, cut and swallow: `person(user, url=proxy.url)`."""
    assert site.web is not None
    made = Proxy(site.web.port)
    yield made
    made.close()


# How often pages ask, and slow down, is a test's of its own; the flows wait for dozens of answers.
OFTEN = {"LIVE_POLL_EVERY": "0.4", "LIVE_POLL_EVERY_DASHBOARD": "0.4", "LIVE_POLL_AT_MOST": "0.5"}


@pytest.fixture(params=[pytest.param("live", marks=pytest.mark.smoke), "switched off", "refused by a proxy"])
def way(request: pytest.FixtureRequest, site: Site, console: Console) -> Way:
    """How a flow's pages hear: by socket; by polling, because the site or a proxy allows nothing else."""
    if request.param == "live":
        return Way(site.url, "live")
    if request.param == "switched off":
        site.restart({**OFTEN, "LIVE_TRANSPORT": "poll"})
        return Way(site.url, "polling")
    site.restart(OFTEN)
    console.allow(r"WebSocket connection to")
    proxy: Proxy = request.getfixturevalue("proxy")
    proxy.upgrades = False
    return Way(proxy.url, "polling")


@pytest.fixture
def board(alice: User, bob: User) -> Board:
    """A board of Alice and Bob in the throw-away app, with a pulse and a note."""
    return kitchen(alice, bob)


@pytest.fixture
def desk(person: People, board: Board) -> Desks:
    """`desk(user)` opens the board's desk for a person, with all that goes over its wire recorded."""
    return Desks(person, board)


def new_words(site: Site, since: dict[Path, int]) -> str:
    """What the site's processes have logged since the sizes in `since`."""
    return "".join(log.read_bytes()[since.get(log, 0) :].decode(errors="replace") for log in site.logs())


def keep_evidence(name: str, people: People, site: Site) -> None:
    """Put screenshots, pages and logs into var/e2e/<test>."""
    folder = EVIDENCE / re.sub(r"[^\w-]+", "-", name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for log in site.logs():
        shutil.copy(log, folder)
    with contextlib.suppress(Exception):  # a broken browser must not hide the failure that broke it
        people.keep_evidence(folder)
