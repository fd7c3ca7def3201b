"""The live fleet: who is on it and how they look, filters, figures, the tray, strangers, what it costs, what moves."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.due import fleet
from adminpanel.fleet import drivers
from adminpanel.fleet.board import board_of
from adminpanel.live.fleet import driver, driver_now, figures, tray_leg
from adminpanel.tests.road import accepted, at_work, comes_online, leg, offered
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, sent, touched_by
from realtime.journal import write_touches
from realtime.models import LastSeen
from tracking import actions
from tracking.access import current_shift
from tracking.models import Position
from tracking.states import RejectReason
from tracking.tests import make as road

PAGE = "/desk/fleet/"


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def html(client: Client, query: str = "") -> str:
    """The page."""
    response = client.get(f"{PAGE}{query}")
    assert response.status_code == 200
    return response.content.decode()


def row(page: str, pk: int) -> str:
    """The row of a driver."""
    found = re.search(rf'<li id="adminpanel-driver-{pk}".*?\n</li>', page, re.S)
    assert found, f"no row of {pk}"
    return found[0]


def rows(page: str) -> list[str]:
    """The drivers' names in the order of their rows."""
    return re.findall(r'data-driver="\d+" data-name="(\w+) Test"', page)


# --- Who may look ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_other_roles_are_refused(client: Client, request: pytest.FixtureRequest, who: str) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(PAGE).status_code == 403


def test_who_is_signed_out_signs_in_and_comes_back(client: Client, db: None) -> None:
    assert client.get(PAGE)["Location"].endswith("?next=/desk/fleet/")


def test_the_entry_is_in_the_desks_navigation_only(desk: Client, alice: User) -> None:
    assert 'href="/desk/fleet/" aria-current="page"' in html(desk)
    desk.force_login(alice)
    assert "/desk/fleet/" not in desk.get("/").content.decode()


@pytest.mark.parametrize("fragment", ["driver", "tray_leg", "figures"])
def test_only_the_desk_is_told(frank: User, alice: User, ed: User, bob: User, fragment: str) -> None:
    sam = at_work("Sam")
    touches = touched_by(lambda: offered(leg(alice, frank), sam))
    assert audience(touches, f"adminpanel.{fragment}", frank, alice, ed, bob, sam.user) == {"Frank"}


# --- What a row says ------------------------------------------------------------------------------


def test_duty_connection_load_and_position_are_four_facts(desk: Client, frank: User, alice: User) -> None:
    sam = at_work("Sam", plate="LB10 XYZ")
    page = row(html(desk), sam.pk)
    assert 'data-duty="on_duty" data-connection="offline" data-load="available"' in page
    assert "Van LB10 XYZ" in page and "On duty" in page and "Offline" in page and "Available" in page
    assert 'data-age-state="live"' in page
    comes_online(sam)
    accepted(leg(alice, frank, note="Boiler valve"), sam)
    page = row(html(desk), sam.pk)
    assert 'data-duty="on_duty" data-connection="online" data-load="busy"' in page
    assert "Boiler valve" in page and "to Camden, NW1" in page


def test_a_driver_who_shares_no_position_yet_says_so_and_one_off_duty_says_nothing(desk: Client) -> None:
    sam, ann = at_work("Sam", at=None), road.driver("Ann")
    page = html(desk)
    assert "No position yet" in row(page, sam.pk) and "fleet-seen" not in row(page, ann.pk)


@pytest.mark.parametrize(
    ("trip", "word"), [(None, ""), (80, "Good line"), (299, "Good line"), (300, "Fair line"), (1000, "Poor line")]
)
def test_the_round_trip_says_how_well_somebody_is_heard(desk: Client, trip: int | None, word: str) -> None:
    sam = at_work("Sam")
    comes_online(sam)
    position = Position.objects.get(pk=sam.pk)
    position.round_trip_ms = trip
    position.save()
    page = row(html(desk), sam.pk)
    assert (word in page) if word else ('data-fleet-quality="" hidden' in page)


def test_a_line_that_is_cut_has_no_quality(desk: Client) -> None:
    sam = at_work("Sam")
    Position.objects.get(pk=sam.pk).delete()
    road.place(sam.user, road.NEAR, now=timezone.now(), round_trip_ms=80)
    assert "Good line" not in row(html(desk), sam.pk)


@pytest.mark.parametrize(("minutes", "state"), [(0, "live"), (1, "stale"), (6, "lost")])
def test_a_position_is_shown_with_its_age(desk: Client, minutes: int, state: str) -> None:
    sam = at_work("Sam", at=None)
    road.place(sam.user, road.NEAR, now=timezone.now() - minutes * make.MINUTE)
    assert f'data-age-state="{state}"' in row(html(desk), sam.pk)


