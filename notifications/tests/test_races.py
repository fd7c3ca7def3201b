"""At the same moment, on real connections: two who tell, a reader and a teller, clocks, and a clock that is killed."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone

from common.tests.race import at_once, split
from notifications import due
from notifications.actions import clear, mark_read, mark_read_about
from notifications.models import FanOut, Mail, MailStatus, Notification
from notifications.tests.kinds import ANSWER
from notifications.tests.telling import NOW, tell
from realtime.tests.serving import environment

ROOT = Path(__file__).resolve().parents[2]
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def db(transactional_db: None) -> None:
    """Whoever asks for `db` writes with real commits here."""


def test_two_who_tell_at_once_make_one_row_that_counts_two(alice):
    for turn in range(5):
        calls = [lambda n=n, turn=turn: tell([alice], group=f"g.{turn}", event=f"{turn}.{n}") for n in range(2)]
        _, refused = split(at_once(calls))
        assert not refused
        row = Notification.objects.get(group=f"g.{turn}")
        assert (row.count, row.text) == (2, "2 new answers on Tap")
    assert set(Mail.objects.values_list("text", "notification__count")) == {("2 new answers on Tap", 2)}


def test_many_at_once_lose_nothing(alice, bob, charlie):
    calls = [lambda n=n: tell([alice, bob, charlie], group="g", event=f"e{n}") for n in range(8)]
    _, refused = split(at_once(calls))
    assert not refused
    assert list(Notification.objects.values_list("count", flat=True)) == [8, 8, 8]
    assert list(Mail.objects.values_list("text", flat=True)) == ["8 new answers on Tap"] * 3


def test_reading_while_others_tell_loses_no_notice_and_waits_for_nobody(alice):
    for turn in range(5):
        tell([alice], group="g", event=f"{turn}.first")
        calls = [
            lambda turn=turn: tell([alice], group="g", event=f"{turn}.second"),
            lambda: mark_read(Notification.objects.filter(user=alice), now=NOW),
            lambda: mark_read_about(alice, "g", [ANSWER], NOW),
        ]
        _, refused = split(at_once(calls))
        assert not refused
        rows = Notification.objects.filter(user=alice)
        assert sum(rows.values_list("count", flat=True)) == 2
        clear(rows)


def test_two_clocks_tell_each_person_once_and_send_each_mail_once(crowd):
    tell(crowd(230))
    _, refused = split(at_once([lambda: due.tell_many(NOW)] * 3))
    due.tell_many(NOW)  # on PostgreSQL whoever found the row held went away
    assert not refused and not FanOut.objects.exists()
    assert Notification.objects.count() == Notification.objects.values("user").distinct().count() == 230

    Mail.objects.filter(pk__gt=Mail.objects.order_by("pk")[30].pk).update(status=MailStatus.SKIPPED)
    _, refused = split(at_once([lambda: due.send_mails(SOON)] * 3))
    due.send_mails(SOON)
    addresses = [message.to[0] for message in mail.outbox]
    assert not refused and len(addresses) == len(set(addresses)) == 31
    assert not Mail.objects.filter(status=MailStatus.QUEUED).exists()


# --- Killed between sending and marking -----------------------------------------------------------

DYING = '''
"""A mail server of the tests: writes down what it was given, and then the power fails."""
import os
from pathlib import Path

from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    def send_messages(self, messages):
        with Path(os.environ["SENT"]).open("a") as sent:
            for message in messages:
                sent.write(message.extra_headers["Message-ID"] + " " + message.to[0] + "\\n")
        if os.environ["DIES"] == "yes":
            os.kill(os.getpid(), 9)
        return len(messages)
'''
SETTINGS = """
from config.settings import *
EMAIL_BACKEND = "dying.EmailBackend"
INSTALLED_APPS = [*INSTALLED_APPS, "notifications.tests.declaring"]
"""


def clock(folder: Path, *, dies: bool) -> int:
    """`manage.py clock --once` in a process of its own; returns how it ended."""
    path = f"{folder}:{ROOT}"
    env = environment(SENT=str(folder / "sent"), DIES="yes" if dies else "no", PYTHONPATH=path, VAR_DIR=str(folder))
    command = [sys.executable, "manage.py", "clock", "--once", "--settings", "dying_settings"]
    return subprocess.run(command, cwd=ROOT, env=env, timeout=120, check=False).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a mail server that dies, and the settings that name it."""
    (tmp_path / "dying.py").write_text(DYING)
    (tmp_path / "dying_settings.py").write_text(SETTINGS)
    (tmp_path / "sent").touch()
    return tmp_path


def sent(folder: Path) -> list[str]:
    """What reached the mail server: Message-ID and address."""
    return (folder / "sent").read_text().splitlines()


def test_a_clock_killed_between_sending_and_marking_costs_one_duplicate_and_loses_nothing(alice, crowd, folder):
    """For real: the process gets a SIGKILL with the mail out and the mark not written."""
    tell([alice, *crowd(2)], now=timezone.now() - timedelta(hours=1))

    assert clock(folder, dies=True) == -9
    assert len(sent(folder)) == 1
    held = Mail.objects.get(claimed_at__isnull=False)
    assert held.status == MailStatus.QUEUED and held.attempts == 1  # out, and not marked

    assert clock(folder, dies=False) == 0  # the others go at once; that one is in a dead hand for five minutes
    assert len(sent(folder)) == 3 and len(set(sent(folder))) == 3
    Mail.objects.filter(pk=held.pk).update(claimed_at=timezone.now() - timedelta(minutes=5))
    assert clock(folder, dies=False) == 0

    assert len(sent(folder)) == 4 and len(set(sent(folder))) == 3  # one duplicate, and it can be recognised as one
    assert set(Mail.objects.values_list("status", flat=True)) == {MailStatus.SENT}
    assert clock(folder, dies=False) == 0 and len(sent(folder)) == 4
