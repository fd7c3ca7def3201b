"""The banner: one line a person that merges the machines (ui.md), derived for many people at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q
from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings.links import url
from bookings.models import Bid, Booking, Session
from bookings.rules.words import clock_time, offers, rank, span, worked_time
from bookings.states import ACTIVE_BOOKING, ACTIVE_SESSION, BookingStatus, SessionStatus
from common.geo import Point, distance_km
from common.money import Money

LAST = 9  # the rank of what is over


@dataclass(frozen=True)
class Banner:
    """One line. `clock_from` is set while the work clock runs: the page counts on from there by itself."""

    text: str
    tone: str  # quiet, info, accent, wait, good: the tones of the tokens
    icon: str
    url_args: tuple[int, ...]
    title: str  # of the job it is about
    url_name: str = "bookings:job"
    announce: str = "status"  # the ARIA role under which a change is read out
    clock_from: datetime | None = None
    rank: int = LAST  # what lies over it must be as urgent: see `lay_over`
    template: str = ""  # of an app above, for a line that is more than its text

    @property
    def url(self) -> str:
        """Where the line leads."""
        return url(self.url_name, *self.url_args)

    def full_text(self, now: datetime) -> str:
        """The line with its clock: Work in progress, 00:32."""
        return f"{self.text}, {worked_time(now - self.clock_from)}" if self.clock_from else self.text


Layer = Callable[[Mapping[str, list[int]], datetime], Mapping[int, Banner]]
_layers: list[Layer] = []


def lay_over(layer: Layer) -> None:
    """Have an app above lay its lines over ours: `layer(ids by role, now)` returns the lines of those who have one.

    Whichever is more urgent (of the lower rank) is shown; of equals the one that lies above. The layer asks the
    database a number of times that does not grow with the people.
    """
    _layers.append(layer)


def banner_for(user: User, now: datetime | None = None) -> Banner | None:
    """The line of one person, or None when nothing is going on."""
    return banners_for({user.pk: user.role} if user.is_active else {}, now).get(user.pk)


def banners_for(people: Mapping[int, str], now: datetime | None = None) -> dict[int, Banner]:
    """The lines of many people (id: role); who has none is missing. The number of queries does not grow with theirs."""
    now = now or timezone.now()
    roles: dict[str, list[int]] = defaultdict(list)
    for pk, role in people.items():
        roles[role].append(pk)
    lines: dict[int, Banner] = {}
    if customers := roles[Role.CUSTOMER]:
        lines |= customer_lines(customers, now)
    if technicians := roles[Role.TECHNICIAN]:
        lines |= technician_lines(technicians, now)
    for layer in _layers:
        lines |= {pk: line for pk, line in layer(roles, now).items() if pk not in lines or line.rank <= lines[pk].rank}
    return lines


# --- customers ------------------------------------------------------------------------------------


def customer_lines(user_ids: list[int], now: datetime) -> dict[int, Banner]:
    """The line of each customer: the most urgent of their bookings."""
    visits = Session.objects.filter(status__in=(*ACTIVE_SESSION, SessionStatus.COMPLETED)).select_related(
        "technician__user"
    )
    shown = Q(status__in=ACTIVE_BOOKING) | Q(status=BookingStatus.COMPLETED, put_away_at__isnull=True)
    bookings = Booking.objects.filter(shown, customer_id__in=user_ids).with_bids()
    best: dict[int, Booking] = {}
    for booking in bookings.prefetch_related(Prefetch("sessions", visits, to_attr="visits")):
        other = best.get(booking.customer_id)
        if other is None or urgency(booking) < urgency(other):
            best[booking.customer_id] = booking
    return {pk: customer_line(booking, now) for pk, booking in best.items()}


def visit_of(booking: Any) -> Session | None:
    """The visit that `customer_lines` fetched with a booking."""
    return booking.visits[-1] if booking.visits else None


def urgency(booking: Any) -> tuple[int, float]:
    """Sorts a customer's bookings: somebody at work or at the door, somebody coming, offers, waiting, finished."""
    session = visit_of(booking)
    if session is not None and booking.status != BookingStatus.OPEN:
        order = session_order(session)
        return order, session.starts_at.timestamp() * (-1 if order == LAST else 1)
    return (3 if booking.bid_count else 4), -(booking.placed_at or booking.created_at).timestamp()


COMING = 2  # the rank of somebody who comes
SESSION_ORDER = {
    SessionStatus.LIVE: 0,
    SessionStatus.PAUSED: 0,
    SessionStatus.WAITING: 1,
    SessionStatus.PENDING: COMING,
    SessionStatus.COMPLETED: LAST,
}


def session_order(session: Session) -> int:
    """How urgent a visit is, for either side."""
    return SESSION_ORDER[SessionStatus(session.status)]


