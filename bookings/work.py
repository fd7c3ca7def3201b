"""What a technician's pages show: a job that takes offers, an offer with the visit it won, the day.

Everything is loaded for many keys at once, with a number of queries that does not grow with theirs. The exact
address and the phone number are in a `Work` only while `contact_open` says so (rule 9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q
from django.utils import timezone

from accounts.models import Role, Technician
from bookings.links import url
from bookings.models import Bid, Booking, ContactAttempt, RescheduleProposal, Session
from bookings.rules.numbers import minutes
from bookings.rules.steps import Step, next_action
from bookings.rules.words import rank
from bookings.states import ACTIVE_SESSION, BidStatus, BookingStatus, Party, ProposalStatus, SessionStatus
from common.geo import Point, distance_km

SIMILAR_KM = 5.0  # how near a job is that a page calls similar and nearby
MOST_OFFERS, MOST_LATER = 20, 10
# At the door it is the technician's turn to type the code; the customer's tap has a page of its own.
STEP_PAGES = {"start_session": "bookings:enter_code"}


def whole(keys: Iterable[str]) -> list[int]:
    """Keys of fragments as ids; what is no number is nobody's key."""
    return [int(key) for key in keys if key.isdecimal()]


# --- A job on the market --------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenJob:
    """A job as every technician may see it, or the sentence on why it is gone."""

    booking: Any  # with `offer_count`
    similar: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it takes offers."""
        return bool(self.booking.status == BookingStatus.OPEN)

    @property
    def gone(self) -> str:
        """Why it takes no more offers, and what else there is."""
        if self.booking.status == BookingStatus.CANCELLED:
            who = "The customer" if self.booking.cancelled_by_id == self.booking.customer_id else "The desk"
            return f"{who} called this job off a moment ago. {self.others}"
        if self.booking.status == BookingStatus.EXPIRED:
            return f"Nobody was chosen in time: this job is closed. {self.others}"
        return f"Taken by another technician a moment ago. {self.others}"

    @property
    def others(self) -> str:
        """3 similar jobs nearby."""
        if not self.similar:
            return "See what else is open."
        return f"{self.similar} similar job{'' if self.similar == 1 else 's'} nearby."


def load_open_jobs(keys: Sequence[str]) -> Mapping[str, OpenJob]:
    """Placed jobs by key. The description, the photos and the area of one that is gone are not in its template."""
    offers = Count("bids", filter=Q(bids__status=BidStatus.SUBMITTED), distinct=True)
    rows = Booking.objects.for_lists().filter(pk__in=whole(keys)).exclude(status=BookingStatus.DRAFT)
    jobs = list(rows.prefetch_related("photos").annotate(offer_count=offers))
    gone = [job for job in jobs if job.status != BookingStatus.OPEN]
    similar = similar_jobs(gone)
    return {str(job.pk): OpenJob(job, similar.get(job.pk, 0)) for job in jobs}


def similar_jobs(gone: Sequence[Booking]) -> dict[int, int]:
    """For each job how many open ones of its kind lie nearby, counted from the rounded points."""
    if not gone:
        return {}
    kinds = {job.category_id for job in gone}
    rows = Booking.objects.open_for_bids().filter(category__in=kinds)
    places: dict[Any, list[Point]] = defaultdict(list)
    for kind, latitude, longitude in rows.values_list("category", "area_latitude", "area_longitude"):
        places[kind].append(Point(latitude or 0.0, longitude or 0.0))
    return {
        job.pk: sum(distance_km(job.public_point, place) <= SIMILAR_KM for place in places[job.category_id])
        for job in gone
        if job.public_point
    }


# --- An offer, and the visit it won ---------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """One line of a timeline. `tone` is done, now or bad."""

    at: datetime
    what: str
    why: str = ""
    tone: str = "done"


@dataclass(frozen=True)
class Work:
    """A technician's offer on a job and, once it won, their visit."""

    bid: Bid
    session: Session | None = None
    rank: str = ""
    proposal: RescheduleProposal | None = None
    attempts: Sequence[ContactAttempt] = field(default_factory=list)

    @property
    def booking(self) -> Booking:
        """The job."""
        return self.bid.booking

    @property
    def visit(self) -> Session:
        """The visit of an offer that won."""
        if self.session is None:
            raise ValueError("This offer has no visit.")
        return self.session

    @property
    def state(self) -> str:
        """The state that the page is about: the visit's once there is one, else the offer's."""
        if self.session is not None and self.bid.status == BidStatus.ACCEPTED:
            return self.session.status
        return self.bid.status

    @property
    def kind(self) -> str:
        """Whose state it is, for `status_chip`."""
        return "session" if self.session is not None and self.bid.status == BidStatus.ACCEPTED else "bid"

    @property
    def contact_open(self) -> bool:
        """Whether its technician may know the address and the phone number now; see `access.CONTACT_OPEN`."""
        if self.session is None:
            return False
        finished = self.session.status == SessionStatus.COMPLETED and self.booking.put_away_at is None
        return finished or self.session.status in ACTIVE_SESSION

    @property
    def can_offer_again(self) -> bool:
        """Whether the job is open and the offer may return as a new revision."""
        return self.bid.may_return and self.booking.status == BookingStatus.OPEN

    @property
    def step(self) -> Step | None:
        """The one button: the next transition that is the technician's."""
        return next_action(self.session, Party.TECHNICIAN) if self.session else None

    @property
    def step_url(self) -> str:
        """Where the one button leads."""
        if self.step is None or self.session is None:
            return ""
        return url(STEP_PAGES.get(self.step.verb, self.step.url_name), self.session.pk)

    @property
    def theirs_to_answer(self) -> bool:
        """Whether the customer asks to move the visit."""
        return self.proposal is not None and self.proposal.party == Party.CUSTOMER

    @property
    def running(self) -> float:
        """The seconds on the work clock; the page counts on by itself while it runs."""
        return self.session.worked(timezone.now()).total_seconds() if self.session else 0

    @property
    def no_show_from(self) -> datetime | None:
        """When the technician at the door may report that nobody is there, a contact attempt given."""
        session = self.session
        if session is None or session.checked_in_at is None or session.status != SessionStatus.WAITING:
            return None
        return max(session.checked_in_at, session.starts_at) + minutes("NO_SHOW_WAIT_MINUTES")

    @property
    def tried(self) -> bool:
        """Whether the technician has tried to reach the customer since arriving."""
        if self.session is None or self.session.checked_in_at is None:
            return False
        since = self.session.tried_from
        return any(each.at >= since for each in self.attempts if each.party == Party.TECHNICIAN)


