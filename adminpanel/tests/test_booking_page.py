"""A job's page at the desk, and everything the desk may do there: with a reason, in words, and audited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import DeskAction, User
from adminpanel.jobs.steps import STEPS
from adminpanel.tests import road
from adminpanel.tests.test_bookings import job, started, visit
from bookings import actions
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, on, sent, touched_by
from bookings.tests.make import DAY, HOUR, MINUTE
from chat.actions import ask_about
from chat.models import Message
from realtime.bulk import bulk_update


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def at(booking: Booking | Session, name: str = "booking", *more: object) -> str:
    """An address of a job."""
    return reverse(f"desk:{name}", args=[booking.pk if isinstance(booking, Booking) else booking.booking_id, *more])


def page(client: Client, booking: Booking | Session) -> str:
    """What its page says."""
    answer = client.get(at(booking))
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def done(client: Client, url: str, **data: Any) -> Any:
    """What was asked is done, and one is back on the job's page."""
    answer = client.post(url, data)
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    return answer


def line(verb: str) -> DeskAction:
    """The only line of the audit about this."""
    return DeskAction.objects.get(verb=verb)


# --- The page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_other_roles_are_refused_whatever_they_ask(
    client: Client, request: Any, alice: User, bob: User, who: str
) -> None:
    session = visit(alice, bob)
    client.force_login(request.getfixturevalue(who))
    for url in (at(session), *(at(session, f"booking_{name}") for name in ("assign", "move", "cancel"))):
        assert client.get(url).status_code == 403, url
        assert client.post(url, {"reason": "Why not"}).status_code in (403, 405), url
    step = at(session, "booking_step", "check_in")
    assert (client.get(step).status_code, client.post(step).status_code) == (403, 403)
    assert make.fresh(session).status == "pending"


def test_a_draft_and_what_is_not_there_are_not_found(desk: Client, alice: User) -> None:
    for pk in (make.draft(alice).pk, 999):
        for name in ("booking", "booking_assign", "booking_move", "booking_cancel"):
            assert desk.get(reverse(f"desk:{name}", args=[pk])).status_code == 404
    booking = job(alice)
    assert desk.get(at(booking, "booking_step", "nonsense")).status_code == 404
    assert desk.get(at(booking, "booking_offer", 999, "accept")).status_code == 404
    assert (
        desk.get(
            at(booking, "booking_offer", make.offer(booking, make.technician("Bob"), now=timezone.now()).pk, "eat")
        ).status_code
        == 404
    )


def test_admins_who_open_a_job_come_to_the_desks_page(desk: Client, alice: User) -> None:
    booking = job(alice)
    assert desk.get(f"/jobs/{booking.pk}/")["Location"] == at(booking)


def test_it_says_what_both_sides_know(desk: Client, alice: User, bob: User) -> None:
    alice.phone, bob.phone = "+44 7700 900321", "+44 7700 900654"
    alice.save(update_fields=["phone"])
    bob.save(update_fields=["phone"])
    session = visit(alice, bob)
    said = page(desk, session)
    for words in ("Alice Test", "900321", "Bob Test", "900654", "12 Inverness Street", "£60.00", session.start_code,
                  "It drips since Sunday.", "Offer: sent → accepted", "Send somebody else"):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize("status", ["open", "assigned", "in_progress", "completed", "cancelled"])
def test_every_state_has_a_page_of_under_twelve_queries(desk: Client, alice: User, bob: User, status: str) -> None:
    now = timezone.now()
    booking = make.in_state(alice, bob, status)
    if status == "assigned":
        session = booking.sessions.get()
        actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR, message="Traffic", now=now)
        actions.record_contact_attempt(session, by=alice, channel="call", note="Engaged", now=now)
    desk.get(at(booking))
    with CaptureQueriesContext(connection) as seen:
        html = desk.get(at(booking)).content.decode()
    assert len(seen) < 12 and html.count("<h1") == 1
    if status == "assigned":
        assert "Bob asks to move the visit" in html and "Engaged" in html


def test_what_hangs_on_it_is_linked(desk: Client, alice: User, bob: User, frank: User) -> None:
    leg = road.leg(alice, frank)
    booking = leg.booking
    talk = ask_about(make.offer(booking, bob, now=timezone.now()), by=alice)
    html = desk.get(at(booking)).content.decode()
    assert reverse("desk:leg", args=[leg.pk]) in html and reverse("desk:conversation", args=[talk.pk]) in html


