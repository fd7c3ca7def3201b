"""How long somebody waits whom a rate limit stopped, from the times that allauth keeps."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from allauth.core.internal.ratelimit import get_cache_key, parse_rate
from django.core.cache import cache
from django.test import RequestFactory
from django.urls import get_resolver

from accounts import limits
from accounts.limits import UNKNOWN, seconds_to_wait


@pytest.fixture
def request_to(rf: RequestFactory, db: None) -> object:
    def make(name: str) -> object:
        request = rf.post("/")
        request.resolver_match = SimpleNamespace(url_name=name)
        return request

    return make


def remember(request: object, action: str, rate: str, *ages: float) -> None:
    """Tries that lie so many seconds back, newest first, as allauth stores them."""
    parsed = parse_rate(rate)
    key = get_cache_key(request, app="allauth.account", action=action, rate=parsed)
    cache.set(key, [time.time() - age for age in ages], 600)


def test_the_oldest_try_of_a_full_limit_decides(request_to: object) -> None:
    request = request_to("account_signup")  # type: ignore[operator]
    remember(request, "signup", "20/m/ip", *[float(n) for n in range(1, 21)])
    assert seconds_to_wait(request) == 40


def test_a_limit_that_is_not_full_does_not_count(request_to: object) -> None:
    request = request_to("account_signup")  # type: ignore[operator]
    remember(request, "signup", "20/m/ip", 1.0, 2.0)
    assert seconds_to_wait(request) == UNKNOWN


def test_one_waits_a_second_at_least(request_to: object) -> None:
    request = request_to("account_login")  # type: ignore[operator]
    remember(request, "login", "30/m/ip", *[61.0] * 30)
    assert seconds_to_wait(request) == 1


@pytest.mark.parametrize("name", ["somewhere_else", None])
def test_an_unknown_page_waits_a_minute(request_to: object, name: str | None) -> None:
    assert seconds_to_wait(request_to(name)) == UNKNOWN  # type: ignore[operator]


def test_a_request_that_was_never_resolved_waits_a_minute(rf: RequestFactory, db: None) -> None:
    assert seconds_to_wait(rf.post("/")) == UNKNOWN


def test_every_page_with_a_limit_exists() -> None:
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert set(limits.ACTIONS) <= names
