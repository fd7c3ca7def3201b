"""What the demo's drivers did today, and what they do right now, told through the same actions that people use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from accounts.models import User
from bookings.models import Booking, Session
from common.geo import Point
from demo.cast import ADMINS, DOMAIN, OTHER_DRIVERS, SIMULATED_EMAILS, Person
from demo.errands import Errand, Shop, errand_for, home_of, make_leg, shop_near
from demo.history import Teller
from demo.places import AREAS
from demo.roads import Way, london
from tracking.actions import (
    accept_offer,
    arrive,
    complete,
    fail,
    go_off_duty,
    go_on_duty,
    offer_leg,
    reject_offer,
    see_offer,
    set_off,
    take_break,
    take_fixes,
)
from tracking.actions.fixes import Batch
from tracking.models import Dispatch, Driver, Fix, Journey, Leg
from tracking.rules.fixes import to_ms
from tracking.states import FailReason, LegKind, RejectReason

EMMA, SAM = f"emma@{DOMAIN}", f"sam@{DOMAIN}"
PACE = 7.5  # metres a second, lights and queues included
EVERY = 12  # seconds between the points of a track that is told
LAMPS = Errand("Pendant lamps and a dimmer", 6, "fragile")
FROM = Shop("Borough Electrical Supplies", Point(51.5020, -0.0935))
ON_THE_WAY_FOR = 8  # minutes


@dataclass
class Day:
    """The desk's and the drivers' day up to `teller.now`; `bookings` are what is left to drive for."""

    teller: Teller
    bookings: Iterator[Booking]

    @property
    def desk(self) -> User:
        """Who dispatches while nobody plays the desk."""
        return self.teller.people[ADMINS[-1].email]

    def ago(self, minutes: float) -> datetime:
        """So many minutes before now."""
        return self.teller.now - timedelta(minutes=minutes)

    def driver(self, person: Person) -> Driver:
        """A driver of the cast."""
        return Driver.objects.select_related("user").get(user__email=person.email)

    def leg(self, minutes: float, errand: Errand | None = None) -> Leg:
        """A leg that came into the tray so many minutes ago."""
        booking = next(self.bookings)
        home = home_of(booking)
        chosen = errand or errand_for(booking, self.teller.chance)
        shop = shop_near(home) if home and chosen.kind == LegKind.DELIVERY else None
        return make_leg(booking, chosen, by=self.desk, now=self.ago(minutes), shop=shop)

    def accepted(self, leg: Leg, driver: Driver, minutes: float) -> Dispatch:
        """Offered, seen and taken."""
        asked = self.ago(minutes)
        dispatch = offer_leg(leg, driver, by=self.desk, now=asked)
        see_offer(dispatch, by=driver.user, now=asked + timedelta(seconds=3))
        return accept_offer(dispatch, by=driver.user, now=asked + timedelta(seconds=11))

    def under_way(self, leg: Leg, driver: Driver, minutes: float, *, begun: float = 3) -> Dispatch:
        """Taken, and since so many minutes on the way."""
        dispatch = self.accepted(leg, driver, minutes + begun)
        return set_off(dispatch, by=driver.user, now=self.ago(minutes))

    def done(self, leg: Leg, driver: Driver, minutes: float) -> None:
        """Brought so many minutes ago, with its track."""
        dispatch = self.under_way(leg, driver, minutes + 17)
        journey = Journey.objects.get(dispatch=dispatch)
        arrived = self.ago(minutes + 4)
        keep_track(journey, arrived, arrived)
        arrive(dispatch, by=driver.user, now=arrived)
        complete(dispatch, by=driver.user, now=self.ago(minutes))


def tell_drives(teller: Teller) -> None:
    """Today's shifts and legs, what waits in the tray, and who is on the way right now."""
    day = Day(teller, jobs_to_drive_for(teller))
    drivers = [day.driver(person) for person in OTHER_DRIVERS]
    tell_yesterday(day)
    for number, driver in enumerate(drivers):
        go_on_duty(driver.user, by=driver.user, now=day.ago(236 - 13 * number))
    dev, ruth, pavel, _maya, kenji, zofia, leon = drivers
    day.done(day.leg(140, Errand("Oak shelves, cut to size", 22)), dev, 96)
    day.done(day.leg(121, Errand("Washing machine", 72, "heavy")), ruth, 71)
    declined = day.leg(75, Errand("Router and cables", 2))
    offer = offer_leg(declined, kenji, by=day.desk, now=day.ago(74))
    reject_offer(offer, by=kenji.user, reason=RejectReason.TOO_FAR, now=day.ago(73.5))
    day.done(declined, zofia, 38)
    lost = day.under_way(day.leg(62, Errand("Steel gate", 40, "heavy")), pavel, 45)
    keep_track(Journey.objects.get(dispatch=lost), day.ago(29), day.ago(29))
    arrive(lost, by=pavel.user, now=day.ago(29))
    fail(lost, by=pavel.user, reason=FailReason.NOBODY_THERE, note="Rang three times.", now=day.ago(21))
    day.leg(6)
    day.leg(2)
    kenjis = kenji.user.shifts.get()
    take_break(kenjis, by=kenji.user, now=day.ago(8))
    tell_emmas_driver(teller)
    follow(day.under_way(day.leg(14, Errand("Two radiators with valves", 44)), leon, 6), teller.now)
    bring_into_view(day, drivers)


