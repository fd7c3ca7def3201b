import os
import signal

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from realtime.pages import live_page
from realtime.tests.board.live import board_topic, cards_topic
from realtime.tests.board.models import Board, Note, Pulse


@login_required
@live_page(pace="close")
def board(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Board, pk=pk, people=request.user)
    keys = found.notes.values_list("pk", flat=True)
    return render(request, "board/board.html", {"board": found, "keys": keys, "topic": board_topic(found.pk)})


@login_required
@live_page(pace="close")
def desk(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that a page can hold at once; its form adds a note."""
    found = get_object_or_404(Board, pk=pk, people=request.user)
    if request.method == "POST":
        Note.objects.create(board=found, text=request.POST["text"])
        return redirect("board:desk", pk=pk)
    context = {
        "board": found,
        "topic": board_topic(pk),
        "cards_topic": cards_topic(pk),
        "notes": found.notes.values_list("pk", flat=True),
        "cards": found.cards.values_list("pk", flat=True),
        "pulse": Pulse.objects.filter(board=found).first(),
        "done": found.cards.filter(state="done").count(),
    }
    return render(request, "board/desk.html", context)


@csrf_exempt
@require_POST
@login_required
def last_words(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a note and dies without a trace as soon as it is committed, before any bell can ring."""
    found = get_object_or_404(Board, pk=pk, people=request.user)
    with transaction.atomic():
        transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))  # before the bell's own hook
        Note.objects.create(board=found, text=request.POST["text"])
    raise AssertionError("still alive")
