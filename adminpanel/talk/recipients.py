"""To whom the desk writes: people found by name, whole roles, and how many that makes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from accounts.models import Role, User
from adminpanel.fleet.drivers import at_work

WHOLE = {
    Role.CUSTOMER: "All customers",
    Role.TECHNICIAN: "All technicians",
    Role.DRIVER: "All drivers",
}
ON_DUTY = "on_duty"  # the drivers who work just now, those on a break too
MOST_FOUND = 12
MOST_CHOSEN = 200
LONGEST = 100  # characters of a search


def reachable() -> QuerySet[User]:
    """Everybody the desk can write to: active, and not of the desk."""
    found: QuerySet[User] = User.objects.filter(is_active=True, role__in=list(WHOLE))
    return found.order_by("name", "pk")


def called(search: str) -> Q:
    """Whether each word of `search` is in a name or an e-mail address."""
    wanted = Q()
    for word in search.split():
        wanted &= Q(name__icontains=word) | Q(email__icontains=word)
    return wanted


def numbers(values: Iterable[str]) -> list[int]:
    """Those of `values` that can be ids."""
    return [int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 18]


def uuid_of(value: str) -> UUID | None:
    """The id that the browser made, or None where there is none."""
    try:
        return UUID(value)
    except (ValueError, ValidationError):
        return None


class Recipients:
    """What a form or an address says about them: `to` (ids), `roles`, and `q`, a search for more people."""

    def __init__(self, asked: QueryDict) -> None:
        wanted = asked.getlist("roles")
        self.roles = [role for role in WHOLE if role in wanted]
        self.to_on_duty = ON_DUTY in wanted
        self.search = asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self._wanted = numbers(asked.getlist("to"))[:MOST_CHOSEN]

    @cached_property
    def chosen(self) -> list[User]:
        """Those who were picked one by one."""
        return list(reachable().filter(pk__in=self._wanted)) if self._wanted else []

    @cached_property
    def found(self) -> list[User]:
        """What the search brought, without those who were picked before."""
        if not self.search:
            return []
        return list(reachable().filter(called(self.search)).exclude(pk__in=self._wanted)[: MOST_FOUND + 1])

    @property
    def shown(self) -> list[User]:
        """As much of it as is shown."""
        return self.found[:MOST_FOUND]

    @property
    def has_more(self) -> bool:
        """Whether the search should be narrowed."""
        return len(self.found) > MOST_FOUND

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many people of each role there are; one query."""
        counted = reachable().order_by().values_list("role").annotate(number=Count("pk"))
        return dict(counted)

    @cached_property
    def number_on_duty(self) -> int:
        """How many drivers are in a shift; one query."""
        return reachable().filter(at_work(), role=Role.DRIVER).count()

    @property
    def groups(self) -> list[tuple[str, str, int, bool]]:
        """Every group as (value, words, number of people, whether it is chosen)."""
        whole = [(str(role), words, self.sizes.get(role, 0), role in self.roles) for role, words in WHOLE.items()]
        return [*whole, (ON_DUTY, "Drivers on duty", self.number_on_duty, self.to_on_duty)]

    @cached_property
    def count(self) -> int:
        """How many people it goes to, each counted once."""
        return self.people().count() if self.roles or self.to_on_duty else len(self.chosen)

    @property
    def are_several(self) -> bool:
        """Whether it is a broadcast."""
        return self.count > 1

    def people(self) -> QuerySet[User]:
        """All of them."""
        wanted = Q(pk__in=self._wanted) | Q(role__in=self.roles)
        return reachable().filter(wanted | Q(at_work(), role=Role.DRIVER) if self.to_on_duty else wanted)

    @property
    def sentence(self) -> str:
        """To whom it goes, in words."""
        if not self.count:
            groups = self.roles or self.to_on_duty
            return "There is nobody in that group just now." if groups else "Nobody is chosen yet."
        if not self.are_several:
            return f"This goes to {self.people().get()}, in their conversation with the desk."
        return f"This goes to {self.count} people, each of whom can answer the desk for themselves."
