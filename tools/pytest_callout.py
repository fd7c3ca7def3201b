"""The pytest plugin of this project: the environment of the tests, and the tally that `make test` adds up.

It is loaded before Django reads its settings. Whatever the environment says already, stands.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tools.environment import ENVIRONMENT

COUNTED = ("failed", "passed", "skipped", "xfailed", "xpassed", "rerun", "error", "warnings")
NOT_RUN = ("skipped", "xfailed")


def prepare_environment() -> None:
    """Fill in what a test run needs; several at once do not share a folder or a database file."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "VAR_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="callout-test-")
        os.environ["VAR_DIR"] = folder
        atexit.register(remove_if_ours, folder, os.getpid())


def remove_if_ours(folder: str, maker: int) -> None:
    """Delete `folder` in the process that made it, not in a forked child."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


prepare_environment()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Cheap where it may be: passwords are hashed fast and static files have plain names (e2e has the real ones)."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.WHITENOISE_AUTOREFRESH = True  # no scan of collected files that were never collected


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--part K/N`: one of N parts of the tests, whole files each, for runs that go side by side."""
    parser.addoption("--part", default="", help="K/N: the Kth of N parts of about the same number of tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the asked part."""
    if config.getoption("part"):
        which, many = (int(number) for number in config.getoption("part").split("/"))
        kept = parts(Counter(str(item.path) for item in items), many)[which - 1]
        config.hook.pytest_deselected(items=[item for item in items if str(item.path) not in kept])
        items[:] = [item for item in items if str(item.path) in kept]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What has been imported by now stays: looking through it again and again took a seventh of the time."""
    gc.collect()
    gc.freeze()


def parts(sizes: Counter[str], many: int) -> list[set[str]]:
    """The files of each of `many` parts: the largest first, each into the part that is smallest by then."""
    found = [(0, number, set[str]()) for number in range(many)]
    for name, size in sorted(sizes.items(), key=lambda each: (-each[1], each[0])):
        total, number, names = min(found, key=lambda part: part[:2])
        found[number] = (total + size, number, names | {name})
    return [names for _, _, names in found]


def counts(config: pytest.Config) -> dict[str, int]:
    """How many tests ended in which way."""
    stats: dict[str, list[Any]] = getattr(config.pluginmanager.get_plugin("terminalreporter"), "stats", {})
    return {name: len(stats.get(name, [])) for name in COUNTED}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Any:
    """Fail a run in which a test was skipped: what is not run proves nothing. Write the tally."""
    result = yield
    tally = counts(session.config)
    if session.exitstatus == 0 and any(tally[name] for name in NOT_RUN):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if path := os.environ.get("CALLOUT_TALLY"):
        Path(path).write_text(json.dumps(tally))
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say why a test was run once more, and why a run without failures fails."""
    tally = counts(config)
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"run once more: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
    if any(tally[name] for name in NOT_RUN):
        terminalreporter.write_line("A skipped test fails the run: make it run, or delete it.", red=True)
