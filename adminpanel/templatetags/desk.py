"""Template tags of the desk's pages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def stamp(moment: datetime | None, zone: str = "") -> SafeString:
    """An instant to the second, as receipts say it: 14:02:11; the day is in the title."""
    if moment is None:
        return SafeString()
    local = moment.astimezone(ZoneInfo(zone or settings.DEFAULT_ZONE))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(), f"{local:%a %-d %b %Y, %H:%M:%S %Z}", f"{local:%H:%M:%S}",
    )  # fmt: skip
