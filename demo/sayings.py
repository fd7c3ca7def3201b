"""What people of the demo say to each other: the desk's quick replies, answers, and who would say which."""

from __future__ import annotations

import re
from random import Random
from typing import NamedTuple

from accounts.models import Role

QUICK_REPLIES = {
    Role.CUSTOMER: (
        "Thank you, see you then.",
        "Please ring the bell twice.",
        "I am running ten minutes late, please wait.",
        "Is the price with parts?",
        "There is a free parking space in front of the house.",
        "Could you send a photo, please?",
    ),
    Role.TECHNICIAN: (
        "On my way, about 15 minutes.",
        "I am at your door.",
        "Could you send me a photo of it, please?",
        "Parts are included in the price.",
        "I need to fetch a part, back in half an hour.",
        "All done. Anything else, just write to me here.",
    ),
    Role.DRIVER: (
        "On my way.",
        "Stuck in traffic, ten minutes later than planned.",
        "I am outside.",
        "Delivered, thank you.",
        "I cannot find the entrance. Could you come out?",
    ),
    Role.ADMIN: (
        "Thank you for telling us. We look into it and come back to you here.",
        "Your papers are verified: you can make offers now.",
        "Could you send us a photo or the document as a PDF?",
        "We have told the technician. They will write to you.",
        "Sorry for the trouble. It is put right now.",
        "Is there anything else that we can do for you?",
    ),
}

WELCOME = (
    "Hello {name}, welcome to Callout. Write to us here whenever something is unclear, "
    "and book your first job when you are ready: offers come within minutes."
)
GREETINGS = {
    Role.TECHNICIAN: (
        "Thank you for choosing me. Is there anything that I should know before I come?",
        "Thanks, the visit is in my calendar. Where can I park near you?",
        "Glad to help. If you have a photo of it, send it here and I bring the right parts.",
    ),
    Role.CUSTOMER: (
        "Great, see you then. The bell does not always work, so please knock as well.",
        "Perfect, thank you. There is parking right in front of the house.",
        "Lovely. I am at home all day, just ring.",
    ),
}


class Answer(NamedTuple):
    """What is answered to a message that has one of these words in it."""

    words: str  # a pattern for the start of a word
    to: tuple[str, ...]


