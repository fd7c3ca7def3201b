"""The bell, the list and the settings: what they show, whom they let in, what they do."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.live import bell, load_bells
from notifications.models import Channel, Mail, Notification, Preference, Quiet
from notifications.tests.kinds import ANSWER, DESK, PLAIN
from notifications.tests.telling import tell
from notifications.unsubscribing import GOOD_FOR, SALT, token_for
from realtime.models import JournalRow

LIST = "/notifications/"
SETTINGS = "/notifications/settings/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alices(alice) -> Client:
    return signed_in(alice)


def told(user: User, number: int = 1, **options) -> list[Notification]:
    """`number` notices, the newest last."""
    now = timezone.now() - timedelta(hours=1)
    for index in range(number):
        words = {"what": f"Notice {index}", "name": f"Bob{index}", "job": "Tap"}
        usual = {"kind": PLAIN, "words": words, "event": f"e{index}", "now": now + timedelta(seconds=index)}
        tell([user], **usual | options)
    return list(Notification.objects.filter(user=user).order_by("pk"))


def page(client: Client, url: str = LIST) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


# --- The bell -------------------------------------------------------------------------------------


def test_the_bell_is_on_every_page_and_counts(alice, alices):
    assert 'data-unread="0"' in page(alices, reverse("profile"))
    told(alice, 8)
    html = page(alices, reverse("profile"))
    assert 'data-unread="8"' in html and 'aria-label="Notifications, 8 unread"' in html
    assert "Notice 7" in html and "Notice 2" in html and "Notice 1<" not in html


def test_a_bell_costs_one_query_however_many_people_and_notices(alice, charlie, django_assert_num_queries):
    told(alice, 30)
    told(charlie, 3)
    with django_assert_num_queries(1):
        bells = load_bells([str(alice.pk), str(charlie.pk), "999999"])
    assert [bells[key].unread for key in (str(alice.pk), str(charlie.pk), "999999")] == [30, 3, 0]
    assert [len(each.newest) for each in bells.values()] == [6, 3, 0]


def test_the_bell_of_a_closed_account_is_empty(alice):
    told(alice, 2)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert load_bells([str(alice.pk)])[str(alice.pk)].unread == 0


def test_above_ninety_nine_the_badge_counts_no_more(alice):
    told(alice, 100)
    html = bell.render(str(alice.pk), load_bells([str(alice.pk)])[str(alice.pk)], f"user.{alice.pk}", "1")
    assert "99+" in html and 'data-unread="100"' in html


def test_only_what_is_unread_and_may_pop_up_is_a_toast_and_urgent_ones_say_so(alice, alices):
    first, second = told(alice, 2)
    Notification.objects.filter(pk=first.pk)
    first.toasts = False
    first.save(update_fields=["toasts"])
    second.priority = "urgent"
    second.save(update_fields=["priority"])
    html = page(alices)
    assert f'data-toast-key="{second.pk}-1"' in html and f'data-toast-key="{first.pk}-1"' not in html
    assert html.count("data-toast-urgent") == 1
    assert f'data-toast-go="/notifications/{second.pk}/"' in html and 'data-toast-href="/jobs/7/"' in html


def test_hostile_words_do_no_harm(alice, alices):
    told(alice, words={"what": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page(alices)


def test_a_change_is_told_to_its_owner_alone(alice, charlie):
    told(alice)
    rows = JournalRow.objects.filter(fragment__startswith="notifications.")
    assert set(rows.values_list("topic", flat=True)) == {f"user.{alice.pk}", f"user.{alice.pk}.notices"}


# --- The list -------------------------------------------------------------------------------------


def listed(html: str) -> str:
    return html.split('data-live-list="notifications.item"')[1].split("</ul>")[0]


def test_the_list_is_in_pages_newest_first(alice, alices):
    told(alice, 25)
    html = listed(page(alices))
    assert html.index("Notice 24") < html.index("Notice 5") and "Notice 4<" not in html
    assert "Notice 4<" in listed(page(alices, f"{LIST}?page=2")) and "Page 1 of 2" in page(alices)


@pytest.mark.parametrize("number", ["0", "x", "-1", "99999999999999999999"])
def test_a_page_that_is_not_there_is_the_nearest(alice, alices, number):
    told(alice)
    assert "Notice 0" in page(alices, f"{LIST}?page={number}")


def test_the_filters(alice, alices):
    told(alice, 1, kind=ANSWER)
    told(alice, 3)
    Notification.objects.get(text="Notice 1").delete()
    alices.get(reverse("notifications:go", args=[Notification.objects.get(text="Notice 2").pk]))
    texts = {show: listed(page(alices, f"{LIST}?show={show}")) for show in ("all", "unread", "important", "nonsense")}
    assert "Bob0 answers" in texts["all"] and "Notice 2" in texts["all"]
    assert "Notice 2" not in texts["unread"] and "Notice 0" in texts["unread"]
    assert "Bob0 answers" in texts["important"] and "Notice 0" not in texts["important"]
    assert texts["nonsense"] == texts["all"]


def test_empty_lists_say_what_they_are_for(alices):
    assert "shows here as it happens" in page(alices)
    assert "You have read everything" in page(alices, f"{LIST}?show=unread")


def test_the_list_costs_the_same_for_two_and_for_twenty(alice, alices, django_assert_max_num_queries):
    told(alice, 2)
    with django_assert_max_num_queries(12):
        page(alices)
    told(alice, 20, event="more")
    with django_assert_max_num_queries(12):
        page(alices)


# --- Reading and clearing -------------------------------------------------------------------------


def test_following_a_notice_reads_it_and_goes_there(alice, alices):
    (row,) = told(alice)
    response = alices.get(reverse("notifications:go", args=[row.pk]))
    assert (response.status_code, response["Location"]) == (302, "/jobs/7/")
    row.refresh_from_db()
    assert row.read_at is not None


@pytest.mark.parametrize("verb", ["read", "clear", "read_all", "clear_all"])
def test_asking_changes_nothing_and_posting_does(alice, alices, verb):
    row = told(alice, 2)[0]
    url = reverse(f"notifications:{verb}", args=[] if verb.endswith("all") else [row.pk])
    assert 'name="idempotency_key"' in page(alices, url)
    assert Notification.objects.filter(read_at=None).count() == 2

    for _ in range(2):  # the second tap finds nothing to do, or the first one's answer
        response = alices.post(url, {"idempotency_key": "one"})
        assert (response.status_code, response["Location"]) == (303, LIST)
    left = Notification.objects.count(), Notification.objects.filter(read_at=None).count()
    assert left == {"read": (2, 1), "clear": (1, 1), "read_all": (2, 0), "clear_all": (0, 0)}[verb]


def test_from_a_script_the_page_stays(alice, alices):
    told(alice)
    response = alices.post(reverse("notifications:read_all"), headers={"HX-Request": "true"})
    assert response.status_code == 204 and response["HX-Trigger"] == "dialog-done"


@pytest.mark.parametrize("verb", ["go", "read", "clear"])
def test_the_notices_of_others_are_not_there(alice, charlie, verb):
    (row,) = told(alice)
    url = reverse(f"notifications:{verb}", args=[row.pk])
    assert signed_in(charlie).get(url).status_code == 404
    assert signed_in(charlie).post(url).status_code in (404, 405)
    assert Client().get(url)["Location"].startswith(reverse("account_login"))
    row.refresh_from_db()
    assert row.read_at is None


@pytest.mark.parametrize("verb", ["read_all", "clear_all"])
def test_all_means_ones_own(alice, charlie, verb):
    told(alice)
    signed_in(charlie).post(reverse(f"notifications:{verb}"))
    assert Notification.objects.filter(read_at=None).count() == 1


def test_strangers_are_sent_to_sign_in(db):
    for name in ("list", "read_all", "clear_all", "settings", "quiet", "pause", "resume"):
        url = reverse(f"notifications:{name}")
        for response in (Client().get(url), Client().post(url)):
            assert response.status_code == 302 and response["Location"].startswith(reverse("account_login"))


# --- Settings -------------------------------------------------------------------------------------


def test_choices_are_offered_for_ones_role_and_kept(alice, alices):
    html = page(alices, SETTINGS)
    assert ANSWER.label in html and DESK.label not in html
    ticked = [f"{ANSWER.name}-email", f"{PLAIN.name}-page", f"{PLAIN.name}-email", f"{DESK.name}-page"]
    assert alices.post(SETTINGS, dict.fromkeys(ticked, "on")).status_code == 303
    rows = Preference.objects.filter(user=alice, kind__startswith="tests.")
    mine = {(row.kind, row.channel): row.wanted for row in rows}
    assert mine[ANSWER.name, Channel.PAGE] is False and mine[PLAIN.name, Channel.EMAIL] is True
    assert (ANSWER.name, Channel.EMAIL) not in mine and (DESK.name, Channel.PAGE) not in mine
    tell([alice])
    assert not Notification.objects.exists() and Mail.objects.count() == 1


def test_quiet_hours_are_kept_and_wrong_ones_shown_with_what_was_typed(alice, alices):
    url = reverse("notifications:quiet")
    assert alices.post(url, {"starts": "22:00", "ends": "07:00"}).status_code == 303
    assert (Quiet.objects.get().starts, Quiet.objects.get().ends) == (time(22), time(7))
    assert 'value="22:00"' in page(alices, SETTINGS)
    response = alices.post(url, {"starts": "21:00", "ends": ""})
    assert response.status_code == 422 and 'value="21:00"' in response.content.decode()
    assert "both a start and an end" in response.content.decode()
    assert alices.post(url, {"starts": "25:00", "ends": "07:00"}).status_code == 422
    assert alices.get(url).status_code == 405
    assert alices.post(url, {"starts": "", "ends": ""}).status_code == 303
    assert Quiet.objects.get().starts is None


def test_a_pause_and_its_end(alice, alices):
    for verb in ("pause", "resume"):
        assert 'name="idempotency_key"' in page(alices, reverse(f"notifications:{verb}"))
    assert alices.post(reverse("notifications:pause"))["Location"] == SETTINGS
    assert Quiet.objects.get().paused_until > timezone.now() + timedelta(minutes=59)
    assert "Paused until" in page(alices, SETTINGS)
    assert JournalRow.objects.filter(fragment="notifications.pause", key=str(alice.pk)).exists()
    alices.post(reverse("notifications:resume"))
    assert "Pause for 1 hour" in page(alices, SETTINGS)


# --- The links in mails ---------------------------------------------------------------------------


def leave(user: User, *kinds: str) -> str:
    return reverse("notifications:unsubscribe", args=[token_for(user, kinds or (ANSWER.name,))])


def wants(user: User) -> bool:
    return not Preference.objects.filter(user=user, channel=Channel.EMAIL, wanted=False).exists()


def test_looking_at_the_link_turns_nothing_off_and_its_button_does(alice):
    client, url = Client(), leave(alice)
    assert ANSWER.label in page(client, url) and wants(alice)
    assert client.post(url).status_code == 303
    assert not wants(alice) and "turned off" in page(client, url)
    tell([alice])
    assert Notification.objects.count() == 1 and not Mail.objects.exists()


def test_mail_programs_post_by_themselves_without_a_token(alice):
    client = Client(enforce_csrf_checks=True)
    response = client.post(leave(alice), {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200 and not wants(alice)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x" + t, lambda t: "x"])
def test_a_forged_link_is_none(alice, spoil):
    url = reverse("notifications:unsubscribe", args=[spoil(token_for(alice, [ANSWER.name]))])
    assert Client().get(url).status_code == Client().post(url).status_code == 404
    assert wants(alice)


def test_an_old_link_is_none(alice, monkeypatch):
    url = leave(alice)
    now = signing.time.time() + GOOD_FOR.total_seconds() + 1
    monkeypatch.setattr(signing.time, "time", lambda: now)
    assert Client().post(url).status_code == 404 and wants(alice)


def test_what_was_signed_for_something_else_is_none(alice):
    foreign = signing.dumps([alice.pk, [ANSWER.name]], salt=f"{SALT}.other")
    assert Client().get(reverse("notifications:unsubscribe", args=[foreign])).status_code == 404


def test_somebody_elses_link_turns_off_the_mails_of_whom_it_was_sent_to(alice, charlie):
    signed_in(charlie).post(leave(alice))
    assert not wants(alice) and wants(charlie)


def test_links_of_closed_accounts_and_of_kinds_that_are_gone_are_none(alice, charlie):
    charlie.is_active = False
    charlie.save(update_fields=["is_active"])
    assert Client().get(leave(charlie)).status_code == Client().get(leave(alice, "gone.away")).status_code == 404
