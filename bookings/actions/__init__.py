"""The verbs of bookings. Each owns its transaction, its locks, its rule and its history row.

All take the object as the page fetched it (it is locked and read again inside), `by=` the person who acts,
and optionally `now=`. They raise `common.refusals.Conflict` or `Invalid` with a sentence and a next step,
and `PermissionDenied` for somebody who may not.
"""

from bookings.actions.bids import accept_bid, place_bid, reject_bid, release, revise_bid, withdraw_bid
from bookings.actions.booking import (
    DraftFields,
    add_photo,
    cancel_booking,
    change_window,
    discard_draft,
    open_booking,
    quote_cancellation,
    remove_photo,
    save_draft,
)
from bookings.actions.desk import Plan, assign_technician, book_for, move_visit, on_behalf
from bookings.actions.disputes import (
    add_evidence,
    answer_dispute,
    open_dispute,
    resolve_dispute,
    take_on,
    withdraw_dispute,
)
from bookings.actions.reschedule import (
    accept_reschedule,
    decline_reschedule,
    propose_reschedule,
    withdraw_reschedule,
)
from bookings.actions.reviews import flag_review, hide_review, keep_review, write_review
from bookings.actions.visit import (
    check_in,
    complete_session,
    pause_session,
    record_contact_attempt,
    renew_start_code,
    report_no_show,
    resume_session,
    start_session,
)

__all__ = [
    "DraftFields",
    "Plan",
    "accept_bid",
    "accept_reschedule",
    "add_evidence",
    "add_photo",
    "answer_dispute",
    "assign_technician",
    "book_for",
    "cancel_booking",
    "change_window",
    "check_in",
    "complete_session",
    "decline_reschedule",
    "discard_draft",
    "flag_review",
    "hide_review",
    "keep_review",
    "move_visit",
    "on_behalf",
    "open_booking",
    "open_dispute",
    "pause_session",
    "place_bid",
    "propose_reschedule",
    "quote_cancellation",
    "record_contact_attempt",
    "reject_bid",
    "release",
    "remove_photo",
    "renew_start_code",
    "report_no_show",
    "resolve_dispute",
    "resume_session",
    "revise_bid",
    "save_draft",
    "start_session",
    "take_on",
    "withdraw_bid",
    "withdraw_dispute",
    "withdraw_reschedule",
    "write_review",
]
