"""The driver's one screen: the duty switch, the leg and its next step, the offer over everything, who can see them.

All of it is the driver's alone, on one topic. Before a driver has accepted, nothing here holds the address, the name
or the phone number of a customer, and distances are counted from rounded points (rule 9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import BooleanField, Count, ExpressionWrapper, Prefetch, Q
from django.utils import timezone

from accounts.models import Role, User
from bookings.work import whole
from realtime.fragments import Fragment, site_wide, watch
from tracking.live.positions import load_senders
from tracking.models import Dispatch, Driver, Journey, Position, ShareLink, Shift
from tracking.screen import LATELY, Collecting, DutyNow, Offer, Watchers, WorkNow
from tracking.states import ACTIVE_DISPATCH, DispatchStatus, Duty
from tracking.topics import EXPECTED, STANDING_LINK, drive_topic

Place = tuple[str, str]
Touched = Iterable[Place]


def screen(user_id: int) -> Touched:
    """Where something of a person's own stands."""
    return [(drive_topic(user_id), str(user_id))]


# --- Loading, many at once ------------------------------------------------------------------------


def shifts_of(user_ids: Sequence[int]) -> dict[int, Shift]:
    """The shifts that go on, by person. One query."""
    return {row.user_id: row for row in Shift.objects.filter(user__in=user_ids).exclude(duty=Duty.OFF_DUTY)}


def active_of(user_ids: Sequence[int]) -> dict[int, Dispatch]:
    """The legs that drivers have, by driver, with the journey under way and all that their card shows."""
    under_way = Prefetch("journeys", Journey.objects.filter(closed_at__isnull=True), to_attr="under_way")
    rows = Dispatch.objects.filter(driver__in=user_ids, status__in=ACTIVE_DISPATCH)
    whole_rows = rows.select_related("leg__booking__customer", "leg__skill").prefetch_related(under_way)
    return {row.driver_id: row for row in whole_rows}


def load_duty(keys: Sequence[str]) -> Mapping[str, DutyNow]:
    """The duty switches of drivers."""
    wanted = whole(keys)
    drivers = Driver.objects.filter(pk__in=wanted)
    shifts = shifts_of(wanted)
    states = dict(
        Dispatch.objects.filter(driver__in=wanted, status__in=ACTIVE_DISPATCH).values_list("driver_id", "status")
    )
    return {str(row.pk): DutyNow(row, shifts.get(row.pk), states.get(row.pk, "")) for row in drivers}


def load_work(keys: Sequence[str]) -> Mapping[str, WorkNow]:
    """What drivers do now, what was taken from them a moment ago, and how much they have done."""
    wanted = whole(keys)
    shifts, active, lost = shifts_of(wanted), active_of(wanted), lost_of(wanted)
    done = dict(
        Driver.objects.filter(pk__in=wanted)
        .annotate(done=Count("dispatches", filter=done_in_shift(shifts.values())))
        .values_list("pk", "done")
    )
    return {str(pk): WorkNow(pk, shifts.get(pk), active.get(pk), lost.get(pk), count) for pk, count in done.items()}


def done_in_shift(shifts: Iterable[Shift]) -> Q:
    """The legs finished since the shift of their driver began."""
    found = Q(pk__in=[])
    for shift in shifts:
        found |= Q(dispatches__driver=shift.user_id, dispatches__ended_at__gte=shift.started_at)
    return found & Q(dispatches__status=DispatchStatus.COMPLETED)


def lost_of(user_ids: Sequence[int]) -> dict[int, Dispatch]:
    """What ended a moment ago without the driver's doing, where nothing came after it. One query."""
    since = timezone.now() - LATELY
    rows = Dispatch.objects.filter(Q(ended_at__gte=since) | Q(offered_at__gte=since), driver__in=user_ids)
    newest: dict[int, Dispatch] = {}
    for row in rows.select_related("leg__booking").order_by("offered_at", "pk"):
        newest[row.driver_id] = row
    ends = (DispatchStatus.CANCELLED, DispatchStatus.REVOKED, DispatchStatus.EXPIRED)
    return {pk: row for pk, row in newest.items() if row.status in ends}


def load_offers(keys: Sequence[str]) -> Mapping[str, Offer]:
    """The offers that wait for drivers; of several the one that lapses first is the card."""
    wanted = whole(keys)
    rows = Dispatch.objects.filter(driver__in=wanted, status=DispatchStatus.OFFERED, deadline__gt=timezone.now())
    waiting: dict[int, list[Dispatch]] = defaultdict(list)
    for row in rows.select_related("leg__booking", "leg__skill").order_by("deadline", "pk"):
        waiting[row.driver_id].append(row)
    if not waiting:
        return {}
    places = {row.pk: row.point for row in Position.objects.filter(pk__in=waiting)}
    busy = set(Dispatch.objects.filter(driver__in=waiting, status__in=ACTIVE_DISPATCH).values_list("driver", flat=True))
    return {
        str(pk): Offer(offers[0], more=len(offers) - 1, busy=pk in busy, here=places.get(pk))
        for pk, offers in waiting.items()
    }