def test_those_on_duty_stand_first_then_by_name(desk: Client) -> None:
    at_work("Zoe"), at_work("ann"), road.driver("Ben")
    taking = at_work("Carl")
    shift = current_shift(taking.pk)
    assert shift is not None
    actions.take_break(shift, by=taking.user)
    assert rows(html(desk)) == ["ann", "Zoe", "Carl", "Ben"]


def test_a_driver_without_a_vehicle_is_there_a_closed_account_is_not(desk: Client, ed: User) -> None:
    assert "No vehicle entered" in row(html(desk), ed.pk)
    ed.is_active = False
    ed.save()
    page = html(desk)
    assert rows(page) == [] and "No drivers yet" in page


def test_an_offer_that_waits_stands_on_the_row_with_its_deadline(desk: Client, frank: User, alice: User) -> None:
    sam = at_work("Sam")
    dispatch = offered(leg(alice, frank, note="Boiler valve"), sam)
    page = row(html(desk), sam.pk)
    assert "Asked" in page and f'data-deadline="{timezone.localtime(dispatch.deadline).isoformat()[:19]}' in page


# --- Filters --------------------------------------------------------------------------------------


def test_filters_are_attributes_of_the_list_and_every_driver_is_on_the_page(desk: Client) -> None:
    at_work("Sam"), road.driver("Ann")
    page = html(desk, "?duty=on_duty&connection=online&load=busy")
    assert 'data-duty="on_duty" data-connection="online" data-load="busy"' in page.partition("fleet-rows")[2][:900]
    assert rows(page) == ["Sam", "Ann"]
    assert '<option value="on_duty" selected>' in page


@pytest.mark.parametrize("query", ["?duty=nonsense&load=%00", "?driver=x&q=%00", "?driver=99999999999999999999"])
def test_nonsense_in_the_address_is_no_filter(desk: Client, query: str) -> None:
    at_work("Sam")
    assert rows(html(desk, query)) == ["Sam"]


def test_a_search_without_a_match_says_so(desk: Client) -> None:
    at_work("Sam")
    assert rows(html(desk, "?q=sam")) == ["Sam"]
    page = html(desk, "?q=<b>")
    assert rows(page) == [] and "No driver is called “&lt;b&gt;”" in page


# --- The figures ----------------------------------------------------------------------------------


def test_the_figures_count_drivers_and_legs(desk: Client, frank: User, alice: User) -> None:
    sam, ann, ben, eve = at_work("Sam"), at_work("Ann"), at_work("Ben"), at_work("Eve")
    shift = current_shift(eve.pk)
    assert shift is not None
    actions.take_break(shift, by=eve.user)
    accepted(leg(alice, frank), sam)
    offered(leg(alice, frank), ann)
    leg(alice, frank)
    comes_online(sam, ben, eve)
    found = drivers.figures()["all"]
    assert (found.on_duty, found.on_break, found.available, found.busy) == (3, 1, 2, 1)
    assert (found.connected, found.mute, found.waiting, found.asked) == (2, 1, 1, 1)
    assert '<strong data-cell="mute">1</strong> not reachable' in html(desk)


def test_legs_that_are_done_or_called_off_are_not_counted(frank: User, alice: User) -> None:
    road.completed(leg(alice, frank), at_work("Sam"), now=timezone.now())
    actions.cancel_leg(leg(alice, frank), by=frank, reason="Not needed")
    assert (drivers.figures()["all"].waiting, drivers.figures()["all"].asked) == (0, 0)


# --- The tray -------------------------------------------------------------------------------------


def tray(page: str) -> list[str]:
    """What stands in the tray, in order, as (note, state)."""
    return re.findall(r'data-state="(\w+)" data-name="([^"]+)"', page)


def test_the_tray_holds_what_nobody_has_taken_the_unasked_first(desk: Client, frank: User, alice: User) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    offered(leg(alice, frank, note="Asked"), sam)
    leg(alice, frank, note="Open")
    accepted(leg(alice, frank, note="Taken"), ann)
    assert tray(html(desk)) == [("waiting", "Open"), ("offered", "Asked")]


def test_a_queued_offer_says_for_whom_it_waits(desk: Client, frank: User, alice: User) -> None:
    sam = at_work("Sam")
    dispatch = offered(leg(alice, frank), sam)
    assert "Queued: Sam is offline" in html(desk)
    comes_online(sam)
    page = html(desk)
    assert "Queued" not in page and "Not seen yet" in page
    actions.see_offer(dispatch, by=sam.user)
    assert re.search(r"Seen <time [^>]*>\d\d:\d\d:\d\d</time>", html(desk))


