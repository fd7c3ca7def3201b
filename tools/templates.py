"""Compile every template of the project, so that a misspelt tag is found before a person opens its page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.template import TemplateSyntaxError
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent


def names() -> list[str]:
    """Every file under `templates/`, as `{% include %}` would call it."""
    folder = ROOT / "templates"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main() -> int:
    """Print what does not compile; 1 when there is something."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    bad = 0
    for name in names():
        try:
            get_template(name)
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            bad += 1
            print(f"templates/{name}: {error}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
