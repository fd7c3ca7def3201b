"""Fragments: the pieces of a page that follow the truth by themselves.

An app declares each fragment once, in its `live.py`. The page's first paint, the push and the poll all
render it through that declaration, so they cannot differ.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

Touches = Callable[[Any], Iterable[tuple[str, str]]]

_fragments: dict[str, Fragment] = {}
_watches: dict[type[models.Model], list[Watching]] = defaultdict(list)
_site_wide: list[SiteWide] = []


@dataclass(frozen=True)
class Watch:
    """Which rows touch a fragment. See `watch`."""

    model: type[models.Model]
    remember: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    touches: Touches | None = None
    referring: bool = False


def watch(
    model: type[models.Model],
    *,
    remember: Sequence[str] = (),
    fields: Sequence[str] = (),
    touches: Touches | None = None,
    referring: bool = False,
) -> Watch:
    """Say that a change of a `model` row touches the fragment.

    `touches(row)` yields (topic, key) pairs; it is called for the row as it was and as it is, so that
    whoever loses an object is told too. `remember` names the columns that decide it (they are remembered
    at load; a foreign key by its `_id` name). `fields` limits it to changes of those columns. Without
    `touches`, the key is the row's primary key and the topics are the fragment's own.

    `referring` says that `touches` asks for rows that refer to this one, by its id and what is remembered alone. When
    it is made there are none, so nothing is asked; when it changes they are the same as before, so once is enough.
    """
    return Watch(model, tuple(remember), tuple(fields), touches, referring)


class Live(NamedTuple):
    """What `{% live_root %}` writes on a fragment's root element."""

    id: str
    name: str
    topic: str
    version: str
    order: str


@dataclass(frozen=True, eq=False)
class Fragment:
    """One kind of live piece, named `<app>.<noun>`.

    `load(keys)` returns a mapping of key to object with a constant number of queries; a key that is
    missing is gone. `topics(object)` says where the object belongs now: on any other topic it is removed.
    The template's context holds the object under the noun, and `live` for `{% live_root %}`.
    `order(object)` is compared as text to place an item in a live list. `latest` keeps one journal row per
    topic and key, overwritten: for what changes often and matters only as it is now.
    """

    name: str
    template: str
    load: Callable[[Sequence[str]], Mapping[str, Any]]
    topics: Callable[[Any], Iterable[str]]
    watches: Sequence[Watch] = ()
    order: Callable[[Any], str] | None = None
    latest: bool = False
    noun: str = field(init=False)

    def __post_init__(self) -> None:
        if self.name in _fragments:
            raise ValueError(f"The fragment {self.name} is declared twice.")
        object.__setattr__(self, "noun", self.name.rpartition(".")[2])
        _fragments[self.name] = self
        also_watch(self, self.watches)

    def dom_id(self, key: str) -> str:
        """The id of the fragment's root element for one object."""
        return f"{self.name.replace('.', '-').replace('_', '-')}-{key}"

    def order_of(self, thing: Any) -> str:
        """Where the object stands in a live list, as text; empty without an order."""
        return self.order(thing) if self.order else ""

    def render(self, key: str, thing: Any, topic: str, version: str) -> SafeString:
        """The fragment's HTML for one loaded object on one topic."""
        live = Live(self.dom_id(key), self.name, topic, version, self.order_of(thing))
        return mark_safe(get_template(self.template).render({self.noun: thing, "live": live}))  # noqa: S308 (a template)

    def places(self, row: models.Model, each: Watch) -> set[tuple[str, str]]:
        """The (topic, key) pairs that `row` touches."""
        if each.touches is not None:
            return {(topic, str(key)) for topic, key in each.touches(row)}
        return {(topic, str(row.pk)) for topic in self.topics(row)}


def also_watch(fragment: Fragment, watches: Iterable[Watch]) -> None:
    """Have changes of further models touch `fragment`: for an app above that lays something over it (see `slots`,
    the banner). Call it in that app's `live.py`, before anything is saved.
    """
    for each in watches:
        _watches[each.model].append(Watching(fragment, each))
        _columns.pop(each.model, None)


Readier = Callable[[list[Any]], None]
_readiers: dict[type[models.Model], list[Readier]] = defaultdict(list)


def before_touches(kinds: Iterable[type[models.Model]], ready: Readier) -> None:
    """Have `ready(rows)` called with all rows of these models that change together, before what they touch is asked of
    each: for what would cost `touches` a query a row. It keeps what it finds with the rows.
    """
    for model in kinds:
        _readiers[model].append(ready)


def make_ready(rows: Iterable[models.Model]) -> None:
    """Call those of `before_touches`, each once."""
    waiting: dict[Readier, list[models.Model]] = defaultdict(list)
    for row in rows:
        for ready in _readiers.get(type(row), ()):
            waiting[ready].append(row)
    for ready, theirs in waiting.items():
        ready(theirs)


