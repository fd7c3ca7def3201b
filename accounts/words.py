"""Accounts in words, for pages and mails."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import WorkingHours

SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hours_in_words(days: Iterable[WorkingHours]) -> list[str]:
    """Working hours with equal neighbours joined: `Mon to Fri 08:00–18:00`, `Sun 10:00–14:00`."""
    runs: list[list[WorkingHours]] = []
    for day in sorted(days, key=lambda day: day.weekday):
        last = runs[-1][-1] if runs else None
        if last and (last.weekday + 1, last.starts, last.ends) == (day.weekday, day.starts, day.ends):
            runs[-1].append(day)
        else:
            runs.append([day])
    return [f"{_days(run)} {run[0].starts:%H:%M}–{run[0].ends:%H:%M}" for run in runs]


def _days(run: list[WorkingHours]) -> str:
    first, last = SHORT[run[0].weekday], SHORT[run[-1].weekday]
    return first if len(run) == 1 else f"{first} {'to' if len(run) > 2 else 'and'} {last}"