def test_who_came_back_stands_once_among_the_offers(
    desk: Client, alice: User, bob: User, dora: User, frank: User
) -> None:
    session = visit(alice, bob)
    plan = actions.Plan(dora.technician, session.starts_at, session.bid.amount, "Ill", ends_at=session.ends_at)
    actions.assign_technician(session.booking, plan, by=frank)
    back = actions.Plan(bob.technician, session.starts_at, session.bid.amount, "Well again", ends_at=session.ends_at)
    actions.assign_technician(session.booking, back, by=frank)
    html = desk.get(at(session)).content.decode()
    assert html.count('data-live="adminpanel.booking_offer"') == 2 and "Well again" in html
    now = html.split('data-live="adminpanel.booking"')[1].split("</dl>")[0]
    assert "Bob Test" in now and "Dora Test" not in now


def test_every_change_reaches_the_open_page_and_only_the_desk(alice: User, bob: User, frank: User) -> None:
    booking = job(alice)
    touches = touched_by(lambda: make.offer(booking, bob, now=timezone.now()))
    topic = f"desk.booking.{booking.pk}"
    names = {fragment for fragment, _ in on(touches, topic)}
    assert {f"adminpanel.{each}" for each in ("booking", "booking_offer", "booking_history", "booking_row")} <= names
    assert audience(touches, "adminpanel.booking", frank, alice, bob) == {"Frank"}
    assert "1 offer, from £60.00" in str(sent(touches, frank)[f"adminpanel-booking-{booking.pk}"])


def test_attempts_wishes_legs_and_the_desks_own_lines_do_too(alice: User, bob: User, frank: User) -> None:
    session, now = visit(alice, bob), timezone.now()
    key = {str(session.booking_id)}
    for act, fragment in (
        (lambda: actions.record_contact_attempt(session, by=alice, channel="call", now=now), "booking"),
        (lambda: actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR), "booking"),
        (lambda: actions.renew_start_code(session, by=alice), "booking"),
        (lambda: road.road.leg(session.booking, frank, now=now), "booking_details"),
    ):
        assert keys_of(touched_by(act), f"adminpanel.{fragment}") == key, fragment
    by_desk = touched_by(
        lambda: actions.on_behalf(session.booking, lambda: None, verb="x", by=frank, person=alice, reason="Because")
    )
    assert keys_of(by_desk, "adminpanel.booking_history") == key


# --- Sending somebody -----------------------------------------------------------------------------


def plan(session_or_booking: Any, who: User, **changes: str) -> dict[str, str]:
    """What the form sends: at the wanted or booked time."""
    row = session_or_booking if isinstance(session_or_booking, Booking) else session_or_booking.booking
    first = getattr(session_or_booking, "starts_at", None) or row.window_start
    local = first.astimezone(row.zone)
    return {"technician": str(who.pk), "day": f"{local:%Y-%m-%d}", "starts": f"{local:%H:%M}", "length": "60",
            "amount": "75", "reason": "They called us", **changes}  # fmt: skip


def test_candidates_are_named_with_what_speaks_for_them(desk: Client, alice: User, bob: User, dora: User) -> None:
    booking = job(alice)
    make.offer(booking, dora, 70, now=timezone.now())
    visit(make.person("Charlie"), bob, 2)
    make.technician("Sparks", "electrics")
    make.technician("Nina", verified=False)
    html = desk.get(at(booking, "booking_assign")).content.decode()
    assert html.index("Dora Test") < html.index("Bob Test")
    assert "offers £70.00 · free then" in html and "busy" in html
    assert "Sparks" not in html and "Nina" not in html


def test_the_desk_sends_somebody_from_the_page(desk: Client, alice: User, bob: User) -> None:
    booking = job(alice)
    done(desk, at(booking, "booking_assign"), **plan(booking, bob))
    session = booking.sessions.get()
    assert (session.technician.user, session.bid.amount) == (bob, 75)
    assert "They called us" in page(desk, booking)


def test_without_a_price_it_is_that_of_their_offer(desk: Client, alice: User, bob: User, dora: User) -> None:
    booking = job(alice)
    make.offer(booking, bob, 61, now=timezone.now())
    answer = desk.post(at(booking, "booking_assign"), plan(booking, dora, amount=""))
    assert answer.status_code == 422 and "They have made no offer" in answer.content.decode()
    done(desk, at(booking, "booking_assign"), **plan(booking, bob, amount=""))
    assert booking.sessions.get().bid.amount == 61


