"""What a technician does, through the pages as a browser without JavaScript sends them, and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings import actions
from bookings.models import Bid, RescheduleProposal, Session
from bookings.tests import make
from bookings.tests.make import HOUR, MINUTE, NOW
from common.refusals import Conflict

HTMX = {"HX-Request": "true"}


class Browser:
    """A person at a browser without JavaScript: follows links, fills in the forms that pages hold."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def read(self, url: str, status: int = 200) -> str:
        response = self.client.get(url)
        assert response.status_code == status, (url, response.status_code)
        return response.content.decode()

    def send(self, url: str, **typed):
        """Open the form at `url`, type, send."""
        form = self.read(url)
        key = re.search(r'name="idempotency_key" value="([^"]+)"', form)
        assert key, "every form that changes something carries a key"
        return self.client.post(url, {"idempotency_key": key[1], **typed})

    def done(self, url: str, **typed) -> str:
        """The same, for what works; returns the page that the answer leads to."""
        response = self.send(url, **typed)
        assert response.status_code == 303, response.content.decode()[:3000]
        return self.read(response["Location"])


@pytest.fixture
def at(bob) -> Browser:
    """Bob's browser."""
    return Browser(bob)


def url(name: str, row) -> str:
    return reverse(f"bookings:{name}", args=[row.pk])


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def offer_data(booking, amount: str = "60", *, hours: int = 0, **changes) -> dict[str, str]:
    """What the offer form sends, in the job's own time."""
    start = (booking.window_start + hours * HOUR).astimezone(booking.zone)
    return {"amount": amount, "day": f"{start:%Y-%m-%d}", "time": f"{start:%H:%M}", "message": "I bring a washer.",
            "valid_for": "2880", **changes}  # fmt: skip


# --- The offer ------------------------------------------------------------------------------------


