"""A driver's page: now, the day in bars and as a list, the track, vehicle and skills, a request for the position."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import models
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.fleet import days
from adminpanel.live.fleet import driver_day, driver_now, driver_topic
from adminpanel.talk.recipients import ON_DUTY, Recipients
from adminpanel.tests.road import accepted, at_work, comes_online, leg, offered
from bookings.tests.follow import audience, keys_of, on, touched_by
from bookings.tests.make import HOUR, MINUTE
from realtime.topics import Principal, members
from tracking import actions
from tracking.access import current_shift
from tracking.models import Driver, Fix, Shift
from tracking.states import RejectReason
from tracking.tests import make as road

LONDON = ZoneInfo("Europe/London")
DAY = date(2027, 3, 2)


def day_of(driver_id: int, day: date, now: datetime) -> days.Day:
    """A driver's day as its fragment has it."""
    key = days.key_of(driver_id, day)
    return days.load_days([key], now)[key]


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    """A time of the day, in London."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON)


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def url(name: str, pk: int) -> str:
    """An address of a driver's."""
    return reverse(f"desk:{name}", args=[pk])


def shift_of(who: Driver) -> Shift:
    """The shift they are in."""
    found = current_shift(who.pk)
    assert found is not None
    return found


# --- Who may look ---------------------------------------------------------------------------------

PAGES = ("driver", "driver_track", "driver_ask", "driver_change")


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
@pytest.mark.parametrize("name", PAGES)
def test_other_roles_are_refused_the_driver_too(client: Client, request: Any, ed: User, who: str, name: str) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(url(name, ed.pk)).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_who_is_no_driver_has_no_page(desk: Client, alice: User, name: str) -> None:
    assert desk.get(url(name, alice.pk)).status_code == 404 == desk.get(url(name, 4711)).status_code


def test_only_the_desk_belongs_to_the_topic_of_a_driver(frank: User, alice: User, ed: User) -> None:
    everybody = {Principal("user", str(user.pk)) for user in (frank, alice, ed)}
    assert members(driver_topic(ed.pk), everybody) == {Principal("user", str(frank.pk))}


# --- Now ------------------------------------------------------------------------------------------


def test_the_page_says_how_they_are_and_what_can_be_done(desk: Client) -> None:
    sam = at_work("Sam", road.towing(), plate="LB10 XYZ", capacity_kg=800)
    comes_online(sam)
    html = desk.get(url("driver", sam.pk)).content.decode()
    assert "On duty" in html and "Van LB10 XYZ, 800 kg" in html and "Towing" in html and "Online" in html
    assert f'href="/desk/messages/new/?to={sam.pk}"' in html
    assert url("driver_ask", sam.pk) in html and url("driver_change", sam.pk) in html


def test_nothing_can_be_asked_for_off_duty(desk: Client, ed: User) -> None:
    html = desk.get(url("driver", ed.pk)).content.decode()
    assert url("driver_ask", ed.pk) not in html and "No shift that day" in html


def test_what_changes_reaches_the_page_of_that_driver(frank: User, alice: User, ed: User) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    dispatch = offered(leg(alice, frank), sam)
    touches = touched_by(lambda: actions.accept_offer(dispatch, by=sam.user))
    names = {name for name, _ in on(touches, driver_topic(sam.pk))}
    assert names == {driver_now.name, driver_day.name} and not on(touches, driver_topic(ann.pk))
    assert audience(touches, driver_now.name, frank, alice, ed, sam.user) == {"Frank"}


# --- Vehicle and skills ---------------------------------------------------------------------------


def test_vehicle_and_skills_are_changed_and_the_rows_hear_of_it(desk: Client) -> None:
    sam = at_work("Sam")
    data = {"vehicle": "truck", "plate": "AB12 CDE", "capacity_kg": "3500", "skills": [road.towing().pk]}
    touches = touched_by(lambda: desk.post(url("driver_change", sam.pk), data))
    changed = road.fresh(sam)
    assert (changed.vehicle, changed.plate, changed.capacity_kg) == ("truck", "AB12 CDE", 3500)
    assert list(changed.skills.all()) == [road.towing()]
    assert keys_of(touches, "adminpanel.driver") == {str(sam.pk)}


@pytest.mark.parametrize("wrong", [{"vehicle": "ship"}, {"capacity_kg": "-1"}, {"capacity_kg": ""}, {"skills": "99"}])
def test_what_is_wrong_is_said(desk: Client, wrong: dict[str, str]) -> None:
    sam = at_work("Sam", plate="LB10 XYZ")
    data = {"vehicle": "van", "plate": "NEW", "capacity_kg": "100", **wrong}
    assert desk.post(url("driver_change", sam.pk), data).status_code == 422
    assert road.fresh(sam).plate == "LB10 XYZ"


# --- Asking for the position ----------------------------------------------------------------------


