"""The people of the demo. Those with a `slug` are on the sign-in page, for visitors, and never simulated.

Drivers are in `demo.drivers`.
"""

from __future__ import annotations

from typing import NamedTuple

from accounts.models import Role
from demo.places import AREAS

# A top-level domain that no mail ever reaches (RFC 2606).
DOMAIN = "callout.example"
PASSWORD = "callout-demo"  # noqa: S105 (told to everybody on the sign-in page, in demo mode only)


class Person(NamedTuple):
    """Somebody of the demo. `skills` to `hours` are a technician's (a driver's: `skills`, `area`, and the vehicle);
    `invites` says what a visitor can try.
    """

    name: str
    role: str
    phone: str
    slug: str = ""
    invites: str = ""
    skills: tuple[str, ...] = ()
    area: str = ""
    radius_km: int = 15
    hours: tuple[int, int] = (8, 18)
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    about: str = ""
    verified: bool = True
    vehicle: str = ""
    plate: str = ""
    capacity_kg: int = 0

    @property
    def email(self) -> str:
        """first.last@callout.example; short for those whom visitors play."""
        return f"{self.slug or '.'.join(self.name.lower().replace(chr(39), '').split())}@{DOMAIN}"

    @property
    def is_simulated(self) -> bool:
        """Whether the simulator acts for them."""
        return not self.slug


def customer(name: str, phone: str, slug: str = "", invites: str = "") -> Person:
    """Somebody who books."""
    return Person(name, Role.CUSTOMER, phone, slug, invites)


def driver(name: str, phone: str, area: str, vehicle: str, skills: str) -> Person:
    """Somebody who drives. `vehicle` is its kind, its plate (- for none) and how many kg it carries."""
    kind, *plate, capacity = vehicle.split()
    return Person(
        name,
        Role.DRIVER,
        phone,
        skills=tuple(skills.split()),
        area=area,
        vehicle=kind,
        plate=" ".join(plate).strip("-"),
        capacity_kg=int(capacity),
    )


WEEK = (0, 1, 2, 3, 4, 5)
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)

# Phone numbers are of the range that Ofcom keeps for drama: 020 7946 0xxx.
CUSTOMERS = (
    customer(
        "Emma Clarke",
        "+44 20 7946 0101",
        "emma",
        "Three offers wait for her answer, a visit is booked, and her finished jobs are on file. "
        "Book another and watch offers come in.",
    ),
    customer("Omar Haddad", "+44 20 7946 0102", "omar", "Has booked nothing yet: see how the first booking feels."),
    customer("Priya Nair", "+44 20 7946 0103"),
    customer("Joanna Kowalska", "+44 20 7946 0104"),
    customer("Daniel Osei", "+44 20 7946 0105"),
    customer("Hannah Whitfield", "+44 20 7946 0106"),
    customer("Mehmet Yilmaz", "+44 20 7946 0107"),
    customer("Chloe Bennett", "+44 20 7946 0108"),
    customer("Kwame Boateng", "+44 20 7946 0109"),
    customer("Siobhan Murphy", "+44 20 7946 0110"),
    customer("Rafael Costa", "+44 20 7946 0111"),
    customer("Li Wei Tan", "+44 20 7946 0112"),
)

