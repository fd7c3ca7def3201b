"""The demo's drivers as accounts: those of the cast, and those who are hired when many are wanted."""

from __future__ import annotations

from accounts.models import Role, User
from demo.cast import DRIVER_SKILLS, HIRED, OTHER_DRIVERS, Person
from notifications.actions import turn_off_mail
from notifications.kinds import declared
from notifications.models import Channel
from tracking.models import Driver, DriverSkill
from tracking.states import VehicleKind

ZONE = "Europe/London"
BENCH = (*OTHER_DRIVERS, *HIRED)  # in the order in which they come to work


def enlist(person: Person) -> User:
    """The account of a driver, with the vehicle and the skills of the cast."""
    user = User.objects.create_user(
        person.email, None, role=Role.DRIVER, name=person.name, phone=person.phone, time_zone=ZONE
    )
    driver = Driver(user=user, vehicle=VehicleKind(person.vehicle), plate=person.plate, capacity_kg=person.capacity_kg)
    driver.save()
    driver.skills.set(DriverSkill.objects.filter(slug__in=person.skills))
    return user


def keep_skills() -> None:
    """What legs of the demo need."""
    for slug, name in DRIVER_SKILLS.items():
        DriverSkill.objects.get_or_create(slug=slug, defaults={"name": name})


def hire(person: Person) -> User:
    """An account for one of the hired, who has none yet. Nobody signs in with it and nobody reads its mail."""
    user = enlist(person)
    spare_mail([user])
    return user


def spare_mail(users: list[User]) -> None:
    """Have these people want no mail."""
    kinds = [kind for kind in declared() if Channel.EMAIL in kind.channels]
    for user in users:
        turn_off_mail(user, [kind for kind in kinds if user.role in kind.roles])