def test_a_taken_time_says_so_keeps_what_was_typed_and_can_be_overruled(
    desk: Client, alice: User, charlie: User, bob: User
) -> None:
    other = visit(charlie, bob, 2)
    booking = job(alice, window_start=other.starts_at, window_end=other.starts_at + 4 * HOUR)
    answer = desk.post(at(booking, "booking_assign"), plan(booking, bob))
    html = answer.content.decode()
    assert answer.status_code == 409 and "let the visits overlap" in html and "They called us" in html
    done(desk, at(booking, "booking_assign"), **plan(booking, bob), overlap="on")
    assert booking.sessions.get().overlap_allowed and line("allowed_overlap").person == bob
    assert "Overlap allowed" in page(desk, booking)


def test_somebody_else_is_sent_from_the_page(desk: Client, alice: User, bob: User, dora: User) -> None:
    session = visit(alice, bob)
    html = desk.get(at(session, "booking_assign")).content.decode()
    assert "Who comes instead of Bob Test?" in html and f'value="{bob.pk}"' not in html
    done(desk, at(session, "booking_assign"), **plan(session, dora))
    assert session.booking.sessions.active().get().technician.user == dora


def test_the_conversation_says_that_the_desk_took_it_back(desk: Client, alice: User, bob: User, dora: User) -> None:
    session = visit(alice, bob)
    done(desk, at(session, "booking_assign"), **plan(session, dora))
    said = list(Message.objects.filter(conversation__bid=session.bid).order_by("seq").values_list("text", flat=True))
    assert said[-1] == "The desk took this job back from Bob: Somebody else comes instead."
    told = Message.objects.filter(conversation__bid__technician=dora.pk).order_by("seq").first()
    assert told and told.text.startswith("Booked by the desk: £75.00")


def test_nobody_is_sent_to_a_job_that_goes_on_or_is_over(desk: Client, alice: User, bob: User) -> None:
    for status, who in (("in_progress", "Zed"), ("completed", "Yara")):
        booking = make.in_state(alice, make.technician(who), status)
        answer = desk.get(at(booking, "booking_assign"))
        assert answer.status_code == 409 and "Nobody can be sent" in answer.content.decode()
        assert desk.post(at(booking, "booking_assign"), plan(booking, bob)).status_code == 409


def test_a_double_tap_sends_once(desk: Client, alice: User, bob: User) -> None:
    booking = job(alice)
    data = {**plan(booking, bob), "idempotency_key": "one"}
    first, second = (desk.post(at(booking, "booking_assign"), data) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303) and booking.sessions.count() == 1


# --- Moving and calling off -----------------------------------------------------------------------


def test_a_visit_is_moved_at_once(desk: Client, alice: User, bob: User) -> None:
    session = visit(alice, bob)
    local = (session.starts_at + DAY).astimezone(session.booking.zone)
    data = {"day": f"{local:%Y-%m-%d}", "starts": f"{local:%H:%M}", "reason": "Traffic"}
    done(desk, at(session, "booking_move"), **data)
    assert make.fresh(session).starts_at == session.starts_at.replace(second=0, microsecond=0) + DAY
    assert "Moved by the desk: Traffic" in page(desk, session)
    assert desk.post(at(session, "booking_move"), {**data, "reason": ""}).status_code == 422


def test_an_open_jobs_window_is_moved(desk: Client, alice: User) -> None:
    booking = job(alice)
    day = f"{(timezone.now() + 9 * DAY):%Y-%m-%d}"
    done(desk, at(booking, "booking_move"), day=day, starts="09:00", ends="15:00", reason="She asked")
    assert f"{make.fresh(booking).window_start.astimezone(booking.zone):%Y-%m-%d %H:%M}" == f"{day} 09:00"
    assert booking.history.latest("pk").reason == "She asked"


def test_what_has_begun_is_not_moved(desk: Client, alice: User, bob: User) -> None:
    booking = make.in_state(alice, bob, "in_progress")
    assert desk.get(at(booking, "booking_move")).status_code == 409


def test_a_job_is_called_off_with_its_fee_shown_before(desk: Client, alice: User, bob: User) -> None:
    session = visit(alice, bob)
    html = desk.get(at(session, "booking_cancel")).content.decode()
    assert "Fee" in html and 'name="seen_fee"' in html
    seen = re.search(r'name="seen_fee" value="([^"]+)"', html)
    assert seen
    done(desk, at(session, "booking_cancel"), code="other", reason="Flooded street", seen_fee=seen[1])
    booking = make.fresh(session.booking)
    assert (booking.status, booking.cancel_note) == ("cancelled", "Flooded street")
    assert "Flooded street" in page(desk, session)
    assert desk.post(at(session, "booking_cancel"), {"code": "other", "reason": "Again"}).status_code == 409


