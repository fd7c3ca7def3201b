"""Reviews on pages: what each side is asked and shown, what moves by itself, and where the seal holds."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings import actions, due
from bookings.models import Review, Session
from bookings.tests import make
from bookings.tests.follow import audience, keys_of, on, sent, touched_by
from bookings.tests.make import HOUR, MINUTE
from bookings.tests.reviews import ANSWERED, SAID, WEEK, by_customer, by_technician, ended, flagged, open_one
from realtime.journal import Touch

CUSTOMERS, TECHNICIANS = "bookings.customer_review", "bookings.work_review"


@pytest.fixture
def visit(alice: User, bob: User) -> Session:
    """Bob has finished his work at Alice's, an hour ago by the real clock."""
    start = timezone.now() - 90 * MINUTE
    made = make.visit(alice, bob, now=start - HOUR, window_start=start, window_end=start + 4 * HOUR)
    finished = make.finished(made, at=start + 30 * MINUTE)
    return Session.objects.for_pages().get(pk=finished.pk)


def page(who: User, visit: Session) -> str:
    """The job page of one side."""
    client = Client()
    client.force_login(who)
    answer = client.get(f"/jobs/{visit.booking_id}/")
    assert answer.status_code == 200
    return answer.content.decode()


def card(html: str) -> str:
    """The card of reviews on a page; nothing where it is empty."""
    found = re.search(r'<section id="bookings-(?:customer|work)-review-.*?</section>', html, re.S)
    return re.sub(r"\s+", " ", found[0]) if found else ""


class TestTheCard:
    def test_both_are_invited_once_the_work_is_finished(self, visit, alice, bob) -> None:
        for who, other in ((alice, "Bob"), (bob, "Alice")):
            shown = card(page(who, visit))
            assert f"How was it with {other}?" in shown
            assert shown.count(f"/jobs/{visit.booking_id}/review/?stars=") == 5

    def test_nobody_is_asked_before(self, alice, bob) -> None:
        visit = make.visit(alice, bob, now=timezone.now(), window_start=timezone.now() + HOUR,
                           window_end=timezone.now() + 5 * HOUR)  # fmt: skip
        assert card(page(alice, visit)) == card(page(bob, visit)) == ""

    def test_the_author_reads_that_it_is_sealed_the_other_is_invited_as_before(self, visit, alice, bob) -> None:
        before = card(page(bob, visit))
        by_customer(visit, now=timezone.now())
        assert re.sub(r'data-version="\d+"', "", card(page(bob, visit))) == re.sub(r'data-version="\d+"', "", before)
        own = card(page(alice, visit))
        assert "You have reviewed. It opens when Bob has written too" in own and SAID in own and "Change it" in own

    def test_open_ones_stand_side_by_side(self, visit, alice, bob) -> None:
        open_one(visit)
        for who, mine, theirs in (
            (alice, "You about Bob", "Bob about you"),
            (bob, "You about Alice", "Alice about you"),
        ):
            shown = card(page(who, visit))
            assert mine in shown and theirs in shown and SAID in shown and ANSWERED in shown
            assert "How was it" not in shown and "Change it" not in shown

    def test_a_flag_is_seen_by_whoever_made_it_and_by_nobody_else(self, visit, alice, bob) -> None:
        flagged(visit)
        assert "You have flagged it. The desk is looking at it." in card(page(bob, visit))
        assert "flagged" not in card(page(alice, visit)).replace("/flag/", "")

    def test_kept_it_cannot_be_flagged_again(self, visit, bob, frank) -> None:
        review = flagged(visit)
        actions.keep_review(review, by=frank, reason="An opinion.")
        shown = card(page(bob, visit))
        assert "The desk has looked at it, and it stays." in shown and "/flag/" not in shown

    def test_hidden_its_author_reads_why_and_the_other_reads_no_word_of_it(self, visit, alice, bob, frank) -> None:
        actions.hide_review(flagged(visit), by=frank, why="abuse", reason="It insults.")
        assert SAID in card(page(alice, visit)) and "insults or threats" in card(page(alice, visit))
        assert SAID not in page(bob, visit) and "The desk has hidden this review" in card(page(bob, visit))

    def test_after_the_week_nobody_is_asked_any_more(self, visit, alice, bob, monkeypatch) -> None:
        review = by_customer(visit, now=timezone.now())
        later = ended(visit) + WEEK
        monkeypatch.setattr(timezone, "now", lambda: later)
        due.open_reviews(later)
        assert make.fresh(review).status == "published"
        assert "Bob did not write a review." in card(page(alice, visit))
        assert "How was it" not in card(page(bob, visit)) and SAID in card(page(bob, visit))

    def test_whoever_only_made_an_offer_sees_nothing_of_it(self, alice, bob, dora) -> None:
        booking = make.job(alice)
        make.offer(booking, dora, 70)
        visit = make.finished(make.accept(make.offer(booking, bob)))
        open_one(Session.objects.for_pages().get(pk=visit.pk))
        assert card(page(dora, visit)) == "" and SAID not in page(dora, visit)


