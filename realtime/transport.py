"""Which way a page hears: over its socket, or by asking. Switches decide it, and may be turned while pages are open.

A switch is a word. An app says which topics need which one (`needs`), and one app answers for whom a switch is off
(`decided_by`): so a page is told by what it follows, and declares nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from realtime import topics
from realtime.journal import ORDER, ORDERS_TOPIC, Touch, write
from realtime.topics import Principal

SOCKETS = "live_sockets"  # what every page needs
TURNED = "transport"

# Of some people (with their user where it is at hand already) the switches that are off for each.
Rule = Callable[[Mapping[Principal, Any]], Mapping[Principal, Collection[str]]]


def _nothing_is_off(people: Mapping[Principal, Any]) -> Mapping[Principal, Collection[str]]:
    return {}


def _nothing_to_forget() -> None:
    """Without a rule nothing is remembered."""


_rule: Rule = _nothing_is_off
_forget: Callable[[], None] = _nothing_to_forget
_needs: list[tuple[str, str]] = []


def decided_by(rule: Rule, forget: Callable[[], None]) -> None:
    """Have `rule` say which switches are off for whom; `forget()` is called when one was turned somewhere."""
    global _rule, _forget
    _rule, _forget = rule, forget


def needs(switch: str, *patterns: str) -> None:
    """Have pages that follow a topic of these patterns need `switch`; one that ends with a dot stands for all below."""
    _needs.extend((pattern, switch) for pattern in patterns)
    switches_of_topic.cache_clear()


@lru_cache(maxsize=20_000)
def switches_of_topic(name: str) -> frozenset[str]:
    """What a page needs that follows the topic `name`."""
    found = topics.resolve(name)
    if found is None:
        return frozenset()
    pattern = found[0].pattern
    return frozenset(
        switch for start, switch in _needs if pattern == start or (start.endswith(".") and pattern.startswith(start))
    )


def switches_of(names: Iterable[str]) -> frozenset[str]:
    """What a page needs that follows these topics."""
    return frozenset({SOCKETS}).union(*(switches_of_topic(name) for name in names))


def off_for(people: Mapping[Principal, Any]) -> Mapping[Principal, Collection[str]]:
    """The switches that are off for each of `people`; whoever is missing has all on."""
    if settings.LIVE["TRANSPORT"] == "poll":
        return dict.fromkeys(people, (SOCKETS,))
    return _rule(people)


def forget() -> None:
    """What is remembered of switches is no longer true."""
    _forget()


def off_for_now(people: Mapping[Principal, Any]) -> Mapping[Principal, Collection[str]]:
    """As `off_for`, in a thread of its own and with nothing remembered."""
    close_old_connections()
    try:
        _forget()
        return off_for(people)
    finally:
        close_old_connections()


def asks(principal: Principal, names: Iterable[str], user: Any = None) -> bool:
    """Whether a page of `principal` that follows `names` is to ask, and to have no socket."""
    return not switches_of(names).isdisjoint(off_for({principal: user}).get(principal, ()))


def turned(switch: str) -> None:
    """A switch was turned: when the running transaction commits, every process looks again at its pages."""
    write([Touch(ORDERS_TOPIC, ORDER, f"{TURNED}.{switch}")])
