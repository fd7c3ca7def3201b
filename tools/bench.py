"""`make bench`: run the bench on a PostgreSQL and a Redis made for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

from tools import packages, processes, servers
from tools.environment import ENVIRONMENT


def main(arguments: list[str]) -> int:
    """Run `python -m bench` with `arguments`; its exit code."""
    packages.ensure(browser=True)
    with servers.throw_away() as environment, tempfile.TemporaryDirectory(prefix="callout-bench-") as folder:
        env = {**os.environ, **ENVIRONMENT, **environment, "VAR_DIR": folder, "LOG_LEVEL": "ERROR"}
        env["STATIC_ROOT"] = f"{folder}/static"
        bench: subprocess.Popen[bytes] = processes.start([sys.executable, "-m", "bench", *arguments], env=env)
        try:
            return bench.wait()
        finally:
            processes.stop([bench])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
