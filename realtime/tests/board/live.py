from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q

from realtime.fragments import Fragment, watch
from realtime.inbound import receives, signal
from realtime.tests.board.models import Board, Card, Note, Pulse
from realtime.topics import Principal, Topic


def people(user_ids: set[int], board_id: int) -> set[int]:
    return set(
        Board.people.through.objects.filter(board_id=board_id, user_id__in=user_ids).values_list("user_id", flat=True)
    )


def links(tokens: set[str], board_id: int) -> set[str]:
    return tokens & {f"open-{board_id}"}


board_topic = Topic("board.{board_id}", users=people, links=links)
cards_topic = Topic("board.{board_id}.cards", users=people, keeps_signals=True)


def load_notes(keys: Sequence[str]) -> Mapping[str, Note]:
    return {str(note.pk): note for note in Note.objects.filter(pk__in=keys)}


def load_counts(keys: Sequence[str]) -> Mapping[str, Board]:
    return {str(board.pk): board for board in Board.objects.filter(pk__in=keys).prefetch_related("notes")}


def load_pins(keys: Sequence[str]) -> Mapping[str, Board]:
    pinned = Count("notes", filter=Q(notes__pinned=True))
    return {str(board.pk): board for board in Board.objects.filter(pk__in=keys).annotate(pinned=pinned)}


def load_cards(keys: Sequence[str]) -> Mapping[str, Card]:
    return {str(card.pk): card for card in Card.objects.filter(pk__in=keys)}


def load_pulses(keys: Sequence[str]) -> Mapping[str, Pulse]:
    return {str(pulse.pk): pulse for pulse in Pulse.objects.filter(pk__in=keys)}


note = Fragment(
    "board.note",
    template="board/_note.html",
    load=load_notes,
    topics=lambda note: [board_topic(note.board_id)],
    watches=[watch(Note, remember=("board_id",))],
    order=lambda note: f"{note.pk:09}",
)
count = Fragment(
    "board.count",
    template="board/_count.html",
    load=load_counts,
    topics=lambda board: [board_topic(board.pk)],
    watches=[
        watch(Board),
        watch(Note, remember=("board_id",), touches=lambda row: [(board_topic(row.board_id), str(row.board_id))]),
    ],
)
card = Fragment(
    "board.card",
    template="board/_card.html",
    load=load_cards,
    topics=lambda card: [cards_topic(card.board_id)],
    watches=[watch(Card, remember=("board_id",))],
    order=lambda card: f"{card.rank:05}",
)
pulse = Fragment(
    "board.pulse",
    template="board/_pulse.html",
    load=load_pulses,
    topics=lambda pulse: [board_topic(pulse.board_id)],
    watches=[watch(Pulse)],
    latest=True,
)
pins = Fragment(
    "board.pins",
    template="board/_pins.html",
    load=load_pins,
    topics=lambda board: [board_topic(board.pk)],
    watches=[
        watch(
            Note, fields=("pinned", "board_id"), touches=lambda row: [(board_topic(row.board_id), str(row.board_id))]
        ),
    ],
)


@receives("board.typing")
def typing(principal: Principal, data: dict[str, Any]) -> None:
    board_id = int(data["board"])
    if principal.user_id in people({principal.user_id or 0}, board_id):
        signal(board_topic(board_id), "typing", {"who": principal.id}, besides=principal)


@receives("board.shuffling")
def shuffling(principal: Principal, data: dict[str, Any]) -> None:
    """A signal that polling pages hear too, for three seconds."""
    board_id = int(data["board"])
    if principal.user_id in people({principal.user_id or 0}, board_id):
        signal(cards_topic(board_id), "shuffling", {"who": principal.id}, besides=principal, keep=3)


@receives("board.write")
def write(principal: Principal, data: dict[str, Any]) -> None:
    """A change made by this very server process."""
    board_id = int(data["board"])
    if principal.user_id in people({principal.user_id or 0}, board_id):
        Note.objects.create(board_id=board_id, text=str(data["text"]))
