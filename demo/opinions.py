"""What the two sides of the demo's finished jobs think of each other, told through the actions that people use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import User
from bookings import due
from bookings.actions.reviews import flag_review, hide_review, write_review
from bookings.models import Review, Session
from bookings.states import FlagReason, HideReason, Party, ReviewStatus, SessionStatus
from demo.cast import ADMINS, DOMAIN, SIMULATED_EMAILS
from demo.history import Teller

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEEK = 7 * DAY
EMMA, TARIQ = f"emma@{DOMAIN}", f"tariq@{DOMAIN}"
MOST = 14  # jobs with reviews: the newest, besides Emma's

OF_TECHNICIANS = (
    (5, "On time to the minute, explained what was wrong and showed me the old part. The kitchen was cleaner after."),
    (4, "Good work and a fair price. Rang ahead as promised; parking took a while, so we began a little late."),
    (5, "Friendly, quick, and did not try to sell me anything I do not need. I will book again."),
    (5, "Found in ten minutes what somebody else had looked for all afternoon."),
    (3, "The work is fine. It took twice as long as said, and I had to ask for the dust sheet."),
    (5, "Very careful with our floors, and patient with my many questions."),
    (4, "All works again. The invoice came two days later, otherwise nothing to complain about."),
    (5, "Neat, calm, thorough. Tested everything with me before leaving."),
    (4, "Knows the trade. A little short with words, but the result counts."),
)
OF_CUSTOMERS = (
    (5, "Everything was as described, and the way in was easy to find. Thank you for the tea."),
    (5, "Clear about what was wanted, and at home at the time we said."),
    (4, "Friendly. The cupboard under the sink could have been emptied before I came."),
    (5, "Photos in the job that showed just what I needed. Gladly again."),
    (4, "Nice people. The lift was out of order, which would have been good to know with a full toolbox."),
)
FLAGGED = (3, "Came forty minutes late and said nothing about it. The work itself is all right.")
FLAGGED_WHY = "I rang at ten past to say that I was stuck behind a burst main; the call is in my phone."
HIDDEN = (4, "Friendly, all was ready. Nobody is in before six on weekdays; the spare key is in the shed.")
HIDDEN_WHY = "It says when nobody is at home and where the key is."
ANOTHER_WHY = "That is not how it was: I have written down when I came and when I left."


def tell_opinions(teller: Teller) -> None:
    """All reviews so far: most are open, two sealed, one flagged, one hidden."""
    visits = finished(teller)
    sealed = [visit for visit in (emmas_last(visits), last_reviewable(teller, visits)) if visit is not None]
    told = [visit for visit in visits if teller.now - ended(visit) > DAY and visit not in sealed]
    emmas = [visit for visit in told if visit.booking.customer.email == EMMA]
    others = [visit for visit in told if visit not in emmas][-MOST:]
    for number, visit in enumerate([*emmas, *others]):
        one_sided = number % 4 == 3 and teller.now - ended(visit) > WEEK
        review_both(teller, visit, number, by_technician=not one_sided)
    for visit in sealed:
        by_customer = visit.booking.customer.email != EMMA
        said = OF_TECHNICIANS[0] if by_customer else OF_CUSTOMERS[3]
        write(visit, by_customer, said, min(ended(visit) + 5 * HOUR, teller.now - 20 * MINUTE))
    tell_moderation(teller)


def finished(teller: Teller) -> list[Session]:
    """The visits that went well, the oldest first."""
    rows = Session.objects.filter(status=SessionStatus.COMPLETED, finished_at__lt=teller.now - HOUR)
    return list(rows.select_related("booking__customer", "technician__user").order_by("finished_at", "pk"))


def ended(visit: Session) -> datetime:
    """When the work was done."""
    assert visit.finished_at is not None  # noqa: S101 (only finished ones are told of)
    return visit.finished_at


def emmas_last(visits: Sequence[Session]) -> Session | None:
    """Emma's newest: its technician has written, and what he wrote opens with her own words."""
    return next((visit for visit in reversed(visits) if visit.booking.customer.email == EMMA), None)


def last_reviewable(teller: Teller, visits: Sequence[Session]) -> Session | None:
    """The newest of Tariq's that can still be reviewed, or else of anybody's."""
    young = [v for v in reversed(visits) if teller.now - ended(v) < WEEK and v.booking.customer.email != EMMA]
    return next((v for v in young if v.technician.user.email == TARIQ), young[0] if young else None)


def review_both(teller: Teller, visit: Session, number: int, *, by_technician: bool) -> None:
    """The customer writes, then the technician; where only one did, the clock opens it after the week."""
    at = ended(visit) + (2 + number % 9) * HOUR
    made = write(visit, True, OF_TECHNICIANS[number % len(OF_TECHNICIANS)], at)
    if by_technician:
        write(visit, False, OF_CUSTOMERS[number % len(OF_CUSTOMERS)], min(at + 7 * HOUR, teller.now - HOUR))
    else:
        due.open_reviews(made.opens_at)


def write(visit: Session, by_customer: bool, said: tuple[int, str], at: datetime) -> Review:
    """One side's word."""
    by = visit.booking.customer if by_customer else visit.technician.user
    return write_review(visit.booking, by=by, stars=said[0], text=said[1], now=at)


# --- The desk's part ------------------------------------------------------------------------------


def tell_moderation(teller: Teller) -> None:
    """Two jobs more: of one a review tells private things and was hidden, of the other one waits for the desk."""
    left = [visit for visit in finished(teller) if not visit.booking.reviews.exists()]
    olivia = teller.people[ADMINS[0].email]
    left = [visit for visit in left if teller.now - ended(visit) > WEEK and is_simulated(visit)]
    if len(left) < 2:
        return
    first, second = left[-2:]
    write(first, True, OF_TECHNICIANS[1], ended(first) + 3 * HOUR)
    private = write(first, False, HIDDEN, ended(first) + 4 * HOUR)
    flagged_at = ended(first) + DAY
    flag_review(private, by=first.booking.customer, reason=FlagReason.PRIVATE, now=flagged_at)
    hide_review(private, by=olivia, why=HideReason.PRIVATE, reason=HIDDEN_WHY, now=flagged_at + 25 * MINUTE)
    harsh = write(second, True, FLAGGED, ended(second) + 5 * HOUR)
    write(second, False, OF_CUSTOMERS[1], ended(second) + 9 * HOUR)
    flag(harsh, second.technician.user, FLAGGED_WHY, teller.now - 50 * MINUTE)


def flag(review: Review, by: User, words: str, at: datetime) -> None:
    """Whom it is about finds it untrue."""
    flag_review(review, by=by, reason=FlagReason.UNTRUE, words=words, now=at)


def is_simulated(visit: Session) -> bool:
    """Whether nobody who visits the demo plays either side."""
    return {visit.booking.customer.email, visit.technician.user.email} <= SIMULATED_EMAILS


def keep_flagged(teller: Teller) -> None:
    """Somebody flags the newest review about them that nobody has flagged yet, unless one waits for the desk."""
    if Review.objects.filter(status=ReviewStatus.FLAGGED).exists():
        return
    rows = Review.objects.filter(status=ReviewStatus.PUBLISHED, party=Party.CUSTOMER, flags__isnull=True)
    rows = rows.filter(about__email__in=SIMULATED_EMAILS, stars__lt=5, published_at__lt=teller.now - HOUR)
    found = rows.select_related("about").order_by("-published_at", "-pk").first()
    if found is not None:
        flag(found, found.about, ANOTHER_WHY, teller.now - 30 * MINUTE)
