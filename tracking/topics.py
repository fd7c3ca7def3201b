"""Who hears of the road: each kind of topic with its rule."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from accounts.access import desk
from realtime import transport
from realtime.topics import Params, Topic
from tracking.models import Journey, ShareLink
from tracking.rules.numbers import number

# A journey that its customer sees, and a link that shows one: what is asked here when a position is about to be
# delivered is what the traveller's own screen says about who can see them.
EXPECTED = Q(closed_at__isnull=True, booking__customer__is_active=True)
STANDING_LINK = Q(revoked_at__isnull=True, journey__closed_at__isnull=True, journey__booking__customer__is_active=True)


def self_alone(user_ids: set[int], user_id: int) -> set[int]:
    """One's own page. A deactivated account loses its sockets, so no query is needed."""
    return user_ids & {user_id}


def expecting(user_ids: set[int], journey_id: int) -> set[int]:
    """The customer of the booking, while the journey is open. One query."""
    rows = Journey.objects.filter(EXPECTED, pk=journey_id, booking__customer_id__in=user_ids)
    return set(rows.values_list("booking__customer_id", flat=True))


def expecting_each(user_ids: set[int], journeys: Sequence[Params]) -> set[tuple[Params, int]]:
    """As `expecting`, of all journeys that were heard of in the same moment. One query."""
    wanted = [params[0] for params in journeys]
    rows = Journey.objects.filter(EXPECTED, pk__in=wanted, booking__customer_id__in=user_ids)
    return {((pk,), user_id) for pk, user_id in rows.values_list("pk", "booking__customer_id")}


def holding_a_link(tokens: set[str], journey_id: int) -> set[str]:
    """Those of the links that still show this journey. One query."""
    rows = ShareLink.objects.filter(STANDING_LINK, token__in=tokens, journey=journey_id)
    return set(rows.values_list("token", flat=True))


# A driver's screen, and what it hears of its own fixes.
drive_topic = Topic("user.{user_id}.drive", users=self_alone, keeps_signals=True)
fixes_topic = Topic("user.{user_id}.fixes", users=self_alone, pace=lambda: number("SENDER_EVERY_MS") / 1000)
# The moving marker. Whoever follows it sees a position, so it ends with the journey.
journey_topic = Topic("journey.{journey_id}", users=expecting, links=holding_a_link, together=expecting_each)
# The desk: positions apart from the rest, because they come in batches.
fleet_topic = Topic("desk.fleet", users=desk, pace=lambda: number("FLEET_EVERY_MS") / 1000)
dispatch_topic = Topic("desk.dispatch", users=desk)

transport.needs("live_positions", "journey.", "desk.fleet")
