"""Offers: the desk asks one driver, or the best few in turn, and the server's clock decides how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import require_desk
from accounts.models import User
from common.refusals import Conflict, Invalid
from tracking.access import current_shift
from tracking.actions.legs import check_not_over, end_round, open_round
from tracking.actions.moves import (
    lapsed_words,
    lock_dispatch,
    lock_drivers,
    lock_leg,
    move,
    moved_on,
    note,
    refusal,
    require_driver,
)
from tracking.dispatching import Candidate, candidates_among
from tracking.links import drive_url, leg_url
from tracking.models import Dispatch, Driver, Leg, OfferRound
from tracking.notices import EXHAUSTED, OPEN
from tracking.rules.numbers import number
from tracking.states import ACTIVE_DISPATCH, HOLDING_DISPATCH, DispatchStatus, Duty, RejectReason
from tracking.telling import tell

UNANSWERED = "Nobody answered in time."

# --- Asking ---------------------------------------------------------------------------------------


def offer_leg(
    leg: Leg,
    driver: Driver,
    *,
    by: User,
    seconds: int | None = None,
    urgent: bool = False,
    now: datetime | None = None,
) -> Dispatch:
    """Ask one driver, who has so many `seconds` to answer: by default a minute, urgent ones a quarter of it.

    Raises `Conflict` when somebody holds the leg, or the driver cannot take it, with the reason.
    """
    now = now or timezone.now()
    require_desk(by)
    span = time_to_answer(seconds, urgent=urgent)
    try:
        with transaction.atomic():
            held = lock_leg(leg.pk)
            lock_drivers([driver.pk])
            check_may_be_offered(held)
            chosen = fitting(held, driver.pk, now)
            return make_offer(held, chosen, span, by=by, now=now)
    except IntegrityError as error:  # the constraint behind the locks
        raise held_by_somebody(leg, "Somebody else was asked about this leg a moment ago.") from error


def ask_in_turn(
    leg: Leg, drivers: Sequence[Driver], *, by: User, seconds: int | None = None, now: datetime | None = None
) -> OfferRound:
    """Ask the first of `drivers` who can take it now, and the next whenever one says no or does not answer."""
    now = now or timezone.now()
    require_desk(by)
    span = time_to_answer(seconds)
    ids = list(dict.fromkeys(driver.pk for driver in drivers))
    most = number("ASK_MOST")
    if not 1 <= len(ids) <= most:
        raise Invalid(f"Please choose one to {most} drivers, in the order in which to ask them.")
    try:
        with transaction.atomic():
            held = lock_leg(leg.pk)
            lock_drivers(ids)
            check_may_be_offered(held)
            asking = OfferRound(leg=held, drivers=ids, seconds=int(span.total_seconds()), by=by, made_at=now)
            asking.save(force_insert=True)
            if ask_next(asking, held, by=by, now=now) is None:
                raise Conflict(
                    "None of them can take it now. Look again who is free.",
                    next_url=leg_url(held.pk),
                    next_label="See the leg",
                )
    except IntegrityError as error:
        raise held_by_somebody(leg, "Somebody else was asked about this leg a moment ago.") from error
    return asking


def time_to_answer(seconds: int | None, *, urgent: bool = False) -> timedelta:
    """How long an offer stands. Raises `Invalid` out of range."""
    wanted = seconds if seconds is not None else number("OFFER_URGENT_SECONDS" if urgent else "OFFER_SECONDS")
    least, most = number("OFFER_LEAST_SECONDS"), number("OFFER_MOST_SECONDS")
    if not least <= wanted <= most:
        raise Invalid(f"A driver needs {least} seconds to {most // 60} minutes to answer.")
    return timedelta(seconds=wanted)


def check_may_be_offered(leg: Leg) -> None:
    """Raise `Conflict` for a locked leg that is over, or that somebody holds."""
    check_not_over(leg)
    holding = leg.dispatches.filter(status__in=HOLDING_DISPATCH).select_related("driver__user").first()
    if holding is None:
        return
    name = holding.driver.user.first_name
    what = "is being asked" if holding.status == DispatchStatus.OFFERED else "has this leg"
    raise held_by_somebody(leg, f"{name} {what}. Take it back first, or look what comes of it.")


def held_by_somebody(leg: Leg, sentence: str) -> Conflict:
    """The refusal for a leg that stands with a driver."""
    return Conflict(sentence, next_url=leg_url(leg.pk), next_label="See the leg")


def fitting(leg: Leg, driver_id: int, now: datetime) -> Candidate:
    """The locked driver as a candidate. Raises `Conflict` with the reasons against."""
    chosen = candidates_among(leg, [driver_id], now=now)[driver_id]
    if not chosen.fits:
        reasons = ", ".join(chosen.why)
        raise held_by_somebody(leg, f"{chosen.driver.user.first_name} cannot take this leg: {reasons}.")
    return chosen


def make_offer(
    leg: Leg,
    chosen: Candidate,
    span: timedelta,
    *,
    by: User,
    now: datetime,
    asking: OfferRound | None = None,
    actor: User | None = None,
) -> Dispatch:
    """The offer's row; the leg and the driver are locked. In a round that goes on nobody acts but the clock."""
    dispatch = Dispatch(
        leg=leg,
        driver=chosen.driver,
        round=asking,
        offered_by=by,
        offered_at=now,
        deadline=now + span,
        why=chosen.why,
    )
    dispatch.save(force_insert=True)
    turn = f"{asking.asked} of {len(asking.drivers)} in turn." if asking else ""
    note(dispatch, "", by=actor if asking else by, now=now, reason=turn)
    return dispatch


