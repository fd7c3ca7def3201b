"""Sums and percentiles of what processes report, and the limits they are held to."""

from __future__ import annotations

from typing import Any

import pytest

from adminpanel.health.measures import (
    TO_BROWSER,
    Lag,
    Measured,
    added,
    by_label,
    in_unit,
    lag,
    limits,
    percentile,
    reported,
    total,
)
from realtime.counters import PREFIX

INF = float("inf")
NONE = Lag(0, None, None, None)


def test_percentiles_are_spread_evenly_within_their_bucket():
    buckets = {0.1: 50, 0.2: 90, 1: 100, INF: 100}
    assert percentile(buckets, 0.5) == pytest.approx(100)
    assert percentile(buckets, 0.25) == pytest.approx(50)
    assert percentile(buckets, 0.7) == pytest.approx(150)
    assert percentile(buckets, 0.95) == pytest.approx(600)


def test_what_is_beyond_the_last_bound_is_at_least_that_and_nothing_is_none():
    assert percentile({0.1: 1, INF: 100}, 0.95) == pytest.approx(100)
    assert percentile({0.1: 0, INF: 0}, 0.5) is None and percentile({}, 0.5) is None
    assert percentile({0.1: 0, 0.2: 10, INF: 10}, 0.5) == pytest.approx(150)


def test_a_histogram_of_several_processes_is_one():
    one = {f"{PREFIX}{TO_BROWSER}_bucket{{le=0.04}}": 10.0, f"{PREFIX}{TO_BROWSER}_bucket{{le=+Inf}}": 10.0}
    two = {f"{PREFIX}{TO_BROWSER}_bucket{{le=+Inf}}": 10.0, f"{PREFIX}{TO_BROWSER}_bucket{{le=0.08}}": 10.0}
    together = added([one, two, {f"{PREFIX}{TO_BROWSER}_bucket{{le=0.08}}": 10.0}])
    found = lag(together, TO_BROWSER)
    assert found.count == 20 and found.p50 == pytest.approx(40) and found.p95 == pytest.approx(76)
    assert lag({}, TO_BROWSER) == NONE


def test_counters_are_summed_over_their_labels_and_not_mistaken_for_others():
    counts = {
        f"{PREFIX}polls_total{{result=empty}}": 5, f"{PREFIX}polls_total{{result=changed}}": 7,
        f"{PREFIX}connected_total": 3, f"{PREFIX}connected_more_total": 9,
    }  # fmt: skip
    assert total(counts, "polls") == 12 and total(counts, "connected") == 3 and total(counts, "frames") == 0
    assert by_label(counts, "polls") == {"changed": 7, "empty": 5} and by_label(counts, "connected") == {}


def test_a_process_that_reports_nothing_of_lately_reports_nothing():
    assert reported({}) == {} and reported({"lately": {"seconds": 1, "grew": {"a": 2}}}) == {"a": 2}


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(43.4, "ms", "43 ms"), (1000, "ms", "1 s"), (1240, "ms", "1.2 s"), (98.72, "%", "98.7 %"), (10, "%", "10 %")],
)
def test_values_in_words(value, unit, words):
    assert in_unit(value, unit) == words


def stands(**seen: Any) -> dict[str, tuple[bool, bool]]:
    """Of each limit whether it is crossed and whether it is clear."""
    return {each.name: (each.is_crossed, each.is_clear) for each in limits(Measured(**seen))}


FINE, BETWEEN, BAD = (False, True), (False, False), (True, False)


@pytest.mark.parametrize(
    ("connected", "failed", "how"), [(100, 0, FINE), (97, 3, FINE), (96, 4, BETWEEN), (95, 5, BETWEEN), (94, 6, BAD)]
)
def test_connections_should_succeed(connected, failed, how):
    assert stands(connected=connected, failed=failed)["connect_success"] == how


@pytest.mark.parametrize(("p95", "how"), [(10, FINE), (800, FINE), (801, BETWEEN), (1000, BETWEEN), (1001, BAD)])
def test_changes_should_come_within_a_second(p95, how):
    assert stands(lag=Lag(100, 5, p95, p95))["lag"] == how


@pytest.mark.parametrize(("polling", "how"), [(0, FINE), (8, FINE), (9, BETWEEN), (10, BETWEEN), (11, BAD)])
def test_pages_should_not_poll(polling, how):
    assert stands(sockets=100 - polling, polling=polling)["polling"] == how


def test_pages_that_a_flag_has_poll_cross_no_limit_but_are_named():
    assert stands(sockets=1, switched=99)["polling"] == FINE
    said = {each.name: each.detail for each in limits(Measured(sockets=50, polling=1, switched=9))}
    assert said["polling"] == "1 of 60 open, 9 more by a flag"


def test_too_little_says_nothing(settings):
    few = {"connected": 1, "failed": 18, "lag": Lag(19, 5000, 5000, 5000), "sockets": 0, "polling": 9}
    assert set(stands(**few).values()) == {FINE}
    assert {each.shown for each in limits(Measured(**few))} == {"no data yet"}
    settings.HEALTH = {"TRIES_LEAST": 1, "LAGS_LEAST": 1, "PAGES_LEAST": 1}
    assert set(stands(**few).values()) == {BAD}
    assert set(stands().values()) == {FINE}


def test_the_rule_in_words():
    assert [each.rule for each in limits(Measured())] == ["at least 95 %", "at most 1 s", "at most 10 %"]
