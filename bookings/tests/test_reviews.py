"""Reviews: who may say what of whom, when it opens, who may flag it, what the desk decides, and what counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Technician, User
from bookings import actions, due
from bookings.models import Review, ReviewFlag, Session
from bookings.rating import Rating, rate, ratings
from bookings.states import REVIEW_MOVES, ReviewStatus
from bookings.tests import make
from bookings.tests.make import DAY, HOUR, MINUTE
from bookings.tests.reviews import (
    SAID,
    WEEK,
    by_customer,
    by_technician,
    done,
    ended,
    flagged,
    hidden,
    open_one,
)
from common.refusals import Conflict, Invalid, Refusal

SUBMITTED, PUBLISHED, FLAGGED, HIDDEN = (str(state) for state in ReviewStatus)


@pytest.fixture
def visit(alice: User, bob: User) -> Session:
    """Bob has finished his work at Alice's."""
    return done(alice, bob)


class TestWriting:
    def test_what_one_side_says_is_sealed(self, visit: Session, alice: User, bob: User) -> None:
        review = by_customer(visit, 4)
        assert (review.status, review.stars, review.text) == (SUBMITTED, 4, SAID)
        assert (review.author, review.about_id, review.party) == (alice, bob.pk, "customer")
        assert review.opens_at == ended(visit) + WEEK
        assert (review.published_at, make.states(review)) == (None, [SUBMITTED])

    def test_when_both_have_spoken_both_open_at_once(self, visit: Session, bob: User) -> None:
        first = by_customer(visit)
        now = ended(visit) + DAY
        second = by_technician(visit, now=now)
        for review in map(make.fresh, (first, second)):
            assert (review.status, review.published_at) == (PUBLISHED, now)
            assert make.states(review) == [SUBMITTED, PUBLISHED]
            assert review.history.get(to_state=PUBLISHED).actor == bob
        assert second.status == PUBLISHED, "what the action returns is how it stands"

    def test_the_history_of_a_review_never_says_what_it_says(self, visit: Session) -> None:
        review = open_one(visit)
        kept = " ".join(str(vars(step)) for step in review.history.all())
        assert SAID not in kept and "stars" not in kept

    def test_while_sealed_it_may_be_said_anew(self, visit: Session) -> None:
        by_customer(visit, 5)
        again = by_customer(visit, 2, "  On second thoughts.  ", now=ended(visit) + DAY)
        assert (again.stars, again.text, again.status) == (2, "On second thoughts.", SUBMITTED)
        assert Review.objects.count() == 1
        assert make.states(again) == [SUBMITTED, SUBMITTED]

    def test_said_again_word_by_word_it_is_no_step(self, visit: Session) -> None:
        by_customer(visit)
        assert make.states(by_customer(visit)) == [SUBMITTED]

    def test_once_it_is_open_it_stays_as_it_is(self, visit: Session) -> None:
        review = open_one(visit)
        with pytest.raises(Conflict, match="no longer be changed") as refused:
            by_customer(visit, 1, "No!")
        assert refused.value.next_url == f"/jobs/{visit.booking_id}/"
        assert make.fresh(review).text == SAID

    def test_stars_may_stand_alone(self, visit: Session) -> None:
        assert by_customer(visit, 3, "   ").text == ""

    @pytest.mark.parametrize("stars", [0, 6, -1])
    def test_there_are_one_to_five_stars(self, visit: Session, stars: int) -> None:
        with pytest.raises(Invalid, match="between 1 and 5"):
            by_customer(visit, stars)

    @pytest.mark.parametrize("stage", ["job", "visit", "waiting", "live"])
    def test_before_the_work_is_finished_there_is_nothing_to_review(self, alice: User, bob: User, stage: str) -> None:
        made = make.job(alice) if stage == "job" else make.visit(alice, bob)
        if stage in ("waiting", "live"):
            made = getattr(make, stage)(made)
        booking = make.fresh(made if stage == "job" else made.booking)
        with pytest.raises(Conflict, match="once its work is finished"):
            actions.write_review(booking, by=alice, stars=5, now=make.NOW)

    def test_after_a_week_it_is_too_late(self, visit: Session) -> None:
        by_customer(visit, now=ended(visit) + WEEK - MINUTE)
        with pytest.raises(Conflict, match="week for reviews of this job is over"):
            by_technician(visit, now=ended(visit) + WEEK)
        assert Review.objects.count() == 1

    def test_nobody_else_reviews_not_even_the_desk_for_somebody(self, visit: Session, dora: User, frank: User) -> None:
        for stranger in (dora, frank):
            with pytest.raises(PermissionDenied):
                actions.write_review(visit.booking, by=stranger, stars=5, now=ended(visit))
        assert not Review.objects.exists()

    def test_the_technician_who_gave_the_job_back_does_not_review_it(self, alice: User, bob: User, dora: User) -> None:
        first = make.visit(alice, bob)
        actions.release(first, by=bob, reason="Ill", now=make.NOW)
        visit = make.finished(make.accept(make.offer(make.fresh(first.booking), dora)))
        with pytest.raises(PermissionDenied):
            actions.write_review(visit.booking, by=bob, stars=1, now=ended(visit))
        review = actions.write_review(visit.booking, by=alice, stars=5, now=ended(visit))
        assert review.about_id == dora.pk


