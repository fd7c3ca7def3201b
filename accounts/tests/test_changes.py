"""A person's own page of what was changed about them: all of it in words, with its reason, live, and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions, credentials, people
from accounts.audit import record
from accounts.changes import PAGE, SOURCES, changes_of, load_changes
from accounts.models import Role, User
from accounts.tests import papers
from common.keyset import mark_of

URL = "/accounts/profile/history/"


def whats(user: User) -> list[str]:
    """The sentences, the newest first."""
    return [change.what for change in changes_of(user)]


def text(client: Client, url: str = URL) -> str:
    """The page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(url).content.decode()).split())


def test_everything_the_desk_does_is_told_with_its_reason(tess, olga):
    actions.verify_technician(tess.technician, by=olga)
    actions.unverify_technician(tess.technician, by=olga, reason="Licence ran out")
    actions.change_role(tess, by=olga, role=Role.DRIVER, reason="She drives now")
    people.correct_person(tess, by=olga, name="Tess Hall", phone="", time_zone="Europe/London", reason="Married")
    people.add_note(tess, by=olga, text="Secret of the desk")
    people.end_every_session(tess, by=olga, reason="Lost phone")
    people.export_person(tess, by=olga, reason="She asked")
    actions.deactivate(tess, by=olga, reason="Abuse")
    actions.reactivate(tess, by=olga, reason="Cleared")
    assert whats(tess) == [
        "Your account was opened again",
        "Your account was suspended",
        "A copy of your data was made",
        "You were signed out everywhere",
        "The desk made a note for itself",
        "Your details were corrected",
        "You are a driver now",
        "Your verification was taken back",
        "You were verified: you can make offers",
    ]
    client = Client()
    client.force_login(tess)
    page = text(client)
    for reason in ("Licence ran out", "She drives now", "Married", "Lost phone", "She asked", "Abuse", "Cleared"):
        assert f"“{reason}”" in page
    assert "Name: Tess Hale → Tess Hall" in page and "Our desk" in page
    assert "Secret" not in page and "Olga" not in page


def test_documents_are_told_too_by_whoever_moved_them(tess, olga):
    paper = papers.sent(tess, now=timezone.now())
    credentials.reject_credential(paper, by=olga, reason="Not readable")
    latest = changes_of(tess)[0]
    assert (latest.what, latest.by, latest.reason) == ("Proof of identity was refused", "Our desk", "Not readable")
    assert latest.is_grave


def test_what_an_unknown_verb_did_is_told_in_its_own_words(carol, olga):
    record(olga, "booked_for", label="Kitchen tap", person=carol, reason="She rang", details={"secret": [1, 2]})
    change = changes_of(carol)[0]
    assert (change.what, change.reason, change.details) == ("Booked for: Kitchen tap", "She rang", [])


def test_nobody_reads_anybody_elses(carol, dan, olga):
    actions.deactivate(dan, by=olga, reason="Abuse of Carol")
    client = Client()
    client.force_login(carol)
    assert "Nothing so far" in text(client) and "Abuse" not in text(client)


def test_pages_follow_each_other(carol, olga):
    now = timezone.now()
    for number in range(PAGE + 3):
        record(olga, "exported_person", person=carol, reason=f"No. {number}", now=now - timedelta(minutes=number))
    client = Client()
    client.force_login(carol)
    first = client.get(URL).content.decode()
    assert f"No. {PAGE - 1}”" in first and f"No. {PAGE}”" not in first
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = text(client, URL + older[1])
    assert f"No. {PAGE}”" in second and f"No. {PAGE + 2}”" in second and "No. 1”" not in second
    assert client.get(f"{URL}?before=nonsense").status_code == 200 == client.get(f"{URL}?before=2027-99-99").status_code


def test_of_several_at_one_instant_none_is_lost_between_two_pages(tess, olga):
    now = timezone.now()
    for _ in range(2):
        actions.verify_technician(tess.technician, by=olga, now=now)
        record(olga, "exported_person", person=tess, now=now)
        actions.unverify_technician(tess.technician, by=olga, now=now)
    whole = [change.key for change in changes_of(tess)]
    paged, before = [], None
    while found := changes_of(tess, before=before, limit=1):
        paged += [change.key for change in found]
        before = mark_of(found[-1].cursor, list(SOURCES))
    assert paged == whole and len(set(whole)) == 6


@pytest.mark.parametrize("key", ["", "account", "account-x", "desk-999999", "nonsense-1", "account-1-2"])
def test_a_key_that_names_nothing_loads_nothing(db, key):
    assert load_changes([key]) == {}


def test_the_way_there_is_on_the_profile(carol):
    client = Client()
    client.force_login(carol)
    assert reverse("profile_history") in client.get("/accounts/profile/").content.decode()
