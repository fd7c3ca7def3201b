"""The driver's screen and its verbs, by forms without JavaScript and by one tap; what is refused, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from common.idempotency import HEADER
from notifications.models import Notification
from tracking import actions
from tracking.access import current_shift
from tracking.models import Dispatch, Driver, Journey, RefusedFixes
from tracking.states import DispatchStatus, Duty, FailReason, Refused, RejectReason
from tracking.tests import make

ADDRESS = "12 Inverness Street"
SECRETS = (ADDRESS, "Alice", "+44", "Depot Road")
DUTY_VERBS = ("on", "break", "back", "off")
LEG_VERBS = ("accept", "decline", "set_off", "arrive", "complete", "fail")


class Browser:
    """A person at a browser without JavaScript: follows links, fills in the forms that pages hold."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def read(self, url: str, status: int = 200) -> str:
        response = self.client.get(url)
        assert response.status_code == status, (url, response.status_code)
        return response.content.decode()

    def send(self, url: str, **typed: str) -> HttpResponse:
        """Open the form at `url`, type, send."""
        form = self.read(url)
        key = re.search(r'name="idempotency_key" value="([^"]+)"', form)
        assert key, "every form that changes something carries a key"
        return self.client.post(url, {"idempotency_key": key[1], **typed})

    def done(self, url: str, **typed: str) -> str:
        """The same, for what works; returns the screen that the answer leads to."""
        response = self.send(url, **typed)
        assert response.status_code == 303, response.content.decode()[:3000]
        assert response["Location"] == reverse("tracking:drive")
        return self.read(response["Location"])

    def tap(self, url: str, *, key: str = "tap", **said: str) -> HttpResponse:
        """One tap on the screen, as its script posts it."""
        headers = {"HX-Request": "true", HEADER: key}
        return self.client.post(url, urlencode(said), "application/x-www-form-urlencoded", headers=headers)


def url(name: str, *rows: Dispatch) -> str:
    return reverse(f"tracking:{name}", args=[row.pk for row in rows])


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def now_leg(alice: User, frank: User, **changes: object):
    """A leg for a job of Alice's, by the real clock."""
    return make.leg(make.job(alice), frank, now=timezone.now(), **changes)


@pytest.fixture
def sam(db: None) -> Driver:
    """The driver that a test is about, on duty."""
    return make.at_work("Sam", now=timezone.now(), plate="AB12 CDE")


@pytest.fixture
def tess(db: None) -> Driver:
    """Another driver on duty."""
    return make.at_work("Tess", now=timezone.now())


@pytest.fixture
def at(sam: Driver) -> Browser:
    return Browser(sam.user)


@pytest.fixture
def asked(alice: User, frank: User, sam: Driver) -> Dispatch:
    """An offer that waits for Sam."""
    what = now_leg(alice, frank, pick_up="Depot Road 3", pick_up_point=make.NEAR, weight_kg=18)
    return make.offered(what, sam, now=timezone.now())


@pytest.fixture
def taken(asked: Dispatch, sam: Driver) -> Dispatch:
    """A leg that Sam has."""
    return actions.accept_offer(asked, by=sam.user)


# --- Duty -----------------------------------------------------------------------------------------


class TestDuty:
    def test_a_shift_from_its_first_to_its_last_page(self, db):
        tom = make.driver("Tom")
        tom_at = Browser(tom.user)
        page = tom_at.read(url("drive"))
        assert "You are off duty" in page and "Nobody." in page
        assert "Waiting for the desk" in tom_at.done(url("on"))
        assert current_shift(tom.pk).duty == Duty.ON_DUTY
        assert "On a break" in tom_at.done(url("break"))
        assert "Waiting for the desk" in tom_at.done(url("back"))
        assert "You are off duty" in tom_at.done(url("off"))
        assert current_shift(tom.pk) is None

    def test_somebody_who_never_drove_gets_their_screen(self, ed):
        assert "You are off duty" in Browser(ed).read(url("drive"))
        assert Driver.objects.filter(pk=ed.pk).exists()

    @pytest.mark.parametrize("name", ["break", "back", "off"])
    def test_off_duty_there_is_nothing_to_stop(self, ed, name):
        html = Browser(ed).read(url(name), status=409)
        assert "You are off duty." in html
        assert Browser(ed).tap(url(name)).status_code == 409

    def test_what_is_so_already_is_said_and_not_asked(self, at):
        assert "Your shift has begun already." in at.read(url("on"))
        assert "You are on duty." in at.read(url("back"))
        response = at.tap(url("on"))
        assert response.status_code == 409 and "You are on duty already." in response.content.decode()

    def test_the_switch_offers_only_what_can_be_done(self, at, taken, sam):
        page = at.read(url("drive"))
        assert url("break") in page and url("off") not in page
        assert "Finish your leg before you go off duty." in page
        actions.set_off(taken, by=sam.user)
        page = at.read(url("drive"))
        assert url("break") not in page and "You are on the way" in page
        response = at.tap(url("off"))
        assert response.status_code == 409 and "is not finished" in response.content.decode()

    def test_on_a_break_with_a_leg_the_next_step_is_back_on_duty(self, at, taken, sam):
        actions.take_break(current_shift(sam.pk), by=sam.user)
        page = at.read(url("drive"))
        assert "Back on duty" in page and url("set_off", taken) not in page


