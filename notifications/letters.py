"""What a mail says: one notice, or several together, in text and HTML."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from notifications.models import Mail
from notifications.unsubscribing import token_for


@dataclass(frozen=True)
class Letter:
    """Mails that go to one person together; `first_id` names the letter, also when it is sent again."""

    user: User
    mails: Sequence[Mail]
    is_digest: bool
    first_id: int

    @property
    def subject(self) -> str:
        """One line: a header must not be broken by what somebody called their job."""
        if self.is_digest:
            return f"Callout: {len(self.mails)} things happened"
        return " ".join(f"Callout: {self.mails[0].text}".split())

    @property
    def message_id(self) -> str:
        """The same each time this letter is sent, so that a mail program recognises a duplicate."""
        digest = hashlib.sha256(f"{settings.SECRET_KEY}{self.user.pk}".encode()).hexdigest()[:12]
        form = "digest" if self.is_digest else "notice"
        return f"<{form}.{self.first_id}.{digest}@{urlsplit(settings.SITE_URL).hostname}>"


def compose(letter: Letter, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    """The message, with links that need no sign-in to be rid of its like."""
    kinds = sorted({mail.kind for mail in letter.mails})
    leave = link(reverse("notifications:unsubscribe", args=[token_for(letter.user, kinds)]))
    context = {
        "letter": letter,
        "notices": [{"text": mail.text, "url": link(mail.url), "at": mail.created_at} for mail in letter.mails],
        "zone": letter.user.time_zone,
        "settings_url": link(reverse("notifications:settings")),
        "unsubscribe_url": leave,
    }
    message = EmailMultiAlternatives(
        letter.subject,
        render_to_string("notifications/mail.txt", context),
        to=[letter.user.email],
        connection=connection,
        headers={
            "Message-ID": letter.message_id,
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
    )
    message.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    return message


def link(path: str) -> str:
    """An address of ours, in full."""
    return f"{settings.SITE_URL}{path}"