def test_the_position_is_asked_for_on_duty_only(desk: Client, ed: User) -> None:
    sam = at_work("Sam")
    assert desk.post(url("driver_ask", sam.pk)).status_code == 303
    response = desk.post(url("driver_ask", ed.pk))
    assert response.status_code == 409 and "nothing is collected" in response.content.decode()


def test_a_closed_account_is_not_asked(desk: Client, ed: User) -> None:
    ed.is_active = False
    ed.save()
    assert desk.get(url("driver", ed.pk)).status_code == 200 and desk.get(url("driver_ask", ed.pk)).status_code == 404


# --- The day --------------------------------------------------------------------------------------


def worked(name: str) -> Driver:
    """A driver who worked from eight to four, with a break at noon."""
    sam = road.driver(name)
    shift = road.on_duty(sam, now=at(8))
    actions.take_break(shift, by=sam.user, now=at(12))
    actions.end_break(shift_of(sam), by=sam.user, now=at(12, 30))
    actions.go_off_duty(shift_of(sam), by=sam.user, now=at(16))
    return sam


def test_a_day_is_made_of_stretches_on_duty_and_breaks(db: None) -> None:
    sam = worked("Sam")
    day = day_of(sam.pk, DAY, at(23))
    assert [(bar.kind, bar.start, bar.end) for bar in day.duty] == [
        ("on_duty", at(8), at(12)),
        ("on_break", at(12), at(12, 30)),
        ("on_duty", at(12, 30), at(16)),
    ]
    assert day_of(sam.pk, DAY + timedelta(days=1), at(23)).entries == []


def test_the_axis_goes_from_six_to_eight_and_further_where_there_is_more(db: None) -> None:
    sam = worked("Sam")
    day = day_of(sam.pk, DAY, at(23))
    assert (day.first, day.last) == (at(6), at(20)) and day.hours[0] == (0, "06") and day.hours[-1] == (1000, "20")
    assert day.place(at(13)) == 500 and day.place(at(2)) == 0 and day.place(at(23)) == 1000
    early = road.driver("Ann")
    road.on_duty(early, now=at(4, 40))
    day = day_of(early.pk, DAY, at(21, 10))
    assert (day.first, day.last) == (at(4), at(22)) and day.now_at is not None and day.duty[0].end is None


def test_a_shift_over_midnight_is_on_both_days(db: None) -> None:
    sam = road.driver("Sam")
    shift = road.on_duty(sam, now=at(22))
    actions.go_off_duty(shift, by=sam.user, now=at(3, day=DAY + timedelta(days=1)))
    later = at(12, day=DAY + timedelta(days=1))
    first, second = (day_of(sam.pk, DAY + timedelta(days=n), later) for n in (0, 1))
    assert len(first.duty) == len(second.duty) == 1
    assert first.last == first.ends and second.first == second.begins and second.place(at(22)) == 0


def test_a_day_on_which_the_clocks_change_has_23_hours(db: None) -> None:
    sam = road.driver("Sam")
    spring = date(2027, 3, 28)
    shift = road.on_duty(sam, now=at(0, 30, spring))
    actions.go_off_duty(shift, by=sam.user, now=at(23, 30, spring))
    day = day_of(sam.pk, spring, at(12, day=spring + timedelta(days=1)))
    assert (day.ends - day.begins) == 24 * HOUR  # as wall clocks subtract
    assert day.ends.timestamp() - day.begins.timestamp() == 23 * 3600
    assert day.place(at(0, 0, spring)) == 0 and day.place(day.ends) == 1000


def test_legs_stand_in_the_day_with_what_became_of_them(frank: User, alice: User) -> None:
    sam, ann = road.at_work("Sam", now=at(9)), road.at_work("Ann", now=at(9))
    what = road.leg(road.job(alice), frank, now=at(9))
    dispatch = road.offered(what, sam, now=at(10))
    actions.reject_offer(dispatch, by=sam.user, reason=RejectReason.TOO_FAR, now=at(10) + MINUTE / 2)
    road.accepted(what, ann, now=at(11))
    bar = day_of(sam.pk, DAY, at(12)).legs[0]
    assert (bar.kind, bar.start, bar.leg_id) == ("rejected", at(10), what.pk)
    assert bar.end == at(10) + MINUTE / 2 and bar.note.startswith("Declined: Too far away")
    assert day_of(ann.pk, DAY, at(12)).legs[0].end is None


@pytest.mark.parametrize("asked", ["", "nonsense", "2027-99-01", "2099-01-01", "%00"])
def test_a_day_that_is_none_is_today(desk: Client, ed: User, asked: str) -> None:
    assert days.day_asked(asked, at(12)) == DAY
    assert ">Today<" in desk.get(f"{url('driver', ed.pk)}?day={asked}").content.decode()