class TestOffer:
    def test_make_change_and_withdraw(self, alice, bob, at):
        booking = make.job(alice)
        page = at.done(url("offer", booking), **offer_data(booking, "59.50"))
        assert "£59.50" in page and "The only one so far" in page
        bid = Bid.objects.get(booking=booking, technician=bob.pk)
        assert (bid.message, bid.starts_at, bid.revision) == ("I bring a washer.", booking.window_start, 1)

        form = at.read(url("offer", booking))
        assert "Change your offer" in form and 'value="59.50"' in form and "I bring a washer." in form
        assert "£55.00" in at.done(url("offer", booking), **offer_data(booking, "55"))
        assert make.fresh(bid).revision == 2

        page = at.done(url("withdraw_offer", bid))
        assert "You withdrew it." in page and "Offer again" in page

    def test_the_form_starts_with_the_customers_window_and_the_price_hints(self, alice, at):
        booking = make.job(alice, budget=Decimal(80))
        form = at.read(url("offer", booking))
        assert 'value="2027-03-03"' in form and 'value="12:00"' in form
        assert "£40.00 to £120.00" in form and "£80.00" in form

    @pytest.mark.parametrize(
        ("changes", "status", "sentence"),
        [
            ({"amount": "0"}, 422, "above zero"),
            ({"amount": ""}, 422, "required"),
            ({"amount": "12.345"}, 422, "decimal"),
            ({"hours": 9}, 422, "Choose a start within that."),
            ({"day": "2020-01-01"}, 422, "That start has passed."),
            ({"valid_for": "1"}, 422, "not one of the available choices"),
        ],
    )
    def test_what_is_refused_keeps_what_was_typed(self, alice, at, changes, status, sentence):
        booking = make.job(alice)
        response = at.send(url("offer", booking), **offer_data(booking, **changes))
        html = response.content.decode()
        assert response.status_code == status and sentence in html
        assert "I bring a washer." in html and not Bid.objects.exists()

    def test_an_overlap_says_with_what_and_keeps_what_was_typed(self, alice, bob, at):
        make.visit(alice, bob)
        booking = make.job(alice)
        response = at.send(url("offer", booking), **offer_data(booking, "61"))
        html = response.content.decode()
        assert response.status_code == 409
        assert "You have a visit" in html and "which overlaps. Choose another time." in html
        assert 'value="61"' in html and "I bring a washer." in html
        at.done(url("offer", booking), **offer_data(booking, "61", hours=2))

    def test_losing_the_race_is_a_sentence_with_a_next_step(self, alice, bob, dora, at):
        booking = make.job(alice)
        make.job(alice, title="Shower drips")
        bid = make.offer(booking, bob)
        make.accept(make.offer(booking, dora, 50))
        for headers in ({}, HTMX):
            response = at.client.post(url("offer", booking), offer_data(booking), headers=headers)
            assert response.status_code == 409
            html = response.content.decode()
            assert "Taken by another technician a moment ago. 1 similar job nearby." in html
            assert f'href="{reverse("bookings:marketplace")}"' in html
        assert "Taken by another technician a moment ago." in at.read(url("offer", booking))
        assert make.fresh(bid).status == "not_selected"

    def test_a_price_changed_meanwhile_makes_the_accept_fail(self, alice, bob, at):
        booking = make.job(alice)
        bid = make.offer(booking, bob)
        at.done(url("offer", booking), **offer_data(booking, "90"))
        with pytest.raises(Conflict, match="The price changed, please look again"):
            actions.accept_bid(bid, revision=1, by=alice, now=NOW)

    def test_a_double_tap_makes_one_offer(self, alice, at):
        booking = make.job(alice)
        data = {**offer_data(booking), "idempotency_key": "one-and-the-same"}
        answers = [at.client.post(url("offer", booking), data) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert Bid.objects.get().revision == 1

    def test_in_a_dialog_the_answer_is_that_it_is_done(self, alice, at):
        booking = make.job(alice)
        response = at.client.post(url("offer", booking), offer_data(booking), headers=HTMX)
        assert (response.status_code, response["HX-Trigger"]) == (204, "dialog-done")

    def test_a_start_that_the_clocks_repeat_is_asked_for(self, alice, at):
        night = datetime(2027, 10, 30, 23, 0, tzinfo=UTC)  # the clocks go back at 02:00 BST on the 31st
        booking = make.job(alice, window_start=night, window_end=night + 6 * HOUR)
        data = offer_data(booking, day="2027-10-31", time="01:30")
        html = at.send(url("offer", booking), **data).content.decode()
        assert "01:30 happens twice on 31 October 2027" in html
        choices = re.findall(r'name="time_choice" value="([^"]+)"', html)
        assert len(choices) == 2
        at.done(url("offer", booking), **data, time_choice=choices[1])
        assert Bid.objects.get().starts_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)

    def test_withdrawing_what_has_won_says_so(self, alice, bob, at):
        session = make.visit(alice, bob)
        assert "The customer has chosen this offer" in at.read(url("withdraw_offer", session.bid))
        response = at.client.post(url("withdraw_offer", session.bid))
        assert response.status_code == 409 and "See the job" in response.content.decode()


# --- The visit ------------------------------------------------------------------------------------