TECHNICIANS = (
    Person(
        "Tariq Aziz",
        Role.TECHNICIAN,
        "+44 20 7946 0201",
        "tariq",
        "A verified technician with visits ahead. Make an offer: a customer answers within seconds.",
        ("plumbing", "heating", "appliances"),
        "Camden",
        25,
        (8, 18),
        WEEK,
        "Gas Safe registered, fifteen years in North London. I bring the common parts, so most jobs take one visit.",
    ),
    Person(
        "Lucy Adeyemi",
        Role.TECHNICIAN,
        "+44 20 7946 0202",
        "lucy",
        "A new technician whose insurance is not checked yet: she may look, not offer. Approve it as the admin.",
        ("electrics", "it-support"),
        "Brixton",
        20,
        (9, 17),
        about="Newly qualified electrician, Part P. I explain what I do and leave the place clean.",
        verified=False,
    ),
    Person(
        "Anna Novak",
        Role.TECHNICIAN,
        "+44 20 7946 0203",
        skills=("plumbing", "heating"),
        area="Islington",
        radius_km=20,
        days=WEEK,
        about="Plumber and heating engineer, Gas Safe. Fixed prices, no call-out fee inside zone 2.",
    ),
    Person(
        "Marcus Reid",
        Role.TECHNICIAN,
        "+44 20 7946 0204",
        skills=("plumbing", "appliances", "carpentry"),
        area="Peckham",
        radius_km=20,
        hours=(7, 17),
        about="Leaks, drains and everything that hums. Twelve years, three of them with my own van.",
    ),
    Person(
        "Giulia Ferrari",
        Role.TECHNICIAN,
        "+44 20 7946 0205",
        skills=("electrics", "it-support"),
        area="Hackney",
        radius_km=18,
        about="NICEIC approved. Lights, sockets, networks; certificates the same day.",
    ),
    Person(
        "Tomasz Zielinski",
        Role.TECHNICIAN,
        "+44 20 7946 0206",
        skills=("heating", "plumbing"),
        area="Ealing",
        radius_km=25,
        hours=(7, 18),
        days=WEEK,
        about="Boilers of all makes, Vaillant and Worcester accredited. I answer the phone.",
    ),
    Person(
        "Grace Mensah",
        Role.TECHNICIAN,
        "+44 20 7946 0207",
        skills=("decorating", "carpentry"),
        area="Lewisham",
        radius_km=18,
        about="Painter and decorator. Dust sheets down before anything else.",
    ),
    Person(
        "Ben Carter",
        Role.TECHNICIAN,
        "+44 20 7946 0208",
        skills=("locks", "carpentry"),
        area="Southwark",
        radius_km=22,
        hours=(7, 21),
        days=EVERY_DAY,
        about="Locksmith, MLA member. Non-destructive entry first, and a price before I touch the door.",
    ),
    Person(
        "Yusuf Demir",
        Role.TECHNICIAN,
        "+44 20 7946 0209",
        skills=("locks", "electrics"),
        area="Tottenham",
        radius_km=22,
        hours=(8, 20),
        days=EVERY_DAY,
        about="Locks and door entry systems. Twenty minutes to most of North London.",
    ),
    Person(
        "Nkechi Okafor",
        Role.TECHNICIAN,
        "+44 20 7946 0210",
        skills=("appliances", "electrics"),
        area="Stratford",
        radius_km=20,
        about="Former Bosch field engineer. If it can be repaired, it should be.",
    ),
    Person(
        "Callum Fraser",
        Role.TECHNICIAN,
        "+44 20 7946 0211",
        skills=("carpentry", "decorating", "locks"),
        area="Kilburn",
        radius_km=20,
        about="Joiner by trade: doors, sashes, shelves that stay up.",
    ),
    Person(
        "Ines Duarte",
        Role.TECHNICIAN,
        "+44 20 7946 0212",
        skills=("decorating",),
        area="Wandsworth",
        radius_km=20,
        hours=(8, 17),
        about="Interior painting with water-based paints. Careful with stairs, patient with colours.",
    ),
    Person(
        "Arjun Patel",
        Role.TECHNICIAN,
        "+44 20 7946 0213",
        skills=("it-support", "electrics"),
        area="Hammersmith",
        radius_km=25,
        hours=(9, 19),
        days=WEEK,
        about="Home networks and computers, explained in plain words.",
    ),
    Person(
        "Sofia Lindqvist",
        Role.TECHNICIAN,
        "+44 20 7946 0214",
        skills=("it-support", "appliances"),
        area="Greenwich",
        radius_km=25,
        hours=(9, 18),
        days=WEEK,
        about="Computers, smart homes and the machines in the kitchen.",
    ),
    Person(
        "Delroy Campbell",
        Role.TECHNICIAN,
        "+44 20 7946 0215",
        skills=("plumbing", "heating", "locks"),
        area="Croydon",
        radius_km=30,
        hours=(7, 19),
        days=WEEK,
        about="South London born. Plumbing, heating, and the locks my customers kept asking for.",
    ),
    Person(
        "Fatima Rahman",
        Role.TECHNICIAN,
        "+44 20 7946 0216",
        skills=("decorating", "it-support", "carpentry"),
        area="Walthamstow",
        radius_km=25,
        about="From flat-pack to fresh paint, with the router moved on the way.",
    ),
)