def test_one_pages_through_the_days(desk: Client, ed: User) -> None:
    html = desk.get(f"{url('driver', ed.pk)}?day=2026-03-02").content.decode()
    assert "Monday 2 March" in html and "?day=2026-03-01" in html and "?day=2026-03-03" in html
    assert "tracking-fleet-all" not in html  # what is past does not move


def test_bars_and_list_say_the_same(desk: Client, frank: User, alice: User) -> None:
    sam = at_work("Sam")
    accepted(leg(alice, frank, note="Boiler valve"), sam)
    html = desk.get(url("driver", sam.pk)).content.decode()
    assert len(re.findall(r"<rect ", html)) == 2 == html.count("goes on</span>")
    assert "Delivery: Boiler valve</a>" in html and ' style="' not in html.partition("<main")[2]


def test_a_key_that_is_none_loads_nothing(db: None) -> None:
    assert days.load_days(["x", "7", "7-2027", "-", "7-20270302x"]) == {}


def test_a_shift_touches_its_first_day_and_today(ed: User) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    shift = actions.go_on_duty(ed, by=ed, now=yesterday)
    touches = touched_by(lambda: actions.go_off_duty(shift, by=ed))
    wanted = {days.key_of(ed.pk, days.local_day(moment)) for moment in (yesterday, timezone.now())}
    assert keys_of(touches, driver_day.name) == wanted


# --- The track ------------------------------------------------------------------------------------


def drove(user: User, *fixes: tuple[datetime, float, float]) -> None:
    """Points of their track."""
    rows = [Fix(user=user, at=moment, received_at=moment, latitude=lat, longitude=lng) for moment, lat, lng in fixes]
    models.QuerySet.bulk_create(Fix._base_manager.all(), rows)


def test_the_track_of_a_day_is_that_day_s_in_order(desk: Client, ed: User) -> None:
    now = timezone.now()
    drove(ed, (now - MINUTE, 51.51, -0.1), (now - 2 * MINUTE, 51.5, -0.1), (now - 3 * 24 * HOUR, 51.6, -0.1))
    points = desk.get(url("driver_track", ed.pk)).json()["points"]
    today = [point for point in points if point[1] < 51.6]
    assert [point[1:] for point in today] == [[51.5, -0.1], [51.51, -0.1]] == [point[1:] for point in points]
    html = desk.get(url("driver", ed.pk)).content.decode()
    assert "1.1 km in 2 points" in html and url("driver_track", ed.pk) in html


def test_silences_in_the_track_are_told(ed: User) -> None:
    drove(ed, (at(9), 51.5, -0.1), (at(9, 4), 51.5, -0.11), (at(9, 30), 51.5, -0.12))
    track = days.track_of(ed.pk, day_of(ed.pk, DAY, at(12)))
    assert track.gaps == [(at(9, 4), at(9, 30))] and track.km == pytest.approx(1.38, abs=0.02)


def test_a_long_track_is_thinned_and_keeps_its_ends(ed: User) -> None:
    drove(ed, *((at(0) + timedelta(seconds=5 * n), 51 + n / 1e5, 0.1) for n in range(2 * days.MOST_POINTS + 5)))
    drawn = days.track_of(ed.pk, day_of(ed.pk, DAY, at(23))).drawn
    assert len(drawn) <= days.MOST_POINTS + 1
    assert drawn[0][0] == at(0).timestamp() * 1000 and drawn[-1][1] == round(51 + (2 * days.MOST_POINTS + 4) / 1e5, 5)


# --- Writing to those on duty ----------------------------------------------------------------------


def test_those_on_duty_are_a_group_breaks_included(alice: User, ed: User) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    actions.take_break(shift_of(ann), by=ann.user)
    to = Recipients(QueryDict(f"roles={ON_DUTY}"))
    assert set(to.people()) == {sam.user, ann.user} and to.count == 2 and to.are_several
    both = Recipients(QueryDict(f"roles={ON_DUTY}&roles=driver&to={sam.pk}&to={alice.pk}"))
    assert set(both.people()) == {sam.user, ann.user, ed, alice} and both.count == 4
    assert Recipients(QueryDict(f"roles={ON_DUTY}")).groups[-1] == (ON_DUTY, "Drivers on duty", 2, True)


def test_with_nobody_on_duty_the_group_is_empty_and_says_so(ed: User) -> None:
    assert Recipients(QueryDict(f"roles={ON_DUTY}")).sentence == "There is nobody in that group just now."


def test_the_fleet_leads_to_a_message_to_those_on_duty(desk: Client) -> None:
    sam = at_work("Sam")
    assert "/desk/messages/new/?roles=on_duty" in desk.get("/desk/fleet/").content.decode()
    html = desk.get("/desk/messages/new/?roles=on_duty").content.decode()
    assert f"This goes to {sam}" in html
