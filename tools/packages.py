"""What the suite needs from the system: PostgreSQL, Redis and Chromium, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tools.servers import Postgres


def chromium() -> str | None:
    """The path of the browser: $CHROMIUM, or the first of the usual names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


def missing(*, browser: bool) -> list[str]:
    """The Debian packages that are needed and not there."""
    have = {"postgresql": Postgres.binaries(), "redis-server": shutil.which("redis-server")}
    if browser:
        have |= {"chromium": chromium()}
    return [package for package, path in have.items() if path is None]


def ensure(*, browser: bool) -> None:
    """Install what is missing where we may, else stop and name it."""
    packages = missing(browser=browser)
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        names = " ".join(packages)
        sys.exit(f"The tests need these Debian packages (PostgreSQL 15 or newer): apt-get install {names}")
    print(f"Installing {', '.join(packages)} ...", flush=True)
    # Runlevel 1: Debian must not start servers of its own on the well-known ports.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "--quiet=2", *command], env=env, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"apt-get {command[0]} failed; install these yourself: {' '.join(packages)}")
    if missing(browser=browser):
        sys.exit(f"Still missing after apt-get: {', '.join(missing(browser=browser))} (PostgreSQL 15 or newer).")
