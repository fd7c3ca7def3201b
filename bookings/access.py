"""The only ways to fetch another person's object: it is returned, or 404 (may not know) or 403 (may not do).

Who may see a job: its customer; while it is open every technician, afterwards those who bid on it (they see
what became of their bid); admins, drafts aside. Its address and phone numbers are another question:
`contact_visible`.
"""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import Role, User
from bookings.models import (
    Bid,
    Booking,
    BookingPhoto,
    CompletionPhoto,
    Dispute,
    DisputeEvidence,
    RescheduleProposal,
    Review,
    Session,
)
from bookings.states import ACTIVE_SESSION, BookingStatus, SessionStatus

M = TypeVar("M", bound=Model)

# While a technician may know the address and the phone number (rule 9): from winning until the finished
# job is put away; never after a release, a cancellation or a no-show.
CONTACT_OPEN = Q(status__in=ACTIVE_SESSION) | Q(status=SessionStatus.COMPLETED, booking__put_away_at__isnull=True)


def found(rows: QuerySet[M], pk: int) -> M:
    """The row among `rows`, or 404: a stranger does not learn whether it exists."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def visible_bookings(user: User) -> QuerySet[Booking]:
    """Every booking that `user` may know of."""
    rows = Booking.objects.for_lists()
    placed = ~Q(status=BookingStatus.DRAFT)
    if user.role == Role.CUSTOMER:
        return rows.filter(customer=user)
    if user.role == Role.TECHNICIAN:
        own = Exists(Bid.objects.filter(booking=OuterRef("pk"), technician_id=user.pk))
        return rows.filter(placed).filter(Q(status=BookingStatus.OPEN) | own)
    return rows.filter(placed) if user.role == Role.ADMIN else rows.none()


def booking_for(user: User, pk: int) -> Booking:
    """A booking that `user` may see; 404 for strangers."""
    return found(visible_bookings(user), pk)


def own_booking(user: User, pk: int) -> Booking:
    """A booking of this customer; 404 for strangers, 403 for those who may only see it."""
    booking = booking_for(user, pk)
    if booking.customer_id != user.pk:
        raise PermissionDenied("Only the customer of this job may do that.")
    return booking


def draft_of(user: User) -> Booking | None:
    """The draft that a customer wrote last, or None."""
    drafts = Booking.objects.for_lists().filter(customer=user, status=BookingStatus.DRAFT)
    return drafts.order_by("-created_at", "-pk").first()


def bid_for(user: User, pk: int) -> Bid:
    """A bid, for its technician, the job's customer and admins. Technicians do not see each other's; 404."""
    rows = Bid.objects.select_related("technician__user", "booking__customer", "booking__category")
    if user.role != Role.ADMIN:
        rows = rows.filter(Q(technician_id=user.pk) | Q(booking__customer=user))
    return found(rows, pk)


def own_bid(user: User, pk: int) -> Bid:
    """A bid of this technician; 403 for the customer, who may only see it."""
    bid = bid_for(user, pk)
    if bid.technician_id != user.pk:
        raise PermissionDenied("Only the technician who made this offer may do that.")
    return bid


def bid_on_own_booking(user: User, pk: int) -> Bid:
    """A bid on this customer's job; 403 for its technician, who may not accept or decline it."""
    bid = bid_for(user, pk)
    if bid.booking.customer_id != user.pk:
        raise PermissionDenied("Only the customer of this job may do that.")
    return bid


def session_for(user: User, pk: int) -> Session:
    """A visit, for its two sides and admins; 404 for everybody else."""
    rows = Session.objects.for_pages()
    if user.role != Role.ADMIN:
        rows = rows.filter(Q(technician_id=user.pk) | Q(booking__customer=user))
    return found(rows, pk)


def own_session(user: User, pk: int) -> Session:
    """A visit of this technician; 403 for the customer."""
    session = session_for(user, pk)
    if session.technician_id != user.pk:
        raise PermissionDenied("Only the technician of this visit may do that.")
    return session


def proposal_for(user: User, pk: int) -> RescheduleProposal:
    """A proposal to move a visit, for the visit's two sides and admins; 404 for everybody else."""
    rows = RescheduleProposal.objects.select_related("session__booking__customer", "session__technician__user")
    if user.role != Role.ADMIN:
        rows = rows.filter(Q(session__technician_id=user.pk) | Q(session__booking__customer=user))
    return found(rows, pk)


def photo_for(user: User, pk: int) -> BookingPhoto:
    """A picture of a job, for everybody who may see the job."""
    return found(BookingPhoto.objects.filter(booking__in=visible_bookings(user)), pk)


def completion_photo_for(user: User, pk: int) -> CompletionPhoto:
    """A picture of what was done, for the visit's two sides and admins."""
    rows = CompletionPhoto.objects.all()
    if user.role != Role.ADMIN:
        visit = "completion__session"
        rows = rows.filter(Q(**{f"{visit}__technician_id": user.pk}) | Q(**{f"{visit}__booking__customer": user}))
    return found(rows, pk)


def dispute_for(user: User, pk: int) -> Dispute:
    """A dispute, for its two sides and admins; 404 for everybody else. What is said in it is another question."""
    rows = Dispute.objects.select_related("booking", "opened_by", "against")
    if user.role != Role.ADMIN:
        rows = rows.filter(Q(opened_by=user) | Q(against=user))
    return found(rows, pk)


def evidence_for(user: User, pk: int) -> DisputeEvidence:
    """A file of a dispute, for whoever opened it and admins; for the other side from when they are asked."""
    rows = DisputeEvidence.objects.exclude(file="")
    if user.role != Role.ADMIN:
        told = Q(dispute__against=user, dispute__answer_by__isnull=False)
        rows = rows.filter(Q(dispute__opened_by=user) | told)
    return found(rows, pk)


def visit_to_review(user: User, pk: int) -> Session | None:
    """The finished visit of a job for its two sides, None before it is finished; 403 for those who only made an
    offer and for the desk, 404 for everybody else.
    """
    booking = booking_for(user, pk)
    visits = list(booking.sessions.select_related("booking__customer", "technician__user").order_by("pk"))
    done = [visit for visit in visits if visit.status == SessionStatus.COMPLETED]
    if user.pk not in {booking.customer_id, *(visit.technician_id for visit in done or visits)}:
        raise PermissionDenied("Only the two sides of this job may review it.")
    return done[0] if done else None


def review_of_me(user: User, pk: int) -> Review:
    """An open review, for whom it is about; 403 for who wrote it, 404 for everybody else, and while it is sealed."""
    rows = Review.objects.opened().with_people().filter(Q(about=user) | Q(author=user))
    review = found(rows, pk)
    if review.about_id != user.pk:
        raise PermissionDenied("Only whom a review is about may flag it.")
    return review


def review_at_desk(pk: int) -> Review:
    """An open review, for the desk; 404 while it is sealed: that it exists is not the desk's to know either."""
    return found(Review.objects.opened().with_people(), pk)


def contact_visible(booking: Booking, user: User) -> bool:
    """Whether `user` may read the exact address, phone and e-mail of `booking` (rule 9)."""
    if user.pk == booking.customer_id or user.role == Role.ADMIN:
        return True
    return user.pk in assigned_among({user.pk}, booking.pk)


def assigned_among(user_ids: set[int], booking_id: int) -> set[int]:
    """Those of `user_ids` that may know a booking's address as its technician. One query."""
    visits = Session.objects.filter(CONTACT_OPEN, booking=booking_id, technician_id__in=user_ids)
    return set(visits.filter(technician__user__is_active=True).values_list("technician_id", flat=True))
