"""System checks: what is watched must be journalled."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from realtime import fragments
from realtime.models import LiveModel, LiveQuerySet


@register
def watched_models_are_live(**_: Any) -> list[CheckMessage]:
    """Every watched model is a `LiveModel` whose managers refuse writes that send no signal."""
    errors: list[CheckMessage] = []
    for model in fragments.watched_models():
        if not issubclass(model, LiveModel):
            errors.append(
                Error(f"{model.__name__} is watched by a fragment: inherit LiveModel.", obj=model, id="realtime.E001")
            )
            continue
        for manager in model._meta.managers:
            if not issubclass(type(manager.get_queryset()), LiveQuerySet):
                errors.append(
                    Error(f"The manager {manager.name} must make a LiveQuerySet.", obj=model, id="realtime.E002")
                )
    return errors


@register
def templates_exist(**_: Any) -> list[CheckMessage]:
    """Every fragment's template can be loaded."""
    errors: list[CheckMessage] = []
    for fragment in fragments.declared():
        try:
            get_template(fragment.template)
        except TemplateDoesNotExist:
            errors.append(Error(f"{fragment.name}: {fragment.template} does not exist.", id="realtime.E003"))
    return errors
