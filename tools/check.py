"""`make check`: everything that can be known without running the application's tests.

Two steps run at a time; the words of a step are shown only when it fails.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES = 60  # of a failing step's words are shown, its last ones
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """One command and what it is called."""

    name: str
    command: list[str]

    def run(self, env: dict[str, str]) -> bool:
        """Run it, say how it went, and tell whether it passed."""
        began = time.monotonic()
        done = subprocess.run(self.command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        said = (done.stdout + done.stderr).strip().splitlines()
        words = "ok" if done.returncode == 0 else "\n".join(["FAILED", *said[-LINES:], ""])
        print(f"{self.name:<24}{time.monotonic() - began:5.1f} s  {words}", flush=True)
        return done.returncode == 0


def script(name: str, *arguments: str) -> list[str]:
    """A command that the virtualenv installed."""
    return [str(SCRIPTS / name), *arguments]


def manage(*arguments: str) -> list[str]:
    """One of Django's commands, with warnings as errors."""
    return [sys.executable, "-W", "error", "manage.py", *arguments]


def module(name: str) -> list[str]:
    """One of our own tools."""
    return [sys.executable, "-m", name]


STEPS = (
    Step("types", script("mypy", "--show-traceback", ".")),
    Step("lint", script("ruff", "check", "--quiet", "--output-format", "concise", ".")),
    Step("format", script("ruff", "format", "--check", "--quiet", "--output-format", "concise", ".")),
    Step("house rules", module("tools.lint")),
    Step("imports point down", script("lint-imports")),
    Step("templates: style", script("djlint", "templates", "--lint", "--quiet")),
    Step("templates: compile", module("tools.templates")),
    Step("no missing migration", manage("makemigrations", "--check", "--dry-run")),
    Step("settings for production", manage("check", "--deploy", "--fail-level", "WARNING")),
    Step("static files", manage("collectstatic", "--no-input", "--verbosity", "0")),
)


def environment(folder: str) -> dict[str, str]:
    """The settings of a production site, with nothing of this machine's .env."""
    return {
        **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
        "ENV_FILE": os.devnull,
        "DEBUG": "off",
        "DEMO": "off",
        "HTTPS": "on",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ALLOWED_HOSTS": "callout.example",
        "VAR_DIR": f"{folder}/var",
        "STATIC_ROOT": f"{folder}/static",
    }


def main() -> int:
    """Run every step; 1 when one of them failed."""
    with tempfile.TemporaryDirectory(prefix="callout-check-") as folder, ThreadPoolExecutor(2) as pool:
        env = environment(folder)
        passed = list(pool.map(lambda step: step.run(env), STEPS))
    print("All checks passed." if all(passed) else f"{passed.count(False)} of {len(passed)} checks failed.")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
