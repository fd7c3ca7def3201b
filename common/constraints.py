"""Constraints that many tables have alike."""

from __future__ import annotations

from django.db import models


def known(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The constraint that a state column holds one of its states."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": choices.values}), name=name)
