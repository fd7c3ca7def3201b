"""The lines about a job, once one of its sides is erased."""

from __future__ import annotations

import pytest

from accounts.models import User
from chat.models import Side
from chat.personal import nameless


@pytest.mark.parametrize(
    ("line", "side", "left"),
    [
        ("Bob is at the door.", Side.TECHNICIAN, "The technician is at the door."),
        ("The work is paused: fetching a part: a tap", Side.TECHNICIAN, "The work is paused"),
        ("The work is paused: a part", Side.CUSTOMER, "The work is paused: a part"),
        ("Bob withdrew from this job: ill. Sorry. It is open for others.", Side.TECHNICIAN,
         "The technician withdrew from this job. It is open for others."),
        ("The job was cancelled by the customer: I\nmoved", Side.CUSTOMER, "The job was cancelled by the customer"),
        ("Job was cancelled by the customer: Moved", Side.TECHNICIAN, "Job was cancelled by the customer: Moved"),
        ("Offer accepted: £80.00, Tue 14:00. Phone numbers are in the open now.", Side.CUSTOMER,
         "Offer accepted: £80.00, Tue 14:00. Phone numbers are in the open now."),
        ("Bobby is at the door.", Side.TECHNICIAN, "Bobby is at the door."),
    ],
)  # fmt: skip
def test_a_line_loses_the_name_and_the_persons_own_words(line, side, left):
    assert nameless(line, User(name="Bob Test"), side) == left
