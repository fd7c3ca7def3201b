"""Nothing that was started is left behind, however its parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import processes
from tools.processes import ROOT

PARENT = """
import sys, threading
from tools import processes
child = processes.start([sys.executable, "-c", "import threading; threading.Event().wait()"])
print(child.pid, flush=True)
threading.Event().wait()
"""


def gone(pid: int, within: float = 5.0) -> bool:
    """Whether process `pid` ends in time (a zombie has ended)."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except FileNotFoundError:
            return True
    return False


def test_a_child_dies_with_a_parent_that_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)

    parent.kill()
    parent.communicate()

    assert gone(child)


def test_stop_kills_what_ignores_the_request():
    code = (
        "import signal, threading; signal.signal(15, signal.SIG_IGN); print('on', flush=True); threading.Event().wait()"
    )
    child = processes.start([sys.executable, "-c", code], output=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"on\n"

        processes.stop([child], patience=0.1)

    assert child.returncode == -signal.SIGKILL


def test_a_port_is_known_to_be_taken():
    port = processes.free_port()
    assert not processes.answers(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_servers_are_removed_when_their_maker_is_killed(number):
    code = (
        "import threading\nfrom tools.servers import throw_away, Redis, watch_over\n"
        "server = Redis.make()\nwatch_over([server])\nserver.start()\n"
        "print(server.pid(), server.folder, flush=True)\nthreading.Event().wait()\n"
    )
    maker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert maker.stdout is not None
    pid, folder = maker.stdout.readline().split()

    maker.send_signal(number)
    maker.communicate()

    assert gone(int(pid))
    until = time.monotonic() + 5
    while Path(folder).exists() and time.monotonic() < until:
        pass
    assert not Path(folder).exists()
