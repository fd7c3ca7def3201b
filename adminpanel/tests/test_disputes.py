"""The desk's queue of disputes: its lists, one of them, what is decided, who hears of it, and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import DeskAction, User
from adminpanel.queues.disputes import disputes_listed, load_cases, load_rows
from bookings import actions
from bookings.models import Dispute
from bookings.tests import make, quarrel
from bookings.tests.follow import audience, on, sent, touched_by
from realtime import topics
from realtime.principals import Principal

pytestmark = pytest.mark.django_db
WORDS = {"outcome": "customer", "amount": "", "decision": "The photos show it."}


@pytest.fixture
def desk(frank: User) -> Client:
    """The desk's browser."""
    client = Client()
    client.force_login(frank)
    return client


def at(status: str, alice: User, bob: User, frank: User) -> Dispute:
    """A dispute of Alice's, opened an hour ago, as far as that; the deadline is still to come."""
    now = timezone.now()
    dispute = quarrel.opened(quarrel.done(alice, bob), alice, now=now - timedelta(hours=1))
    if status != "open":
        dispute = quarrel.taken_on(dispute, frank, now=now)
    if status == "under_review":
        dispute = quarrel.answered(dispute, now=now)
    return dispute


def url(name: str, dispute: Dispute) -> str:
    return reverse(f"desk:dispute{name}", args=[dispute.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def listed(client: Client, show: str = "") -> list[int]:
    """The disputes of a list, in its order."""
    html = text(client, reverse("desk:disputes") + show)
    return [int(pk) for pk in re.findall(r'id="adminpanel-dispute-row-(\d+)"', html)]


# --- The lists ------------------------------------------------------------------------------------


def test_each_stands_in_the_list_of_its_stage_and_the_oldest_first(desk, alice, bob, charlie, dora, frank):
    first, asked = quarrel.in_state("open", alice, bob, frank), quarrel.in_state("awaiting_response", alice, bob, frank)
    ready = quarrel.in_state("under_review", charlie, dora, frank)
    gone, over = quarrel.in_state("withdrawn", charlie, dora, frank), quarrel.in_state("resolved", alice, bob, frank)
    assert listed(desk) == [first.pk, ready.pk]
    assert listed(desk, "?show=answering") == [asked.pk]
    assert set(listed(desk, "?show=ended")) == {gone.pk, over.pk}
    assert listed(desk, "?show=nonsense") == [first.pk, ready.pk]


@pytest.mark.parametrize(
    ("show", "says"),
    [("", "Nothing waits for us"), ("?show=answering", "Nobody is asked"), ("?show=ended", "Nothing has ended yet")],
)
def test_an_empty_list_says_what_it_is_for(desk, show, says):
    html = text(desk, reverse("desk:disputes") + show)
    assert says in html and html.count("<h1") == 1


def test_new_ones_come_in_at_the_end_that_they_belong_to(monkeypatch, alice, bob, charlie, dora, frank):
    monkeypatch.setattr("adminpanel.queues.piles.PAGE", 1)
    for people in ((alice, bob), (charlie, dora)):
        quarrel.in_state("open", *people, frank)
        quarrel.in_state("resolved", *people, frank)
    asked = ("", "page=2", "show=ended", "show=ended&page=2")
    assert [disputes_listed(QueryDict(each)).new for each in asked] == ["pill", "insert", "insert", "pill"]


def test_pages_follow_each_other_and_one_that_cannot_be_is_the_first(
    desk, monkeypatch, alice, bob, charlie, dora, frank
):
    monkeypatch.setattr("adminpanel.queues.piles.PAGE", 1)
    first, second = (quarrel.in_state("open", *people, frank) for people in ((alice, bob), (charlie, dora)))
    assert (listed(desk), listed(desk, "?page=2")) == ([first.pk], [second.pk])
    assert "page=2" in text(desk, reverse("desk:disputes"))
    assert all(listed(desk, f"?page={page}") == [first.pk] for page in ("3", "0", "-1", "x", "²", "9" * 9))


def test_opening_the_queue_reads_what_the_bell_told_of_it(desk, alice, bob, frank):
    quarrel.in_state("open", alice, bob, frank)
    unread = frank.notifications.filter(read_at=None, kind="bookings.desk_dispute")
    assert unread.get().url.startswith("/desk/disputes/")
    desk.get(reverse("desk:disputes"), headers={"X-Live-Refresh": "1"})
    assert unread.exists()  # an open page that asked for itself: nobody may be looking
    desk.get(reverse("desk:disputes"))
    assert not unread.exists()


# --- One ------------------------------------------------------------------------------------------


def test_the_desk_reads_everything_beside_the_list(desk, alice, bob, frank, media):
    dispute = quarrel.opened(
        quarrel.done(alice, bob), alice, statement="It still drips.", files=[make.picture(), quarrel.paper()]
    )
    html = text(desk, url("", dispute))
    for words in ("Alice Test against Bob Test", "It still drips.", "£60.00", "Invoice.pdf", "Ask Bob", "is-chosen"):
        assert words in html, words
    assert listed(desk) == [dispute.pk] and html.count("<h1") == 1
    for piece in dispute.evidence.all():
        assert desk.get(reverse("bookings:evidence", args=[piece.pk])).status_code == 200


def test_it_links_to_the_job_the_people_and_what_they_wrote(desk, alice, bob, frank):
    from chat.actions import ask_about

    visit = make.visit(alice, bob)
    talk = ask_about(visit.bid, by=alice, now=visit.starts_at)
    dispute = quarrel.opened(make.finished(visit).booking, alice)
    html = text(desk, url("", dispute))
    targets = [reverse("desk:person", args=[each.pk]) for each in (alice, bob)]
    targets += [reverse("desk:booking", args=[visit.booking_id]), reverse("desk:conversation", args=[talk.pk])]
    assert all(f'href="{target}"' in html for target in targets), targets


def test_its_history_names_who_did_what(desk, alice, bob, frank):
    dispute = quarrel.in_state("resolved", alice, bob, frank)
    html = text(desk, url("", dispute))
    assert "For the customer. The photos show it." in html and "Frank Test" in html


# --- What the desk does ---------------------------------------------------------------------------


def test_taking_it_on_asks_first_and_leads_to_the_next_that_waits(desk, alice, bob, charlie, dora, frank):
    dispute, other = at("open", alice, bob, frank), at("open", charlie, dora, frank)
    html = text(desk, url("_take_on", dispute))
    assert "Ask Bob for an answer?" in html and "48 hours" in html
    answer = desk.post(url("_take_on", dispute), {"idempotency_key": "k-1"})
    assert (answer.status_code, answer["Location"]) == (303, url("", other))
    assert "Bob is asked about" in text(desk, url("", other))
    again = desk.post(url("_take_on", dispute), {"idempotency_key": "k-1"})
    assert again["Idempotency-Replayed"] == "true" and dispute.history.count() == 2
    answer = desk.post(url("_take_on", other), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == reverse("desk:disputes")


def test_deciding_says_so_to_both_and_leads_on(desk, alice, bob, frank):
    dispute = at("under_review", alice, bob, frank)
    html = text(desk, url("_decide", dispute))
    assert "Agreed was £60.00" in html and "It is final" in html and html.count("<h1") == 1
    answer = desk.post(url("_decide", dispute), {**WORDS, "outcome": "shared", "amount": "20.50"})
    assert (answer.status_code, answer["Location"]) == (303, reverse("desk:disputes"))
    dispute = make.fresh(dispute)
    assert (dispute.status, dispute.outcome, dispute.amount) == ("resolved", "shared", Decimal("20.50"))
    assert dispute.decided_by == frank and dispute.history.last().actor == frank
    html = text(desk, url("", dispute))
    assert "Shared between both" in html and "£20.50" in html and "Decide</a>" not in html


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"outcome": ""}, "errorlist"),
        ({"decision": " "}, "errorlist"),
        ({"amount": "-1"}, "above zero"),
        ({"amount": "0"}, "above zero"),
        ({"amount": "1.234"}, "errorlist"),
        ({"outcome": "no_fault", "amount": "5"}, "nothing is owed"),
    ],
)
def test_a_decision_that_is_none_is_said_and_what_was_typed_stays(desk, alice, bob, frank, wrong, sentence):
    dispute = at("under_review", alice, bob, frank)
    typed = {"outcome": "customer", "amount": "7", "decision": "A long reasoning", **wrong}
    answer = desk.post(url("_decide", dispute), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and sentence in html and make.fresh(dispute).status == "under_review"
    assert wrong.get("decision", "A long reasoning") in html and url("", dispute) in html


def test_what_has_moved_on_is_a_conflict(desk, alice, bob, charlie, dora, frank):
    fresh, asked = at("open", alice, bob, frank), at("awaiting_response", charlie, dora, frank)
    for name, dispute in (("_take_on", asked), ("_decide", fresh), ("_decide", asked)):
        for answer in (desk.get(url(name, dispute)), desk.post(url(name, dispute), WORDS)):
            assert answer.status_code == 409 and "Things moved on a moment ago" in answer.content.decode()
    actions.withdraw_dispute(fresh, by=alice)
    assert desk.get(url("_add", fresh)).status_code == 409 == desk.post(url("_add", fresh), {"note": "x"}).status_code


def test_what_the_desk_adds_both_sides_read_and_the_audit_too(desk, alice, bob, frank, media):
    dispute = at("under_review", alice, bob, frank)
    html = text(desk, url("_add", dispute))
    assert "Both sides see it" in html
    answer = desk.post(url("_add", dispute), {"note": "I have called both", "documents": [quarrel.paper("Call.pdf")]})
    assert answer.status_code == 303 and "I have called both" in text(desk, url("", dispute))
    assert DeskAction.objects.get().verb == "added_evidence"
    for person in (alice, bob):
        client = Client()
        client.force_login(person)
        assert "I have called both" in text(client, reverse("bookings:dispute", args=[dispute.pk]))


def test_deciding_asks_again_who_sits_there(desk, alice, bob, frank, settings):
    settings.STEP_UP_MINUTES = 15
    frank.set_password("correct horse battery staple")
    frank.save(update_fields=["password"])
    desk.force_login(frank)
    dispute = at("under_review", alice, bob, frank)
    answer = desk.post(url("_decide", dispute), WORDS)
    assert answer.status_code == 302 and "/reauthenticate/" in answer["Location"]
    assert make.fresh(dispute).status == "under_review"


def test_nobody_else_reads_or_decides(alice, bob, charlie, ed, frank):
    dispute = at("under_review", alice, bob, frank)
    for person in (alice, bob, charlie, ed):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("desk:disputes")).status_code == 403
        for name in ("", "_take_on", "_decide", "_add"):
            assert client.get(url(name, dispute)).status_code == 403
            if name:
                assert client.post(url(name, dispute), WORDS).status_code == 403
    assert make.fresh(dispute).status == "under_review"


