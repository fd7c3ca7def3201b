"""What the demo's desk has to do, and has done: documents, reviews, disputes, notes, and how its figures went."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import AccountNote
from accounts.people import add_note
from demo.cast import ADMINS, DOMAIN
from demo.history import Teller
from demo.opinions import keep_flagged, tell_opinions
from demo.papers import tell_papers
from demo.quarrels import keep_open, tell_quarrels
from demo.trends import keep_trends

DANIEL = f"daniel.osei@{DOMAIN}"
DAY = timedelta(days=1)


def tell_desk(teller: Teller) -> None:
    """Everything, in a demo that has none of it."""
    tell_papers(teller)
    tell_opinions(teller)
    tell_quarrels(teller)
    tell_notes(teller)
    keep_trends(teller.now)


def keep_desk(teller: Teller) -> None:
    """What the desk should find whenever somebody plays it: something in each queue, and a trend."""
    tell_papers(teller)
    keep_flagged(teller)
    keep_open(teller)
    keep_trends(teller.now)


def tell_notes(teller: Teller) -> None:
    """What the desk keeps in mind about Daniel."""
    daniel = teller.people[DANIEL]
    if AccountNote.objects.filter(user=daniel).exists():
        return
    olivia, nadia = (teller.people[person.email] for person in ADMINS)
    bell = "The bell of flat 4a is broken: whoever goes there should ring his phone."
    add_note(daniel, by=olivia, text=bell, now=teller.now - 7 * DAY + timedelta(minutes=35))
    nights = "Works nights. Please call after three in the afternoon, not before."
    add_note(daniel, by=nadia, text=nights, now=teller.now - 5 * DAY)
