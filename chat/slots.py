"""What talking puts into the pages of jobs, and onto a driver's screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.access import signed_in
from bookings.models import Bid, Booking
from bookings.states import BidStatus, BookingStatus
from chat import access
from chat.live import replies_topic, talks_topic
from chat.talk import talk_of
from common.slots import fill

SHOWN_TO_DRIVERS = 2  # conversations
HINT = "Ask a technician about their offer with the button on it. Your questions and their answers collect here."

NOTHING_YET: Mapping[str, Any] = {"talk": None}  # a place, so that the talk comes onto the open page


def job_panel(booking: Booking, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """The customer's: the talk with the technician of the visit, or the questions about the offers."""
    if request is None:
        return None
    user = signed_in(request)
    rows = access.visible_conversations(user).filter(bid__booking=booking).order_by("-last_at")
    threads = list(rows)
    chosen = next((each for each in threads if each.bid and each.bid.status == BidStatus.ACCEPTED), None)
    if chosen is not None:
        return {"talk": talk_of(request, chosen)}
    if not threads and booking.status != BookingStatus.OPEN:
        return NOTHING_YET
    keys = [f"{each.pk}-{user.pk}" for each in threads]
    return {"talk": None, "rows": keys, "rows_topic": talks_topic(user.pk), "hint": HINT}


def work_panel(booking: Booking, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """The technician's: their talk with the customer, once something was said or the job is theirs."""
    if request is None:
        return None
    user = signed_in(request)
    thread = access.visible_conversations(user).filter(bid__booking=booking, bid__technician=user.pk).first()
    return {"talk": talk_of(request, thread)} if thread is not None else NOTHING_YET


def offer_link(bid: Bid, request: HttpRequest | None) -> Mapping[str, Any]:
    """On an offer, for the customer."""
    return {"bid": bid}


def work_link(bid: Bid, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """On one's own offer, while it stands."""
    return {"bid": bid} if bid.status == BidStatus.SUBMITTED else None


def drive_panel(driver: Any, request: HttpRequest | None) -> Mapping[str, Any] | None:
    """The driver's: quick words to the desk, and what was said last."""
    if request is None:
        return None
    user = signed_in(request)
    threads = access.visible_conversations(user).order_by("-last_at", "-pk").values_list("pk", flat=True)
    return {
        "role": user.role,
        "replies_topic": replies_topic(user.role),
        "rows": [f"{pk}-{user.pk}" for pk in threads[:SHOWN_TO_DRIVERS]],
        "rows_topic": talks_topic(user.pk),
    }


fill("bookings.job", template="chat/_job_panel.html", context=job_panel)
fill("bookings.work", template="chat/_job_panel.html", context=work_panel)
fill("bookings.offer", template="chat/_ask.html", context=offer_link)
fill("bookings.work_offer", template="chat/_ask_customer.html", context=work_link)
fill("tracking.drive", template="chat/_drive_panel.html", context=drive_panel)
