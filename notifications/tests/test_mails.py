"""Mails by the clock: once each, tried again, together when many, and not when no longer wanted."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from notifications import due
from notifications.actions import choose, clear, mark_read, pause, turn_off_mail
from notifications.mails import BACK_OFF, claim_next
from notifications.models import Channel, FanOut, Mail, MailStatus, Notification, Quiet
from notifications.tests.kinds import ALARM, ANSWER
from notifications.tests.telling import NOW, tell

MINUTE = timedelta(minutes=1)
SOON = NOW + MINUTE  # when a mail of high priority is due


class Broken(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody there")


def broken(settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"


def statuses() -> list[str]:
    return list(Mail.objects.order_by("pk").values_list("status", flat=True))


def test_a_mail_goes_once_when_it_is_due(alice):
    tell([alice])
    assert due.send_mails(SOON - MINUTE / 60) == 0 and not mail.outbox
    assert due.send_mails(SOON) == 1
    assert due.send_mails(SOON + MINUTE * 600) == 0

    (message,) = mail.outbox
    assert message.to == [alice.email] and message.subject == "Callout: Bob answers on Tap"
    row = Mail.objects.get()
    assert (row.status, row.sent_at, row.attempts) == ("sent", SOON, 1)


def test_a_notice_for_many_that_cannot_be_told_holds_up_no_mail(alice, caplog):
    tell([alice])
    FanOut.objects.create(kind=ANSWER.name, event="e", words={}, url="/", at=NOW, people=[alice.pk])  # no such words
    assert due.run_due(SOON) == 1
    assert len(mail.outbox) == 1 and "tell_many failed" in caplog.text and FanOut.objects.count() == 1


def test_it_says_the_same_in_text_and_html_and_how_to_be_rid_of_it(alice, settings):
    settings.SITE_URL = "https://callout.example"
    tell([alice], words={"name": "Bob", "job": "Tap <b>"})
    due.send_mails(SOON)
    (message,) = mail.outbox
    html, kind = message.alternatives[0]
    assert kind == "text/html" and "Bob answers on Tap &lt;b&gt;" in html and "Bob answers on Tap <b>" in message.body
    leave = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert leave.startswith("https://callout.example/notifications/unsubscribe/")
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for body in (message.body, html):
        assert "https://callout.example/jobs/7/" in body and leave in body
    assert parseaddr(message.extra_headers["Message-ID"])[1].endswith("@callout.example")
    assert message.message()["Message-ID"] == message.extra_headers["Message-ID"]


def test_a_line_break_in_a_name_breaks_no_header(alice):
    tell([alice], words={"name": "Bob\r\nBcc: x@example.org", "job": "Tap"})
    due.send_mails(SOON)
    assert mail.outbox[0].subject == "Callout: Bob Bcc: x@example.org answers on Tap"
    assert mail.outbox[0].message()["Bcc"] is None


def test_what_fails_is_tried_again_ever_more_seldom_and_then_given_up(alice, settings):
    broken(settings)
    tell([alice])
    at = SOON
    for minutes in BACK_OFF:
        assert due.send_mails(at) == 1
        row = Mail.objects.get()
        assert row.status == "queued" and row.due_at == at + minutes * MINUTE
        assert row.error == "ConnectionRefusedError: nobody there"
        assert due.send_mails(row.due_at - MINUTE / 60) == 0
        at = row.due_at
    assert due.send_mails(at) == 1
    assert statuses() == ["failed"] and Mail.objects.get().attempts == 6
    assert due.send_mails(at + 600 * MINUTE) == 0


def test_a_server_that_comes_back_gets_it(alice, settings):
    backend = settings.EMAIL_BACKEND
    broken(settings)
    tell([alice])
    due.send_mails(SOON)
    settings.EMAIL_BACKEND = backend
    due.send_mails(SOON + MINUTE)
    assert statuses() == ["sent"] and len(mail.outbox) == 1


def test_one_persons_bad_luck_is_not_anothers(alice, charlie, monkeypatch):
    tell([alice, charlie])
    send = EmailBackend.send_messages

    def picky(self, messages):
        if messages[0].to == [alice.email]:
            raise ConnectionRefusedError
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", picky)
    assert due.send_mails(SOON) == 2
    assert {row.user: row.status for row in Mail.objects.all()} == {alice: "queued", charlie: "sent"}


# --- Many -----------------------------------------------------------------------------------------


def test_three_go_by_themselves_and_four_together(alice, charlie):
    for number in range(3):
        tell([charlie], event=f"event.{number}")
    for number in range(4):
        tell([alice], event=f"event.{number}", words={"name": f"Bob{number}", "job": "Tap"})
    due.send_mails(SOON)
    sent = {address: [m.subject for m in mail.outbox if m.to == [address]] for address in (alice.email, charlie.email)}
    assert sent == {
        alice.email: ["Callout: 4 things happened"],
        charlie.email: ["Callout: Bob answers on Tap"] * 3,
    }
    digest = next(m for m in mail.outbox if m.to == [alice.email])
    assert all(f"Bob{number} answers on Tap" in digest.body for number in range(4))
    assert set(statuses()) == {"sent"}
    assert len({m.extra_headers["Message-ID"] for m in mail.outbox}) == 4


def test_one_mail_a_person_and_event(alice, charlie):
    tell([alice, charlie], event="one")
    tell([alice, charlie], event="one")
    due.send_mails(SOON)
    assert len(mail.outbox) == 2


def test_what_is_told_in_one_row_goes_in_one_mail(alice):
    for number in range(5):
        tell([alice], group="g", event=f"event.{number}", now=NOW + number * MINUTE / 10)
    due.send_mails(SOON)
    assert [m.subject for m in mail.outbox] == ["Callout: 5 new answers on Tap"]
    assert due.send_mails(SOON + MINUTE) == 0
    tell([alice], group="g", event="later", now=SOON)  # after it went: another
    tell([alice], group="g", event="still later", now=SOON)
    due.send_mails(SOON + MINUTE)
    assert [m.subject for m in mail.outbox][1:] == ["Callout: 7 new answers on Tap"]


def test_what_a_clock_has_in_hand_is_joined_by_nothing(alice):
    tell([alice], group="g", event="a")
    claim_next(SOON)
    tell([alice], group="g", event="b")
    assert [(row.text, row.claimed_at is None) for row in Mail.objects.order_by("pk")] == [
        ("Bob answers on Tap", False),
        ("Bob answers on Tap", True),
    ]


# --- No longer wanted -----------------------------------------------------------------------------


def test_what_was_read_on_the_page_is_not_mailed(alice):
    tell([alice])
    mark_read(Notification.objects.all(), now=NOW)
    due.send_mails(SOON)
    assert statuses() == ["skipped"] and not mail.outbox


def test_what_was_cleared_is_not_mailed(alice):
    tell([alice])
    clear(Notification.objects.all())
    assert statuses() == ["skipped"]


def test_a_kind_switched_off_meanwhile_is_not_mailed(alice):
    tell([alice], event="a")
    choose(alice, {(ANSWER, Channel.EMAIL): False})
    due.send_mails(SOON)
    assert statuses() == ["skipped"]
    choose(alice, {(ANSWER, Channel.EMAIL): True})
    tell([alice], event="b")
    turn_off_mail(alice, [ANSWER])
    assert statuses() == ["skipped", "skipped"]


def test_a_closed_account_and_another_role_get_none(alice, charlie):
    tell([alice, charlie])
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    Mail.objects.filter(user=charlie).update(kind="tests.desk")
    due.send_mails(SOON)
    assert statuses() == ["skipped", "skipped"]


def test_a_kind_that_no_app_declares_any_more_is_not_mailed(alice):
    tell([alice])
    Mail.objects.update(kind="gone.away")
    due.send_mails(SOON)
    assert statuses() == ["skipped"]


def test_a_mail_whose_row_on_the_page_is_off_goes_all_the_same(alice):
    choose(alice, {(ANSWER, Channel.PAGE): False})
    tell([alice])
    due.send_mails(SOON)
    assert statuses() == ["sent"]


def test_a_pause_that_began_meanwhile_puts_it_off_and_not_the_urgent_one(alice):
    tell([alice], event="a")
    tell([alice], event="b", kind=ALARM)
    pause(alice, now=SOON)
    due.send_mails(SOON)
    assert [m.subject for m in mail.outbox] == ["Callout: Bob needs you on Tap"]
    assert Mail.objects.get(event="a").due_at == SOON + timedelta(hours=1)
    due.send_mails(SOON + timedelta(hours=1))
    assert set(statuses()) == {"sent"}


# --- Claims ---------------------------------------------------------------------------------------


def test_a_claim_without_a_mark_is_taken_again_after_five_minutes_with_the_same_name(alice):
    tell([alice])
    due.send_mails(SOON)
    Mail.objects.update(status=MailStatus.QUEUED, sent_at=None)  # as if it had died before the mark
    assert due.send_mails(SOON + 4 * MINUTE) == 0
    assert due.send_mails(SOON + 5 * MINUTE) == 1
    first, second = (m.extra_headers["Message-ID"] for m in mail.outbox)
    assert first == second and statuses() == ["sent"]


def test_a_digest_taken_again_is_the_same_digest(alice):
    for number in range(4):
        tell([alice], event=f"event.{number}")
    due.send_mails(SOON)
    Mail.objects.update(status=MailStatus.QUEUED)
    tell([alice], event="later")
    due.send_mails(SOON + 5 * MINUTE)
    digests = [m for m in mail.outbox if "things" in m.subject]
    assert len(digests) == 2 and digests[0].body.count("Bob answers") == digests[1].body.count("Bob answers") == 4
    assert digests[0].extra_headers["Message-ID"] == digests[1].extra_headers["Message-ID"]


def test_what_kills_each_clock_is_given_up(alice):
    tell([alice])
    Mail.objects.update(attempts=6, claimed_at=NOW)
    due.send_mails(SOON + 5 * MINUTE)
    assert statuses() == ["failed"] and not mail.outbox


# --- The rest of the clock ------------------------------------------------------------------------


def test_a_pause_that_is_over_is_taken_back(alice):
    pause(alice, now=NOW)
    assert due.end_pauses(NOW + 59 * MINUTE) == 0
    assert due.end_pauses(NOW + 60 * MINUTE) == 1
    assert Quiet.objects.get().paused_until is None


@pytest.fixture
def few(monkeypatch):
    """Three rows a tick."""
    monkeypatch.setattr(due, "PRUNED", 3)


def test_old_rows_go_some_a_tick_and_unread_and_queued_ones_stay(alice, few):
    for number in range(5):
        tell([alice], event=f"event.{number}")
    rows = Notification.objects.order_by("pk")
    mark_read(rows.filter(event__lt="event.4"), now=NOW)
    Mail.objects.filter(event__lt="event.4").update(status=MailStatus.SENT)
    later = NOW + timedelta(days=90, seconds=1)
    assert due.prune(later - timedelta(seconds=2)) == 0
    assert [due.prune(later) for _ in range(3)] == [6, 2, 0]
    assert [row.event for row in rows] == ["event.4"] == [row.event for row in Mail.objects.all()]


def test_a_thousand_are_told_in_portions_with_constant_queries_in_the_action(crowd, django_assert_num_queries):
    people = crowd(130)
    with django_assert_num_queries(3):  # the transaction and one row
        tell(people, group="g")
    assert not Notification.objects.exists()
    assert due.tell_portion(NOW) == 100 and Notification.objects.count() == 100
    assert due.tell_many(NOW) == 30 and not FanOut.objects.exists()
    assert Notification.objects.count() == Mail.objects.count() == 130
    assert due.run_due(timezone.now()) >= 0


def test_the_actor_is_left_out_of_many_too(crowd):
    people = crowd(30)
    tell(people, by=people[0])
    due.tell_many(NOW)
    assert Notification.objects.count() == 29
    assert set(Notification.objects.values_list("actor", flat=True)) == {people[0].pk}


def test_a_portion_that_fails_is_told_whole_by_the_next_tick(crowd, monkeypatch):
    tell(crowd(30))
    tell_all = due.tell
    monkeypatch.setattr(due, "tell", lambda *args: (tell_all(*args), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        due.tell_portion(NOW)
    assert not Notification.objects.exists()
    monkeypatch.setattr(due, "tell", tell_all)
    assert due.tell_many(NOW) == 30