ANSWERS = {
    Role.TECHNICIAN: (
        Answer(
            "park",
            ("Good to know, thank you.", "Thanks, I have a small van, that fits."),
        ),
        Answer(
            r"price|cost|includ|parts?\b|vat\b|charge|expensive|cheaper",
            (
                "The price is fixed and has the usual parts in it. If something bigger comes up I ask you first.",
                "Everything is in it: the way to you, the work and small parts.",
            ),
        ),
        Answer(
            "how long|take",
            ("About an hour as a rule. I tell you on site when I see that it takes longer.",),
        ),
        Answer(
            "when|what time|early|earlier|later?|o'clock|tomorrow|today",
            (
                "Half an hour earlier or later is fine for me. For more than that, please use “Move the visit”.",
                "I plan to be on time, and I write to you here when I leave.",
            ),
        ),
        Answer(
            "phone|call|ring|number|mail",
            ("Writing here is best for me while I work, I look at it between jobs.",),
        ),
        Answer(
            "guarantee|warranty|insur|certificate",
            ("Twelve months on my work, and I am fully insured. You get the certificate the same day.",),
        ),
        Answer(
            r"dogs?\b|cats?\b|pets?\b|child|baby|kids?\b",
            ("No worries, I am careful with doors, and I like company.",),
        ),
        Answer(
            r"where|arrive|coming|here yet|far\b",
            ("I am on my way as planned. You see it here the moment I am at the door.",),
        ),
        Answer(
            "thank|cheers|great|perfect|lovely",
            ("You are welcome.", "My pleasure.", "No problem at all, write whenever you like."),
        ),
        Answer(
            r"hello|hi\b|hey\b|good (morning|afternoon|evening)",
            ("Hello! How can I help?", "Hi, good to hear from you."),
        ),
    ),
    Role.CUSTOMER: (
        Answer("photo|picture", ("I will try to take a better one when I am back home.",)),
        Answer("park", ("Yes, right in front of the house, no permit needed after six.",)),
        Answer("floor|bell|door|entrance|find", ("Second floor on the left. The bell has my name on it.",)),
        Answer(
            r"what make|model|brand|old\b|when did|since",
            ("Six or seven years old, I would say. I look at the label and write it on paper for you.",),
        ),
        Answer("part|order|fetch|shop", ("That is fine, get what you need.", "All right, as long as it works again.")),
        Answer(
            "late|minutes|on my way|traffic|outside|at your door", ("No problem, I am at home.", "See you in a bit.")
        ),
        Answer("done|finished|works", ("Wonderful, thank you for coming so quickly!",)),
        Answer("thank|cheers|great|perfect|welcome", ("Thank you too!", "Brilliant.")),
        Answer(r"hello|hi\b|hey\b|good (morning|afternoon|evening)", ("Hello!", "Hi, thanks for writing.")),
    ),
}
ANSWERS[Role.ADMIN] = (
    Answer(
        "verif|paper|certificate|document|insur",
        ("Thank you. We look at your papers today; as soon as they are verified you can make offers.",),
    ),
    Answer(
        r"pay\b|paid|price|fee|refund|invoice|charge|money",
        ("We look into the amount and come back to you here today.",),
    ),
    Answer(
        "late|cancel|nobody|no.show|complain|damage|broken|unhappy|rude",
        ("Sorry to hear that. We speak with the other side and come back to you here.",),
    ),
    Answer(
        "password|e-?mail|account|sign|phone number|address",
        ("You can change that yourself under Me, then Edit. Does that help?",),
    ),
    Answer("thank|cheers|great|perfect", ("You are welcome.", "Gladly. Write to us whenever something comes up.")),
    Answer(r"hello|hi\b|hey\b|good (morning|afternoon|evening)", ("Hello! What can we do for you?",)),
)
WITH_FILES = {
    Role.ADMIN: ("Thank you, we have it. We come back to you here today.",),
    Role.TECHNICIAN: (
        "Thanks for the photo, that helps. I bring what is needed.",
        "Very clear, thank you. Now I know what I am looking for.",
    ),
    Role.CUSTOMER: ("Oh, I see it now. Thank you for showing me.",),
}
TO_QUESTIONS = {
    Role.ADMIN: ("Good question. Let us find out; we come back to you here.",),
    Role.TECHNICIAN: (
        "Good question. I have a look when I am there and tell you before I begin.",
        "Yes, that can be done.",
        "That should be no problem.",
    ),
    Role.CUSTOMER: ("Yes, that works for me.", "I think so, but please have a look yourself."),
}
TO_REST = {
    Role.ADMIN: ("Thank you for telling us. We look into it and come back to you here.",),
    Role.TECHNICIAN: ("Thanks for letting me know.", "All right, noted.", "Understood, thank you."),
    Role.CUSTOMER: ("All right, thank you.", "Good to know, thanks.", "Okay."),
}
TO_DESK = ("Thank you for letting me know.", "That answers it, thank you.", "Thanks, noted.")


def answer_to(text: str, *, role: str, has_files: bool, from_desk: bool, said: set[str], chance: Random) -> str:
    """What somebody of `role` answers; of what fits, rather something that they have not `said` yet."""
    fitting = fitting_answers(text, role, has_files=has_files, from_desk=from_desk)
    return chance.choice([words for words in fitting if words not in said] or list(fitting))


def fitting_answers(text: str, role: str, *, has_files: bool, from_desk: bool) -> tuple[str, ...]:
    """Everything that could be answered."""
    as_role = Role(role)
    if has_files:
        return WITH_FILES[as_role]
    if from_desk:
        return TO_DESK
    for answer in ANSWERS[as_role]:
        if re.search(rf"\b({answer.words})", text.lower()):
            return answer.to
    return TO_QUESTIONS[as_role] if "?" in text else TO_REST[as_role]
