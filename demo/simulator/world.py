"""What the simulator knows at one step, and how it decides that somebody would act by now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import NAMESPACE_URL, uuid5

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.functional import cached_property

from accounts.models import Role, Technician, User
from common.refusals import Refusal
from demo.drivers import BENCH
from demo.models import Switches, switches
from demo.people import simulated
from demo.simulator.vehicles import Fleet
from realtime.models import Presence

log = logging.getLogger(__name__)
REST_AFTER = timedelta(minutes=10)
SIMULATOR = uuid5(NAMESPACE_URL, "callout demo simulator")  # as a process that has pages open: those of its drivers
SITS = timedelta(minutes=2)  # since a page of theirs was last heard of


@dataclass
class World:
    """One look at the database at `now`.

    Nothing is planned ahead: whether an act is due follows from the row that caused it and from a delay drawn
    for that act by the seed. A simulator that is stopped and started again goes on where it was.
    """

    now: datetime
    seed: int
    given_up: set[str] = field(default_factory=set)
    fleet: Fleet = field(default_factory=Fleet)

    def chance(self, *act: object) -> Random:
        """The dice of one act: always the same for the same act and seed."""
        return Random(f"{self.seed} {' '.join(map(str, act))}")  # noqa: S311 (a play, no secret)

    def due(self, since: datetime | None, least: float, most: float, *act: object) -> bool:
        """Whether between `least` and `most` seconds since `since`, as drawn for `act`, have passed."""
        if since is None:
            return False
        return since + timedelta(seconds=self.chance("when", *act).uniform(least, most)) <= self.now

    def attempt(self, act: Callable[[], object], *name: object) -> bool:
        """Do `act` unless it was refused before. A refusal is ordinary: somebody else was faster, or it is no longer
        theirs."""
        key = " ".join(map(str, name))
        if key in self.given_up:
            return False
        try:
            act()
        except (Refusal, PermissionDenied, Http404) as refusal:
            log.debug("simulator: %s was refused: %s", key, refusal)
            self.given_up.add(key)
            return False
        return True

    def gave_up(self, *name: object) -> bool:
        """Whether that act was refused."""
        return " ".join(map(str, name)) in self.given_up

    @cached_property
    def customers(self) -> dict[int, User]:
        """The simulated customers by id."""
        return simulated(Role.CUSTOMER)

    @cached_property
    def technicians(self) -> dict[int, Technician]:
        """The simulated technicians by id, with their skills; two queries."""
        users = simulated(Role.TECHNICIAN)
        rows = Technician.objects.filter(pk__in=users, verified_at__isnull=False).prefetch_related("skills")
        found = {row.pk: row for row in rows}
        for row in found.values():
            row.user = users[row.pk]
        return found

    @cached_property
    def drivers(self) -> dict[int, User]:
        """The simulated drivers by id, in the order in which they come to work."""
        users = {user.email: user for user in simulated(Role.DRIVER).values()}
        return {users[person.email].pk: users[person.email] for person in BENCH if person.email in users}

    @cached_property
    def switches(self) -> Switches:
        """What the desk has set of the demo."""
        return switches()

    @cached_property
    def admins(self) -> dict[int, User]:
        """Those of the desk for whom the simulator acts, by id."""
        return simulated(Role.ADMIN)

    @cached_property
    def desk_is_played(self) -> bool:
        """Whether somebody who is not simulated sits at the desk."""
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk__in=self.admins)
        ids = [str(pk) for pk in others.values_list("pk", flat=True)]
        return Presence.objects.filter(kind="user", principal__in=ids, seen_at__gte=self.now - SITS).exists()

    @cached_property
    def is_watched(self) -> bool:
        """Whether anybody has had a page open lately. While nobody has, nothing new is started."""
        pages = Presence.objects.exclude(process=SIMULATOR)
        return pages.filter(seen_at__gte=self.now - REST_AFTER).exists()

    @property
    def road_is_open(self) -> bool:
        """Whether anybody looks on, and the desk has not paused it."""
        return self.is_watched and not self.switches.paused
