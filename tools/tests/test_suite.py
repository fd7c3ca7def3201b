"""`make test` adds up honestly."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tools import processes, suite
from tools.pytest_callout import parts


def ended(folder: Path, code: int, tally: dict[str, int] | None = None) -> suite.Going:
    """A run that has ended with `code`, having written `tally`."""
    if tally is not None:
        (folder / "tally.json").write_text(json.dumps(tally))
    process = processes.start([sys.executable, "-c", f"raise SystemExit({code})"])
    going = suite.Going(suite.RUNS["unit-sqlite-1"], folder, process)
    going.wait()
    return going


def test_the_closing_line_is_pytests():
    line = suite.closing_line(Counter(passed=321, failed=2, error=1), 412.334)

    assert line.strip("= ") == "2 failed, 321 passed, 1 error in 412.33s (0:06:52)"
    assert line.startswith("===") and line.endswith("===") and len(line) == 80


def test_a_run_that_passed_counts_its_tests(tmp_path):
    assert ended(tmp_path, 0, {"passed": 3}).tally(may_be_empty=False) == {"passed": 3}


def test_a_run_that_died_is_an_error(tmp_path, capsys):
    assert ended(tmp_path, 139).tally(may_be_empty=False)["error"] == 1
    assert "unit-sqlite-1 ended with exit code 139" in capsys.readouterr().out


def test_a_failed_test_is_not_counted_twice(tmp_path):
    assert ended(tmp_path, 1, {"passed": 1, "failed": 1}).tally(may_be_empty=False) == {"passed": 1, "failed": 1}


def test_finding_no_test_is_an_error_unless_some_were_chosen(tmp_path):
    going = ended(tmp_path, 5, {})

    assert going.tally(may_be_empty=True)["error"] == 0
    assert going.tally(may_be_empty=False)["error"] == 1


def test_a_hung_run_shows_its_stacks_and_ends(tmp_path):
    output = tmp_path / "output"
    with output.open("wb") as words:
        code = "import threading; print('waiting', flush=True); threading.Event().wait()"
        process = processes.start([sys.executable, "-X", "faulthandler", "-c", code], output=words)
    while "waiting" not in output.read_text():
        assert process.poll() is None

    suite.Going(suite.RUNS["unit-sqlite-1"], tmp_path, process, until=0).wait()

    assert process.returncode != 0
    assert "most recent call first" in output.read_text()


def test_runs_go_side_by_side_and_each_is_heard_once(tmp_path, capfd, monkeypatch):
    """Two at a time; what went without the terminal is printed when no other has it; servers end with their run."""
    at_once: list[int] = []
    going: set[str] = set()

    def begin(run: suite.Run, extra: list[str], folder: Path, *, quiet: bool) -> suite.Going:
        folder.mkdir()
        (folder / "tally.json").write_text(json.dumps({"passed": 1}))
        going.add(run.name)
        at_once.append(len(going))
        stack = contextlib.ExitStack()
        stack.callback(going.discard, run.name)
        output = stack.enter_context((folder / "output").open("wb")) if quiet else None
        command = [sys.executable, "-c", f"print('words of {run.name}')"]
        return suite.Going(run, folder, processes.start(command, output=output), servers=stack)

    monkeypatch.setattr(suite, "begin", begin)

    total = suite.side_by_side(list(suite.RUNS.values()), [], tmp_path, 2)

    assert total == {"passed": len(suite.RUNS)}
    assert max(at_once) == 2 and not going
    said = capfd.readouterr().out
    assert [said.count(f"words of {name}\n") for name in suite.RUNS] == [1] * len(suite.RUNS)


def test_names_mean_runs():
    assert suite.chosen([]) == set(suite.RUNS)
    assert suite.chosen(["e2e-postgresql"]) == {"e2e-postgresql-1", "e2e-postgresql-2"}
    assert suite.chosen(["unit-sqlite-2", "e2e-sqlite"]) == {"unit-sqlite-2", "e2e-sqlite"}
    with pytest.raises(SystemExit, match="There is no run 'browser'"):
        suite.chosen(["browser"])


def test_parts_are_whole_files_and_together_everything():
    sizes = Counter({"a.py": 20, "b.py": 11, "c.py": 10, "d.py": 1})

    assert parts(sizes, 2) == [{"a.py", "d.py"}, {"b.py", "c.py"}]
    assert parts(sizes, 1) == [set(sizes)]
    assert set().union(*parts(sizes, 6)) == set(sizes)


def test_everything_is_every_group():
    groups = [suite.GROUPS[name] for name in ("unit-postgresql", "unit-sqlite", "e2e")]
    assert sorted(name for group in groups for name in group) == sorted(suite.GROUPS["all"]) == sorted(suite.RUNS)
