"""Links that turn mails off without signing in: signed, for one person and the kinds of one letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.http import Http404

from accounts.models import User
from notifications import kinds
from notifications.kinds import Kind
from notifications.models import Channel
from notifications.telling import choices_of

SALT = "notifications.unsubscribe"
GOOD_FOR = timedelta(days=365)


@dataclass(frozen=True)
class Leaving:
    """Whose mails of which kinds are to be turned off."""

    user: User
    kinds: Sequence[Kind]

    @property
    def is_done(self) -> bool:
        """Whether none of them would be sent any more."""
        return not any(Channel.EMAIL in choices_of([self.user.pk], kind)[self.user.pk] for kind in self.kinds)


def token_for(user: User, names: Sequence[str]) -> str:
    """The last part of the link's address; nobody can make one for somebody else."""
    return signing.dumps([user.pk, list(names)], salt=SALT, compress=True)


def leaving_by(token: str) -> Leaving:
    """What the link is for. Raises 404 for one that is forged or older than a year, or of a closed account."""
    try:
        pk, names = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        raise Http404 from None
    user = User.objects.filter(pk=pk, is_active=True).first()
    found = [kind for name in names if (kind := kinds.get(name))]
    if user is None or not found:
        raise Http404
    return Leaving(user, found)