class TestTheClock:
    def test_after_a_week_a_lonely_review_opens_by_itself(self, visit: Session) -> None:
        review = by_customer(visit)
        assert due.open_reviews(review.opens_at - MINUTE) == 0
        assert due.open_reviews(review.opens_at) == 1
        opened = make.fresh(review)
        assert (opened.status, opened.published_at) == (PUBLISHED, review.opens_at)
        step = opened.history.get(to_state=PUBLISHED)
        assert (step.actor, step.actor_role) == (None, "clock")

    def test_a_second_clock_finds_nothing_left(self, visit: Session) -> None:
        review = by_customer(visit)
        due.run_due(review.opens_at)
        assert due.open_reviews(review.opens_at + DAY) == 0
        assert make.states(review) == [SUBMITTED, PUBLISHED]


class TestFlagging:
    def test_whom_it_is_about_may_flag_it_and_it_stays_in_sight(self, visit: Session, bob: User) -> None:
        review = open_one(visit)
        flag = actions.flag_review(review, by=bob, reason="private", words=" My street. ", now=ended(visit) + DAY)
        assert (flag.by, flag.reason, flag.note, flag.settled_at) == (bob, "private", "My street.", None)
        assert make.states(review) == [SUBMITTED, PUBLISHED, FLAGGED]
        assert review.history.last().reason == "It tells private things."
        assert Review.objects.shown().filter(pk=review.pk).exists()

    def test_its_author_and_strangers_may_not(self, visit: Session, alice: User, dora: User) -> None:
        review = open_one(visit)
        for person in (alice, dora):
            with pytest.raises(PermissionDenied):
                actions.flag_review(review, by=person, reason="abuse")

    def test_it_takes_a_reason(self, visit: Session, bob: User) -> None:
        with pytest.raises(Invalid, match="what is wrong"):
            actions.flag_review(open_one(visit), by=bob, reason="envy")

    def test_once_the_desk_has_kept_it_it_is_not_flagged_again(self, visit: Session, bob: User, frank: User) -> None:
        review = flagged(visit)
        with pytest.raises(Conflict, match="flagged already"):
            actions.flag_review(review, by=bob, reason="abuse")
        actions.keep_review(review, by=frank, reason="An opinion.")
        with pytest.raises(Conflict, match="looked at this review already, and kept it"):
            actions.flag_review(review, by=bob, reason="abuse")

    def test_the_desk_may_flag_what_it_finds_as_often_as_it_must(self, visit: Session, frank: User) -> None:
        review = open_one(visit)
        for _ in range(2):
            actions.flag_review(review, by=frank, reason="spam")
            actions.keep_review(review, by=frank, reason="It names a shop, no more.")
        assert ReviewFlag.objects.filter(by=frank, settled_at__isnull=False).count() == 2

    def test_nobody_flags_what_is_sealed(self, visit: Session, bob: User) -> None:
        with pytest.raises(Conflict, match="not open to read"):
            actions.flag_review(by_customer(visit), by=bob, reason="abuse")


class TestDeciding:
    def test_the_desk_keeps_it_and_the_flag_is_settled(self, visit: Session, frank: User) -> None:
        review = flagged(visit)
        now = ended(visit) + DAY
        kept = actions.keep_review(review, by=frank, reason=" An opinion. ", now=now)
        assert (kept.status, kept.hide_reason) == (PUBLISHED, "")
        assert review.flags.get().settled_at == now
        step = review.history.last()
        assert (step.to_state, step.actor, step.reason) == (PUBLISHED, frank, "An opinion.")
        assert make.fresh(review).published_at == review.published_at, "it was open all the time"

    def test_the_desk_hides_it_and_it_is_kept(self, visit: Session, frank: User) -> None:
        review = flagged(visit)
        actions.hide_review(review, by=frank, why="abuse", reason="It insults.", now=ended(visit) + DAY)
        gone = make.fresh(review)
        assert (gone.status, gone.hide_reason, gone.text) == (HIDDEN, "abuse", SAID)
        assert make.states(gone)[-2:] == [FLAGGED, HIDDEN]
        assert not gone.flags.filter(settled_at=None).exists()

    def test_only_the_desk_decides_with_a_reason_and_a_code(self, visit: Session, frank: User, bob: User) -> None:
        review = flagged(visit)
        with pytest.raises(PermissionDenied):
            actions.keep_review(review, by=bob, reason="Mine.")
        with pytest.raises(Invalid, match="say why"):
            actions.keep_review(review, by=frank, reason="  ")
        with pytest.raises(Invalid, match="why it is hidden"):
            actions.hide_review(review, by=frank, why="", reason="Because.")
        assert make.fresh(review).status == FLAGGED

    def test_of_two_admins_the_second_reads_that_it_is_decided(self, visit: Session, frank: User) -> None:
        review = flagged(visit)
        actions.keep_review(review, by=frank, reason="An opinion.")
        with pytest.raises(Conflict, match="not flagged any more") as refused:
            actions.hide_review(review, by=frank, why="abuse", reason="It insults.")
        assert refused.value.next_url == f"/desk/reviews/{review.pk}/"


