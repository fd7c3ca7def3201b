"""Addresses to places, by the Nominatim-compatible service that a site may name in `GEOCODER_URL`."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings

from common.geo import Point, is_place

log = logging.getLogger(__name__)
PATIENCE = 4.0  # seconds; a form must not hang on somebody else's server
MOST_BYTES = 100_000


def find_place(address: str) -> Point | None:
    """The place of `address`; None without a geocoder, when it knows none, or when it does not answer."""
    if not settings.GEOCODER_URL or not address.strip():
        return None
    query = urlencode({"q": address, "format": "jsonv2", "limit": 1})
    # The settings refuse any scheme but http and https.
    request = Request(f"{settings.GEOCODER_URL}?{query}", headers={"User-Agent": "Callout"})  # noqa: S310
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return read(json.loads(answer.read(MOST_BYTES)))
    except (OSError, ValueError) as error:
        log.warning("The geocoder gave no answer: %s", error)
        return None


def read(found: object) -> Point | None:
    """The first place in a Nominatim answer."""
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return None
    point = Point(float(found[0].get("lat", "nan")), float(found[0].get("lon", "nan")))
    return point if is_place(*point) else None
