"""The demo's disputes: one that the desk has not looked at yet, one that awaits an answer, one that is decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bookings.actions.disputes import answer_dispute, open_dispute, resolve_dispute, take_on
from bookings.models import Booking, Dispute, Session
from bookings.states import BookingStatus, DisputeOutcome, DisputeReason, DisputeStatus, SessionStatus
from demo.cast import ADMINS, DOMAIN, SIMULATED_EMAILS
from demo.history import Teller
from demo.sheets import damp_floor

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
YOUNG = 13 * DAY  # a job that ended longer ago cannot be disputed
SAME_AGAIN = (
    "It worked when the technician left. The next morning the same trouble was back, and nobody answered when I rang."
)


def tell_quarrels(teller: Teller) -> None:
    """The three, where their jobs were told."""
    tell_decided(teller)
    tell_awaited(teller)
    tell_open(teller)


def job_of(customer: str, **more: str) -> Booking | None:
    """The last job of a customer of the cast that is like that, and not disputed."""
    rows = Booking.objects.filter(customer__email=f"{customer}@{DOMAIN}", disputes__isnull=True, **more)
    return rows.select_related("customer").order_by("pk").last()


def tell_decided(teller: Teller) -> None:
    """Daniel waited inside while the locksmith rang at another door; the desk shared the fee between them."""
    job = job_of("daniel.osei", status=BookingStatus.NO_SHOW)
    if job is None:
        return
    olivia, yusuf = teller.people[ADMINS[0].email], teller.people[f"yusuf.demir@{DOMAIN}"]
    began = teller.now - 7 * DAY + 2 * HOUR
    dispute = open_dispute(
        job,
        by=job.customer,
        reason=DisputeReason.NOT_THERE,
        statement="I was at home all the time and heard no bell. I am to pay although I waited for him.",
        wanted="The fee back.",
        now=began,
    )
    take_on(dispute, by=olivia, now=began + 40 * MINUTE)
    words = "I rang at flat 4 for a quarter of an hour and called twice. The job says 4a, I only saw that later."
    answer_dispute(dispute, by=yusuf, answer=words, now=began + 20 * HOUR)
    decision = (
        "Mr Demir rang at the wrong door; the bell of the right one is broken and the job did not say so. "
        "Each bears a part: Mr Osei gets £20 back."
    )
    shared = DisputeOutcome.SHARED
    resolve_dispute(dispute, by=olivia, outcome=shared, decision=decision, amount=Decimal(20), now=began + 26 * HOUR)


def tell_awaited(teller: Teller) -> None:
    """Joanna's radiator drips again; Anna is asked for her side."""
    job = job_of("joanna.kowalska", status=BookingStatus.COMPLETED, category__slug="radiators")
    if job is None or not is_young(teller, job):
        return
    words = "A radiator drips at the valve since yesterday morning, and the floor below it is swelling. See the photo."
    dispute = open_dispute(
        job,
        by=job.customer,
        reason=DisputeReason.QUALITY,
        statement=words,
        wanted="The valve put right without another bill.",
        files=[damp_floor()],
        now=teller.now - 23 * HOUR,
    )
    take_on(dispute, by=teller.people[ADMINS[0].email], now=teller.now - 21 * HOUR)


def tell_open(teller: Teller) -> None:
    """Rafael came home a moment after Tariq had left. Tariq reads of it once the desk asks him."""
    job = job_of("rafael.costa", status=BookingStatus.NO_SHOW)
    if job is None:
        return
    open_dispute(
        job,
        by=job.customer,
        reason=DisputeReason.NOT_THERE,
        statement=(
            "My train stood still and I was twenty minutes late. I had written that to the wrong number, that is my "
            "mistake. But the whole fee for twenty minutes is too much; he was two streets away when I rang him."
        ),
        wanted="Half of the fee back.",
        now=teller.now - 35 * MINUTE,
    )


def is_young(teller: Teller, job: Booking) -> bool:
    """Whether it can still be disputed."""
    return job.sessions.filter(finished_at__gt=teller.now - YOUNG).exists()


def keep_open(teller: Teller) -> None:
    """A simulated customer disputes a job of the last days, unless a dispute waits for the desk."""
    if Dispute.objects.filter(status__in=(DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW)).exists():
        return
    visits = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__gt=teller.now - YOUNG)
    visits = visits.filter(finished_at__lt=teller.now - HOUR, booking__disputes__isnull=True)
    visits = visits.filter(
        booking__status=BookingStatus.COMPLETED,
        booking__customer__email__in=SIMULATED_EMAILS,
        technician__user__email__in=SIMULATED_EMAILS,
    )
    visit = visits.select_related("booking__customer").order_by("-finished_at", "-pk").first()
    if visit is not None:
        by, at = visit.booking.customer, teller.now - 25 * MINUTE
        open_dispute(visit.booking, by=by, reason=DisputeReason.QUALITY, statement=SAME_AGAIN, now=at)