ADMINS = (
    Person(
        "Olivia Hart",
        Role.ADMIN,
        "+44 20 7946 0301",
        "olivia",
        "Runs the desk: documents, a flagged review and a dispute to decide, people to answer, every job to look into.",
    ),
    Person("Nadia Hughes", Role.ADMIN, "+44 20 7946 0302"),
)

DRIVERS = (
    Person(
        "Sam Bailey",
        Role.DRIVER,
        "+44 20 7946 0401",
        "sam",
        "A driver off duty. Go on duty and the desk asks you to take a leg within seconds: accept it and drive.",
        ("fragile",),
        "Islington",
        vehicle="van",
        plate="LD72 KXM",
        capacity_kg=900,
    ),
    driver("Dev Malhotra", "+44 20 7946 0402", "Camden", "van LK71 HRO 1000", "fragile heavy"),
    driver("Ruth Owusu", "+44 20 7946 0403", "Southwark", "van LC23 VBN 1200", "heavy"),
    driver("Pavel Hruska", "+44 20 7946 0404", "Hackney", "truck LN70 TWD 3500", "towing heavy"),
    driver("Maya Thompson", "+44 20 7946 0405", "Hammersmith", "car LR73 OKE 300", "fragile"),
    driver("Kenji Sato", "+44 20 7946 0406", "Bethnal Green", "bike - 25", ""),
    driver("Zofia Wrona", "+44 20 7946 0407", "Brixton", "van LE22 GYS 900", "fragile"),
    driver("Leon Baptiste", "+44 20 7946 0408", "Kilburn", "truck LP69 RCV 3000", "towing"),
)
DRIVER_SKILLS = {"fragile": "Fragile goods", "heavy": "Heavy goods", "towing": "Towing"}

# Those whom `simulate --drivers 50` hires beyond them: made up by number, always the same ones. They never sign in.
MOST_DRIVERS = 50
FIRST = ("Aisha", "Ben", "Carla", "Dominik", "Efua", "Femi", "Gareth", "Hana", "Imran", "Jess", "Karim", "Lena")
LAST = ("Abbott", "Bakare", "Chowdhury", "Dunne", "Edwards", "Fischer", "Gill", "Hoang", "Ivanov", "Jarvis", "Khan")
KINDS_OF_VEHICLE = (("van", 900), ("car", 300), ("van", 1200), ("bike", 25), ("truck", 3000))


def letters(number: int) -> str:
    """The last three letters of a plate."""
    return "CFHJRTVX"[number % 8] + "BDGKNPSW"[number // 8] + "YLMZ"[number % 4]


def hired(number: int) -> Person:
    """The driver of that number (from 0) among those who are hired when many are wanted."""
    area = list(AREAS)[number * 7 % len(AREAS)]
    kind, kilograms = KINDS_OF_VEHICLE[number % len(KINDS_OF_VEHICLE)]
    name = f"{FIRST[number % len(FIRST)]} {LAST[number % len(LAST)]}"
    plate = "" if kind == "bike" else f"L{'ABCDEFGHKM'[number % 10]}{71 + number % 4} {letters(number)}"
    skills = {"truck": ("towing", "heavy"), "van": ("fragile", "heavy") if number % 2 else ("fragile",)}.get(kind, ())
    return Person(name, Role.DRIVER, "", skills=skills, area=area, vehicle=kind, plate=plate, capacity_kg=kilograms)


EVERYBODY = (*CUSTOMERS, *TECHNICIANS, *DRIVERS, *ADMINS)
PLAYABLE = {person.slug: person for person in EVERYBODY if person.slug}
OTHER_DRIVERS = tuple(person for person in DRIVERS if person.is_simulated)
HIRED = tuple(hired(number) for number in range(MOST_DRIVERS - len(OTHER_DRIVERS)))
SIMULATED_EMAILS = frozenset(person.email for person in (*EVERYBODY, *HIRED) if person.is_simulated)
EMAILS = frozenset(person.email for person in (*EVERYBODY, *HIRED))
