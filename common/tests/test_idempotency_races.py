"""The same request at the same moment, on real connections."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from common.idempotency import REPLAYED, idempotent
from common.models import IdempotencyKey
from common.refusals import Conflict
from common.tests.race import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = SimpleNamespace(pk=1, is_authenticated=True)


def post(key: str = "k1", **data: str) -> HttpRequest:
    request = RequestFactory().post("/jobs/5/accept", {"idempotency_key": key, **data})
    request.user, request.htmx = ALICE, True
    return request


def effect() -> None:
    IdempotencyKey.objects.create(principal="effect", key=str(time.perf_counter_ns()))


def effects() -> int:
    return IdempotencyKey.objects.filter(principal="effect").count()


def slow(request: HttpRequest) -> HttpResponse:
    """Takes long enough that all the others arrive meanwhile."""
    effect()
    time.sleep(0.3)
    return HttpResponse(f"done at {time.perf_counter_ns()}")


def test_ten_taps_have_one_effect_and_one_answer():
    view = idempotent(slow)
    answers = at_once([lambda: view(post())] * 10)
    assert effects() == 1
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED not in answer for answer in answers) == 1


@pytest.mark.postgresql  # SQLite has one writer: there they do wait
def test_ten_different_keys_do_not_wait_for_each_other():
    view = idempotent(slow)
    began = time.monotonic()
    at_once([lambda n=n: view(post(f"k{n}")) for n in range(10)])
    assert effects() == 10
    assert time.monotonic() - began < 2.5, "one after another would take three seconds"


def test_when_the_first_fails_the_next_one_does_the_work():
    """The one that waited at the unique row finds it gone, and runs itself."""
    runs: list[int] = []

    def first_fails(request: HttpRequest) -> HttpResponse:
        runs.append(1)
        mine = len(runs)
        effect()
        time.sleep(0.2)
        if mine == 1:
            raise RuntimeError("the first one fails")
        return HttpResponse("done")

    view = idempotent(first_fails)
    answers = at_once([lambda: view(post())] * 4)
    assert sum(isinstance(answer, RuntimeError) for answer in answers) == 1
    assert {answer.content for answer in answers if isinstance(answer, HttpResponse)} == {b"done"}
    assert effects() == 1
    assert len(runs) == 2


def test_a_refusal_is_given_to_all_of_them():
    def refuse(request: HttpRequest) -> HttpResponse:
        time.sleep(0.1)
        raise Conflict("Taken by another technician a moment ago.")

    view = idempotent(refuse)
    answers = at_once([lambda: view(post())] * 5)
    assert {answer.status_code for answer in answers} == {409}
    assert sum(REPLAYED in answer for answer in answers) == 4


def test_other_content_under_the_same_key_at_the_same_moment_is_refused():
    view = idempotent(slow)
    answers = at_once([lambda n=n: view(post(amount=str(n))) for n in range(5)])
    assert sum(isinstance(answer, Conflict) for answer in answers) == 4
    assert effects() == 1
