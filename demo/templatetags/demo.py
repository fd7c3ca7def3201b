"""The list of demo accounts for the sign-in page."""

from __future__ import annotations

from django import template
from django.conf import settings

from demo.cast import PASSWORD
from demo.people import Account, playable_accounts

register = template.Library()


@register.simple_tag
def demo_accounts() -> list[Account]:
    """Everybody a visitor can be, by role; nobody outside demo mode. One query."""
    return playable_accounts() if settings.DEMO else []


@register.simple_tag
def demo_password() -> str:
    """The password of every demo account."""
    return PASSWORD
