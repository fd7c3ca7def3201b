"""What people choose about being told."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.forms import BoundField

from accounts.models import User
from notifications import kinds
from notifications.kinds import Kind
from notifications.models import Channel, Preference, Quiet


class QuietForm(forms.ModelForm[Quiet]):
    """Quiet hours of the person's own day; both empty for none."""

    class Meta:
        model = Quiet
        fields = ("starts", "ends")
        labels = {"starts": "From", "ends": "Until"}  # noqa: RUF012 (Django's way)
        help_texts = {"starts": "", "ends": ""}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "starts": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "ends": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False


class ChoicesForm(forms.Form):
    """A tick for each kind of the person's role and each channel."""

    def __init__(self, user: User, **data: Any) -> None:
        super().__init__(**data)
        self.kinds = [kind for kind in kinds.declared() if user.role in kind.roles]
        chosen = {(row.kind, row.channel): row.wanted for row in Preference.objects.filter(user=user)}
        for kind in self.kinds:
            for channel in Channel.values:
                initial = chosen.get((kind.name, channel), channel in kind.channels)
                self.fields[field_name(kind, channel)] = forms.BooleanField(required=False, initial=initial)

    def sections(self) -> list[tuple[str, list[tuple[Kind, BoundField, BoundField]]]]:
        """The kinds with their two ticks, under their headings."""
        found = defaultdict(list)
        for kind in self.kinds:
            page, email = (self[field_name(kind, channel)] for channel in (Channel.PAGE, Channel.EMAIL))
            found[kind.section].append((kind, page, email))
        return list(found.items())

    def choices(self) -> dict[tuple[Kind, str], bool]:
        """What was ticked, by kind and channel."""
        return {
            (kind, channel): self.cleaned_data[field_name(kind, channel)]
            for kind in self.kinds
            for channel in Channel.values
        }


def field_name(kind: Kind, channel: str) -> str:
    """The name of the tick of one kind and channel."""
    return f"{kind.name}-{channel}"
