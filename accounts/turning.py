"""What is done with flags: turned by the desk, told to every open page, and there from the start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts import audit, flags
from accounts.models import Flag, Role, User
from common.refusals import Conflict
from realtime import transport

MOST_PEOPLE = 200


@dataclass(frozen=True)
class Setting:
    """How a flag is to stand: for everybody (True, False), or (None) for a share, roles and named people."""

    everyone: bool | None = None
    percent: Decimal = Decimal(0)
    roles: Collection[str] = ()
    people: Collection[User] = field(default=())

    @property
    def facts(self) -> dict[str, Any]:
        """As the audit keeps it."""
        return {
            "everyone": self.everyone,
            "percent": float(self.percent),
            "roles": sorted(self.roles),
            "people": sorted(user.email for user in self.people),
        }


def setting_of(flag: Flag) -> Setting:
    """How it stands."""
    return Setting(flag.everyone, flag.percent or Decimal(0), tuple(flag.roles), tuple(flag.users.all()))


@transaction.atomic
def turn_flag(flag: Flag, wanted: Setting, *, by: User, reason: str) -> Flag:
    """Have a flag stand as `wanted`; open pages follow within seconds. Raises `Conflict` when it does already."""
    if by.role != Role.ADMIN:
        raise PermissionDenied
    row: Flag = Flag.objects.select_for_update().get(pk=flag.pk)
    before, after = setting_of(row).facts, wanted.facts
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        raise Conflict(f"“{label_of(row)}” stands like that already. Look again: somebody else may have changed it.")
    row.everyone, row.percent, row.roles = wanted.everyone, wanted.percent or None, sorted(wanted.roles)
    row.superusers = False  # waffle's own default would leave the desk out of every share
    row.users.set(wanted.people)
    row.save(update_fields=["everyone", "percent", "roles", "superusers", "modified"])
    audit.record(
        by,
        "changed_flag",
        subject_kind="flag",
        subject_id=row.pk,
        label=label_of(row),
        reason=reason,
        details=changed,
        now=timezone.now(),
    )
    return row


def label_of(flag: Flag) -> str:
    """What people call it."""
    switch = flags.SWITCHES.get(flag.name)
    return switch.label if switch else flag.name


# --- Whoever turned it: the desk, Django's admin, a command -----------------------------------------


@receiver([post_save, post_delete], sender=Flag)
def tell_pages(instance: Flag, raw: bool = False, **_: Any) -> None:
    """Every process looks again at its pages."""
    if not raw:
        turned(instance.name)


@receiver(m2m_changed, sender=Flag.users.through)
@receiver(m2m_changed, sender=Flag.groups.through)
def tell_pages_of_names(instance: Any, action: str, **_: Any) -> None:
    """The same where people were named, or taken off it."""
    if action.startswith("post_") and isinstance(instance, Flag):
        turned(instance.name)


def turned(name: str) -> None:
    """Forget what was read, now and after the commit, and have open pages looked at where it is a switch of theirs."""
    flags.forget()
    transaction.on_commit(flags.forget)
    if name in flags.SWITCHES:
        transport.turned(name)


@receiver(post_migrate)
def make_rows(sender: Any, using: str, **_: Any) -> None:
    """The flags that the site asks for have a row each, on for everybody, so that the desk finds them."""
    if sender.name == "accounts":
        rows = [Flag(name=name, everyone=switch.default, superusers=False) for name, switch in flags.SWITCHES.items()]
        everything: models.QuerySet[Flag] = models.QuerySet(Flag, using=using)
        everything.bulk_create(rows, ignore_conflicts=True)
