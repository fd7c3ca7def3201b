"""What a customer does with a booking: draft it, place it, change it, call it off."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from bookings.actions.moves import (
    chooser,
    close_bids,
    close_proposals,
    lock_booking,
    locking,
    move,
    moved_on,
    note,
    require_customer,
)
from bookings.links import job_url
from bookings.models import Bid, Booking, BookingPhoto, ServiceCategory, Session
from bookings.rules.fees import Fee, Policy, Times, cancellation_fee
from bookings.rules.numbers import minutes, number
from bookings.states import BidStatus, BookingStatus, CancelReason, Party, SessionStatus
from common.geo import is_place
from common.money import Money, is_exact, whole_units
from common.refusals import Conflict, Invalid
from common.uploads import clean_image, delete_later, files_undone, stored


class DraftFields(TypedDict, total=False):
    """What the steps of the booking form fill in. Instants are aware, coordinates in degrees."""

    category: ServiceCategory | None
    title: str
    description: str
    address_line1: str
    address_line2: str
    town: str
    postcode: str
    latitude: float | None
    longitude: float | None
    area_label: str
    time_zone: str
    window_start: datetime | None
    window_end: datetime | None
    duration_minutes: int | None
    budget: Decimal | None
    currency: str


def save_draft(
    booking: Booking | None = None, *, by: User, now: datetime | None = None, **typed: Unpack[DraftFields]
) -> Booking:
    """Keep what a customer typed so far, in a new draft or in `booking`. Raises `Conflict` once it is placed."""
    if by.role != Role.CUSTOMER:
        raise PermissionDenied("Only customers book jobs.")
    with transaction.atomic():
        draft = Booking(customer=by) if booking is None else lock_booking(booking.pk)
        require_customer(draft, by)
        if draft.status != BookingStatus.DRAFT:
            raise Conflict("This job is placed already.", next_url=job_url(draft.pk), next_label="See the job")
        fields = fill(draft, typed)
        draft.created_at = now or timezone.now()
        draft.save(update_fields=[*fields, "created_at"] if draft.pk else None)
    return draft


def fill(draft: Booking, typed: DraftFields) -> list[str]:
    """Set the typed fields on `draft`, the point with its rounded twin; returns the names of what was set."""
    for name, value in typed.items():
        setattr(draft, name, value)
    point = {"latitude", "longitude"} & typed.keys()
    return list({*typed, *(draft.set_place(draft.latitude, draft.longitude) if point else ())})


def discard_draft(booking: Booking, *, by: User) -> None:
    """Delete a draft that its customer does not want any more, with its photos."""
    with transaction.atomic():
        draft = lock_booking(booking.pk)
        require_customer(draft, by)
        if draft.status != BookingStatus.DRAFT:
            raise moved_on(draft)
        forget_draft(draft)


def forget_draft(draft: Booking) -> None:
    """Delete a locked draft with its photos, their files included."""
    for photo in draft.photos.all():
        delete_later(photo.image)
    draft.delete()


def open_booking(booking: Booking, *, by: User, now: datetime | None = None) -> Booking:
    """Place a draft: from now on technicians see it and bid. Raises `Invalid` naming what is missing."""
    now = now or timezone.now()
    with transaction.atomic():
        draft = lock_booking(booking.pk)
        require_customer(draft, by)
        place(draft, by=by, now=now)
    return draft


def place(draft: Booking, *, by: User, now: datetime, reason: str = "") -> None:
    """Open a draft, locked or new. Raises `Invalid` naming what is missing, `Conflict` when it is placed already."""
    if draft.status == BookingStatus.DRAFT:
        check_complete(draft, now)
    policy = Policy().as_json()
    move(
        draft,
        BookingStatus.OPEN,
        by=by,
        now=now,
        reason=reason,
        placed_at=now,
        expires_at=draft.latest_start,
        policy=policy,
    )


def check_complete(draft: Booking, now: datetime) -> None:
    """Raise `Invalid` with the first thing that keeps `draft` from being placed."""
    missing = {
        "what kind of job it is": draft.category_id,
        "a short title": draft.title.strip(),
        "the address": draft.address_line1.strip(),
        "the area": draft.area_label.strip(),
        "the time": draft.window_start and draft.window_end and draft.duration_minutes,
    }
    for what, value in missing.items():
        if not value:
            raise Invalid(f"Please say {what} first.")
    if not is_place(draft.latitude, draft.longitude):
        raise Invalid("Please set the place on the map first.")
    if draft.budget is not None and (draft.budget <= 0 or not is_exact(draft.budget, draft.currency)):
        raise Invalid(f"Please give a budget above zero, in {whole_units(draft.currency)}, or leave it empty.")
    check_window(draft, now)


def check_window(booking: Booking, now: datetime) -> None:
    """Raise `Invalid` unless the visit fits into the booking's window and the window is still to come."""
    if not booking.window_start or not booking.window_end or booking.window_end <= booking.window_start:
        raise Invalid("The end of the time window must be after its start.")
    check_not_too_far(booking.window_end, now)
    if booking.latest_start and booking.latest_start < booking.window_start:
        raise Invalid(f"The window is shorter than the {booking.duration_minutes} minutes that the job takes.")
    if booking.latest_start and booking.latest_start <= now:
        raise Invalid("That time has passed, or leaves too little of the window. Choose a later one.")