def load_watchers(keys: Sequence[str]) -> Mapping[str, Watchers]:
    """Who can see people now: the same rows, by the same conditions, as let anybody follow a position."""
    wanted = whole(keys)
    links = Prefetch("links", ShareLink.objects.filter(STANDING_LINK), to_attr="standing")
    rows = Journey.objects.filter(traveller__in=wanted, closed_at__isnull=True).prefetch_related(links)
    expected = rows.annotate(is_expected=ExpressionWrapper(EXPECTED, BooleanField()))
    journeys = {row.traveller_id: row for row in expected.select_related("booking__customer")}
    shifts = shifts_of(wanted)
    return {str(pk): Watchers(pk, shifts.get(pk), journeys.get(pk)) for pk in wanted}


def load_collecting(keys: Sequence[str]) -> Mapping[str, Collecting]:
    """Whether the positions of people are collected: on duty, or on the way to a visit.

    One query for those who send nothing, so that everybody else's pages stay cheap.
    """
    wanted = whole(keys)
    at_work = Shift.objects.filter(user__in=wanted, duty=Duty.ON_DUTY).values_list("user_id")
    travelling = Journey.objects.filter(traveller__in=wanted, closed_at__isnull=True).values_list("traveller_id")
    on = {pk for (pk,) in at_work.union(travelling)}
    senders = load_senders([str(pk) for pk in on]) if on else {}
    return {str(pk): Collecting(pk, pk in on, senders.get(str(pk))) for pk in wanted}


# --- What touches them ----------------------------------------------------------------------------


def of_driver(row: Dispatch) -> Touched:
    """The screen of a dispatch's driver."""
    return screen(row.driver_id)


def of_person(row: Shift) -> Touched:
    """The screen of a shift's person."""
    return screen(row.user_id)


def of_traveller(row: Journey) -> Touched:
    """The screen of who is on the way."""
    return screen(row.traveller_id)


def of_link(row: ShareLink) -> Touched:
    """The screen of who is shown by a link."""
    return screen(row.journey.traveller_id)


def drivers_for(customer: User) -> Touched:
    """The screens that show how to reach a customer."""
    if customer.role != Role.CUSTOMER:
        return []
    rows = Dispatch.objects.filter(status__in=ACTIVE_DISPATCH, leg__booking__customer=customer.pk)
    return [place for pk in rows.values_list("driver_id", flat=True) for place in screen(pk)]


def travellers_to(customer: User) -> Touched:
    """The screens that say that a customer sees them."""
    if customer.role != Role.CUSTOMER:
        return []
    rows = Journey.objects.filter(closed_at__isnull=True, booking__customer=customer.pk)
    return [place for pk in rows.values_list("traveller_id", flat=True) for place in screen(pk)]


# --- The fragments --------------------------------------------------------------------------------

duty = Fragment(
    "tracking.duty",
    template="tracking/_duty.html",
    load=load_duty,
    topics=lambda duty: [drive_topic(duty.driver.pk)],
    watches=[
        watch(Shift, touches=of_person),
        watch(Dispatch, fields=("status",), touches=of_driver),
        watch(Driver, touches=lambda driver: screen(driver.pk)),
    ],
)
work = Fragment(
    "tracking.work",
    template="tracking/_work.html",
    load=load_work,
    topics=lambda work: [drive_topic(work.user_id)],
    watches=[
        watch(Shift, touches=of_person),
        watch(Dispatch, fields=("status",), touches=of_driver),
        watch(Journey, fields=("near_at",), touches=of_traveller),
        watch(User, remember=("role",), fields=("name", "phone"), touches=drivers_for, referring=True),
    ],
)
# Not when it was seen: an alert that is painted again is read out again.
offer = Fragment(
    "tracking.offer",
    template="tracking/_offer.html",
    load=load_offers,
    topics=lambda offer: [drive_topic(offer.dispatch.driver_id)],
    watches=[watch(Dispatch, fields=("status", "deadline"), touches=of_driver)],
)
watchers = Fragment(
    "tracking.watchers",
    template="tracking/_watchers.html",
    load=load_watchers,
    topics=lambda watchers: [drive_topic(watchers.user_id)],
    watches=[
        watch(Shift, touches=of_person),
        watch(Journey, fields=("closed_at",), touches=of_traveller),
        watch(ShareLink, touches=of_link),
        watch(User, remember=("role",), fields=("name", "is_active"), touches=travellers_to, referring=True),
    ],
)


# The switch of the device's GPS, on every page: at once, not at the slower pace of what it hears of its own fixes,
# which it holds while there are any.
collecting = Fragment(
    "tracking.collecting",
    template="tracking/_collecting.html",
    load=load_collecting,
    topics=lambda collecting: [drive_topic(collecting.user_id)],
    watches=[
        watch(Shift, fields=("duty",), touches=of_person),
        watch(Journey, fields=("closed_at",), touches=of_traveller),
    ],
)


def own_key(user: User) -> str | None:
    """Offers are for drivers, and stand over whichever page they look at."""
    return str(user.pk) if user.role == Role.DRIVER else None


def collecting_key(user: User) -> str | None:
    """Whoever may be on the road sends their position from whichever page they look at."""
    return str(user.pk) if user.role in (Role.DRIVER, Role.TECHNICIAN) else None


# The driver's own screen has the offer and the chip in places of its own.
site_wide(offer, key=own_key, topic=lambda user: drive_topic(user.pk), place="road")
site_wide(collecting, key=collecting_key, topic=lambda user: drive_topic(user.pk), place="road")
