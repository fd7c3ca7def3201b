"""What happens to visits and jobs happens to the journeys and legs that belong to them, in the same transaction.

Whoever moved the booking or visit holds its lock, so what is locked here comes after it in the one order of locks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models.signals import post_save

from bookings.models import BookingHistory, SessionHistory
from bookings.states import BookingStatus, SessionStatus
from tracking.actions.journeys import close_journey, open_of
from tracking.actions.legs import call_off
from tracking.actions.moves import lock_legs
from tracking.models import Journey, Leg
from tracking.notices import OPEN, TURNED_BACK
from tracking.states import DispatchStatus, JourneyEnd
from tracking.telling import tell

# A finished job is not in it: what was to be fetched afterwards is still fetched.
GONE = {
    BookingStatus.CANCELLED: "The job was cancelled.",
    BookingStatus.NO_SHOW: "Nobody was there.",
    BookingStatus.EXPIRED: "The job expired.",
}
ENDS = {
    SessionStatus.WAITING: JourneyEnd.ARRIVED,
    SessionStatus.CANCELLED: JourneyEnd.CANCELLED,
    SessionStatus.NO_SHOW: JourneyEnd.NO_SHOW,
    SessionStatus.PENDING: JourneyEnd.CANCELLED,  # moved to another time
}


def connect() -> None:
    """Listen to the histories of bookings, and to journeys."""
    for model, listener in ((BookingHistory, booking_moved), (SessionHistory, session_moved), (Journey, journey_saved)):
        post_save.connect(listener, sender=model, dispatch_uid=f"tracking.{model._meta.label_lower}")


def booking_moved(instance: BookingHistory, created: bool, raw: bool = False, **_: object) -> None:
    """A job is over without being done: nothing is driven for it any more."""
    reason = GONE.get(BookingStatus(instance.to_state)) if instance.to_state else None
    if not created or raw or reason is None:
        return
    open_legs = Leg.objects.filter(booking=instance.subject_id, cancelled_at__isnull=True)
    open_legs = open_legs.exclude(dispatches__status=DispatchStatus.COMPLETED)
    held = lock_legs(open_legs.values_list("pk", flat=True))
    # Asked again under their locks: a driver may have finished one at this moment.
    still = set(open_legs.filter(pk__in=held).values_list("pk", flat=True)) if held else set()
    if still:
        call_off([held[pk] for pk in sorted(still)], by=instance.actor, reason=reason, now=instance.at)


def session_moved(instance: SessionHistory, created: bool, raw: bool = False, **_: object) -> None:
    """A visit's technician is there, or does not come (then) any more."""
    end = ENDS.get(SessionStatus(instance.to_state)) if instance.from_state else None
    if created and not raw and end is not None:
        close_journey(open_of(session=instance.subject), end, now=instance.at)


def journey_saved(
    instance: Journey, created: bool, raw: bool = False, update_fields: Collection[str] | None = None, **_: object
) -> None:
    """A technician set out, or turned back. What becomes of legs and of called-off visits is told by those."""
    if raw or instance.session_id is None:
        return
    if created:
        tell_of(instance, "", OPEN, instance.opened_at)
    elif instance.closed_at and "closed_at" in (update_fields or ()) and turned_back(instance):
        tell_of(instance, OPEN, TURNED_BACK, instance.closed_at)


def turned_back(journey: Journey) -> bool:
    """Whether its visit still stands, and nobody is there."""
    pending = journey.session is not None and journey.session.status == SessionStatus.PENDING
    return pending and journey.end == JourneyEnd.CANCELLED


def tell_of(journey: Journey, before: str, to: str, now: datetime) -> None:
    """Tell the customer that their technician set out or turned back."""
    tell(journey, before, to, by=journey.traveller, now=now, event=f"journey.{journey.pk}.{to}")
