"""The desk's list of jobs: what it shows and in which order, what it costs, what moves, and the list as a file."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import DeskAction, User
from adminpanel.jobs import listing
from adminpanel.jobs.listing import Found
from adminpanel.live import bookings as live_bookings
from adminpanel.views.bookings import BATCH
from bookings import actions
from bookings.models import Booking, Session
from bookings.tests import make
from bookings.tests.follow import audience, on, sent, touched_by
from bookings.tests.make import DAY, HOUR, MINUTE
from notifications.models import Notification
from realtime.bulk import bulk_create, bulk_update

JOBS = "/desk/bookings/"


@pytest.fixture
def desk(client: Client, frank: User) -> Client:
    """Frank's browser."""
    client.force_login(frank)
    return client


def rows(client: Client, query: str = "") -> list[int]:
    """The jobs on the list, in its order."""
    html = client.get(f"{JOBS}{query}").content.decode()
    return [int(pk) for pk in re.findall(r'id="adminpanel-booking-row-(\d+)"', html)]


def job(customer: User, days: int = 2, **changes: Any) -> Booking:
    """A job wanted in some days, placed just now."""
    now = timezone.now()
    window = {"window_start": now + days * DAY, "window_end": now + days * DAY + 4 * HOUR}
    return make.job(customer, now=now, **{**window, **changes})


def visit(customer: User, worker: User, days: int = 2, **changes: Any) -> Session:
    """A booked visit."""
    now = timezone.now()
    return make.accept(make.offer(job(customer, days, **changes), worker, now=now), now=now)


def started(session: Session, ago: timedelta) -> Session:
    """The same visit, which should have begun so long ago."""
    start = timezone.now() - ago
    times = {"starts_at": start, "ends_at": start + HOUR, "blocked_until": start + 2 * HOUR}
    bulk_update(Session.objects.filter(pk=session.pk), **times)
    return make.fresh(session)


# --- Which ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_other_roles_are_refused(client: Client, request: Any, who: str) -> None:
    client.force_login(request.getfixturevalue(who))
    for name in ("bookings", "booking_new", "bookings_export"):
        url = reverse(f"desk:{name}")
        assert (client.get(url).status_code, client.post(url).status_code) in {(403, 403), (403, 405)}


def test_the_first_use_says_what_it_is_for(desk: Client) -> None:
    html = desk.get(JOBS).content.decode()
    assert "No jobs yet" in html and reverse("desk:booking_new") in html and html.count("<h1") == 1


def test_every_placed_job_is_there_the_newest_first(desk: Client, alice: User, charlie: User) -> None:
    make.draft(alice, title="Nobody's business")
    first, second = job(alice), job(charlie)
    assert rows(desk) == [second.pk, first.pk]
    assert rows(desk, "?sort=oldest") == [first.pk, second.pk]


def test_wanted_soonest_is_by_the_window(desk: Client, alice: User) -> None:
    late, soon = job(alice, 5), job(alice, 1)
    assert rows(desk, "?sort=when") == [soon.pk, late.pk]


def test_each_state_has_its_list(desk: Client, alice: User, bob: User) -> None:
    now = timezone.now()
    open_, booked = job(alice), visit(alice, bob, 3)
    door, work = make.waiting(visit(alice, bob, 4), at=now), make.live(visit(alice, bob, 5), at=now)
    off = actions.cancel_booking(job(alice), by=alice, reason="mistake")
    assert rows(desk, "?show=open") == [open_.pk]
    assert rows(desk, "?show=assigned") == [booked.booking_id]
    assert rows(desk, "?show=on_site") == [work.booking_id, door.booking_id]
    assert (rows(desk, "?show=waiting"), rows(desk, "?show=live")) == ([door.booking_id], [work.booking_id])
    assert rows(desk, "?show=over") == [off.pk]
    actions.complete_session(work, by=bob, note="Done.")
    assert rows(desk, "?show=completed") == rows(desk, "?show=today") == [work.booking_id]
    assert len(rows(desk, "?show=nonsense")) == 5


def test_who_waits_too_long_and_who_is_late(desk: Client, alice: User, bob: User) -> None:
    open_, fresh = job(alice), job(alice)
    bulk_update(Booking.objects.filter(pk=open_.pk), target_passed_at=timezone.now())
    late = started(visit(alice, bob), 10 * MINUTE)
    assert rows(desk, "?show=unassigned") == [open_.pk] and rows(desk, "?show=late") == [late.booking_id]
    html = desk.get(JOBS).content.decode()
    assert html.count("Past target</span>") == 1 and html.count('data-state="late"') == 1
    assert fresh.pk in rows(desk)


