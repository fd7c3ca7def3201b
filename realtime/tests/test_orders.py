"""Ending sockets: sign-out, a new password, a deactivated account, and what must not be ended."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from realtime import bell, keeping
from realtime.orders import SESSION_FIELD, end_session, end_sessions_of
from realtime.tests.board.models import Board, Note
from realtime.tests.harness import Live, session_key, session_of, until


def live_id(client: Client) -> str:
    """The id by which the sockets of a session are ended."""
    return client.session[SESSION_FIELD]


def test_a_session_has_an_id_of_its_own_that_is_not_its_key(alice: Any) -> None:
    one, two = session_of(alice), session_of(alice)
    assert live_id(one) != live_id(two) and len(live_id(one)) == 16 and live_id(one) not in session_key(one)


def test_signing_out_ends_the_pages_of_that_session_only(
    live: Live, board: Board, alice: Any, alices: Client, bobs: Client, topic: str
) -> None:
    elsewhere = session_of(alice)
    here = [live.page(alices, [topic]), live.page(alices, [])]
    there, his = live.page(elsewhere, [topic]), live.page(bobs, [topic])
    alices.post("/accounts/logout/")
    assert [page.closed(2) for page in here] == [4401, 4401]
    Note.objects.create(board=board, text="For those who stay")
    there.sees("For those who stay")
    his.sees("For those who stay")
    assert "stay" not in str(here[0].got)


def test_a_signed_out_page_that_returns_is_signed_out(live: Live, board: Board, alices: Client, topic: str) -> None:
    page = live.page(alices, [topic])
    alices.post("/accounts/logout/")
    assert page.closed(2) == 4401
    assert live.open(alices).say_hello([topic]).closed() == 4401


def test_all_sessions_of_a_user_end_but_the_one_spared(
    live: Live, board: Board, alice: Any, alices: Client, bobs: Client, topic: str
) -> None:
    kept, lost, his = session_of(alice), live.page(alices, [topic]), live.page(bobs, [topic])
    spared = live.page(kept, [topic])
    end_sessions_of(alice.pk, except_live_id=live_id(kept))
    assert lost.closed(2) == 4401
    Note.objects.create(board=board, text="Still here")
    spared.sees("Still here")
    his.sees("Still here")
    end_sessions_of(alice.pk)
    assert spared.closed(2) == 4401 and his.code is None


def test_a_user_whose_number_begins_alike_is_not_meant(live: Live, alice: Any, alices: Client) -> None:
    page = live.page(alices, [])
    end_sessions_of(int(f"{alice.pk}0"))
    end_session(live_id(alices)[:-1])
    end_session("")
    page.send(t="beat")
    live.quiet()
    end_session(live_id(alices))
    assert page.closed(2) == 4401 and len(page.of("beat")) == 1


def test_a_deactivated_account_loses_every_page_at_once(
    live: Live, board: Board, alice: Any, alices: Client, topic: str
) -> None:
    pages = [live.page(alices, [topic]), live.page(session_of(alice), [topic])]
    alice.is_active = False
    alice.save()
    assert [page.closed(2) for page in pages] == [4401, 4401]
    assert live.open(alices).say_hello([topic]).closed() == 4401


def test_a_new_sign_in_right_after_is_not_ended(
    live: Live, board: Board, alice: Any, alices: Client, topic: str
) -> None:
    old = live.page(alices, [topic])
    end_sessions_of(alice.pk)
    new = live.page(session_of(alice), [topic])
    assert old.closed(2) == 4401
    Note.objects.create(board=board, text="Back again")
    new.sees("Back again")


def test_a_page_that_says_hello_while_its_session_ends_does_not_slip_in(
    live: Live, board: Board, alices: Client, topic: str
) -> None:
    """The order is heard before the hello is answered; nobody who was ended is welcomed afterwards."""
    end_session(live_id(alices))
    live.quiet()
    assert live.open(alices).say_hello([topic]).closed() == 4401


def test_an_order_reaches_a_hub_that_heard_no_bell(live: Live, alices: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = live.page(alices, [])
    monkeypatch.setattr(bell, "ring", lambda items, at: None)
    end_session(live_id(alices))
    assert page.closed(2) == 4401


def test_an_order_that_is_rolled_back_ends_nobody(live: Live, alices: Client) -> None:
    page = live.page(alices, [])
    with transaction.atomic():
        end_session(live_id(alices))
        transaction.set_rollback(True)
    page.send(t="beat")
    live.quiet()
    page.send(t="beat")
    until(lambda: len(page.of("beat")) == 2, "still open")
    assert page.code is None


def test_a_session_that_ends_by_itself_is_noticed(
    live: Live, alices: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired or deleted session gives no order; the hub looks now and then."""
    settings.LIVE = {**settings.LIVE, "PRESENCE_EVERY": 0.1}
    monkeypatch.setattr(keeping, "CHECK_SESSIONS_EVERY", 0.0)
    live.restart("presence")  # it sleeps with the interval it began with
    page, link = live.page(alices, []), live.open(None)
    link.hello(["board.1"], link="open-1")
    Session.objects.filter(pk=session_key(alices)).delete()
    assert page.closed() == 4013 and link.code is None
