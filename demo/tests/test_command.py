"""The command `demo`: whose database it fills, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.actions import sign_up_customer
from accounts.models import User
from bookings.models import Session
from bookings.states import SessionStatus
from demo.cast import EVERYBODY, PASSWORD
from demo.fill import fill, sign_up
from demo.tests.conftest import person, rows
from demo.trades import make_categories


def test_the_command_fills_an_empty_database_and_then_leaves_it(db: None, settings: Any, capsys: Any) -> None:
    settings.DEMO = True
    call_command("demo")
    said = capsys.readouterr().out
    assert "emma@callout.example" in said and PASSWORD in said
    before = rows()
    assert before["Booking"] > 80
    call_command("demo")
    assert rows() == before


def test_the_command_is_for_demo_sites_only(db: None, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="not a demo site"):
        call_command("demo")
    assert not User.objects.exists()


def test_the_command_touches_no_database_of_other_people(db: None, settings: Any) -> None:
    settings.DEMO = True
    sign_up_customer(email="carol@example.org", password=None, name="Carol Reed", time_zone="Europe/London")
    before = rows()
    with pytest.raises(CommandError, match="not the demo's"):
        call_command("demo")
    assert rows() == before


def test_part_of_the_demo_beside_other_people_is_refused_too(db: None, settings: Any) -> None:
    settings.DEMO = True
    make_categories()
    sign_up(next(each for each in EVERYBODY if each.slug == "emma"))
    sign_up_customer(email="carol@example.org", password=None, name="Carol Reed", time_zone="Europe/London")
    with pytest.raises(CommandError, match="not the demo's"):
        call_command("demo")
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 29, 0, 59, tzinfo=UTC),  # a minute before the clocks go forward
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # in the hour that comes twice
        datetime(2027, 1, 1, 23, 55, tzinfo=UTC),
    ],
)
def test_it_can_be_made_at_any_hour(db: None, now: datetime) -> None:
    fill(now, weeks=0)
    assert Session.objects.filter(status=SessionStatus.LIVE).count() == 1
    assert Session.objects.active().filter(technician__user=person("tariq"), starts_at__gt=now).count() == 2
