"""Where the demo happens: neighbourhoods of London, and addresses with invented numbers on real streets."""

from __future__ import annotations

from typing import NamedTuple


class Area(NamedTuple):
    """A neighbourhood with its middle, in degrees."""

    label: str
    latitude: float
    longitude: float


class Street(NamedTuple):
    """A street with a point on it. `area` is what everybody may read."""

    name: str
    postcode: str
    area: str
    latitude: float
    longitude: float


AREAS = {
    area.label: area
    for area in (
        Area("Camden", 51.5390, -0.1426),
        Area("Islington", 51.5380, -0.1030),
        Area("Hackney", 51.5450, -0.0553),
        Area("Bethnal Green", 51.5270, -0.0549),
        Area("Stratford", 51.5420, -0.0025),
        Area("Walthamstow", 51.5840, -0.0210),
        Area("Tottenham", 51.5880, -0.0720),
        Area("Finchley", 51.5990, -0.1870),
        Area("Kilburn", 51.5370, -0.1920),
        Area("Ealing", 51.5130, -0.3050),
        Area("Hammersmith", 51.4927, -0.2240),
        Area("Wandsworth", 51.4570, -0.1930),
        Area("Brixton", 51.4613, -0.1156),
        Area("Peckham", 51.4740, -0.0690),
        Area("Lewisham", 51.4620, -0.0100),
        Area("Greenwich", 51.4780, -0.0090),
        Area("Southwark", 51.5030, -0.0900),
        Area("Croydon", 51.3760, -0.0980),
    )
}

STREETS = (
    Street("Chalcot Road", "NW1 8LS", "Primrose Hill, NW1", 51.5402, -0.1535),
    Street("Kentish Town Road", "NW5 2JU", "Kentish Town, NW5", 51.5490, -0.1410),
    Street("West End Lane", "NW6 1LJ", "West Hampstead, NW6", 51.5480, -0.1910),
    Street("Salusbury Road", "NW6 6NJ", "Queen's Park, NW6", 51.5360, -0.2050),
    Street("Chamberlayne Road", "NW10 3JU", "Kensal Rise, NW10", 51.5330, -0.2185),
    Street("Muswell Hill Broadway", "N10 1DB", "Muswell Hill, N10", 51.5905, -0.1430),
    Street("Crouch End Broadway", "N8 8DT", "Crouch End, N8", 51.5795, -0.1235),
    Street("Blackstock Road", "N4 2DR", "Finsbury Park, N4", 51.5610, -0.0985),
    Street("Upper Street", "N1 1RG", "Islington, N1", 51.5416, -0.1025),
    Street("Stoke Newington Church Street", "N16 0AP", "Stoke Newington, N16", 51.5620, -0.0790),
    Street("Mare Street", "E8 3RH", "Hackney, E8", 51.5430, -0.0553),
    Street("Broadway Market", "E8 4PH", "London Fields, E8", 51.5365, -0.0616),
    Street("Roman Road", "E3 5EG", "Bow, E3", 51.5325, -0.0370),
    Street("Hoe Street", "E17 3AP", "Walthamstow, E17", 51.5830, -0.0190),
    Street("Marchmont Street", "WC1N 1AP", "Bloomsbury, WC1", 51.5250, -0.1255),
    Street("Portobello Road", "W11 2QB", "Notting Hill, W11", 51.5150, -0.2050),
    Street("Uxbridge Road", "W12 8LH", "Shepherd's Bush, W12", 51.5055, -0.2300),
    Street("Fulham Palace Road", "W6 9PH", "Hammersmith, W6", 51.4860, -0.2215),
    Street("Northcote Road", "SW11 1NT", "Battersea, SW11", 51.4560, -0.1665),
    Street("Clapham High Street", "SW4 7UR", "Clapham, SW4", 51.4625, -0.1370),
    Street("Acre Lane", "SW2 5SP", "Brixton, SW2", 51.4618, -0.1220),
    Street("Tooting High Street", "SW17 0SF", "Tooting, SW17", 51.4275, -0.1680),
    Street("Lower Marsh", "SE1 7AE", "Waterloo, SE1", 51.5010, -0.1130),
    Street("Tower Bridge Road", "SE1 3LN", "Bermondsey, SE1", 51.4975, -0.0795),
    Street("Bellenden Road", "SE15 4QY", "Peckham, SE15", 51.4668, -0.0755),
    Street("Lordship Lane", "SE22 8HJ", "East Dulwich, SE22", 51.4555, -0.0765),
    Street("Deptford High Street", "SE8 4RT", "Deptford, SE8", 51.4785, -0.0255),
    Street("Greenwich South Street", "SE10 8UN", "Greenwich, SE10", 51.4735, -0.0135),
)