# --- An offer -------------------------------------------------------------------------------------


class TestOffer:
    def test_it_tells_the_area_and_never_the_address(self, at, asked):
        make.place(asked.driver.user, make.NEAR, now=timezone.now())
        for page in (at.read(url("drive")), at.read(url("accept", asked)), at.read(url("decline", asked))):
            assert not [secret for secret in SECRETS if secret in page]
        text = words(at.read(url("drive")))
        assert "Delivery to Camden, NW1" in text and "18 kg" in text and "Fetch it first, about" in text

    def test_distances_are_counted_from_rounded_points(self, at, asked, alice, frank, sam):
        """Two doors in one cell of about a kilometre are as far from everywhere."""
        make.place(sam.user, make.FAR, now=timezone.now())
        here = re.search(r"Camden, NW1, about ([\d.]+) km", words(at.read(url("drive"))))
        actions.revoke_offer(asked, by=frank)
        elsewhere = make.job(alice, latitude=51.5310, longitude=-0.1426)
        make.offered(make.leg(elsewhere, frank, now=timezone.now()), sam, now=timezone.now())
        there = re.search(r"Camden, NW1, about ([\d.]+) km", words(at.read(url("drive"))))
        assert here and there and here[1] == there[1]

    def test_accepting_opens_address_phone_and_navigation(self, at, asked, alice):
        alice.phone = "+44 7700 900321"
        alice.save(update_fields=["phone"])
        page = at.done(url("accept", asked))
        for part in (ADDRESS, "Depot Road 3", "Alice Test", 'href="tel:+447700900321"', "geo:51.539000,-0.142600?q="):
            assert part in page
        assert make.fresh(asked).status == DispatchStatus.ACCEPTED

    @pytest.mark.parametrize("reason", list(RejectReason))
    def test_declining_by_a_tap_brings_its_reason(self, at, asked, reason):
        page = at.read(url("drive"))
        assert f"{url('decline', asked)}?reason={reason.value}" in page
        assert at.tap(url("decline", asked), reason=reason).status_code == 204
        row = make.fresh(asked)
        assert row.status == DispatchStatus.REJECTED and reason.label in row.reason

    def test_declining_by_the_page_starts_with_the_reason_of_the_address(self, at, asked):
        form = at.read(f"{url('decline', asked)}?reason=vehicle")
        assert re.search(r'value="vehicle"[^>]*checked', form)
        assert at.send(url("decline", asked)).status_code == 422
        at.done(url("decline", asked), reason="shift_ends")
        assert make.fresh(asked).status == DispatchStatus.REJECTED

    def test_the_receipt_is_kept_once(self, at, asked):
        assert at.client.post(url("seen", asked)).status_code == 204
        first = make.fresh(asked).seen_at
        assert first is not None
        assert at.client.post(url("seen", asked)).status_code == 204
        assert make.fresh(asked).seen_at == first
        assert at.client.get(url("seen", asked)).status_code == 405

    def test_a_tap_twice_with_one_key_is_one_answer(self, at, asked):
        first, second = at.tap(url("accept", asked)), at.tap(url("accept", asked))
        assert (first.status_code, second.status_code) == (204, 204)
        assert second["Idempotency-Replayed"] == "true"
        assert make.states(make.fresh(asked)) == ["offered", "accepted"]

    def test_too_late_is_a_sentence_with_a_next_step(self, at, asked, frank):
        actions.revoke_offer(asked, by=frank)
        assert "This leg is taken back by now." in at.read(url("accept", asked))
        response = at.tap(url("accept", asked))
        assert response.status_code == 409
        html = response.content.decode()
        assert "data-refusal" in html and "The desk took this" in html and url("drive") in html

    def test_several_stand_in_the_order_of_their_deadlines(self, at, asked, alice, frank, sam):
        sooner = make.offered(now_leg(alice, frank, note="Copper pipes"), sam, now=timezone.now(), seconds=20)
        page = words(at.read(url("drive")))
        assert "Delivery to Camden, NW1 Copper pipes" in page and "1 more waits" in page
        at.tap(url("decline", sooner), reason="too_far")
        assert "Delivery to Camden, NW1 A new boiler" in words(at.read(url("drive")))

    def test_beside_a_leg_it_waits_small(self, at, taken, alice, frank, sam):
        waits = make.offered(now_leg(alice, frank, note="Copper pipes"), sam, now=timezone.now())
        page = at.read(url("drive"))
        assert "is-waiting" in page and url("accept", waits) not in page and url("decline", waits) in page
        response = at.tap(url("accept", waits))
        assert response.status_code == 409 and "Finish that one first" in response.content.decode()

    def test_it_stands_on_every_page_of_the_driver_and_of_nobody_else(self, at, asked, tess, frank, alice):
        for page in (reverse("chat:list"), reverse("profile")):
            assert f'data-offer="{asked.pk}"' in at.read(page)
        for other in (tess.user, frank, alice):
            assert f'data-offer="{asked.pk}"' not in Browser(other).read(reverse("profile"))


