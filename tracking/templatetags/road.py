"""The template tags of the road: an instant with its age, and a fragment within a fragment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from realtime import fragments
from tracking.rules.ages import ago, limits, state_of

register = template.Library()


@register.simple_tag
def age(moment: datetime | None, of: Any = "") -> SafeString:
    """How long ago `moment` was, as `<time>`: ages.js keeps it true and sets `data-age-state` (live, stale, lost)
    on it and on the nearest `[data-aging]` around it. Those `of` the same thing all show the newest on the page:
    a banner hears more seldom than a map.
    """
    if moment is None:
        return SafeString()
    old = timezone.now() - moment
    return format_html(
        '<time data-age="{} {}" data-age-state="{}" datetime="{}"{}>{}</time>',
        *limits(),
        state_of(old),
        moment.isoformat(),
        format_html(' data-age-of="{}"', of) if of else "",
        ago(old),
    )


@register.simple_tag(takes_context=True)
def live_within(context: template.Context, name: str, key: Any, topic: str, thing: Any = None) -> SafeString:
    """Paint a fragment inside another fragment: it was read in the same snapshot, so it has the same version.

    `thing` is what its `load` would give. Where there is nothing, an empty element keeps its place.
    """
    fragment = fragments.get(name)
    if fragment is None:
        raise template.TemplateSyntaxError(f"No app declares the fragment {name}.")
    version = context["live"].version
    found = fragment.load([str(key)]).get(str(key)) if thing is None else thing
    if found is not None:
        return fragment.render(str(key), found, topic, version)
    return format_html(
        '<div id="{}" data-live="{}" data-topic="{}" data-version="{}" data-live-absent hidden></div>',
        fragment.dom_id(str(key)),
        name,
        topic,
        version,
    )