class TestWhoIsTold:
    def test_the_end_of_the_work_invites_both(self, alice, bob) -> None:
        visit = make.live(make.visit(alice, bob))
        touched = touched_by(
            lambda: make.actions.complete_session(visit, by=bob, note="Done.", now=visit.starts_at + HOUR)
        )
        assert keys_of(touched, CUSTOMERS) == {str(visit.booking_id)}
        assert keys_of(touched, TECHNICIANS) == {str(visit.bid_id)}

    def test_a_sealed_review_moves_its_authors_card_and_nothing_else_on_the_site(
        self, visit, alice, bob, frank, dora
    ) -> None:
        for act, author, other in (
            (lambda: by_customer(visit, now=timezone.now()), alice, TECHNICIANS),
            (lambda: by_customer(visit, 3, "Anew.", now=timezone.now()), alice, TECHNICIANS),
        ):
            touched = touched_by(act)
            assert {touch.fragment for touch in touched} == {CUSTOMERS}
            assert not keys_of(touched, other)
            assert audience(touched, CUSTOMERS, alice, bob, frank, dora) == {author.first_name}

    def test_the_technicians_sealed_one_likewise(self, visit, alice, bob, frank, dora) -> None:
        touched = touched_by(lambda: by_technician(visit, now=timezone.now()))
        assert {touch.fragment for touch in touched} == {TECHNICIANS}
        assert audience(touched, TECHNICIANS, alice, bob, frank, dora) == {"Bob"}

    def test_when_they_open_both_cards_bring_both(self, visit, alice, bob) -> None:
        by_customer(visit, now=timezone.now())
        touched = touched_by(lambda: by_technician(visit, now=timezone.now()))
        for person in (alice, bob):
            pieces = [html for html in sent(touched, person).values() if html and "about you" in html]
            assert len(pieces) == 1 and SAID in pieces[0] and ANSWERED in pieces[0]

    def test_the_clock_takes_invitations_away_when_the_week_ends(self, visit, alice, bob, monkeypatch) -> None:
        end = ended(visit) + WEEK
        monkeypatch.setattr(timezone, "now", lambda: end)
        due._looked["at"] = end - MINUTE
        touched = touched_by(lambda: due.run_due(end))
        cards = sent({touch for touch in touched if touch.fragment in (CUSTOMERS, TECHNICIANS)}, alice, bob)
        assert len(cards) == 2 and set(cards.values()) == {None}


class TestRatings:
    def test_offers_and_who_comes_show_what_others_thought(self, visit, alice, bob, charlie) -> None:
        open_one(visit, 4)
        job = make.job(charlie, now=timezone.now(), **window())
        make.offer(job, bob, now=timezone.now())
        client = Client()
        client.force_login(charlie)
        html = client.get(f"/jobs/{job.pk}/").content.decode()
        assert "4.0" in html and '<span class="rating-count">(1)</span>' in html
        assert "4.0" in page(alice, visit), "who comes"

    def test_an_open_list_of_offers_hears_of_a_new_rating_and_not_of_a_sealed_one(
        self, visit, alice, bob, charlie
    ) -> None:
        job = make.job(charlie, now=timezone.now(), **window())
        bid = make.offer(job, bob, now=timezone.now())
        topic = f"booking.{job.pk}.customer"
        assert on(touched_by(lambda: by_technician(visit, now=timezone.now())), topic) == set()
        touched = touched_by(lambda: by_customer(visit, 4, now=timezone.now()))
        assert on(touched, topic) == {("bookings.offer", str(bid.pk)), ("bookings.job_now", str(job.pk))}
        html = sent({Touch(topic, "bookings.offer", str(bid.pk))}, charlie)[f"bookings-offer-{bid.pk}"]
        assert html and "4.0" in html

    def test_a_list_of_offers_costs_one_query_for_all_ratings(self, alice, django_assert_num_queries) -> None:
        from bookings.live.customer import load_offers

        job = make.job(alice)
        bids = [make.offer(job, make.technician(f"T{number}"), 50 + number) for number in range(6)]
        with django_assert_num_queries(3):  # offers, skills, ratings
            load_offers([str(bid.pk) for bid in bids])


