"""What people do with accounts: sign up, change their details, and what the desk decides about them.

`by` is who does it; None is the system itself (commands, demo data).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import NamedTuple

from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import second_factor
from accounts.access import require_desk
from accounts.models import AccountHistory, Role, Skill, Technician, User, WorkingHours
from accounts.steps import signed_up, verification_moved
from common.geo import is_place
from common.history import keep
from common.refusals import Conflict, Invalid
from common.uploads import delete_later, files_undone, stored
from common.zones import validate_zone
from realtime.orders import end_sessions_of


class Hours(NamedTuple):
    """The working hours of one weekday (0 is Monday), local to the technician."""

    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True)
class Trade:
    """What a technician offers: skills, the area around a base, and the hours of a week."""

    skills: Sequence[Skill]
    base_label: str
    base_latitude: float
    base_longitude: float
    radius_km: int
    hours: Sequence[Hours] = field(default_factory=tuple)
    about: str = ""

    def check(self) -> None:
        """Raise `Invalid` with what to do about it."""
        if not is_place(self.base_latitude, self.base_longitude):
            raise Invalid("That base is not a place on the map. Choose the middle of the area you work in.")
        if not 1 <= self.radius_km <= 100:
            raise Invalid("The radius is out of range. Choose 1 to 100 kilometres.")
        if any(day.ends <= day.starts for day in self.hours):
            raise Invalid("A working day ends before it starts. Correct its hours.")


@transaction.atomic
def sign_up_customer(
    *, email: str, password: str | None, name: str, time_zone: str, phone: str = "", email_verified: bool = False
) -> User:
    """Make a customer's account. Without a password they sign in after a reset only."""
    user = _make_user(Role.CUSTOMER, email, password, name, time_zone, phone, email_verified)
    signed_up.send(User, user=user, now=timezone.now())
    return user


@transaction.atomic
def sign_up_technician(
    *,
    email: str,
    password: str | None,
    name: str,
    time_zone: str,
    trade: Trade,
    phone: str = "",
    email_verified: bool = False,
) -> User:
    """Make a technician's account: unverified, so they may look at jobs but not bid. Raises `Invalid`."""
    trade.check()
    user = _make_user(Role.TECHNICIAN, email, password, name, time_zone, phone, email_verified)
    technician = Technician(user=user)
    _apply(technician, trade)
    signed_up.send(User, user=user, now=timezone.now())
    return user


def _make_user(
    role: Role, email: str, password: str | None, name: str, time_zone: str, phone: str, email_verified: bool
) -> User:
    """The account and its e-mail address, as allauth keeps it. Raises `Conflict` where the address is taken."""
    validate_zone(time_zone)
    try:
        with transaction.atomic():  # a savepoint: the constraint decides between two who are equally fast
            user: User = User.objects.create_user(
                email, password, role=role, name=name, time_zone=time_zone, phone=phone
            )
    except IntegrityError:
        raise Conflict("Somebody already signs in with this e-mail address. If it is you, sign in instead.") from None
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=email_verified)
    return user


def _apply(technician: Technician, trade: Trade) -> None:
    """Save what `trade` says; saving the technician journals it, the skills and hours being no live rows."""
    for name in ("base_label", "base_latitude", "base_longitude", "radius_km", "about"):
        setattr(technician, name, getattr(trade, name))
    technician.save()
    technician.skills.set(trade.skills)
    technician.hours.all().delete()
    WorkingHours.objects.bulk_create([WorkingHours(technician=technician, **day._asdict()) for day in trade.hours])


@files_undone()
@transaction.atomic
def update_profile(
    user: User,
    *,
    by: User | None,
    name: str,
    phone: str,
    time_zone: str,
    photo: ContentFile[bytes] | None = None,
    remove_photo: bool = False,
) -> User:
    """Change how others see `user`. `photo` is already cleaned (`common.uploads`); the old file is deleted."""
    if by is not None and by.pk != user.pk:
        require_desk(by)
    validate_zone(time_zone)
    person: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _require_whole(person)
    person.name, person.phone, person.time_zone = name, phone, time_zone
    if person.photo and (photo is not None or remove_photo):
        delete_later(person.photo)
    if photo is not None:
        person.photo.save("photo.jpg", photo, save=False)
        stored(person.photo)
    elif remove_photo:
        person.photo = ""
    person.save(update_fields=["name", "phone", "time_zone", "photo"])
    return person


