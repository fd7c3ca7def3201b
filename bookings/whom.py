"""Who is told of a step, and of whose doing: the words that the tables of notices are written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Model

from notifications.kinds import Kind


class Whom(StrEnum):
    """Who is told of a step, in the words of docs/domain.md. Whoever did it is always left out."""

    CUSTOMER = "the job's customer"
    TECHNICIAN = "the offer's or visit's technician"
    STANDING = "technicians whose offers stand"
    RETURNING = "technicians not chosen or lapsed there"
    NEAR = "verified technicians near with the skill"
    ASKED = "the other side"
    ASKING = "the side that asked"
    REVIEWED = "whom the review is about"
    AUTHOR = "who wrote the review"
    FLAGGED = "who flagged the review"
    DESK = "the desk"


class By(StrEnum):
    """Whose doing a notice supposes."""

    ANYBODY = "anybody"
    CLOCK = "the clock"
    PERSON = "a person"
    DESK = "an admin"


@dataclass(frozen=True)
class Told:
    """One notice of a step. `did` completes what the desk did for somebody who might have done it themselves."""

    kind: Kind
    whom: Whom
    by: By = By.ANYBODY
    did: str = ""


Step = tuple[type[Model], str, str]  # the row's model, from, to; "" before it is made
