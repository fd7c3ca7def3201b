"""One step of the simulator: every habit in turn, none of which can stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from demo.simulator import market, offers, talk, visits
from demo.simulator.world import World

log = logging.getLogger(__name__)

# People first: what somebody waits for goes before what the simulated do among themselves.
HABITS: tuple[Callable[[World], int], ...] = (
    offers.offer_to_people,
    market.answer_people,
    talk.read,
    talk.answer,
    talk.greet,
    visits.let_in,
    visits.arrive,
    visits.ask_for_code,
    visits.go_on,
    visits.work,
    visits.answer_moves,
    visits.ask_to_move,
    visits.stop_waiting,
    offers.think_again,
    market.feed,
    offers.offer_to_each_other,
    market.choose_among_simulated,
)


class Simulator:
    """The simulated people. Remembers only what was refused, so as not to ask again each second."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.given_up: set[str] = set()

    def step(self, as_of: datetime) -> int:
        """Do all that somebody would have done by `as_of`; returns how much that was."""
        world = World(as_of, self.seed, self.given_up)
        done = 0
        for habit in HABITS:
            try:
                done += habit(world)
            except Exception:
                log.exception("The simulator's habit %s failed; it is tried again at the next step.", habit.__name__)
        return done
