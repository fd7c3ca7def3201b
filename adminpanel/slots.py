"""What the desk puts into the pages of everybody: its own entry in the navigation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.models import Role, User
from common.slots import fill


def entry(user: User, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """For admins."""
    return {} if user.role == Role.ADMIN else None


fill("nav", template="adminpanel/_nav.html", context=entry)
