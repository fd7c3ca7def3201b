"""What the tests of bookings stand on: people, jobs, offers and visits, made through the actions themselves.

The clock stands at NOW, a Tuesday morning in London, winter time. A job is wanted the next afternoon.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import Role, Skill, Technician, User
from bookings import actions
from bookings.models import Bid, Booking, ServiceCategory, Session
from bookings.states import BookingStatus
from common.geo import Point

NOW = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
TOMORROW_NOON = NOW + timedelta(hours=27)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

CAMDEN = Point(51.5390, -0.1426)
GREENWICH = Point(51.4769, -0.0005)
BRIGHTON = Point(50.8225, -0.1372)


def person(name: str, role: str = Role.CUSTOMER, **fields: Any) -> User:
    """A user called `name`."""
    return User.objects.create_user(f"{name.lower()}@example.org", name=f"{name} Test", role=role, **fields)


def skill(slug: str = "plumbing") -> Skill:
    """The trade of that name, made once."""
    return Skill.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize()})[0]


def category(slug: str = "leak", trade: str = "plumbing") -> ServiceCategory:
    """The kind of job of that name, made once."""
    values = {
        "name": slug.capitalize(),
        "skill": skill(trade),
        "usual_minutes": 60,
        "typical_low": Decimal(40),
        "typical_high": Decimal(120),
    }
    return ServiceCategory.objects.get_or_create(slug=slug, defaults=values)[0]


def technician(
    name: str, *trades: str, verified: bool = True, base: Point = CAMDEN, radius_km: int = 15, **fields: Any
) -> User:
    """A technician around Camden who can do plumbing, or `trades`."""
    user = person(name, Role.TECHNICIAN, **fields)
    made = Technician.objects.create(
        user=user,
        base_label="Camden",
        base_latitude=base.latitude,
        base_longitude=base.longitude,
        radius_km=radius_km,
        verified_at=NOW - 30 * DAY if verified else None,
    )
    made.skills.set(skill(trade) for trade in trades or ("plumbing",))
    return user


def typed(**changes: Any) -> dict[str, Any]:
    """What a customer types for a leak in Camden, tomorrow from noon to four."""
    return {
        "category": category(),
        "title": "Kitchen tap leaks",
        "description": "It drips since Sunday.",
        "address_line1": "12 Inverness Street",
        "town": "London",
        "postcode": "NW1 7HJ",
        "area_label": "Camden, NW1",
        "latitude": CAMDEN.latitude,
        "longitude": CAMDEN.longitude,
        "window_start": TOMORROW_NOON,
        "window_end": TOMORROW_NOON + 4 * HOUR,
        "duration_minutes": 60,
        **changes,
    }


def draft(customer: User, *, now: datetime = NOW, **changes: Any) -> Booking:
    """A draft with everything filled in."""
    return actions.save_draft(by=customer, now=now, **typed(**changes))


def job(customer: User, *, now: datetime = NOW, **changes: Any) -> Booking:
    """A placed booking."""
    return actions.open_booking(draft(customer, now=now, **changes), by=customer, now=now)


def offer(booking: Booking, by: User, amount: int | str = 60, *, now: datetime = NOW, **terms: Any) -> Bid:
    """An offer at the start of the window."""
    starts = terms.pop("starts_at", booking.window_start)
    return actions.place_bid(booking, by=by, amount=Decimal(amount), starts_at=starts, now=now, **terms)


def accept(bid: Bid, *, now: datetime = NOW, **options: Any) -> Session:
    """The customer accepts what they see."""
    by = options.pop("by", bid.booking.customer)
    return actions.accept_bid(bid, revision=options.pop("revision", bid.revision), by=by, now=now, **options)


def visit(customer: User, by: User, *, now: datetime = NOW, amount: int | str = 60, **changes: Any) -> Session:
    """A booked visit, nobody there yet."""
    return accept(offer(job(customer, now=now, **changes), by, amount, now=now), now=now)


def waiting(session: Session, *, at: datetime | None = None) -> Session:
    """The technician is at the door."""
    return actions.check_in(session, by=session.technician.user, now=at or session.starts_at)


def live(session: Session, *, at: datetime | None = None) -> Session:
    """The work has begun."""
    at = at or session.starts_at
    return actions.start_session(waiting(session, at=at), by=session.booking.customer, now=at)


def finished(session: Session, *, at: datetime | None = None) -> Session:
    """The work is done, half an hour after its start."""
    at = at or session.starts_at + 30 * MINUTE
    return actions.complete_session(live(session), by=session.technician.user, note="New washer.", now=at)


def fresh(row: Any) -> Any:
    """The row as the database has it now."""
    return type(row).objects.get(pk=row.pk)


def states(row: Any) -> list[str]:
    """The states that the history of `row` says it went through."""
    return [step.to_state for step in row.history.all()]


def picture(
    name: str = "tap.jpg", size: tuple[int, int] = (64, 48), form: str = "JPEG", **options: Any
) -> SimpleUploadedFile:
    """A photo as a browser sends it."""
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **options)
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def in_state(customer: User, by: User, status: str) -> Booking:
    """A booking of `customer` in that state, with `by` as its technician where it has one."""
    makers = {
        BookingStatus.DRAFT: lambda: draft(customer),
        BookingStatus.OPEN: lambda: job(customer),
        BookingStatus.ASSIGNED: lambda: visit(customer, by).booking,
        BookingStatus.IN_PROGRESS: lambda: live(visit(customer, by)).booking,
        BookingStatus.COMPLETED: lambda: finished(visit(customer, by)).booking,
        BookingStatus.CANCELLED: lambda: actions.cancel_booking(job(customer), by=customer, reason="mistake", now=NOW),
    }
    return fresh(makers[BookingStatus(status)]())
