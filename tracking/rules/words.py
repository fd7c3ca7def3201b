"""What helps against positions that are not taken in, as the person who sends them reads it."""

from __future__ import annotations

from tracking.states import Refused

HELP: dict[str, str] = {
    Refused.NO_PLACE: "Your phone had no fix yet. Under the open sky it finds one within a minute.",
    Refused.FUTURE: "Set your phone's date and time to automatic.",
    Refused.JUMP: "Tall buildings and tunnels mirror the signal. It settles by itself.",
    Refused.TOO_FAST: "Nothing to do: one position a second is enough. Close the app in other windows.",
    Refused.NOT_COLLECTED: "Nothing to do: positions from a break or from before your shift are not kept.",
    Refused.TOO_OLD: "Nothing to do: they waited on your phone for too long.",
    Refused.MALFORMED: "Reload this page. If it goes on, tell the desk.",
}