@transaction.atomic
def update_trade(technician: Technician, *, by: User | None, trade: Trade) -> Technician:
    """Change a technician's skills, area, hours and words about themselves. Raises `Invalid`."""
    if by is not None and by.pk != technician.pk:
        require_desk(by)
    trade.check()
    locked = Technician.objects.select_for_update(no_key=True).get(pk=technician.pk)
    _apply(locked, trade)
    return locked


@transaction.atomic
def verify_technician(technician: Technician, *, by: User | None, now: datetime | None = None) -> Technician:
    """Let a technician bid. Raises `Conflict` where they already may."""
    require_desk(by)
    locked = (
        Technician.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=technician.pk)
    )
    if locked.is_verified:
        raise Conflict(f"{locked.user} is verified already.")
    locked.verified_at = now or timezone.now()
    locked.save(update_fields=["verified_at"])
    _record(locked.user, "unverified", "verified", by=by, at=locked.verified_at)
    verification_moved.send(Technician, technician=locked, by=by, reason="", now=locked.verified_at)
    return locked


@transaction.atomic
def unverify_technician(
    technician: Technician, *, by: User | None, reason: str = "", now: datetime | None = None
) -> Technician:
    """Take a technician's right to bid away. Raises `Conflict` where they had none."""
    require_desk(by)
    locked = (
        Technician.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=technician.pk)
    )
    if not locked.is_verified:
        raise Conflict(f"{locked.user} is not verified.")
    locked.verified_at, now = None, now or timezone.now()
    locked.save(update_fields=["verified_at"])
    _record(locked.user, "verified", "unverified", by=by, reason=reason, at=now)
    verification_moved.send(Technician, technician=locked, by=by, reason=reason, now=now)
    return locked


@transaction.atomic
def deactivate(user: User, *, by: User | None, reason: str = "", now: datetime | None = None) -> User:
    """Close an account: it cannot sign in, and all its sessions and sockets end (see `accounts.signals`).

    Raises `Conflict` where it is closed already, `Invalid` for one's own account.
    """
    require_desk(by)
    if by is not None and by.pk == user.pk:
        raise Invalid("You cannot close your own account here. Ask another admin.")
    locked: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not locked.is_active:
        raise Conflict(f"{locked} is switched off already.")
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    _record(locked, "active", "inactive", by=by, reason=reason, at=now or timezone.now())
    return locked


@transaction.atomic
def reactivate(user: User, *, by: User | None, reason: str = "", now: datetime | None = None) -> User:
    """Open a closed account again. Raises `Conflict` where it is open."""
    require_desk(by)
    locked: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if locked.is_active:
        raise Conflict(f"{locked} is active already.")
    _require_whole(locked)
    locked.is_active = True
    locked.save(update_fields=["is_active"])
    _record(locked, "inactive", "active", by=by, reason=reason, at=now or timezone.now())
    return locked


@transaction.atomic
def change_role(user: User, *, by: User | None, role: str, reason: str = "", now: datetime | None = None) -> User:
    """Give `user` another role. An admin is staff; a technician needs their trade on file first.

    Raises `Invalid` where that cannot be, `Conflict` where they have the role already.
    """
    require_desk(by)
    if by is not None and by.pk == user.pk:
        raise Invalid("You cannot change your own role. Ask another admin.")
    locked: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    before = locked.role
    _require_whole(locked)
    if role not in Role.values:
        raise Invalid(f"{role} is not a role. Choose one of: {', '.join(Role.values)}.")
    if role == before:
        raise Conflict(f"{locked} is {locked.get_role_display().lower()} already.")
    if role == Role.TECHNICIAN and not Technician.objects.filter(pk=locked.pk).exists():
        raise Invalid(f"{locked} has no skills and no area on file. Add the technician first, then change the role.")
    locked.role = role
    locked.is_staff = role == Role.ADMIN
    locked.is_superuser = locked.is_superuser and locked.is_staff
    locked.save(update_fields=["role", "is_staff", "is_superuser"])
    if second_factor.must_have_one(locked):
        end_sessions_of(locked.pk)  # the sockets of what they have open: from now on these must show it first
    _record(locked, before, role, by=by, reason=reason, at=now or timezone.now())
    return locked


def _require_whole(user: User) -> None:
    """Raise `Conflict` for an account whose details were removed: there is nobody left in it."""
    if user.erased_at is not None:
        raise Conflict("This account was erased. Whoever comes back signs up anew.")


def _record(user: User, before: str, after: str, *, by: User | None, at: datetime, reason: str = "") -> None:
    keep(AccountHistory, before, after, by=by, now=at, reason=reason, user=user)
