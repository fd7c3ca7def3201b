"""A demo of the size of a business."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from bookings.models import Booking
from demo.multiply import multiply
from demo.people import demo_is_here

MOST_BEFORE = 5000


class Command(BaseCommand):
    """Copy the demo's past until there are about as many bookings and people as asked for."""

    help = "Makes the demo as large as a business of two years, on PostgreSQL. Only with DEMO=on, after `demo`."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many."""
        parser.add_argument("--bookings", type=int, default=100_000, help="Bookings, about (100000).")
        parser.add_argument("--people", type=int, default=20_000, help="People, about (20000).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Multiply. Raises `CommandError` outside demo mode, without the demo, on SQLite, or done before."""
        if not settings.DEMO:
            raise CommandError("This is not a demo site; set DEMO=on to multiply demo people.")
        if connection.vendor != "postgresql":
            raise CommandError("This many rows are for PostgreSQL; set DATABASE_URL=postgres://…")
        if not demo_is_here():
            raise CommandError("There is no demo here to multiply; run `manage.py demo` first.")
        if Booking.objects.count() > MOST_BEFORE:
            raise CommandError("This demo is large already; begin with an empty database.")
        for table, rows in multiply(bookings=options["bookings"], people=options["people"]).items():
            self.stdout.write(f"{rows:>9,} {table}")