def load_works(keys: Sequence[str]) -> Mapping[str, Work]:
    """Offers by key, with their visits, ranks and open proposals."""
    bids = list(work_rows().filter(pk__in=whole(keys)))
    amounts = standing_amounts(bid.booking_id for bid in bids if bid.status == BidStatus.SUBMITTED)
    return {str(bid.pk): work_of(bid, amounts) for bid in bids}


def work_rows() -> Any:
    """Offers with all that `work_of` reads."""
    standing = RescheduleProposal.objects.filter(status=ProposalStatus.PROPOSED)
    visits = Session.objects.select_related("completion").prefetch_related(
        Prefetch("proposals", standing, to_attr="standing"),
        "contact_attempts",
        "completion__photos",
    )
    return Bid.objects.select_related(
        "booking__category__skill", "booking__customer", "technician__user"
    ).prefetch_related(Prefetch("sessions", visits, to_attr="visits"))


def work_of(bid: Any, amounts: Mapping[int, list[Decimal]] | None = None) -> Work:
    """One offer out of `work_rows`; ranked where `amounts` says what else stands."""
    session = bid.visits[-1] if bid.visits else None
    if session is not None:
        session.booking, session.bid = bid.booking, bid
    return Work(
        bid=bid,
        session=session,
        rank=rank(bid.amount, amounts[bid.booking_id]) if amounts and bid.booking_id in amounts else "",
        proposal=next(iter(session.standing), None) if session else None,
        attempts=list(session.contact_attempts.all()) if session else [],
    )


