"""What the desk's pages cost."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from bookings.models import Booking
from bookings.states import BookingStatus
from chat.models import Conversation
from tests.conftest import Settled
from tests.crawl import browser
from tests.test_site_access import CAST, table

MOST_QUERIES = 11  # "under 12", whatever the page


def test_no_page_of_the_desk_costs_twelve_queries(settled: Settled) -> None:
    browser(settled.people["alice"])  # the table names a session of hers
    client = browser(settled.people["frank"])
    dear = []
    for url in pages(settled):
        client.get(url)  # opening a page reads what the bell tells of it, once
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        if len(queries) > MOST_QUERIES:
            dear.append(f"{url}: {len(queries)}")
    assert not dear, "\n".join(dear)


def pages(settled: Settled) -> list[str]:
    """Every address of the desk; of people, jobs and conversations, which differ a lot, all there are."""
    named = [
        reverse(name, args=arguments)
        for name, rows in table(settled.world, settled.road).items()
        for arguments, expected in rows
        if name.startswith("desk:") and expected.split()[CAST.index("frank")] == "200"
    ]
    kinds: dict[str, Iterable[Model]] = {
        "desk:person": User.objects.all(),
        "desk:booking": Booking.objects.exclude(status=BookingStatus.DRAFT),
        "desk:conversation": Conversation.objects.all(),
    }
    return [*named, *(reverse(name, args=[row.pk]) for name, rows in kinds.items() for row in rows)]
