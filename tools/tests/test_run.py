"""The trial site's supervisor, over a stand-in for the application."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import processes
from tools.processes import ROOT
from tools.tests.test_processes import gone

STAND_IN = """
import http.server, os, sys, threading
name = sys.argv[1]
if name == "demo":
    print("Sign in as: alice@demo")
if name in {"migrate", "createcachetable", "demo"}:
    sys.exit(0)
open(f"pid-{name}", "w").write(str(os.getpid()))
if name != "serve":
    threading.Event().wait()
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *words): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Ready).serve_forever()
"""


class Trial:
    """`tools.run` on a stand-in application in `folder`."""

    def __init__(self, folder: Path) -> None:
        (folder / "manage.py").write_text(STAND_IN)
        self.folder = folder
        self.port = processes.free_port()
        code = (
            "import pathlib, sys\nfrom tools import processes, run\n"
            f"processes.ROOT = pathlib.Path({str(folder)!r})\n"
            f"sys.argv = ['run', '--port', '{self.port}']\nsys.exit(run.main())\n"
        )
        env = {**os.environ, "VAR_DIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""

    def wait_for(self, word: str) -> None:
        """Read its words until `word` comes."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if word in line:
                return
        raise AssertionError(f"never said {word!r}: {self.said}")

    def pids(self) -> list[int]:
        """The process ids of server, clock and simulator, once all have started."""
        files = [self.folder / f"pid-{name}" for name in ("serve", "clock", "simulate")]
        while not all(file.exists() and file.read_text() for file in files):
            assert self.process.poll() is None
        return [int(file.read_text()) for file in files]

    def end(self) -> int:
        """Its exit code; the rest of its words are read."""
        self.said += self.process.communicate(timeout=20)[0]
        return self.process.returncode


@pytest.fixture
def trial(tmp_path):
    started = Trial(tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def test_it_says_the_address_and_the_accounts_when_it_is_ready(trial):
    trial.wait_for("Callout is ready")

    assert f"http://127.0.0.1:{trial.port}/" in trial.said
    assert "Sign in as: alice@demo" in trial.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(trial, number):
    trial.wait_for("Callout is ready")
    pids = trial.pids()

    trial.process.send_signal(number)
    code = trial.end()

    assert code == {signal.SIGINT: 0, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert all(gone(pid) for pid in pids)


def test_when_one_dies_the_others_are_stopped(trial):
    trial.wait_for("Callout is ready")
    pids = trial.pids()

    os.kill(pids[1], signal.SIGKILL)

    assert trial.end() == 1
    assert "The clock ended with exit code -9" in trial.said
    assert all(gone(pid) for pid in pids)


def test_a_taken_port_is_said_and_nothing_is_started(tmp_path, monkeypatch, capsys):
    from tools import run

    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as taken:
        monkeypatch.setattr(sys, "argv", ["run", "--port", str(taken.server_port)])
        assert run.main() == 1
    assert f"Port {taken.server_port} is taken; choose another: make run PORT=" in capsys.readouterr().err
