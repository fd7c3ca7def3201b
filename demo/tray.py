"""The notices of what happened before anybody looked: old ones are read, and no mail goes about any of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from demo.cast import EMAILS, SIMULATED_EMAILS
from demo.drivers import spare_mail
from notifications.models import Mail, MailStatus, Notification
from realtime.bulk import bulk_update

NEWS = timedelta(hours=3)  # what is younger waits unread for whoever looks


def spare_simulated_mail() -> None:
    """Nobody reads the mail of the simulated: they want none."""
    spare_mail(list(User.objects.filter(email__in=SIMULATED_EMAILS)))


def settle_notices(now: datetime) -> None:
    """The past was told in a moment: what is long over was read when it happened, and mailed about then."""
    theirs = {"user__email__in": EMAILS}
    bulk_update(Notification.objects.filter(**theirs, read_at=None, at__lt=now - NEWS), read_at=now)
    Mail.objects.filter(**theirs, status=MailStatus.QUEUED, created_at__lt=now).update(status=MailStatus.SKIPPED)
