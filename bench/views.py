"""The measured requests."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from bench import plain
from bench.models import PlainRow, Row
from bench.text import text


def numbers(request: HttpRequest) -> Iterator[int]:
    """The numbers of the changes asked for, each given when it is time for it."""
    pause = float(request.GET.get("pause", 0))
    first = int(request.GET["first"])
    for number in range(first, first + int(request.GET["count"])):
        yield number
        if pause:
            time.sleep(pause)


def change_live(request: HttpRequest) -> HttpResponse:
    """Save live rows, one transaction each; answers with the instant of each commit."""
    commits = {}
    for number in numbers(request):
        Row.objects.create(text=text(number))
        commits[number] = time.time()
    return JsonResponse(commits)


def change_plain(request: HttpRequest) -> HttpResponse:
    """The plain way at its best: save, commit, render once, send the ready HTML to the group once."""
    layer = get_channel_layer()
    commits = {}
    for number in numbers(request):
        row = PlainRow.objects.create(text=text(number))
        commits[number] = time.time()
        html = render_to_string("bench/_plain.html", {"row": row})
        async_to_sync(layer.group_send)("wall.1", {"type": "wall.change", "html": html})
    return JsonResponse(commits)


def change_bare(request: HttpRequest) -> HttpResponse:
    """As plain, and the bytes go to every socket of this process in a loop: no layer, no consumer."""
    commits = {}
    for number in numbers(request):
        row = PlainRow.objects.create(text=text(number))
        commits[number] = time.time()
        plain.send_to_all(json.dumps(render_to_string("bench/_plain.html", {"row": row})))
    return JsonResponse(commits)


def whoami(request: HttpRequest) -> HttpResponse:
    """The least a signed-in request can do: session and user."""
    return HttpResponse(status=204 if request.user.is_authenticated else 401)


def memory(request: HttpRequest) -> HttpResponse:
    """This process's resident memory in KB."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS"))
    return JsonResponse({"kb": int(line.split()[1])})
