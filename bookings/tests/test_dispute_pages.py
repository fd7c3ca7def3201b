"""The pages of a dispute, as its two sides use them by plain forms: what each may read, and what moves by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings import actions, due
from bookings.disputes import load_cards, load_sides
from bookings.live import disputes as live
from bookings.models import Booking, Dispute
from bookings.tests import make, quarrel
from bookings.tests.follow import audience, keys_of, on, sent, touched_by
from realtime import topics
from realtime.principals import Principal

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def job(alice: User, bob: User, media) -> Booking:
    """Alice's, finished by Bob."""
    return quarrel.done(alice, bob)


@pytest.fixture
def dispute(job: Booking, alice: User) -> Dispute:
    """Hers about it, with a photo and a PDF; the desk has not looked yet."""
    files = [make.picture("Tap.png"), quarrel.paper()]
    return quarrel.opened(job, alice, statement="It still drips.", wanted="A second visit", files=files)


def url(name: str, pk: int) -> str:
    return reverse(f"bookings:{name}", args=[pk])


def page(user: User, address: str) -> str:
    answer = browser(user).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


# --- Opening --------------------------------------------------------------------------------------


def test_from_the_jobs_page_to_the_dispute(job, alice, bob):
    web, form = browser(alice), url("dispute_open", job.pk)
    assert f'href="{form}"' in page(alice, url("job", job.pk))
    html = page(alice, form)
    assert "48 hours" in html and "Somebody behaved badly" in html and "not paid for" not in html
    typed = {"reason": "quality", "statement": "It drips", "wanted": "", "idempotency_key": "k-1"}
    answers = [web.post(form, {**typed, "documents": [make.picture("Tap.png")]}) for _ in range(2)]
    made = Dispute.objects.get()
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(303, url("dispute", made.pk))}
    html = page(alice, url("dispute", made.pk))
    assert "It drips" in html and "The desk looks at it first, then asks Bob" in html
    assert f'src="{url("evidence", made.evidence.get().pk)}"' in html
    assert "Open a dispute" not in page(alice, url("job", job.pk))