def test_a_search_finds_both_sides_the_place_and_the_number(desk: Client, alice: User, bob: User) -> None:
    alice.phone = "+44 7700 900321"
    alice.save(update_fields=["phone"])
    found = visit(alice, bob, title="Boiler is cold").booking
    job(make.person("Someone"), title="Garden", postcode="SE1 1AA")
    for words in ("boiler", "alice", "alice@example", "900321", "bob", "NW1", f"%23{found.pk}", "cold alice"):
        assert rows(desk, f"?q={words}") == [found.pk], words
    assert rows(desk, "?q=boiler+garden") == [] and "Nothing matches" in desk.get(f"{JOBS}?q=xyz").content.decode()
    assert desk.get(f"{JOBS}?q=%00%27;--").status_code == 200


def test_a_day_shows_what_is_wanted_and_what_happens_then(desk: Client, alice: User, bob: User) -> None:
    wanted = job(alice, 3)
    moved = visit(alice, bob, 9)
    there = make.fresh(wanted).window_start
    bulk_update(
        Session.objects.filter(pk=moved.pk), starts_at=there, ends_at=there + HOUR, blocked_until=there + 2 * HOUR
    )
    job(alice, 6)
    day = f"{there.astimezone(wanted.zone):%Y-%m-%d}"
    assert rows(desk, f"?day={day}") == [moved.booking_id, wanted.pk]
    assert len(rows(desk, "?day=nonsense")) == 3


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"])
def test_a_day_at_the_ends_of_the_calendar_has_no_jobs(desk: Client, alice: User, day: str) -> None:
    job(alice)
    assert rows(desk, f"?day={day}") == []
    assert f'value="{day}"' in desk.get(f"{JOBS}?day={day}").content.decode()
    assert exported(desk, f"?day={day}", reason="For the books") == []


def test_a_kind_of_job_has_its_list(desk: Client, alice: User) -> None:
    leak, power = job(alice), job(alice, category=make.category("fuse", "electrics"))
    assert rows(desk, f"?category={power.category_id}") == [power.pk]
    assert rows(desk, f"?category={leak.category_id}") == [leak.pk] and len(rows(desk, "?category=x")) == 2


# --- Pages ----------------------------------------------------------------------------------------


@pytest.fixture
def many(alice: User) -> list[int]:
    """Seven jobs, two of them wanted at the same instant."""
    days = (4, 1, 6, 2, 5, 3, 3)
    start = timezone.now() + DAY
    made = [
        job(alice, title=f"Wanted{day}", window_start=start + day * DAY, window_end=start + day * DAY + HOUR)
        for day in days
    ]
    return [each.pk for each in made]


def walked(query: str) -> list[list[int]]:
    """All pages, one after the other, and back again to be the same."""
    pages = [found := Found(QueryDict(query))]
    while found.older:
        pages.append(found := Found(QueryDict(found.older)))
    back = [found]
    while found.newer:
        back.append(found := Found(QueryDict(found.newer)))
    assert [each.keys for each in reversed(back)] == [each.keys for each in pages]
    return [each.keys for each in pages]


@pytest.mark.parametrize("sort", ["newest", "oldest", "when"])
def test_pages_hold_every_job_once_there_and_back(many: list[int], monkeypatch: Any, sort: str) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    pages = walked(f"sort={sort}")
    times = dict(Booking.objects.values_list("pk", "window_start"))
    keys = {"newest": lambda pk: -pk, "oldest": lambda pk: pk, "when": lambda pk: (times[pk], pk)}
    assert [pk for page in pages for pk in page] == sorted(many, key=keys[sort])
    assert [len(page) for page in pages] == [2, 2, 2, 1]


