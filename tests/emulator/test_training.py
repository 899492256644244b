"""Training on sparse matrices, against the same training in plain Python."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.emulator.interactions import Interactions
from mpe.emulator.learned import Model
from mpe.emulator.training import Lesson, train
from mpe.model.service.recipes import PREFIX, RECIPES
from tests.conftest import examples
from tests.emulator import oracle

SAME = ("aws-user-personalization-v2", "aws-popularity-count", "aws-item-affinity")
"""A recipe of each type whose lists the oracle knows."""


def events(seed: int, users: int = 40, items: int = 60, most: int = 70) -> list[oracle.Interaction]:
    """Return events of users with tastes; some come at the same time, some come again."""
    chance = random.Random(seed)
    found = []
    for user in range(users):
        for _ in range(chance.randrange(25, most)):
            item = (user % 3) * 20 + int(chance.random() ** 2 * 20)
            item = item if chance.random() < 0.8 else chance.randrange(items)
            found.append(oracle.Interaction(f"u{user}", f"i{item}", chance.randrange(5000)))
    return list(dict.fromkeys(found))


def learn(recipe: str, found: list[oracle.Interaction]) -> Model:
    rows = [{"USER_ID": one.user, "ITEM_ID": one.item, "TIMESTAMP": one.time} for one in found]
    return train(Lesson(recipe=RECIPES[PREFIX + recipe], events=Interactions.of(rows)))


@pytest.mark.parametrize("recipe", SAME)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(8))
def test_metrics_are_those_of_the_plain_training(recipe: str, seed: int) -> None:
    found = events(seed)
    fast = learn(recipe, found)
    plain = oracle.train(fast.kind, found)
    assert fast.metrics == plain.metrics
    assert fast.repeats == plain.repeats


@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(8))
def test_similar_items_are_those_of_the_plain_training(seed: int) -> None:
    found = events(seed)
    fast = learn("aws-user-personalization-v2", found)
    plain = oracle.train(fast.kind, found)
    assert {item: fast.near(item) for item in fast.items} == {
        item: plain.near(item) for item in fast.items
    }


@pytest.mark.parametrize("recipe", SAME[:2])
def test_lists_are_those_of_the_plain_training(recipe: str) -> None:
    found = events(1)
    fast = learn(recipe, found)
    plain = oracle.train(fast.kind, found)
    for user in sorted({one.user for one in found} | {"nobody"}):
        mine, theirs = fast.recommend(user=user), plain.recommend(user=user)
        assert [item for item, _ in mine] == [item for item, _ in theirs]
        assert [score for _, score in mine] == pytest.approx([score for _, score in theirs])


def test_segments_are_those_of_the_plain_training() -> None:
    found = events(2)
    fast = learn("aws-item-affinity", found)
    plain = oracle.train(fast.kind, found)
    for item in fast.items:
        assert fast.audience(fast.near(item), 5) == plain.audience(plain.near(item), 5)
