"""The measured rows: live, and the same without the mechanism."""

from django.conf import settings
from django.db import models

from realtime.models import LiveModel


class Row(LiveModel):
    """A live row: a fragment watches it."""

    text = models.CharField(max_length=2000)


class PlainRow(models.Model):
    """The same columns; nobody watches."""

    text = models.CharField(max_length=2000)


class PlainMessage(models.Model):
    """What the plain chat saves."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)


class PlainFix(models.Model):
    """What the plain way saves of a fix."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    driver = models.PositiveIntegerField()
    latitude = models.FloatField()
    longitude = models.FloatField()
    accuracy = models.FloatField()
    speed = models.FloatField()
    heading = models.FloatField()
    at = models.DateTimeField(auto_now_add=True)


class PlainNotice(models.Model):
    """What the plain way saves for each person who is told."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)
