"""Topics: who hears of a change.

A topic is a name such as `booking.7.customer`; its kind, declared once in an app's `live.py`, says who
belongs. Membership is asked when a page follows a topic and again whenever something is about to be
delivered on it, so losing access takes effect on an open socket.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from django.db import close_old_connections

Params = tuple[int | str, ...]
UsersRule = Callable[..., set[int]]
TogetherRule = Callable[[set[int], Sequence[Params]], Iterable[tuple[Params, int]]]
LinksRule = Callable[..., set[str]]

_kinds: dict[str, Topic] = {}


class Principal(NamedTuple):
    """A follower: a signed-in user (`user`, id) or the bearer of a share link (`link`, token)."""

    kind: str
    id: str

    @property
    def user_id(self) -> int | None:
        """The user's id, or None for a share link."""
        return int(self.id) if self.kind == "user" else None


class Topic:
    """A kind of topic.

    `pattern` has parts separated by dots; `{name}` stands for a whole number, `{name:str}` for letters,
    digits, `-` and `_` (a group name of the channel layer allows no more). `users(user_ids, *params)`
    returns those of `user_ids` that belong now, with at most one query; `links(tokens, *params)` does the
    same for share links. Without a rule nobody of that kind belongs. `together(user_ids, params of each topic)`
    gives the (params, user id) pairs that belong, of many topics at once and with one query: for kinds of which
    hundreds change in the same moment. `keeps_signals`: polls look for kept
    signals on it, which costs them a query. `pace`: seconds between two frames on one topic from one process,
    for what changes more often than anybody can look; what comes in between goes into the next frame. A
    function, where a setting says it.
    """

    def __init__(
        self,
        pattern: str,
        *,
        users: UsersRule | None = None,
        links: LinksRule | None = None,
        together: TogetherRule | None = None,
        keeps_signals: bool = False,
        pace: float | Callable[[], float] = 0.0,
    ) -> None:
        if pattern in _kinds:
            raise ValueError(f"The topic {pattern} is declared twice.")
        self.pattern = pattern
        self.keeps_signals = keeps_signals
        self._users, self._links, self._together, self._pace = users, links, together, pace
        self._casts: list[type[int] | type[str]] = []
        self._regex = re.compile(re.sub(r"\\\{(\w+)(:str)?\\\}", self._part, re.escape(pattern)), re.ASCII)
        self._format = re.sub(r"\{(\w+)(:str)?\}", "{}", pattern)
        _kinds[pattern] = self
        resolve.cache_clear()

    def _part(self, match: re.Match[str]) -> str:
        self._casts.append(str if match[2] else int)
        return r"([A-Za-z0-9_-]{1,64})" if match[2] else r"(0|[1-9]\d{0,17})"

    @property
    def pace(self) -> float:
        """Seconds between two frames on one topic of this kind; 0 where each change goes out at once."""
        return self._pace() if callable(self._pace) else self._pace

    def __call__(self, *params: int | str) -> str:
        """The name of one topic of this kind; `params` in the pattern's order."""
        if len(params) != len(self._casts):
            raise TypeError(f"{self.pattern} takes {len(self._casts)} parameters, {len(params)} given.")
        return self._format.format(*params)

    def params_of(self, name: str) -> Params | None:
        """The parameters in `name`, or None where it is no topic of this kind."""
        match = self._regex.fullmatch(name)
        return tuple(cast(part) for cast, part in zip(self._casts, match.groups(), strict=True)) if match else None

    def members(self, principals: set[Principal], params: Params) -> set[Principal]:
        """Those of `principals` that belong to this topic now: one query a kind of principal at most."""
        users = {int(p.id) for p in principals if p.kind == "user"}
        links = {p.id for p in principals if p.kind == "link"}
        found: set[Principal] = set()
        if users and self._users:
            found |= {Principal("user", str(pk)) for pk in self._users(users, *params)}
        if links and self._links:
            found |= {Principal("link", token) for token in self._links(links, *params)}
        return found & principals

    def members_of_each(self, wanted: Mapping[Params, set[Principal]]) -> dict[Params, set[Principal]]:
        """As `members`, of many topics: one query for the users of all where the kind can say it together."""
        if self._together is None or len(wanted) == 1:
            return {params: self.members(principals, params) for params, principals in wanted.items()}
        users = {int(each.id) for principals in wanted.values() for each in principals if each.kind == "user"}
        pairs = set(self._together(users, list(wanted))) if users else set()
        found = {}
        for params, principals in wanted.items():
            links = {each for each in principals if each.kind == "link"}
            mine = {each for each in principals - links if (params, int(each.id)) in pairs}
            found[params] = mine | self.members(links, params) if links else mine
        return found


@lru_cache(maxsize=20_000)
def resolve(name: str) -> tuple[Topic, Params] | None:
    """The kind of topic `name` is and its parameters, or None where no app declares it."""
    for kind in _kinds.values():
        params = kind.params_of(name)
        if params is not None:
            return kind, params
    return None


def members(name: str, principals: set[Principal]) -> set[Principal]:
    """Those of `principals` that may hear of the topic `name` now; nobody for an unknown one."""
    found = resolve(name)
    return found[0].members(principals, found[1]) if found and principals else set()


def kinds_of(names: Iterable[str]) -> dict[Topic, dict[Params, str]]:
    """The names of declared topics by their kind and parameters."""
    found: dict[Topic, dict[Params, str]] = defaultdict(dict)
    for name in names:
        known = resolve(name)
        if known is not None:
            found[known[0]][known[1]] = name
    return found


def members_now(name: str, principals: set[Principal]) -> set[Principal]:
    """As `members`, in a thread of its own and with a connection of its own."""
    close_old_connections()
    try:
        return members(name, principals)
    finally:
        close_old_connections()


def kinds() -> list[Topic]:
    """Every declared kind of topic."""
    return list(_kinds.values())


# The one topic everybody has: their own. A deactivated account loses its sockets, so no query is needed.
user_topic = Topic("user.{user_id}", users=lambda user_ids, user_id: user_ids & {user_id})