def standing_amounts(booking_ids: Iterable[int]) -> Mapping[int, list[Decimal]]:
    """The amounts of the offers that may still win, by job."""
    amounts: dict[int, list[Decimal]] = defaultdict(list)
    if wanted := set(booking_ids):
        rows = Bid.objects.standing().filter(booking__in=wanted).values_list("booking", "amount")
        for booking_id, amount in rows:
            amounts[booking_id].append(amount)
    return amounts


def load_jobs(keys: Sequence[str]) -> Mapping[str, Work]:
    """Offers by key, with the pictures of their jobs, without what is asked and answered about the visit."""
    visits = Prefetch("sessions", Session.objects.all(), to_attr="visits")
    rows = Bid.objects.select_related("booking__category__skill", "booking__customer")
    found: Any = rows.filter(pk__in=whole(keys)).prefetch_related(visits, "booking__photos")
    return {str(bid.pk): Work(bid, next(iter(reversed(bid.visits)), None)) for bid in found}


def load_places(keys: Sequence[str]) -> Mapping[str, Work]:
    """The won ones among the offers: only of these may the technician see where it is and whom to call."""
    return {key: work for key, work in load_jobs(keys).items() if work.contact_open}


# --- What happened --------------------------------------------------------------------------------

BID_WORDS = {
    BidStatus.SUBMITTED: "You made an offer",
    BidStatus.ACCEPTED: "The customer chose you",
    BidStatus.REJECTED: "The customer declined",
    BidStatus.WITHDRAWN: "Offer withdrawn",
    BidStatus.EXPIRED: "Offer lapsed",
    BidStatus.NOT_SELECTED: "Another offer was chosen",
    BidStatus.CLOSED: "The job closed",
    BidStatus.RELEASED: "You withdrew from the job",
}
SESSION_WORDS = {
    SessionStatus.PENDING: "Moved to another time",
    SessionStatus.WAITING: "You arrived",
    SessionStatus.LIVE: "Work began",
    SessionStatus.PAUSED: "Paused",
    SessionStatus.COMPLETED: "Finished",
    SessionStatus.CANCELLED: "Visit cancelled",
    SessionStatus.NO_SHOW: "No-show",
}
BAD = {BidStatus.REJECTED, BidStatus.RELEASED, SessionStatus.CANCELLED, SessionStatus.NO_SHOW}


@dataclass(frozen=True)
class Log:
    """What happened to an offer and its visit, and what was done there."""

    bid: Bid
    moments: Sequence[Moment]


def load_logs(keys: Sequence[str]) -> Mapping[str, Log]:
    """Timelines by the key of their offer."""
    rows = Bid.objects.select_related("booking").prefetch_related("history", "sessions__history")
    return {str(bid.pk): Log(bid, moments_of(bid)) for bid in rows.filter(pk__in=whole(keys))}


def moments_of(bid: Bid) -> list[Moment]:
    """The lines of one timeline, oldest first."""
    lines = [bid_moment(row) for row in bid.history.all()]
    for session in bid.sessions.all():
        lines += [session_moment(row) for row in session.history.all() if row.from_state]
    return sorted(lines, key=lambda line: line.at)


BY_DESK = {
    BidStatus.SUBMITTED: "The desk set the price and the time",
    BidStatus.ACCEPTED: "The desk gave you the job",
    BidStatus.REJECTED: "The desk declined",
    BidStatus.WITHDRAWN: "The desk withdrew your offer",
    BidStatus.RELEASED: "The desk took the job back",
}


def bid_moment(row: Any) -> Moment:
    """A transition of the offer in words."""
    what = BID_WORDS[BidStatus(row.to_state)]
    if row.actor_role == Role.ADMIN:
        what = BY_DESK.get(BidStatus(row.to_state), what)
    elif row.to_state == BidStatus.SUBMITTED and row.from_state:
        what = "You changed your offer" if row.from_state == row.to_state else "You offered again"
    why = "" if row.to_state in (BidStatus.SUBMITTED, BidStatus.ACCEPTED, BidStatus.NOT_SELECTED) else row.reason
    return Moment(row.at, what, why, "bad" if row.to_state in BAD else "done")


