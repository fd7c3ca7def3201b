"""The desk's queue of reviews: what stands in it, what is decided, and that all of it moves by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from adminpanel.queues.reviews import load_cases, load_rows
from bookings import actions
from bookings.models import Review, Session
from bookings.tests import make
from bookings.tests.follow import on, sent, touched_by
from bookings.tests.make import DAY, HOUR, MINUTE
from bookings.tests.reviews import SAID, by_customer, by_technician, done, ended, flagged, hidden, open_one
from notifications.models import Notification

FLAGGED, PUBLISHED, HIDDEN = (f"desk.reviews.{show}" for show in ("flagged", "published", "hidden"))


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


@pytest.fixture
def visit(alice: User, bob: User) -> Session:
    """Bob has finished his work at Alice's."""
    return done(alice, bob)


def next_visit(customer: User, by: User, days: int) -> Session:
    """Another one, some days later."""
    start = make.TOMORROW_NOON + days * DAY
    return done(customer, by, window_start=start, window_end=start + 4 * HOUR)


def url(name: str, review: Review) -> str:
    """The page of a verb."""
    return reverse(f"desk:{name}", args=[review.pk])


class TestTheLists:
    def test_what_waits_stands_in_the_order_in_which_it_was_flagged(self, desk, alice, bob) -> None:
        first, second = open_one(done(alice, bob)), open_one(next_visit(alice, bob, 1))
        late = ended(next_visit(alice, bob, 2))
        actions.flag_review(second, by=bob, reason="untrue", now=late)
        actions.flag_review(first, by=bob, reason="untrue", now=late + MINUTE)
        shown = desk.get(reverse("desk:reviews")).context["queue"].rows
        assert list(shown) == [str(second.pk), str(first.pk)]

    def test_each_list_holds_its_own_and_none_holds_a_sealed_one(self, desk, alice, bob, frank) -> None:
        sealed = by_customer(next_visit(alice, bob, 3))
        wanted = {
            "flagged": {flagged(done(alice, bob)).pk},
            "hidden": {hidden(next_visit(alice, bob, 1), frank).pk},
            "published": {open_one(next_visit(alice, bob, 2)).pk},
        }
        wanted["published"] |= set(Review.objects.filter(party="technician").values_list("pk", flat=True))
        for show, pks in wanted.items():
            page = desk.get(reverse("desk:reviews"), {"show": show})
            assert set(page.context["queue"].rows) == {str(pk) for pk in pks}
            assert f"/desk/reviews/{sealed.pk}/" not in page.content.decode()

    def test_nonsense_in_the_address_shows_what_waits(self, desk) -> None:
        page = desk.get(reverse("desk:reviews"), {"show": "submitted", "page": "x"})
        assert page.context["queue"].show == "flagged"
        assert "Nothing is flagged" in page.content.decode()

    def test_a_page_costs_the_same_with_one_and_with_many(self, desk, visit, frank, bob, alice) -> None:
        flagged(visit)
        Notification.objects.all().delete()
        few = self.cost(desk)
        for days in range(1, 5):
            flagged(next_visit(alice, bob, days))
        Notification.objects.all().delete()
        assert self.cost(desk) == few < 12  # one more than a page with nothing on it

    def cost(self, desk: Client) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(reverse("desk:reviews")).status_code == 200
        return len(seen)

    def test_pages_of_thirty_go_on_without_counting(self, desk, visit, monkeypatch) -> None:
        monkeypatch.setattr("adminpanel.queues.piles.PAGE", 1)
        review = open_one(visit)  # the other side's is older by its number
        first = desk.get(reverse("desk:reviews"), {"show": "published"})
        queue = first.context["queue"]
        assert (list(queue.rows), queue.before, queue.after) == ([str(review.pk)], 0, 2)
        last = desk.get(reverse("desk:reviews"), {"show": "published", "page": "2"}).context["queue"]
        assert (len(last.rows), last.before, last.after, last.new) == (1, 1, 0, "pill")
        assert 'rel="next" href="?show=published&amp;page=2"' in first.content.decode()

    @pytest.mark.parametrize("page", ["x", "-1", "0", "9" * 40, "1.5"])
    def test_a_page_that_is_none_is_the_first(self, desk, page: str) -> None:
        assert desk.get(reverse("desk:reviews"), {"page": page}).context["queue"].number == 1


