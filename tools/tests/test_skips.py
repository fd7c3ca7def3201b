"""A skipped test fails the run, by the project's own plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.processes import ROOT

SKIPS = "import pytest\ndef test_one(): pass\ndef test_two(): pytest." + "skip('not today')\n"
PASSES = "def test_one(): pass\n"


def run(folder: Path, text: str) -> tuple[int, dict[str, int], str]:
    """Exit code, tally and words of a pytest run over one file with `text`."""
    (folder / "test_it.py").write_text(text)
    tally = folder / "tally.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), str(folder)],
        cwd=ROOT,
        env={**os.environ, "CALLOUT_TALLY": str(tally)},
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(tally.read_text()), done.stdout


@pytest.mark.parametrize(("text", "code", "skipped"), [(PASSES, 0, 0), (SKIPS, 1, 1)])
def test_a_skip_fails_the_run(tmp_path, text, code, skipped):
    ended, tally, words = run(tmp_path, text)

    assert (ended, tally["passed"], tally["skipped"]) == (code, 1, skipped)
    assert ("A skipped test fails the run" in words) == bool(skipped)
