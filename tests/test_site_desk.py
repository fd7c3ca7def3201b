"""What the desk's pages cost."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import Settled
from tests.crawl import browser
from tests.test_site_access import CAST, table

MOST_QUERIES = 11  # "under 12", whatever the page


def test_no_page_of_the_desk_costs_twelve_queries(settled: Settled) -> None:
    browser(settled.people["alice"])  # the table names a session of hers
    client = browser(settled.people["frank"])
    dear = []
    for name, rows in table(settled.world, settled.road).items():
        for arguments, expected in rows:
            if not name.startswith("desk:") or expected.split()[CAST.index("frank")] != "200":
                continue
            url = reverse(name, args=arguments)
            client.get(url)  # opening a page reads what the bell tells of it, once
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            if len(queries) > MOST_QUERIES:
                dear.append(f"{url}: {len(queries)}")
    assert not dear, "\n".join(dear)
