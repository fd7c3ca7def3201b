"""The routing server: asked by the clock alone, about those who are on the way, and never waited for by a page."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bookings.tests import make
from bookings.tests.follow import keys_of, touched_by
from bookings.tests.make import CAMDEN, NOW
from common.geo import Point
from tracking import actions, routing
from tracking.models import Journey
from tracking.routing import ask_routes, read
from tracking.tests import make as road
from tracking.tests.make import FAR, NEAR
from tracking.trips import load_trips

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
OK: dict[str, Any] = {"code": "Ok", "routes": [{"duration": 731.4, "distance": 5012.0}]}


class Router:
    """A routing server of the test's own, on the loopback."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: tuple[int, bytes] = (200, json.dumps(OK).encode())
        router = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                router.asked.append(self.path)
                status, body = router.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(10)


@pytest.fixture
def router(settings) -> Iterator[Router]:
    """The site has a routing server."""
    made = Router()
    settings.ROUTING_URL = made.url
    yield made
    made.stop()


@pytest.fixture
def journey(alice, bob) -> Journey:
    """Bob is on the way to Alice, and has been seen."""
    journey = actions.set_out(make.visit(alice, bob), by=bob, now=NOW)
    road.place(bob, NEAR, now=NOW)
    return journey


class TestAsking:
    def test_it_is_asked_from_where_they_are_to_the_door(self, router, journey) -> None:
        assert ask_routes(NOW) == 1
        assert router.asked == [
            f"/route/v1/driving/{NEAR.longitude:.6f},{NEAR.latitude:.6f};{CAMDEN.longitude:.6f},{CAMDEN.latitude:.6f}"
            "?overview=false"
        ]
        row = make.fresh(journey)
        assert (row.route_seconds, row.route_at) == (731, NOW)

    def test_the_answer_is_what_pages_say(self, router, journey) -> None:
        ask_routes(NOW)
        trip = load_trips([str(journey.pk)])[str(journey.pk)]
        trip = type(trip)(trip.journey, trip.position, NOW + SECOND)
        assert trip.eta_words == "about 13 min"

    def test_each_journey_only_now_and_then(self, router, journey) -> None:
        ask_routes(NOW)
        assert ask_routes(NOW + 29 * SECOND) == 0 and len(router.asked) == 1
        assert ask_routes(NOW + 30 * SECOND) == 1 and len(router.asked) == 2

    def test_a_path_in_the_address_is_kept(self, router, journey, settings) -> None:
        settings.ROUTING_URL = f"{router.url}/osrm/"
        ask_routes(NOW)
        assert router.asked[0].startswith("/osrm/route/v1/driving/")

    def test_pages_hear_of_it(self, router, journey, alice) -> None:
        found = touched_by(lambda: ask_routes(NOW))
        assert keys_of(found, "tracking.journey") == {str(journey.pk)}

    def test_many_are_asked_together(self, router, journey, charlie, dora) -> None:
        actions.set_out(make.visit(charlie, dora), by=dora, now=NOW)
        road.place(dora, FAR, now=NOW)
        assert ask_routes(NOW) == 2 and len(router.asked) == 2


class TestNotAsking:
    def test_without_a_server_nobody(self, journey, settings, django_assert_num_queries) -> None:
        settings.ROUTING_URL = ""
        with django_assert_num_queries(0):
            assert ask_routes(NOW) == 0

    def test_about_nobody_who_was_not_seen(self, router, alice, bob) -> None:
        actions.set_out(make.visit(alice, bob), by=bob, now=NOW)
        assert ask_routes(NOW) == 0 and not router.asked

    def test_nor_about_what_is_over(self, router, journey, bob) -> None:
        actions.turn_back(journey, by=bob, now=NOW)
        road.place(bob, NEAR, now=NOW)
        assert ask_routes(NOW) == 0 and not router.asked

    def test_an_answer_that_comes_after_the_end_is_forgotten(self, journey, bob) -> None:
        actions.turn_back(journey, by=bob, now=NOW)
        assert not routing.keep(journey.pk, 300, NOW)
        assert make.fresh(journey).route_seconds is None

    def test_a_page_never_asks(self, router, journey, client, alice) -> None:
        client.force_login(alice)
        assert client.get(f"/jobs/{journey.booking_id}/").status_code == 200
        assert not router.asked


class TestTrouble:
    @pytest.mark.parametrize(
        "answer",
        [
            (500, b""),
            (200, b"not json"),
            (200, b"[]"),
            (200, b'{"code": "NoRoute", "routes": []}'),
            (200, b'{"code": "Ok"}'),
            (400, b'{"code": "InvalidQuery"}'),
        ],
    )
    def test_without_a_good_answer_the_estimate_is_our_own(self, router, journey, answer) -> None:
        router.answer = answer
        assert ask_routes(NOW) == 0
        row = make.fresh(journey)
        assert (row.route_seconds, row.route_at) == (None, NOW), "it is not asked again at every tick"
        trip = load_trips([str(journey.pk)])[str(journey.pk)]
        assert type(trip)(trip.journey, trip.position, NOW).eta_words == "about 3 min"

    @pytest.mark.parametrize("body", [b"[" * 90_000, b'{"code": "Ok"', b"\xff\xfe"])
    def test_nor_does_nonsense_break_the_clock(self, router, journey, body) -> None:
        router.answer = (200, body)
        assert ask_routes(NOW) == 0 and make.fresh(journey).route_at == NOW

    def test_nor_a_proxy_that_dies_in_the_middle_of_a_word(self, journey, settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.ROUTING_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

            def die() -> None:
                line, _ = server.accept()
                line.recv(4096)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
                line.close()

            thread = threading.Thread(target=die)
            thread.start()
            assert ask_routes(NOW) == 0 and make.fresh(journey).route_at == NOW
            thread.join(10)

    def test_a_server_that_is_not_there_costs_a_moment(self, journey, settings) -> None:
        settings.ROUTING_URL = "http://127.0.0.1:9"
        assert ask_routes(NOW) == 0
        assert make.fresh(journey).route_at == NOW

    @pytest.mark.parametrize(
        "found",
        [
            None, 7, "x", [], {}, {"code": "Ok", "routes": {}}, {"code": "Ok", "routes": [7]},
            {"code": "Ok", "routes": [{"duration": "12"}]}, {"code": "Ok", "routes": [{"duration": True}]},
            {"code": "Ok", "routes": [{"duration": float("nan")}]}, {"code": "Ok", "routes": [{"duration": -1}]},
            {"code": "Ok", "routes": [{"duration": 10**7}]}, {"code": "Ok", "routes": [{"duration": 10**400}]},
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_no_answer(self, found: object) -> None:
        assert read(found) is None

    def test_a_good_one_is_whole_seconds(self) -> None:
        assert read(OK) == 731

    def test_the_question_is_of_the_form_that_osrm_reads(self, settings, router) -> None:
        assert routing.travel_seconds((Point(51.5, -0.1), Point(51.6, -0.2))) == 731
        assert router.asked == ["/route/v1/driving/-0.100000,51.500000;-0.200000,51.600000?overview=false"]
