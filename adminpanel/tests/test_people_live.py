"""The list of people and the page of one move by themselves: who is told, and that a push is what the page paints."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actions, people
from accounts.live_changes import changes_topic
from accounts.models import User
from adminpanel.live.people import people_topic, person_topic
from adminpanel.people import JOBS, load_jobs
from adminpanel.tests.road import leg, offered
from bookings.tests import make
from bookings.tests.follow import audience, on, sent, touched_by
from tests.crawl import browser
from tracking.tests import make as road


def places(act: Any, topic: str) -> set[str]:
    """The fragments that an act touches on a topic."""
    return {name.partition(".")[2] for name, _ in on(touched_by(act), topic)}


def test_a_new_person_comes_into_the_list_and_the_desk_alone_hears_of_it(alice, bob, frank):
    touches = touched_by(lambda: make.person("Zoe"))
    zoe = User.objects.get(name="Zoe Test")
    assert on(touches, people_topic()) == {("adminpanel.person", str(zoe.pk))}
    assert audience(touches, "adminpanel.person", alice, bob, frank) == {"Frank"}


def test_each_deed_touches_what_shows_it(alice, frank):
    page = person_topic(alice.pk)
    correct = {"name": "Alicia Test", "phone": "", "time_zone": "UTC", "reason": "Typo"}
    deeds = {
        lambda: actions.deactivate(alice, by=frank, reason="x"): {"person_card", "person_change", "person_sessions"},
        lambda: actions.reactivate(alice, by=frank, reason="x"): {"person_card", "person_change"},
        lambda: people.add_note(alice, by=frank, text="x"): {"person_note", "person_change"},
        lambda: people.correct_person(alice, by=frank, **correct): {"person_card", "person_change"},
        lambda: browser(alice): {"person_sessions"},
        lambda: make.draft(alice): set(),
        lambda: make.job(alice): {"person_jobs"},
    }
    for act, wanted in deeds.items():
        assert places(act, page) == wanted


def test_what_changes_nothing_that_is_shown_touches_nothing(alice):
    def sign_in_again() -> None:
        alice.last_login = timezone.now()
        alice.save(update_fields=["last_login"])

    assert not places(sign_in_again, people_topic()) and not places(sign_in_again, person_topic(alice.pk))


def test_jobs_move_on_the_pages_of_all_three(alice, bob, frank):
    visit = make.visit(alice, bob)
    touches = touched_by(lambda: make.waiting(visit))
    assert ("adminpanel.person_jobs", str(bob.pk)) in on(touches, person_topic(bob.pk))
    sam = road.at_work("Sam", at=road.NEAR, now=timezone.now())
    what = leg(alice, frank)
    touches = touched_by(lambda: offered(what, sam))
    assert ("adminpanel.person_jobs", str(sam.pk)) in on(touches, person_topic(sam.pk))


def test_the_jobs_of_several_cost_a_query_a_role_and_are_the_newest_of_each(alice, bob, charlie):
    for number in range(JOBS + 2):
        for who in (alice, charlie):
            make.job(who, title=f"No. {number}")
    with CaptureQueriesContext(connection) as seen:
        found = load_jobs([str(who.pk) for who in (alice, bob, charlie)])
    assert len(seen) == 3 and not found[str(bob.pk)].newest
    for who in (alice, charlie):
        assert [row.pk for row in found[str(who.pk)].newest] == list(
            who.bookings.order_by("-pk").values_list("pk", flat=True)[:JOBS]
        )


def test_a_verified_technician_changes_in_the_list_and_on_the_page(frank):
    dora = make.technician("Dora", verified=False)
    touches = touched_by(lambda: actions.verify_technician(dora.technician, by=frank))
    assert ("adminpanel.person", str(dora.pk)) in on(touches, people_topic())
    html = sent(touches, frank)
    assert "Not verified" not in str(html[f"adminpanel-person-{dora.pk}"])
    assert "Verified" in str(html[f"adminpanel-person-card-{dora.pk}"])


def test_a_removed_note_is_removed(alice, frank):
    note = people.add_note(alice, by=frank, text="Rings twice.")
    dom_id = f"adminpanel-person-note-{note.pk}"
    touches = touched_by(lambda: people.remove_note(note, by=frank))
    assert sent(touches, frank)[dom_id] is None


def test_nothing_is_shown_to_whoever_is_not_of_the_desk(alice, bob, frank):
    touches = touched_by(lambda: people.add_note(alice, by=frank, text="Secret"))
    assert audience(touches, "adminpanel.person_note", alice, bob, frank) == {"Frank"}
    assert audience(touches, "adminpanel.person_change", alice, bob, frank) == {"Frank"}


def test_what_was_changed_about_somebody_is_pushed_to_them_alone(client: Client, alice, charlie, frank):
    touches = touched_by(lambda: people.end_every_session(alice, by=frank, reason="Lost phone"))
    ((name, key),) = on(touches, changes_topic(alice.pk))
    assert name == "accounts.change" and not on(touches, changes_topic(charlie.pk))
    assert audience(touches, name, alice, charlie, frank) == {"Alice"}
    client.force_login(alice)
    body = str(sent(touches, alice)[f"accounts-change-{key}"]).partition('data-version="1"')[2]
    assert body and body in client.get(reverse("profile_history")).content.decode()


@pytest.mark.parametrize("name", ["alice", "bob", "sam"])
def test_a_push_is_what_the_page_paints(client: Client, alice, bob, frank, name):
    make.visit(alice, bob)
    sam = road.at_work("Sam", at=road.NEAR, now=timezone.now())
    offered(leg(alice, frank), sam)
    who = {"alice": alice, "bob": bob, "sam": sam.user}[name]
    people.add_note(who, by=frank, text="Rings <twice>.")
    client.force_login(frank)
    touches = touched_by(
        lambda: (actions.deactivate(who, by=frank, reason="x"), people.add_note(who, by=frank, text="y"))
    )
    page = client.get(reverse("desk:person", args=[who.pk])).content.decode()
    pieces = {key: html for key, html in sent(touches, frank).items() if f'id="{key}"' in page}
    assert len(pieces) >= 4
    for html in pieces.values():
        body = str(html).partition('data-version="1"')[2]
        assert body and body in page
