"""The quick replies of each role, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.models import Role
from chat.models import QuickReply


@dataclass
class Shelf:
    """One role's."""

    role: str
    replies: list[QuickReply] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Whose they are."""
        return "The desk" if self.role == Role.ADMIN else f"{Role(self.role).label}s"

    def moved(self, pk: int, by: int) -> list[int]:
        """The ids in order once `pk` has gone `by` places down; at either end nothing moves."""
        order = [reply.pk for reply in self.replies]
        if pk in order:
            place = order.index(pk)
            order.insert(max(place + by, 0), order.pop(place))
        return order


def shelves() -> list[Shelf]:
    """Every role's; one query."""
    found = {str(role): Shelf(str(role)) for role in Role}
    for reply in QuickReply.objects.order_by("position", "pk"):
        found[reply.role].replies.append(reply)
    return list(found.values())


def shelf_of(role: str) -> Shelf:
    """One role's."""
    return Shelf(role, list(QuickReply.objects.filter(role=role).order_by("position", "pk")))