# --- A leg ----------------------------------------------------------------------------------------


class TestLeg:
    def test_from_setting_off_to_the_end(self, at, taken, alice):
        page = at.done(url("set_off", taken))
        assert "I have arrived" in page and "Alice" in words(page.split("Who can see me now")[1])
        assert Journey.objects.get().closed_at is None
        page = at.done(url("arrive", taken))
        assert "Finish" in page and "No customer." in page
        page = at.done(url("complete", taken), note="Left with the neighbour")
        assert "1 leg finished in this shift" in page and ADDRESS not in page
        last = taken.history.last()
        assert last is not None and last.reason == "Left with the neighbour"

    def test_one_tap_is_enough_where_nothing_is_asked(self, at, taken):
        assert at.tap(url("set_off", taken), key="a").status_code == 204
        assert at.tap(url("arrive", taken), key="b").status_code == 204
        assert at.tap(url("complete", taken), key="c").status_code == 204
        assert make.states(make.fresh(taken))[-3:] == ["en_route", "arrived", "completed"]

    def test_arriving_is_one_tap_only_where_the_position_says_so(self, at, taken, sam):
        actions.set_off(taken, by=sam.user)
        assert f'href="{url("arrive", taken)}" data-dialog' in at.read(url("drive"))
        assert "you are not there yet" in at.read(url("arrive", taken))
        journey = Journey.objects.get()
        journey.near_at = timezone.now()
        journey.save(update_fields=["near_at"])
        assert f'href="{url("arrive", taken)}" data-tap' in at.read(url("drive"))
        assert "you are not there yet" not in at.read(url("arrive", taken))

    @pytest.mark.parametrize("reason", list(FailReason))
    def test_it_does_not_work_out(self, at, taken, reason):
        assert at.send(url("fail", taken)).status_code == 422
        page = at.done(url("fail", taken), reason=reason, note="A gate")
        assert ADDRESS not in page
        row = make.fresh(taken)
        assert row.status == DispatchStatus.FAILED and row.reason == f"{reason.label}. A gate"

    def test_what_the_desk_took_away_is_told_for_a_while(self, at, taken, frank):
        actions.cancel_dispatch(taken, by=frank, reason="The customer called.")
        page = at.read(url("drive"))
        assert 'role="alert"' in page and "is no longer yours. The customer called." in page and ADDRESS not in page
        taken = make.fresh(taken)
        taken.ended_at, taken.offered_at = (
            moment - timedelta(minutes=11) for moment in (taken.ended_at, taken.offered_at)
        )
        taken.save(update_fields=["ended_at", "offered_at"])
        assert "is no longer yours" not in at.read(url("drive"))

    @pytest.mark.parametrize("name", LEG_VERBS)
    def test_in_another_state_the_page_says_how_far_it_is(self, at, taken, sam, frank, name):
        actions.cancel_dispatch(taken, by=frank, reason="The customer called.")
        page = at.read(url(name, taken))
        assert "This leg is cancelled by now." in page and "<form" not in page.split("<main")[1]


