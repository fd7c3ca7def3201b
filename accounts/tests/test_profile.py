"""The profile: what one says about oneself, one's photo, one's trade, one's e-mail address."""

from __future__ import annotations

from datetime import time
from io import BytesIO
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts import actions
from accounts.models import Skill, Technician, User
from accounts.tests.conftest import PASSWORD, sign_in, trade

SECRET = "51.5390 N, in my kitchen"


@pytest.fixture(autouse=True)
def media(settings: object, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def photograph(side: int = 900, kind: str = "JPEG") -> SimpleUploadedFile:
    """A picture with a description and a place in its EXIF."""
    exif = Image.Exif()
    exif[0x010E] = SECRET
    exif.get_ifd(0x8825)[2] = (51.0, 32.0, 20.4)
    out = BytesIO()
    Image.new("RGB", (side, side // 2), "teal").save(out, kind, exif=exif, comment=SECRET.encode())
    return SimpleUploadedFile("me.jpg", out.getvalue(), content_type="image/jpeg")


def words(**changes: object) -> dict[str, object]:
    return {"name": "Carol Reed", "phone": "020 7946 0018", "time_zone": "Europe/Paris", **changes}


def test_the_profile_shows_ones_own_details_and_ways_to_change_them(carol: User) -> None:
    page = sign_in(carol).get("/accounts/profile/").content.decode()
    assert "Carol Reed" in page and "carol@example.org" in page and "Europe/London" in page
    for way in (
        "/accounts/profile/edit/",
        "/accounts/profile/email/",
        "/accounts/profile/password/",
        "/accounts/profile/sessions/",
    ):
        assert f'href="{way}"' in page
    assert "/accounts/profile/trade/" not in page


def test_a_profile_is_changed(carol: User) -> None:
    response = sign_in(carol).post("/accounts/profile/edit/", words(name="Carol Ann Reed"))
    assert response.status_code == 303 and response["Location"] == "/accounts/profile/"
    user = User.objects.get(pk=carol.pk)
    assert (user.name, user.phone, user.time_zone) == ("Carol Ann Reed", "020 7946 0018", "Europe/Paris")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"phone": "call me"}, "does not look like a phone number"),
        ({"time_zone": "Mars/Olympus"}, "is not a time zone"),
    ],
)
def test_a_mistake_is_named_and_what_was_typed_stays(carol: User, changes: dict[str, str], sentence: str) -> None:
    typed = words(phone="020 7946 9999", **changes) if "phone" not in changes else words(**changes)
    response = sign_in(carol).post("/accounts/profile/edit/", typed)
    page = response.content.decode()
    assert response.status_code == 422 and sentence in page
    assert f'value="{typed["phone"]}"' in page
    assert User.objects.get(pk=carol.pk).phone == ""


@pytest.mark.parametrize("field", ["email", "role", "is_staff", "is_superuser", "is_active", "password"])
def test_a_profile_form_changes_nothing_but_the_profile(carol: User, field: str) -> None:
    before = getattr(carol, field)
    sign_in(carol).post("/accounts/profile/edit/", words(**{field: "admin"}))
    assert getattr(User.objects.get(pk=carol.pk), field) == before


def test_a_photo_loses_everything_but_its_pixels(carol: User) -> None:
    client = sign_in(carol)
    assert client.post("/accounts/profile/edit/", words(photo=photograph())).status_code == 303
    user = User.objects.get(pk=carol.pk)
    content = Path(user.photo.path).read_bytes()
    assert SECRET.encode() not in content
    with Image.open(BytesIO(content)) as image:
        assert image.format == "JPEG" and max(image.size) == 512 and not image.getexif()
    assert "carol" not in user.photo.name.lower() and "me" not in Path(user.photo.name).stem.split("-")
    assert f"/accounts/people/{carol.pk}/photo/?v=" in client.get("/accounts/profile/").content.decode()


def test_a_photo_is_removed_on_request(carol: User, media: Path) -> None:
    client = sign_in(carol)
    client.post("/accounts/profile/edit/", words(photo=photograph()))
    assert "Remove my photo" in client.get("/accounts/profile/edit/").content.decode()
    client.post("/accounts/profile/edit/", words(remove_photo="on"))
    assert not User.objects.get(pk=carol.pk).photo
    assert client.get(f"/accounts/people/{carol.pk}/photo/").status_code == 404


def test_what_is_no_photo_is_refused_beside_the_field_and_the_rest_stays(carol: User) -> None:
    fake = SimpleUploadedFile("me.jpg", b"<svg onload=alert(1)>", content_type="image/jpeg")
    response = sign_in(carol).post("/accounts/profile/edit/", words(photo=fake, name="New Name"))
    page = response.content.decode()
    assert response.status_code == 422 and "not a photo we can read" in page and 'value="New Name"' in page
    assert User.objects.get(pk=carol.pk).name == "Carol Reed"


