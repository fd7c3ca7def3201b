"""Make `.venv` and install a requirements file into it, only when the file has changed.

Runs on any Python from 3.11 with nothing installed: `python3 tools/venv.py requirements.txt`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV", str(ROOT / ".venv")))
OLDEST = (3, 11)


def files_behind(requirements: Path) -> list[Path]:
    """`requirements` and every file that it includes with `-r`."""
    included = [line.split()[1] for line in requirements.read_text().splitlines() if line.startswith("-r ")]
    return [requirements] + [deeper for name in included for deeper in files_behind(requirements.parent / name)]


def fingerprint(requirements: Path) -> str:
    """Changes when a requirement or the virtualenv's Python does."""
    text = b"".join(path.read_bytes() for path in files_behind(requirements))
    return hashlib.sha256(text + sys.version.encode()).hexdigest()


def stamp(requirements: Path) -> Path:
    """The file in the virtualenv that says which state of `requirements` is installed."""
    return VENV / f".installed-{requirements.stem}"


def is_installed(requirements: Path) -> bool:
    """Whether the virtualenv holds exactly what `requirements` asks for now."""
    note = stamp(requirements)
    return (VENV / "bin" / "python").exists() and note.exists() and note.read_text() == fingerprint(requirements)


def make_virtualenv() -> None:
    """Create the virtualenv afresh unless a working one stands there; stop with a sentence when Python cannot."""
    python = VENV / "bin" / "python"
    if python.exists() and subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{sys.executable} cannot make a virtualenv. On Debian or Ubuntu install it with: "
            f"apt-get install python{version}-venv\n{made.stdout}{made.stderr}"
        )


def install(requirements: Path) -> None:
    """Install `requirements` quietly and note that it is done, with every file it includes."""
    print(f"Installing {requirements.name} into {VENV.name} ...", flush=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pip += ["--no-input", "--prefer-binary", "-r", str(requirements)]
    if subprocess.run(pip).returncode != 0:
        sys.exit(f"Could not install {requirements.name}; the lines above say why.")
    for path in files_behind(requirements):
        stamp(path).write_text(fingerprint(path))


def main() -> None:
    """Bring the virtualenv up to the requirements file named on the command line."""
    if sys.version_info < OLDEST:
        sys.exit(f"Callout needs Python 3.11 or newer; this is {sys.version.split()[0]}. Name another: make PYTHON=...")
    requirements = ROOT / sys.argv[1]
    if is_installed(requirements):
        return
    with Path(__file__).open() as lock:  # two makes at once: the second waits, then finds it done
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed(requirements):
            make_virtualenv()
            install(requirements)


if __name__ == "__main__":
    main()
