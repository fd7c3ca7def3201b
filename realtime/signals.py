"""Signals of live models: they remember what was and journal what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_init, post_save, pre_delete, pre_save

from realtime import fragments, journal
from realtime.models import LiveModel


def connect() -> None:
    """Listen to every model that a declared fragment watches."""
    for model in fragments.watched_models():
        uid = f"realtime.{model._meta.label_lower}"
        post_init.connect(remember, sender=model, dispatch_uid=uid)
        pre_save.connect(complete, sender=model, dispatch_uid=uid)
        pre_delete.connect(complete, sender=model, dispatch_uid=uid)
        post_save.connect(saved, sender=model, dispatch_uid=uid)
        post_delete.connect(deleted, sender=model, dispatch_uid=uid)


def remember(sender: type[models.Model], instance: LiveModel, **_: Any) -> None:
    """At load: keep the columns that decide the topics."""
    instance.remember()


def complete(sender: type[models.Model], instance: LiveModel, **_: Any) -> None:
    """Before a save or delete: fetch deciding columns that were deferred at load, while the row still holds them."""
    if instance._state.adding or instance.pk is None:
        return
    missing = [name for name in fragments.deciding_columns(sender) if name not in instance._remembered]
    if missing:
        row = sender._base_manager.filter(pk=instance.pk).values(*missing).first()
        instance._remembered.update(row or {})


def saved(
    sender: type[models.Model],
    instance: LiveModel,
    created: bool,
    raw: bool = False,
    update_fields: Iterable[str] | None = None,
    **_: Any,
) -> None:
    """After a save, in its transaction: journal what the row touched before and touches now."""
    if not raw:
        before = None if created else fragments.as_it_was(instance, instance._remembered)
        journal.write_touches([(before, instance)])
    instance.remember(update_fields)


def deleted(sender: type[models.Model], instance: LiveModel, **_: Any) -> None:
    """After a delete, in its transaction: journal what the row touched."""
    journal.write_touches([(fragments.as_it_was(instance, instance._remembered), None)])
