"""Flags as the desk sees them: what each is for, how it stands, and in words for whom it is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts import flags
from accounts.models import Flag, Role
from accounts.turning import label_of

FEW = 3  # named people that a row names


@dataclass(frozen=True)
class FlagRow:
    """One flag."""

    flag: Flag
    state: flags.State
    names: tuple[str, ...]  # of the people it names

    @property
    def pk(self) -> int:
        """The row's."""
        return self.flag.pk

    @property
    def label(self) -> str:
        """What people call it."""
        return label_of(self.flag)

    @property
    def off(self) -> str:
        """What happens while it is off."""
        switch = flags.SWITCHES.get(self.flag.name)
        return switch.off if switch else self.flag.note

    @property
    def order(self) -> str:
        """The site's own first, in their order; then by name."""
        known = list(flags.SWITCHES)
        return f"{known.index(self.flag.name):03}" if self.flag.name in known else f"999{self.flag.name}"

    @property
    def forced(self) -> bool | None:
        """How the environment has it, whatever the table says; None where it says nothing."""
        found: bool | None = settings.FLAGS.get(self.flag.name)
        return found

    @property
    def stands(self) -> str:
        """on, off or some."""
        everyone = self.state.everyone if self.forced is None else self.forced
        return "some" if everyone is None else "on" if everyone else "off"

    @property
    def whom(self) -> str:
        """In words for whom it is on."""
        if self.forced is not None:
            return f"{'On' if self.forced else 'Off'} for everybody: the environment says so"
        if self.state.everyone is not None:
            return "On for everybody" if self.state.everyone else "Off for everybody"
        parts = [
            *self._share(),
            *(f"every {Role(role).label.lower()}" for role in sorted(self.state.roles)),
            *self._named(),
        ]
        return f"On for {joined(parts)}" if parts else "On for nobody"

    def _share(self) -> list[str]:
        return [f"{self.state.percent.normalize():f} % of people"] if self.state.percent else []

    def _named(self) -> list[str]:
        more = len(self.names) - FEW
        return [*self.names[:FEW], *([f"{more} more"] if more > 0 else [])]


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def load_flags(keys: Sequence[str]) -> Mapping[str, FlagRow]:
    """Flags with the people they name; three queries."""
    rows = Flag.objects.prefetch_related("users", "groups").filter(pk__in=[int(key) for key in keys])
    return {str(row.pk): row_of(row) for row in rows}


def all_flags() -> dict[str, FlagRow]:
    """Every flag, in their order."""
    rows = [row_of(flag) for flag in Flag.objects.prefetch_related("users", "groups")]
    return {str(row.pk): row for row in sorted(rows, key=lambda row: row.order)}


def row_of(flag: Flag) -> FlagRow:
    """The row of a flag whose people are read."""
    return FlagRow(flag, flags.state_of(flag), tuple(sorted(user.name for user in flag.users.all())))