def attempts(visit: Session, review: Review, bob: User, frank: User) -> dict[str, Callable[[], object]]:
    """Every verb that moves a review, by the state it leads to."""
    return {
        "open": lambda: due.open_reviews(review.opens_at) or refuse(),
        "flag": lambda: actions.flag_review(review, by=frank, reason="spam"),
        "keep": lambda: actions.keep_review(review, by=frank, reason="Fine."),
        "hide": lambda: actions.hide_review(review, by=frank, why="spam", reason="No."),
    }


def refuse() -> None:
    raise Conflict("Nothing to open.")


LEADS = {
    "open": (SUBMITTED, PUBLISHED),
    "flag": (PUBLISHED, FLAGGED),
    "keep": (FLAGGED, PUBLISHED),
    "hide": (FLAGGED, HIDDEN),
}


@pytest.mark.parametrize("verb", LEADS)
@pytest.mark.parametrize("state", ReviewStatus.values)
def test_every_verb_works_from_its_own_state_only(
    visit: Session, bob: User, frank: User, state: str, verb: str
) -> None:
    made = {SUBMITTED: by_customer, PUBLISHED: open_one, FLAGGED: flagged}.get(state)
    review = made(visit) if made else hidden(visit, frank)
    start, end = LEADS[verb]
    act = attempts(visit, review, bob, frank)[verb]
    if state == start:
        act()
        assert make.fresh(review).status == end
    else:
        with pytest.raises(Conflict):
            act()
        assert make.fresh(review).status == state


def test_the_verbs_are_all_the_moves_there_are() -> None:
    assert set(LEADS.values()) == {(str(start), str(end)) for start, ends in REVIEW_MOVES.items() for end in ends}


# --- What counts ----------------------------------------------------------------------------------


class TestRatings:
    def test_sealed_and_hidden_ones_do_not_count_flagged_ones_do(self, alice, charlie, bob, frank) -> None:
        by_customer(done(alice, bob), 1)
        assert ratings([bob.pk]) == {bob.pk: Rating()}
        other = done(
            charlie, bob, window_start=make.TOMORROW_NOON + DAY, window_end=make.TOMORROW_NOON + DAY + 4 * HOUR
        )
        review = open_one(other, 4)
        assert ratings([bob.pk]) == {bob.pk: Rating(4.0, 1)}
        actions.flag_review(review, by=bob, reason="untrue")
        assert ratings([bob.pk]) == {bob.pk: Rating(4.0, 1)}
        actions.hide_review(review, by=frank, why="false", reason="Shown to be false.")
        assert ratings([bob.pk]) == {bob.pk: Rating()}

    def test_everybody_has_their_own_in_one_query(self, alice, bob, dora, charlie) -> None:
        open_one(done(alice, bob), 5)
        open_one(done(charlie, dora), 2)
        people = list(Technician.objects.filter(pk__in=[bob.pk, dora.pk]))
        with CaptureQueriesContext(connection) as seen:
            rate([*people, *people])
        assert len(seen) == 1
        assert {person.pk: person.rating for person in people} == {bob.pk: Rating(5.0, 1), dora.pk: Rating(2.0, 1)}
        assert ratings([alice.pk])[alice.pk] == Rating(4.0, 1), "customers have theirs too"

    def test_nobody_costs_nothing(self, db: None, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert ratings([]) == {}


# --- What the database refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [{"stars": 6}, {"status": "published"}, {"status": "made_up"}, {"hide_reason": "abuse"}],
    ids=["six stars", "published at no time", "an unknown state", "a reason to hide what is not hidden"],
)
def test_the_table_refuses_what_no_review_can_be(visit: Session, spoil: dict[str, object]) -> None:
    review = by_customer(visit)
    for name, value in spoil.items():
        setattr(review, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save()


def test_a_refusal_of_a_review_is_a_sentence_with_a_way_on(visit: Session) -> None:
    with pytest.raises(Refusal) as refused:
        by_customer(visit, now=ended(visit) + WEEK)
    assert refused.value.sentence.endswith(".") and refused.value.next_label == "See the job"