def check_not_too_far(moment: datetime, now: datetime) -> None:
    """Raise `Invalid` for a time nobody plans for. Near the year 9999, showing it in another zone would fail."""
    if moment - now > minutes("AHEAD_MOST_MINUTES"):
        raise Invalid("That is more than a year ahead. Choose an earlier time.")


def change_window(
    booking: Booking,
    *,
    by: User,
    window_start: datetime,
    window_end: datetime,
    reason: str = "Changed the time window.",
    now: datetime | None = None,
) -> Booking:
    """Move the window of an open booking. Offers that no longer fit lapse; their technicians may offer again."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_booking(booking.pk)
        require_customer(held, by)
        if held.status != BookingStatus.OPEN:
            raise moved_on(held)
        held.window_start, held.window_end = window_start, window_end
        check_window(held, now)
        held.expires_at = held.latest_start
        held.save(update_fields=["window_start", "window_end", "expires_at"])
        standing = locking(held.bids.filter(status=BidStatus.SUBMITTED))
        outside = [bid for bid in standing if not window_start <= bid.starts_at < window_end]
        why = f"{chooser(by)} changed the time. You may offer again."
        close_bids(outside, BidStatus.EXPIRED, why, by=by, now=now)
        # Last: it tells those whose offers still stand.
        note(held, held.status, by=by, now=now, reason=reason)
    return held


def cancel_booking(
    booking: Booking,
    *,
    by: User,
    reason: str,
    note: str = "",
    seen_fee: Decimal | None = None,
    for_customer: bool = False,
    now: datetime | None = None,
) -> Booking:
    """Call a booking off, with the fee that the rule says, stored.

    The customer may until the work is done; the technician only once checked in (before that they
    `release` it). `seen_fee` is the amount shown before the tap: another one by now raises `Conflict`. With
    `for_customer` an admin does what the customer wished: the fee is the customer's.
    """
    now = now or timezone.now()
    if reason not in CancelReason.values:
        raise Invalid("Please choose a reason.")
    with transaction.atomic():
        held = lock_booking(booking.pk)
        bids = list(locking(held.bids.filter(status=BidStatus.SUBMITTED)))
        session = locking(held.sessions.active()).first()
        check_may_cancel(held, session, by)
        fee = fee_now(held, session, payer(held, by, for_customer), reason, now)
        if seen_fee is not None and seen_fee != fee.money.amount:
            raise Conflict(
                f"The fee changed, please look again. {fee.sentence}",
                next_url=job_url(held.pk),
                next_label="See the job",
            )
        cancel_everything(held, bids, session, by=by, reason=reason, note=note, fee=fee, now=now)
    return held


def check_may_cancel(booking: Booking, session: Session | None, by: User) -> None:
    """Who may call it off now; see `cancel_booking`."""
    if session is None or by.pk != session.technician_id:
        require_customer(booking, by)
    elif booking.status == BookingStatus.ASSIGNED:
        raise Conflict(
            "You have not checked in yet. Withdraw from the job instead: it then opens again for others.",
            next_url=job_url(booking.pk),
            next_label="See the job",
        )


def cancel_everything(
    booking: Booking,
    bids: list[Bid],
    session: Session | None,
    *,
    by: User,
    reason: str,
    note: str,
    fee: Fee,
    now: datetime,
) -> None:
    """Move the locked rows of a booking that is called off."""
    words = f"{CancelReason(reason).label}. {note}".strip()
    move(
        booking,
        BookingStatus.CANCELLED,
        by=by,
        now=now,
        reason=words,
        cancelled_by=by,
        cancel_reason=reason,
        cancel_note=note[:300],
        fee_amount=fee.money.amount,
        fee_explanation=fee.sentence[:300],
    )
    close_bids(bids, BidStatus.CLOSED, "The job was cancelled.", by=by, now=now)
    if session is not None:
        stopped = {} if session.started_at is None else session.clock_stopped(now)
        move(session, SessionStatus.CANCELLED, by=by, now=now, reason=words, **stopped)
        close_proposals(session, by=by, now=now)


def quote_cancellation(
    booking: Booking, *, by: User, reason: str = "", for_customer: bool = False, now: datetime | None = None
) -> Fee:
    """What calling `booking` off would cost now; shown before the tap."""
    visit = booking.sessions.active().select_related("bid").first()
    return fee_now(booking, visit, payer(booking, by, for_customer), reason, now or timezone.now())


def payer(booking: Booking, by: User, for_customer: bool) -> User:
    """Whose cancellation it is: the customer's, where an admin carries out their wish."""
    return booking.customer if for_customer and by.role == Role.ADMIN else by


