"""What the desk types about people."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.fields import PhoneField, ZoneField
from accounts.models import Role, Technician, User


class WhyForm(forms.Form):
    """Why, in the desk's words; whom it concerns reads it."""

    reason = forms.CharField(
        label="Why",
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text="They read it on “What was changed about me”, and it stays in the audit.",
    )


class AskedForm(WhyForm):
    """Why something is done that the person may have asked for themselves."""

    reason = forms.CharField(label="Why", max_length=300, help_text="Who asked for it, and how you know. It is kept.")


class SureForm(AskedForm):
    """The same, where it cannot be undone."""

    sure = forms.BooleanField(label="I know that this cannot be undone")


class NoteForm(forms.Form):
    """What the desk keeps in mind."""

    text = forms.CharField(
        label="Note",
        max_length=1000,
        widget=forms.Textarea({"rows": 4}),
        help_text="Only the desk reads it; a copy of their data holds it too.",
    )


class CorrectionForm(WhyForm):
    """How others see a person."""

    name = forms.CharField(label="Name", max_length=80)
    phone = PhoneField(required=False)
    time_zone = ZoneField(label="Time zone")
    field_order = ("name", "phone", "time_zone", "reason")

    def __init__(self, data: Any, *, person: User) -> None:
        super().__init__(data, initial={name: getattr(person, name) for name in ("name", "phone", "time_zone")})
        for name in ("name", "phone"):  # they are not the typist's own
            self.fields[name].widget.attrs["autocomplete"] = "off"


class RoleForm(WhyForm):
    """Another role, of those that can be."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    field_order = ("role", "reason")

    def __init__(self, data: Any, *, person: User) -> None:
        super().__init__(data)
        has_trade = Technician.objects.filter(pk=person.pk).exists()
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, role.label) for role in Role if role != person.role and (role != Role.TECHNICIAN or has_trade)
        ]
        if not has_trade:
            self.fields[
                "role"
            ].help_text = "Nobody becomes a technician without skills and an area on file: they sign up as one."
