"""The documents of the demo's technicians: those that hold, two that run out soon, one refused, and what waits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from accounts import credentials
from accounts.credentials import SOON, approve_credential, reject_credential, submit_credential, warn_of_end
from accounts.models import Credential, CredentialKind, CredentialStatus, Technician, User
from common.documents import Document
from demo.cast import ADMINS, DOMAIN, SIMULATED_EMAILS, TECHNICIANS
from demo.history import Teller
from demo.sheets import certificate, identity_card

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LUCY = f"lucy@{DOMAIN}"
RUNS_OUT = {f"grace.mensah@{DOMAIN}": 6, f"callum.fraser@{DOMAIN}": 12}  # days that their insurance still holds
RENEWED = 3 * DAY  # what ends sooner is sent anew when the demo is freshened
WAIT = 2  # documents that the desk should find
IDENTITY, INSURANCE, TRADE, BACKGROUND = CredentialKind
WORDING = {
    INSURANCE: ("liability-insurance.pdf", "Certificate of public liability insurance", "Sum insured: £2,000,000"),
    TRADE: ("trade-certificate.pdf", "Certificate of competence", "Examined and found competent in the trade named"),
    BACKGROUND: ("background-check.pdf", "Basic disclosure certificate", "Nothing is recorded"),
}


class Clerk:
    """Sends documents for technicians and decides about them for the desk."""

    def __init__(self, teller: Teller) -> None:
        self.teller, self.now = teller, teller.now

    @property
    def desk(self) -> User:
        """Who decides while nobody plays the desk."""
        return self.teller.people[ADMINS[-1].email]

    def day(self, days: int) -> date:
        """The day so many days ahead."""
        return (self.now + timedelta(days=days)).date()

    def sent(self, technician: Technician, kind: str, at: datetime, days: int | None) -> Credential:
        """A document that ends so many days from now; never, where there are none."""
        until = None if days is None else self.day(days)
        number = number_of(technician, kind)
        return submit_credential(
            technician,
            by=technician.user,
            kind=kind,
            document=paper(technician.user, kind, number, until),
            number=number,
            valid_until=until,
            now=at,
        )

    def approved(self, technician: Technician, kind: str, at: datetime, decided: datetime, days: int | None) -> None:
        """Sent, looked at, found right."""
        approve_credential(self.sent(technician, kind, at, days), by=self.desk, now=decided)


def number_of(technician: Technician, kind: str) -> str:
    """What stands on it."""
    return f"{kind[:2].upper()}-{(technician.pk * 7919 + len(kind) * 104729) % 900000 + 100000}"


def paper(user: User, kind: str, number: str, until: date | None) -> Document:
    """The file."""
    last = f"{until:%-d %B %Y}" if until else "no end"
    if kind == IDENTITY:
        return identity_card(user, number, last)
    name, title, line = WORDING[CredentialKind(kind)]
    return certificate(name, title, (f"Holder: {user.name}", f"Number: {number}", f"Valid until: {last}", line))


def tell_papers(teller: Teller) -> None:
    """Everybody's documents, where they have none; those that ran out anew; and something for the desk to decide."""
    clerk = Clerk(teller)
    with_papers = set(Credential.objects.values_list("technician", flat=True).distinct())
    for number, person in enumerate(TECHNICIANS):
        technician = teller.technicians.get(person.email)
        if technician is not None and technician.pk not in with_papers and technician.is_verified:
            tell_usual(clerk, technician, number)
    lucy = teller.technicians.get(LUCY)
    if lucy is not None and lucy.pk not in with_papers and not lucy.is_verified:
        tell_lucys(clerk, lucy)
        tell_refused(clerk, teller.technicians[f"delroy.campbell@{DOMAIN}"])
    renew(clerk)
    keep_queue(clerk)


def tell_usual(clerk: Clerk, technician: Technician, number: int) -> None:
    """Proof of identity and insurance, sent on the first day and approved on the same."""
    joined = technician.user.joined_at
    runs_out = RUNS_OUT.get(technician.user.email)
    clerk.approved(technician, IDENTITY, joined + 2 * HOUR, joined + 9 * HOUR, 700 + 131 * number)
    clerk.approved(technician, INSURANCE, joined + 2 * HOUR, joined + 10 * HOUR, runs_out or 75 + 19 * number)
    if runs_out:
        row = technician.credentials.get(kind=INSURANCE)
        warn_of_end(row, now=clerk.now - (SOON - runs_out * DAY) - HOUR)


def tell_lucys(clerk: Clerk, lucy: Technician) -> None:
    """Lucy's are right as far as they go: the insurance, of which she told the desk, waits."""
    sent, looked_at = clerk.now - 7 * DAY, clerk.now - 150 * DAY / 1440
    clerk.approved(lucy, IDENTITY, sent, looked_at, 1900)
    clerk.approved(lucy, TRADE, sent, looked_at, None)
    clerk.sent(lucy, INSURANCE, clerk.now - HOUR / 2, 364)


def tell_refused(clerk: Clerk, technician: Technician) -> None:
    """One that could not be read."""
    row = clerk.sent(technician, TRADE, clerk.now - 2 * DAY, 400)
    reason = "The lower half is cut off, so the number cannot be read. Please send the whole page."
    reject_credential(row, by=clerk.desk, reason=reason, now=clerk.now - DAY - HOUR)


# --- Kept fresh -----------------------------------------------------------------------------------


def renew(clerk: Clerk) -> None:
    """A required document that ran out, or is about to, is sent anew and approved: for a fortnight, so that one always
    runs out soon. What the desk refused or suspended stays so.
    """
    rows = Credential.objects.filter(technician__user__email__in=SIMULATED_EMAILS, kind__in=credentials.REQUIRED)
    rows = rows.select_related("technician__user").order_by("submitted_at", "pk")
    newest = {(row.technician_id, row.kind): row for row in rows}
    last = clerk.day(RENEWED.days)
    for row in newest.values():
        holds = row.status in (CredentialStatus.APPROVED, CredentialStatus.EXPIRED)
        if holds and row.valid_until is not None and row.valid_until < last:
            clerk.approved(row.technician, row.kind, clerk.now - 3 * HOUR, clerk.now - 2 * HOUR, SOON.days - 1)


def keep_queue(clerk: Clerk) -> None:
    """Somebody who is simulated sends a certificate that they have not sent yet, until enough waits."""
    lacking = WAIT - credentials.waiting().count()
    people = [clerk.teller.technicians[email] for email in simulated_technicians(clerk.teller)]
    sent = set(Credential.objects.filter(technician__in=people).values_list("technician", "kind"))
    fresh = [(each, kind) for kind in (BACKGROUND, TRADE) for each in people if (each.pk, kind) not in sent]
    for number, (technician, kind) in enumerate(fresh[: max(lacking, 0)]):
        clerk.sent(technician, kind, clerk.now - (95 + 40 * number) * DAY / 1440, 365)


def simulated_technicians(teller: Teller) -> Iterable[str]:
    """Those of the cast for whom the simulator acts."""
    return [person.email for person in TECHNICIANS if person.is_simulated and person.email in teller.technicians]
