"""What a page says of the road over its socket: where it is."""

from __future__ import annotations

from typing import Any

from realtime.inbound import receives
from realtime.topics import Principal
from tracking.actions.fixes import Batch
from tracking.intake import intake, must_wait
from tracking.rules.numbers import number


@receives("tracking.fixes")
def fixes(principal: Principal, data: dict[str, Any]) -> None:
    """Fixes of the person's own device (docs/protocol.md). Whether they are collected is asked when they are taken in.

    Too many at once are dropped, as a POST would be answered by 429: the device keeps what is not acknowledged.
    """
    listed = data.get("fixes")
    if principal.user_id is None or not isinstance(listed, list) or not 0 < len(listed) <= number("BATCH_MOST"):
        return
    if not must_wait(principal.user_id, len(listed)):
        intake.put(principal.user_id, Batch.of(listed, data.get("rtt")))
