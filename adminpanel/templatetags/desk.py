"""Template tags of the desk's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from adminpanel.live.queues import waits_topic
from adminpanel.queues.waiting import Queue, load_queues, queues
from adminpanel.rooms import Group, groups
from realtime.templatetags.live import live

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_rooms(context: template.Context) -> list[Group]:
    """The rooms of the desk, in groups, for its rail; the one that the page belongs to says so."""
    request = context.get("request")
    return groups(request.path if request is not None else "")


@register.simple_tag(takes_context=True)
def desk_waits(context: template.Context) -> Mapping[str, Queue]:
    """How many wait in each queue; the page may have counted them already, as `waits`."""
    found: Mapping[str, Queue] | None = context.get("waits")
    return found if found is not None else load_queues(list(queues()))


@register.simple_tag(takes_context=True)
def queue_badge(context: template.Context, queue: str, waits: Mapping[str, Queue]) -> SafeString:
    """The live badge of one queue."""
    return live(context, "adminpanel.waits", queue, waits_topic(), waits[queue])


@register.simple_tag(takes_context=True)
def desk_here(context: template.Context) -> SafeString:
    """`aria-current` of the desk's entry in the navigation: anywhere at the desk but where another entry leads."""
    request = context.get("request")
    path = request.path if request is not None else ""
    others = (reverse("desk:bookings"), reverse("desk:fleet"), reverse("desk:messages"))
    is_here = path.startswith(reverse("desk:dashboard")) and not path.startswith(others)
    return mark_safe(' aria-current="page"') if is_here else SafeString()


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