def test_a_page_stays_where_it_is_while_new_jobs_come(many: list[int], alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    second = Found(QueryDict("")).older
    before = Found(QueryDict(second)).keys
    job(alice)
    assert Found(QueryDict(second)).keys == before


def test_links_to_pages_keep_what_was_asked(many: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    asked = parse_qs(Found(QueryDict("show=open&q=wanted&sort=when")).older)
    assert {name: asked[name][0] for name in ("show", "q", "sort")} == {"show": "open", "q": "wanted", "sort": "when"}


def test_a_place_that_is_none_is_the_first_page(many: list[int]) -> None:
    first = Found(QueryDict("")).keys
    for nonsense in ("after=x", "before=-1", "after=99999999999999999999", "sort=when&after=0"):
        assert set(Found(QueryDict(nonsense)).keys) == set(first), nonsense


def test_more_than_can_be_counted_cheaply_is_not_counted(many: list[int], monkeypatch: Any) -> None:
    assert Found(QueryDict("")).counted == "7 jobs" and Found(QueryDict("q=wanted6")).counted == "1 job"
    monkeypatch.setattr(listing, "COUNTED", 5)
    assert Found(QueryDict("")).counted == "5+ jobs"


def test_the_list_costs_under_twelve_queries_whatever_is_on_it(
    desk: Client, alice: User, bob: User, dora: User, many: list[int]
) -> None:
    visit(alice, bob)
    make.offer(Booking.objects.get(pk=many[0]), dora, now=timezone.now())

    def cost(query: str) -> int:
        desk.get(f"{JOBS}{query}")
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(f"{JOBS}{query}").status_code == 200
        return len(seen)

    few = cost("")
    for day in range(3, 12):
        visit(alice, bob, day)
    assert cost("") == few < 12
    assert cost("?show=late&q=alice+test&day=2027-03-02&sort=when&after=3") < 12


# --- What moves -----------------------------------------------------------------------------------


def topic_of(booking: Booking | int) -> str:
    """Where a job's row stands."""
    return f"desk.booking.{booking if isinstance(booking, int) else booking.pk}"


def test_a_new_job_is_told_to_lists_of_all_and_of_the_open(alice: User, frank: User, bob: User) -> None:
    draft = make.draft(alice)
    touches = touched_by(lambda: actions.open_booking(draft, by=alice, now=make.NOW))
    row = ("adminpanel.booking_row", str(draft.pk))
    for topic in ("desk.bookings", "desk.bookings.open", topic_of(draft)):
        assert row in on(touches, topic), topic
    assert audience(touches, "adminpanel.booking_row", frank, alice, bob) == {"Frank"}


def test_what_changes_on_a_job_reaches_its_row_and_no_list(alice: User, bob: User, frank: User) -> None:
    booking = job(alice)
    touches = {
        each for each in touched_by(lambda: make.offer(booking, bob, now=timezone.now()))
        if each.fragment == "adminpanel.booking_row"
    }  # fmt: skip
    assert {each.topic for each in touches} == {topic_of(booking)}
    html = sent(touches, frank)[f"adminpanel-booking-row-{booking.pk}"]
    assert html and "1 offer" in html


def test_a_job_that_is_taken_leaves_one_list_and_enters_another(alice: User, bob: User, frank: User) -> None:
    bid = make.offer(job(alice), bob, now=timezone.now())
    touches = touched_by(lambda: make.accept(bid, now=timezone.now()))
    row = ("adminpanel.booking_row", str(bid.booking_id))
    assert row in on(touches, "desk.bookings.open") and row in on(touches, "desk.bookings.assigned")
    assert row not in on(touches, "desk.bookings")
    only = {each for each in touches if each.topic == "desk.bookings.open"}
    assert sent(only, frank) == {f"adminpanel-booking-row-{bid.booking_id}": None}


def test_a_new_name_moves_the_rows_that_show_it(alice: User, bob: User, charlie: User) -> None:
    session, other = visit(alice, bob), job(charlie)

    def renamed(user: User) -> set[str]:
        user.name = "Somebody Else"
        touches = touched_by(lambda: user.save(update_fields=["name"]))
        return {each.topic for each in touches if each.fragment == "adminpanel.booking_row"}

    assert renamed(alice) == {topic_of(session.booking_id)} == renamed(bob)
    assert renamed(charlie) == {topic_of(other)}


def test_who_becomes_late_is_told_by_the_clock_once(alice: User, bob: User, frank: User) -> None:
    session = started(visit(alice, bob), 5 * MINUTE)
    now = timezone.now()
    touches = touched_by(lambda: live_bookings.tell_late(now - MINUTE, now))
    row = ("adminpanel.booking_row", str(session.booking_id))
    assert row in on(touches, "desk.bookings.late") and row in on(touches, topic_of(session.booking_id))
    assert "late" in str(sent(touches, frank)[f"adminpanel-booking-row-{session.booking_id}"])
    assert not touched_by(lambda: live_bookings.tell_late(now, now + MINUTE))


def test_who_comes_after_all_leaves_the_list_of_the_late(alice: User, bob: User, frank: User) -> None:
    session = started(visit(alice, bob), 10 * MINUTE)
    touches = touched_by(lambda: make.waiting(session, at=timezone.now()))
    only = {each for each in touches if each.topic == "desk.bookings.late"}
    assert sent(only, frank)[f"adminpanel-booking-row-{session.booking_id}"] is None


def test_opening_the_list_reads_what_the_bell_tells_of_it(desk: Client, alice: User, frank: User) -> None:
    from bookings import due

    make.job(alice)
    due.notice_waiting(make.NOW + 2 * HOUR)
    assert Notification.objects.get(user=frank).read_at is None
    desk.get(JOBS)
    assert Notification.objects.get(user=frank).read_at is not None


# --- As a file ------------------------------------------------------------------------------------


def exported(client: Client, query: str = "", **data: str) -> list[dict[str, str]]:
    """The rows of the file."""
    answer = client.post(f"{reverse('desk:bookings_export')}{query}", data)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_what_the_list_shows_in_its_order(desk: Client, many: list[int]) -> None:
    assert [int(row["Number"]) for row in exported(desk, "?sort=oldest")] == sorted(many)
    assert [row["Job"] for row in exported(desk, "?q=wanted6")] == ["Wanted6"]
    assert exported(desk, "?show=late") == []


def test_a_row_says_it_all_in_the_zone_of_the_place(desk: Client, alice: User, bob: User) -> None:
    session = visit(alice, bob)
    row = exported(desk)[0]
    local = session.starts_at.astimezone(session.booking.zone)
    assert row["Customer"] == "Alice Test" and row["Technician"] == "Bob Test" and row["State"] == "Assigned"
    assert (row["Price"], row["Currency"], row["Visit from"]) == ("60.00", "GBP", local.isoformat(timespec="minutes"))
    assert row["Address"] == "12 Inverness Street" and row["E-mail"] == "alice@example.org"


def test_what_people_typed_runs_in_no_spreadsheet(desk: Client, alice: User) -> None:
    alice.name, alice.phone = '=HYPERLINK("http://evil")', "+44 7700 900321"
    alice.save(update_fields=["name", "phone"])
    job(alice, title="@SUM(A1)", address_line1="-2+3")
    row = exported(desk)[0]
    assert (row["Job"], row["Phone"], row["Address"]) == ("'@SUM(A1)", "'+44 7700 900321", "'-2+3")
    assert row["Customer"].startswith("'=")


def test_batches_meet_without_a_gap(desk: Client, many: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr("adminpanel.views.bookings.BATCH", 3)
    for sort in ("newest", "oldest", "when"):
        found = [int(row["Number"]) for row in exported(desk, f"?sort={sort}")]
        assert sorted(found) == sorted(many) and found == Found(QueryDict(f"sort={sort}")).keys


def test_who_took_the_file_is_in_the_audit(desk: Client, frank: User, many: list[int]) -> None:
    page = desk.get(f"{reverse('desk:bookings_export')}?show=open").content.decode()
    assert "7 jobs" in page and not DeskAction.objects.exists()
    exported(desk, "?show=open", reason="For the \0accountant")
    line = DeskAction.objects.get()
    assert (line.actor, line.verb, line.label, line.reason) == (
        frank,
        "exported_bookings",
        "Open",
        "For the accountant",
    )
    assert line.details == {"filters": ["", "show: open"], "rows": ["", 7]}


def test_a_long_file_is_made_while_it_is_sent(desk: Client, alice: User) -> None:
    """A page of rows at a time, by keyset: the first piece leaves before the second is asked for."""
    first = job(alice)
    copies = [Booking(**{f.attname: getattr(first, f.attname) for f in Booking._meta.concrete_fields if f.name != "id"})
              for _ in range(2100)]  # fmt: skip
    bulk_create(Booking, copies, batch_size=500)
    answer = desk.post(reverse("desk:bookings_export"))
    parts = iter(answer)
    next(parts)
    with CaptureQueriesContext(connection) as seen:
        assert next(parts).count(b"\n") == BATCH
    assert len(seen) == 3  # the ids, the jobs, their visits
    assert sum(part.count(b"\n") for part in parts) == len(copies) + 1 - BATCH