def tell_yesterday(day: Day) -> None:
    """What Sam finds of his own: a shift with a leg."""
    sam = Driver.objects.select_related("user").get(user__email=SAM)
    shift = go_on_duty(sam.user, by=sam.user, now=day.ago(22 * 60))
    day.done(day.leg(21.5 * 60, Errand("Wallpaper, nine rolls", 11)), sam, 20.5 * 60)
    go_off_duty(shift, by=sam.user, now=day.ago(19 * 60))


def jobs_to_drive_for(teller: Teller) -> Iterator[Booking]:
    """Jobs of simulated customers that were agreed yesterday, over and over."""
    rows = Session.objects.active().filter(starts_at__gt=teller.now, created_at__lt=teller.now - timedelta(hours=22))
    rows = rows.filter(booking__customer__email__in=SIMULATED_EMAILS)
    return cycle([visit.booking for visit in rows.select_related("booking__category__skill").order_by("pk")])


def tell_emmas_driver(teller: Teller) -> None:
    """Somebody brings Emma what her visit ahead needs, and is on the way; unless somebody has, or is."""
    visits = Session.objects.active().filter(booking__customer__email=EMMA, starts_at__gt=teller.now)
    visit = visits.select_related("booking__customer").order_by("starts_at").first()
    driver = free_driver()
    if visit is None or driver is None or Leg.objects.filter(booking=visit.booking).exists():
        return
    day = Day(teller, iter((visit.booking,)))
    leg = make_leg(visit.booking, LAMPS, by=day.desk, now=day.ago(ON_THE_WAY_FOR + 6), shop=FROM)
    follow(day.under_way(leg, driver, ON_THE_WAY_FOR), teller.now)


def free_driver() -> Driver | None:
    """A simulated driver on duty who can carry lamps and has had nothing to do for a while."""
    rows = Driver.objects.filter(user__email__in=[person.email for person in OTHER_DRIVERS])
    rows = rows.filter(user__shifts__duty="on_duty", skills__slug=LAMPS.skill)
    busy = Dispatch.objects.filter(status__in=("offered", "accepted", "en_route", "arrived")).values("driver")
    return rows.exclude(pk__in=busy).select_related("user").order_by("-pk").first()


# --- Where they are -------------------------------------------------------------------------------


def fix_at(point: Point, at: datetime, speed: float = 0.0, heading: float | None = None) -> dict[str, float | None]:
    """A fix as a device sends it."""
    return {"at": to_ms(at), "lat": point.latitude, "lng": point.longitude, "acc": 9.0, "spd": speed, "hdg": heading}


def home_area(person: Person) -> Point:
    """Where a driver begins: on the road nearest to the middle of their neighbourhood."""
    area = AREAS[person.area]
    stretch, share = london().nearest(Point(area.latitude, area.longitude))
    return stretch.at(share)


def bring_into_view(day: Day, drivers: list[Driver]) -> None:
    """Those on duty who are not on the way stand where they were last, or at the beginning of their day."""
    travelling = set(Journey.objects.filter(closed_at=None).values_list("traveller_id", flat=True))
    places = {driver.pk: home_area(person) for driver, person in zip(drivers, OTHER_DRIVERS, strict=True)}
    over = Journey.objects.filter(traveller__in=places, closed_at__isnull=False).order_by("closed_at")
    places |= {journey.traveller_id: journey.destination for journey in over}
    at = day.teller.now - timedelta(seconds=9)
    batches = {pk: Batch.of([fix_at(point, at)], rtt=60) for pk, point in places.items() if pk not in travelling}
    take_fixes(batches, now=day.teller.now)


def way_of(journey: Journey) -> Way:
    """From where a leg begins to where it leads."""
    leg = journey.dispatch.leg if journey.dispatch else None
    start = leg.starts_from if leg is not None else None
    return london().way(start or FROM.point, journey.destination)


def keep_track(journey: Journey, until: datetime, received: datetime) -> Way:
    """The points of a journey's track from its beginning to `until`, as far as its way goes."""
    way, seconds = way_of(journey), (until - journey.opened_at).total_seconds()
    pace = min(PACE, way.metres / seconds)
    moments = range(0, int(seconds), EVERY)
    places = [way.at(pace * after) for after in moments]
    Fix.objects.bulk_create(
        Fix(
            user_id=journey.traveller_id,
            journey=journey,
            at=journey.opened_at + timedelta(seconds=after),
            received_at=received,
            latitude=place.point.latitude,
            longitude=place.point.longitude,
            accuracy=9.0,
            speed=pace,
            heading=place.heading,
        )
        for after, place in zip(moments, places, strict=True)
    )
    return way


def follow(dispatch: Dispatch, now: datetime) -> None:
    """The track so far of somebody who is on the way, and where they are."""
    journey = Journey.objects.select_related("dispatch__leg").get(dispatch=dispatch)
    way = keep_track(journey, now - timedelta(seconds=EVERY), now)
    place = way.at(min(PACE * (now - journey.opened_at).total_seconds(), 0.8 * way.metres))
    batch = Batch.of([fix_at(place.point, now, PACE, place.heading)], rtt=80)
    take_fixes({journey.traveller_id: batch}, now=now)
