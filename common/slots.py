"""Places in a page where apps above it put something: a page of bookings has room for the chat and the map
without knowing either.

A lower app's template has `{% slot "bookings.job" booking %}`; an app above fills it in its `slots.py`:

    fill("bookings.job", template="chat/_panel.html", context=panel)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

Context = Callable[[Any, HttpRequest | None], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Filling:
    """A template for a slot, and what gives it its context."""

    template: str
    context: Context


_fillings: dict[str, list[Filling]] = defaultdict(list)


def fill(slot: str, *, template: str, context: Context) -> None:
    """Show `template` in `slot`. `context(thing, request)` returns its variables, or None to show nothing.

    `request` is None in fragments: what stands there is the same for everybody who sees it.
    """
    _fillings[slot].append(Filling(template, context))


def render(slot: str, thing: Any, context: template.Context) -> SafeString:
    """All that apps put into `slot` for `thing`, in the order of INSTALLED_APPS."""
    shown = []
    for each in _fillings[slot]:
        values = each.context(thing, context.get("request"))
        if values is not None:
            with context.push(**values):
                shown.append(get_template(each.template).template.render(context))  # type: ignore[attr-defined]
    return mark_safe("".join(shown))  # noqa: S308 (rendered templates)