def customer_line(booking: Any, now: datetime) -> Banner:
    """What the customer reads about one booking."""
    to, title = (booking.pk,), booking.title
    session = visit_of(booking)
    if booking.status == BookingStatus.OPEN or session is None:
        if not booking.bid_count:
            return Banner("Finding technicians", "info", "search", to, title)
        best = Money(booking.best_amount, booking.currency)
        return Banner(f"{offers(booking.bid_count)}, best {best}", "accent", "send", to, title)
    name = session.technician.user.first_name
    if session.status == SessionStatus.PENDING:
        when = span(session.starts_at, session.ends_at, booking.zone, now=now)
        return Banner(f"{name} is coming, {when}", "info", "calendar-check", to, title, rank=COMING)
    if session.status == SessionStatus.WAITING:
        return Banner(f"{name} is at your door, code {session.start_code}", "wait", "door-open", to, title, rank=1)
    return work_line(session, "Work in progress", "Work paused", now)


def work_line(session: Session, working: str, paused: str, now: datetime) -> Banner:
    """The line of a visit whose clock runs, rests or has stopped."""
    to, title = (session.booking_id,), session.booking.title
    if session.status == SessionStatus.LIVE:
        return Banner(working, "accent", "circle-play", to, title, clock_from=session.clock_from, rank=0)
    if session.status == SessionStatus.PAUSED:
        return Banner(f"{paused}, {worked_time(session.worked(now))}", "wait", "circle-pause", to, title, rank=0)
    return Banner("Finished", "good", "circle-check", to, title)


# --- technicians ----------------------------------------------------------------------------------


def technician_lines(user_ids: list[int], now: datetime) -> dict[int, Banner]:
    """The line of each technician: their visit, else their offer, else a new job nearby, else what is finished."""
    visits = technician_visits(user_ids)
    under_way = {pk: visit_line(session, now) for pk, session in visits.items() if session.is_active}
    rest = [pk for pk in user_ids if pk not in under_way]
    finished = {pk: visit_line(session, now) for pk, session in visits.items() if not session.is_active}
    return finished | new_job_lines(rest, now) | offer_lines(rest) | under_way


def technician_visits(user_ids: list[int]) -> dict[int, Session]:
    """Of each technician the most urgent visit that is not put away."""
    shown = Q(status__in=ACTIVE_SESSION) | Q(status=SessionStatus.COMPLETED, booking__put_away_at__isnull=True)
    rows = Session.objects.filter(shown, technician_id__in=user_ids).select_related("booking").order_by("starts_at")
    best: dict[int, Session] = {}
    for session in rows:
        other = best.get(session.technician_id)
        if other is None or session_order(session) < session_order(other):
            best[session.technician_id] = session
    return best


def visit_line(session: Session, now: datetime) -> Banner:
    """What the technician reads about one visit."""
    to, title = (session.booking_id,), session.booking.title
    if session.status == SessionStatus.PENDING:
        zone = session.booking.zone
        today = session.leave_by.astimezone(zone).date() == now.astimezone(zone).date()
        day = "" if today else f"{session.leave_by.astimezone(zone):%a} "
        return Banner(f"Leave by {day}{clock_time(session.leave_by, zone)}", "info", "clock", to, title, rank=COMING)
    if session.status == SessionStatus.WAITING:
        return Banner("Ask for the code", "wait", "door-open", to, title, rank=1)
    return work_line(session, "Working", "Paused", now)


def offer_lines(user_ids: list[int]) -> dict[int, Banner]:
    """Where each technician's latest standing offer ranks among those of its job."""
    if not user_ids:
        return {}
    jobs = Booking.objects.filter(
        status=BookingStatus.OPEN, bids__in=Bid.objects.standing().filter(technician_id__in=user_ids)
    )
    wanted = set(user_ids)
    amounts: dict[int, list[Any]] = defaultdict(list)
    latest: dict[int, Bid] = {}
    for bid in Bid.objects.standing().filter(booking__in=jobs).select_related("booking").order_by("revised_at", "pk"):
        amounts[bid.booking_id].append(bid.amount)
        if bid.technician_id in wanted:
            latest[bid.technician_id] = bid
    return {
        pk: Banner(
            f"Your offer: {rank(bid.amount, amounts[bid.booking_id])}",
            "info",
            "send",
            (bid.booking_id,),
            bid.booking.title,
        )
        for pk, bid in latest.items()
    }


def new_job_lines(user_ids: list[int], now: datetime) -> dict[int, Banner]:
    """For each technician the newest open job within their radius and skills that nobody has bid on."""
    if not user_ids:
        return {}
    unwanted = Booking.objects.open_for_bids(now).exclude(bids__in=Bid.objects.standing())
    newest = unwanted.order_by("-placed_at", "-pk")
    jobs: list[tuple[int, str, int, Any, Any]] = list(
        newest.values_list("pk", "title", "category__skill_id", "area_latitude", "area_longitude")
    )
    if not jobs:
        return {}
    seen = set(
        Bid.objects.filter(technician_id__in=user_ids, booking__in=unwanted).values_list("technician", "booking")
    )
    lines: dict[int, Banner] = {}
    for technician in Technician.objects.filter(pk__in=user_ids).prefetch_related("skills"):
        skills = {skill.pk for skill in technician.skills.all()}
        base = Point(technician.base_latitude, technician.base_longitude)
        for pk, title, skill, latitude, longitude in jobs:
            known = skill not in skills or (technician.pk, pk) in seen
            if not known and distance_km(base, Point(latitude, longitude)) <= technician.radius_km:
                lines[technician.pk] = Banner("New job near you", "accent", "map-pin", (pk,), title)
                break
    return lines
