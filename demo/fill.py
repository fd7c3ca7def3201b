"""Fills an empty database with the demo: people first, then what happened between them until now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any, NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import actions
from accounts.actions import Hours, Trade
from accounts.models import Role, Skill, Technician, User
from bookings.models import Booking, Session
from bookings.states import BookingStatus
from common.refusals import Refusal
from demo.booking import LONDON, local, next_daytime
from demo.cast import ADMINS, CUSTOMERS, DOMAIN, DRIVERS, EVERYBODY, PASSWORD, TECHNICIANS, Person
from demo.desk import keep_desk, tell_desk
from demo.drivers import enlist, keep_skills
from demo.drives import tell_drives, tell_emmas_driver
from demo.history import Teller
from demo.places import AREAS
from demo.portraits import portrait
from demo.simulator.market import OPEN_A_TRADE
from demo.talks import tell_talks, tell_visitors_talks
from demo.trades import KINDS, TRADES, make_categories
from demo.tray import settle_notices, spare_simulated_mail
from realtime import journal
from realtime.bulk import bulk_update

ZONE = "Europe/London"
EMMA, TARIQ = f"emma@{DOMAIN}", f"tariq@{DOMAIN}"
WEEKS = 5
IN_TIME = 18  # of the open jobs
TODAY = (
    ("hannah.whitfield", "anna.novak", "leaks", 5.5),
    ("kwame.boateng", "nkechi.okafor", "fridge", 4.25),
    ("chloe.bennett", "ben.carter", "new-lock", 3),
)
LATELY = {f"lucy@{DOMAIN}": timedelta(days=9), f"omar@{DOMAIN}": timedelta(minutes=140)}  # who is new, and since when


@journal.anew()
def fill(now: datetime, *, weeks: int = WEEKS) -> None:
    """Make everybody and tell `weeks` of history. All or nothing."""
    make_people(now)
    teller = make_teller(now, seed=7)
    tell_past(teller, weeks)
    if weeks:
        tell_today(teller)
    # What was agreed comes before what is still offered: winning a job withdraws one's offers for that time.
    tell_visits_ahead(teller)
    tell_live_visit(teller)
    tell_visitors_visits(teller)
    tell_open_jobs(teller)
    tell_emmas_choice(teller)
    tell_drives(teller)
    tell_talks(teller)
    tell_desk(teller)
    settle_notices(now)


@transaction.atomic
def freshen(now: datetime) -> None:
    """What visitors should find whenever they come: offers for Emma to answer, visits ahead for her and Tariq, with
    what was said about them, and something in each queue of the desk.

    Does nothing while it is all there.
    """
    make_missing_drivers(now)
    teller = make_teller(now, seed=Booking.objects.count())
    tell_visitors_visits(teller)
    tell_emmas_choice(teller)
    tell_emmas_driver(teller)
    tell_visitors_talks(teller)
    keep_desk(teller)
    settle_notices(now)


# --- people ---------------------------------------------------------------------------------------


def make_people(now: datetime) -> None:
    """Sign everybody up as they would themselves, with one password hashed once: hashing is slow by design."""
    joined = now - timedelta(days=7 * WEEKS + 4)
    make_categories()
    users = {person: sign_up(person) for person in (*CUSTOMERS, *TECHNICIANS)}
    keep_skills()
    for person in DRIVERS:
        enlist(person)
    for person in ADMINS:
        User.objects.create_superuser(person.email, None, name=person.name, phone=person.phone, time_zone=ZONE)
    spare_simulated_mail()
    for person in (each for each in TECHNICIANS if each.verified):
        actions.verify_technician(users[person].technician, by=None, now=joined + timedelta(days=1))
    give_faces_and_password(EVERYBODY, joined)
    for email, ago in LATELY.items():
        bulk_update(User.objects.filter(email=email), joined_at=now - ago)


def give_faces_and_password(people: Sequence[Person], joined: datetime) -> None:
    """What makes an account of the cast one: a portrait, the password that is told, and a past."""
    for person in people:
        user = User.objects.get(email=person.email)
        face = portrait(person.name)
        actions.update_profile(user, by=None, name=person.name, phone=person.phone, time_zone=ZONE, photo=face)
    everybody = User.objects.filter(email__in=[person.email for person in people])
    bulk_update(everybody, password=make_password(PASSWORD), joined_at=joined)


def make_missing_drivers(now: datetime) -> None:
    """The drivers of a demo that was filled before there were any."""
    here = set(User.objects.filter(email__in=[person.email for person in DRIVERS]).values_list("email", flat=True))
    missing = [person for person in DRIVERS if person.email not in here]
    if missing:
        keep_skills()
        for person in missing:
            enlist(person)
        give_faces_and_password(missing, now)
        spare_simulated_mail()


def sign_up(person: Person) -> User:
    """The account of a customer or technician, unverified."""
    if person.role == Role.CUSTOMER:
        return actions.sign_up_customer(
            email=person.email,
            password=None,
            name=person.name,
            time_zone=ZONE,
            phone=person.phone,
            email_verified=True,
        )
    return actions.sign_up_technician(
        email=person.email,
        password=None,
        name=person.name,
        time_zone=ZONE,
        trade=trade_of(person),
        phone=person.phone,
        email_verified=True,
    )


def trade_of(person: Person) -> Trade:
    """What a technician of the cast offers."""
    area = AREAS[person.area]
    starts, ends = (time(hour) for hour in person.hours)
    return Trade(
        skills=list(Skill.objects.filter(slug__in=person.skills)),
        base_label=area.label,
        base_latitude=area.latitude,
        base_longitude=area.longitude,
        radius_km=person.radius_km,
        hours=[Hours(day, starts, ends) for day in person.days],
        about=person.about,
    )


# --- what happened --------------------------------------------------------------------------------


def make_teller(now: datetime, *, seed: int) -> Teller:
    """A teller who knows everybody of the demo."""
    people = {user.email: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    technicians = {row.user.email: row for row in Technician.objects.filter(user__in=people.values())}
    return Teller(now, people, technicians, make_categories(), Random(seed))  # noqa: S311 (a story, no secret)


class Story(NamedTuple):
    """Something that happened to some technicians `days` ago; they did nothing else that day."""

    days: int
    technicians: tuple[str, ...]
    tell: Callable[[], object]


def tell_past(teller: Teller, weeks: int) -> None:
    """The past weeks, in the order in which they happened."""
    special = special_stories(teller) if weeks else []
    taken = {(technician, story.days) for story in special for technician in story.technicians}
    for story in sorted(special + usual_stories(teller, weeks, taken), key=lambda story: -story.days):
        story.tell()


def usual_stories(teller: Teller, weeks: int, taken: set[tuple[str, int]]) -> list[Story]:
    """Visits that went well: about one a technician and week, at most one a day, so that none overlap."""
    others = [person.email for person in CUSTOMERS if person.is_simulated]
    stories: list[Story] = []
    for person in TECHNICIANS:
        for days in range(7 * weeks, 0, -1) if person.verified else ():
            day = teller.now - timedelta(days=days)
            works = day.astimezone(LONDON).weekday() in person.days and (person.email, days) not in taken
            if not works or teller.chance.random() > 0.09:
                continue
            start = local(day, teller.chance.randint(person.hours[0] + 1, 12), teller.chance.choice((0, 30)))
            customer, kind = others[len(stories) % len(others)], teller.kind_for(person.email)
            tell = partial(teller.finished, customer, person.email, kind, start)
            stories.append(Story(days, (person.email,), tell))
    return stories


def special_stories(teller: Teller) -> list[Story]:
    """What happened to Emma, and what does not go well now and then."""

    def story(days: int, tell: Callable[..., object], customer: str, technicians: str, kind: str, *more: Any) -> Story:
        who = tuple(f"{name}@{DOMAIN}" for name in technicians.split())
        start = local(teller.now - timedelta(days=days), 15)
        return Story(days, who, partial(tell, f"{customer}@{DOMAIN}", *who, KINDS[kind], start, *more))

    day, hour = timedelta(days=1), timedelta(hours=1)
    return [
        story(23, teller.finished, "emma", "tariq", "boiler"),
        story(19, teller.nobody_chosen, "emma", "", "paint-room"),
        story(16, teller.finished, "emma", "ben.carter", "new-lock"),
        story(12, teller.called_off, "emma", "callum.fraser", "shelves", 1.25 * day),
        story(11, teller.nobody_home, "rafael.costa", "tariq", "drains"),
        story(9, teller.finished, "emma", "ines.duarte", "touch-up"),
        story(8, teller.nobody_home, "daniel.osei", "yusuf.demir", "lockout"),
        story(7, teller.nobody_chosen, "mehmet.yilmaz", "", "computer"),
        story(6, teller.called_off, "priya.nair", "tariq", "leaks", 5 * hour),
        story(5, teller.given_back, "joanna.kowalska", "tomasz.zielinski anna.novak", "radiators"),
        story(4, teller.called_off, "chloe.bennett", "nkechi.okafor", "fridge", hour),
        story(3, teller.finished, "emma", "arjun.patel", "wifi"),
        story(2, teller.nobody_chosen, "siobhan.murphy", "", "doors"),
    ]


def tell_visits_ahead(teller: Teller) -> None:
    """Half of the technicians have a visit tomorrow."""
    others = [person.email for person in CUSTOMERS if person.is_simulated]
    for number, person in enumerate(row for row in TECHNICIANS if row.is_simulated):
        if number % 2 == 0:
            start = local(teller.now + timedelta(days=1), person.hours[0] + 1)
            teller.agreed(others[number % len(others)], person.email, teller.kind_for(person.email), start)


def tell_visitors_visits(teller: Teller) -> None:
    """Visits ahead for Emma and Tariq, where they have none."""
    ahead, now = Session.objects.active().filter(starts_at__gt=teller.now), teller.now
    tomorrow = now + timedelta(days=1)
    if not ahead.filter(booking__customer__email=EMMA).exists():
        first_free(teller, EMMA, ("giulia.ferrari", "nkechi.okafor", "arjun.patel"), "lights", local(tomorrow, 10))
    if not ahead.filter(technician__user__email=TARIQ).exists():
        first_free(teller, f"hannah.whitfield@{DOMAIN}", ("tariq",), "boiler", next_daytime(now + timedelta(hours=1)))
        first_free(teller, f"kwame.boateng@{DOMAIN}", ("tariq",), "washing-machine", local(tomorrow, 14))


def tell_open_jobs(teller: Teller) -> None:
    """What the marketplace shows now: some jobs of each trade, most of them with offers."""
    others = [person.email for person in CUSTOMERS if person.is_simulated]
    turn = 0
    for trade in TRADES:
        for number in range(OPEN_A_TRADE):
            turn += 1
            start = local(teller.now + timedelta(days=1 + turn % 3), 9 + turn % 7)
            placed_at = teller.now - timedelta(minutes=waited(turn))
            kind = trade.kinds[number % len(trade.kinds)]
            job = kind.jobs[(number // len(trade.kinds) + 1) % len(kind.jobs)]
            booking = teller.placed(others[turn % len(others)], kind, start, placed_at, job)
            teller.rivals(booking, "", start, placed_at + timedelta(minutes=3), turn % 4)


def waited(turn: int) -> int:
    """How many minutes ago an open job was placed: most within the hour in which the desk wants them booked."""
    return 3 * turn if turn <= IN_TIME else 3 * IN_TIME + 43 * (turn - IN_TIME)


def tell_today(teller: Teller) -> None:
    """What was finished today, a while ago."""
    hour = timedelta(hours=1)
    for customer, technician, kind, ago in TODAY:
        start = teller.now - ago * hour
        teller.finished(f"{customer}@{DOMAIN}", f"{technician}@{DOMAIN}", KINDS[kind], start)


def tell_live_visit(teller: Teller) -> None:
    """Somebody is at work right now."""
    now = teller.now
    customer, technician = f"li.wei.tan@{DOMAIN}", f"sofia.lindqvist@{DOMAIN}"
    session = teller.agreed(customer, technician, KINDS["computer"], now - timedelta(minutes=4))
    teller.begun(session, now - timedelta(minutes=5))


def tell_emmas_choice(teller: Teller) -> None:
    """A job of Emma's with three offers to choose from, one of them Tariq's, unless she has an open job."""
    if Booking.objects.filter(customer__email=EMMA, status=BookingStatus.OPEN).exists():
        return
    start = local(teller.now + timedelta(days=2), 11)
    placed_at = teller.now - timedelta(minutes=40)
    booking = teller.placed(EMMA, KINDS["leaks"], start, placed_at, KINDS["leaks"].jobs[0])
    offers = ((TARIQ, 11), (f"anna.novak@{DOMAIN}", 17), (f"delroy.campbell@{DOMAIN}", 26))
    for technician, after in offers:
        try:
            teller.offered(booking, technician, start, placed_at + timedelta(minutes=after))
        except Refusal:
            continue  # a visit at that time


def first_free(teller: Teller, customer: str, names: tuple[str, ...], kind: str, start: datetime) -> None:
    """A visit ahead with the first of those technicians who has time for it.

    Agreed twenty minutes ago: just now would mean, at the demo's pace, that the technician comes at once.
    """
    for name in names:
        try:
            with transaction.atomic():
                teller.agreed(customer, f"{name}@{DOMAIN}", KINDS[kind], start, ahead=timedelta(minutes=70))
            return
        except Refusal:
            continue
