"""What tests with real commits leave behind is gone; what the migrations have made stays."""

from __future__ import annotations

from accounts.models import Skill, User
from tools.emptying import Emptying


def test_what_was_added_goes_and_what_migrations_made_stays(db: None) -> None:
    seeds = set(Skill.objects.values_list("pk", flat=True))
    emptying = Emptying()
    Skill.objects.create(slug="made-by-a-test", name="Made by a test")
    User.objects.create_user("carol@example.org", name="Carol")
    emptying.empty()
    assert set(Skill.objects.values_list("pk", flat=True)) == seeds != set()
    assert not User.objects.exists()


def test_with_nothing_added_it_takes_one_query(db: None, django_assert_num_queries) -> None:
    emptying = Emptying()
    with django_assert_num_queries(1 + 2):  # a savepoint around it
        emptying.empty()


class TestBetweenTests:
    def test_one_leaves_something(self, transactional_db: None) -> None:
        assert not User.objects.exists()
        User.objects.create_user("carol@example.org", name="Carol")

    def test_and_another_does_not_find_it(self, transactional_db: None) -> None:
        self.test_one_leaves_something(transactional_db)
