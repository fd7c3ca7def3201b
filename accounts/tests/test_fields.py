"""Fields: time zones and phone numbers."""

from __future__ import annotations

from datetime import time

import pytest
from django.core.exceptions import ValidationError

from accounts.fields import PhoneField, ZoneField, zone_choices
from accounts.models import WorkingHours
from accounts.sessions import browser_name
from accounts.words import hours_in_words


@pytest.mark.parametrize("name", ["Europe/London", "America/Argentina/Salta", "UTC", "Asia/Kolkata", "GB"])
def test_a_zone_is_any_iana_name(name: str) -> None:
    assert ZoneField().clean(name) == name


@pytest.mark.parametrize("name", ["", "London", "Europe/Atlantis", "../../etc/passwd", "europe/london"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ZoneField().clean(name)


def test_zones_are_listed_by_region_as_places() -> None:
    regions = dict(zone_choices())
    assert ("Europe/London", "London") in regions["Europe"]
    assert ("America/Argentina/Salta", "Argentina, Salta") in regions["America"]
    assert ("America/New_York", "New York") in regions["America"]
    assert regions["Other"] == [("UTC", "UTC")]


@pytest.mark.parametrize("number", ["+44 20 7946 0018", "020 7946 0018", "(020) 7946-0018", "+1.212.555.0100"])
def test_a_phone_number_is_what_people_write(number: str) -> None:
    assert PhoneField().clean(number) == number


@pytest.mark.parametrize("number", ["12345", "call me", "+44 20 7946 0018 ext 3", "1" * 16, "<script>", "()- ()- ."])
def test_what_nobody_could_call_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="phone number"):
        PhoneField().clean(number)


def test_a_phone_number_loses_stray_spaces_and_may_be_left_out() -> None:
    assert PhoneField().clean("  020  7946   0018 ") == "020 7946 0018"
    assert PhoneField(required=False).clean("") == ""


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko Firefox/140.0", "Firefox on Mac"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_as_people_know_it(header: str, words: str) -> None:
    assert browser_name(header) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([], []),
        ([(0, 8, 18)], ["Mon 08:00–18:00"]),
        ([(0, 8, 18), (1, 8, 18)], ["Mon and Tue 08:00–18:00"]),
        ([(4, 8, 18), (2, 8, 18), (3, 8, 18)], ["Wed to Fri 08:00–18:00"]),
        ([(0, 8, 18), (2, 8, 18)], ["Mon 08:00–18:00", "Wed 08:00–18:00"]),
        ([(0, 8, 18), (1, 9, 18), (2, 9, 18), (3, 9, 18)], ["Mon 08:00–18:00", "Tue to Thu 09:00–18:00"]),
        ([(day, 0, 23) for day in range(7)], ["Mon to Sun 00:00–23:00"]),
    ],
)
def test_equal_neighbouring_days_are_joined(days: list[tuple[int, int, int]], words: list[str]) -> None:
    rows = [WorkingHours(weekday=day, starts=time(starts), ends=time(ends)) for day, starts, ends in days]
    assert hours_in_words(rows) == words
