"""What people are told of conversations. A notice never holds what was said: it goes into mails."""

from __future__ import annotations

from accounts.models import Role
from notifications.kinds import Kind
from notifications.models import Channel, Priority

MESSAGE = Kind(
    "chat.message",
    label="A new message",
    section="Messages",
    text="{name} wrote to you{about}",
    grouped="{count} new messages from {name}{about}",
    roles=(Role.CUSTOMER, Role.TECHNICIAN, Role.DRIVER),
    priority=Priority.MEDIUM,
    channels=(Channel.PAGE, Channel.EMAIL),
)
NEWS = Kind(
    "chat.news",
    label="News from the desk",
    section="Messages",
    text="News from the desk: {subject}",
    roles=(Role.CUSTOMER, Role.TECHNICIAN, Role.DRIVER),
    priority=Priority.MEDIUM,
    channels=(Channel.PAGE, Channel.EMAIL),
)
DESK = Kind(
    "chat.desk",
    label="A message to the desk",
    section="Messages",
    text="{name} wrote to the desk",
    grouped="{count} new messages from {name}",
    roles=(Role.ADMIN,),
    priority=Priority.MEDIUM,
    channels=(Channel.PAGE,),
)


def group_of(conversation_id: int) -> str:
    """What notices of one conversation share a row by."""
    return f"chat.{conversation_id}"