def ask_next(asking: OfferRound, leg: Leg, *, now: datetime, by: User | None = None) -> Dispatch | None:
    """Offer a leg to the next of its round who fits and is free; None when that was the last, and the round ends.

    The leg and all drivers of the round are locked. `by` is who began the round, at its first offer only.
    """
    waiting = asking.drivers[asking.asked :]
    known = candidates_among(leg, waiting, now=now) if waiting else {}
    made = None
    for pk in waiting:
        asking.asked += 1
        chosen = known.get(pk)
        if chosen is not None and chosen.fits and not chosen.busy:
            span = timedelta(seconds=asking.seconds)
            made = make_offer(leg, chosen, span, by=asking.by, now=now, asking=asking, actor=by)
            break
    if made is None:
        asking.ended_at = now
        tell(asking, OPEN, EXHAUSTED, by=by, now=now, event=f"round.{asking.pk}")
    asking.save(update_fields=["asked", "ended_at"])
    return made


# --- Answering ------------------------------------------------------------------------------------


def see_offer(dispatch: Dispatch, *, by: User, now: datetime | None = None) -> Dispatch:
    """The offer was on its driver's screen. Only the first time counts; one that is over is left alone."""
    now = now or timezone.now()
    if by.pk != dispatch.driver_id:
        raise PermissionDenied("Only the driver who is asked sees the offer.")
    with transaction.atomic():
        held = Dispatch.objects.select_for_update(of=("self",), no_key=True).get(pk=dispatch.pk)
        if held.seen_at is None and held.status == DispatchStatus.OFFERED:
            held.seen_at = now
            held.save(update_fields=["seen_at"])
    return held


def accept_offer(
    dispatch: Dispatch, *, by: User, now: datetime | None = None, device_at: datetime | None = None
) -> Dispatch:
    """The driver takes the leg. Raises `Conflict` after the deadline, also where no clock has come by yet."""
    now = now or timezone.now()
    try:
        with transaction.atomic():
            held = lock_dispatch(dispatch.pk)
            require_driver(held, by)
            check_stands(held, by, now)
            check_free(held, by)
            seen = held.seen_at or now
            move(held, DispatchStatus.ACCEPTED, by=by, now=now, device_at=device_at, answered_at=now, seen_at=seen)
            end_round(held.leg, now)
    except IntegrityError as error:
        raise refusal("You have another leg already. Finish that one first.", dispatch, by) from error
    return held


def check_stands(dispatch: Dispatch, by: User, now: datetime) -> None:
    """Raise `Conflict` unless a locked offer still waits for its answer."""
    if dispatch.status != DispatchStatus.OFFERED:
        raise moved_on(dispatch, by)
    if dispatch.deadline <= now:
        raise refusal(lapsed_words(dispatch, by), dispatch, by)


def check_free(dispatch: Dispatch, by: User) -> None:
    """Raise `Conflict` unless the locked driver is on duty, without another leg."""
    shift = current_shift(dispatch.driver_id)
    if shift is None or shift.duty != Duty.ON_DUTY:
        raise refusal("You are not on duty. Go on duty first.", dispatch, by)
    other = Dispatch.objects.filter(driver=dispatch.driver_id, status__in=ACTIVE_DISPATCH).select_related("leg").first()
    if other is not None:
        raise Conflict(
            f"You have a leg already: “{other.leg.note}”. Finish that one first.",
            next_url=drive_url(),
            next_label="To my screen",
        )


def reject_offer(
    dispatch: Dispatch,
    *,
    by: User,
    reason: str,
    note: str = "",
    now: datetime | None = None,
    device_at: datetime | None = None,
) -> Dispatch:
    """The driver says no, with a reason; they are not asked about this leg again. The next of a round is."""
    now = now or timezone.now()
    if reason not in RejectReason.values:
        raise Invalid("Please choose a reason.")
    words = f"{RejectReason(reason).label}. {note.strip()}".strip()
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        require_driver(held, by)
        check_stands(held, by, now)
        move(held, DispatchStatus.REJECTED, by=by, now=now, reason=words, device_at=device_at, answered_at=now)
        go_on(held, now)
    return held


# --- Ending ---------------------------------------------------------------------------------------


def revoke_offer(dispatch: Dispatch, *, by: User, reason: str = "", now: datetime | None = None) -> Dispatch:
    """The desk takes an offer back, and asks nobody else of its round."""
    now = now or timezone.now()
    require_desk(by)
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        move(held, DispatchStatus.REVOKED, by=by, now=now, reason=reason.strip())
        end_round(held.leg, now)
    return held


def lapse(dispatch: Dispatch, *, now: datetime | None = None) -> Dispatch:
    """The clock: nobody answered in time. It is no rejection. Raises `Conflict` where it is not due, or was settled."""
    now = now or timezone.now()
    with transaction.atomic():
        held = lock_dispatch(dispatch.pk)
        if held.deadline > now:
            raise moved_on(held, None)
        expire(held, by=None, now=now, reason=UNANSWERED)
    return held


def expire(dispatch: Dispatch, *, by: User | None, now: datetime, reason: str) -> None:
    """A locked offer lapses, and the next of its round is asked."""
    move(dispatch, DispatchStatus.EXPIRED, by=by, now=now, reason=reason)
    go_on(dispatch, now)


def go_on(dispatch: Dispatch, now: datetime) -> None:
    """Ask the next of the round that a declined or lapsed offer belonged to, if it goes on."""
    asking = open_round(dispatch.leg)
    if asking is not None:
        ask_next(asking, dispatch.leg, now=now)
