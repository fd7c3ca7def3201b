"""Which technicians a job is near to."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.models import Technician
from bookings.models import Booking
from common.geo import Point, box_around, distance_km

FARTHEST_KM = 100  # the largest radius that a technician may have


def technicians_near(booking: Booking, *, verified: bool = False) -> Iterator[int]:
    """The technicians with the skill whose radius reaches the job's rounded point; on demand only verified ones."""
    if booking.category_id is None or booking.public_point is None:
        return
    box = box_around(booking.public_point, FARTHEST_KM)
    skilled = Technician.objects.filter(
        skills__categories=booking.category_id,
        base_latitude__range=(box.south, box.north),
        base_longitude__range=(box.west, box.east),
    )
    if verified:
        skilled = skilled.filter(verified_at__isnull=False)
    for pk, latitude, longitude, radius in skilled.values_list("pk", "base_latitude", "base_longitude", "radius_km"):
        if distance_km(Point(latitude, longitude), booking.public_point) <= radius:
            yield pk