def test_a_declined_leg_is_back_with_the_reason(desk: Client, frank: User, alice: User) -> None:
    sam = at_work("Sam")
    actions.reject_offer(offered(leg(alice, frank), sam), by=sam.user, reason=RejectReason.TOO_FAR)
    page = html(desk)
    assert "Sam: declined: too far away" in page and "Ask again" in page


def test_after_the_visit_a_leg_can_still_be_asked_for(desk: Client, frank: User, alice: User) -> None:
    what = leg(alice, frank, note="Old boiler")
    what.booking.status = "completed"
    what.booking.save()
    assert reverse("desk:leg_offer", args=[what.pk]) in html(desk)
    assert desk.get(reverse("desk:leg_offer", args=[what.pk])).status_code == 200


def test_minutes_that_pass_draw_no_row_anew_but_the_drivers_own_page(frank: User, alice: User) -> None:
    sam = at_work("Sam")
    journey = actions.set_off(accepted(leg(alice, frank), sam), by=sam.user).journeys.get()
    journey.eta_minutes = 7
    touches = touched_by(lambda: journey.save(update_fields=["eta_minutes"]))
    assert {touch.fragment for touch in touches if touch.fragment.startswith("adminpanel.")} == {driver_now.name}
    assert "about 7 min" in str(sent(touches, frank)[f"adminpanel-driver-now-{sam.pk}"])


# --- Technicians on the map -----------------------------------------------------------------------


def test_a_technician_on_the_way_is_in_a_list_of_their_own_until_they_are_there(
    desk: Client, alice: User, bob: User
) -> None:
    now = timezone.now()
    visit = make.visit(alice, bob, now=now, window_start=now + make.HOUR, window_end=now + 4 * make.HOUR)
    journey = actions.set_out(visit, by=bob)
    page = html(desk)
    assert f'data-traveller="{bob.pk}"' in page and "Kitchen tap leaks" in page
    touches = touched_by(lambda: actions.turn_back(journey, by=bob))
    assert str(journey.pk) in keys_of(touches, "adminpanel.traveller")
    assert sent({t for t in touches if t.fragment == "adminpanel.traveller"}, User.objects.get(name="Frank Test")) == {
        f"adminpanel-traveller-{journey.pk}": None
    }
    assert f'data-traveller="{bob.pk}"' not in html(desk)


# --- Positions ------------------------------------------------------------------------------------


def test_positions_come_in_one_piece_of_json_beside_the_rows(desk: Client) -> None:
    sam = at_work("Sam")
    page = html(desk)
    found = re.search(r'<div id="tracking-fleet-all"[^>]*>(.*?)</div>', page, re.S)
    assert found
    people = json.loads(found[1].replace("&quot;", '"'))["people"]
    assert people[0][:3] == [sam.pk, road.NEAR.latitude, road.NEAR.longitude]


def test_a_position_that_moves_draws_no_row_anew(db: None) -> None:
    sam = at_work("Sam")
    position = Position.objects.get(pk=sam.pk)
    position.latitude = 51.55

    touches = touched_by(position.save)
    assert not [touch for touch in touches if touch.fragment.startswith("adminpanel.")]


# --- What moves -----------------------------------------------------------------------------------


def test_a_shift_moves_the_row_and_the_figures(ed: User) -> None:
    touches = touched_by(lambda: actions.go_on_duty(ed, by=ed))
    assert keys_of(touches, driver.name) == {str(ed.pk)} and keys_of(touches, figures.name) == {"all"}


def test_a_driver_who_comes_online_moves_their_row_the_figures_and_the_offers_that_wait(
    frank: User, alice: User
) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    what = leg(alice, frank)
    offered(what, sam)
    offered(leg(alice, frank), ann)
    page = comes_online(sam)[0]
    touches = touched_by(page.delete)
    assert keys_of(touches, driver.name) == {str(sam.pk)}
    assert keys_of(touches, figures.name) == {"all"}
    assert keys_of(touches, tray_leg.name) == {str(what.pk)}


def test_customers_who_come_online_move_nothing_here_and_cost_one_query(alice: User, charlie: User) -> None:
    pages = [comes_online(each)[0] for each in (alice, charlie)]
    with CaptureQueriesContext(connection) as queries:
        touches = touched_by(lambda: write_touches([(None, page) for page in pages]))
    assert {touch.topic for touch in touches if touch.fragment.startswith("adminpanel.")} == {
        "desk.presence",
        "desk.figures",
    }
    assert len([query for query in queries if "role" in query["sql"]]) == 1


