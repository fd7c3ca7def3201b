"""What the desk types about a flag."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Flag, Role, User
from accounts.turning import MOST_PEOPLE, Setting, setting_of

MOST_PERCENT = Decimal("99.9")  # what waffle keeps; all of them is “on for everybody”
ON, OFF, SOME = "on", "off", "some"
MODES = ((ON, "On for everybody"), (OFF, "Off for everybody"), (SOME, "On for some"))
WHY = "It stays in the audit, and pages change within seconds."


class WhyForm(forms.Form):
    """Why it is turned."""

    reason = forms.CharField(label="Why", max_length=200, help_text=WHY)


class FlagForm(WhyForm):
    """For whom it is to be on."""

    mode = forms.ChoiceField(label="Whom it is on for", choices=MODES, widget=forms.RadioSelect)
    percent = forms.DecimalField(
        label="A share of all people, in percent",
        min_value=0,
        max_value=MOST_PERCENT,
        decimal_places=1,
        required=False,
        help_text="Always the same people: raising it only adds some.",
    )
    roles = forms.MultipleChoiceField(
        label="Everybody of these roles", choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    people = forms.CharField(
        label="These people",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text="E-mail addresses, one on each line.",
    )
    field_order = ("mode", "percent", "roles", "people", "reason")

    @classmethod
    def of(cls, flag: Flag, data: Any = None) -> FlagForm:
        """The form as the flag stands."""
        now = setting_of(flag)
        initial = {
            "mode": SOME if now.everyone is None else ON if now.everyone else OFF,
            "percent": now.percent.normalize() if now.percent else None,
            "roles": list(now.roles),
            "people": "\n".join(sorted(user.email for user in now.people)),
        }
        return cls(data, initial=initial)

    def clean_people(self) -> list[User]:
        """The people behind the addresses."""
        emails = list(dict.fromkeys(self.cleaned_data["people"].replace(",", " ").lower().split()))
        if len(emails) > MOST_PEOPLE:
            raise forms.ValidationError(f"At most {MOST_PEOPLE} people are named; for more choose a share or a role.")
        found = {user.email: user for user in User.objects.filter(email__in=emails, erased_at__isnull=True)}
        strange = [email for email in emails if email not in found]
        if strange:
            raise forms.ValidationError(f"Nobody has the address {strange[0]}. Correct it, or take it out.")
        return [found[email] for email in emails]

    def clean(self) -> dict[str, Any]:
        """Somebody has to be meant."""
        data = super().clean() or {}
        chosen = data.get("percent") or data.get("roles") or data.get("people")
        if data.get("mode") == SOME and not self.errors and not chosen:
            self.add_error("mode", "Say for whom: a share, a role or somebody. For nobody, choose “Off for everybody”.")
        return data

    @property
    def wanted(self) -> Setting:
        """As it is to stand."""
        data = self.cleaned_data
        if data["mode"] != SOME:
            return Setting(data["mode"] == ON)
        return Setting(None, data["percent"] or Setting().percent, tuple(data["roles"]), tuple(data["people"]))