def test_a_customers_wish_to_call_it_off_costs_what_the_rule_says(desk: Client, alice: User, bob: User) -> None:
    session = visit(alice, bob)
    soon = timezone.now() + HOUR
    times = {"starts_at": soon, "ends_at": soon + HOUR, "blocked_until": soon + 2 * HOUR}
    bulk_update(Session.objects.filter(pk=session.pk), created_at=timezone.now() - DAY, **times)
    url = at(session, "booking_cancel")
    html = desk.get(url).content.decode()
    assert "it was not the customer who cancelled" in html and "£30.00, 50% of £60.00" in html
    data = {"code": "plans_changed", "reason": "She called", "wished": "on"}
    assert desk.post(url, {**data, "seen_fee": "15.00"}).status_code == 409  # it was less when the page was read
    done(desk, url, **data, seen_fee="30.000")
    assert make.fresh(session.booking).fee_amount == 30


# --- Offers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "status", "audited", "whose"),
    [
        ("accept", "accepted", "accepted_offer", "alice"),
        ("decline", "rejected", "declined_offer", "alice"),
        ("withdraw", "withdrawn", "withdrew_offer", "bob"),
    ],
)
def test_the_desk_answers_an_offer_for_somebody(
    desk: Client, request: Any, alice: User, bob: User, verb: str, status: str, audited: str, whose: str
) -> None:
    bid = make.offer(job(alice), bob, now=timezone.now())
    url = at(bid.booking, "booking_offer", bid.pk, verb)
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"revision": "1"}).status_code == 422  # without a reason
    done(desk, url, revision="1", reason="She cannot tap")
    assert make.fresh(bid).status == status
    kept = line(audited)
    assert (kept.person, kept.reason) == (request.getfixturevalue(whose), "She cannot tap")
    assert desk.get(url).status_code == 409 and DeskAction.objects.count() == 1


def test_a_price_that_changed_meanwhile_is_not_accepted(desk: Client, alice: User, bob: User) -> None:
    bid = make.offer(job(alice), bob, now=timezone.now())
    actions.revise_bid(bid, by=bob, amount=bid.amount + 40, starts_at=bid.starts_at)
    answer = desk.post(at(bid.booking, "booking_offer", bid.pk, "accept"), {"revision": "1", "reason": "Asked"})
    assert answer.status_code == 409 and "The price changed" in answer.content.decode()
    assert make.fresh(bid).status == "submitted" and not DeskAction.objects.exists()


# --- On behalf of either side ---------------------------------------------------------------------

READY = {
    "check_in": ("pending", "waiting", {}),
    "start": ("waiting", "live", {}),
    "pause": ("live", "paused", {}),
    "resume": ("paused", "live", {}),
    "finish": ("live", "completed", {"note": "New washer"}),
    "code": ("pending", "pending", {}),
    "take_back": ("pending", "cancelled", {}),
    "agree": ("pending", "pending", {}),
    "keep": ("pending", "pending", {}),
    "customer_tried": ("pending", "pending", {"channel": "call"}),
    "technician_tried": ("waiting", "waiting", {"channel": "door"}),
    "technician_absent": ("pending", "no_show", {}),
    "customer_absent": ("waiting", "no_show", {}),
}


def ready(alice: User, bob: User, slug: str) -> Session:
    """A visit of half an hour ago in the state that a step needs, with what it asks for."""
    now = timezone.now()
    session = visit(alice, bob)
    if slug in ("agree", "keep"):
        actions.propose_reschedule(session, by=bob, starts_at=session.starts_at + HOUR, now=now)
        return session
    session = started(session, 30 * MINUTE)
    state = READY[slug][0]
    if state != "pending":
        actions.check_in(session, by=bob, now=session.starts_at)
    if slug == "customer_absent":
        actions.record_contact_attempt(session, by=bob, channel="door", now=session.starts_at + MINUTE)
    if slug == "technician_absent":
        actions.record_contact_attempt(session, by=alice, channel="call", now=session.starts_at + MINUTE)
    if state in ("live", "paused"):
        actions.start_session(session, by=alice, now=session.starts_at)
    if state == "paused":
        actions.pause_session(session, by=bob, reason="Lunch", now=session.starts_at + MINUTE)
    return make.fresh(session)


def test_the_table_below_knows_every_step() -> None:
    assert set(READY) == set(STEPS)


