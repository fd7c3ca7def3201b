"""The virtualenv is made once and follows the requirements."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import venv


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A development file that includes another, in a project without a virtualenv; neither asks for a package."""
    monkeypatch.setattr(venv, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    (tmp_path / "requirements.txt").write_text("# nothing yet\n")
    development = tmp_path / "requirements-dev.txt"
    development.write_text("-r requirements.txt\n")
    return development


def test_a_change_in_an_included_file_counts(requirements):
    before = venv.fingerprint(requirements)

    (requirements.parent / "requirements.txt").write_text("# something\n")

    assert venv.fingerprint(requirements) != before


def test_a_broken_one_is_made_afresh_and_a_good_one_left_alone(requirements, monkeypatch, capsys):
    (venv.VENV / "bin").mkdir(parents=True)
    (venv.VENV / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (venv.VENV / "bin" / "python").chmod(0o755)
    monkeypatch.setattr("sys.argv", ["venv.py", requirements.name])

    venv.main()
    assert "Installing requirements-dev.txt" in capsys.readouterr().out
    assert venv.is_installed(requirements)
    assert venv.is_installed(requirements.parent / "requirements.txt")

    venv.main()
    assert capsys.readouterr().out == ""


def test_an_old_python_is_refused_with_a_sentence(requirements, monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 10, 9))

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        venv.main()
