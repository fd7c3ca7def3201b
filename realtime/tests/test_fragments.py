"""Fragments: one declaration, three ways to the page, the same bytes."""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core import checks
from django.db import models
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory

from realtime import fragments, journal, pages
from realtime.checks import templates_exist, watched_models_are_live
from realtime.fragments import Fragment, site_wide, watch
from realtime.render import render
from realtime.tests.board.live import board_topic, cards_topic, note
from realtime.tests.board.models import Board, Card, Note, Pulse
from realtime.tests.harness import Live
from realtime.topics import Principal, user_topic

VERSION = re.compile(r'data-version="\d+"')


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fragments declared in this test are forgotten after it."""
    monkeypatch.setattr(fragments, "_fragments", dict(fragments._fragments))
    monkeypatch.setattr(fragments, "_site_wide", list(fragments._site_wide))
    monkeypatch.setattr(fragments, "_columns", dict(fragments._columns))
    kept = {model: list(watching) for model, watching in fragments._watches.items()}
    yield
    fragments._watches.clear()
    fragments._watches.update(kept)


def declare(name: str = "board.thing", **changes: Any) -> Fragment:
    """A fragment of this test's own."""
    given: dict[str, Any] = {"template": "board/_note.html", "load": lambda keys: {}, "topics": lambda thing: []}
    return Fragment(name, **{**given, **changes})


def request_of(user: Any) -> Any:
    """A request of `user` for a live page."""
    request = RequestFactory().get("/")
    request.user = user
    pages.begin(request)
    return request


def paint(source: str, user: Any, **context: Any) -> str:
    """What a page template gives."""
    return Template(source).render(Context({"request": request_of(user), **context}))


# --- The same by page, push and poll


@pytest.fixture
def things(board: Board) -> dict[str, tuple[str, str]]:
    """For each fragment of the board: a topic and a key."""
    made = Note.objects.create(board=board, text='Buy <b>milk</b> & "bread" für £3 \u2028', pinned=True)
    beat = Pulse.objects.create(board=board, value=7)
    card = Card.objects.create(board=board, title="Fridge", news="A card")
    topic = board_topic(board.pk)
    keys = {"board.note": made.pk, "board.count": board.pk, "board.pins": board.pk, "board.pulse": beat.pk}
    found = {name: (topic, str(key)) for name, key in keys.items()}
    return {**found, "board.card": (cards_topic(board.pk), str(card.pk))}


def test_this_covers_every_fragment_of_the_board(things: dict[str, Any]) -> None:
    assert set(things) == {each.name for each in fragments.declared() if each.name.startswith("board.")}


@pytest.mark.parametrize("name", ["board.note", "board.count", "board.pins", "board.pulse", "board.card"])
def test_a_fragment_is_the_same_by_page_push_and_poll(
    live: Live, things: dict[str, tuple[str, str]], alice: Any, alices: Client, name: str
) -> None:
    topic, key = things[name]
    fragment = fragments.get(name)
    assert fragment is not None
    by_page = paint("{% live name key topic %}", alice, name=name, key=key, topic=topic)
    page = live.page(alices, [topic])
    fragments.touch(fragment, [key])
    dom_id = fragment.dom_id(key)
    page.sees(VERSION.split(by_page)[1])
    polled = alices.get("/live/poll", {"c": page.of("welcome")[0]["c"], "topic": topic}).json()
    by_poll = {piece["id"]: piece["html"] for piece in polled["f"]}[dom_id]
    plain = VERSION.sub("", by_page)
    assert plain == VERSION.sub("", page.html[dom_id]) == VERSION.sub("", by_poll)
    assert f'id="{dom_id}"' in plain and f'data-live="{name}"' in plain and f'data-topic="{topic}"' in plain


