"""What people and the desk do with accounts, below the pages."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile

from accounts import actions
from accounts.models import AccountHistory, Role, Skill, Technician, User
from accounts.tests.conftest import PASSWORD, trade
from common.refusals import Conflict, Invalid

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def history(user: User) -> list[tuple[str, str, str]]:
    rows = AccountHistory.objects.filter(user=user)
    return [(row.from_state, row.to_state, row.actor_role) for row in rows]


def test_a_customer_signs_up_with_an_address_in_any_case(db: None) -> None:
    user = actions.sign_up_customer(
        email="New.Person@Example.ORG", password=PASSWORD, name="New Person", time_zone="Asia/Tokyo", phone="+81 3 1234"
    )
    assert (user.email, user.role, user.time_zone) == ("new.person@example.org", Role.CUSTOMER, "Asia/Tokyo")
    assert user.check_password(PASSWORD)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.primary, address.verified) == (user.email, True, False)


def test_an_address_is_taken_once_in_any_case(carol: User) -> None:
    with pytest.raises(Conflict, match="sign in instead"):
        actions.sign_up_customer(email="CAROL@example.org", password=PASSWORD, name="Imp", time_zone="UTC")
    assert User.objects.filter(email__iexact="carol@example.org").count() == 1


def test_without_a_password_nobody_can_sign_in_by_guessing(db: None) -> None:
    user = actions.sign_up_customer(email="a@example.org", password=None, name="A", time_zone="UTC")
    assert not user.has_usable_password()


def test_a_zone_that_does_not_exist_is_refused_and_nothing_is_made(db: None) -> None:
    with pytest.raises(ValidationError, match="Europe/London"):
        actions.sign_up_customer(email="a@example.org", password=PASSWORD, name="A", time_zone="Europe/Atlantis")
    assert not User.objects.exists()


def test_a_technician_starts_unverified_with_skills_area_and_hours(tess: User, plumbing: Skill) -> None:
    technician = Technician.objects.get(user=tess)
    assert not technician.is_verified
    assert list(technician.skills.all()) == [plumbing]
    assert (technician.base_label, technician.radius_km) == ("Camden", 12)
    assert [(row.weekday, row.starts, row.ends) for row in technician.hours.all()] == [
        (day, time(8), time(18)) for day in range(5)
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"base_latitude": 0.0, "base_longitude": 0.0}, "not a place"),
        ({"base_latitude": 91.0}, "not a place"),
        ({"radius_km": 0}, "1 to 100"),
        ({"radius_km": 101}, "1 to 100"),
        ({"hours": [actions.Hours(0, time(18), time(8))]}, "ends before it starts"),
        ({"hours": [actions.Hours(0, time(8), time(8))]}, "ends before it starts"),
    ],
)
def test_a_trade_that_cannot_be_is_refused_and_no_account_is_left(
    plumbing: Skill, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        actions.sign_up_technician(
            email="t@example.org", password=PASSWORD, name="T", time_zone="UTC", trade=trade(plumbing, **changes)
        )
    assert not User.objects.exists()


def test_a_trade_is_replaced_whole(tess: User, plumbing: Skill) -> None:
    locks = Skill.objects.create(slug="test-locks", name="Test locks")
    new = trade(locks, base_label="Hackney", hours=[actions.Hours(6, time(10), time(14))], about="Twenty years.")
    actions.update_trade(tess.technician, by=tess, trade=new)
    technician = Technician.objects.get(user=tess)
    assert list(technician.skills.all()) == [locks]
    assert [str(row) for row in technician.hours.all()] == ["Sunday 10:00-14:00"]
    assert (technician.base_label, technician.about) == ("Hackney", "Twenty years.")


def test_nobody_but_the_desk_changes_somebody_elses_trade_or_profile(tess: User, carol: User, olga: User) -> None:
    with pytest.raises(PermissionDenied):
        actions.update_trade(tess.technician, by=carol, trade=trade())
    with pytest.raises(PermissionDenied):
        actions.update_profile(tess, by=carol, name="Stolen", phone="", time_zone="UTC")
    changed = actions.update_profile(tess, by=olga, name="Tess H.", phone="", time_zone="UTC")
    assert changed.name == "Tess H."


def test_a_new_photo_replaces_the_old_file(
    carol: User, settings: object, tmp_path: object, django_capture_on_commit_callbacks: object
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    words = {"name": carol.name, "phone": "", "time_zone": "UTC"}
    first = actions.update_profile(carol, by=carol, photo=ContentFile(b"one", "a.jpg"), **words)
    old = first.photo.path
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        second = actions.update_profile(carol, by=carol, photo=ContentFile(b"two", "b.jpg"), **words)
    files = [path.read_bytes() for path in (tmp_path / "people").iterdir()]  # type: ignore[operator]
    assert files == [b"two"] and second.photo.path != old
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        third = actions.update_profile(carol, by=carol, remove_photo=True, **words)
    assert not third.photo and not list((tmp_path / "people").iterdir())  # type: ignore[operator]


def test_the_desk_verifies_once_and_history_says_who(tess: User, olga: User) -> None:
    technician = actions.verify_technician(tess.technician, by=olga, now=NOON)
    assert technician.verified_at == NOON
    with pytest.raises(Conflict, match="verified already"):
        actions.verify_technician(tess.technician, by=olga)
    actions.unverify_technician(tess.technician, by=olga, reason="Papers ran out")
    with pytest.raises(Conflict, match="is not verified"):
        actions.unverify_technician(tess.technician, by=olga)
    assert history(tess) == [("unverified", "verified", "admin"), ("verified", "unverified", "admin")]


@pytest.mark.parametrize("who", ["carol", "tess", "driver"])
def test_only_the_desk_decides(who: str, tess: User, dan: User, request: pytest.FixtureRequest) -> None:
    by = request.getfixturevalue(who)
    for verb in (
        lambda: actions.verify_technician(tess.technician, by=by),
        lambda: actions.unverify_technician(tess.technician, by=by),
        lambda: actions.deactivate(dan, by=by),
        lambda: actions.reactivate(dan, by=by),
        lambda: actions.change_role(dan, by=by, role=Role.ADMIN),
    ):
        with pytest.raises(PermissionDenied):
            verb()
    assert not AccountHistory.objects.exists()


def test_an_account_is_closed_and_opened_again(carol: User, olga: User) -> None:
    actions.deactivate(carol, by=olga, reason="Asked for it")
    assert not User.objects.get(pk=carol.pk).is_active
    with pytest.raises(Conflict):
        actions.deactivate(carol, by=olga)
    actions.reactivate(carol, by=olga)
    with pytest.raises(Conflict):
        actions.reactivate(carol, by=olga)
    assert history(carol) == [("active", "inactive", "admin"), ("inactive", "active", "admin")]


def test_nobody_closes_or_demotes_themselves(olga: User) -> None:
    with pytest.raises(Invalid, match="another admin"):
        actions.deactivate(olga, by=olga)
    with pytest.raises(Invalid, match="another admin"):
        actions.change_role(olga, by=olga, role=Role.CUSTOMER)


def test_an_admin_is_staff_and_nobody_else_is(carol: User, olga: User) -> None:
    assert actions.change_role(carol, by=olga, role=Role.ADMIN).is_staff
    other = User.objects.create_superuser("root@example.org", PASSWORD)
    demoted = actions.change_role(other, by=olga, role=Role.CUSTOMER)
    assert not demoted.is_staff and not demoted.is_superuser
    assert history(other) == [("admin", "customer", "admin")]


def test_a_role_is_refused_where_it_cannot_be(carol: User, tess: User, olga: User) -> None:
    with pytest.raises(Invalid, match="no skills"):
        actions.change_role(carol, by=olga, role=Role.TECHNICIAN)
    with pytest.raises(Conflict, match="already"):
        actions.change_role(tess, by=olga, role=Role.TECHNICIAN)
    with pytest.raises(Invalid, match="not a role"):
        actions.change_role(carol, by=olga, role="king")


def test_the_system_may_decide_too_and_history_says_clock(tess: User) -> None:
    actions.verify_technician(tess.technician, by=None)
    assert history(tess) == [("unverified", "verified", "clock")]
