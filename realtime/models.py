"""Placeholder; the lead is writing this file."""

from django.db import models


class LiveQuerySet(models.QuerySet):
    pass


class LiveModel(models.Model):
    class Meta:
        abstract = True
