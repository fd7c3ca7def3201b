"""The health page: what processes report, what is wrong, and that the desk hears of a crossed limit once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminpanel import due
from adminpanel.due import health as due_health
from adminpanel.health.overview import GROUPS, Health, health
from adminpanel.live.health import last_alerts, load_alerts
from adminpanel.models import Alert
from notifications.models import Notification
from realtime.counters import PREFIX
from realtime.models import JournalRow, Presence, ServerProcess
from tests.crawl import browser


@pytest.fixture(autouse=True)
def first_look(db: None) -> Iterator[None]:
    """A clock that has just started."""
    due_health._looked = due_health._asked = None
    yield
    due_health._looked = due_health._asked = None


def process(
    name: str = "web:1", *, seconds: float = 0, grew: Any = None, now: Any = None, **fields: Any
) -> ServerProcess:
    """A process that reported so many seconds ago."""
    counters = {
        "lately": {"seconds": 300, "grew": {f"{PREFIX}{key}": value for key, value in (grew or {}).items()}},
        "now": {"bells": 0, "hellos": 0, "changes": 0, "behind": 0, "said": 0, "tail_age": 0.1, "layer": "ok",
                "failing": [], **(now or {})},
    }  # fmt: skip
    at = timezone.now()
    return ServerProcess.objects.create(
        id=uuid4(), name=name, started_at=at, seen_at=at - timedelta(seconds=seconds), counters=counters, **fields
    )


def clock(**fields: Any) -> ServerProcess:
    """A clock that ticks."""
    at = timezone.now()
    return ServerProcess.objects.create(
        id=uuid4(), name="clock:2", kind="clock", started_at=at, seen_at=at, counters={"done": 1, "late": [], **fields}
    )


def page(of: ServerProcess, who: User | str, *, way: str = "socket", seconds: float = 0, **fields: Any) -> Presence:
    """An open page of a user, or of a link."""
    at = timezone.now() - timedelta(seconds=seconds)
    kind, name = ("user", str(who.pk)) if isinstance(who, User) else ("link", who)
    return Presence.objects.create(
        process=of,
        page_id=str(uuid4()),
        kind=kind,
        principal=name,
        page="/",
        transport=way,
        since=at,
        seen_at=at,
        **fields,
    )


def look(seconds: float = 0, on: datetime | None = None) -> int:
    """The clock looks at the limits."""
    return due_health.look_at_limits((on or timezone.now()) + timedelta(seconds=seconds))


def shown(client: Client) -> str:
    """The page."""
    return client.get(reverse("desk:health")).content.decode()


# --- What is measured -----------------------------------------------------------------------------


def test_pages_are_counted_by_process_role_and_way(alice, bob, ed, frank, django_assert_num_queries):
    one, two = process("web:1"), process("web:2")
    for who, way in ((alice, "socket"), (alice, "poll"), (ed, "socket"), ("a-link", "switched")):
        page(one, who, way=way)
    page(two, frank)
    page(two, bob, seconds=3600)  # left behind
    with django_assert_num_queries(2):
        found = health()
        assert [row.process.name for row in found.web] == ["web:1", "web:2"]
        first, second = found.web
        assert dict(zip(GROUPS, first.by_group, strict=True)) == {
            "customer": 2, "technician": 0, "driver": 1, "admin": 0, "link": 1,
        }  # fmt: skip
        assert (first.all_pages, first.asking, second.all_pages, second.asking) == (4, 2, 1, 0)
        assert (found.measured.sockets, found.measured.polling, found.measured.switched) == (3, 1, 1)
        assert dict(found.groups)["Customer"] == 2 and dict(found.groups)["By link"] == 1


def test_what_grew_lately_is_added_up_and_silent_processes_count_no_more():
    grew = {
        "connected_total": 60,
        "connects_failed_total": 2,
        "frames_total": 500,
        "sockets_refused_total{why=origin}": 3,
    }
    process("web:1", grew=grew)
    process("web:2", grew=grew)
    process("web:3", grew=grew, seconds=3600)
    found = health()
    assert (found.measured.connected, found.measured.failed) == (120, 4)
    assert {label: count for label, count, _ in found.tallies}["Frames sent"] == 1000
    assert found.refused == {"origin": 6}
    assert [row.troubles for row in found.web] == [[], [], ["does not report"]]


def troubles(**now: Any) -> list[str]:
    """Of one process."""
    process(now=now)
    return health().web[0].troubles


def test_what_is_wrong_with_a_process_is_said(settings):
    settings.REDIS_URL = "redis://there"
    assert troubles(tail_age=12, layer="failing", failing=["tail"]) == [
        "read the journal 12 s ago", "does not reach Redis", "tail failed",
    ]  # fmt: skip
    settings.REDIS_URL = ""
    assert "its channel layer fails" in health().web[0].troubles


def test_queues_are_added_up():
    process(now={"bells": 2, "hellos": 3, "behind": 1, "said": None})
    assert health().web[0].queue == 6


def words(found: Health) -> dict[str, tuple[bool, str]]:
    """What it stands on."""
    return {part.label: (part.is_well, part.words) for part in found.parts}


def test_it_is_seen_that_no_clock_runs_or_that_one_is_late():
    assert words(health())["Clock"][0] is False
    ticking = clock()
    assert words(health())["Clock"] == (True, "One runs")
    clock()
    assert words(health())["Clock"] == (True, "2 run")
    ticking.counters = {"late": ["notifications"]}
    ticking.save(update_fields=["counters"])
    assert words(health())["Clock"] == (False, "Still busy with the tick before: notifications")
    ServerProcess._base_manager.update(seen_at=timezone.now() - timedelta(hours=1))
    assert words(health())["Clock"][1].startswith("None runs") and health().web == []


def test_what_tells_other_processes(settings):
    settings.REDIS_URL = ""
    process("web:1")
    process("web:2", now={"layer": "failing"})
    assert words(health())["Between processes"][0] is True
    settings.REDIS_URL = "redis://there"
    assert words(health())["Between processes"] == (False, "1 of 2 processes do not reach it")
    ServerProcess._base_manager.filter(name="web:2").delete()
    assert words(health())["Between processes"] == (True, "Redis, reached by all")
    assert connection.display_name in words(health())["Database"][1]


# --- The page -------------------------------------------------------------------------------------


def test_the_page_says_that_all_is_well_and_what_is_not(frank, django_assert_max_num_queries):
    desk = browser(frank)
    clock()
    for number in range(30):
        page(process(f"web:{number}", grew={"connected_total": 10}), frank)
    with django_assert_max_num_queries(11):
        said = shown(desk)
    assert "All is well." in said and "web:29" in said and "100 %" in said and "No limit has been crossed" in said
    process("web:30", grew={"connects_failed_total": 100})
    said = shown(desk)
    assert "All is well." not in said and "Connections that succeed: 75 %, at least 95 %" in said


def test_an_empty_site_has_a_page_too(frank):
    said = shown(browser(frank))
    assert "No process has reported yet" in said and "Too little to say" in said and "None runs" in said


def test_the_page_moves_with_each_report(db):
    row = process()
    QuerySet(JournalRow).delete()
    row.counters = {}
    row.save(update_fields=["counters"])
    touched = list(JournalRow.objects.values_list("topic", "fragment", "key", "latest"))
    assert touched == [("desk.health", "adminpanel.health", "all", False)]


# --- Alerts ---------------------------------------------------------------------------------------


def told(user: User) -> list[str]:
    """What the bell says, the oldest first."""
    return [str(row.text) for row in Notification.objects.filter(user=user).order_by("pk")]


def bad() -> ServerProcess:
    """A process whose pages hear late."""
    bound = "commit_to_browser_seconds_bucket"
    return process(grew={f"{bound}{{le=1.0}}": 10, f"{bound}{{le=5.0}}": 100, f"{bound}{{le=+Inf}}": 100})


def test_a_crossed_limit_is_told_once_and_once_more_when_it_clears(alice, frank, settings):
    settings.HEALTH = {"LOOK_SECONDS": 1}
    slow = bad()
    assert look() == 1 and look(1) == 0 and look(2) == 0
    assert told(frank) == ["From commit to page: 4.8 s. It should be at most 1 s"] and told(alice) == []
    alert = Alert.objects.get()
    assert alert.limit == "lag" and alert.value == pytest.approx(4777.8, abs=1) and alert.cleared_at is None
    slow.counters = {}
    slow.save(update_fields=["counters"])
    assert look(3) == 1 and look(4) == 0
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    assert told(frank)[1:] == ["From commit to page is well again: no data yet"]
    bad()
    assert look(5) == 1 and Alert.objects.count() == 2 and len(told(frank)) == 3


def test_it_looks_every_few_seconds_only(frank):
    now = timezone.now()
    assert look(on=now) == 0
    bad()
    assert look(4, on=now) == 0 and look(5, on=now) == 1


def test_the_clock_looks(frank):
    bad()
    assert due.run_due(timezone.now()) >= 1 and len(told(frank)) == 1


def test_between_bound_and_margin_an_alert_neither_comes_nor_goes(frank):
    of = process()
    pages = [page(of, frank, way="poll" if number < 11 else "socket") for number in range(100)]
    assert look() == 1
    pages[0].delete()
    Presence._base_manager.filter(pk__in=[each.pk for each in pages[1:3]]).update(transport="socket")
    assert look(6) == 0 and Alert.objects.get().cleared_at is None  # 8 of 99 is over 8 %
    Presence._base_manager.filter(pk=pages[3].pk).update(transport="socket")
    assert look(12) == 1


def test_two_clocks_raise_one_alert(frank):
    bad()
    [limit] = [each for each in health().limits if each.is_crossed]
    assert due_health.raise_alert(limit, timezone.now()) and not due_health.raise_alert(limit, timezone.now())
    assert Alert.objects.count() == 1 and len(told(frank)) == 1
    assert due_health.clear_alert(limit, timezone.now()) and not due_health.clear_alert(limit, timezone.now())


def test_old_alerts_are_forgotten_when_one_clears(frank):
    long_ago = timezone.now() - timedelta(days=100)
    Alert.objects.create(limit="lag", value=2000, raised_at=long_ago, cleared_at=long_ago)
    slow = bad()
    look()
    slow.delete()
    look(6)
    assert [row.value > 4000 for row in Alert.objects.all()] == [True]


def test_alerts_are_listed_the_newest_first_and_say_whether_they_stand(frank):
    now = timezone.now()
    old = Alert.objects.create(limit="polling", value=12.25, raised_at=now - timedelta(hours=2), cleared_at=now)
    new = Alert.objects.create(limit="connect_success", value=80, raised_at=now - timedelta(hours=1))
    assert last_alerts() == [new.pk, old.pk]
    rows = load_alerts([str(new.pk), str(old.pk)])
    assert rows[str(new.pk)].order < rows[str(old.pk)].order
    said = shown(browser(frank))
    assert "Pages that poll: 12.2 %" in said and "Connections that succeed: 80 %" in said
    assert said.index("Connections that succeed: 80 %") < said.index("Pages that poll: 12.2 %") and "Stands" in said
