"""The verbs of the road. Each owns its transaction, its locks, its rule, its history row and its notices.

All take the object as the page fetched it (it is locked and read again inside), `by=` the person who acts, and
optionally `now=`. They raise `common.refusals.Conflict` or `Invalid` with a sentence and a next step, and
`PermissionDenied` for somebody who may not.
"""

from tracking.actions.driving import arrive, cancel_dispatch, complete, fail, reassign, set_off
from tracking.actions.duty import (
    change_driver,
    end_break,
    go_off_duty,
    go_on_duty,
    request_position,
    take_break,
)
from tracking.actions.fixes import prune_fixes, take_fixes
from tracking.actions.journeys import revoke_link, set_out, share, turn_back
from tracking.actions.legs import cancel_leg, create_leg
from tracking.actions.offers import (
    accept_offer,
    ask_in_turn,
    lapse,
    offer_leg,
    reject_offer,
    revoke_offer,
    see_offer,
)

__all__ = [
    "accept_offer",
    "arrive",
    "ask_in_turn",
    "cancel_dispatch",
    "cancel_leg",
    "change_driver",
    "complete",
    "create_leg",
    "end_break",
    "fail",
    "go_off_duty",
    "go_on_duty",
    "lapse",
    "offer_leg",
    "prune_fixes",
    "reassign",
    "reject_offer",
    "request_position",
    "revoke_link",
    "revoke_offer",
    "see_offer",
    "set_off",
    "set_out",
    "share",
    "take_break",
    "take_fixes",
    "turn_back",
]
