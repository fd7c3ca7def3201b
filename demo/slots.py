"""What the demo puts into the desk's pages: its tray of switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from common.slots import fill
from demo.forms import SwitchesForm
from demo.models import switches


def tray(_: object, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """In demo mode only."""
    if not settings.DEMO or request is None:
        return None
    found = switches()
    return {"switches": found, "switches_form": SwitchesForm(instance=found)}


fill("desk.fleet", template="demo/_tray.html", context=tray)
