"""The kind of notice that is told to a thousand people."""

from accounts.models import Role
from notifications.kinds import Kind
from notifications.models import Channel, Priority

NEWS = Kind(
    "bench.news",
    label="Measured news",
    section="Measured",
    text="News: {what}",
    roles=tuple(Role.values),
    priority=Priority.HIGH,
    channels=(Channel.PAGE, Channel.EMAIL),
)
