"""A throw-away app: what CONTRIBUTING.md says a live feature needs, and nothing more."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from realtime.models import LiveModel


class Board(LiveModel):
    name = models.CharField(max_length=40)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="boards")


class Note(LiveModel):
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=2000)
    pinned = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]


class Pulse(LiveModel):
    """Changes often; only its newest value matters."""

    board = models.OneToOneField(Board, on_delete=models.CASCADE)
    value = models.IntegerField(default=0)


class Card(LiveModel):
    """One of a list in an order of its own, with all that a page may do with a fragment."""

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="cards")
    title = models.CharField(max_length=80)
    rank = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=20, default="open")
    news = models.CharField(max_length=80, blank=True, help_text="Shown as a toast.")
    broken = models.BooleanField(default=False, help_text="Painted as two elements, which no page can take.")

    class Meta:
        ordering: ClassVar = ["rank", "pk"]