def window() -> dict[str, object]:
    """Two days ahead by the real clock."""
    start = timezone.now() + 48 * HOUR
    return {"window_start": start, "window_end": start + 6 * HOUR}


class TestThePages:
    def client(self, who: User) -> Client:
        made = Client()
        made.force_login(who)
        return made

    def test_the_form_begins_with_the_stars_that_were_tapped(self, visit, alice) -> None:
        html = self.client(alice).get(f"/jobs/{visit.booking_id}/review/?stars=4").content.decode()
        assert re.search(r'value="4" required checked', html) and html.count(" checked") == 1
        assert "Sealed: Bob reads it once they have written too" in html

    @pytest.mark.parametrize("stars", ["9", "x", "<b>", ""])
    def test_or_with_none(self, visit, alice, stars: str) -> None:
        html = self.client(alice).get(f"/jobs/{visit.booking_id}/review/", {"stars": stars}).content.decode()
        assert " checked" not in html and "<b>" not in html

    def test_what_is_sent_is_kept_and_may_be_changed_until_it_opens(self, visit, alice, bob) -> None:
        url = f"/jobs/{visit.booking_id}/review/"
        browser = self.client(alice)
        answer = browser.post(url, {"stars": "5", "text": SAID, "idempotency_key": "a" * 32})
        assert (answer.status_code, answer["Location"]) == (303, f"/jobs/{visit.booking_id}/")
        html = browser.get(url).content.decode()
        assert SAID in html and "Change my review" in html and re.search(r'value="5" required checked', html)
        browser.post(url, {"stars": "3", "text": "Hm.", "idempotency_key": "b" * 32})
        assert Review.objects.get().stars == 3
        by_technician(visit, now=timezone.now())
        again = browser.get(url)
        assert again.status_code == 409 and "can no longer be changed" in again.content.decode()

    def test_without_stars_the_words_are_kept_and_it_says_what_to_do(self, visit, alice) -> None:
        answer = self.client(alice).post(f"/jobs/{visit.booking_id}/review/", {"text": SAID})
        html = answer.content.decode()
        assert answer.status_code == 422 and SAID in html and "Tap as many stars as you would give." in html

    def test_a_job_that_is_not_finished_or_long_past_answers_409(self, visit, alice, bob, monkeypatch) -> None:
        open_job = make.job(alice, now=timezone.now(), **window())
        assert self.client(alice).get(f"/jobs/{open_job.pk}/review/").status_code == 409
        later = ended(visit) + WEEK
        monkeypatch.setattr(timezone, "now", lambda: later)
        assert self.client(bob).get(f"/jobs/{visit.booking_id}/review/").status_code == 409

    def test_flagging_asks_why_and_does_it_once(self, visit, bob) -> None:
        review = open_one(visit)
        url = f"/reviews/{review.pk}/flag/"
        browser = self.client(bob)
        assert browser.post(url, {"words": "My street."}).status_code == 422
        answer = browser.post(url, {"reason": "private", "words": "My street.", "idempotency_key": "c" * 32})
        assert answer.status_code == 303 and make.fresh(review).status == "flagged"
        assert browser.get(url).status_code == 409

    def test_a_sealed_review_has_no_address_that_answers_anybody(self, visit, alice, bob, charlie, frank) -> None:
        review = by_customer(visit, now=timezone.now())
        for who in (bob, charlie):
            assert self.client(who).get(f"/reviews/{review.pk}/flag/").status_code == 404
        for name in ("", "keep/", "hide/", "flag/"):
            answer = self.client(frank).get(f"/desk/reviews/{review.pk}/{name}")
            assert answer.status_code == 404, name
            assert self.client(frank).post(f"/desk/reviews/{review.pk}/{name}").status_code in (404, 405)
