"""What the dashboard sees change by the clock alone: who is late or fell silent, a new day, a window that moves on;
and the samples of its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from adminpanel.dashboard import samples
from adminpanel.dashboard.figures import charts_topic, count, figures_topic, standing
from adminpanel.dashboard.series import PERIODS
from adminpanel.dashboard.tally import Place, tally
from adminpanel.live.dashboard import charts, glance, kpis
from realtime.fragments import touch_on

# What time moves although no row is saved, to be seen at once; what else it moves is looked at each minute.
AT_ONCE = ("late", "people", "drivers_online", "drivers_stale")
Totals = Mapping[Place, Decimal]

_stood: dict[str, Totals] = {}  # what was counted at the last looks; touching twice does no harm
_minute: list[datetime] = []  # of the last look that each minute has


def run_due(as_of: datetime) -> int:
    """Have open dashboards look again at what time has moved since the last look, and keep a sample at each full ten
    minutes; returns how much of that there was.
    """
    minute = as_of.replace(second=0, microsecond=0)
    done = look_at_once(as_of)
    if [minute] != _minute:
        done += look_each_minute(as_of, _minute[0] if _minute else None)
        _minute[:] = [minute]
    return done


def look_at_once(as_of: datetime) -> int:
    """Late visits, and who is here."""
    rows = standing(as_of)
    if not moved("at once", tally({name: rows[name] for name in AT_ONCE})):
        return 0
    touch_on(figures_topic(), kpis, ["all"])
    return 1


def look_each_minute(as_of: datetime, before: datetime | None) -> int:
    """What midnight ends, windows such as the last 24 hours, and the hours and days of the charts."""
    seen = count(as_of)
    begun = before is None or quarter_of(before) != quarter_of(as_of)
    is_moved = moved("each minute", seen.totals) or begun
    if begun:
        touch_on(charts_topic(), charts, PERIODS)
    if is_moved:
        touch_on(charts_topic(), glance, ["all"])
    is_kept = samples.take(seen)
    if is_moved or is_kept:
        touch_on(figures_topic(), kpis, ["all"])
    if is_kept:
        samples.forget_old(as_of)
    return is_moved + is_kept


def moved(look: str, totals: Totals) -> bool:
    """Whether this look counts anything else than the one before."""
    before = _stood.get(look)
    _stood[look] = totals
    return before != totals


def quarter_of(moment: datetime) -> datetime:
    """The quarter of an hour that an instant belongs to: in every zone hours and days begin with one."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