def test_a_pushed_fragment_carries_its_version_inside_and_outside(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    page = live.page(alices, [topic])
    Note.objects.create(board=board, text="Milk")
    page.sees("Milk")
    for piece in page.pushes[-1]["f"]:
        assert f'data-version="{piece["v"]}"' in piece["html"]


@pytest.mark.parametrize("fragment", fragments.declared(), ids=lambda fragment: fragment.name)
def test_every_declared_fragment_loads_many_with_a_constant_number_of_queries(
    transactional_db: None, fragment: Fragment, django_assert_max_num_queries: Any
) -> None:
    """Keys that nobody has are no errors and cost no query each; what is found has keys that were asked for."""
    keys = [str(10**15 + n) for n in range(50)]
    with django_assert_max_num_queries(12):
        assert set(fragment.load(keys)) <= set(keys)


@pytest.mark.parametrize("fragment", fragments.declared(), ids=lambda fragment: fragment.name)
def test_every_declared_fragment_is_named_after_its_app(fragment: Fragment) -> None:
    app, _, noun = fragment.name.partition(".")
    assert re.fullmatch(r"[a-z_]+", app) and re.fullmatch(r"[a-z_]+", noun)
    assert re.fullmatch(rf"{app}/_\w+\.html", fragment.template)


# --- Rendering a batch


def touches(*places: tuple[str, str, str]) -> list[journal.Touch]:
    return [journal.Touch(*place) for place in places]


def in_snapshot(wanted: list[journal.Touch], audience: dict[str, set[Principal]]) -> dict[journal.Touch, Any]:
    """What a batch gives, read back from its JSON."""
    with journal.snapshot():
        done = render(wanted, audience, "5")
    return {touch: json.loads(piece) for touch, piece in done.pieces.items()}


def test_an_object_that_no_longer_belongs_is_a_removal(board: Board, alice: Any) -> None:
    elsewhere = Board.objects.create(name="Attic")
    made = Note.objects.create(board=elsewhere, text="Secret")
    wanted = touches((board_topic(board.pk), "board.note", str(made.pk)), (board_topic(board.pk), "board.note", "999"))
    found = in_snapshot(wanted, {board_topic(board.pk): {Principal("user", str(alice.pk))}})
    assert [piece["html"] for piece in found.values()] == [None, None]
    assert found[wanted[1]] == {
        "topic": board_topic(board.pk),
        "live": "board.note",
        "id": "board-note-999",
        "v": "5",
        "html": None,
    }


def test_what_nobody_may_see_is_not_rendered(board: Board, charlie: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Note.objects.create(board=board, text="Secret")
    loads: list[Any] = []
    monkeypatch.setitem(note.__dict__, "load", loads.append)
    wanted = touches((board_topic(board.pk), "board.note", str(made.pk)))
    assert in_snapshot(wanted, {board_topic(board.pk): {Principal("user", str(charlie.pk))}}) == {} and loads == []


def test_a_batch_loads_many_at_once(board: Board, alice: Any, django_assert_num_queries: Any) -> None:
    topic = board_topic(board.pk)
    wanted = touches(
        *((topic, "board.note", str(Note.objects.create(board=board, text=str(n)).pk)) for n in range(30)),
        (topic, "board.count", str(board.pk)),
    )
    audience = {topic: {Principal("user", str(alice.pk))}}
    with journal.snapshot(), django_assert_num_queries(4):  # members, notes, boards and their notes
        render(wanted, audience, "5")


def test_a_fragment_that_nobody_declares_is_left_out(board: Board, alice: Any, caplog: Any) -> None:
    """A journal row of a release that had it."""
    wanted = touches((board_topic(board.pk), "board.gone", "1"))
    assert in_snapshot(wanted, {board_topic(board.pk): {Principal("user", str(alice.pk))}}) == {}
    assert "which no app declares" in caplog.text


# --- Declarations


def test_a_fragment_is_declared_once(registry: None) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        declare("board.note")


def test_dom_ids_are_valid_and_differ(registry: None) -> None:
    made = declare("board.big_thing")
    assert made.dom_id("7") == "board-big-thing-7" and note.dom_id("7") == "board-note-7" != note.dom_id("8")


def test_order_is_written_on_the_root_and_sorts_the_list(board: Board, alice: Any) -> None:
    keys = [Note.objects.create(board=board, text=str(n)).pk for n in range(12)]
    html = paint(
        '{% live_list "board.note" keys topic label="Notes" %}', alice, keys=keys[::-1], topic=board_topic(board.pk)
    )
    orders = re.findall(r'data-order="([^"]+)"', html)
    assert len(orders) == 12 and orders == sorted(orders)
    pill = paint('{% live_list "board.note" keys topic new="pill" %}', alice, keys=keys[::-1], topic="board.1")
    assert re.findall(r'data-order="([^"]+)"', pill) == orders[::-1] and 'data-new="pill"' in pill


def test_a_list_says_what_it_is(board: Board, alice: Any) -> None:
    html = paint('{% live_list "board.note" keys topic label="Notes" class="a b" %}', alice, keys=[], topic="board.1")
    assert html.startswith('<ul id="board-note-list" data-live-list="board.note" data-topic="board.1"')
    assert 'aria-label="Notes"' in html and 'class="a b"' in html and html.endswith("></ul>")


def test_what_is_not_there_keeps_its_place(alice: Any) -> None:
    painted = paint('{% live "board.note" 99 "board.1" %}', alice)
    assert 'id="board-note-99"' in painted and 'data-topic="board.1"' in painted and "data-version=" in painted
    assert painted.endswith("data-live-absent hidden></div>")


def test_a_page_without_a_cursor_may_hold_nothing_live(alice: Any) -> None:
    request = RequestFactory().get("/")
    request.user = alice
    with pytest.raises(TemplateSyntaxError, match="decorate its view with @live_page"):
        Template('{% live "board.note" 1 "board.1" %}').render(Context({"request": request}))


def test_an_unknown_fragment_is_an_error_of_the_template(alice: Any) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"No app declares the fragment board\.nothing"):
        paint('{% live "board.nothing" 1 "board.1" %}', alice)


def test_site_wide_fragments_stand_on_every_page_of_those_who_have_them(
    registry: None, board: Board, alice: Any, charlie: Any
) -> None:
    whose = declare(
        "board.mine",
        template="board/_note.html",
        load=lambda keys: {key: Note(pk=int(key), text=f"of {key}") for key in keys},
    )
    site_wide(whose, key=lambda user: str(user.pk) if user.pk == alice.pk else None, topic=lambda u: user_topic(u.pk))
    hers = paint("{% live_site %}", alice)
    assert f'data-topic="{user_topic(alice.pk)}"' in hers and 'data-live="board.mine"' in hers
    assert "board.mine" not in paint("{% live_site %}", charlie)


def test_strangers_have_no_site_wide_fragments_and_no_live_head() -> None:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    context = Context({"request": request})
    assert Template("{% live_site %}{% live_head %}").render(context) == ""
    assert fragments.site_wide_for(AnonymousUser()) == []


def test_the_live_head_tells_the_page_where_it_stands(alice: Any, settings: Any) -> None:
    html = paint("{% live_head %}", alice)
    found = dict(re.findall(r'data-([a-z-]+)="([^"]*)"', html))
    assert journal.parse_cursor(found["cursor"]) and found["transport"] == "socket"
    assert found["socket"] == "/live/socket" and found["poll"] == "/live/poll" and found["poll-every"] == "10"
    assert found["heartbeat"] == "25" and "link" not in found


def test_a_live_page_is_not_cached_and_paints_through_its_fragments(board: Board, alices: Client) -> None:
    Note.objects.create(board=board, text="Milk")
    response = alices.get(f"/board/{board.pk}/")
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    body = response.content.decode()
    assert 'data-live="board.note"' in body and "Milk" in body and 'name="live"' in body
    assert 'data-poll-every="3"' in body


# --- Checks


def test_the_site_passes_its_own_checks() -> None:
    assert [each for each in checks.run_checks() if each.id and each.id.startswith("realtime.")] == []


def test_a_watched_model_must_be_live(registry: None) -> None:
    from django.contrib.sessions.models import Session

    declare("board.sessions", watches=[watch(Session)])
    assert [each.id for each in watched_models_are_live()] == ["realtime.E001"]


def test_a_live_model_keeps_a_manager_that_refuses(registry: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(Note._meta.managers[0]), "get_queryset", lambda self: models.QuerySet(Note))
    assert "realtime.E002" in [each.id for each in watched_models_are_live()]


def test_a_missing_template_is_found_at_the_start(registry: None) -> None:
    declare("board.lost", template="board/_lost.html")
    assert [each.id for each in templates_exist()] == ["realtime.E003"]


def test_a_view_that_has_loaded_a_thing_already_paints_it_without_a_query(
    board: Board, alice: Any, django_assert_num_queries: Any
) -> None:
    made = Note.objects.create(board=board, text="Milk")
    topic = board_topic(board.pk)
    loaded = note.load([str(made.pk)])
    plain = paint('{% live "board.note" key topic %}', alice, key=made.pk, topic=topic)
    with django_assert_num_queries(1):  # the cursor's
        given = paint('{% live "board.note" key topic thing %}', alice, key=made.pk, topic=topic, thing=made)
    with django_assert_num_queries(1):
        listed = paint('{% live_list "board.note" notes topic %}', alice, notes=loaded, topic=topic)
    given, plain, listed = (VERSION.sub("", html) for html in (given, plain, listed))
    assert given == plain and given in listed


def test_a_row_as_it_was_keeps_the_relations_that_stay(board: Board, django_assert_num_queries: Any) -> None:
    """Whoever loses it is found by the old one; what did not change is not read again."""
    garden = Board.objects.create(name="Garden")
    made = Note.objects.select_related("board").get(pk=Note.objects.create(board=board, text="Rake").pk)
    with django_assert_num_queries(0):
        assert fragments.as_it_was(made, {"text": "Spade"}).board.name == "Kitchen"
    remembered = {"board_id": board.pk}
    made.board = garden
    with django_assert_num_queries(1):
        assert fragments.as_it_was(made, remembered).board == board
    assert made.board == garden


def test_rows_that_change_together_are_made_ready_together(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would cost a query a row is asked once, before any of them is asked what it touches."""
    seen: list[list[str]] = []
    monkeypatch.setattr(fragments, "_readiers", defaultdict(list))
    fragments.before_touches([Note], lambda rows: seen.append([row.text for row in rows]))
    rake, spade = (Note.objects.create(board=board, text=text) for text in ("Rake", "Spade"))
    seen.clear()
    journal.write_touches([(None, rake), (spade, spade), (board, None)])
    assert seen == [["Rake", "Spade", "Spade"]]


def test_who_refers_to_a_row_is_not_asked_when_it_is_made_and_once_when_it_changes(
    registry: None, board: Board
) -> None:
    """What it remembers has it asked twice: who loses the row is told too. A row that goes is asked as well."""
    asked: list[str] = []

    def ask(row: Note) -> list[tuple[str, str]]:
        asked.append(row.text)
        return []

    note = Note.objects.create(board=board, text="Rake")
    plain = watch(Note, fields=("text",), touches=ask, referring=True)
    by_id = fragments.Watching(declare(), plain)
    by_board = fragments.Watching(declare("board.other"), replace(plain, remember=("board_id",)))
    spade, moved = copy.copy(note), copy.copy(note)
    spade.text = moved.text = "Spade"
    moved.board_id = 0
    cases: list[tuple[fragments.Watching, tuple[Note | None, Note | None], list[str]]] = [
        (by_id, (None, note), []),
        (by_id, (note, note), []),
        (by_id, (note, spade), ["Spade"]),
        (by_id, (note, moved), ["Spade"]),
        (by_board, (note, moved), ["Rake", "Spade"]),
        (by_id, (note, None), ["Rake"]),
    ]
    for watching, rows, expected in cases:
        asked.clear()
        watching.touched(*rows)
        assert sorted(asked) == expected
