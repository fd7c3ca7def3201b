"""What people hear of accounts and documents: one notice a step, to those concerned, in the words that matter."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts import actions, credentials
from accounts.models import CredentialKind, Skill, User
from accounts.tests.papers import NOW, held, newcomer, sent, verified
from notifications.models import Mail, Notification

INSURANCE, TRADE = CredentialKind.INSURANCE, CredentialKind.TRADE


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def nina(db: None) -> User:
    """A technician nobody has verified."""
    return newcomer()


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def mailed(user: User) -> list[str]:
    return list(Mail.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


# --- The desk -------------------------------------------------------------------------------------


def test_the_desk_hears_of_each_document_and_of_several_in_one_row(nina: User, dora: User, frank: User) -> None:
    row = sent(nina)
    notice = Notification.objects.get(user=frank)
    assert notice.text == "Nina Test sent a document to be checked: proof of identity"
    assert (notice.url, notice.kind) == (f"/desk/verification/{row.pk}/", "accounts.desk_credential")
    sent(nina, INSURANCE)
    sent(dora, TRADE)
    assert told(frank) == ["3 documents wait to be checked"]
    assert not told(nina) and not told(dora) and not mailed(frank)


def test_the_desk_hears_of_a_new_technician_and_not_of_customers(frank: User) -> None:
    trade = actions.Trade([Skill.objects.create(slug="tiles", name="Tiles")], "Camden", 51.539, -0.1426, 12)
    made = {"password": None, "time_zone": "Europe/London"}
    actions.sign_up_customer(email="c@example.org", name="Carol Reed", **made)  # type: ignore[arg-type]
    assert not told(frank)
    actions.sign_up_technician(email="t@example.org", name="Tess Hale", trade=trade, **made)  # type: ignore[arg-type]
    assert told(frank) == ["A new technician signed up: Tess Hale"]
    actions.sign_up_technician(email="u@example.org", name="Uma Moss", trade=trade, **made)  # type: ignore[arg-type]
    assert told(frank) == ["2 new technicians signed up"]


# --- The technician -------------------------------------------------------------------------------


def test_an_approval_says_what_it_means(nina: User, frank: User) -> None:
    for kind in (CredentialKind.IDENTITY, INSURANCE):
        credentials.approve_credential(sent(nina, kind), by=frank, now=NOW)
    assert told(nina) == ["Approved: your proof of identity", "You are verified: you can bid now"]
    assert mailed(nina) == ["You are verified: you can bid now"]
    credentials.approve_credential(sent(nina, TRADE), by=frank, now=NOW)
    assert told(nina)[2:] == ["Approved: your trade certificate"]
    assert {row.url for row in Notification.objects.filter(user=nina)} == {"/accounts/profile/documents/"}


def test_a_no_says_why_and_what_it_means(nina: User, frank: User) -> None:
    credentials.reject_credential(sent(nina, TRADE), by=frank, reason="Not readable.", now=NOW)
    _, insurance = verified(nina)
    trade = held(nina, TRADE)
    before = len(told(nina))
    credentials.suspend_credential(trade, by=frank, reason="In doubt.", now=NOW)
    credentials.suspend_credential(insurance, by=frank, reason="In doubt.", now=NOW)
    assert told(nina)[0] == "Refused: your trade certificate. Not readable."
    assert told(nina)[before:] == [
        "Your trade certificate holds no longer. In doubt.",
        "You can make no new offers for now. Liability insurance: In doubt.",
    ]
    assert mailed(nina)[-2:] == told(nina)[-2:]


def test_the_clock_tells_before_and_at_the_end(nina: User) -> None:
    last = date(2027, 6, 30)
    row, _ = verified(nina, valid_until=last)
    before = len(told(nina))
    credentials.warn_of_end(row, now=NOW)
    credentials.expire_credential(row, now=NOW + timedelta(days=200))
    assert told(nina)[before:] == [
        "Your proof of identity runs out on 30 June 2027. Send a new one before then",
        "You can make no new offers for now. Proof of identity: Its last day is over.",
    ]


def test_a_replaced_one_is_not_told_of_besides(nina: User) -> None:
    verified(nina)
    before = len(told(nina))
    held(nina, INSURANCE, now=NOW + timedelta(days=1))
    assert told(nina)[before:] == ["Approved: your liability insurance"]


def test_the_desks_word_by_hand_is_told_too(nina: User, frank: User) -> None:
    actions.verify_technician(nina.technician, by=frank, now=NOW)
    actions.unverify_technician(nina.technician, by=frank, reason="Papers ran out.", now=NOW)
    assert told(nina) == [
        "You are verified: you can bid now",
        "You can make no new offers for now. Papers ran out.",
    ]
