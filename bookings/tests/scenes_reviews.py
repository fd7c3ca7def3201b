"""What happens with reviews, as scenes: who hears of it. Of a sealed one nobody does."""

from __future__ import annotations

from bookings import actions, due
from bookings.tests.make import HOUR
from bookings.tests.reviews import by_customer, by_technician, done, ended, flagged, open_one
from bookings.tests.scenes import Act, Cast, scene


@scene()
def a_review_is_written_and_sealed(cast: Cast) -> Act:
    visit = done(cast.alice, cast.bob)
    return lambda: by_customer(visit)


@scene()
def a_sealed_review_is_said_anew(cast: Cast) -> Act:
    visit = done(cast.alice, cast.bob)
    by_technician(visit, 1)
    return lambda: by_technician(visit, 2)


@scene(alice="review_opened")
def the_technician_writes_last_and_both_open(cast: Cast) -> Act:
    visit = done(cast.alice, cast.bob)
    by_customer(visit)
    return lambda: by_technician(visit)


@scene(bob="review_opened")
def a_week_passes_and_a_lonely_review_opens(cast: Cast) -> Act:
    review = by_customer(done(cast.alice, cast.bob))
    return lambda: due.open_reviews(review.opens_at)


@scene(frank="desk_review_flagged")
def a_review_is_flagged(cast: Cast) -> Act:
    review = open_one(done(cast.alice, cast.bob))
    return lambda: actions.flag_review(review, by=cast.bob, reason="untrue")


@scene()
def the_only_admin_takes_a_review_up(cast: Cast) -> Act:
    review = open_one(done(cast.alice, cast.bob))
    return lambda: actions.flag_review(review, by=cast.frank, reason="spam")


@scene(bob="review_kept")
def a_flagged_review_stays(cast: Cast) -> Act:
    review = flagged(done(cast.alice, cast.bob))
    return lambda: actions.keep_review(review, by=cast.frank, reason="An opinion.")


@scene()
def what_the_desk_took_up_itself_stays(cast: Cast) -> Act:
    review = open_one(done(cast.alice, cast.bob))
    actions.flag_review(review, by=cast.frank, reason="spam")
    return lambda: actions.keep_review(review, by=cast.frank, reason="No advertisement.")


@scene(alice="review_hidden", bob="review_taken")
def a_flagged_review_is_hidden(cast: Cast) -> Act:
    visit = done(cast.alice, cast.bob)
    review = flagged(visit)
    return lambda: actions.hide_review(
        review, by=cast.frank, why="abuse", reason="It insults.", now=ended(visit) + HOUR
    )
