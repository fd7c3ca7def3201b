"""The kinds of the tests."""

from notifications.tests.kinds import ALARM, ANSWER, DESK, PLAIN

__all__ = ["ALARM", "ANSWER", "DESK", "PLAIN"]
