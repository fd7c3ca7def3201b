"""The one button: what the next transition of a visit is, for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bookings.states import Party, SessionStatus

if TYPE_CHECKING:
    from bookings.models import Session


@dataclass(frozen=True)
class Step:
    """A verb with its button. `verb` is the action and the last part of the URL's name."""

    verb: str
    label: str
    icon: str

    @property
    def url_name(self) -> str:
        """The page that confirms it; its argument is the session's id."""
        return f"bookings:{self.verb}"


STEPS: dict[tuple[str, str], Step] = {
    (Party.TECHNICIAN, SessionStatus.PENDING): Step("check_in", "I have arrived", "map-pin"),
    (Party.TECHNICIAN, SessionStatus.WAITING): Step("start_session", "Enter the start code", "lock"),
    (Party.TECHNICIAN, SessionStatus.LIVE): Step("complete_session", "Finish the visit", "circle-check"),
    (Party.TECHNICIAN, SessionStatus.PAUSED): Step("resume_session", "Go on working", "circle-play"),
    (Party.CUSTOMER, SessionStatus.WAITING): Step("start_session", "Let the work begin", "circle-play"),
}


def next_action(session: Session, role: str) -> Step | None:
    """The next transition that is `role`'s to make, or None when it is not their turn."""
    return STEPS.get((role, session.status))