class TestVisit:
    def test_from_the_door_to_the_end_without_javascript(self, media, alice, bob, at):
        session = make.visit(alice, bob)
        assert "Ask for the code" in at.done(url("check_in", session))
        code = make.fresh(session).start_code
        assert "Working" in at.done(url("enter_code", session), code=code)
        assert "Fetching a part" in at.done(url("pause_session", session), reason="Fetching a part")
        assert "Pause" in at.done(url("resume_session", session))
        photos = [make.picture("a.jpg"), make.picture("b.jpg")]
        page = at.done(url("complete_session", session), note="Replaced the washer.", photos=photos)
        assert "Replaced the washer." in page and page.count("Finished work, photo") == 2
        assert make.fresh(session).status == "completed"

    def test_a_wrong_code_is_counted_and_said_beside_the_form(self, alice, bob, at):
        session = make.waiting(make.visit(alice, bob))
        wrong = "0000" if session.start_code != "0000" else "1111"
        response = at.send(url("enter_code", session), code=wrong)
        assert response.status_code == 422
        assert "That is not the code." in response.content.decode() and "4 more tries" in response.content.decode()
        assert make.fresh(session).code_failures == 1
        for _ in range(4):
            at.send(url("enter_code", session), code=wrong)
        response = at.send(url("enter_code", session), code=session.start_code)
        assert response.status_code == 409 and "Ask the customer to tap Start" in response.content.decode()

    def test_an_empty_note_and_a_file_that_is_no_photo_keep_the_rest(self, media, alice, bob, at):
        session = make.live(make.visit(alice, bob))
        assert at.send(url("complete_session", session), note="").status_code == 422
        text = make.SimpleUploadedFile("notes.txt", b"no picture", content_type="text/plain")
        response = at.send(url("complete_session", session), note="New washer.", photos=[text])
        assert response.status_code == 422 and "New washer." in response.content.decode()
        assert "not a photo we can read" in response.content.decode()
        assert make.fresh(session).status == "live"

    def test_pausing_and_giving_back_need_a_reason(self, alice, bob, at):
        live = make.live(make.visit(alice, bob))
        assert at.send(url("pause_session", live), reason=" ").status_code == 422
        assert make.fresh(live).status == "live"

    def test_giving_a_job_back_opens_it_again(self, alice, bob, at):
        session = make.visit(alice, bob)
        assert at.send(url("release", session), reason="").status_code == 422
        page = at.done(url("release", session), reason="Van broke down")
        assert "You withdrew after winning." in page and "Inverness" not in page
        assert make.fresh(session.booking).status == "open"

    def test_stopping_on_site_cancels_for_nothing(self, alice, bob, at):
        session = make.live(make.visit(alice, bob))
        page = at.done(url("stop_work", session), reason="unsafe", note="Gas smell")
        assert "You stopped the visit." in page and "Gas smell" in page
        booking = make.fresh(session.booking)
        assert (booking.status, booking.fee_amount) == ("cancelled", 0)

    def test_a_customers_reason_is_not_among_a_technicians(self, alice, bob, at):
        session = make.live(make.visit(alice, bob))
        assert at.send(url("stop_work", session), reason="plans_changed").status_code == 422

    @pytest.mark.parametrize(
        ("reach", "page", "says"),
        [
            (make.waiting, "check_in", "You have checked in already."),
            (make.live, "enter_code", "The work is under way already."),
            (make.finished, "complete_session", "This visit is finished already."),
            (lambda session: session, "enter_code", "You have not checked in yet."),
            (make.waiting, "release", "You have checked in already."),
        ],
    )
    def test_a_page_of_what_has_happened_says_so_and_a_late_tap_is_refused(self, alice, bob, at, reach, page, says):
        session = make.visit(alice, bob)
        reach(session)
        html = at.read(url(page, session))
        assert says in html and "idempotency_key" not in html
        before = make.fresh(session).status
        response = at.client.post(url(page, session), {"note": "x", "reason": "x", "code": "1234"})
        assert response.status_code == 409 and "See the job" in response.content.decode()
        assert make.fresh(session).status == before


class TestNobodyThere:
    def test_the_page_says_what_is_still_missing_and_takes_the_report_when_nothing_is(self, alice, bob, at):
        now = timezone.now()
        session = make.visit(alice, bob, now=now, window_start=now + MINUTE, window_end=now + 4 * HOUR)
        make.waiting(session, at=now)
        html = at.read(url("report_no_show", session))
        assert "Please wait 16 more minutes first." in html and "Report a no-show</button>" not in html
        response = at.client.post(url("report_no_show", session))
        assert response.status_code == 409 and "Please wait" in response.content.decode()

        back(session, timedelta(minutes=20))
        assert "Try to reach the other side first" in at.read(url("report_no_show", session))
        page = at.done(url("contact_attempt", session), channel="call", note="No answer")
        assert "You tried to reach Alice." in page
        page = at.done(url("report_no_show", session))
        assert "You came, waited and tried; nobody was there." in page and "Inverness" not in page
        assert make.fresh(session.booking).no_show_party == "customer"

    def test_a_try_has_a_way(self, alice, bob, at):
        session = make.visit(alice, bob)
        assert at.send(url("contact_attempt", session), channel="pigeon").status_code == 422


