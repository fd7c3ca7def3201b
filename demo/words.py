"""What people of the demo write to each other."""

from __future__ import annotations

from demo.trades import KINDS

OFFERS = (
    "I can do this. Parts up to £10 are included.",
    "Happy to help, I did the same job two streets away last week.",
    "Price is fixed, no call-out fee. I will ring ten minutes before.",
    "I have the usual parts in the van, so one visit should do.",
    "Fully insured, invoice by e-mail. Parking is on me.",
    "Looks clear from what you wrote. If it turns out simpler, you pay less.",
    "I will be on time and leave everything clean.",
    "Twelve months' guarantee on my work.",
)
FROM_FAR = "A bit further out for me, but I am in your area anyway that day."
CHEAPER = (
    "I looked again: I can do it for a little less.",
    "Another job nearby, so I can offer a better price.",
)
BACK_AGAIN = "Still glad to do it; here is my offer again."
WITHDRAWN = "Something urgent came in, sorry."
PAUSES = (
    "Fetching a part from the van.",
    "Waiting for the water to drain.",
    "Looking for the right stop valve.",
)
MOVES = (
    "Could we make it a little later? I am held up.",
    "My neighbour can let you in then, would that work?",
)
TOO_DEAR = "More than I want to spend."
DONE = "All done as agreed, tested together with the customer. Please call if anything comes up."

_NOTES = {job.title: job.note for kind in KINDS.values() for job in kind.jobs}


def note_for(title: str) -> str:
    """What a technician leaves after a job: the note of its story, or one that fits any job."""
    return _NOTES.get(title, DONE)
