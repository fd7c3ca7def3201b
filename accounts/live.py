"""What follows live on a technician's own pages of accounts: their documents, and whether the desk verified them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accounts import live_changes
from accounts.models import Credential, Technician
from accounts.papers import Standing, load_papers, standings
from realtime.fragments import Fragment, watch
from realtime.topics import user_topic

__all__ = ["credential", "live_changes", "verification"]


def load_standings(keys: Sequence[str]) -> Mapping[str, Standing]:
    """Technicians and what they have proved, in two queries."""
    return standings(keys)


def paper_of(row: Credential) -> list[tuple[str, str]]:
    """The card of its kind, for nobody but its technician."""
    return [(user_topic(row.technician_id), f"{row.technician_id}-{row.kind}")]


verification = Fragment(
    "accounts.verification",
    template="accounts/_verification.html",
    load=load_standings,
    topics=lambda standing: [user_topic(standing.technician.pk)],
    watches=[
        watch(
            Technician,
            fields=("verified_at",),
            touches=lambda technician: [(user_topic(technician.pk), str(technician.pk))],
        ),
        watch(
            Credential,
            fields=("status",),
            touches=lambda row: [(user_topic(row.technician_id), str(row.technician_id))],
        ),
    ],
)
credential = Fragment(
    "accounts.credential",
    template="accounts/_credential.html",
    load=load_papers,
    topics=lambda paper: [user_topic(paper.technician.pk)],
    watches=[watch(Credential, touches=paper_of)],
)
