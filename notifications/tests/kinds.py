"""Kinds of the tests' own, declared for as long as the tests run."""

from __future__ import annotations

from notifications.kinds import Kind
from notifications.models import Channel, Priority

EVERYBODY = ("customer", "technician", "driver", "admin")

ANSWER = Kind(
    "tests.answer",
    label="An answer",
    section="Tests",
    text="{name} answers on {job}",
    grouped="{count} new answers on {job}",
    roles=EVERYBODY,
    priority=Priority.HIGH,
    channels=(Channel.PAGE, Channel.EMAIL),
)
PLAIN = Kind("tests.plain", label="A plain one", section="Tests", text="{what}", roles=EVERYBODY)
ALARM = Kind(
    "tests.alarm",
    label="An alarm",
    section="Tests",
    text="{name} needs you on {job}",
    roles=EVERYBODY,
    priority=Priority.URGENT,
    channels=(Channel.PAGE, Channel.EMAIL),
)
DESK = Kind("tests.desk", label="For the desk", section="Tests", text="{name} asks about {job}", roles=("admin",))
