"""What is booked in the demo: trades, kinds of jobs with their usual prices (GBP), and stories of jobs."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from accounts.models import Skill
from bookings.models import ServiceCategory


class Job(NamedTuple):
    """A story: what the customer writes, and what the technician leaves as a note."""

    title: str
    description: str
    note: str


class Kind(NamedTuple):
    """A service category. `low` and `high` are whole pounds."""

    slug: str
    name: str
    icon: str
    minutes: int
    low: int
    high: int
    jobs: tuple[Job, ...]


class Trade(NamedTuple):
    """A skill and the kinds of jobs that need it."""

    slug: str
    name: str
    icon: str
    kinds: tuple[Kind, ...]


TRADES = (
    Trade(
        "plumbing",
        "Plumbing",
        "droplets",
        (
            Kind(
                "leaks",
                "Leaking tap or pipe",
                "droplets",
                60,
                60,
                120,
                (
                    Job(
                        "Kitchen mixer tap drips",
                        "It drips about once a second, also when turned off hard. The tap is a Bristan, 4 years old.",
                        "New ceramic cartridge fitted, tap descaled. No drip after ten minutes.",
                    ),
                    Job(
                        "Slow leak under the bathroom basin",
                        "The cupboard floor is damp every morning. I put a bowl under the trap for now.",
                        "Replaced the trap's washers and one olive. Dry after a full basin was drained.",
                    ),
                    Job(
                        "Outside tap leaks at the wall",
                        "Water runs down the brick when the hose is on. The stop tap is in the kitchen.",
                        "New outside tap with a double check valve, joint to the wall sealed.",
                    ),
                ),
            ),
            Kind(
                "drains",
                "Blocked sink or drain",
                "bath",
                60,
                70,
                140,
                (
                    Job(
                        "Kitchen sink will not drain",
                        "Tried a plunger and boiling water. The dishwasher uses the same waste pipe.",
                        "Cleared grease from the branch pipe with a drain snake, flushed for five minutes.",
                    ),
                    Job(
                        "Shower tray fills up",
                        "After two minutes I stand in water. Hair trap is clean, so it must be further down.",
                        "Removed a blockage one metre in. Runs freely; advised a fine strainer.",
                    ),
                ),
            ),
            Kind(
                "bathroom",
                "Toilet or shower repair",
                "shower-head",
                60,
                70,
                140,
                (
                    Job(
                        "Toilet keeps running",
                        "The cistern never stops filling unless I turn the valve. It sits behind a panel.",
                        "New fill valve and flush seal. Water level set, no more running.",
                    ),
                    Job(
                        "Thermostatic shower only runs cold",
                        "Hot water is fine everywhere else in the flat. The shower is a Mira bar valve.",
                        "Cleaned the filters and changed the thermostatic cartridge. 38 degrees, stable.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "electrics",
        "Electrics",
        "zap",
        (
            Kind(
                "sockets",
                "Sockets and switches",
                "plug",
                45,
                55,
                110,
                (
                    Job(
                        "Two sockets in the living room are dead",
                        "They went off together last night, the fuse board looks normal to me.",
                        "Loose neutral behind the first socket. Re-terminated and tested the ring.",
                    ),
                    Job(
                        "Add a double socket beside the desk",
                        "There is a single socket on the same wall, about a metre away. Solid wall, plastered.",
                        "Spurred a double socket with USB-C, chased in and made good. Certificate left on the table.",
                    ),
                ),
            ),
            Kind(
                "lights",
                "Lights",
                "lightbulb",
                60,
                60,
                130,
                (
                    Job(
                        "Hang a pendant over the dining table",
                        "The lamp is here, about 4 kg. The ceiling rose is half a metre off the centre.",
                        "Hook and new rose fitted to the joist, cable swagged, dimmer works.",
                    ),
                    Job(
                        "Bathroom spotlights flicker",
                        "Three of six LED spots flicker since the weekend. Shared dimmer in the hall.",
                        "Swapped the old dimmer for an LED one and one failing driver. Steady now.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "heating",
        "Heating and boilers",
        "flame",
        (
            Kind(
                "boiler",
                "Boiler repair or service",
                "flame",
                90,
                80,
                160,
                (
                    Job(
                        "Boiler loses pressure every two days",
                        "A Vaillant ecoTEC, six years old. I top it up to 1.5 bar and it is at 0.6 two days later.",
                        "Expansion vessel recharged, pressure relief valve replaced. Holds 1.4 bar.",
                    ),
                    Job(
                        "Yearly boiler service",
                        "Worcester Greenstar, last serviced fourteen months ago. Landlord certificate please.",
                        "Serviced, flue gas analysed, gas safety record sent by e-mail.",
                    ),
                ),
            ),
            Kind(
                "radiators",
                "Radiators",
                "thermometer",
                60,
                65,
                130,
                (
                    Job(
                        "Bedroom radiator stays cold",
                        "Bled it twice, only water comes out. All others are hot.",
                        "Valve pin was stuck. Freed it, balanced the radiators on that floor.",
                    ),
                    Job(
                        "Fit two thermostatic valves",
                        "I have the valves (Drayton, 15 mm). System may need draining.",
                        "Both valves fitted without a full drain, inhibitor topped up.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "locks",
        "Locks",
        "key-round",
        (
            Kind(
                "lockout",
                "Locked out",
                "door-open",
                45,
                70,
                140,
                (
                    Job(
                        "Locked out, key is inside",
                        "Front door of a first-floor flat, Yale latch, not double locked.",
                        "Opened without damage in a few minutes. The lock is fine.",
                    ),
                    Job(
                        "Key broke off in the lock",
                        "Half the key is in the cylinder. The other half and a spare are here.",
                        "Extracted the broken half, lubricated the cylinder, cut a new key.",
                    ),
                ),
            ),
            Kind(
                "new-lock",
                "Change a lock",
                "lock",
                60,
                80,
                150,
                (
                    Job(
                        "Change the cylinder after moving in",
                        "uPVC door with a euro cylinder, 35/45 I think. Three keys please.",
                        "Anti-snap cylinder fitted, 35/45, five keys handed over.",
                    ),
                    Job(
                        "Mortice lock is hard to turn",
                        "A five-lever lock, worse since it got cold. The insurance wants a British Standard one.",
                        "Door had dropped: hinge packed, new BS3621 deadlock fitted.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "appliances",
        "Appliances",
        "washing-machine",
        (
            Kind(
                "washing-machine",
                "Washing machine or dishwasher",
                "washing-machine",
                75,
                65,
                130,
                (
                    Job(
                        "Washing machine stops with water in it",
                        "Bosch, error E18. Filter is clean. Second floor, there is a lift.",
                        "Drain pump blocked by a coin and worn. Pump replaced, two cycles run.",
                    ),
                    Job(
                        "Dishwasher leaves a puddle",
                        "Always at the right front corner, after the main wash.",
                        "Lower door seal replaced and the machine levelled.",
                    ),
                ),
            ),
            Kind(
                "fridge",
                "Fridge or freezer",
                "refrigerator",
                60,
                65,
                130,
                (
                    Job(
                        "Fridge is warm, freezer is fine",
                        "Since yesterday. Samsung, frost-free, five years old. I hear no fan.",
                        "Evaporator iced up: defrosted, heater fuse replaced. 4 degrees after an hour.",
                    ),
                    Job(
                        "Freezer door does not close",
                        "The seal is torn at the bottom. Integrated Neff under the counter.",
                        "New seal ordered earlier and fitted today, hinges adjusted.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "carpentry",
        "Carpentry",
        "hammer",
        (
            Kind(
                "doors",
                "Doors and windows",
                "door-open",
                90,
                60,
                130,
                (
                    Job(
                        "Plane two doors that catch the carpet",
                        "New carpet in both bedrooms, the doors drag on it.",
                        "Both doors taken off, 8 mm trimmed, rehung and sealed.",
                    ),
                    Job(
                        "Sash window will not stay up",
                        "One cord is broken, the other looks thin. Ground floor front.",
                        "All four cords replaced and weights rebalanced. Moves with one hand.",
                    ),
                ),
            ),
            Kind(
                "shelves",
                "Shelves and fixings",
                "hammer",
                90,
                55,
                120,
                (
                    Job(
                        "Four floating shelves in an alcove",
                        "Shelves and brackets are here, walls are lath and plaster on one side.",
                        "Shelves up and level, resin anchors on the plaster side.",
                    ),
                    Job(
                        "Mount a large mirror in the hall",
                        "About 25 kg, brick wall. Somebody can help to lift.",
                        "Mirror on four anchors with safety clips, dust taken away.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "decorating",
        "Painting and decorating",
        "paint-roller",
        (
            Kind(
                "paint-room",
                "Paint a room",
                "paint-roller",
                360,
                220,
                420,
                (
                    Job(
                        "Paint a small bedroom",
                        "About 3 by 3.5 m, white now, sage green is bought. One coat of primer on a stain.",
                        "Stain blocked, two coats on the walls, one on the ceiling. Left-over paint is labelled.",
                    ),
                    Job(
                        "Freshen up hall and stairs",
                        "Scuffs and a few small cracks. Trade white for walls, satin for the banister.",
                        "Cracks filled and sanded, two coats, banister in satin. Please keep off until tonight.",
                    ),
                ),
            ),
            Kind(
                "touch-up",
                "Repair plaster or paint",
                "paint-roller",
                120,
                90,
                180,
                (
                    Job(
                        "Fill and paint where shelves were",
                        "About twelve holes and a torn patch of paper, paint is in the cupboard.",
                        "Holes filled, patch skimmed, wall painted corner to corner.",
                    ),
                    Job(
                        "Damp patch on the ceiling",
                        "The leak above is repaired and dry for a month. Half a square metre.",
                        "Sealed with stain block, filled and painted. Check again in a week.",
                    ),
                ),
            ),
        ),
    ),
    Trade(
        "it-support",
        "Computers and Wi-Fi",
        "laptop",
        (
            Kind(
                "wifi",
                "Wi-Fi and network",
                "wifi",
                60,
                50,
                100,
                (
                    Job(
                        "No Wi-Fi in the back rooms",
                        "Long Victorian terrace, router at the front. Video calls drop in the kitchen.",
                        "Two mesh nodes set up, 120 Mbit/s measured in the kitchen.",
                    ),
                    Job(
                        "Move the router and tidy the cables",
                        "It should go from the hall to the office, about six metres.",
                        "Cable clipped along the skirting, router moved, all devices back online.",
                    ),
                ),
            ),
            Kind(
                "computer",
                "Computer help",
                "laptop",
                60,
                50,
                95,
                (
                    Job(
                        "Set up a new laptop and move the files",
                        "From an old Windows 10 machine, about 80 GB of photos. The printer too, please.",
                        "Files and mail moved, printer works, old machine wiped as agreed.",
                    ),
                    Job(
                        "Laptop is slow and very hot",
                        "The fan runs all the time. A four-year-old Dell.",
                        "Fan cleaned, paste renewed, start-up programs tidied. 45 degrees at idle.",
                    ),
                ),
            ),
        ),
    ),
)

KINDS = {kind.slug: kind for trade in TRADES for kind in trade.kinds}


def make_categories() -> dict[str, ServiceCategory]:
    """The demo's service categories by slug, made where they are missing."""
    found = {}
    for trade in TRADES:
        skill, _ = Skill.objects.get_or_create(slug=trade.slug, defaults={"name": trade.name, "icon": trade.icon})
        for kind in trade.kinds:
            defaults = {
                "name": kind.name,
                "skill": skill,
                "icon": kind.icon,
                "usual_minutes": kind.minutes,
                "typical_low": Decimal(kind.low),
                "typical_high": Decimal(kind.high),
                "currency": "GBP",
            }
            found[kind.slug], _ = ServiceCategory.objects.get_or_create(slug=kind.slug, defaults=defaults)
    return found
