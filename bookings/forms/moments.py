"""Local times in forms: a date and a time of day at the job's place, read as an instant (rule 5)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from common.zones import LocalTimeProblem, instant


class DateInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own clock."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"step": 900, **(attrs or {})}, format="%H:%M")


class LocalTimes(forms.Form):
    """A form with times of day in `zone`.

    A time that the clocks skip is refused, one that they repeat is asked for: `clash` then holds a field
    of choices, which the page shows beside the time and which the next submission answers.
    """

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def moment(self, name: str, day: date | None, clock: time | None) -> datetime | None:
        """The instant of `clock` on `day`; None, with an error at the field `name`, when there is not just one."""
        if day is None or clock is None:
            return None
        try:
            return instant(datetime.combine(day, clock), self.zone)
        except LocalTimeProblem as problem:
            return self.chosen(name, problem)
        except OverflowError:  # the first or last day there is, in a zone where it lies beyond
            self.add_error(name, "That day is out of reach. Choose another one.")
            return None

    def chosen(self, name: str, problem: LocalTimeProblem) -> datetime | None:
        """The answer to the choice, if it was given with this submission."""
        answers = {choice.isoformat(): choice for choice in problem.choices}
        answer = answers.get(self.data.get(self.add_prefix(f"{name}_choice"), ""))
        if answer is not None:
            return answer
        self.add_choice(name, problem)
        self.add_error(name, str(problem))
        return None

    def add_choice(self, name: str, problem: LocalTimeProblem) -> None:
        """Let the page ask which instant is meant."""
        words = [(choice.isoformat(), self.in_words(choice)) for choice in problem.choices]
        asked = forms.ChoiceField(label="Which time do you mean?", choices=words, widget=forms.RadioSelect)
        self.fields[f"{name}_choice"] = asked
        names = [each for each in self.fields if each != f"{name}_choice"]
        after = names.index(name) + 1
        self.order_fields([*names[:after], f"{name}_choice", *names[after:]])

    @property
    def choice_fields(self) -> list[forms.BoundField]:
        """The choices that the page has to ask for."""
        return [self[name] for name in self.fields if name.endswith("_choice")]

    def in_words(self, choice: datetime) -> str:
        """02:30 BST (UTC+1)."""
        local = choice.astimezone(ZoneInfo(self.zone))
        hours = (local.utcoffset().total_seconds() if local.utcoffset() else 0) / 3600  # type: ignore[union-attr]
        return f"{local:%H:%M %Z} (UTC{hours:+g})"