def test_a_technician_finds_it_on_their_page_of_the_job_too(job, bob):
    form = url("dispute_open", job.pk)
    assert f'href="{form}"' in page(bob, url("job", job.pk))
    assert "The work was not paid for" in page(bob, form)


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"statement": " "}, {"reason": "unpaid"}, {"wanted": "x" * 301}])
def test_what_is_wrong_is_said_and_what_was_typed_stays(job, alice, wrong):
    typed = {"reason": "quality", "statement": "A drop every second", "wanted": "Half of it", **wrong}
    answer = browser(alice).post(url("dispute_open", job.pk), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and "errorlist" in html and not Dispute.objects.exists()
    assert wrong.get("statement", "A drop every second") in html


def test_a_file_that_is_none_is_refused_by_name_and_the_words_stay(job, alice):
    upload = quarrel.paper("evil.pdf")
    upload.file.write(b"\nPK\x05\x06")
    typed = {"reason": "damage", "statement": "The floor is wet", "documents": [upload]}
    answer = browser(alice).post(url("dispute_open", job.pk), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and "evil.pdf:" in html and "The floor is wet" in html
    assert not Dispute.objects.exists()


def test_where_there_is_nothing_to_dispute_the_form_says_why(alice, bob, dora):
    booking = make.job(alice)
    make.offer(booking, dora)
    answer = browser(alice).get(url("dispute_open", booking.pk))
    assert answer.status_code == 409 and "once the technician has come" in answer.content.decode()
    assert browser(dora).get(url("dispute_open", booking.pk)).status_code == 403
    assert browser(bob).get(url("dispute_open", booking.pk)).status_code == 403  # open to all, and not theirs


def test_on_the_jobs_page_it_is_offered_for_two_weeks(job, alice, bob):
    end = quarrel.end_of(job)
    for person in (alice, bob):
        key = f"{job.pk}-{person.pk}"
        assert load_cards([key], end + timedelta(days=13))[key].can_open
        assert not load_cards([key], end + timedelta(days=14))


# --- Who reads what -------------------------------------------------------------------------------


def test_the_other_side_sees_the_stage_and_nothing_of_what_is_said_until_it_is_asked(dispute, bob, frank):
    html = page(bob, url("dispute", dispute.pk))
    assert "The desk looks at it first. You can then read what is said, and answer." in html
    assert "It still drips" not in html and "A second visit" not in html and "evidence/" not in html
    of_job = page(bob, url("job", dispute.booking_id))
    assert "The desk looks at it first" in of_job and "Alice opened it" in of_job
    assert dispute.get_reason_display() not in html + of_job
    assert dispute.get_reason_display() in page(dispute.opened_by, url("job", dispute.booking_id))
    for piece in dispute.evidence.all():
        assert browser(bob).get(url("evidence", piece.pk)).status_code == 404
    quarrel.taken_on(dispute, frank)
    assert dispute.get_reason_display() in page(bob, url("job", dispute.booking_id))
    html = page(bob, url("dispute", dispute.pk))
    assert "It still drips" in html and "A second visit" in html and "Your answer is wanted." in html
    for piece in dispute.evidence.all():
        assert browser(bob).get(url("evidence", piece.pk)).status_code == 200


def test_withdrawn_before_the_other_side_was_asked_it_stays_unread(dispute, alice, bob):
    actions.withdraw_dispute(dispute, by=alice)
    html = page(bob, url("dispute", dispute.pk))
    assert "Alice withdrew it." in html and "It still drips" not in html
    assert browser(bob).get(url("evidence", dispute.evidence.first().pk)).status_code == 404


def test_strangers_know_of_nothing(dispute, charlie, dora, ed, frank):
    piece = dispute.evidence.first()
    for stranger in (charlie, dora):
        for name in ("dispute", "dispute_answer", "dispute_add", "dispute_withdraw"):
            for answer in (browser(stranger).get(url(name, dispute.pk)), browser(stranger).post(url(name, dispute.pk))):
                assert answer.status_code == (
                    405 if answer.request["REQUEST_METHOD"] == "POST" and name == "dispute" else 404
                )
        assert browser(stranger).get(url("evidence", piece.pk)).status_code == 404
    assert browser(ed).get(url("dispute", dispute.pk)).status_code == 403
    assert browser(frank).get(url("dispute", dispute.pk))["Location"] == f"/desk/disputes/{dispute.pk}/"
    assert Client().get(url("evidence", piece.pk)).status_code == 302


def test_a_file_comes_as_what_it_is_and_is_asked_for_each_time(dispute, alice):
    photo, paper = dispute.evidence.all()
    first = browser(alice).get(url("evidence", photo.pk))
    assert (first["Content-Type"], first["Cache-Control"]) == ("image/jpeg", "private, no-cache")
    again = browser(alice).get(url("evidence", photo.pk), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    saved = browser(alice).get(url("evidence", paper.pk))
    assert saved["Content-Disposition"] == 'attachment; filename="Invoice.pdf"'
    assert "sandbox" in saved["Content-Security-Policy"] and saved["X-Content-Type-Options"] == "nosniff"


def test_words_alone_have_no_file(dispute, alice):
    (piece,) = actions.add_evidence(dispute, by=alice, note="He was told on the phone")
    assert browser(alice).get(url("evidence", piece.pk)).status_code == 404
    assert "He was told on the phone" in page(alice, url("dispute", dispute.pk))


# --- The verbs ------------------------------------------------------------------------------------


def test_answer_evidence_and_withdrawal_by_plain_forms(dispute, alice, bob, frank):
    quarrel.taken_on(dispute, frank, now=timezone.now())
    html = page(bob, url("dispute", dispute.pk))
    assert f'href="{url("dispute_answer", dispute.pk)}"' in html
    assert "multipart/form-data" in page(bob, url("dispute_answer", dispute.pk))
    answer = browser(bob).post(
        url("dispute_answer", dispute.pk), {"answer": "I was careful", "documents": [quarrel.paper("R.pdf")]}
    )
    assert (answer.status_code, answer["Location"]) == (303, url("dispute", dispute.pk))
    html = page(alice, url("dispute", dispute.pk))
    assert "I was careful" in html and "R.pdf" in html and "Both sides are heard. The desk decides." in html
    assert browser(alice).post(url("dispute_add", dispute.pk), {"note": "And the floor"}).status_code == 303
    assert "And the floor" in page(bob, url("dispute", dispute.pk))
    answer = browser(bob).post(url("dispute_add", dispute.pk), {"note": ""})
    assert answer.status_code == 422 and "Write a line" in answer.content.decode()
    assert "its records" in page(alice, url("dispute_withdraw", dispute.pk))
    assert browser(alice).post(url("dispute_withdraw", dispute.pk)).status_code == 303
    assert "You withdrew it." in page(alice, url("dispute", dispute.pk))


def test_from_a_dialog_the_page_stays_and_the_push_moves_it(dispute, alice):
    answer = browser(alice).post(url("dispute_add", dispute.pk), {"note": "More"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "dialog-done")


def test_pages_about_what_has_moved_on_say_so(dispute, alice, bob, frank):
    answer = browser(bob).get(url("dispute_answer", dispute.pk))
    assert answer.status_code == 409 and "The desk has not asked you yet" in answer.content.decode()
    quarrel.taken_on(dispute, frank, now=timezone.now())
    quarrel.answered(dispute, now=timezone.now())
    for answer in (
        browser(bob).get(url("dispute_answer", dispute.pk)),
        browser(bob).post(url("dispute_answer", dispute.pk), {"answer": "Again"}),
    ):
        assert answer.status_code == 409 and "this dispute is now under review" in answer.content.decode()
    quarrel.decided(dispute, frank)
    for name, who in (("dispute_add", alice), ("dispute_add", bob), ("dispute_withdraw", alice)):
        for answer in (
            browser(who).get(url(name, dispute.pk)),
            browser(who).post(url(name, dispute.pk), {"note": "x"}),
        ):
            assert answer.status_code == 409 and "this dispute is now resolved" in answer.content.decode()


def test_what_is_the_other_sides_to_do_is_refused(dispute, alice, bob, frank):
    quarrel.taken_on(dispute, frank, now=timezone.now())
    for name, who in (("dispute_answer", alice), ("dispute_withdraw", bob)):
        for answer in (
            browser(who).get(url(name, dispute.pk)),
            browser(who).post(url(name, dispute.pk), {"answer": "x"}),
        ):
            assert answer.status_code == 403


@pytest.mark.parametrize(
    ("outcome", "hers", "his"),
    [
        ("customer", "Decided for you.", "Decided for Alice."),
        ("technician", "Decided for Bob.", "Decided for you."),
        ("shared", "Decided: the fault is shared.", "Decided: the fault is shared."),
        ("no_fault", "Decided: nobody is at fault.", "Decided: nobody is at fault."),
    ],
)
def test_both_read_the_decision(dispute, alice, bob, frank, outcome, hers, his):
    quarrel.answered(quarrel.taken_on(dispute, frank))
    amount = None if outcome == "no_fault" else Decimal(20)
    quarrel.decided(dispute, frank, outcome=outcome, amount=amount, decision="Both saw the tap.")
    for person, line in ((alice, hers), (bob, his)):
        html = page(person, url("dispute", dispute.pk))
        assert line in html and "Both saw the tap." in html
        assert line in page(person, url("job", dispute.booking_id))
        to = "the technician" if outcome == "technician" else "the customer"
        assert (f"£20.00 is due to {to}" in html) is (amount is not None)


def test_without_an_answer_both_read_that_none_came(dispute, alice, bob, frank):
    quarrel.taken_on(dispute, frank)
    due.end_answering(Dispute.objects.get().answer_by)
    for person in (alice, bob):
        html = page(person, url("dispute", dispute.pk))
        assert "No answer came" in html and "The desk decides." in html


def test_opening_the_page_reads_what_the_bell_tells_of_it(dispute, alice, bob, frank):
    quarrel.taken_on(dispute, frank)
    assert bob.notifications.filter(read_at=None, kind="bookings.dispute_asked").exists()
    page(bob, url("dispute", dispute.pk))
    assert not bob.notifications.filter(read_at=None, kind="bookings.dispute_asked").exists()


# --- What moves by itself -------------------------------------------------------------------------


def places(dispute: Dispute) -> set[tuple[str, str]]:
    """Everywhere a step of a dispute is shown to its two sides."""
    people = (dispute.opened_by_id, dispute.against_id)
    return {(f"dispute.{dispute.pk}.{pk}", f"{dispute.pk}-{pk}") for pk in people}


def test_each_step_touches_both_sides_and_the_cards_of_the_job(dispute, alice, bob, charlie, dora, frank):
    found = touched_by(lambda: quarrel.taken_on(dispute, frank))
    pages = {(touch.topic, touch.key) for touch in found if touch.fragment == "bookings.dispute"}
    assert pages == places(dispute)
    job = dispute.booking_id
    assert ("bookings.dispute_card", f"{job}-{alice.pk}") in on(found, f"booking.{job}.customer")
    assert ("bookings.dispute_card", f"{job}-{bob.pk}") in on(found, f"booking.{job}.technician.{bob.pk}")
    assert audience(found, "bookings.dispute", alice, bob, charlie, dora, frank) == {"Alice", "Bob"}
    assert audience(found, "bookings.dispute_card", alice, bob, charlie, dora, frank) == {"Alice", "Bob"}


def test_evidence_touches_the_dispute_and_a_push_is_what_each_may_read(dispute, alice, bob, frank):
    found = touched_by(lambda: actions.add_evidence(dispute, by=alice, note="The floor too"))
    assert keys_of(found, "bookings.dispute") == {key for _, key in places(dispute)}
    html = sent(found, alice, bob)
    assert "The floor too" in html[f"bookings-dispute-{dispute.pk}-{alice.pk}"]
    assert "The floor too" not in html[f"bookings-dispute-{dispute.pk}-{bob.pk}"]
    html = sent(touched_by(lambda: quarrel.taken_on(dispute, frank)), alice, bob)
    assert "The floor too" in html[f"bookings-dispute-{dispute.pk}-{bob.pk}"]


def test_when_its_time_is_over_open_pages_no_longer_offer_a_dispute(job, alice, bob):
    over = quarrel.end_of(job) + timedelta(days=14)
    found = touched_by(lambda: live.end_windows(over - timedelta(seconds=1), over))
    assert keys_of(found, "bookings.dispute_card") == {f"{job.pk}-{alice.pk}", f"{job.pk}-{bob.pk}"}
    assert {touch.topic for touch in found} == {
        f"booking.{job.pk}.customer",
        f"booking.{job.pk}.technician.{bob.pk}",
    }
    assert not touched_by(lambda: live.end_windows(over, over + timedelta(seconds=1)))


def test_a_job_that_ends_says_that_it_can_be_disputed(alice, bob):
    visit = make.live(make.visit(alice, bob))
    end = lambda: actions.complete_session(visit, by=bob, note="New washer.", now=visit.starts_at + make.HOUR)  # noqa: E731
    html = sent(touched_by(end), alice, bob)
    for person in (alice, bob):
        assert "Open a dispute" in html[f"bookings-dispute-card-{visit.booking_id}-{person.pk}"]


def test_a_topic_is_for_its_side_alone_and_asks_one_query(dispute, alice, bob, charlie, frank):
    everybody = {Principal("user", str(each.pk)) for each in (alice, bob, charlie, frank)}
    for person in (alice, bob):
        name = live.side_topic(dispute.pk, person.pk)
        with CaptureQueriesContext(connection) as queries:
            assert topics.members(name, everybody) == {Principal("user", str(person.pk))}
        assert len(queries) == 1
    assert not topics.members(live.side_topic(dispute.pk, charlie.pk), everybody)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert not topics.members(live.side_topic(dispute.pk, alice.pk), everybody)


def test_nobody_elses_key_loads_anything(dispute, alice, charlie, dora, frank):
    keys = [f"{dispute.pk}-{each.pk}" for each in (charlie, dora, frank)]
    assert not load_sides([*keys, "x-1", f"{dispute.pk}", "-", f"{dispute.pk}-"])
    assert not load_cards([f"{dispute.booking_id}-{each.pk}" for each in (charlie, dora, frank)])


def test_many_cost_what_one_costs(alice, bob, charlie, dora, media):
    rows = [quarrel.opened(quarrel.done(alice, bob), alice), quarrel.opened(quarrel.done(charlie, dora), dora)]
    for load, keys in (
        (load_sides, [f"{row.pk}-{row.opened_by_id}" for row in rows]),
        (load_cards, [f"{row.booking_id}-{row.opened_by_id}" for row in rows]),
    ):
        costs = []
        for wanted in (keys[:1], keys):
            with CaptureQueriesContext(connection) as queries:
                assert len(load(wanted)) == len(wanted)
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 4
