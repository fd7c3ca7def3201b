"""What is on the road of the populated site: Ed has one leg of each kind, Gil another, Bob is on the way to a visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import people
from accounts.models import AccountNote, User
from bookings.models import Booking, Session
from tracking import actions
from tracking.actions.fixes import Batch
from tracking.models import Dispatch, Driver, Journey, Leg, ShareLink
from tracking.tests import make
from tracking.tests.make import FAR, NEAR


@dataclass
class Road:
    """All of it is for Alice, and what the desk keeps in mind about her."""

    gil: Driver
    free: Leg  # in the tray: nobody has it
    over: Dispatch  # Ed's, finished
    coming: Dispatch  # Ed's, under way
    offer: Dispatch  # waits for Ed
    gils: Dispatch  # taken, not set off
    journey: Journey  # Ed's
    ended: Journey  # Ed's, over
    trip: Journey  # Bob's
    link: ShareLink  # to Ed's journey
    revoked: ShareLink  # to Bob's
    remark: AccountNote


def populate_road(ed: User, frank: User, visit: Session, to_deliver: Booking, now: datetime) -> Road:
    """Everything once, shortly before `now`: legs for one of Alice's jobs, and a trip to one of her visits."""
    before = now - timedelta(minutes=5)
    driver, gil = Driver.objects.create(user=ed, plate="AB12 CDE"), make.at_work("Gil", at=FAR, now=before)
    make.on_duty(driver, now=before)

    def leg(note: str) -> Leg:
        return make.leg(to_deliver, frank, note=note, now=before)

    over = make.completed(leg("A ladder"), driver, now=before)
    coming = make.en_route(leg("A boiler pump"), driver, now=now - timedelta(minutes=1))
    journey = coming.journeys.get()
    bob = visit.technician.user
    trip = actions.set_out(visit, by=bob, now=now - timedelta(minutes=1))
    alice = to_deliver.customer
    revoked = actions.share(trip, by=alice, now=now)
    actions.revoke_link(revoked, by=alice, now=now)
    milliseconds = int((now - timedelta(seconds=3)).timestamp() * 1000)
    fix = {"at": milliseconds, "lat": NEAR.latitude, "lng": NEAR.longitude, "acc": 9}
    actions.take_fixes({who.pk: Batch.of([fix], rtt=120) for who in (ed, bob)}, now=now)
    return Road(
        gil=gil,
        free=leg("Three radiators"),
        over=over,
        coming=coming,
        offer=make.offered(leg("Copper pipes"), driver, by=frank, now=now, seconds=1700),
        gils=make.accepted(leg("A basin"), gil, now=now),
        journey=journey,
        ended=over.journeys.get(),
        trip=trip,
        link=actions.share(journey, by=alice, now=now),
        revoked=revoked,
        remark=people.add_note(alice, by=frank, text="Rings twice.", now=before),
    )