# --- What moves by itself -------------------------------------------------------------------------


def test_a_step_takes_the_row_from_one_list_to_the_other(alice, bob, frank, charlie):
    dispute = at("open", alice, bob, frank)
    place = ("adminpanel.dispute_row", str(dispute.pk))
    found = touched_by(lambda: quarrel.taken_on(dispute, frank))
    assert place in on(found, "desk.disputes.waiting") and place in on(found, "desk.disputes.answering")
    assert place not in on(found, "desk.disputes.ended")
    assert ("adminpanel.dispute_case", str(dispute.pk)) in on(found, f"desk.dispute.{dispute.pk}")
    for fragment in ("adminpanel.dispute_row", "adminpanel.dispute_case"):
        assert audience(found, fragment, alice, bob, charlie, frank) == {"Frank"}


def test_a_new_one_comes_in_and_evidence_moves_the_case_alone(alice, bob, frank):
    found = touched_by(lambda: quarrel.in_state("open", alice, bob, frank))
    dispute = Dispute.objects.get()
    assert ("adminpanel.dispute_row", str(dispute.pk)) in on(found, "desk.disputes.waiting")
    html = sent(found, frank)[f"adminpanel-dispute-row-{dispute.pk}"]
    assert html is not None and "Alice Test against Bob Test" in html
    found = touched_by(lambda: actions.add_evidence(dispute, by=alice, note="The floor too"))
    assert not on(found, "desk.disputes.waiting")
    assert "The floor too" in (sent(found, frank)[f"adminpanel-dispute-case-{dispute.pk}"] or "")