def test_a_photo_over_five_megabytes_is_refused(carol: User) -> None:
    heavy = SimpleUploadedFile("me.jpg", photograph().read() + b"\0" * (5 * 1024 * 1024), content_type="image/jpeg")
    response = sign_in(carol).post("/accounts/profile/edit/", words(photo=heavy))
    assert response.status_code == 422 and "over 5 MB" in response.content.decode()


@pytest.mark.parametrize("who", ["carol", "dan", "tess", "driver", "olga"])
@pytest.mark.parametrize(("whose", "seen_by"), [("carol", {"carol", "olga"}), ("tess", None)])
def test_a_technicians_photo_is_for_everybody_a_customers_for_nobody_else(
    who: str, whose: str, seen_by: set[str] | None, request: pytest.FixtureRequest
) -> None:
    person, client = request.getfixturevalue(whose), Client()
    sign_in(person).post("/accounts/profile/edit/", words(photo=photograph()))
    client.force_login(request.getfixturevalue(who))
    response = client.get(f"/accounts/people/{person.pk}/photo/")
    if seen_by is not None and who not in seen_by:
        assert response.status_code == 404
        return
    assert response.status_code == 200 and response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"].startswith("private")


def test_a_photo_that_is_gone_from_the_disk_is_not_there(carol: User) -> None:
    client = sign_in(carol)
    client.post("/accounts/profile/edit/", words(photo=photograph()))
    Path(User.objects.get(pk=carol.pk).photo.path).unlink()
    assert client.get(f"/accounts/people/{carol.pk}/photo/").status_code == 404


def test_a_photo_is_nobodys_who_is_signed_out_and_gone_with_the_account(
    client: Client, tess: User, dan: User, olga: User
) -> None:
    sign_in(tess).post("/accounts/profile/edit/", words(photo=photograph()))
    page = f"/accounts/people/{tess.pk}/photo/"
    assert client.get(page)["Location"].startswith("/accounts/login/")
    viewer = sign_in(dan)
    assert viewer.get(page).status_code == 200
    actions.deactivate(tess, by=olga)
    assert viewer.get(page).status_code == 404
    assert viewer.get("/accounts/people/999999/photo/").status_code == 404


def hours(**changes: str) -> dict[str, str]:
    return {
        **{f"day_{n}_{part}": at for n in range(7) for part, at in (("starts", "08:00"), ("ends", "18:00"))},
        **changes,
    }


def test_a_technician_changes_skills_area_hours_and_words(tess: User) -> None:
    locks = Skill.objects.create(slug="test-locks", name="Test locks")
    client = sign_in(tess)
    page = client.get("/accounts/profile/trade/").content.decode()
    assert 'value="Camden"' in page and 'value="08:00"' in page
    data = {"skills": [locks.pk], "base_label": "Hackney", "base_latitude": "51.545", "base_longitude": "-0.055"}
    data |= {"radius_km": "7", "about": "Locks since 2004.", **hours(day_6="on", day_6_starts="10:30")}
    assert client.post("/accounts/profile/trade/", data).status_code == 303
    technician = Technician.objects.get(pk=tess.pk)
    assert (technician.base_label, technician.radius_km, technician.about) == ("Hackney", 7, "Locks since 2004.")
    assert [skill.slug for skill in technician.skills.all()] == ["test-locks"]
    assert [(day.weekday, day.starts) for day in technician.hours.all()] == [(6, time(10, 30))]
    shown = client.get("/accounts/profile/").content.decode()
    assert "7 km around Hackney" in shown and "Sun 10:30–18:00" in shown and "Test locks" in shown


def test_a_trade_with_a_mistake_is_not_saved(tess: User) -> None:
    data = {"base_label": "Hackney", "base_latitude": "51.545", "base_longitude": "-0.055", "radius_km": "7", **hours()}
    response = sign_in(tess).post("/accounts/profile/trade/", data)
    assert response.status_code == 422 and "Choose at least one skill" in response.content.decode()
    assert Technician.objects.get(pk=tess.pk).base_label == "Camden"


def test_changing_the_trade_does_not_verify(tess: User, plumbing: Skill) -> None:
    data = {"skills": [plumbing.pk], "base_label": "X", "base_latitude": "51", "base_longitude": "0", "radius_km": "7"}
    sign_in(tess).post("/accounts/profile/trade/", {**data, **hours(day_0="on"), "verified_at": "2026-01-01"})
    technician = Technician.objects.get(pk=tess.pk)
    assert technician.base_label == "X" and not technician.is_verified


