"""Who is told, in which row, and whether it may pop up."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from accounts.models import User
from notifications.actions import choose, mark_read_about, notify, pause, set_quiet_hours
from notifications.models import Channel, Mail, Notification
from notifications.tests.kinds import ALARM, ANSWER, DESK, PLAIN
from notifications.tests.telling import NOW, look_at, tell
from realtime.models import JournalRow


def rows(user: User) -> list[Notification]:
    return list(Notification.objects.filter(user=user))


def test_people_are_told_and_mailed_and_their_bells_ring(alice, bob):
    tell([alice], by=bob)

    (row,) = rows(alice)
    assert (row.text, row.url, row.count, row.read_at, row.toasts) == ("Bob answers on Tap", "/jobs/7/", 1, None, True)
    assert (row.kind, row.priority, row.actor_id, row.at) == (ANSWER.name, "high", bob.pk, NOW)
    (mail,) = Mail.objects.all()
    assert (mail.user, mail.notification, mail.text) == (alice, row, "Bob answers on Tap")
    assert mail.due_at == NOW + timedelta(minutes=1)
    told = JournalRow.objects.filter(fragment="notifications.bell").values_list("topic", "key")
    assert list(told) == [(f"user.{alice.pk}", str(alice.pk))]


def test_nobody_is_told_of_what_they_did(alice, bob):
    tell([alice, bob], by=alice)
    assert not rows(alice) and len(rows(bob)) == 1


def test_closed_accounts_and_other_roles_are_left_out(alice, charlie, frank):
    charlie.is_active = False
    charlie.save(update_fields=["is_active"])
    tell([alice, charlie, frank], kind=DESK)
    assert [row.user for row in Notification.objects.all()] == [frank]


def test_ids_and_people_twice_are_told_once(alice):
    tell([alice, alice.pk])
    assert len(rows(alice)) == 1 and rows(alice)[0].count == 1


def test_the_same_group_shares_a_row_while_it_is_unread(alice, bob):
    for number in range(3):
        tell([alice], by=bob, event=f"answer.{number}", group="booking.7", now=NOW + timedelta(minutes=number))
    (row,) = rows(alice)
    assert (row.count, row.text, row.event) == (3, "3 new answers on Tap", "answer.2")
    assert row.at == NOW + timedelta(minutes=2) and Mail.objects.get().text == row.text  # one mail, too

    assert mark_read_about(alice, "booking.7", [ANSWER], NOW) == 1
    tell([alice], by=bob, event="answer.3", group="booking.7")
    assert [row.count for row in rows(alice)] == [3, 1] or [row.count for row in rows(alice)] == [1, 3]


def test_other_groups_kinds_and_people_have_rows_of_their_own(alice, bob, charlie):
    tell([alice, charlie], by=bob, group="booking.7")
    tell([alice], by=bob, group="booking.8", event="b")
    tell([alice], by=bob, group="booking.7", event="c", kind=PLAIN)
    assert len(rows(alice)) == 3 and len(rows(charlie)) == 1


def test_kinds_without_words_for_several_stand_by_themselves_also_in_a_group(alice):
    tell([alice], kind=PLAIN, group="booking.7", event="a", words={"what": "Paused"})
    tell([alice], kind=PLAIN, group="booking.7", event="b", words={"what": "Going on"})
    assert {row.text: row.count for row in rows(alice)} == {"Paused": 1, "Going on": 1}
    assert mark_read_about(alice, "booking.7", None, NOW) == 2


def test_without_a_group_each_stands_by_itself(alice):
    tell([alice], event="a")
    tell([alice], event="b")
    assert [row.count for row in rows(alice)] == [1, 1]


def test_the_same_event_told_twice_is_one(alice):
    tell([alice], group="g")
    tell([alice], group="g")
    assert rows(alice)[0].count == 1 and Mail.objects.count() == 1


def test_a_word_that_is_missing_fails_in_the_action(alice):
    with pytest.raises(KeyError):
        notify([alice], ANSWER, by=None, event="x", url="/", now=NOW, words={"name": "Bob"})


# --- Preferences, quiet hours, pauses -------------------------------------------------------------


@pytest.mark.parametrize(("off", "told", "mailed"), [(Channel.PAGE, 0, 1), (Channel.EMAIL, 1, 0)])
def test_a_channel_that_is_off_is_not_used(alice, off, told, mailed):
    choose(alice, {(ANSWER, off): False})
    tell([alice])
    assert len(rows(alice)) == told and Mail.objects.count() == mailed


def test_a_channel_that_is_on_is_used_also_against_the_default(alice):
    choose(alice, {(PLAIN, Channel.EMAIL): True})
    tell([alice], kind=PLAIN, words={"what": "Hm"})
    assert Mail.objects.count() == 1
    choose(alice, {(PLAIN, Channel.EMAIL): False})
    assert not alice.preferences.exists()  # back to the default


def test_in_quiet_hours_nothing_pops_up_and_the_mail_waits_for_their_end(alice):
    set_quiet_hours(alice, starts=time(12, 30), ends=time(14, 0))  # in London it is 13:00
    tell([alice])
    assert not rows(alice)[0].toasts
    assert Mail.objects.get().due_at == NOW + timedelta(hours=1)


def test_a_mail_that_falls_due_in_quiet_hours_waits_too(alice):
    set_quiet_hours(alice, starts=time(13, 0, 30), ends=time(14, 0))
    tell([alice])
    assert rows(alice)[0].toasts and Mail.objects.get().due_at == NOW + timedelta(hours=1)


def test_quiet_hours_are_those_of_the_persons_own_zone(alice, charlie):
    charlie.time_zone = "America/New_York"  # 08:00
    charlie.save(update_fields=["time_zone"])
    for person in (alice, charlie):
        set_quiet_hours(person, starts=time(7), ends=time(9))
    tell([alice, charlie])
    assert rows(alice)[0].toasts and not rows(charlie)[0].toasts


def test_a_pause_silences_for_an_hour(alice):
    pause(alice, now=NOW)
    tell([alice], event="a", now=NOW + timedelta(minutes=59))
    tell([alice], event="b", now=NOW + timedelta(minutes=60))
    assert {row.event: row.toasts for row in rows(alice)} == {"a": False, "b": True}
    assert Mail.objects.get(event="a").due_at == NOW + timedelta(minutes=60)


def test_urgent_ones_pass(alice):
    pause(alice, now=NOW)
    tell([alice], kind=ALARM)
    assert rows(alice)[0].toasts and Mail.objects.get().due_at == NOW


# --- Looking at it --------------------------------------------------------------------------------


def test_whoever_looks_at_it_has_read_it_and_gets_no_mail(alice, charlie):
    look_at(alice, "/jobs/7/")
    look_at(charlie, "/jobs/70/")
    tell([alice, charlie])
    assert rows(alice)[0].read_at == NOW and not rows(alice)[0].toasts
    assert rows(charlie)[0].read_at is None
    assert [mail.user for mail in Mail.objects.all()] == [charlie]


def test_looking_also_reads_what_the_row_told_before(alice):
    tell([alice], group="g", event="a")
    look_at(alice, "/jobs/7/?tab=offers")
    tell([alice], group="g", event="b")
    (row,) = rows(alice)
    assert row.count == 2 and row.read_at == NOW


def test_whoever_goes_on_looking_keeps_one_row_of_a_group(alice, charlie):
    look_at(alice, "/jobs/7/")
    for event in "abc":
        tell([alice, charlie], group="g", event=event, now=NOW + timedelta(minutes=ord(event)))
    (row,) = rows(alice)
    assert (row.count, row.event, row.at) == (1, "c", NOW + timedelta(minutes=ord("c")))
    assert row.read_at == row.at and not row.toasts
    assert rows(charlie)[0].count == 3
    tell([alice], group="h", event="d")
    tell([alice], kind=PLAIN, group="g", event="e")
    assert len(rows(alice)) == 3  # other groups and kinds have rows of their own


def test_a_page_that_is_away_does_not_count(alice):
    look_at(alice, "/jobs/7/", away=True)
    tell([alice])
    assert rows(alice)[0].read_at is None


# --- Cost -----------------------------------------------------------------------------------------


def test_telling_twenty_five_costs_what_telling_two_costs(crowd, django_assert_max_num_queries):
    people = crowd(25)
    with django_assert_max_num_queries(12):
        tell(people[:2], group="g")
    with django_assert_max_num_queries(12):
        tell(people, group="h")
    with django_assert_max_num_queries(12):
        tell(people, group="h", event="again")
    assert set(Notification.objects.filter(group="h").values_list("count", flat=True)) == {2}
