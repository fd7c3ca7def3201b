"""Topics with a pace: few frames, nothing lost, and no cursor that passes what is held back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.test import Client

from realtime import jobs
from realtime.tests.board.live import board_topic, cards_topic
from realtime.tests.board.models import Board, Card, Note
from realtime.tests.harness import Live, Page, journal_now, until
from realtime.topics import Topic

LONG = 3600.0  # seconds: what is held back in a test does not come by itself


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`pace(seconds)`: cards are told of so seldom."""
    return lambda seconds: monkeypatch.setattr(cards_topic, "_pace", seconds)


@pytest.fixture
def cards(board: Board) -> str:
    """The topic of the board's cards."""
    return cards_topic(board.pk)


def card_frames(page: Page) -> list[int]:
    """Which of the page's frames brought a card."""
    return [
        place
        for place, frame in enumerate(page.got)
        if frame["t"] == "f" and any(piece["live"] == "board.card" for piece in frame["f"])
    ]


def begun(live: Live, board: Board, page: Page) -> Card:
    """A card that was just delivered: its topic rests from here on."""
    made = Card.objects.create(board=board, title="Card 0", rank=0)
    page.sees("Card 0")
    until(lambda: live.call(lambda: live.hub._job is None), "the batch is over")
    return made


def held_back(live: Live) -> list[str]:
    """The keys of what waits for its topic."""
    return live.call(lambda: [touch.key for touch in live.hub.pacer._held])


def test_a_pace_may_be_a_setting(kinds: None, settings) -> None:
    topic = Topic("paced.{number}", pace=lambda: settings.PACE)
    settings.PACE = 2.5
    assert topic.pace == 2.5
    assert board_topic.pace == 0


def test_frames_keep_their_distance_and_bring_everything(
    live: Live, board: Board, alices: Client, cards: str, pace
) -> None:
    pace(0.3)
    page = live.page(alices, [cards])
    end, count = time.monotonic() + 1.5, 0
    while time.monotonic() < end:
        Card.objects.create(board=board, title=f"Card {count}", rank=count)
        count += 1
        time.sleep(0.01)
    live.quiet()
    assert len(page.html) == count
    found = [page.times[place] for place in card_frames(page)]
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert 3 <= len(found) <= 7
    assert min(gaps) >= 0.29  # measured from the end of one delivery to the arrival of the next


def test_the_first_change_after_a_rest_goes_at_once(live: Live, board: Board, alices: Client, cards: str, pace) -> None:
    pace(LONG)
    page = live.page(alices, [cards])
    Card.objects.create(board=board, title="At once", rank=1)
    page.sees("At once")


def test_other_topics_do_not_wait(live: Live, board: Board, alices: Client, cards: str, topic: str, pace) -> None:
    pace(LONG)
    page = live.page(alices, [cards, topic])
    begun(live, board, page)
    held = Card.objects.create(board=board, title="Held", rank=2)
    Note.objects.create(board=board, text="Not held")
    page.sees("Not held")
    until(lambda: held_back(live) == [str(held.pk)], "the card waits")
    assert not any("Held" in html for html in page.html.values())


def test_no_cursor_passes_what_is_held_back(
    live: Live, board: Board, alices: Client, bobs: Client, cards: str, topic: str, pace
) -> None:
    pace(LONG)
    page = live.page(alices, [cards, topic])
    begun(live, board, page)
    held = Card.objects.create(board=board, title="Held", rank=2)
    until(lambda: held_back(live) == [str(held.pk)], "the card waits")
    for number in range(5):
        Note.objects.create(board=board, text=f"Note {number}")
        page.sees(f"Note {number}")
    page.send(t="beat")
    told = until(lambda: page.of("beat"), "the beat is answered")[-1]["c"]
    for cursor in (page.cursor, told, live.call(live.hub.cursor_text)):
        other = live.page(bobs, [cards, topic], cursor)
        other.sees("Held")


def test_a_page_that_comes_meanwhile_is_told_at_once(
    live: Live, board: Board, alices: Client, bobs: Client, cards: str, pace
) -> None:
    before = journal_now()
    pace(LONG)
    begun(live, board, live.page(alices, [cards]))
    held = Card.objects.create(board=board, title="Held", rank=2)
    until(lambda: held_back(live) == [str(held.pk)], "the card waits")
    live.page(bobs, [cards], before).sees("Held").sees("Card 0")


def test_of_one_thing_changed_often_the_last_arrives_once(
    live: Live, board: Board, alices: Client, cards: str, pace
) -> None:
    pace(0.5)
    page = live.page(alices, [cards])
    card = begun(live, board, page)
    for number in range(1, 20):
        card.title = f"Card {number}"
        card.save(update_fields=["title"])
    live.quiet()
    assert "Card 19" in page.html[f"board-card-{card.pk}"]
    # One frame a pace: the machine may have been slow enough for a second one while they were saved.
    assert len(card_frames(page)) <= 4


def test_quiet_waits_for_what_is_held_back(live: Live, board: Board, alices: Client, cards: str, pace) -> None:
    pace(0.3)
    page = live.page(alices, [cards])
    begun(live, board, page)
    for number in range(1, 4):
        Card.objects.create(board=board, title=f"Card {number}", rank=number)
        live.quiet()
        assert any(f"Card {number}" in html for html in page.html.values())
    assert held_back(live) == []


def test_data_stay_fresh_while_something_is_held_back(
    live: Live, board: Board, alices: Client, cards: str, pace
) -> None:
    pace(LONG)
    page = live.page(alices, [cards])
    begun(live, board, page)
    Card.objects.create(board=board, title="Held", rank=2)
    until(lambda: held_back(live), "the card waits")
    now = live.hub.asof
    until(lambda: live.hub.asof > now, "the tail's looks still count")


def test_a_topic_is_not_lost_when_its_batch_fails(
    live: Live, board: Board, alices: Client, cards: str, pace, monkeypatch
) -> None:
    pace(0.2)
    page = live.page(alices, [cards])
    run, failures = jobs.Job.run, iter([OperationalError("away"), OperationalError("away")])

    def failing(job: jobs.Job) -> None:
        for error in failures:
            raise error
        run(job)

    monkeypatch.setattr(jobs.Job, "run", failing)
    for number in range(3):
        Card.objects.create(board=board, title=f"Card {number}", rank=number)
    live.quiet()
    assert len(page.html) == 3


def test_nothing_waits_for_a_page_that_has_left(live: Live, board: Board, alices: Client, cards: str, pace) -> None:
    pace(0.3)
    page = live.page(alices, [cards])
    begun(live, board, page)
    Card.objects.create(board=board, title="For nobody", rank=2)
    page.leave()
    live.quiet()
    assert held_back(live) == []


def test_two_boards_have_a_pace_each(live: Live, board: Board, alice, alices: Client, cards: str, pace) -> None:
    pace(LONG)
    other = Board.objects.create(name="Garden")
    other.people.add(alice)
    page = live.page(alices, [cards, cards_topic(other.pk)])
    begun(live, board, page)
    Card.objects.create(board=other, title="Rake", rank=1)
    page.sees("Rake")
