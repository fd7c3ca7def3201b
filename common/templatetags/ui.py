"""Template tags and filters that every page may use without `{% load %}`."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from common import slots
from common.money import Money
from common.states import look_of

register = template.Library()


@cache
def _sprite() -> str:
    return static("vendor/lucide/icons.svg")


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """`{% icon "wrench" %}`: a decoration; with a label it speaks. `size` is sm, lg or xl."""
    spoken = format_html(' role="img" aria-label="{}"', label) if label else SafeString(' aria-hidden="true"')
    css = f"icon icon-{size}" if size else "icon"
    return format_html('<svg class="{}"{}><use href="{}#{}"></use></svg>', css, spoken, _sprite(), name)


@register.simple_tag
def status_chip(state: str, kind: str = "") -> SafeString:
    """`{% status_chip booking.status "booking" %}`: icon, word and tone of a state."""
    look = look_of(str(state), kind)
    return format_html(
        '<span class="chip chip-{}" data-state="{}">{}{}</span>', look.tone, state, icon(look.icon), look.word
    )


@register.filter
def status_word(state: str, kind: str = "") -> str:
    """A state's word alone, for sentences."""
    return look_of(str(state), kind).word


@register.filter
def money(amount: Decimal | Money | None, currency: str = "") -> str:
    """`{{ bid.amount|money:bid.currency }}`: £45.00. Nothing for no amount."""
    if amount is None or amount == "":
        return ""
    if isinstance(amount, Money):
        return str(amount)
    return str(Money(Decimal(amount), currency or settings.DEFAULT_CURRENCY))


@register.filter
def duration(span: timedelta | float | None) -> str:
    """A length of time (or its minutes) in words: 45 min, 1 h 30 min, 2 days."""
    if span is None or span == "":
        return ""
    minutes = round(span.total_seconds() / 60) if isinstance(span, timedelta) else round(float(span))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48 and not rest:
        return f"{hours // 24} days" + (f" {hours % 24} h" if hours % 24 else "")
    return f"{hours} h {rest} min" if rest else f"{hours} h"


@register.filter
def clock(span: timedelta | float | None) -> str:
    """A running time (or its seconds) as on a clock: 00:32 (hours and minutes)."""
    if span is None or span == "":
        return ""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _whole(text: str) -> SafeString:
    """A time whose parts, between its commas, stay on one line each."""
    return format_html_join(", ", '<span class="nowrap">{}</span>', ((part,) for part in text.split(", ")))


_SPANS = re.compile(r"\d\d:\d\d-\d\d:\d\d(?: [A-Z]{2,5}\b)?")


@register.filter
def unbroken(sentence: str) -> SafeString:
    """A sentence whose spans of time, 14:00-15:00 GMT, stay on one line."""
    return SafeString(_SPANS.sub(r'<span class="nowrap">\g<0></span>', conditional_escape(sentence)))


@register.simple_tag
def local_time(moment: datetime | None, zone: str = "", style: str = "full") -> SafeString:
    """An instant in the job's zone, with the zone's name; the browser adds the viewer's where it differs.

    `style`: full (Tue 3 Mar, 14:00 GMT), day (Tue 3 March), time (14:00 GMT), short (3 Mar, 14:00 GMT),
    clock (14:00).
    A line breaks after the comma only.
    """
    if moment is None:
        return SafeString()
    place = zone or settings.DEFAULT_ZONE
    local = moment.astimezone(ZoneInfo(place))
    patterns = {
        "full": "%a %-d %b, %H:%M %Z",
        "day": "%a %-d %B",
        "time": "%H:%M %Z",
        "short": "%-d %b, %H:%M %Z",
        "clock": "%H:%M",
    }
    return format_html(
        '<time datetime="{}" data-zone="{}" data-style="{}">{}</time>',
        moment.isoformat(), place, style, _whole(local.strftime(patterns[style])),
    )  # fmt: skip


@register.simple_tag
def local_span(start: datetime | None, end: datetime | None, zone: str = "") -> SafeString:
    """A window in the job's zone: Tue 3 Mar, 14:00-15:00 GMT. A line breaks after the comma only."""
    if start is None or end is None:
        return SafeString()
    place = ZoneInfo(zone or settings.DEFAULT_ZONE)
    first, last = start.astimezone(place), end.astimezone(place)
    until = last.strftime("%H:%M %Z") if first.date() == last.date() else last.strftime("%a %-d %b, %H:%M %Z")
    return format_html(
        '<time datetime="{}" data-until="{}" data-zone="{}">{}</time>',
        start.isoformat(), end.isoformat(), place.key, _whole(f"{first:%a %-d %b, %H:%M}-{until}"),
    )  # fmt: skip


@register.simple_tag
def idempotency_key() -> SafeString:
    """The hidden input of every mutating form: the same key gets the same answer and no second effect."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4())


@register.simple_tag
def avatar(person: object, photo_url: str = "", size: str = "") -> SafeString:
    """A person's photo, or their initials on one of six calm colours."""
    name = str(person or "?")
    css = f"avatar avatar-{size}" if size else "avatar"
    if photo_url:
        return format_html('<img class="{}" src="{}" alt="" loading="lazy">', css, photo_url)
    words = name.split() or ["?"]
    initials = (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()
    tint = sum(map(ord, name)) % 6
    return format_html('<span class="{} avatar-tint-{}" aria-hidden="true">{}</span>', css, tint, initials)


@register.simple_tag
def stars(value: float | None, count: int | None = None) -> SafeString:
    """A rating as a star, a figure and how many gave it."""
    if value is None:
        return mark_safe('<span class="rating rating-none">No reviews yet</span>')
    many = format_html(' <span class="rating-count">({})</span>', count) if count is not None else SafeString()
    return format_html(
        '<span class="rating"><span class="visually-hidden">Rated</span>{}{}{}</span>',
        icon("star"),
        f"{value:.1f}",
        many,
    )


@register.simple_tag(takes_context=True)
def here(context: template.Context, url: str) -> SafeString:
    """`aria-current="page"` when the request is for `url` or, unless it is the root, below it."""
    request = context.get("request")
    path = request.path if request is not None else ""
    current = bool(url) and (path == url or (url != "/" and path.startswith(url)))
    return SafeString(' aria-current="page"') if current else SafeString()


@register.simple_tag(takes_context=True)
def slot(context: template.Context, name: str, thing: Any = None) -> SafeString:
    """`{% slot "bookings.job" booking %}`: what the apps above put here (`common.slots`)."""
    return slots.render(name, thing, context)
