"""The measured fragment (about 1 kB) and its topic."""

from django.contrib.auth import get_user_model

from bench.models import Row
from realtime.fragments import Fragment, watch
from realtime.topics import Topic


def everybody(user_ids: set[int], wall_id: int) -> set[int]:
    """A real query, as a real rule has one."""
    return set(get_user_model().objects.filter(pk__in=user_ids, is_active=True).values_list("pk", flat=True))


wall = Topic("wall.{wall_id}", users=everybody)
row = Fragment(
    "bench.row",
    template="bench/_row.html",
    load=lambda keys: {str(each.pk): each for each in Row.objects.filter(pk__in=keys)},
    topics=lambda each: [wall(1)],
    watches=[watch(Row)],
)
