"""What follows live on pages of accounts: whether the desk has verified a technician."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accounts.models import Technician
from realtime.fragments import Fragment, watch
from realtime.topics import user_topic


def load_technicians(keys: Sequence[str]) -> Mapping[str, Technician]:
    """Technicians by key, in one query."""
    found = Technician.objects.select_related("user").filter(pk__in=[int(key) for key in keys])
    return {str(technician.pk): technician for technician in found}


verification = Fragment(
    "accounts.verification",
    template="accounts/_verification.html",
    load=load_technicians,
    topics=lambda technician: [user_topic(technician.pk)],
    watches=[watch(Technician, fields=("verified_at",))],
)