@pytest.mark.parametrize("slug", STEPS)
def test_each_step_is_asked_for_done_and_audited(desk: Client, alice: User, bob: User, frank: User, slug: str) -> None:
    session = ready(alice, bob, slug)
    url = at(session, "booking_step", slug)
    assert desk.get(url).status_code == 200
    assert desk.post(url, READY[slug][2]).status_code == 422
    done(desk, url, **READY[slug][2], reason="Their phone is flat")
    assert make.fresh(session).status == READY[slug][1]
    kept = line(STEPS[slug].verb)
    whose = alice if STEPS[slug].side == "customer" else bob
    assert (kept.actor, kept.person, kept.reason) == (frank, whose, "Their phone is flat")
    assert "Their phone is flat" in page(desk, session)


@pytest.mark.parametrize("slug", STEPS)
def test_a_step_whose_time_has_passed_is_a_sentence(desk: Client, alice: User, bob: User, slug: str) -> None:
    booking = make.in_state(alice, bob, "completed")
    url = at(booking, "booking_step", slug)
    for answer in (desk.get(url), desk.post(url, {"reason": "Why", "note": "x", "channel": "call"})):
        assert answer.status_code == 409 and "cannot be done now" in answer.content.decode()
    assert not DeskAction.objects.exists()


@pytest.mark.parametrize("slug", ["agree", "keep"])
def test_a_wish_that_nobody_has_is_no_answer_but_a_sentence(desk: Client, alice: User, bob: User, slug: str) -> None:
    session = visit(alice, bob)
    answer = desk.post(at(session, "booking_step", slug), {"reason": "She rang"})
    assert answer.status_code == 409 and "Nobody asks to move this visit" in answer.content.decode()
    assert make.fresh(session).status == "pending" and not DeskAction.objects.exists()


def test_every_link_on_the_page_opens(desk: Client, alice: User, bob: User) -> None:
    """Of each state: what is offered can be asked."""
    session = ready(alice, bob, "agree")
    for slug in ("check_in", "start", "pause", "resume"):
        html = desk.get(at(session)).content.decode()
        links = set(re.findall(r'href="(/desk/bookings/[^"]+)" data-dialog', html))
        assert links and [url for url in links if desk.get(url).status_code != 200] == []
        if slug != "resume" or make.fresh(session).status == "paused":
            done(desk, at(session, "booking_step", slug), reason="Why")


# --- Booking for a customer -----------------------------------------------------------------------


def typed(**changes: str) -> dict[str, str]:
    """What the desk types while somebody is on the telephone."""
    day = timezone.now() + 3 * DAY
    return {
        "category": str(make.category().pk), "title": "Kitchen tap leaks", "description": "It drips.",
        "address_line1": "12 Inverness Street", "town": "London", "postcode": "NW1 7HJ", "area": "Camden, NW1",
        "time_zone": "Europe/London", "day": f"{day:%Y-%m-%d}", "starts": "09:00", "ends": "15:00",
        "duration_minutes": "60", "reason": "On the telephone", **changes,
    }  # fmt: skip


def test_a_customer_is_found_first(desk: Client, alice: User, bob: User, charlie: User) -> None:
    new = reverse("desk:booking_new")
    html = desk.get(f"{new}?q=ali").content.decode()
    assert f"?customer={alice.pk}" in html and f"?customer={charlie.pk}" not in html
    assert f"?customer={bob.pk}" not in desk.get(new).content.decode()
    assert "Nobody found" in desk.get(f"{new}?q=zzz").content.decode()
    assert desk.get(f"{new}?customer={bob.pk}").status_code == 404


def test_the_desk_books_on_one_page(desk: Client, alice: User, frank: User) -> None:
    new = f"{reverse('desk:booking_new')}?customer={alice.pk}"
    answer = done(desk, new, **typed())
    booking = Booking.objects.get()
    assert answer["Location"] == at(booking) and (booking.status, booking.customer) == ("open", alice)
    row = booking.history.get()
    assert (row.actor, row.reason) == (frank, "On the telephone")
    again = desk.get(new).content.decode()
    assert "12 Inverness Street" in again  # where they were last time


@pytest.mark.parametrize("missing", ["category", "title", "address_line1", "day", "reason"])
def test_what_is_missing_is_named_and_the_rest_is_kept(desk: Client, alice: User, missing: str) -> None:
    answer = desk.post(f"{reverse('desk:booking_new')}?customer={alice.pk}", typed(**{missing: ""}))
    html = answer.content.decode()
    assert answer.status_code == 422 and "This field is required" in html and "NW1 7HJ" in html
    assert not Booking.objects.exists()
