"""The template tags of live pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from realtime import fragments, transport
from realtime.pages import LivePage, begin
from realtime.topics import Principal

register = template.Library()


def _page(context: template.Context) -> LivePage:
    page: LivePage | None = getattr(context["request"], "live", None)
    if page is None:
        raise template.TemplateSyntaxError("This page holds live fragments: decorate its view with @live_page.")
    return page


def _declared(name: str) -> fragments.Fragment:
    fragment = fragments.get(name)
    if fragment is None:
        raise template.TemplateSyntaxError(f"No app declares the fragment {name}.")
    return fragment


def _painted(fragment: fragments.Fragment, key: str, topic: str, page: LivePage, thing: Any = None) -> SafeString:
    thing = fragment.load([key]).get(key) if thing is None else thing
    if thing is not None:
        return fragment.render(key, thing, topic, page.version)
    return format_html(
        '<div id="{}" data-live="{}" data-topic="{}" data-version="{}" data-live-absent hidden></div>',
        fragment.dom_id(key),
        fragment.name,
        topic,
        page.version,
    )


@register.simple_tag(takes_context=True)
def live(context: template.Context, name: str, key: Any, topic: str, thing: Any = None) -> SafeString:
    """Paint one fragment: `{% live "bookings.banner" user.pk topic %}`.

    `thing` is what the fragment's `load` would give, where the view has it already: it loaded it after its cursor
    was taken, so it is no older than the page says. Where the object is not there (yet), an empty hidden element
    keeps its place for the push that brings it.
    """
    return _painted(_declared(name), str(key), topic, _page(context), thing)


@register.simple_tag(takes_context=True)
def live_list(
    context: template.Context,
    name: str,
    keys: Iterable[Any] | Mapping[str, Any],
    topic: str,
    *,
    tag: str = "ul",
    new: str = "insert",
    part: str = "",
    label: str = "",
    empty: str = "",
    id: str = "",
    **attributes: str,
) -> SafeString:
    """Paint a live list and its items. `keys` may be what the fragment's `load` gives, where the view has it already.

    `new` says what happens to items that are not on the page yet: `insert` places them by their order,
    `pill` shows "n new" and asks the page's own URL again. Items stand in the order of the fragment if it
    has one, else in the order of `keys`. `part="tail"`: these are the last of a longer list, and what was
    loaded above them stays when the page asks itself again. `empty` is a template shown while there is no item.
    """
    fragment, page = _declared(name), _page(context)
    wanted = [str(key) for key in keys]
    found = keys if isinstance(keys, Mapping) else fragment.load(wanted)
    present = [key for key in wanted if key in found]
    if fragment.order is not None and new == "insert":
        # Of equal orders the shorter key first, as live.js does: or a page would differ from a fresh load.
        present.sort(key=lambda key: (fragment.order_of(found[key]), len(key), key))
    items = mark_safe("".join(fragment.render(key, found[key], topic, page.version) for key in present))  # noqa: S308
    item_tag = "li" if tag in {"ul", "ol"} else "div"
    nothing = ""
    if empty:
        inner = mark_safe(get_template(empty).render(_flat(context)))  # noqa: S308 (a rendered template)
        nothing = format_html("<{} data-live-empty>{}</{}>", item_tag, inner, item_tag)
    return format_html(
        '<{tag} id="{id}" data-live-list="{name}" data-topic="{topic}" data-new="{new}"{part}{label}{rest}>'
        "{items}{nothing}</{tag}>",
        tag=tag,
        id=id or f"{name.replace('.', '-').replace('_', '-')}-list",
        name=name,
        topic=topic,
        new=new,
        part=format_html(' data-part="{}"', part) if part else "",
        label=format_html(' aria-label="{}"', label) if label else "",
        rest=format_html_join(
            "", ' {}="{}"', ((key.rstrip("_").replace("_", "-"), v) for key, v in attributes.items())
        ),
        items=items,
        nothing=nothing,
    )


def _flat(context: template.Context) -> dict[str, Any]:
    flat: dict[str, Any] = context.flatten()  # type: ignore[assignment]
    return flat


@register.simple_tag(takes_context=True)
def live_root(context: template.Context) -> SafeString:
    """The attributes of a fragment's root element: id, name, topic, version, order."""
    it: fragments.Live = context["live"]
    order = format_html(' data-order="{}"', it.order) if it.order else ""
    return format_html(
        'id="{}" data-live="{}" data-topic="{}" data-version="{}"{}', it.id, it.name, it.topic, it.version, order
    )


@register.simple_tag(takes_context=True)
def live_site(context: template.Context, place: str = "top") -> SafeString:
    """The site-wide fragments of the signed-in user that stand at `place`: the banner at the top, the bell."""
    request = context["request"]
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return SafeString()
    page = getattr(request, "live", None) or begin(request)
    painted = [
        _painted(fragment, key, topic, page, thing)
        for fragment, key, topic, thing in fragments.site_wide_for(user, place)
    ]
    return mark_safe("".join(painted))  # noqa: S308 (rendered templates)


@register.simple_tag(takes_context=True)
def live_head(context: template.Context) -> SafeString:
    """The meta element that live.js starts from; nothing for somebody who may follow nothing."""
    request = context["request"]
    user = getattr(request, "user", None)
    page: LivePage | None = getattr(request, "live", None)
    if page is None and (user is None or not user.is_authenticated):
        return SafeString()
    page = page or begin(request)
    link = getattr(request, "live_link", "")
    who = Principal("link", link) if link else Principal("user", str(request.user.pk))
    values = {
        "cursor": page.cursor,
        "transport": "poll" if transport.asks(who, (), None if link else user) else "socket",
        "socket": "/live/socket",
        "poll": reverse("realtime:poll"),
        "say": reverse("realtime:say"),
        "sign-in": reverse(settings.LOGIN_URL),
        "heartbeat": settings.LIVE["HEARTBEAT_EVERY"],
        "trouble": settings.LIVE["TROUBLE_AFTER"],
        "poll-every": page.poll_every,
        "poll-most": settings.LIVE["POLL_AT_MOST"],
        "retry-from": settings.LIVE["RETRY_FROM"],
        "retry-most": settings.LIVE["RETRY_AT_MOST"],
        "resync": settings.LIVE["HIDDEN_RESYNC_AFTER"],
        "away": settings.LIVE["AWAY_AFTER"],
    }
    if link:
        values["link"] = link
    return format_html('<meta name="live"{}>', format_html_join("", ' data-{}="{}"', values.items()))


@register.simple_tag
def live_when(moment: datetime | None, zone: str = "", relative: bool = True) -> SafeString:
    """An instant as `<time>`: the words of the job's zone now, "8 s ago" and the viewer's zone by the browser."""
    if moment is None:
        return SafeString()
    local = moment.astimezone(ZoneInfo(zone or settings.DEFAULT_ZONE))
    return format_html(
        '<time datetime="{}" data-zone="{}"{}>{} {}</time>',
        moment.isoformat(),
        zone or settings.DEFAULT_ZONE,
        mark_safe(" data-relative") if relative else "",
        local.strftime("%a %-d %b, %H:%M"),
        local.tzname(),
    )
