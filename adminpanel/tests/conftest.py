"""What holds for every test of the desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from adminpanel.audit.lines import KIND_OF

SUCCESS = {204, 302, 303}
NOT_YET = ("/accounts/login/", "/accounts/reauthenticate/")  # who it is is asked first
# Moving the first reply up changes nothing.
NOTHING_DONE = ("/up/", "/down/")


def lines() -> int:
    """How many lines the audit has, sealed ones included."""
    return sum(model._default_manager.count() for model in KIND_OF)


@pytest.fixture(autouse=True)
def every_deed_leaves_a_line(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever the desk posts with success is in the audit: a history moved, or the desk's own line was written.

    Not the same a second time, which has no second effect; and not where a test counts queries, which these would
    be among.
    """
    post, posted = Client.post, set[str]()

    def watched(self: Client, path: str, *args: Any, **options: Any) -> Any:
        looks = path.startswith("/desk/") and not path.endswith(NOTHING_DONE) and not connection.force_debug_cursor
        before = lines() if looks else 0
        answer = post(self, path, *args, **options)
        if looks and answer.status_code in SUCCESS and not answer.headers.get("Location", "").startswith(NOT_YET):
            again = f"{path} {args} {options}"
            assert again in posted or lines() > before, f"POST {path} left no line in the audit"
            posted.add(again)
        return answer

    monkeypatch.setattr(Client, "post", watched)
    yield