def same(rows: Sequence[models.Model], columns: Iterable[str]) -> bool:
    """Whether two rows agree in `columns`."""
    return all(rows[0].__dict__.get(name) == rows[1].__dict__.get(name) for name in columns)


class Watching(NamedTuple):
    """A fragment and one of its watches, kept by model."""

    fragment: Fragment
    watch: Watch

    def touched(self, before: models.Model | None, after: models.Model | None) -> set[tuple[str, str]]:
        """The (topic, key) pairs that a change from `before` to `after` (None: made, deleted) touches."""
        if before is None and self.watch.referring:
            return set()
        rows = [row for row in (before, after) if row is not None]
        if len(rows) == 2:
            if self.watch.fields and same(rows, self.watch.fields):
                return set()
            decide = self.watch.remember if self.watch.referring else (*self.watch.remember, *self.watch.fields)
            if same(rows, decide):
                rows = rows[1:]  # what decides did not change: the row as it was touches the same, at the same cost
        return set().union(*(self.fragment.places(row, self.watch) for row in rows))


class SiteWide(NamedTuple):
    """A fragment that stands on every page of a signed-in user. See `site_wide`."""

    fragment: Fragment
    key: Callable[[Any], str | None]
    topic: Callable[[Any], str]
    place: str
    thing: Callable[[Any], Any] | None


def site_wide(
    fragment: Fragment,
    *,
    key: Callable[[Any], str | None],
    topic: Callable[[Any], str],
    place: str = "top",
    thing: Callable[[Any], Any] | None = None,
) -> None:
    """Put `fragment` on every page, where its base template has `{% live_site place %}`.

    `key(user)` names its object, or None for those who have none. `thing(user)` is what the fragment's `load` would
    give for that key, where the user in hand spares it a query.
    """
    _site_wide.append(SiteWide(fragment, key, topic, place, thing))


def site_wide_for(user: Any, place: str = "top") -> list[tuple[Fragment, str, str, Any]]:
    """The site-wide fragments of `user` at `place` as (fragment, key, topic, object or None: to be loaded)."""
    if isinstance(user, AnonymousUser):
        return []
    keyed = [(each, each.key(user)) for each in _site_wide if each.place == place]
    return [
        (each.fragment, key, each.topic(user), each.thing(user) if each.thing else None)
        for each, key in keyed
        if key is not None
    ]


def get(name: str) -> Fragment | None:
    """The fragment declared as `name`."""
    return _fragments.get(name)


def declared() -> list[Fragment]:
    """Every declared fragment."""
    return list(_fragments.values())


def watched_models() -> list[type[models.Model]]:
    """Every model whose changes touch a fragment."""
    return list(_watches)


def watchings(model: type[models.Model]) -> list[Watching]:
    """What watches `model`."""
    return _watches.get(model, [])


_columns: dict[type[models.Model], tuple[str, ...]] = {}


def deciding_columns(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of `model` that some watch wants remembered from load to save."""
    if model not in _columns:
        wanted = [name for each in watchings(model) for name in (*each.watch.remember, *each.watch.fields)]
        _columns[model] = tuple(dict.fromkeys(wanted))
    return _columns[model]


def as_it_was(row: models.Model, remembered: Mapping[str, Any]) -> models.Model:
    """A copy of `row` with the remembered columns put back and no cached relations of the new values."""
    before = copy.copy(row)
    before._state = copy.copy(row._state)
    before.__dict__.update(remembered)
    # Those of both stay: to read them again would cost a query a row.
    columns = {field.name: field.attname for field in row._meta.concrete_fields if field.is_relation}
    before._state.fields_cache = {
        name: related
        for name, related in row._state.fields_cache.items()
        if name in columns and same((row, before), (columns[name],))
    }
    return before


def touch(fragment: Fragment, keys: Iterable[str | int], *, topics: Iterable[str] = ()) -> None:
    """Have every page look again at `fragment` for `keys`: for what became true by time alone.

    `topics` names where the objects may stand although they no longer belong there.
    """
    from realtime import journal

    wanted = [str(key) for key in keys]
    found = fragment.load(wanted)
    places = {(topic, key) for key, thing in found.items() for topic in fragment.topics(thing)}
    places |= {(topic, key) for topic in topics for key in wanted}
    journal.write([journal.Touch(topic, fragment.name, key) for topic, key in sorted(places)], latest=fragment.latest)


def touch_on(topic: str, fragment: Fragment, keys: Iterable[str | int]) -> None:
    """As `touch`, where it is known on which one topic the objects stand: nothing is loaded to find out."""
    from realtime import journal

    journal.write([journal.Touch(topic, fragment.name, str(key)) for key in keys], latest=fragment.latest)
