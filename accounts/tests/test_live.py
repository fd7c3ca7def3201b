"""What follows live: a technician's verification, on their own pages and on nobody else's."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions
from accounts.live import load_standings, verification
from accounts.models import Skill, User
from accounts.tests.conftest import PASSWORD, sign_in, trade
from realtime.models import JournalRow


def journalled() -> list[tuple[str, str, str]]:
    rows = JournalRow.objects.filter(fragment=verification.name).order_by("pk")
    return [(row.topic, row.fragment, row.key) for row in rows]


def test_verifying_touches_the_technicians_own_topic_and_no_other(tess: User, olga: User, carol: User) -> None:
    JournalRow.objects.all().delete()
    actions.verify_technician(tess.technician, by=olga)
    assert journalled() == [(f"user.{tess.pk}", "accounts.verification", str(tess.pk))]


def test_changing_the_trade_touches_nothing_here(tess: User, plumbing: Skill) -> None:
    JournalRow.objects.all().delete()
    actions.update_trade(tess.technician, by=tess, trade=trade(plumbing, base_label="Hackney"))
    assert journalled() == []


def test_the_fragment_says_how_it_is_and_what_next(tess: User) -> None:
    def shown() -> str:
        return verification.render(str(tess.pk), load_standings([str(tess.pk)])[str(tess.pk)], f"user.{tess.pk}", "1")

    assert "Not verified yet" in shown() and 'data-refresh="unverified"' in shown()
    actions.verify_technician(tess.technician, by=None)
    after = shown()
    assert "You can bid on jobs" in after
    assert f'id="accounts-verification-{tess.pk}"' in after and 'data-refresh="verified"' in after


def test_the_page_paints_the_same_fragment(tess: User) -> None:
    page = sign_in(tess).get("/accounts/profile/").content.decode()
    assert page.count('data-live="accounts.verification"') == 1 and f'data-topic="user.{tess.pk}"' in page


def test_a_customers_page_has_no_verification(carol: User) -> None:
    assert "accounts.verification" not in sign_in(carol).get("/accounts/profile/").content.decode()


def test_many_are_loaded_in_two_queries(plumbing: Skill) -> None:
    people = [
        actions.sign_up_technician(
            email=f"t{n}@example.org", password=PASSWORD, name=f"T {n}", time_zone="UTC", trade=trade(plumbing)
        )
        for n in range(5)
    ]
    with CaptureQueriesContext(connection) as queries:
        found = load_standings([str(person.pk) for person in people] + ["999999"])
        assert {standing.lacking for standing in found.values()} == {"proof of identity and liability insurance"}
    assert len(queries) == 2 and set(found) == {str(person.pk) for person in people}