class TestOne:
    def test_it_says_what_whom_why_and_what_hiding_it_would_do(self, desk, alice, bob) -> None:
        open_one(next_visit(alice, bob, 1), 5)
        review = flagged(done(alice, bob), words="He never came in.")
        html = desk.get(url("review", review)).content.decode()
        for words in (SAID, "Alice Test about Bob Test", "It is not true", "He never came in.", "5.0 (1) without it"):
            assert words in html, words
        assert html.count("<h1") == 1

    def test_it_costs_less_than_twelve_queries_and_many_cost_no_more(self, desk, visit, alice, bob, frank) -> None:
        review = flagged(visit)
        Notification.objects.all().delete()
        with CaptureQueriesContext(connection) as seen:
            desk.get(url("review", review))
        assert len(seen) < 12, len(seen)
        pks = [str(flagged(next_visit(alice, bob, days)).pk) for days in range(1, 4)]
        with CaptureQueriesContext(connection) as one:
            load_cases(pks[:1])
        with CaptureQueriesContext(connection) as three:
            load_cases(pks)
        assert len(one) == len(three) == 3

    def test_opening_it_reads_the_bell_of_whoever_opens_it(self, desk, visit, frank) -> None:
        review = flagged(visit)
        unread = Notification.objects.filter(user=frank, kind="bookings.desk_review_flagged", read_at=None)
        assert unread.get().url == url("review", review)
        desk.get(url("review", review), headers={"X-Live-Refresh": "1"})
        assert unread.exists()
        desk.get(url("review", review))
        assert not unread.exists()

    def test_the_other_sides_sealed_review_is_not_beside_it(self, desk, visit, alice) -> None:
        """By the clock alone one may be open while the other was never written; a sealed one never stands here."""
        review = open_one(visit)
        other = Review.objects.get(party="technician")
        assert url("review", other) in desk.get(url("review", review)).content.decode()
        Review._base_manager.filter(pk=other.pk).delete()
        assert "The other side" not in desk.get(url("review", review)).content.decode()


