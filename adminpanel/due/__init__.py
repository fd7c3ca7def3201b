"""What the desk sees change by the clock alone: on the road, in its figures, in the live system."""

from __future__ import annotations

from datetime import datetime

from adminpanel.due import figures, fleet, health


def run_due(as_of: datetime) -> int:
    """Have the desk's pages look again at what time has changed; returns how much."""
    return fleet.look_at_drivers(as_of) + figures.run_due(as_of) + health.run_due(as_of)
