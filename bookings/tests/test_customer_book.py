"""Booking in four steps, without JavaScript: what is typed is kept, and what is wrong is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from bookings import actions, geocoding
from bookings.forms.areas import AREAS, BY_LABEL, label_for, nearest
from bookings.models import Booking, BookingPhoto
from bookings.states import BookingStatus
from bookings.tests import make
from bookings.tests.make import CAMDEN
from common import uploads
from common.geo import Point
from common.zones import LocalTimeProblem, instant

pytestmark = pytest.mark.django_db

WHAT, WHERE, WHEN, REVIEW = (f"/book/{step}" for step in ("", "where/", "when/", "review/"))


@pytest.fixture
def web(client: Client, alice: User, media: Path) -> Client:
    """Alice at her browser."""
    client.force_login(alice)
    return client


def what(**changes: Any) -> dict[str, Any]:
    return {"category": make.category().pk, "title": "Kitchen tap leaks", "description": "Since Sunday.", **changes}


def where(**changes: Any) -> dict[str, Any]:
    typed = {
        "address_line1": "12 Inverness Street",
        "address_line2": "",
        "town": "London",
        "postcode": "NW1 7HJ",
        "area": "",
        "latitude": "51.5390",
        "longitude": "-0.1426",
        "time_zone": "Europe/London",
    }
    return {**typed, **changes}


def when(**changes: Any) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=3)
    typed = {"day": day, "starts": "12:00", "ends": "16:00", "duration_minutes": 60, "budget": "80"}
    return {**typed, **changes}


def draft() -> Booking:
    return Booking.objects.get(status=BookingStatus.DRAFT)


def test_four_steps_place_a_job(web: Client, alice: User) -> None:
    for step, typed, then in ((WHAT, what(), WHERE), (WHERE, where(), WHEN), (WHEN, when(), REVIEW)):
        answer = web.post(step, typed)
        assert (answer.status_code, answer["Location"]) == (303, then)
    page = web.get(REVIEW).content.decode()
    for words in ("Kitchen tap leaks", "12 Inverness Street", "£80.00", "£40", "£120", "Free until 5 minutes after"):
        assert words in page
    answer = web.post(REVIEW)
    booking = Booking.objects.get()
    assert answer["Location"] == f"/jobs/{booking.pk}/" and booking.status == BookingStatus.OPEN
    assert booking.customer == alice and booking.budget == Decimal(80)
    assert booking.area_label == "Camden, NW1" and booking.public_point != CAMDEN
    assert booking.window_end - booking.window_start == timedelta(hours=4)


class TestWhatIsTypedIsKept:
    def test_in_the_draft_from_step_to_step_and_back(self, web: Client) -> None:
        web.post(WHAT, what())
        web.post(WHERE, where())
        assert "Kitchen tap leaks" in web.get(WHAT).content.decode()
        assert "12 Inverness Street" in web.get(WHERE).content.decode()

    def test_by_the_back_button_even_where_something_is_missing(self, web: Client) -> None:
        web.post(WHAT, what())
        answer = web.post(WHERE, where(postcode="", latitude="", longitude="", back="1"))
        assert answer["Location"] == WHAT
        assert draft().address_line1 == "12 Inverness Street"

    def test_on_an_error_the_page_comes_back_with_all_of_it(self, web: Client) -> None:
        answer = web.post(WHAT, what(title=""))
        page = answer.content.decode()
        assert answer.status_code == 422 and "Since Sunday." in page and "This field is required." in page
        assert draft().description == "Since Sunday."

    def test_one_draft_a_customer(self, web: Client) -> None:
        web.post(WHAT, what())
        web.post(WHAT, what(title="Another title"))
        assert draft().title == "Another title"

    def test_home_offers_to_go_on_or_to_throw_it_away(self, web: Client) -> None:
        web.post(WHAT, what())
        page = web.get("/").content.decode()
        assert "Draft: Kitchen tap leaks" in page and 'href="/book/discard/"' in page
        assert web.get("/book/discard/").status_code == 200
        assert web.post("/book/discard/").status_code == 303 and not Booking.objects.exists()

    def test_the_same_form_sent_twice_is_one_job(self, web: Client, alice: User) -> None:
        make.draft(alice)
        first = web.post(REVIEW, {"idempotency_key": "once"})
        again = web.post(REVIEW, {"idempotency_key": "once"})
        assert first["Location"] == again["Location"] and again["Idempotency-Replayed"] == "true"
        assert Booking.objects.count() == 1

    def test_the_browser_is_told_to_keep_and_later_to_forget_it(self, web: Client, alice: User) -> None:
        make.draft(alice)
        for step, name in ((WHAT, "book-what"), (WHERE, "book-where"), (WHEN, "book-when")):
            assert f'data-draft="{name}"' in web.get(step).content.decode()
        web.post(REVIEW)
        page = web.get(f"/jobs/{Booking.objects.get().pk}/").content.decode()
        assert page.count("data-draft-done=") == 3


class TestSteps:
    @pytest.mark.parametrize("step", [WHERE, WHEN, REVIEW])
    def test_without_a_draft_one_begins_at_the_first(self, web: Client, step: str) -> None:
        for answer in (web.get(step), web.post(step)):
            assert answer["Location"] == WHAT

    def test_review_says_what_is_missing_and_places_nothing(self, web: Client) -> None:
        web.post(WHAT, what())
        assert "Please say the address first." in web.get(REVIEW).content.decode()
        answer = web.post(REVIEW)
        assert answer.status_code == 422 and draft().status == BookingStatus.DRAFT

    def test_each_step_shows_how_far_one_is(self, web: Client, alice: User) -> None:
        make.draft(alice)
        for number, step in enumerate((WHAT, WHERE, WHEN, REVIEW), 1):
            page = web.get(step).content.decode()
            assert page.count('aria-current="step"') == 1 and page.count('class="is-done"') == number - 1


class TestWhat:
    def test_every_kind_of_job_has_its_usual_price(self, web: Client) -> None:
        make.category()
        assert "£40–£120" in web.get(WHAT).content.decode()

    def test_photos_lose_where_and_when_they_were_taken(self, web: Client) -> None:
        exif = Image.Exif()
        exif[0x010E] = "Alice's kitchen"
        web.post(WHAT, what(photos=[make.picture("a.jpg", exif=exif), make.picture("b.jpg")]))
        photos = list(BookingPhoto.objects.all())
        assert len(photos) == 2
        for photo in photos:
            with Image.open(photo.image.path) as kept:
                assert not dict(kept.getexif())

    def test_what_is_no_photo_is_said_beside_the_field_and_the_rest_is_kept(self, web: Client) -> None:
        answer = web.post(WHAT, what(photos=[make.picture(), SimpleUploadedFile("x.jpg", b"no photo")]))
        assert answer.status_code == 422 and "not a photo we can read" in answer.content.decode()
        assert draft().title == "Kitchen tap leaks" and BookingPhoto.objects.count() == 1

    def test_six_are_enough(self, web: Client) -> None:
        answer = web.post(WHAT, what(photos=[make.picture(f"{n}.jpg") for n in range(7)]))
        assert answer.status_code == 422 and "6 photos are enough" in answer.content.decode()

    def test_one_may_be_taken_off_again(self, web: Client, alice: User) -> None:
        photo = actions.add_photo(make.draft(alice), make.picture(), by=alice)
        assert f'name="remove" value="{photo.pk}"' in web.get(WHAT).content.decode()
        answer = web.post(WHAT, what(title="Typed meanwhile", remove=photo.pk))
        assert answer.status_code == 200 and "Typed meanwhile" in answer.content.decode()
        assert not BookingPhoto.objects.exists() and draft().title == "Typed meanwhile"

    def test_only_from_this_draft(self, web: Client, alice: User) -> None:
        photo = actions.add_photo(make.job(alice), make.picture(), by=alice)
        for number in (photo.pk, "x", 999):
            web.post(WHAT, what(remove=number))
        assert BookingPhoto.objects.get() == photo


class TestWhere:
    @pytest.fixture(autouse=True)
    def begun(self, web: Client) -> None:
        web.post(WHAT, what())

    def test_a_neighbourhood_is_enough(self, web: Client) -> None:
        answer = web.post(WHERE, where(latitude="", longitude="", area="Greenwich, SE10"))
        assert answer["Location"] == WHEN
        found = draft()
        assert (found.latitude, found.longitude) == BY_LABEL["Greenwich, SE10"].point
        assert found.area_label == "Greenwich, SE10"

    def test_choosing_another_one_moves_the_place_with_it(self, web: Client) -> None:
        web.post(WHERE, where(latitude="", longitude="", area="Greenwich, SE10"))
        at = BY_LABEL["Greenwich, SE10"]
        web.post(WHERE, where(latitude=str(at.latitude), longitude=str(at.longitude), area="Hackney, E8"))
        assert draft().latitude == BY_LABEL["Hackney, E8"].latitude

    def test_a_pin_decides_and_the_neighbourhood_names_it(self, web: Client) -> None:
        web.post(WHERE, where(area="Kentish Town, NW5", latitude="51.5481"))
        found = draft()
        assert found.latitude == 51.5481 and found.area_label == "Kentish Town, NW5"

    def test_without_either_it_says_what_to_do(self, web: Client) -> None:
        answer = web.post(WHERE, where(latitude="", longitude=""))
        assert answer.status_code == 422
        assert "Place the pin on the map, or choose the neighbourhood." in answer.content.decode()

    @pytest.mark.parametrize(
        ("latitude", "longitude"), [("91", "0"), ("0", "0"), ("nan", "1"), ("51.5", ""), ("x", "y")]
    )
    def test_what_is_no_place_is_refused(self, web: Client, latitude: str, longitude: str) -> None:
        assert web.post(WHERE, where(latitude=latitude, longitude=longitude)).status_code == 422
        assert draft().latitude is None

    def test_the_map_fills_the_two_fields(self, web: Client) -> None:
        page = web.get(WHERE).content.decode()
        assert 'data-map-pick data-latitude="id_latitude" data-longitude="id_longitude"' in page
        assert 'id="id_latitude"' in page and 'id="id_longitude"' in page
        assert '<option value="Greenwich, SE10" data-latitude="51.482" data-longitude="-0.005">' in page
        assert "data-moves-pin" in page and "js/areas.js" in page

    def test_a_geocoder_finds_the_address_where_the_site_has_one(self, web: Client, monkeypatch) -> None:
        asked: list[str] = []
        monkeypatch.setattr("bookings.forms.booking.find_place", lambda text: asked.append(text) or Point(51.5, -0.1))
        web.post(WHERE, where(latitude="", longitude=""))
        assert asked == ["12 Inverness Street, NW1 7HJ, London"] and draft().latitude == 51.5

    def test_the_public_name_never_says_more_than_neighbourhood_and_outward_code(self) -> None:
        assert label_for(CAMDEN, "London", "NW1 7HJ") == "Camden, NW1"
        assert label_for(CAMDEN, "London", "nw17hj") == "Camden, NW1"
        assert label_for(Point(50.8225, -0.1372), "Brighton", "BN1 1AA") == "Brighton, BN1"
        assert label_for(Point(0.0, 20.0), "", "") == "Elsewhere"

    def test_neighbourhoods_are_apart_and_found_from_their_middle(self) -> None:
        for area in AREAS:
            assert nearest(area.point) == area
        assert nearest(Point(48.85, 2.35)) is None


class TestWhen:
    @pytest.fixture(autouse=True)
    def begun(self, web: Client) -> None:
        web.post(WHAT, what())
        web.post(WHERE, where())

    def test_it_starts_with_tomorrow_and_the_usual_length(self, web: Client) -> None:
        page = web.get(WHEN).content.decode()
        assert 'value="09:00"' in page and '<option value="60" selected>1 h</option>' in page

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"ends": "11:00"}, "The end must be after the start."),
            ({"ends": "12:30"}, "That leaves less than 1 h."),
            ({"day": "2020-01-01"}, "That time has passed"),
            ({"budget": "-3"}, "greater than or equal to 1"),
            ({"budget": "12.345"}, "no more than 2 decimal places"),
            ({"day": ""}, "This field is required."),
        ],
    )
    def test_what_cannot_be_is_said(self, web: Client, changes: dict[str, str], sentence: str) -> None:
        answer = web.post(WHEN, when(**changes))
        assert answer.status_code == 422 and sentence in answer.content.decode()

    def test_times_are_those_of_the_place(self, web: Client) -> None:
        web.post(WHERE, where(time_zone="America/New_York"))
        web.post(WHEN, when(day="2027-07-01", starts="09:00", ends="17:00"))
        assert draft().window_start == datetime(2027, 7, 1, 13, 0, tzinfo=UTC)

    def test_a_time_that_the_clocks_skip_is_refused_with_a_choice(self, web: Client) -> None:
        typed = when(day="2027-03-28", starts="01:30", ends="16:00")
        answer = web.post(WHEN, typed)
        page = answer.content.decode()
        assert answer.status_code == 422 and "01:30 does not exist on 28 March 2027" in page
        assert "00:30 GMT (UTC+0)" in page and "02:30 BST (UTC+1)" in page
        assert draft().window_start is None
        answer = web.post(WHEN, {**typed, "starts_choice": "2027-03-28T01:30:00+00:00"})
        assert answer["Location"] == REVIEW
        assert draft().window_start == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)

    def test_a_time_that_comes_twice_is_asked_for(self, web: Client) -> None:
        typed = when(day="2027-10-31", starts="01:30", ends="16:00")
        page = web.post(WHEN, typed).content.decode()
        assert "01:30 happens twice" in page and "01:30 BST (UTC+1)" in page and "01:30 GMT (UTC+0)" in page
        with pytest.raises(LocalTimeProblem) as problem:
            instant(datetime(2027, 10, 31, 1, 30), "Europe/London")
        for choice in problem.value.choices:
            web.post(WHEN, {**typed, "starts_choice": choice.isoformat()})
            assert draft().window_start == choice

    def test_an_answer_that_was_not_asked_for_is_ignored(self, web: Client) -> None:
        typed = when(day="2027-03-28", starts="01:30", starts_choice="2027-03-28T05:00:00+00:00")
        assert web.post(WHEN, typed).status_code == 422

    def test_the_end_may_be_asked_for_too(self, web: Client) -> None:
        page = web.post(WHEN, when(day=date(2027, 10, 31), starts="00:15", ends="01:30")).content.decode()
        assert "ends_choice" in page and "starts_choice" not in page


class TestGeocoder:
    def test_without_one_nothing_is_asked(self, settings) -> None:
        settings.GEOCODER_URL = ""
        assert geocoding.find_place("Inverness Street") is None

    def test_one_that_does_not_answer_stops_nobody(self, settings) -> None:
        settings.GEOCODER_URL = "http://127.0.0.1:9/search"
        assert geocoding.find_place("Inverness Street") is None

    @pytest.mark.parametrize("found", [[], {}, None, [{}], [{"lat": "0", "lon": "0"}], ["x"]])
    def test_an_answer_without_a_place_is_none(self, found: object) -> None:
        assert geocoding.read(found) is None

    def test_the_first_place_counts(self) -> None:
        assert geocoding.read([{"lat": "51.5", "lon": "-0.1"}, {"lat": "1", "lon": "1"}]) == Point(51.5, -0.1)


def test_book_is_in_the_navigation(web: Client) -> None:
    assert f'href="{reverse("bookings:book")}"' in web.get("/").content.decode()


@pytest.mark.parametrize("step", [WHAT, WHERE, WHEN, REVIEW])
def test_enter_goes_on_and_never_back(web: Client, alice: User, step: str) -> None:
    """A browser presses the first submit button of a form when somebody types Enter in a field."""
    booking = make.draft(alice)
    actions.add_photo(booking, make.picture(), by=alice)
    page = web.get(step).content.decode()
    form = page[page.index("<form", page.index("<main")) :]
    first = form[form.index("<button") : form.index(">", form.index("<button"))]
    assert 'type="submit"' in first and "name=" not in first


@pytest.mark.parametrize(("day", "zone"), [("0001-01-01", "Asia/Tokyo"), ("9999-12-31", "America/New_York")])
def test_the_first_and_the_last_day_there_is_are_refused_in_words(
    web: Client, alice: User, day: str, zone: str
) -> None:
    make.draft(alice, time_zone=zone)
    answer = web.post("/book/when/", {"day": day, "starts": "00:00", "ends": "23:45", "duration_minutes": "60"})
    assert answer.status_code == 422


def test_more_photos_than_a_job_may_have_are_not_even_opened(web: Client, alice: User, monkeypatch) -> None:
    monkeypatch.setattr("bookings.actions.booking.clean_image", lambda upload: pytest.fail("decoded"))
    answer = web.post("/book/", {"title": "Tap", "photos": [make.picture() for _ in range(7)]})
    assert answer.status_code == 422 and "6 photos are enough" in answer.content.decode()


def test_a_photo_whose_row_is_rolled_back_leaves_no_file(alice: User, media: Path, monkeypatch) -> None:
    draft = make.draft(alice)
    monkeypatch.setattr("bookings.actions.booking.stored", lambda file: (uploads.stored(file), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        actions.add_photo(draft, make.picture(), by=alice)
    assert not [path for path in media.rglob("*") if path.is_file()]