class TestDeciding:
    def post(self, desk: Client, name: str, review: Review, **typed: str):
        return desk.post(url(name, review), {**typed, "idempotency_key": f"{name}{review.pk}".ljust(32, "0")})

    def test_keeping_says_so_and_shows_the_next_that_waits(self, desk, alice, bob) -> None:
        first, second = flagged(done(alice, bob)), flagged(next_visit(alice, bob, 1))
        answer = self.post(desk, "review_keep", first, reason="An opinion.")
        assert (answer.status_code, answer["Location"]) == (303, url("review", second))
        assert make.fresh(first).status == "published"
        assert "Kept: Alice Test about Bob Test." in desk.get(answer["Location"]).content.decode()

    def test_hiding_the_last_leads_to_the_empty_list(self, desk, visit) -> None:
        review = flagged(visit)
        answer = self.post(desk, "review_hide", review, why="abuse", reason="It insults.")
        assert answer["Location"] == reverse("desk:reviews")
        assert make.fresh(review).hide_reason == "abuse"
        assert "Nothing is flagged" in desk.get(answer["Location"]).content.decode()

    def test_from_a_dialog_the_browser_is_sent_on(self, desk, visit) -> None:
        review = flagged(visit)
        answer = desk.post(url("review_keep", review), {"reason": "Fine.", "idempotency_key": "k" * 32},
                           headers={"HX-Request": "true"})  # fmt: skip
        assert answer["HX-Redirect"] == reverse("desk:reviews")

    def test_without_a_reason_or_a_code_it_says_what_to_do_and_keeps_what_was_typed(self, desk, visit) -> None:
        review = flagged(visit)
        answer = self.post(desk, "review_keep", review, reason=" ")
        assert answer.status_code == 422 and "whoever flagged it must be able" in answer.content.decode()
        answer = self.post(desk, "review_hide", review, reason="My words.")
        assert answer.status_code == 422 and "My words." in answer.content.decode()
        assert make.fresh(review).status == "flagged"

    @pytest.mark.parametrize("name", ["review_keep", "review_hide"])
    def test_what_is_decided_already_answers_409_with_a_way_on(self, desk, visit, frank, name: str) -> None:
        review = flagged(visit)
        actions.keep_review(review, by=frank, reason="An opinion.")
        asked = desk.get(url(name, review))
        done_ = self.post(desk, name, review, why="abuse", reason="No.")
        for answer in (asked, done_):
            assert answer.status_code == 409 and url("review", review) in answer.content.decode()

    def test_the_desk_takes_up_what_nobody_flagged(self, desk, visit, frank) -> None:
        review = open_one(visit)
        assert self.post(desk, "review_flag", review, reason="spam", words="A shop.").status_code == 303
        assert make.fresh(review).status == "flagged" and review.flags.get().by == frank
        assert self.post(desk, "review_flag", open_one_more(visit), reason="spam").status_code == 303

    def test_a_double_tap_decides_once(self, desk, visit) -> None:
        review = flagged(visit)
        answers = [self.post(desk, "review_keep", review, reason="An opinion.") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert sorted(make.states(review)) == ["flagged", "published", "published", "submitted"]


def open_one_more(visit: Session) -> Review:
    """What the technician said, open too."""
    return Review.objects.get(booking=visit.booking_id, party="technician")


class TestLive:
    def test_a_flag_brings_it_into_the_queue_and_out_of_the_published(self, visit, bob, frank, alice) -> None:
        review = open_one(visit)
        touched = touched_by(lambda: actions.flag_review(review, by=bob, reason="untrue"))
        key = ("adminpanel.review_row", str(review.pk))
        assert key in on(touched, FLAGGED) and key in on(touched, PUBLISHED)
        pieces = sent({touch for touch in touched if touch.topic == FLAGGED}, frank)
        assert SAID in (pieces[f"adminpanel-review-row-{review.pk}"] or "")
        assert sent({touch for touch in touched if touch.topic == PUBLISHED}, frank) == {
            f"adminpanel-review-row-{review.pk}": None
        }

    def test_a_decision_takes_it_away_and_shows_on_its_open_page(self, visit, frank) -> None:
        review = flagged(visit)
        touched = touched_by(lambda: actions.hide_review(review, by=frank, why="abuse", reason="It insults."))
        assert ("adminpanel.review_row", str(review.pk)) in on(touched, FLAGGED)
        html = sent({t for t in touched if t.topic == f"desk.review.{review.pk}"}, frank).popitem()[1]
        assert html and "Hidden: insults or threats" in html and "Hide it" not in html

    def test_the_desk_hears_nothing_of_a_sealed_one_written_or_rewritten(self, visit) -> None:
        for act in (lambda: by_customer(visit), lambda: by_customer(visit, 2, "Anew.")):
            assert not {touch.topic for touch in touched_by(act) if touch.topic.startswith("desk.")}

    def test_only_admins_belong(self, visit, alice, bob, frank) -> None:
        from realtime import topics
        from realtime.topics import Principal

        everybody = {Principal("user", str(person.pk)) for person in (alice, bob, frank)}
        for name in (FLAGGED, PUBLISHED, HIDDEN, "desk.review.1"):
            assert {who.user_id for who in topics.members(name, everybody)} == {frank.pk}
        assert topics.members("desk.reviews.submitted", everybody) == set()

    def test_rows_and_cases_of_sealed_ones_cannot_be_loaded(self, visit) -> None:
        key = str(by_customer(visit).pk)
        assert (load_rows([key]), load_cases([key])) == ({}, {})

    def test_of_two_names_the_open_queue_shows_the_new_one(self, visit, alice, frank) -> None:
        review = flagged(visit)
        alice.name = "Alice Newname"
        touched = touched_by(lambda: alice.save(update_fields=["name"]))
        assert ("adminpanel.review_row", str(review.pk)) in on(touched, FLAGGED)


def test_the_week_is_a_number_of_the_site(settings, alice, bob) -> None:
    settings.BOOKINGS = {**settings.BOOKINGS, "REVIEW_MINUTES": 60}
    review = by_technician(visit := done(alice, bob), now=ended(done(alice, make.technician("Tom"))) + MINUTE)
    assert review.opens_at == ended(visit) + timedelta(hours=1)
