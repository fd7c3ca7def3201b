"""Legs on the desk's pages: made, offered to one or in turn, taken back, given to another, called off; lost races."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel.forms.fleet import SHOWN
from adminpanel.live.fleet import asked as asked_fragment
from adminpanel.live.fleet import leg as leg_fragment
from adminpanel.live.fleet import leg_topic
from adminpanel.tests.road import accepted, at_work, comes_online, leg, offered
from bookings.tests import make
from bookings.tests.follow import audience, on, sent, touched_by
from realtime.topics import Principal, members
from tracking import actions
from tracking.models import Dispatch, Driver, Leg
from tracking.states import DispatchStatus, FailReason, RejectReason
from tracking.tests import make as road


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


@pytest.fixture
def what(alice: User, frank: User) -> Leg:
    """A boiler valve for Alice."""
    return leg(alice, frank, note="Boiler valve")


def url(name: str, pk: int) -> str:
    """The address of a verb."""
    return reverse(f"desk:{name}", args=[pk])


def page(client: Client, what: Leg) -> str:
    """The leg's page."""
    response = client.get(url("leg", what.pk))
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    """What is to be read, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def offer(client: Client, what: Leg, *drivers: Driver, **more: Any) -> Any:
    """The form of the assign dialog, sent."""
    data = {"drivers": [each.pk for each in drivers], "seconds": "60", "how": "ticked", **more}
    return client.post(url("leg_offer", what.pk), data)


# --- Strangers ------------------------------------------------------------------------------------

OF_A_LEG = ("leg", "leg_offer", "leg_cancel")
OF_A_DISPATCH = ("dispatch_revoke", "dispatch_cancel", "dispatch_reassign")


@pytest.mark.parametrize("who", ["alice", "bob", "ed", "sam"])
@pytest.mark.parametrize("name", [*OF_A_LEG, *OF_A_DISPATCH])
def test_other_roles_are_refused_the_driver_of_it_too(
    client: Client, request: Any, what: Leg, who: str, name: str
) -> None:
    sam = at_work("Sam")
    dispatch = accepted(what, sam)
    client.force_login(sam.user if who == "sam" else request.getfixturevalue(who))
    address = url(name, what.pk if name in OF_A_LEG else dispatch.pk)
    assert client.get(address).status_code == 403
    assert client.post(address).status_code == (405 if name == "leg" else 403)


@pytest.mark.parametrize("name", [*OF_A_LEG, *OF_A_DISPATCH])
def test_what_does_not_exist_is_not_found(desk: Client, name: str) -> None:
    assert desk.get(url(name, 4711)).status_code == 404


def test_only_the_desk_belongs_to_the_topic_of_a_leg(frank: User, alice: User, ed: User, what: Leg) -> None:
    everybody = {Principal("user", str(user.pk)) for user in (frank, alice, ed)}
    assert members(leg_topic(what.pk), everybody) == {Principal("user", str(frank.pk))}


# --- A new one ------------------------------------------------------------------------------------


def typed(**changes: Any) -> dict[str, Any]:
    """A leg as the desk types it."""
    return {"kind": "delivery", "note": "Boiler valve", "weight_kg": "12", "pick_up": "", **changes}


def job(customer: User) -> Any:
    """A job that goes on."""
    now = timezone.now()
    return make.job(customer, now=now, window_start=now + make.DAY, window_end=now + make.DAY + make.HOUR * 4)


def test_a_leg_is_made_for_a_booking_and_its_page_opens(desk: Client, alice: User) -> None:
    booking = job(alice)
    address = f"{reverse('desk:leg_new')}?booking={booking.pk}"
    place = {"pick_up": "Depot", "pick_up_latitude": "51.5", "pick_up_longitude": "-0.2"}
    response = desk.post(address, typed(skill=road.towing().pk, **place))
    made = Leg.objects.get()
    assert response.status_code == 303 and response["Location"] == url("leg", made.pk)
    assert (made.booking, made.note, made.weight_kg, made.pick_up) == (booking, "Boiler valve", 12, "Depot")
    assert made.starts_from == (51.5, -0.2) and made.skill == road.towing()
    told = words(page(desk, made))
    assert "Needs a driver" in told and "Nobody has been asked yet" in told and "12 Inverness Street" in told


def test_a_double_tap_makes_one_leg(desk: Client, alice: User) -> None:
    address = f"{reverse('desk:leg_new')}?booking={job(alice).pk}"
    answers = {desk.post(address, typed(idempotency_key="k-1"))["Location"] for _ in range(2)}
    assert len(answers) == 1 == Leg.objects.count()


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": ""},
        {"note": "x" * 201},
        {"kind": "flight"},
        {"weight_kg": "-1"},
        {"weight_kg": "60000"},
        {"pick_up_latitude": "51.5"},
        {"pick_up_latitude": "0", "pick_up_longitude": "0"},
        {"pick_up_latitude": "95", "pick_up_longitude": "0"},
        {"pick_up_latitude": "nan", "pick_up_longitude": "1"},
        {"skill": "99"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: Client, alice: User, wrong: dict[str, str]) -> None:
    address = f"{reverse('desk:leg_new')}?booking={job(alice).pk}"
    response = desk.post(address, typed(pick_up="The old depot", **wrong))
    html = response.content.decode()
    assert response.status_code == 422 and not Leg.objects.exists()
    assert "The old depot" in html and "errorlist" in html


def test_without_a_booking_the_jobs_that_go_on_are_there_to_choose(desk: Client, alice: User, bob: User) -> None:
    booking = job(alice)
    over = make.in_state(alice, bob, "cancelled")
    html = desk.get(reverse("desk:leg_new")).content.decode()
    assert f"?booking={booking.pk}" in html and f"?booking={over.pk}" not in html
    assert f"?booking={booking.pk}" in desk.get(reverse("desk:leg_new") + "?q=alice+tap").content.decode()
    assert "Nothing found" in desk.get(reverse("desk:leg_new") + "?q=zebra").content.decode()


def test_nothing_is_driven_for_a_job_that_is_over(desk: Client, alice: User, bob: User) -> None:
    over = make.in_state(alice, bob, "cancelled")
    address = f"{reverse('desk:leg_new')}?booking={over.pk}"
    for response in (desk.get(address), desk.post(address, typed())):
        assert response.status_code == 409 and "Choose another job" in response.content.decode()
    assert desk.get(reverse("desk:leg_new") + "?booking=4711").status_code == 404


def test_whoever_meets_a_booking_finds_the_way_to_a_new_leg(desk: Client, frank: User, alice: User, bob: User) -> None:
    from adminpanel.tests.talk import about_job

    frank.is_superuser = True
    frank.save()
    conversation = about_job(alice, bob)
    assert conversation.bid is not None
    booking = conversation.bid.booking
    address = f"{reverse('desk:leg_new')}?booking={booking.pk}"
    assert address in desk.get(reverse("desk:conversation", args=[conversation.pk])).content.decode()
    made = road.leg(booking, frank, note="Boiler valve")
    record = desk.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()
    assert address in record and url("leg", made.pk) in record


# --- Asking ---------------------------------------------------------------------------------------


def test_candidates_come_best_first_with_their_reasons(desk: Client, what: Leg) -> None:
    far, near = at_work("Fay", at=road.FAR), at_work("Nia")
    comes_online(far, near)
    lazy = at_work("Lou")
    shift = lazy.user.shifts.get()
    actions.take_break(shift, by=lazy.user)
    html = desk.get(url("leg_offer", what.pk)).content.decode()
    assert re.findall(r'name="drivers" value="(\d+)"( checked)?', html) == [
        (str(near.pk), " checked"),
        (str(far.pk), ""),
    ]
    told = words(html)
    assert "0.7 km away free" in told and "Lou Test on a break" in told


def test_further_candidates_are_folded_away(desk: Client, what: Leg) -> None:
    for number in range(SHOWN + 2):
        at_work(f"Driver{number}")
    html = desk.get(url("leg_offer", what.pk)).content.decode()
    assert "Further ones: 2" in html and html.count('name="drivers"') == SHOWN + 2


def test_with_nobody_at_work_there_is_nothing_to_send(desk: Client, what: Leg) -> None:
    html = desk.get(url("leg_offer", what.pk)).content.decode()
    assert "No driver at work" in html and 'name="how"' not in html


def test_one_driver_is_asked_alone(desk: Client, what: Leg) -> None:
    sam, _ = at_work("Sam"), at_work("Ann")
    response = offer(desk, what, sam)
    assert response.status_code == 303 and response["Location"] == url("leg", what.pk)
    dispatch = what.dispatches.get()
    assert (dispatch.driver, dispatch.round, dispatch.status) == (sam, None, DispatchStatus.OFFERED)
    assert (dispatch.deadline - dispatch.offered_at).total_seconds() == 60


def test_an_urgent_one_has_fifteen_seconds(desk: Client, what: Leg) -> None:
    sam = at_work("Sam")
    assert "Urgent, 15 s" in desk.get(url("leg_offer", what.pk)).content.decode()
    offer(desk, what, sam, seconds="15")
    dispatch = what.dispatches.get()
    assert (dispatch.deadline - dispatch.offered_at).total_seconds() == 15


def test_several_are_asked_in_turn_the_best_first_whatever_was_ticked_first(desk: Client, what: Leg) -> None:
    far, near = at_work("Fay", at=road.FAR), at_work("Nia")
    offer(desk, what, far, near)
    asking = what.rounds.get()
    assert asking.drivers == [near.pk, far.pk] and what.dispatches.get().driver == near
    told = words(page(desk, what))
    assert "2 drivers are asked one after another; 1 so far" in told and "Then 1 more in turn" in told


def test_the_best_few_are_asked_with_one_button(desk: Client, what: Leg) -> None:
    drivers = [at_work(f"Driver{number}") for number in range(4)]
    assert "Ask the best 3 in turn" in desk.get(url("leg_offer", what.pk)).content.decode()
    offer(desk, what, how="best")
    assert len(what.rounds.get().drivers) == 3 and set(what.rounds.get().drivers) < {each.pk for each in drivers}


def test_nobody_ticked_and_too_many_are_said_in_the_form(desk: Client, what: Leg) -> None:
    drivers = [at_work(f"Driver{number}") for number in range(6)]
    for chosen, said in (([], "Tick at least one"), (drivers, "At most 5")):
        response = offer(desk, what, *chosen)
        assert response.status_code == 422 and said in response.content.decode()
    assert not Dispatch.objects.exists()


def test_who_declined_is_not_asked_again_and_who_let_it_lapse_may_be(desk: Client, what: Leg) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    actions.reject_offer(offered(what, sam), by=sam.user, reason=RejectReason.TOO_FAR)
    dispatch = offered(what, ann)
    actions.lapse(dispatch, now=dispatch.deadline)
    told = words(desk.get(url("leg_offer", what.pk)).content.decode())
    assert "Sam Test declined this leg" in told and "Ann Test Van free" not in told
    assert offer(desk, what, sam).status_code == 409
    assert offer(desk, what, ann).status_code == 303


def test_a_leg_that_somebody_holds_says_who_instead_of_asking(desk: Client, what: Leg) -> None:
    sam = at_work("Sam")
    dispatch = offered(what, sam)
    response = desk.get(url("leg_offer", what.pk))
    assert response.status_code == 409 and "Sam Test has been asked" in response.content.decode()
    actions.accept_offer(dispatch, by=sam.user)
    response = desk.get(url("leg_offer", what.pk))
    assert response.status_code == 409 and "has this leg already" in response.content.decode()
    assert url("leg", what.pk) in response.content.decode()


def test_a_lost_race_is_a_sentence_with_a_next_step(desk: Client, frank: User, what: Leg) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    offered(what, sam)
    response = offer(desk, what, ann)
    html = response.content.decode()
    assert response.status_code == 409 and url("leg", what.pk) in html and what.dispatches.count() == 1


def test_a_double_tap_asks_once(desk: Client, what: Leg) -> None:
    sam = at_work("Sam")
    answers = [offer(desk, what, sam, idempotency_key="k-7").status_code for _ in range(2)]
    assert answers == [303, 303] and what.dispatches.count() == 1


# --- Its page, and who is told --------------------------------------------------------------------


def test_the_history_says_who_was_asked_and_what_they_said(desk: Client, what: Leg) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    first = offered(what, sam)
    actions.see_offer(first, by=sam.user)
    actions.reject_offer(first, by=sam.user, reason=RejectReason.TOO_FAR)
    second = offered(what, ann)
    told = words(page(desk, what)).partition("Who was asked")[2]
    assert re.search(
        r"Ann Test Offered.*Asked \d\d:\d\d:\d\d by Frank, until \d\d:\d\d:\d\d Queued: Ann is offline", told
    )
    assert re.search(r"Sam Test Declined.*Seen \d\d:\d\d:\d\d Declined \d\d:\d\d:\d\d \(Too far away", told)
    assert told.index("Ann Test") < told.index("Sam Test")
    actions.lapse(second, now=second.deadline)
    assert "by the clock" in words(page(desk, what))


def test_the_page_shows_the_standing_offer_by_the_servers_deadline(desk: Client, what: Leg) -> None:
    dispatch = offered(what, at_work("Sam"))
    html = page(desk, what)
    assert f'data-deadline="{timezone.localtime(dispatch.deadline).isoformat()[:19]}' in html
    assert "Queued: Sam is offline. It waits on their page until" in words(html)


@pytest.mark.parametrize(
    ("state", "said", "offered_verbs"),
    [
        ("completed", "Done by Sam Test", []),
        ("failed", "Sam Test: failed", ["leg_offer", "leg_cancel"]),
        ("arrived", "Sam Test has it", ["leg_cancel"]),
        ("cancelled", "Called off", []),
    ],
)
def test_each_state_has_its_words_and_its_verbs(
    desk: Client, frank: User, what: Leg, state: str, said: str, offered_verbs: list[str]
) -> None:
    sam = at_work("Sam")
    if state == "cancelled":
        actions.cancel_leg(what, by=frank, reason="Not needed")
    else:
        getattr(road, state)(what, sam, now=timezone.now())
    html = page(desk, what)
    assert said in words(html)
    assert [name for name in ("leg_offer", "leg_cancel") if url(name, what.pk) in html] == offered_verbs


def test_every_step_reaches_the_leg_s_page_and_the_desk_alone(frank: User, alice: User, ed: User, what: Leg) -> None:
    sam = at_work("Sam")
    dispatch = offered(what, sam)
    steps = (
        lambda: actions.see_offer(dispatch, by=sam.user),
        lambda: actions.accept_offer(dispatch, by=sam.user),
        lambda: actions.set_off(dispatch, by=sam.user),
        lambda: actions.arrive(dispatch, by=sam.user),
        lambda: actions.complete(dispatch, by=sam.user),
    )
    for step in steps:
        touches = touched_by(step)
        here = on(touches, leg_topic(what.pk))
        assert here == {(leg_fragment.name, str(what.pk)), (asked_fragment.name, str(what.pk))}
        assert audience(touches, leg_fragment.name, frank, alice, ed, sam.user) == {"Frank"}
    assert "Done by" in str(sent(touches, frank)[f"adminpanel-leg-{what.pk}"])


def test_the_page_costs_the_same_for_many_asked_as_for_one(desk: Client, what: Leg) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(desk, what)
        return len(queries)

    for name in ("Sam", "Ann"):
        driver = at_work(name)
        actions.reject_offer(offered(what, driver), by=driver.user, reason=RejectReason.OTHER)
    before = cost()
    for number in range(5):
        driver = at_work(f"Driver{number}")
        actions.reject_offer(offered(what, driver), by=driver.user, reason=RejectReason.OTHER)
    assert cost() == before


# --- Taking back, giving to another, calling off ---------------------------------------------------


def test_an_offer_is_taken_back(desk: Client, what: Leg) -> None:
    dispatch = offered(what, at_work("Sam"))
    response = desk.post(url("dispatch_revoke", dispatch.pk), {"reason": ""})
    assert response.status_code == 303 and road.fresh(dispatch).status == DispatchStatus.REVOKED
    assert "taken back" in words(page(desk, what)).lower()


@pytest.mark.parametrize("name", ["dispatch_cancel", "dispatch_reassign", "leg_cancel"])
def test_what_needs_a_reason_says_so(desk: Client, what: Leg, name: str) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    dispatch = accepted(what, sam)
    address = url(name, what.pk if name == "leg_cancel" else dispatch.pk)
    assert desk.post(address, {"driver": ann.pk, "reason": " "}).status_code == 422
    assert road.fresh(dispatch).status == DispatchStatus.ACCEPTED


def test_a_leg_is_taken_from_its_driver_and_is_open_again(desk: Client, what: Leg) -> None:
    dispatch = accepted(what, at_work("Sam"))
    desk.post(url("dispatch_cancel", dispatch.pk), {"reason": "Stuck in traffic"})
    assert road.fresh(dispatch).status == DispatchStatus.CANCELLED
    assert "cancelled: stuck in traffic" in words(page(desk, what))


def test_a_leg_is_given_to_another_in_one_step(desk: Client, what: Leg) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    dispatch = accepted(what, sam)
    html = desk.get(url("dispatch_reassign", dispatch.pk)).content.decode()
    assert re.findall(r'name="driver" value="(\d+)"', html) == [str(ann.pk)]
    response = desk.post(url("dispatch_reassign", dispatch.pk), {"driver": ann.pk, "reason": "Nearer"})
    assert response.status_code == 303
    assert list(what.dispatches.order_by("pk").values_list("driver", "status")) == [
        (sam.pk, DispatchStatus.CANCELLED),
        (ann.pk, DispatchStatus.OFFERED),
    ]


def test_with_nobody_else_at_work_it_cannot_be_given_away(desk: Client, what: Leg) -> None:
    dispatch = accepted(what, at_work("Sam"))
    html = desk.get(url("dispatch_reassign", dispatch.pk)).content.decode()
    assert "No other driver" in html and "btn-danger" not in html


def test_a_failed_leg_is_asked_again_the_same_driver_too(desk: Client, what: Leg) -> None:
    sam = at_work("Sam")
    road.failed(what, sam, now=timezone.now())
    assert "Ask again" in page(desk, what) and FailReason.NO_ACCESS.label.lower() in words(page(desk, what)).lower()
    assert offer(desk, what, sam).status_code == 303


def test_a_leg_is_called_off_and_whoever_had_it_loses_it(desk: Client, what: Leg) -> None:
    dispatch = accepted(what, at_work("Sam"))
    assert "Sam Test is told" in desk.get(url("leg_cancel", what.pk)).content.decode()
    desk.post(url("leg_cancel", what.pk), {"reason": "Not needed any more"})
    assert road.fresh(what).cancelled_at is not None
    assert road.fresh(dispatch).status == DispatchStatus.CANCELLED
    assert "Called off" in words(page(desk, what))


@pytest.mark.parametrize("name", OF_A_DISPATCH)
def test_a_page_that_moved_on_says_so_and_where_to_look(desk: Client, what: Leg, name: str) -> None:
    sam, ann = at_work("Sam"), at_work("Ann")
    dispatch = offered(what, sam)
    actions.reject_offer(dispatch, by=sam.user, reason=RejectReason.OTHER)
    address = url(name, dispatch.pk)
    for response in (desk.get(address), desk.post(address, {"reason": "Because", "driver": ann.pk})):
        assert response.status_code == 409 and url("leg", what.pk) in response.content.decode()


# --- Races ----------------------------------------------------------------------------------------


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_eight_desks_that_ask_at_once_one_wins_and_the_others_read_why(alice: User, frank: User) -> None:
    what = leg(alice, frank)
    drivers = [at_work(f"Driver{number}") for number in range(8)]
    clients = []
    for number in range(8):
        clients.append(Client())
        clients[-1].force_login(road.desk(f"Admin{number}"))
    start, answers = threading.Barrier(8), []

    def ask(client: Client, driver: Driver) -> None:
        try:
            start.wait(30)
            answers.append(offer(client, what, driver))
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(clients, drivers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answer.status_code for answer in answers) == [303, *[409] * 7]
    losers = [answer.content.decode() for answer in answers if answer.status_code == 409]
    assert all(url("leg", what.pk) in html for html in losers)
    assert what.dispatches.filter(status=DispatchStatus.OFFERED).count() == 1
