"""`make test`: every test on every stand, with servers made for it, and pytest's closing line for the sum.

    python -m tools.suite [NAME ...] [-- PYTEST ARGUMENTS]

NAME is a run (unit-postgresql-1 and -2, unit-sqlite-1 and -2, e2e-postgresql-1 and -2, e2e-sqlite) or a group (unit,
unit-postgresql, unit-sqlite, e2e, e2e-postgresql, all).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tools import packages, processes, servers

RUN_WITHIN = 55 * 60  # seconds for one run; a single hung test is ended by faulthandler_timeout long before
AT_ONCE = min(4, os.cpu_count() or 1)  # runs, each a pytest with its servers
LOOK_EVERY = 0.2  # seconds


@dataclass(frozen=True)
class Run:
    """One pytest invocation. Async and browser tests must not share one: both own the event loop."""

    name: str
    arguments: tuple[str, ...]
    production: bool  # on PostgreSQL and Redis; else on SQLite and the in-memory layer

    @property
    def browser(self) -> bool:
        """Whether it needs Chromium."""
        return self.name.startswith("e2e")


# The tests use real threads, sockets and browsers, and on a busy machine one of thousands now and then misses its
# moment. What failed is run once more; what fails twice has failed, and what passed then is named and counted.
ONCE_MORE = ("-p", "pytest_rerunfailures", "--reruns", "1", "-r", "aR")
HALVES = (1, 2)


def halves(name: str, arguments: tuple[str, ...], *, production: bool) -> list[Run]:
    """A run in two halves, for two cores."""
    return [Run(f"{name}-{n}", (*arguments, "--part", f"{n}/2"), production=production) for n in HALVES]


UNIT_POSTGRESQL = halves("unit-postgresql", (), production=True)
UNIT_SQLITE = halves("unit-sqlite", ("-m", "not postgresql"), production=False)
E2E_POSTGRESQL = halves("e2e-postgresql", ("e2e",), production=True)
E2E_SQLITE = [Run("e2e-sqlite", ("e2e", "-m", "smoke"), production=False)]
# In the order in which they begin: the long ones first, so that no core waits long for the last.
RUNS = {run.name: run for run in (*UNIT_POSTGRESQL, *E2E_POSTGRESQL, *UNIT_SQLITE, *E2E_SQLITE)}
GROUPS = {
    "all": tuple(RUNS),
    "unit": tuple(run.name for run in UNIT_POSTGRESQL + UNIT_SQLITE),
    "unit-postgresql": tuple(run.name for run in UNIT_POSTGRESQL),
    "unit-sqlite": tuple(run.name for run in UNIT_SQLITE),
    "e2e": tuple(run.name for run in E2E_POSTGRESQL + E2E_SQLITE),
    "e2e-postgresql": tuple(run.name for run in E2E_POSTGRESQL),
}


@dataclass
class Going:
    """A run that has been started."""

    run: Run
    folder: Path
    process: subprocess.Popen[bytes]
    until: float = field(default_factory=lambda: time.monotonic() + RUN_WITHIN)
    servers: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)  # closed when it has ended

    @property
    def output(self) -> Path:
        """Where its words are kept when another run has the terminal."""
        return self.folder / "output"

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or should have."""
        return self.process.poll() is not None or time.monotonic() >= self.until

    def wait(self) -> None:
        """Return when it and its servers have ended; one that hangs shows its stacks and is killed."""
        try:
            self.process.wait(max(0.0, self.until - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"\n{self.run.name} takes longer than {RUN_WITHIN} s; its stacks follow.", flush=True)
            self.process.send_signal(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        finally:
            processes.signal_group(self.process, signal.SIGKILL)
            self.process.wait()
            self.servers.close()

    def show(self, extra: list[str]) -> None:
        """Print what it said while another run had the terminal."""
        if self.output.exists():
            print(f"\n{self.run.name}: pytest {' '.join([*self.run.arguments, *extra])}")
            print(self.output.read_text(errors="replace"), flush=True)

    def tally(self, *, may_be_empty: bool) -> Counter[str]:
        """How its tests ended; a run that died, or ran nothing, counts as one error."""
        path = self.folder / "tally.json"
        ended = Counter(json.loads(path.read_text())) if path.exists() else Counter[str]()
        code = self.process.returncode
        if code == 0 or (code == 5 and may_be_empty):
            return ended
        if not (ended["failed"] or ended["error"] or ended["skipped"] or ended["xfailed"]):
            why = "found no test" if code == 5 else f"ended with exit code {code}"
            print(f"{self.run.name} {why}.", flush=True)
            ended["error"] += 1
        return ended


def begin(run: Run, extra: list[str], folder: Path, *, quiet: bool) -> Going:
    """Start `run` on servers of its own, its words to the terminal or, when `quiet`, to a file."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(servers.throw_away()) if run.production else {}
        env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        env |= {**environment, "VAR_DIR": str(folder / "var"), "CALLOUT_TALLY": str(folder / "tally.json")}
        env |= {"CALLOUT_RUN": run.name, "PYTHONUNBUFFERED": "1"}
        if run.browser:
            env["CHROMIUM"] = packages.chromium() or ""
        command = [sys.executable, "-X", "faulthandler", "-m", "pytest", *run.arguments, *ONCE_MORE, *extra]
        output = stack.enter_context((folder / "output").open("wb")) if quiet else None
        if not quiet:
            print(f"\n{run.name}: pytest {' '.join([*run.arguments, *extra])}", flush=True)
        return Going(run, folder, processes.start(command, env=env, output=output), servers=stack.pop_all())


def side_by_side(runs: list[Run], extra: list[str], folder: Path, at_once: int) -> Counter[str]:
    """Do `runs`, `at_once` of them at a time, one of those with the terminal; the sum of their tallies."""
    waiting, going, unshown = list(runs), list[Going](), list[Going]()
    total: Counter[str] = Counter()
    try:
        while waiting or going:
            while waiting and len(going) < at_once:
                run = waiting.pop(0)
                going.append(begin(run, extra, folder / run.name, quiet=has_terminal(going)))
            over = [one for one in going if one.is_over]
            for one in over:
                one.wait()
                going.remove(one)
            unshown += over
            if not has_terminal(going):
                for one in unshown:
                    one.show(extra)
                    total += one.tally(may_be_empty=bool(extra))
                unshown.clear()
            time.sleep(LOOK_EVERY)
    finally:
        processes.stop([one.process for one in going])
        for one in going:
            one.servers.close()
    return total


def has_terminal(going: list[Going]) -> bool:
    """Whether one of them writes to the terminal."""
    return any(not one.output.exists() for one in going)


def closing_line(total: Counter[str], seconds: float) -> str:
    """What pytest would have said, had it been one run."""
    words = [
        f"{total[name]} {name + 's' if name == 'error' and total[name] > 1 else name}"
        for name in ("failed", "passed", "skipped", "xfailed", "xpassed", "rerun", "warnings", "error")
        if total[name]
    ]
    clock = f" ({time.strftime('%-H:%M:%S', time.gmtime(seconds))})" if seconds >= 60 else ""
    return f" {', '.join(words) or 'no tests ran'} in {seconds:.2f}s{clock} ".center(80, "=")


def chosen(names: list[str]) -> set[str]:
    """The runs that `names` mean. Stops with a sentence at a name it does not know."""
    unknown = [name for name in names if name not in RUNS and name not in GROUPS]
    if unknown:
        sys.exit(f"There is no run {unknown[0]!r}; choose from: {', '.join([*GROUPS, *RUNS])}")
    return {run for name in names or ["all"] for run in GROUPS.get(name, (name,))}


def main(arguments: list[str]) -> int:
    """Run what was asked for; 0 only when every test ran and passed."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names, extra = chosen(arguments[:split]), arguments[split + 1 :]
    packages.ensure(browser=any(RUNS[name].browser for name in names))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callout-suite-") as folder:
        runs = [run for name, run in RUNS.items() if name in names]
        total = side_by_side(runs, extra, Path(folder), AT_ONCE)
    bad = total["failed"] + total["error"] + total["skipped"] + total["xfailed"]
    print(f"\n{closing_line(total, time.monotonic() - began)}", flush=True)
    return 0 if total["passed"] and not bad else 1


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
