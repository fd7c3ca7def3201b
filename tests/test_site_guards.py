"""One guard for what only the desk may do, whichever app it is in: an admin whose account is closed is no desk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts import access
from accounts import actions as people
from accounts.models import Role, User
from bookings import actions as jobs
from bookings.actions import Plan
from bookings.models import Booking, Dispute, Session
from bookings.tests.make import HOUR, NOW
from chat import actions as talk
from tracking import actions as driving

VERBS: dict[str, Callable[[User, User], object]] = {
    "assign": lambda by, bob: jobs.assign_technician(Booking(), Plan(bob.technician, NOW, Decimal(9), "Why"), by=by),
    "move": lambda by, bob: jobs.move_visit(Session(), starts_at=NOW + HOUR, by=by, reason="Why"),
    "take on": lambda by, bob: jobs.take_on(Dispute(), by=by),
    "resolve": lambda by, bob: jobs.resolve_dispute(Dispute(), by=by, outcome="no_fault", decision="Why"),
    "reply": lambda by, bob: talk.add_quick_reply(Role.CUSTOMER, "Thank you", by=by),
    "leg": lambda by, bob: driving.create_leg(Booking(), by=by, kind="delivery", note="Parts"),
    "suspend": lambda by, bob: people.deactivate(bob, by=by, reason="Why"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_an_admin_whose_account_is_closed_may_do_nothing(bob: User, frank: User, verb: str) -> None:
    frank.is_active = False
    with pytest.raises(PermissionDenied):
        VERBS[verb](frank, bob)


def test_every_app_asks_the_same_guard() -> None:
    asking = {name: module.require_desk for name, module in sys.modules.items() if hasattr(module, "require_desk")}
    assert set(asking.values()) == {access.require_desk}
    assert {name.split(".")[0] for name in asking} == {"accounts", "bookings", "chat", "tracking"}
