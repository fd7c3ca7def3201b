"""The measured rows: live, and the same without the mechanism."""

from django.db import models

from realtime.models import LiveModel


class Row(LiveModel):
    """A live row: a fragment watches it."""

    text = models.CharField(max_length=2000)


class PlainRow(models.Model):
    """The same columns; nobody watches."""

    text = models.CharField(max_length=2000)
