"""What customers say of a technician, on a page for everybody who is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from bookings import actions
from bookings.models import Review
from bookings.tests import make
from bookings.tests.follow import on, sent, touched_by
from bookings.tests.make import DAY, HOUR
from bookings.tests.reviews import ANSWERED, SAID, by_customer, by_technician, done, flagged, hidden, open_one
from bookings.views import reviews


def page(who: User, of: User, **query: str) -> str:
    """The page as somebody sees it."""
    client = Client()
    client.force_login(who)
    answer = client.get(f"/technicians/{of.pk}/reviews/", query)
    assert answer.status_code == 200
    return answer.content.decode().partition("<main")[2]  # the bell above tells of jobs


def next_visit(customer: User, by: User, days: int):
    """Another one, some days later."""
    start = make.TOMORROW_NOON + days * DAY
    return done(customer, by, window_start=start, window_end=start + 4 * HOUR)


def test_open_ones_are_read_by_everybody_with_a_first_name_and_no_job(alice, bob, charlie, dora, ed) -> None:
    open_one(done(alice, bob), 4)
    for who in (charlie, dora, ed, bob):
        html = page(who, bob)
        assert SAID in html and "<strong>Alice</strong>" in html and "4.0" in html
        for kept_back in ("Alice Test", "Kitchen tap leaks", "Inverness", ANSWERED):
            assert kept_back not in html, kept_back


def test_sealed_and_hidden_ones_are_not_there_flagged_ones_are(alice, bob, charlie, frank) -> None:
    by_customer(done(alice, bob), text="Sealed words.")
    hidden(next_visit(alice, bob, 1), frank)
    assert "No reviews yet" in page(charlie, bob) and SAID not in page(charlie, bob)
    flagged(next_visit(alice, bob, 2))
    html = page(charlie, bob)
    assert SAID in html and "Sealed words." not in html and "flag" not in html.lower().replace("flagship", "")


def test_who_is_no_technician_or_gone_has_no_such_page(client: Client, alice, bob, charlie) -> None:
    client.force_login(charlie)
    assert client.get(f"/technicians/{alice.pk}/reviews/").status_code == 404
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    assert client.get(f"/technicians/{bob.pk}/reviews/").status_code == 404
    assert Client().get(f"/technicians/{bob.pk}/reviews/").status_code == 302


def test_pages_go_on(alice, bob, charlie, monkeypatch) -> None:
    monkeypatch.setattr(reviews, "PAGE", 1)
    first, second = open_one(done(alice, bob), text="Older."), open_one(next_visit(alice, bob, 1), text="Newer.")
    assert "Newer." in page(charlie, bob) and 'rel="next" href="?page=2"' in page(charlie, bob)
    html = page(charlie, bob, page="2")
    assert "Older." in html and 'rel="prev"' in html and 'rel="next"' not in html
    assert {first.party, second.party} == {"customer"}


@pytest.mark.parametrize("query", ["x", "0", "9" * 30])
def test_a_page_that_is_none_is_some_page(bob, charlie, query: str) -> None:
    assert "No reviews yet" in page(charlie, bob, page=query)


def test_open_pages_hear_of_it_when_it_opens_and_when_it_goes(alice, bob, charlie, frank) -> None:
    visit, topic = done(alice, bob), f"reviews.{bob.pk}"
    assert not on(touched_by(lambda: by_customer(visit)), topic)
    touched = touched_by(lambda: by_technician(visit))
    review = Review.objects.get(party="customer")
    assert on(touched, topic) == {("bookings.said", str(review.pk)), ("bookings.rating", str(bob.pk))}
    html = " ".join(filter(None, sent({t for t in touched if t.topic == topic}, charlie).values()))
    assert SAID in html and "5.0" in html and ANSWERED not in html
    actions.flag_review(review, by=bob, reason="untrue")
    gone = touched_by(lambda: actions.hide_review(review, by=frank, why="abuse", reason="It insults."))
    pieces = sent({t for t in gone if t.topic == topic}, charlie)
    assert pieces[f"bookings-said-{review.pk}"] is None
    assert "No reviews yet" in (pieces[f"bookings-rating-{bob.pk}"] or "")
