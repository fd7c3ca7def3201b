"""The other process of `command_to_page`: prepares an SQLite database, then saves a row for each line it reads."""

import os
import sys
import time

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the bench's own tables, which point at the site's
    call_command("createcachetable", verbosity=0)
    from bench.measured import make_people
    from bench.models import Row
    from bench.text import text
    from realtime import journal

    print(make_people(1)[0], journal.now(), flush=True)
    for line in sys.stdin:
        Row.objects.create(text=text(int(line)))
        print(time.time(), flush=True)
