"""What a save costs: whom it touches is asked once where nothing that decides it changed."""

from __future__ import annotations

from typing import Any

import pytest

from bookings.live.customer import head
from bookings.models import Bid
from bookings.near import technicians_near
from bookings.tests import make
from realtime.fragments import Watch, Watching, as_it_was


@pytest.mark.parametrize(
    ("remember", "fields", "changed", "asked"),
    [
        ((), (), {}, ["after"]),
        (("status",), (), {}, ["after"]),
        (("status",), (), {"status": "withdrawn"}, ["before", "after"]),
        ((), ("status",), {"status": "withdrawn"}, ["before", "after"]),
        ((), ("status",), {}, []),
    ],
)
def test_the_row_as_it_was_is_asked_only_where_it_differs(
    remember: tuple[str, ...], fields: tuple[str, ...], changed: dict[str, Any], asked: list[str]
) -> None:
    after, rows = Bid(pk=1, booking_id=5, status="submitted"), []
    before = as_it_was(after, changed)

    def touches(row: Bid) -> list[tuple[str, str]]:
        rows.append("before" if row is before else "after")
        return []

    Watching(head, Watch(Bid, remember, fields, touches)).touched(before, after)
    assert rows == asked


def test_made_and_deleted_rows_are_asked_once() -> None:
    row, rows = Bid(pk=1, booking_id=5), []
    watching = Watching(head, Watch(Bid, touches=lambda each: rows.append(each) or []))
    watching.touched(None, row)
    watching.touched(row, None)
    assert rows == [row, row]


def test_near_a_new_job_are_those_with_the_skill_whose_radius_reaches_it(alice, bob) -> None:
    far = make.technician("Far", base=make.BRIGHTON, radius_km=100)
    make.technician("Other", "electrics")
    make.technician("Brighton", base=make.BRIGHTON)
    new = make.technician("New", verified=False)
    booking = make.job(alice)
    assert set(technicians_near(booking)) == {bob.pk, far.pk, new.pk}
    assert set(technicians_near(booking, verified=True)) == {bob.pk, far.pk}
    assert not set(technicians_near(make.draft(alice, category=None)))
