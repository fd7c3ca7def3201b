"""The shell of every page: error pages, refusals, health, and what the browser is told."""

import json
import re

import pytest
from django.template.loader import get_template
from django.test import Client

from common.http import done
from common.refusals import Conflict, Invalid, TooFast, TooLarge, refusal_response
from realtime import health

pytestmark = pytest.mark.django_db


class TestErrorPages:
    def test_a_missing_page_says_so_and_leads_home(self, client):
        answer = client.get("/no-such-page")
        assert answer.status_code == 404
        assert b"not yours to see" in answer.content
        assert answer.content.count(b"<h1") == 1

    @pytest.mark.urls("common.tests.shell_urls")
    def test_our_mistake_needs_no_context(self):
        answer = Client(raise_request_exception=False).get("/broken")
        assert answer.status_code == 500
        assert b"our mistake" in answer.content

    @pytest.mark.parametrize("name", ["400.html", "500.html", "403_csrf.html"])
    def test_plain_ones_render_without_a_request(self, name):
        html = get_template(name).render()
        assert html.count("<h1") == 1
        assert "Home" in html

    def test_a_form_sent_without_its_token_is_explained(self):
        answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
        assert answer.status_code == 403
        assert b"Please send it again" in answer.content


class TestRefusals:
    @pytest.mark.parametrize(
        ("refusal", "status"),
        [
            (Conflict("Taken."), 409),
            (Invalid("Not so."), 422),
            (TooLarge("Too many bytes."), 413),
            (TooFast("Wait.", retry_after=7), 429),
        ],
    )
    def test_a_page_with_the_sentence(self, rf, refusal, status):
        request = rf.get("/")
        request.user = None
        answer = refusal_response(request, refusal)
        assert answer.status_code == status
        assert refusal.sentence.encode() in answer.content
        assert answer.content.count(b"<h1") == 1

    def test_a_fragment_for_a_dialog_with_the_next_step(self, rf):
        request = rf.post("/")
        request.htmx = True
        answer = refusal_response(request, Conflict("Taken.", next_url="/jobs/", next_label="3 similar jobs nearby"))
        assert b"<html" not in answer.content
        assert b'href="/jobs/"' in answer.content
        assert b"3 similar jobs nearby" in answer.content


class TestDone:
    def test_a_plain_form_is_sent_on(self, rf):
        answer = done(rf.post("/"), "/jobs/5/")
        assert (answer.status_code, answer["Location"]) == (303, "/jobs/5/")

    def test_a_dialog_stays_where_it_is(self, rf):
        request = rf.post("/")
        request.htmx = True
        answer = done(request, "/jobs/5/")
        assert (answer.status_code, answer["HX-Trigger"]) == (204, "dialog-done")


class TestHealth:
    def test_the_process_answers_without_the_database(self, client, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert client.get("/healthz").content == b"ok\n"

    @pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
    def test_ready_or_not(self, client, monkeypatch, ready, status):
        monkeypatch.setattr(health, "ready", lambda: {"ok": ready})
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["ok"]) == (status, ready)

    def test_the_manifest_names_an_icon_that_exists(self, client):
        icon = client.get("/manifest.webmanifest").json()["icons"][0]["src"]
        assert icon.endswith(".svg")


@pytest.mark.urls("common.tests.shell_urls")
class TestTheShell:
    def test_nothing_inline_for_the_strict_policy(self, client):
        answer = client.get("/page")
        html = answer.content.decode()
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on", html)
        assert not re.search(r'(src|href)="(https?:)?//', html)

    def test_htmx_shows_the_answers_that_carry_a_sentence(self, client):
        html = client.get("/page").content.decode()
        config = json.loads(re.search(r"name=\"htmx-config\" content='([^']*)'", html)[1])
        assert config["allowEval"] is False
        assert config["includeIndicatorStyles"] is False

        def handled(status):
            return next(rule["swap"] for rule in config["responseHandling"] if re.search(rule["code"], str(status)))

        assert {status: handled(status) for status in (200, 204, 403, 404, 409, 413, 422, 429, 500)} == {
            200: True, 204: False, 403: True, 404: False, 409: True, 413: True, 422: True, 429: True, 500: False,
        }  # fmt: skip

    def test_a_stranger_gets_no_live_page_and_no_navigation(self, client):
        html = client.get("/page").content.decode()
        assert 'name="live"' not in html
        assert "main-nav" not in html
        assert "Sign in" in html

    @pytest.mark.parametrize(
        ("role", "word"), [("customer", "Book"), ("technician", "Jobs"), ("admin", "Desk"), ("driver", "Me")]
    )
    def test_everybody_finds_their_own_way(self, client, django_user_model, role, word):
        client.force_login(django_user_model.objects.create_user(f"{role}@example.org", name="Maya", role=role))
        html = client.get("/page").content.decode()
        navigation = re.search(r'<nav class="main-nav".*?</nav>', html, re.DOTALL)[0]
        assert f"<span>{word}</span>" in navigation
        assert 'name="live"' in html
