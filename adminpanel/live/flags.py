"""Flags move by themselves on the desk's pages, whoever turned them."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import m2m_changed
from django.dispatch import receiver

from accounts.access import desk
from accounts.models import Flag, User
from adminpanel.flags import load_flags
from realtime.fragments import Fragment, touch, watch
from realtime.topics import Topic

flags_topic = Topic("desk.flags", users=desk)


def flags_of(user: User) -> list[tuple[str, str]]:
    """The flags that name somebody."""
    keys = Flag.users.through._default_manager.filter(user_id=user.pk).values_list("flag_id", flat=True)
    return [(flags_topic(), str(key)) for key in keys]


flag = Fragment(
    "adminpanel.flag",
    template="adminpanel/_flag.html",
    load=load_flags,
    topics=lambda row: [flags_topic()],
    watches=[watch(Flag), watch(User, fields=("name",), touches=flags_of, referring=True)],
    order=lambda row: row.order,
)


@receiver(m2m_changed, sender=Flag.users.through)
def names_changed(instance: Any, action: str, **_: Any) -> None:
    """People were named, or taken off: no row of the flag itself was saved."""
    if action.startswith("post_") and isinstance(instance, Flag):
        touch(flag, [instance.pk])
