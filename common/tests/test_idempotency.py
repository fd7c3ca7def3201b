"""The same request twice: one effect, one answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import RequestFactory

from common import due
from common.idempotency import REPLAYED, idempotent
from common.models import IdempotencyKey
from common.refusals import Conflict, Invalid, Refusal, TooFast

pytestmark = pytest.mark.django_db
ALICE, BOB = SimpleNamespace(pk=1, is_authenticated=True), SimpleNamespace(pk=2, is_authenticated=True)
NOBODY = SimpleNamespace(pk=None, is_authenticated=False)


def post(data: Any = None, *, key: str | None = "k1", user: Any = ALICE, path: str = "/jobs/5/accept", **headers: Any):
    """A POST as the browser sends it, its key in the form's hidden field."""
    form = dict(data or {})
    if key is not None:
        form["idempotency_key"] = key
    return with_user(RequestFactory().post(path, form, headers=headers or None), user)


def with_user(request: HttpRequest, user: Any) -> HttpRequest:
    request.user, request.htmx = user, True
    return request


class Counter:
    """A view with an effect in the database: a row each time it runs."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.view = idempotent(self)
        self.__name__ = "counter"

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        effect()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer() if self.answer else HttpResponse(f"run {effects()}")


def effect() -> None:
    IdempotencyKey.objects.create(principal="effect", key=str(effects()))


def effects() -> int:
    return IdempotencyKey.objects.filter(principal="effect").count()


class TestTwice:
    def test_the_second_gets_the_same_answer_and_no_second_effect(self):
        counter = Counter()
        first, second = counter.view(post()), counter.view(post())
        assert effects() == 1
        assert (first.content, second.content) == (b"run 1", b"run 1")
        assert REPLAYED not in first
        assert second[REPLAYED] == "true"

    def test_the_key_may_come_in_a_header(self):
        counter = Counter()
        for _ in range(2):
            counter.view(post(key=None, **{"Idempotency-Key": "h1"}))
        assert effects() == 1

    def test_a_redirect_is_repeated_with_its_address(self):
        counter = Counter(lambda: HttpResponseRedirect("/jobs/5/"))
        first, second = counter.view(post()), counter.view(post())
        assert (first.status_code, first["Location"]) == (second.status_code, second["Location"]) == (302, "/jobs/5/")

    def test_headers_are_repeated(self):
        counter = Counter(lambda: HttpResponse(status=204, headers={"HX-Trigger": "dialog-done"}))
        counter.view(post())
        again = counter.view(post())
        assert (again.status_code, again["HX-Trigger"], again.content) == (204, "dialog-done", b"")

    def test_bytes_and_their_type_are_repeated(self):
        counter = Counter(lambda: HttpResponse(b"\xff\x00\xfe", content_type="image/jpeg"))
        counter.view(post())
        again = counter.view(post())
        assert (again.content, again["Content-Type"]) == (b"\xff\x00\xfe", "image/jpeg")

    def test_a_template_response_is_rendered_before_it_is_kept(self):
        refusal = Invalid("Say why.")
        counter = Counter(lambda: SimpleTemplateResponse("common/_refusal.html", {"refusal": refusal}))
        counter.view(post())
        assert b"Say why." in counter.view(post()).content

    def test_another_key_is_another_request(self):
        counter = Counter()
        counter.view(post(key="one"))
        counter.view(post(key="two"))
        assert effects() == 2

    def test_without_a_key_nothing_is_kept(self):
        counter = Counter()
        counter.view(post(key=None))
        counter.view(post(key=None))
        assert effects() == 2
        assert IdempotencyKey.objects.exclude(principal="effect").count() == 0

    def test_reading_needs_no_key_and_is_never_kept(self):
        counter = Counter()
        request = with_user(RequestFactory().get("/jobs/5/accept", {"idempotency_key": "k1"}), ALICE)
        counter.view(request)
        counter.view(request)
        assert effects() == 2

    def test_arguments_of_the_view_pass_through(self):
        view = idempotent(lambda request, pk, *, verb: HttpResponse(f"{verb} {pk}"))
        assert view(post(), 5, verb="accept").content == b"accept 5"


class TestWhose:
    def test_two_people_with_the_same_key_do_not_meet(self):
        counter = Counter()
        counter.view(post(user=ALICE))
        answer = counter.view(post(user=BOB))
        assert effects() == 2
        assert REPLAYED not in answer

    def test_the_signed_out_are_told_apart_by_their_session(self):
        counter = Counter()
        for session in ("s1", "s2", "s2"):
            request = post(user=NOBODY)
            request.session = SimpleNamespace(session_key=session)
            counter.view(request)
        assert effects() == 2

    def test_or_by_their_address(self):
        counter = Counter()
        counter.view(post(user=NOBODY))
        counter.view(post(user=NOBODY))
        assert effects() == 1


class TestOtherContent:
    @pytest.mark.parametrize(
        "second",
        [
            {"data": {"amount": "51"}},
            {"data": {"amount": "50", "more": "1"}},
            {"data": {}},
            {"data": {"amount": "50"}, "path": "/jobs/6/accept"},
            {"data": {"amount": "50"}, "path": "/jobs/5/accept?x=1"},
        ],
    )
    def test_the_same_key_with_other_content_is_a_conflict(self, second):
        counter = Counter()
        counter.view(post({"amount": "50"}))
        with pytest.raises(Conflict, match="sent before with other content"):
            counter.view(post(**second))
        assert effects() == 1

    def test_the_csrf_token_is_no_content(self):
        counter = Counter()
        counter.view(post({"csrfmiddlewaretoken": "aaa"}))
        assert counter.view(post({"csrfmiddlewaretoken": "bbb"}))[REPLAYED] == "true"

    def test_the_order_of_the_fields_is_no_content(self):
        counter = Counter()
        counter.view(post({"a": "1", "b": "2"}))
        assert counter.view(post({"b": "2", "a": "1"}))[REPLAYED] == "true"

    def test_the_same_file_in_another_envelope_is_the_same(self):
        counter = Counter()
        for _ in range(2):
            counter.view(post({"photo": SimpleUploadedFile("a.jpg", b"pixels")}))
        assert effects() == 1

    def test_another_file_is_other_content(self):
        counter = Counter()
        counter.view(post({"photo": SimpleUploadedFile("a.jpg", b"pixels")}))
        with pytest.raises(Conflict):
            counter.view(post({"photo": SimpleUploadedFile("a.jpg", b"others")}))

    def test_a_file_can_still_be_read_by_the_view(self):
        view = idempotent(lambda request: HttpResponse(request.FILES["photo"].read()))
        assert view(post({"photo": SimpleUploadedFile("a.jpg", b"pixels")})).content == b"pixels"

    def test_json_is_content_too(self):
        def send(body: Any) -> HttpRequest:
            headers = {"Idempotency-Key": "j1"}
            request = RequestFactory().post("/x", json.dumps(body), content_type="application/json", headers=headers)
            return with_user(request, ALICE)

        counter = Counter()
        counter.view(send({"a": 1}))
        assert counter.view(send({"a": 1}))[REPLAYED] == "true"
        with pytest.raises(Conflict):
            counter.view(send({"a": 2}))

    def test_a_damaged_key_is_refused(self):
        with pytest.raises(Invalid, match="damaged"):
            Counter().view(post(key="x" * 101))


class TestRefusals:
    def test_a_refusal_is_kept_like_any_answer(self):
        counter = Counter(Conflict("The price changed, please look again.", next_url="/jobs/5/", next_label="Look"))
        first, second = counter.view(post()), counter.view(post())
        assert (first.status_code, second.status_code) == (409, 409)
        assert b"The price changed" in second.content
        assert second[REPLAYED] == "true"
        assert effects() == 1

    def test_an_action_that_refused_has_rolled_back_its_own_transaction(self):
        def view(request: HttpRequest) -> HttpResponse:
            with transaction.atomic():
                effect()
                raise Conflict("No.")

        assert idempotent(view)(post()).status_code == 409
        assert effects() == 0

    def test_too_fast_is_not_kept_and_leaves_nothing(self):
        counter = Counter(TooFast("Slowly.", retry_after=3))
        for _ in range(2):
            with pytest.raises(TooFast):
                counter.view(post())
        assert effects() == 0
        counter.answer = None
        assert counter.view(post()).content == b"run 1"

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_answers_that_may_be_better_next_time_are_not_kept(self, status):
        counter = Counter(lambda: HttpResponse(status=status))
        assert counter.view(post()).status_code == status
        assert effects() == 0
        counter.answer = None
        assert counter.view(post()).content == b"run 1"

    @pytest.mark.parametrize("error", [RuntimeError("bug"), Http404(), PermissionDenied()])
    def test_an_error_leaves_neither_effect_nor_key(self, error):
        counter = Counter(error)
        with pytest.raises(type(error)):
            counter.view(post())
        assert not IdempotencyKey.objects.exists()
        counter.answer = None
        assert counter.view(post()).content == b"run 1"

    @pytest.mark.parametrize("status", [200, 201, 204, 303, 400, 409, 422])
    def test_all_others_are(self, status):
        counter = Counter(lambda: HttpResponse(status=status))
        counter.view(post())
        assert counter.view(post())[REPLAYED] == "true"

    def test_a_streamed_answer_is_a_mistake_of_ours(self):
        counter = Counter(lambda: StreamingHttpResponse([b"a"]))
        with pytest.raises(TypeError, match="streamed"):
            counter.view(post())
        assert effects() == 0

    def test_every_refusal_has_its_own_status(self):
        assert {cls.__name__: cls.status for cls in Refusal.__subclasses__()} == {
            "Conflict": 409,
            "Invalid": 422,
            "TooLarge": 413,
            "TooFast": 429,
        }


class TestPruning:
    def test_answers_are_forgotten_after_a_day(self):
        now = datetime(2027, 3, 2, 9, tzinfo=UTC)
        for age in (timedelta(hours=25), timedelta(hours=24), timedelta(hours=1)):
            IdempotencyKey.objects.create(principal="p", key=str(age), created_at=now - age)
        assert due.run_due(now) == 1
        assert IdempotencyKey.objects.count() == 2
        assert due.run_due(now) == 0


@pytest.mark.parametrize("key", ["k" * 101, "a\x00b", "a\nb"])
def test_a_key_that_cannot_be_ours_is_refused(key):
    with pytest.raises(Invalid, match="damaged"):
        Counter().view(post(key=key))
    assert effects() == 0
