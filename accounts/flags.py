"""Flags: parts of the site that can be switched off for everybody, or on for some, while it runs.

Of a share of people always the same ones: a person's place is fixed by the flag's name and their id, so raising the
share only adds people, and two flags of 10 % are not the same tenth. What `FLAGS` in the environment says wins.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings

from accounts.models import Flag, Role, User
from realtime import transport
from realtime.topics import Principal

BUCKETS = 10_000
KNOWN_FOR = 1.0  # seconds that a process believes what it read


@dataclass(frozen=True)
class Switch:
    """A flag that the site itself asks for. `roles`: whom it concerns, everybody when empty."""

    name: str
    label: str
    off: str  # what happens while it is off
    default: bool = True
    roles: tuple[str, ...] = ()


SWITCHES = {
    switch.name: switch
    for switch in (
        Switch(transport.SOCKETS, "Live sockets", "Every page asks every few seconds instead of being told at once."),
        Switch("live_desk", "The desk live", "The desk's pages ask every few seconds instead of being told at once."),
        Switch(
            "live_positions",
            "Driver positions live",
            "The fleet's map and the pages that follow a journey ask every few seconds.",
        ),
        Switch(
            "live_driver_messages",
            "Driver messages live",
            "Open conversations of drivers ask every few seconds; their main screen stays live.",
            roles=(Role.DRIVER,),
        ),
    )
}


@dataclass(frozen=True)
class State:
    """What the table says of one flag."""

    everyone: bool | None
    percent: Decimal
    roles: frozenset[str]
    users: frozenset[int]
    groups: frozenset[int]
    authenticated: bool
    staff: bool
    superusers: bool

    @property
    def asks_who(self) -> bool:
        """Whether the answer needs more of a person than their id."""
        return self.everyone is None and bool(self.roles or self.groups or self.staff or self.superusers)


class Answer(NamedTuple):
    """Whether a flag is on for somebody, and why, as a clause: `because ...`."""

    is_on: bool
    why: str


def is_on(name: str, user: Any = None) -> bool:
    """Whether the flag `name` is on for `user` (None or signed out: for nobody in particular).

    A flag that nobody has made stands at its default, which is on.
    """
    return explained(name, user).is_on


def explained(name: str, user: Any = None) -> Answer:
    """The same, with the reason."""
    who = str(user.pk) if user is not None and user.is_authenticated else ""
    return answer(name, who, user if who else None)


def answer(name: str, who: str, user: Any = None) -> Answer:
    """The same for anybody who has a name of their own: a user's id, or a share link's token."""
    switch, state = SWITCHES.get(name), states().get(name)
    if name in settings.FLAGS:
        return Answer(settings.FLAGS[name], "the environment says so")
    if switch is not None and switch.roles and (user is None or user.role not in switch.roles):
        return Answer(True, "it does not concern them")
    if state is None:
        return Answer(switch.default if switch else True, "nobody has changed it")
    if state.everyone is not None:
        return Answer(state.everyone, f"it is {'on' if state.everyone else 'off'} for everybody")
    return _of_some(name, state, who, user)


def _of_some(name: str, state: State, who: str, user: Any) -> Answer:
    if user is not None:
        if user.pk in state.users:
            return Answer(True, "they are named")
        if user.role in state.roles:
            return Answer(True, f"it is on for every {user.get_role_display().lower()}")
        if _is_of_a_kind(state, user):
            return Answer(True, "it is on for people like them")
    if who and bucket(name, who) < state.percent * 100:
        return Answer(True, f"they are among the {state.percent:g} %")
    return Answer(False, f"they are not among the {state.percent:g} %" if state.percent else "it is on for others only")


def _is_of_a_kind(state: State, user: Any) -> bool:
    kinds = (state.authenticated, state.staff and user.is_staff, state.superusers and user.is_superuser)
    return any(kinds) or bool(state.groups and state.groups.intersection(user.groups.values_list("pk", flat=True)))


def bucket(name: str, who: str) -> int:
    """Where somebody stands of 10,000, the same for ever: SHA-256 of the flag's name and their id."""
    return int.from_bytes(hashlib.sha256(f"{name}:{who}".encode()).digest()) % BUCKETS


# --- What the table says, remembered for a second ---------------------------------------------------

_read: tuple[float, Mapping[str, State]] | None = None


def states() -> Mapping[str, State]:
    """Every flag of the table, by name; at most three queries a second in a process."""
    global _read
    if _read is None or time.monotonic() >= _read[0]:
        remember(read())
    return _read[1] if _read else {}


def read() -> dict[str, State]:
    """What the table says now."""
    return {flag.name: state_of(flag) for flag in Flag.objects.prefetch_related("users", "groups")}


def state_of(flag: Flag) -> State:
    """What one row says; the people it names are read."""
    return State(
        everyone=flag.everyone,
        percent=flag.percent or Decimal(0),
        roles=frozenset(flag.roles),
        users=frozenset(user.pk for user in flag.users.all()),
        groups=frozenset(group.pk for group in flag.groups.all()),
        authenticated=flag.authenticated,
        staff=flag.staff,
        superusers=flag.superusers,
    )


def remember(found: Mapping[str, State], seconds: float = KNOWN_FOR) -> None:
    """Believe this for so many seconds."""
    global _read
    _read = (time.monotonic() + seconds, found)


def forget() -> None:
    """Read again at the next question: a flag was turned."""
    global _read
    _read = None


# --- For the live mechanism -------------------------------------------------------------------------


def off_for(people: Mapping[Principal, Any]) -> dict[Principal, set[str]]:
    """The switches that are off for each of `people`: no query but what `states` costs, unless one of them needs to
    know more of a person than their id; one then, for all who did not come with their user.
    """
    names = [name for name in SWITCHES if may_be_off(name)]
    if not names:
        return {}
    users = {who: user for who, user in people.items() if user is not None}
    if any(asks_who(name) for name in names):
        users |= read_users(who for who in people if who.kind == "user" and who not in users)
    off = {who: {name for name in names if not answer(name, who.id, users.get(who)).is_on} for who in people}
    return {who: switches for who, switches in off.items() if switches}


def may_be_off(name: str) -> bool:
    """Whether it can be off for anybody."""
    if name in settings.FLAGS:
        return not settings.FLAGS[name]
    state = states().get(name)
    return not SWITCHES[name].default if state is None else state.everyone is not True


def asks_who(name: str) -> bool:
    """Whether more than somebody's id decides."""
    state = states().get(name)
    return bool(SWITCHES[name].roles) or (state is not None and (state.asks_who or bool(state.users)))


def read_users(principals: Iterable[Principal]) -> dict[Principal, User]:
    """The users behind principals; one query."""
    ids = [who.user_id for who in principals]
    found = User.objects.filter(pk__in=ids).prefetch_related("groups") if ids else ()
    return {Principal("user", str(user.pk)): user for user in found}
