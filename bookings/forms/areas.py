"""Neighbourhoods to choose from where there is no geocoder and no map: London's, for the default site."""

from __future__ import annotations

from typing import NamedTuple

from common.geo import Point, distance_km


class Area(NamedTuple):
    """A neighbourhood: what everybody may read, and its middle in degrees."""

    label: str
    latitude: float
    longitude: float

    @property
    def point(self) -> Point:
        """Its middle."""
        return Point(self.latitude, self.longitude)


AREAS = tuple(
    Area(*each)
    for each in (
        ("Barking, IG11", 51.5390, 0.0810),
        ("Barnet, EN5", 51.6530, -0.2000),
        ("Battersea, SW11", 51.4640, -0.1640),
        ("Bermondsey, SE16", 51.4970, -0.0640),
        ("Bethnal Green, E2", 51.5290, -0.0600),
        ("Blackheath, SE3", 51.4660, 0.0090),
        ("Bloomsbury, WC1", 51.5220, -0.1250),
        ("Bow, E3", 51.5290, -0.0240),
        ("Brixton, SW2", 51.4560, -0.1170),
        ("Bromley, BR1", 51.4060, 0.0190),
        ("Camden, NW1", 51.5390, -0.1426),
        ("Chelsea, SW3", 51.4900, -0.1640),
        ("Chiswick, W4", 51.4930, -0.2590),
        ("City of London, EC2", 51.5180, -0.0870),
        ("Clapham, SW4", 51.4620, -0.1380),
        ("Clerkenwell, EC1", 51.5240, -0.1050),
        ("Crouch End, N8", 51.5795, -0.1235),
        ("Croydon, CR0", 51.3740, -0.0980),
        ("Dulwich, SE21", 51.4410, -0.0860),
        ("Ealing, W5", 51.5130, -0.3050),
        ("Enfield, EN1", 51.6520, -0.0700),
        ("Finchley, N3", 51.5990, -0.1920),
        ("Finsbury Park, N4", 51.5700, -0.1020),
        ("Forest Hill, SE23", 51.4390, -0.0530),
        ("Fulham, SW6", 51.4770, -0.2010),
        ("Greenwich, SE10", 51.4820, -0.0050),
        ("Hackney, E8", 51.5450, -0.0640),
        ("Hammersmith, W6", 51.4930, -0.2290),
        ("Hampstead, NW3", 51.5550, -0.1750),
        ("Harrow, HA1", 51.5800, -0.3370),
        ("Hounslow, TW3", 51.4690, -0.3640),
        ("Ilford, IG1", 51.5590, 0.0720),
        ("Islington, N1", 51.5380, -0.1010),
        ("Kensington, W8", 51.5010, -0.1930),
        ("Kentish Town, NW5", 51.5530, -0.1440),
        ("Kilburn, NW6", 51.5420, -0.1960),
        ("Kingston, KT1", 51.4100, -0.3000),
        ("Lewisham, SE13", 51.4580, -0.0100),
        ("Leyton, E10", 51.5680, -0.0120),
        ("Leytonstone, E11", 51.5680, 0.0140),
        ("Marylebone, W1", 51.5190, -0.1500),
        ("Muswell Hill, N10", 51.5930, -0.1440),
        ("New Cross, SE14", 51.4760, -0.0410),
        ("Notting Hill, W11", 51.5120, -0.2050),
        ("Paddington, W2", 51.5150, -0.1790),
        ("Peckham, SE15", 51.4720, -0.0640),
        ("Pimlico, SW1", 51.4920, -0.1370),
        ("Poplar, E14", 51.5080, -0.0140),
        ("Putney, SW15", 51.4610, -0.2170),
        ("Richmond, TW9", 51.4650, -0.2950),
        ("Romford, RM1", 51.5790, 0.1830),
        ("Shepherd's Bush, W12", 51.5080, -0.2370),
        ("Southwark, SE1", 51.5000, -0.0930),
        ("Stoke Newington, N16", 51.5620, -0.0760),
        ("Stratford, E15", 51.5410, 0.0040),
        ("Streatham, SW16", 51.4220, -0.1280),
        ("Sutton, SM1", 51.3660, -0.1930),
        ("Sydenham, SE26", 51.4280, -0.0550),
        ("Tooting, SW17", 51.4300, -0.1650),
        ("Tottenham, N17", 51.5990, -0.0690),
        ("Twickenham, TW1", 51.4490, -0.3260),
        ("Uxbridge, UB8", 51.5430, -0.4800),
        ("Walthamstow, E17", 51.5860, -0.0180),
        ("Wandsworth, SW18", 51.4530, -0.1930),
        ("Wembley, HA9", 51.5570, -0.2820),
        ("Wimbledon, SW19", 51.4230, -0.2050),
        ("Wood Green, N22", 51.6010, -0.1110),
        ("Woolwich, SE18", 51.4870, 0.0660),
    )
)
BY_LABEL = {area.label: area for area in AREAS}
NEAR_KM = 4.0


def nearest(point: Point) -> Area | None:
    """The neighbourhood whose middle is closest to `point`, if it is a neighbour at all."""
    best = min(AREAS, key=lambda area: distance_km(area.point, point))
    return best if distance_km(best.point, point) <= NEAR_KM else None


def label_for(point: Point, town: str, postcode: str) -> str:
    """What everybody may read about where a job is: never more than the neighbourhood and the outward postcode."""
    outward = postcode.upper().split(" ")[0] if " " in postcode.strip() else ""
    near = nearest(point)
    if near is not None:
        name, _, code = near.label.rpartition(", ")
        return f"{name}, {outward or code}"
    return ", ".join(part for part in (town, outward) if part) or "Elsewhere"