def session_moment(row: Any) -> Moment:
    """A transition of the visit in words."""
    what = SESSION_WORDS[SessionStatus(row.to_state)]
    if row.from_state == SessionStatus.PAUSED and row.to_state == SessionStatus.LIVE:
        what = "Work went on"
    return Moment(row.at, what, row.reason, "bad" if row.to_state in BAD else "done")


# --- The day --------------------------------------------------------------------------------------

URGENCY = {SessionStatus.LIVE: 0, SessionStatus.PAUSED: 0, SessionStatus.WAITING: 1, SessionStatus.PENDING: 2}
CALLED_OFF = (SessionStatus.CANCELLED, SessionStatus.NO_SHOW)


@dataclass(frozen=True)
class Day:
    """A technician's day: the visit it is about now, the others in order, what comes later, offers that wait."""

    technician: Technician
    on: date
    visits: Sequence[Work] = ()
    later: Sequence[Work] = ()
    offers: Sequence[Work] = ()

    @property
    def planned(self) -> int:
        """How many visits the day has, without those called off."""
        return sum(work.state not in CALLED_OFF for work in self.visits)

    @property
    def finished(self) -> int:
        """How many of them are done."""
        return sum(work.state == SessionStatus.COMPLETED for work in self.visits)

    @property
    def current(self) -> Work | None:
        """The visit it is about now: at work, at the door, else the next one."""
        active = [work for work in (*self.visits, *self.later) if work.session and work.session.is_active]
        return min(active, key=urgency, default=None)

    @property
    def others(self) -> list[Work]:
        """The day's visits, the current one aside."""
        return [work for work in self.visits if work is not self.current]

    @property
    def after(self) -> list[Work]:
        """The later visits, the current one aside."""
        return [work for work in self.later if work is not self.current]


def urgency(work: Work) -> tuple[int, datetime]:
    """Sorts active visits: at work, at the door, then by their start."""
    session = work.visit
    return URGENCY[SessionStatus(session.status)], session.starts_at


def load_days(keys: Sequence[str], now: datetime | None = None) -> Mapping[str, Day]:
    """The days of technicians, in each one's own zone."""
    now = now or timezone.now()
    people = list(Technician.objects.select_related("user").filter(pk__in=whole(keys)))
    won: dict[int, list[Work]] = defaultdict(list)
    waiting: dict[int, list[Work]] = defaultdict(list)
    wanted = Bid.objects.filter(day_rows(now), technician__in=people).values("pk")
    for bid in work_rows().filter(pk__in=wanted):
        work = work_of(bid)
        (waiting if work.session is None else won)[bid.technician_id].append(work)
    return {str(each.pk): day_of(each, won[each.pk], waiting[each.pk], now) for each in people}


def day_rows(now: datetime) -> Q:
    """Standing offers, active visits, and those that ended about today (any zone's today)."""
    around = Q(sessions__starts_at__range=(now - timedelta(hours=36), now + timedelta(hours=36)))
    standing = Q(status=BidStatus.SUBMITTED, booking__status=BookingStatus.OPEN)
    return standing | Q(sessions__status__in=ACTIVE_SESSION) | around


def day_of(technician: Technician, won: list[Work], waiting: list[Work], now: datetime) -> Day:
    """Sort one technician's visits into today's and later ones."""
    zone = ZoneInfo(technician.user.time_zone)
    today = now.astimezone(zone).date()
    visits, later = [], []
    for work in sorted(won, key=lambda work: work.visit.starts_at):
        on = work.visit.starts_at.astimezone(zone).date()
        if on == today or (on < today and work.visit.is_active):
            visits.append(work)
        elif on > today and work.visit.is_active:
            later.append(work)
    offers = sorted(waiting, key=lambda work: work.bid.starts_at)[:MOST_OFFERS]
    return Day(technician, today, visits, later[:MOST_LATER], offers)
