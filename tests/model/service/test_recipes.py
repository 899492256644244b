"""Recipes, by the ARN that each partition gives them."""

from __future__ import annotations

import boto3
import pytest

from mpe.model.service.recipes import RECIPES, partition_of

PARTITIONS = boto3.Session().get_available_partitions()
"""The partitions that there are, by botocore's own data."""


@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_recipe_is_known_in_every_partition(partition: str) -> None:
    arn = f"arn:{partition}:personalize:::recipe/aws-sims"
    assert RECIPES[arn] is RECIPES["arn:aws:personalize:::recipe/aws-sims"]
    assert partition_of(arn) == partition


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:personalize:::recipe/aws-hrnn",
        "arn:aws:personalize:us-east-1:111122223333:recipe/aws-sims",
        "arn:aws:personalize:::algorithm/aws-sims",
        "arn:nobodys:personalize:::recipe/aws-sims",
        "aws-sims",
        "",
    ],
)
def test_what_is_no_recipes_arn_is_no_recipe(arn: str) -> None:
    assert arn not in RECIPES
    assert RECIPES.get(arn) is None


def test_the_recipes_are_listed_by_their_arns() -> None:
    assert len(RECIPES) == len(list(RECIPES)) == 22
    assert all(recipe.arn == arn for arn, recipe in RECIPES.items())
