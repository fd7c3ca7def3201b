"""The banner: one line a person on every page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Role, Technician, User
from bookings import banner
from bookings.live.people import bookings_showing, customer_of
from bookings.models import Bid, Booking, RescheduleProposal, Session
from bookings.near import technicians_near
from bookings.states import ACTIVE_SESSION, BookingStatus, SessionStatus
from realtime.fragments import Fragment, site_wide, watch
from realtime.topics import user_topic

Place = tuple[str, str]


@dataclass(frozen=True)
class Strip:
    """What stands at the top of a person's pages. It is there, empty, for those with nothing going on too:
    a page follows the topics of what it shows."""

    user_id: int
    line: banner.Banner | None

    @property
    def worked(self) -> float:
        """The seconds on the running work clock; the page counts on by itself."""
        since = self.line.clock_from if self.line else None
        return (timezone.now() - since).total_seconds() if since else 0


def load_strips(keys: Sequence[str]) -> Mapping[str, Strip]:
    """The strips of many people, in a number of queries that does not grow with theirs."""
    wanted = [int(key) for key in keys]
    people = dict(User.objects.filter(pk__in=wanted, is_active=True, role__in=WITH_BANNER).values_list("pk", "role"))
    return strips_of(people)


def strips_of(people: Mapping[int, str]) -> Mapping[str, Strip]:
    """The strips of people whose roles are known, by id."""
    lines = banner.banners_for(people)
    return {str(pk): Strip(pk, lines.get(pk)) for pk in people}


WITH_BANNER = (Role.CUSTOMER, Role.TECHNICIAN)


# --- Whose banner a change moves ------------------------------------------------------------------


def places(user_ids: Iterable[int]) -> Iterator[Place]:
    """The (topic, key) pairs of people's banners."""
    return ((user_topic(pk), str(pk)) for pk in set(user_ids))


def by_booking(booking: Booking) -> Iterator[Place]:
    """Its customer; while open, those who made an offer and, while nobody did, those near; then who has the visit."""
    if booking.status == BookingStatus.DRAFT:
        return
    yield from places([booking.customer_id])
    if booking.status == BookingStatus.OPEN:
        bidders = list(Bid.objects.standing().filter(booking=booking.pk).values_list("technician_id", flat=True))
        yield from places(bidders or technicians_near(booking))
    else:
        rows = Session.objects.filter(booking=booking.pk, status__in=(*ACTIVE_SESSION, SessionStatus.COMPLETED))
        yield from places(rows.values_list("technician_id", flat=True))


def by_bid(bid: Bid) -> Iterator[Place]:
    """The customer, its technician, and those it competes with: their ranks move. The first offer on a job
    takes "New job near you" from everybody else, and the last one withdrawn brings it back."""
    yield from places([bid.technician_id, customer_of(bid)])
    rivals = Bid.objects.standing().filter(booking=bid.booking_id).exclude(pk=bid.pk)
    others = list(rivals.values_list("technician_id", flat=True))
    yield from places(others if others or bid.booking.status != BookingStatus.OPEN else technicians_near(bid.booking))


def by_session(session: Session) -> Iterator[Place]:
    """The two sides of a visit."""
    return places([session.technician_id, customer_of(session)])


def by_proposal(proposal: RescheduleProposal) -> Iterator[Place]:
    """The two sides of the visit that is to be moved."""
    return by_session(proposal.session)


def by_user(user: User) -> Iterator[Place]:
    """The person, and the customers who read a technician's name."""
    yield from places([user.pk])
    if user.role == Role.TECHNICIAN:
        shown = Booking.objects.filter(pk__in=list(bookings_showing(user)))
        yield from places(shown.values_list("customer_id", flat=True))


def by_technician(technician: Technician) -> Iterator[Place]:
    """The technician: another base, radius or skill brings other jobs near."""
    return places([technician.pk])


strips = Fragment(
    "bookings.banner",
    template="bookings/_banner.html",
    load=load_strips,
    topics=lambda strip: [user_topic(strip.user_id)],
    watches=[
        watch(Booking, remember=("status", "customer_id"), touches=by_booking),
        watch(Bid, touches=by_bid),
        watch(Session, touches=by_session),
        watch(RescheduleProposal, touches=by_proposal),
        watch(User, fields=("name", "role", "is_active"), touches=by_user),
        watch(Technician, touches=by_technician),
    ],
)


def key_of(user: User) -> str | None:
    """Customers and technicians have a banner."""
    return str(user.pk) if user.role in WITH_BANNER else None


site_wide(
    strips,
    key=key_of,
    topic=lambda user: user_topic(user.pk),
    thing=lambda user: strips_of({user.pk: user.role})[str(user.pk)],
)
