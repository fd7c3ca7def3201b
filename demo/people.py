"""Who of the people in the database is the demo's: what sign-in, `demo` and `simulate` ask."""

from __future__ import annotations

from typing import NamedTuple

from accounts.models import Role, User
from demo.cast import EMAILS, EVERYBODY, PLAYABLE, SIMULATED_EMAILS, Person


class Account(NamedTuple):
    """A line of the list on the sign-in page."""

    user: User
    person: Person

    @property
    def role(self) -> str:
        """The heading it stands under."""
        return str(Role(self.user.role).label)


def playable_accounts() -> list[Account]:
    """The accounts that visitors may play, in the order of the cast; one query."""
    emails = {person.email: person for person in PLAYABLE.values()}
    found = {user.email: user for user in User.objects.filter(email__in=emails, is_active=True)}
    return [Account(found[email], person) for email, person in emails.items() if email in found]


def playable(slug: str) -> User | None:
    """One of them by its slug."""
    person = PLAYABLE.get(slug)
    return User.objects.filter(email=person.email, is_active=True).first() if person else None


def simulated(role: str) -> dict[int, User]:
    """Those of a role for whom the simulator acts, by id; one query."""
    return {user.pk: user for user in User.objects.filter(email__in=SIMULATED_EMAILS, role=role, is_active=True)}


def demo_is_here() -> bool:
    """Whether this database was filled by the demo before; a demo without drivers is of an earlier release."""
    found = User.objects.filter(email__in=EMAILS).exclude(role=Role.DRIVER).count()
    return bool(found == sum(person.role != Role.DRIVER for person in EVERYBODY))


def strangers_are_here() -> bool:
    """Whether people live here who are not the demo's."""
    return bool(User.objects.exclude(email__in=EMAILS).exists())
