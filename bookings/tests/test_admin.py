"""Django's admin shows bookings and moves nothing: a state typed in by hand would ask no rule."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from bookings.models import Booking, ServiceCategory
from bookings.tests import make

MODELS = ["booking", "bid", "session", "rescheduleproposal"]


@pytest.fixture
def desk(db) -> Client:
    """A browser of an admin with every permission."""
    client = Client()
    client.force_login(
        User.objects.create_superuser("root@example.org", "x"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    return client


@pytest.mark.parametrize("model", MODELS)
def test_the_lists_show_what_there_is(desk, alice, bob, model):
    make.visit(alice, bob)
    assert desk.get(f"/admin/bookings/{model}/").status_code == 200


def test_a_draft_is_its_customers_alone(desk, alice):
    draft = make.draft(alice, title="A secret plan")
    assert "A secret plan" not in desk.get("/admin/bookings/booking/").content.decode()
    assert desk.get(f"/admin/bookings/booking/{draft.pk}/change/").status_code == 302  # to the start: there is none


@pytest.mark.parametrize("model", ["booking", "bid", "session"])
def test_a_row_shows_its_history(desk, alice, bob, model):
    session = make.live(make.visit(alice, bob))
    row = {"booking": session.booking, "bid": session.bid, "session": session}[model]
    page = desk.get(f"/admin/bookings/{model}/{row.pk}/change/").content.decode()
    for state in make.states(row):
        assert state in page


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_by_hand(desk, model):
    assert desk.get(f"/admin/bookings/{model}/add/").status_code == 403


def test_nothing_is_changed_or_deleted_by_hand(desk, alice, bob):
    booking = make.visit(alice, bob).booking
    address = f"/admin/bookings/booking/{booking.pk}"
    assert desk.post(f"{address}/change/", {"status": "completed"}).status_code == 403
    assert desk.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert make.fresh(booking).status == "assigned"
    assert Booking.objects.exists()


def test_the_start_code_is_between_customer_and_technician(desk, alice, bob):
    session = make.visit(alice, bob)
    session.start_code = "7319"
    session.save(update_fields=["start_code"])
    assert "7319" not in desk.get(f"/admin/bookings/session/{session.pk}/change/").content.decode()


def test_categories_are_the_desks_to_edit(desk):
    category = make.category()
    typed = {
        "slug": "leak",
        "name": "Leaks and drips",
        "skill": category.skill_id,
        "icon": "wrench",
        "usual_minutes": 45,
        "typical_low": "30",
        "typical_high": "90",
        "currency": "GBP",
    }
    assert desk.post(f"/admin/bookings/servicecategory/{category.pk}/change/", typed).status_code == 302
    changed = ServiceCategory.objects.get()
    assert (str(changed), changed.usual_minutes) == ("Leaks and drips", 45)
    assert [str(price) for price in changed.typical_prices] == ["£30.00", "£90.00"]


@pytest.mark.parametrize("who", ["alice", "bob", "frank"])
def test_others_do_not_get_in(who, request):
    """Frank is staff without permissions: Django's own 403."""
    client = Client()
    client.force_login(request.getfixturevalue(who), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/admin/bookings/booking/").status_code in (302, 403)