def test_the_profile_takes_as_many_queries_for_many_skills_as_for_one(tess: User, plumbing: Skill) -> None:
    client = sign_in(tess)
    client.get("/accounts/profile/")
    with CaptureQueriesContext(connection) as few:
        client.get("/accounts/profile/")
    many = [Skill.objects.create(slug=f"test-{n}", name=f"Test {n}") for n in range(12)]
    week = [actions.Hours(day, time(7), time(20)) for day in range(7)]
    actions.update_trade(tess.technician, by=tess, trade=trade(*many, hours=week))
    with CaptureQueriesContext(connection) as lots:
        page = client.get("/accounts/profile/").content.decode()
    assert "Test 11" in page and len(lots) == len(few)


def test_an_address_changes_only_once_the_mail_is_confirmed(carol: User) -> None:
    client = sign_in(carol)
    asked = client.post("/accounts/profile/email/", {"action_add": "", "email": "new@example.org"})
    assert asked["Location"].startswith("/accounts/reauthenticate/"), "an unlocked screen is not enough"
    client.post(asked["Location"], {"password": PASSWORD})
    page = client.get("/accounts/profile/email/").content.decode()
    assert "new@example.org" in page and "is waiting to be confirmed" in page
    assert User.objects.get(pk=carol.pk).email == "carol@example.org"
    letter = next(letter for letter in mail.outbox if letter.to == ["new@example.org"])
    link = next(word for word in letter.body.split() if "/confirm-email/" in word)
    assert "new@example.org" in client.get(link).content.decode()
    client.post(link)
    assert User.objects.get(pk=carol.pk).email == "new@example.org"
    warned = [letter.to for letter in mail.outbox if letter.subject == "Callout: Your e-mail address was changed"]
    assert warned == [["carol@example.org"]]
    assert Client().post("/accounts/login/", {"login": "new@example.org", "password": PASSWORD})["Location"] == "/"


def reauthenticated(user: User) -> Client:
    client = sign_in(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_a_pending_address_can_be_taken_back(carol: User) -> None:
    client = reauthenticated(carol)
    client.post("/accounts/profile/email/", {"action_add": "", "email": "new@example.org"})
    client.post("/accounts/profile/email/", {"action_remove": "", "email": "new@example.org"})
    assert (
        "new@example.org"
        not in client.get("/accounts/profile/email/").content.decode().split("<main")[1].split("card-form")[1]
    )
    assert list(carol.emailaddress_set.values_list("email", flat=True)) == ["carol@example.org"]


def test_the_confirmation_is_sent_again_but_not_at_once(carol: User) -> None:
    client = reauthenticated(carol)
    client.post("/accounts/profile/email/", {"action_add": "", "email": "new@example.org"})
    client.post("/accounts/profile/email/", {"action_send": "", "email": "new@example.org"})
    assert len(mail.outbox) == 1, "three minutes lie between two mails"
    cache.clear()
    client.post("/accounts/profile/email/", {"action_send": "", "email": "new@example.org"})
    assert [letter.to for letter in mail.outbox] == [["new@example.org"], ["new@example.org"]]


def test_an_address_that_somebody_else_got_meanwhile_changes_nothing(carol: User) -> None:
    client = reauthenticated(carol)
    client.post("/accounts/profile/email/", {"action_add": "", "email": "new@example.org"})
    link = next(word for word in mail.outbox[0].body.split() if "/confirm-email/" in word)
    User.objects.create_user("new@example.org", PASSWORD, name="Faster")
    response = client.post(link)
    assert response.status_code == 409 and "Choose another address" in response.content.decode()
    assert User.objects.get(pk=carol.pk).email == "carol@example.org"
    assert carol.emailaddress_set.get(primary=True).email == "carol@example.org"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("dan@example.org", "Somebody already signs in"),
        ("DAN@Example.org", "Somebody already signs in"),
        ("carol@example.org", "already your e-mail address"),
        ("nonsense", "Enter a valid email address."),
    ],
)
def test_an_address_is_refused_at_once(carol: User, dan: User, address: str, sentence: str) -> None:
    response = reauthenticated(carol).post("/accounts/profile/email/", {"action_add": "", "email": address})
    assert sentence in response.content.decode() and f'value="{address}"' in response.content.decode()
    assert not mail.outbox


def test_a_wrong_password_does_not_confirm_who_one_is(carol: User) -> None:
    client = sign_in(carol)
    page = client.post("/accounts/reauthenticate/", {"password": "wrong"}).content.decode()
    assert "That is not your password" in page
    asked = client.post("/accounts/profile/email/", {"action_add": "", "email": "new@example.org"})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
