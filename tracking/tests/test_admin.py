"""Django's admin shows the road and moves nothing: a state typed in by hand would ask no rule."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tracking import actions
from tracking.models import Dispatch, Journey, Shift
from tracking.tests import make
from tracking.tests.make import NOW

MODELS = ["driver", "shift", "leg", "dispatch", "journey", "refusedfixes"]


@pytest.fixture
def desk(db) -> Client:
    """A browser of an admin with every permission."""
    client = Client()
    root = User.objects.create_superuser("root@example.org", "x")
    client.force_login(root, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def dispatch(alice, frank) -> Dispatch:
    return make.en_route(make.leg(make.job(alice), frank), make.at_work("Sam"))


@pytest.mark.parametrize("model", MODELS)
def test_the_lists_show_what_there_is_and_nothing_is_added(desk, dispatch, model):
    assert desk.get(f"/admin/tracking/{model}/").status_code == 200
    assert desk.get(f"/admin/tracking/{model}/add/").status_code == 403


def test_rows_show_their_history(desk, dispatch):
    page = desk.get(f"/admin/tracking/dispatch/{dispatch.pk}/change/").content.decode()
    assert all(state in page for state in ("offered", "accepted", "en_route"))
    shift = Shift.objects.get()
    assert "on_duty" in desk.get(f"/admin/tracking/shift/{shift.pk}/change/").content.decode()
    assert "Sam Test" in desk.get(f"/admin/tracking/leg/{dispatch.leg_id}/change/").content.decode()


def test_nothing_is_changed_or_deleted_by_hand(desk, dispatch):
    address = f"/admin/tracking/dispatch/{dispatch.pk}"
    assert desk.post(f"{address}/change/", {"status": "completed"}).status_code == 403
    assert desk.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert make.fresh(dispatch).status == "en_route"


def test_a_share_link_is_nobody_elses(desk, alice, dispatch):
    link = actions.share(Journey.objects.get(), by=alice, now=NOW)
    assert link.token not in desk.get(f"/admin/tracking/journey/{link.journey_id}/change/").content.decode()


def test_skills_are_the_desks_to_edit(desk):
    assert desk.post("/admin/tracking/driverskill/add/", {"slug": "towing", "name": "Towing"}).status_code == 302


@pytest.mark.parametrize("who", ["alice", "bob", "ed"])
def test_nobody_else_gets_in(client, request, db, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get("/admin/tracking/dispatch/").status_code in (302, 403)
