"""The measured requests."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bench import plain
from bench.models import PlainFix, PlainMessage, PlainNotice, PlainRow, Row
from bench.notices import NEWS
from bench.text import text
from notifications.actions import notify


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


def plain_chat(request: HttpRequest) -> HttpResponse:
    """The plain chat: GET is its page; POST saves a message, renders it once and sends the HTML to the group."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if request.method != "POST":
        return render(request, "bench/plain_chat.html")
    message = PlainMessage.objects.create(author=request.user, text=request.POST["text"])
    html = render_to_string("bench/_plain_message.html", {"message": message})
    async_to_sync(get_channel_layer().group_send)("chat.1", {"type": "chat.message", "html": html})
    return HttpResponse(status=204)


@csrf_exempt  # the load has no page that a token came with
def plain_fix(request: HttpRequest) -> HttpResponse:
    """The plain way with a fix: save it, render it once, send the HTML to the driver's group."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    sent = json.loads(request.body)
    fix = PlainFix.objects.create(
        user=request.user,
        driver=sent["driver"],
        latitude=sent["lat"],
        longitude=sent["lng"],
        accuracy=sent["acc"],
        speed=sent["spd"],
        heading=sent["hdg"],
    )
    html = render_to_string("bench/_plain_fix.html", {"fix": fix})
    async_to_sync(get_channel_layer().group_send)(f"road.{fix.driver}", {"type": "road.fix", "html": html})
    return HttpResponse(status=204)


def measured_people(request: HttpRequest) -> list[Any]:
    """The first `count` of the measured people."""
    people = get_user_model().objects.filter(email__startswith="bench").order_by("pk")
    return list(people[: int(request.GET["count"])])


def tell(request: HttpRequest) -> HttpResponse:
    """Tell `count` people in one action, as an action of the site does; answers with how long the action took."""
    people = list(
        get_user_model().objects.filter(email__startswith="bench").order_by("pk")[: int(request.GET["count"])]
    )
    number = int(request.GET["number"])
    start = time.perf_counter()
    with transaction.atomic():
        notify(
            people,
            NEWS,
            by=None,
            event=f"bench.{number}",
            url="/",
            now=timezone.now(),
            words={"what": text(number)[:60]},
        )
    return JsonResponse({"took": time.perf_counter() - start, "at": time.time()})


def tell_plain(request: HttpRequest) -> HttpResponse:
    """The plain way: one row and one group message for each person, within the request."""
    people = list(
        get_user_model().objects.filter(email__startswith="bench").order_by("pk")[: int(request.GET["count"])]
    )
    layer = get_channel_layer()
    start = time.perf_counter()
    with transaction.atomic():
        rows = PlainNotice.objects.bulk_create([PlainNotice(user=user, text="News") for user in people])
    for row in rows:
        html = render_to_string("bench/_plain.html", {"row": row})
        async_to_sync(layer.group_send)(f"user.{row.user_id}", {"type": "wall.change", "html": html})
    return JsonResponse({"took": time.perf_counter() - start, "at": time.time()})


def whoami(request: HttpRequest) -> HttpResponse:
    """The least a signed-in request can do: session and user."""
    return HttpResponse(status=204 if request.user.is_authenticated else 401)


def memory(request: HttpRequest) -> HttpResponse:
    """This process's resident memory in KB."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS"))
    return JsonResponse({"kb": int(line.split()[1])})