def back(session: Session, by: timedelta) -> None:
    """Let `by` pass: the visit's times move into the past."""
    row = make.fresh(session)
    fields = ["starts_at", "checked_in_at"]
    for name in fields:
        setattr(row, name, getattr(row, name) - by)
    row.save(update_fields=fields)


# --- Moving a visit -------------------------------------------------------------------------------


class TestMove:
    def move_data(self, session, hours: int) -> dict[str, str]:
        start = (session.starts_at + hours * HOUR).astimezone(session.booking.zone)
        return {"day": f"{start:%Y-%m-%d}", "time": f"{start:%H:%M}", "message": "Traffic"}

    def test_propose_and_take_back(self, alice, bob, at):
        session = make.visit(alice, bob)
        page = at.done(url("propose_move", session), **self.move_data(session, 2))
        assert "You asked for another time" in page and "Traffic" in page
        proposal = RescheduleProposal.objects.get()
        assert "You asked" not in at.done(url("withdraw_move", proposal))

    def test_the_time_it_has_is_refused_with_what_was_typed(self, alice, bob, at):
        session = make.visit(alice, bob)
        response = at.send(url("propose_move", session), **self.move_data(session, 0))
        assert response.status_code == 422
        assert (
            "That is the time it has already." in response.content.decode() and "Traffic" in response.content.decode()
        )

    def test_ones_own_other_visit_in_the_way_is_said(self, alice, bob, at):
        session = make.visit(alice, bob)
        start = session.starts_at + 3 * HOUR
        make.visit(alice, bob, window_start=start, window_end=start + 4 * HOUR)
        response = at.send(url("propose_move", session), **self.move_data(session, 3))
        assert response.status_code == 409 and "another visit at that time" in response.content.decode()

    def test_agree(self, alice, bob, at):
        session = make.visit(alice, bob)
        proposal = actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + HOUR)
        at.done(url("accept_move", proposal))
        assert make.fresh(session).starts_at == session.starts_at + HOUR
        assert "This proposal is agreed by now." in at.read(url("accept_move", proposal))
        response = at.client.post(url("accept_move", proposal))
        assert response.status_code == 409 and "agreed by now" in response.content.decode()

    def test_decline(self, alice, bob, at):
        session = make.visit(alice, bob)
        proposal = actions.propose_reschedule(session, by=alice, starts_at=session.starts_at + HOUR)
        at.done(url("decline_move", proposal))
        assert make.fresh(session).starts_at == session.starts_at and make.fresh(proposal).status == "declined"

    def test_nobody_agrees_with_themselves(self, alice, bob, at):
        session = make.visit(alice, bob)
        proposal = actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR)
        assert at.client.post(url("accept_move", proposal)).status_code == 403
        assert make.fresh(proposal).status == "proposed"


# --- The whole story, without JavaScript ----------------------------------------------------------


def test_find_a_job_offer_win_and_finish_it_without_javascript(alice, bob, at):
    booking = make.job(alice)
    market = at.read(reverse("bookings:marketplace"))
    link = re.search(r'<p class="row-title"><a href="([^"]+)"', market)
    assert link
    page = at.read(link[1])
    link = re.search(r'href="([^"]+)"[^>]*data-dialog>(?:(?!</a>).)*Make an offer', page, re.S)
    assert link
    at.done(link[1], **offer_data(booking))
    session = make.accept(Bid.objects.get(), now=timezone.now())
    code = {"code": session.start_code}
    for step, typed in (("On my way", {}), ("I have arrived", {}), ("Enter the start code", code),
                        ("Finish the visit", {"note": "New washer."})):  # fmt: skip
        page = at.read(url("job", booking))
        button = re.search(r'<a class="btn btn-primary btn-lg[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page)
        assert button and words(button[2]) == step
        at.done(button[1], **typed)
    assert make.fresh(booking).status == "completed"