def fee_now(booking: Booking, session: Session | None, by: User, reason: str, now: datetime) -> Fee:
    """The fee by the policy that stood when the booking was placed."""
    policy = Policy.from_json(booking.policy)
    actor = Party.CUSTOMER.value if by.pk == booking.customer_id else by.role
    if session is None:
        return cancellation_fee(policy, None, actor, reason, price=Money(Decimal(0), booking.currency))
    times = Times(now, session.created_at, session.starts_at, there_since(session, policy, now))
    return cancellation_fee(policy, times, actor, reason, price=session.bid.price, floor=booking.fee_floor)


def there_since(session: Session, policy: Policy, now: datetime) -> datetime | None:
    """Since when the technician counts as being there; None for one who came before the time agreed.

    Nobody pays for a check-in of the day before, whether a slip or a trick. Once the work has begun, the customer
    has let them in.
    """
    too_early = now < session.starts_at - timedelta(minutes=policy.early_minutes)
    return None if too_early and session.started_at is None else session.checked_in_at


def expire_booking(booking: Booking, *, now: datetime) -> None:
    """The clock: nobody was chosen in time. `booking` is locked."""
    move(booking, BookingStatus.EXPIRED, by=None, now=now, reason="No offer was accepted in time.")
    standing = locking(booking.bids.filter(status=BidStatus.SUBMITTED))
    close_bids(standing, BidStatus.CLOSED, "The job expired without a choice.", by=None, now=now)


def reopen(booking: Booking, *, by: User, now: datetime, reason: str, told: bool = True) -> None:
    """An assigned booking, locked, is open again: with time enough to find somebody else."""
    soon = now + minutes("REOPEN_MINUTES")
    expires = max(booking.latest_start or soon, soon)
    changes: dict[str, Any] = {"expires_at": expires, "fee_floor": Decimal(0)}
    if booking.window_end is None or booking.window_end <= expires:
        changes["window_end"] = expires + booking.duration
    move(booking, BookingStatus.OPEN, by=by, now=now, reason=reason, told=told, **changes)


def add_photo(booking: Booking, upload: UploadedFile[Any], *, by: User, now: datetime | None = None) -> BookingPhoto:
    """Add a picture to a draft or open booking. Raises `TooLarge` or `Invalid` for what is no picture."""
    image = clean_image(upload)
    with files_undone(), transaction.atomic():
        held = lock_booking(booking.pk)
        require_customer(held, by)
        if held.status not in (BookingStatus.DRAFT, BookingStatus.OPEN):
            raise moved_on(held)
        if held.photos.count() >= number("PHOTOS_MOST"):
            raise Invalid(f"{number('PHOTOS_MOST')} photos are enough. Remove one first.")
        photo = BookingPhoto.objects.create(booking=held, image=image, at=now or timezone.now())
        stored(photo.image)
        return photo


def remove_photo(photo: BookingPhoto, *, by: User) -> None:
    """Take a picture off a draft or open booking, its file included."""
    with transaction.atomic():
        held = lock_booking(photo.booking_id)
        require_customer(held, by)
        if held.status not in (BookingStatus.DRAFT, BookingStatus.OPEN):
            raise moved_on(held)
        delete_later(photo.image)
        photo.delete()