def test_drivers_who_come_back_together_cost_two_queries(frank: User, alice: User) -> None:
    drivers = [at_work(name) for name in ("Sam", "Ann", "Lou")]
    what = leg(alice, frank)
    offered(what, drivers[0])
    pages = [comes_online(each)[0] for each in drivers]
    with CaptureQueriesContext(connection) as queries:
        touches = touched_by(lambda: write_touches([(None, page) for page in pages]))
    assert keys_of(touches, driver.name) == {str(each.pk) for each in drivers}
    assert keys_of(touches, tray_leg.name) == {str(what.pk)}
    asking = [query for query in queries if "SELECT" in query["sql"] and "journal" not in query["sql"]]
    assert len([query for query in asking if "accounts_user" in query["sql"] or "dispatch" in query["sql"]]) == 2


def test_an_accepted_leg_leaves_the_tray_of_every_open_page(frank: User, alice: User) -> None:
    sam = at_work("Sam")
    what = leg(alice, frank)
    dispatch = offered(what, sam)
    touches = touched_by(lambda: actions.accept_offer(dispatch, by=sam.user))
    shown = sent(touches, frank)
    assert shown[f"adminpanel-tray-leg-{what.pk}"] is None
    assert 'data-load="busy"' in str(shown[f"adminpanel-driver-{sam.pk}"])


def test_a_name_that_changes_changes_on_the_rows(frank: User, alice: User) -> None:
    sam = at_work("Sam")
    sam.user.name = "Samuel Test"
    touches = touched_by(sam.user.save)
    assert "Samuel Test" in str(sent(touches, frank)[f"adminpanel-driver-{sam.pk}"])


# --- By the clock ---------------------------------------------------------------------------------


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the desk looked a moment ago."""
    monkeypatch.setattr(fleet, "_looked", None)


@pytest.mark.parametrize("age", [30, 300])
def test_a_position_that_grows_old_draws_the_row_anew_once(db: None, looked: None, age: int) -> None:
    sam = at_work("Sam", at=None)
    now = timezone.now()
    road.place(sam.user, road.NEAR, now=now)
    later = now + timedelta(seconds=age + 1)
    assert fleet.look_at_drivers(later - timedelta(seconds=2)) == 0
    touches = touched_by(lambda: fleet.look_at_drivers(later))
    assert keys_of(touches, driver.name) == {str(sam.pk)}
    assert fleet.look_at_drivers(later + timedelta(seconds=1)) == 0


def test_who_falls_away_is_told_by_the_clock_with_the_offers_that_wait_for_them(
    frank: User, alice: User, looked: None
) -> None:
    sam = at_work("Sam")
    what = leg(alice, frank)
    offered(what, sam)
    now = timezone.now()
    LastSeen(kind="user", principal=str(sam.pk), seen_at=now).save()
    LastSeen(kind="user", principal=str(alice.pk), seen_at=now).save()
    touches = touched_by(lambda: fleet.look_at_drivers(now + timedelta(seconds=59)))
    assert keys_of(touches, driver.name) == {str(sam.pk)}
    assert keys_of(touches, tray_leg.name) == {str(what.pk)} and keys_of(touches, figures.name) == {"all"}


# --- What it costs --------------------------------------------------------------------------------


def cost(client: Client) -> int:
    """The queries of the page."""
    with CaptureQueriesContext(connection) as queries:
        html(client)
    return len(queries)


def test_the_page_counts_as_the_fragment_does_whoever_is_looked_for(frank: User, alice: User) -> None:
    comes_online(at_work("Sam"))
    offered(leg(alice, frank), at_work("Kim"))
    accepted(leg(alice, frank), at_work("Ann"))
    leg(alice, frank)
    board = board_of("ann", timezone.now())
    assert [row.user.first_name for row in board.drivers.values()] == ["Ann"]
    assert board.figures == drivers.figures()["all"]
    assert (board.figures.on_duty, board.figures.busy, board.figures.waiting, board.figures.asked) == (3, 1, 1, 1)


def test_the_page_costs_the_same_for_many_as_for_two(desk: Client, frank: User, alice: User) -> None:
    for name in ("Sam", "Ann"):
        offered(leg(alice, frank), at_work(name))
    accepted(leg(alice, frank), at_work("Kim"))
    before = cost(desk)
    for number in range(6):
        who = at_work(f"Driver{number}", road.towing())
        comes_online(who)
        if number % 2:
            accepted(leg(alice, frank), who)
        else:
            offered(leg(alice, frank), who)
    assert cost(desk) == before
