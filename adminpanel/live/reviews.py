"""What moves by itself in the desk's queue of reviews. Of a sealed review it hears nothing, not even that it exists."""

from __future__ import annotations

from django.db.models import Q

from accounts.access import desk
from accounts.models import User
from adminpanel.queues.reviews import PILES, load_cases, load_rows, order_of
from bookings.models import Review, ReviewFlag
from bookings.states import ReviewStatus
from realtime.fragments import Fragment, watch
from realtime.topics import Topic

Place = tuple[str, str]

list_topic = Topic("desk.reviews.{show:str}", users=lambda user_ids, show: desk(user_ids) if show in PILES else set())
review_topic = Topic("desk.review.{review_id}", users=lambda user_ids, review_id: desk(user_ids))


def lists_of(review: Review) -> list[str]:
    """The list that it stands in."""
    return [list_topic(review.status)] if review.status in PILES else []


def case_of(review: Review) -> list[Place]:
    """Its own page."""
    return [] if review.status == ReviewStatus.SUBMITTED else [(review_topic(review.pk), str(review.pk))]


def to_decide(user: User) -> list[Review]:
    """The flagged reviews in which this person is named."""
    return list(Review.objects.filter(Q(author=user.pk) | Q(about=user.pk), status=ReviewStatus.FLAGGED))


review_row = Fragment(
    "adminpanel.review_row",
    template="adminpanel/_review_row.html",
    load=load_rows,
    topics=lists_of,
    watches=[
        watch(Review, remember=("status",)),
        watch(ReviewFlag, touches=lambda flag: [(topic, str(flag.review_id)) for topic in lists_of(flag.review)]),
        watch(
            User,
            fields=("name",),
            touches=lambda user: [(topic, str(row.pk)) for row in to_decide(user) for topic in lists_of(row)],
            referring=True,
        ),
    ],
    order=order_of,
)
review_case = Fragment(
    "adminpanel.review_case",
    template="adminpanel/_review_case.html",
    load=load_cases,
    topics=lambda case: [review_topic(case.pk)],
    watches=[
        watch(Review, touches=case_of),
        watch(ReviewFlag, touches=lambda flag: case_of(flag.review)),
        watch(
            User,
            fields=("name",),
            touches=lambda user: [place for row in to_decide(user) for place in case_of(row)],
            referring=True,
        ),
    ],
)
