"""What moves on the demo's roads: a vehicle with a device in it, between one step of the simulator and the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.geo import Point
from demo.roads import Way, london, metres

LONGEST_STEP = timedelta(seconds=10)  # a simulator that slept does not leap
THERE = 12.0  # metres
SPREAD = 5  # seconds
MOST_QUEUED = 200  # fixes kept by a device without network: the oldest go first

Fix = dict[str, float | None]


@dataclass
class Vehicle:
    """Where somebody is, where they are heading, and what their device has not sent yet."""

    user_id: int
    point: Point
    goal: Point | None = None
    way: Way | None = None
    along: float = 0.0
    heading: float | None = None
    speed: float = 0.0
    in_tunnel: bool = False
    moved_at: datetime | None = None
    there_since: datetime | None = None
    measured_at: datetime | None = None
    cut_off_until: datetime | None = None
    queue: list[Fix] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        """Whether it has come to where it was heading."""
        return self.there_since is not None

    def is_cut_off(self, now: datetime) -> bool:
        """Whether its device is without network."""
        return self.cut_off_until is not None and now < self.cut_off_until

    def head_for(self, goal: Point) -> None:
        """Take the way to `goal`, unless it is on it."""
        if goal != self.goal:
            self.goal, self.along, self.there_since = goal, 0.0, None
            self.way = london().way(self.point, goal)

    def stay(self) -> None:
        """Head nowhere."""
        self.goal = self.way = None
        self.speed, self.heading, self.in_tunnel = 0.0, None, False

    def advance(self, now: datetime, speed: float) -> None:
        """Drive on at `speed` (metres a second) since the last step."""
        passed = min(now - (self.moved_at or now), LONGEST_STEP).total_seconds()
        self.moved_at = now
        if self.way is None:
            return
        self.along = min(self.along + max(passed, 0.0) * speed, self.way.metres)
        place = self.way.at(self.along)
        self.point, self.in_tunnel = place.point, place.tunnel
        if self.goal is not None and metres(self.point, self.goal) <= THERE:
            self.there_since = self.there_since or now
        self.speed = 0.0 if self.is_there else speed
        self.heading = place.heading if self.speed else None

    def measured(self, fixes: list[Fix], now: datetime) -> None:
        """Keep what the device measured until it is sent."""
        first = self.measured_at is None
        self.measured_at = now - timedelta(seconds=self.user_id % SPREAD if first else 0)  # not all at one moment
        self.queue = (self.queue + fixes)[-MOST_QUEUED:]


@dataclass
class Fleet:
    """The vehicles that are out, by whose they are; and when the desk last looked for somebody for a leg."""

    vehicles: dict[int, Vehicle] = field(default_factory=dict)
    looked_at: dict[int, datetime] = field(default_factory=dict)

    def of(self, user_id: int) -> Vehicle | None:
        """Somebody's vehicle, while it is out."""
        return self.vehicles.get(user_id)

    def is_there(self, user_id: int, goal: Point) -> bool:
        """Whether somebody has driven to `goal`."""
        vehicle = self.vehicles.get(user_id)
        return vehicle is not None and vehicle.goal == goal and vehicle.is_there

    def is_cut_off(self, user_id: int, now: datetime) -> bool:
        """Whether somebody's device is without network."""
        vehicle = self.vehicles.get(user_id)
        return vehicle is not None and vehicle.is_cut_off(now)

    def keep(self, user_ids: set[int]) -> None:
        """Only these are out."""
        self.vehicles = {pk: vehicle for pk, vehicle in self.vehicles.items() if pk in user_ids}
