"""`make run`: a trial site on this machine, with demo data and simulated people. Standard library only.

Prepares SQLite, then holds the server, the clock and the simulator as children. Ctrl-C, SIGTERM or the
death of this process by any means ends all of them; when one of them dies, the others are stopped too.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools import processes

READY_WITHIN = 60.0  # seconds


class Stop(Exception):
    """The trial ends; `code` is the exit code, the message says why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def environment() -> dict[str, str]:
    """A trial: everything in `var/`, no other server, whatever .env or the shell say about those."""
    var = Path(os.environ.get("VAR_DIR", str(processes.ROOT / "var")))
    return {
        **os.environ,
        "DEBUG": "on",
        "DEMO": "on",
        "HTTPS": "off",
        "VAR_DIR": str(var),
        "DATABASE_URL": f"sqlite:///{var / 'callout.sqlite3'}",
        "REDIS_URL": "",
        "PYTHONUNBUFFERED": "1",
    }


def manage(*arguments: str) -> list[str]:
    """The command line of one of the project's commands."""
    return [sys.executable, "manage.py", *arguments]


def prepare(env: dict[str, str]) -> str:
    """Bring the database up to date and fill it; what `demo` says about its accounts."""
    said = ""
    for step in (["migrate", "--verbosity", "0"], ["createcachetable"], ["demo"]):
        child = processes.start(manage(*step), env=env, output=subprocess.PIPE)
        said = child.communicate()[0].decode(errors="replace")
        if child.returncode != 0:
            raise Stop(f"{said}\n`manage.py {step[0]}` failed; the lines above say why.", 1)
    return said.strip()


def is_ready(port: int) -> bool:
    """Whether /readyz answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Raise `Stop` when one of `children` has ended."""
    for name, child in children.items():
        if child.poll() is not None:
            raise Stop(f"The {name} ended with exit code {child.returncode}; stopping the rest.", 1)


def hold(port: int, env: dict[str, str], children: dict[str, subprocess.Popen[bytes]], accounts: str) -> None:
    """Start everything, say when it is ready, and stay until something ends (`Stop`)."""
    children["server"] = processes.start(manage("serve", "--port", str(port)), env=env)
    until = time.monotonic() + READY_WITHIN
    while not is_ready(port):
        watch(children)
        if time.monotonic() > until:
            raise Stop(f"The server is not ready after {READY_WITHIN:.0f} s.", 1)
        time.sleep(0.2)
    for name, command in {"clock": "clock", "simulator": "simulate"}.items():
        children[name] = processes.start(manage(command), env=env)
    print(f"\n{accounts}\n\nCallout is ready: http://127.0.0.1:{port}/   (Ctrl-C stops it)\n", flush=True)
    while True:
        watch(children)
        time.sleep(0.3)


def told_to_stop(number: int, frame: object) -> None:
    """A signal handler: leave by the ordinary way out."""
    raise Stop("Stopping.", 0 if number == signal.SIGINT else 128 + number)


def main() -> int:
    """Run the trial until it is told to stop; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    if processes.answers(port):
        print(f"Port {port} is taken; choose another: make run PORT={port + 1}", file=sys.stderr)
        return 1
    processes.die_with_parent(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told_to_stop)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        env = environment()
        print("Preparing the trial site ...", flush=True)
        hold(port, env, children, prepare(env))
    except Stop as end:
        print(f"\n{end}", file=sys.stderr, flush=True)
        return end.code
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes.stop(reversed(children.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