# --- Taps that waited on the device ---------------------------------------------------------------


class TestQueued:
    def tapped(self, at: Browser, taken: Dispatch, at_ms: object):
        assert at.tap(url("set_off", taken), at=str(at_ms)).status_code == 204
        return taken.history.last().device_at

    def ms(self, **ago: float) -> int:
        return int((timezone.now() - timedelta(**ago)).timestamp() * 1000)

    def test_one_that_waited_keeps_its_own_time(self, at, taken):
        moment = self.ms(minutes=3)
        assert int(self.tapped(at, taken, moment).timestamp() * 1000) == moment

    @pytest.mark.parametrize("ago", [{"seconds": 1}, {"days": 2}, {"hours": -1}])
    def test_one_that_came_at_once_or_cannot_be_true_has_none(self, at, taken, ago):
        assert self.tapped(at, taken, self.ms(**ago)) is None

    @pytest.mark.parametrize("nonsense", ["", "soon", "-5", "1e9", "9" * 30, "١٢٣"])
    def test_nonsense_has_none(self, at, taken, nonsense):
        assert self.tapped(at, taken, nonsense) is None


# --- The position's own page ----------------------------------------------------------------------


class TestNotices:
    def test_opening_the_screen_reads_what_is_on_it_and_a_page_that_asks_for_itself_does_not(self, at, asked, sam):
        unread = Notification.objects.filter(user=sam.user, group="drive", read_at=None)
        assert unread.exists()
        at.client.get(url("drive"), headers={"X-Live-Refresh": "1"})
        assert unread.exists()
        at.read(url("drive"))
        assert not unread.exists()


class TestGps:
    def test_what_was_refused_today_is_counted_and_explained(self, at, sam):
        assert "None. Everything your device sent was believable." in at.read(url("gps"))
        today = timezone.now().date()
        for reason in Refused:
            RefusedFixes.objects.create(user=sam.user, day=today, reason=reason, count=3)
        RefusedFixes.objects.create(user=sam.user, day=today - timedelta(days=1), reason=Refused.JUMP, count=999)
        page = at.read(url("gps"))
        for reason in Refused:
            assert str(reason.label).replace("'", "&#x27;") in page
        assert page.count('class="small muted"') == len(Refused) and "999" not in page

    def test_a_technician_has_it_too(self, bob):
        assert "believable" in Browser(bob).read(url("gps"))


# --- Strangers ------------------------------------------------------------------------------------


class TestStrangers:
    @pytest.mark.parametrize("name", ["drive", *DUTY_VERBS])
    def test_the_screen_is_for_drivers(self, alice, bob, frank, name):
        for who in (alice, bob, frank):
            Browser(who).read(url(name), status=403)
            if name != "drive":
                assert Browser(who).tap(url(name)).status_code == 403
        response = Client().get(url(name))
        assert response.status_code == 302 and response["Location"].startswith(reverse("account_login"))

    @pytest.mark.parametrize("name", [*LEG_VERBS, "seen"])
    def test_a_leg_is_its_drivers_alone(self, asked, tess, alice, bob, frank, name):
        there = url(name, asked)
        assert Browser(tess.user).tap(there, reason="too_far").status_code == 404
        for who in (alice, bob, frank):
            assert Browser(who).tap(there, reason="too_far").status_code == 403
        assert Client().post(there).status_code == 302
        assert make.fresh(asked).status == DispatchStatus.OFFERED and make.fresh(asked).seen_at is None

    @pytest.mark.parametrize("name", LEG_VERBS)
    def test_a_leg_that_is_not_there_is_a_404(self, at, name):
        at.read(reverse(f"tracking:{name}", args=[999_999]), status=404)

    def test_the_positions_page_is_not_for_the_others(self, alice, frank):
        for who in (alice, frank):
            Browser(who).read(url("gps"), status=403)

    def test_home_sends_drivers_to_their_screen(self, at):
        response = at.client.get(reverse("home"))
        assert response.status_code == 302 and response["Location"] == url("drive")
