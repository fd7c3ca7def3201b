"""One step of the simulator: every habit in turn, none of which can stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from demo.simulator import dispatching, driving, market, offers, opinions, shifts, talk, visits
from demo.simulator.here import Pages
from demo.simulator.vehicles import Fleet
from demo.simulator.world import World

log = logging.getLogger(__name__)

ROAD: tuple[Callable[[World], int], ...] = (
    dispatching.ask_visitors,
    shifts.tend_legs,
    shifts.come_to_work,
    dispatching.fill_tray,
    dispatching.ask_drivers,
)
# People first: what somebody waits for goes before what the simulated do among themselves.
HABITS: tuple[Callable[[World], int], ...] = (
    offers.offer_to_people,
    market.answer_people,
    talk.read,
    talk.answer,
    talk.greet,
    driving.drive,
    visits.let_in,
    visits.come,
    visits.ask_for_code,
    visits.go_on,
    visits.work,
    visits.answer_moves,
    visits.ask_to_move,
    visits.stop_waiting,
    *ROAD,
    offers.think_again,
    market.feed,
    offers.offer_to_each_other,
    opinions.write,
    market.choose_among_simulated,
    driving.forget_tracks,
)


class Simulator:
    """The simulated people. Remembers what was refused, so as not to ask again each second, and where vehicles are
    between two fixes.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.given_up: set[str] = set()
        self.fleet = Fleet()
        self.pages = Pages()

    def step(self, as_of: datetime) -> int:
        """Do all that somebody would have done by `as_of`; returns how much that was."""
        world = World(as_of, self.seed, self.given_up, self.fleet)
        done = 0
        for habit in (*HABITS, self.pages.keep):
            try:
                done += habit(world)
            except Exception:
                log.exception("The simulator's habit %s failed; it is tried again at the next step.", habit.__name__)
        return done

    def close(self) -> None:
        """Nobody who is simulated is here any more."""
        self.pages.close()
