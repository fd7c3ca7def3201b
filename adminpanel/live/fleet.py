"""What moves by itself on the desk's pages about the road. Positions come apart, in batches: tracking's `fleet`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import desk
from accounts.models import Role, User
from adminpanel.fleet import days, drivers, legs
from bookings.models import Booking
from realtime.fragments import Fragment, Watch, before_touches, watch
from realtime.models import LastSeen, Presence
from realtime.topics import Topic
from tracking.models import Dispatch, Driver, Journey, Leg, OfferRound, Shift
from tracking.states import DispatchStatus
from tracking.topics import dispatch_topic

Place = tuple[str, str]

leg_topic = Topic("desk.leg.{leg_id}", users=lambda user_ids, leg_id: desk(user_ids))
driver_topic = Topic("desk.driver.{driver_id}", users=lambda user_ids, driver_id: desk(user_ids))


# --- Drivers --------------------------------------------------------------------------------------


def find_drivers(rows: list[Presence | LastSeen]) -> None:
    """Note with pages that came or went whose they are, where it is a driver, and the legs that these were offered:
    queued now, or not any more. Two queries for any number of pages: after a restart everybody comes back at once.
    """
    ids = {int(row.principal) for row in rows if row.kind == "user"}
    drivers = set(User.objects.filter(pk__in=ids, role=Role.DRIVER).values_list("pk", flat=True))
    asked: dict[int, list[int]] = {pk: [] for pk in drivers}
    offers = Dispatch.objects.filter(driver__in=drivers, status=DispatchStatus.OFFERED)
    for driver_id, leg_id in offers.values_list("driver_id", "leg_id"):
        asked[driver_id].append(leg_id)
    for row in rows:
        pk = int(row.principal) if row.kind == "user" else 0
        row.__dict__["_drivers"] = [pk] if pk in drivers else []
        row.__dict__["_asked"] = asked.get(pk, [])


before_touches([Presence, LastSeen], find_drivers)


def driver_of(row: Presence | LastSeen) -> list[int]:
    """The driver whose page came or went; nobody for other roles."""
    found: list[int] = row.__dict__["_drivers"]
    return found


def self_if_driver(user: User) -> list[int]:
    """A person who drives."""
    return [user.pk] if user.role == Role.DRIVER else []


def facts_of_drivers(place: Callable[[int], Place], journey: Sequence[str] = ("closed_at",)) -> list[Watch]:
    """Watches of all that shows on a driver; `place` says where one stands. Not of positions: several hundred
    come a second, in tracking's `fleet`, and the page writes them into the rows itself. `journey` names what of a
    journey shows: the minutes left change too often for a list of everybody.

    Technicians travel too: what they touch is no driver, and comes to nothing.
    """

    def at(find: Callable[[Any], Iterable[int]]) -> Callable[[Any], list[Place]]:
        return lambda row: [place(pk) for pk in find(row)]

    return [
        watch(User, fields=("name", "role", "is_active"), touches=at(self_if_driver)),
        watch(Driver, touches=at(lambda driver: [driver.pk])),
        watch(Shift, touches=at(lambda shift: [shift.user_id])),
        watch(Dispatch, touches=at(lambda dispatch: [dispatch.driver_id])),
        watch(Journey, fields=journey, touches=at(lambda journey: [journey.traveller_id])),
        watch(Presence, touches=at(driver_of)),
        watch(LastSeen, touches=at(driver_of)),
    ]


driver = Fragment(
    "adminpanel.driver",
    template="adminpanel/_driver.html",
    load=drivers.load_drivers,
    topics=lambda driver: [dispatch_topic()],
    watches=facts_of_drivers(lambda pk: (dispatch_topic(), str(pk))),
    order=lambda driver: driver.order,
)
driver_now = Fragment(
    "adminpanel.driver_now",
    template="adminpanel/_driver_now.html",
    load=drivers.load_drivers,
    topics=lambda driver: [driver_topic(driver.pk)],
    watches=facts_of_drivers(lambda pk: (driver_topic(pk), str(pk)), journey=("eta_minutes", "closed_at")),
)


# --- A driver's day -------------------------------------------------------------------------------


def days_between(driver_id: int, *moments: Any) -> list[Place]:
    """The days of a driver from the first to the last of some instants, and today."""
    known = sorted(days.local_day(moment) for moment in (*moments, timezone.now()) if moment is not None)
    return [(driver_topic(driver_id), days.key_of(driver_id, day)) for day in dict.fromkeys((known[0], known[-1]))]


def days_of_shift(row: Shift) -> list[Place]:
    """The day it began, and today."""
    return days_between(row.user_id, row.started_at)


def days_of_dispatch(row: Dispatch) -> list[Place]:
    """The day it was offered, and today."""
    return days_between(row.driver_id, row.offered_at)


driver_day = Fragment(
    "adminpanel.driver_day",
    template="adminpanel/_driver_day.html",
    load=days.load_days,
    topics=lambda day: [driver_topic(day.driver_id)],
    watches=[watch(Shift, touches=days_of_shift), watch(Dispatch, touches=days_of_dispatch)],
)


# --- Legs -----------------------------------------------------------------------------------------


def asked_of(row: Presence | LastSeen) -> list[int]:
    """The legs that the driver whose page came or went was offered."""
    found: list[int] = row.__dict__["_asked"]
    return found


def legs_of_user(row: User) -> list[int]:
    """The legs that name a driver and are not settled."""
    if row.role != Role.DRIVER:
        return []
    return list(Dispatch.objects.filter(driver=row.pk, ended_at__isnull=True).values_list("leg", flat=True))


def legs_of_booking(row: Booking) -> list[int]:
    """The legs of a booking."""
    return list(Leg.objects.filter(booking=row.pk).values_list("pk", flat=True))


def facts_of_legs(place: Callable[[int], Place]) -> list[Watch]:
    """Watches of all that shows on a leg; `place` says where one stands."""

    def at(find: Callable[[Any], Iterable[int]]) -> Callable[[Any], list[Place]]:
        return lambda row: [place(pk) for pk in find(row)]

    return [
        watch(Leg, touches=at(lambda leg: [leg.pk])),
        watch(Dispatch, touches=at(lambda dispatch: [dispatch.leg_id])),
        watch(OfferRound, touches=at(lambda each: [each.leg_id])),
        watch(Booking, fields=("status", "window_start", "window_end"), touches=at(legs_of_booking), referring=True),
        watch(User, remember=("role",), fields=("name",), touches=at(legs_of_user), referring=True),
        watch(Presence, touches=at(asked_of)),
        watch(LastSeen, touches=at(asked_of)),
    ]


tray_leg = Fragment(
    "adminpanel.tray_leg",
    template="adminpanel/_tray_leg.html",
    load=legs.tray,
    topics=lambda leg: [dispatch_topic()],
    watches=facts_of_legs(lambda pk: (dispatch_topic(), str(pk))),
    order=lambda leg: leg.order,
)
leg = Fragment(
    "adminpanel.leg",
    template="adminpanel/_leg.html",
    load=legs.load_legs,
    topics=lambda leg: [leg_topic(leg.pk)],
    watches=facts_of_legs(lambda pk: (leg_topic(pk), str(pk))),
)
asked = Fragment(
    "adminpanel.asked",
    template="adminpanel/_asked.html",
    load=legs.load_legs,
    topics=lambda leg: [leg_topic(leg.pk)],
    watches=facts_of_legs(lambda pk: (leg_topic(pk), str(pk))),
)


# --- Technicians on their way ---------------------------------------------------------------------


def travellers() -> QuerySet[Journey]:
    """Open journeys to visits, with whoever travels, the job, and where they were last seen."""
    rows = Journey.objects.filter(closed_at__isnull=True, session__isnull=False)
    return rows.select_related("booking", "traveller", "traveller__position")


def load_travellers(keys: Sequence[str]) -> Mapping[str, Journey]:
    """Those of them with these ids; one query."""
    return {str(row.pk): row for row in travellers().filter(pk__in=[int(key) for key in keys])}


def travellers_place(row: Journey) -> list[Place]:
    """The list of those on their way."""
    return [(dispatch_topic(), str(row.pk))]


traveller = Fragment(
    "adminpanel.traveller",
    template="adminpanel/_traveller.html",
    load=load_travellers,
    topics=lambda journey: [dispatch_topic()],
    watches=[watch(Journey, fields=("closed_at",), touches=travellers_place)],
    order=lambda journey: f"{journey.opened_at.timestamp():014.3f}",
)


# --- The figures ----------------------------------------------------------------------------------


def everything(row: Any) -> list[Place]:
    """The one strip of figures."""
    return [(dispatch_topic(), "all")]


def came_or_went(row: Presence | LastSeen) -> list[Place]:
    """The figures, where it was a driver."""
    return everything(row) if driver_of(row) else []


figures = Fragment(
    "adminpanel.figures",
    template="adminpanel/_figures.html",
    load=drivers.figures,
    topics=lambda figures: [dispatch_topic()],
    watches=[
        watch(Shift, touches=everything),
        watch(Dispatch, touches=everything),
        watch(Leg, touches=everything),
        watch(Presence, touches=came_or_went),
        watch(LastSeen, touches=came_or_went),
    ],
    latest=True,
)
