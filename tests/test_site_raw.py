"""Django's admin: what has rules and a history of its own is only looked at there, the rest leaves the desk's line."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from accounts.models import DeskAction, Technician, User
from accounts.raw import Audited, ReadOnly
from tests.crawl import browser
from tracking.models import DriverSkill

pytestmark = pytest.mark.django_db
# What the desk may write there by hand; whoever adds to it says why.
BY_HAND = {
    "auth.Group",  # which raw rows an admin may see
    "accounts.User",  # names and addresses; role, state and deletion are the desk's verbs
    "accounts.Technician",  # the trade; never the verification
    "accounts.Skill",
    "bookings.ServiceCategory",
    "tracking.DriverSkill",
}


def test_each_model_is_read_only_or_audited() -> None:
    kinds = {model._meta.label: type(row) for model, row in admin.site._registry.items()}
    assert {label for label, row in kinds.items() if issubclass(row, Audited)} == BY_HAND
    assert {label for label, row in kinds.items() if not issubclass(row, Audited | ReadOnly)} == set()


def test_no_table_within_a_page_writes_what_has_a_history() -> None:
    """Within the pages that may write, only working hours may: they have none."""
    rows = [row for row in admin.site._registry.values() if isinstance(row, Audited)]
    tables = {table.__name__ for row in rows for table in row.inlines if not issubclass(table, ReadOnly)}
    assert tables == {"HoursInline"}


def test_nobody_is_deleted_there(frank: User) -> None:
    request = RequestFactory().get("/")
    request.user = frank
    for model in (User, Technician):
        row = admin.site._registry[model]
        assert not row.has_delete_permission(request)
        assert "delete_selected" not in row.get_actions(request)


@pytest.fixture
def desk(frank: User) -> Client:
    """Frank, who may do everything there."""
    frank.is_superuser = True
    frank.save(update_fields=["is_superuser"])
    return browser(frank)


def test_what_is_added_changed_and_deleted_leaves_a_line_each(desk: Client, frank: User) -> None:
    url = "/admin/tracking/driverskill/"
    assert desk.post(f"{url}add/", {"name": "Forklift", "slug": "forklift"}).status_code == 302
    skill = DriverSkill.objects.get(slug="forklift")
    assert desk.post(f"{url}{skill.pk}/change/", {"name": "Fork lift", "slug": "forklift"}).status_code == 302
    assert desk.post(f"{url}{skill.pk}/delete/", {"post": "yes"}).status_code == 302
    lines = DeskAction.objects.order_by("pk")
    assert [(line.verb, line.label, line.reason) for line in lines] == [
        ("added_record_of_driverskill", "Forklift", "Added."),
        ("changed_record_of_driverskill", "Fork lift", "Changed Name."),
        ("deleted_record_of_driverskill", "Fork lift", ""),
    ]
    assert {(line.actor, line.subject_kind, line.subject_id) for line in lines} == {(frank, "driverskill", skill.pk)}


def test_several_that_are_deleted_at_once_leave_a_line_each(desk: Client) -> None:
    rows = [DriverSkill.objects.create(name=name, slug=name) for name in ("one", "two", "three")]
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    assert desk.post("/admin/tracking/driverskill/", chosen).status_code == 302
    assert set(DeskAction.objects.values_list("label", flat=True)) == {"one", "two", "three"}


def test_a_look_and_a_refused_form_leave_none(desk: Client) -> None:
    skill = DriverSkill.objects.create(name="one", slug="one")
    url = f"/admin/tracking/driverskill/{skill.pk}/change/"
    assert desk.get(url).status_code == desk.post(url, {"name": "", "slug": "one"}).status_code == 200
    assert not DeskAction.objects.exists()


def test_a_person_reads_what_was_changed_and_no_line_keeps_what_was_in_it(desk: Client, alice: User) -> None:
    data = {"email": alice.email, "name": "Alice Secret", "phone": "", "time_zone": "Europe/London"}
    data |= {"history-TOTAL_FORMS": "0", "history-INITIAL_FORMS": "0"}
    assert desk.post(f"/admin/accounts/user/{alice.pk}/change/", data).status_code == 302
    line = DeskAction.objects.get()
    assert (line.verb, line.person, line.subject_id) == ("changed_record_of_user", alice, alice.pk)
    assert "Name" in line.reason and "Secret" not in line.reason and line.details == {}
    page = browser(alice).get("/accounts/profile/history/").content.decode()
    assert "Your account was changed" in page and "Our desk" in page


def test_a_password_set_there_is_in_the_audit(desk: Client, alice: User) -> None:
    data = {"usable_password": "true", "password1": "set by the desk 1", "password2": "set by the desk 1"}
    assert desk.post(f"/admin/accounts/user/{alice.pk}/password/", data).status_code == 302
    line = DeskAction.objects.get()
    assert (line.person, line.reason) == (alice, "Changed password.")
    assert "set by the desk" not in f"{line.label}{line.details}"
