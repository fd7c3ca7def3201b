"""The demo's switches on the desk and on the command line, and drivers for a demo that had none."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from demo.cast import DRIVERS
from demo.management.commands import simulate
from demo.models import USUAL_DRIVERS, Switches, switches
from demo.tests.conftest import person


@pytest.fixture
def olivia(people: None, client: Client, settings: Any) -> Client:
    settings.DEMO = True
    client.force_login(person("olivia"))
    return client


def turn(client: Client, **how: Any) -> Any:
    return client.post(reverse("demo:switch"), how)


def test_the_desk_sees_the_tray_and_turns_its_switches(olivia: Client) -> None:
    page = olivia.get(reverse("desk:fleet")).content.decode()
    assert f"{USUAL_DRIVERS} simulated drivers" in page and reverse("demo:switch") in page
    response = turn(olivia, drivers=23, bad_gps="on", refusals="on")
    assert response.status_code == 303 and response["Location"] == reverse("desk:fleet")
    found = switches()
    assert (found.drivers, found.bad_gps, found.drop_outs, found.refusals, found.paused) == (
        23,
        True,
        False,
        True,
        False,
    )
    assert "23 simulated drivers, bad GPS, refusals" in olivia.get(reverse("desk:fleet")).content.decode()
    turn(olivia, drivers=23, paused="on")
    assert switches().paused and not switches().bad_gps and Switches.objects.count() == 1


@pytest.mark.parametrize("drivers", ["51", "-1", "", "many"])
def test_a_number_that_cannot_be_is_said_and_nothing_changes(olivia: Client, drivers: str) -> None:
    response = turn(olivia, drivers=drivers, bad_gps="on")
    assert response.status_code == 422 and "0 to 50" in response.content.decode()
    assert switches().drivers == USUAL_DRIVERS and not switches().bad_gps


@pytest.mark.parametrize("name", ["emma", "tariq", "sam"])
def test_the_switches_are_the_desks_alone(people: None, client: Client, settings: Any, name: str) -> None:
    settings.DEMO = True
    assert turn(client, drivers=1)["Location"].startswith(reverse("account_login"))
    client.force_login(person(name))
    assert turn(client, drivers=1).status_code == 403
    assert not Switches.objects.exists()


def test_outside_demo_mode_there_are_none(olivia: Client, settings: Any) -> None:
    settings.DEMO = False
    assert turn(olivia, drivers=1).status_code == 404
    assert reverse("demo:switch") not in olivia.get(reverse("desk:fleet")).content.decode()


def test_the_command_line_turns_the_same_switch(people: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = True
    monkeypatch.setattr(simulate, "close_old_connections", lambda: None)
    call_command("simulate", once=True, drivers=50)
    assert switches().drivers == 50
    with pytest.raises(CommandError, match="0 to 50"):
        call_command("simulate", once=True, drivers=51)
    call_command("simulate", once=True)
    assert switches().drivers == 50


def test_a_demo_of_a_release_without_drivers_gets_them(people: None, settings: Any, capsys: Any) -> None:
    settings.DEMO = True
    User.objects.filter(role=Role.DRIVER).delete()
    call_command("demo")
    assert "sam@callout.example" in capsys.readouterr().out
    assert User.objects.filter(role=Role.DRIVER).count() == len(DRIVERS)
    assert person("sam").check_password("callout-demo") and person("sam").photo
