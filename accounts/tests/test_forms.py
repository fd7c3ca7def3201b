"""Forms by themselves: what they take, what they hand to the actions, and losing a race after they were valid."""

from __future__ import annotations

from datetime import time

import pytest
from django.test import Client

from accounts import actions
from accounts.forms import CustomerSignUpForm, ProfileForm, TechnicianProfileForm, TechnicianSignUpForm
from accounts.models import Skill, Technician, User
from accounts.tests.conftest import PASSWORD, trade
from accounts.trade_form import TradeForm, initial_trade
from common.refusals import Conflict

USUAL = {f"day_{n}_{part}": at for n in range(7) for part, at in (("starts", "08:00"), ("ends", "18:00"))}


def typed(plumbing: Skill, **changes: object) -> dict[str, object]:
    place = {"base_label": "Camden", "base_latitude": "51.539", "base_longitude": "-0.1426", "radius_km": "12"}
    return {"skills": [plumbing.pk], **place, **USUAL, "day_0": "on", **changes}


def test_a_trade_on_file_comes_back_as_it_was(tess: User, plumbing: Skill) -> None:
    technician = Technician.objects.get(pk=tess.pk)
    initial = initial_trade(technician)
    form = TradeForm({key: value for key, value in initial.items() if value is not False} | {"skills": [plumbing.pk]})
    assert form.is_valid(), form.errors
    assert form.trade() == trade(plumbing, about="")


def test_a_fresh_trade_suggests_weekdays_from_eight_to_six(db: None) -> None:
    days = TradeForm().weekdays
    assert [day.name for day in days][:2] == ["Monday", "Tuesday"] and len(days) == 7
    assert [day.works.value() for day in days] == [True] * 5 + [False] * 2
    assert (days[0].starts.value(), days[0].ends.value()) == (time(8), time(18))


def test_only_ticked_days_are_handed_on(plumbing: Skill) -> None:
    form = TradeForm(typed(plumbing, day_3="on", day_3_starts="12:15"))
    assert form.is_valid(), form.errors
    assert form.trade().hours == [
        actions.Hours(0, time(8), time(18)),
        actions.Hours(3, time(12, 15), time(18)),
    ]


@pytest.mark.parametrize("latitude", ["nan", "inf", "-inf", "1e400", "51,5"])
def test_a_coordinate_is_a_number(plumbing: Skill, latitude: str) -> None:
    form = TradeForm(typed(plumbing, base_latitude=latitude))
    assert not form.is_valid() and "base_latitude" in form.errors


def test_a_skill_that_does_not_exist_is_refused(plumbing: Skill) -> None:
    form = TradeForm(typed(plumbing, skills=[plumbing.pk, 999_999]))
    assert not form.is_valid() and "skills" in form.errors


def test_the_words_of_a_technician_are_limited(plumbing: Skill) -> None:
    assert TechnicianProfileForm(typed(plumbing, about="x" * 600)).is_valid()
    assert "about" in TechnicianProfileForm(typed(plumbing, about="x" * 601)).errors


def test_skills_are_listed_by_name(plumbing: Skill) -> None:
    names = [str(label) for _, label in TradeForm().fields["skills"].choices]
    assert names == sorted(names) and "Test plumbing" in names


@pytest.mark.parametrize("form", [CustomerSignUpForm, TechnicianSignUpForm])
def test_sign_up_forms_ask_who_and_in_which_zone(db: None, form: type[CustomerSignUpForm]) -> None:
    fields = form().fields
    assert {"name", "email", "password1", "time_zone"} <= set(fields)
    assert "username" not in fields and "role" not in fields and "password2" not in fields
    assert fields["email"].label == "E-mail address" and fields["password1"].label == "Password"


def test_a_photo_can_be_removed_only_where_there_is_one(carol: User) -> None:
    assert "remove_photo" not in ProfileForm(instance=carol).fields
    carol.photo = "people/x.jpg"
    assert "remove_photo" in ProfileForm(instance=carol).fields


def test_who_loses_the_race_for_an_address_reads_what_to_do(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is valid, then somebody else signs up with the address, then the account is made."""

    def sign_up_after_somebody_else(form: CustomerSignUpForm) -> User:
        actions.sign_up_customer(email="cleo@example.org", password=PASSWORD, name="Faster", time_zone="UTC")
        return actions.sign_up_customer(**form.person())

    monkeypatch.setattr(CustomerSignUpForm, "sign_up", sign_up_after_somebody_else)
    data = {"name": "Cleo", "email": "cleo@example.org", "password1": PASSWORD, "time_zone": "UTC"}
    response = client.post("/accounts/signup/", data)
    assert response.status_code == Conflict.status and "sign in instead" in response.content.decode()
    assert [user.name for user in User.objects.all()] == ["Faster"]
