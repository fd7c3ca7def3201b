from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from realtime.pages import live_page
from realtime.tests.board.live import board_topic
from realtime.tests.board.models import Board


@login_required
@live_page(pace="close")
def board(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Board, pk=pk, people=request.user)
    keys = found.notes.values_list("pk", flat=True)
    return render(request, "board/board.html", {"board": found, "keys": keys, "topic": board_topic(found.pk)})
