"""Slots: places in pages of lower apps that apps above fill."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from common import slots


@pytest.fixture(autouse=True)
def _no_fillings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is filled but what a test fills."""
    monkeypatch.setattr(slots, "_fillings", defaultdict(list))


def painted(thing: Any, **context: Any) -> str:
    """A page with one slot."""
    return Template('<main>{% slot "test.place" thing %}</main>').render(Context({"thing": thing, **context}))


def test_an_empty_slot_leaves_no_trace() -> None:
    assert painted("anything") == "<main></main>"


def test_several_apps_fill_a_slot_in_their_order_and_none_shows_nothing() -> None:
    for word in ("first", "second", "hidden"):
        slots.fill(
            "test.place",
            template="common/_refusal.html",
            context=lambda thing, request, word=word: None if word == "hidden" else {"refusal": {"sentence": word}},
        )
    html = painted("anything")
    assert html.index("first") < html.index("second") and "hidden" not in html


def test_what_fills_a_slot_sees_the_thing_and_the_request_and_leaves_the_page_as_it_was() -> None:
    seen: list[Any] = []

    def context(thing: Any, request: Any) -> dict[str, Any]:
        seen.append((thing, request))
        return {"refusal": {"sentence": "mine"}, "thing": "changed"}

    slots.fill("test.place", template="common/_refusal.html", context=context)
    request = RequestFactory().get("/")
    html = Template('{% slot "test.place" thing %}{{ thing }}').render(Context({"thing": "kept", "request": request}))
    assert "mine" in html and html.endswith("kept") and seen == [("kept", request)]


def test_a_fragment_fills_its_slots_without_a_request() -> None:
    slots.fill(
        "test.place",
        template="common/_refusal.html",
        context=lambda thing, request: {"refusal": {"sentence": str(request)}},
    )
    assert "None" in painted("anything")