def test_a_name_that_changes_does_so_here(alice, bob, frank):
    dispute = at("open", alice, bob, frank)
    alice.name = "Alicia Test"
    found = touched_by(lambda: alice.save(update_fields=["name"]))
    html = sent(found, frank)
    for part in ("row", "case"):
        assert "Alicia Test against" in (html[f"adminpanel-dispute-{part}-{dispute.pk}"] or "")


def test_topics_are_the_desks(alice, bob, frank, ed):
    dispute = at("open", alice, bob, frank)
    everybody = {Principal("user", str(each.pk)) for each in (alice, bob, frank, ed)}
    for name in ("desk.disputes.waiting", f"desk.dispute.{dispute.pk}"):
        assert topics.members(name, everybody) == {Principal("user", str(frank.pk))}
    assert not topics.members("desk.disputes.nonsense", everybody)


# --- What it costs --------------------------------------------------------------------------------


def cost(act: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def test_pages_cost_under_twelve_queries_and_no_more_with_more_rows(desk, alice, bob, charlie, dora, frank, media):
    dispute = at("under_review", alice, bob, frank)
    pages = [reverse("desk:disputes"), url("", dispute), url("_decide", dispute)]
    for page in pages:
        desk.get(page)  # what is kept for a while (the session, flags) is asked once
    few = [cost(lambda page=page: desk.get(page)) for page in pages]
    for people in ((charlie, dora), (make.person("Nora"), make.technician("Tess"))):
        quarrel.in_state("open", *people, frank)
        quarrel.in_state("under_review", *people, frank)
    for note in ("One", "Two", "Three"):
        actions.add_evidence(dispute, by=alice, note=note, files=[quarrel.paper()])
    desk.get(pages[0])  # reads what the bell tells
    assert [cost(lambda page=page: desk.get(page)) for page in pages] == few
    assert max(few) < 12, few


def test_loading_many_costs_what_one_costs(alice, bob, charlie, dora, frank):
    keys = [str(at("under_review", *people, frank).pk) for people in ((alice, bob), (charlie, dora))]
    assert cost(lambda: load_rows(keys)) == cost(lambda: load_rows(keys[:1])) == 1
    assert cost(lambda: load_cases(keys)) == cost(lambda: load_cases(keys[:1])) == 3
    assert not load_cases([]) and not load_rows(["4711"])
