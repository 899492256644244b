"""The service's own resources: recipes, algorithms and feature transformations.

The order of the list, its first page and the dates are those of outputs that
aws-samples/amazon-personalize-immersion-day keeps (Media/Media_03_Training.ipynb, April 2024):
by name; a list of all, and one of a domain, told only where the first page ends; the recipes
of a domain stood on its second page, so pages are cut before a domain is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from mpe.emulator.pages import paged
from mpe.emulator.state import NOT_FOUND, World
from mpe.emulator.wire import ServiceError
from mpe.model.service.hyperparameters import HYPERPARAMETERS, Hyperparameter
from mpe.model.service.recipes import POPULAR_ITEMS, RECIPES, USER_PERSONALIZATION, Recipe

PAGE = 12
"""Recipes in a page where a request does not say how many: 11 or 12 in the kept outputs."""
BORN = {
    "aws-item-affinity": datetime(2021, 7, 15, tzinfo=UTC),
    "aws-item-attribute-affinity": datetime(2021, 8, 25, tzinfo=UTC),
    "aws-next-best-action": datetime(2023, 8, 11, tzinfo=UTC),
    "aws-personalized-ranking-v2": datetime(2024, 1, 1, tzinfo=UTC),
    "aws-trending-now": datetime(2022, 10, 1, tzinfo=UTC),
    # No output that is kept has these two: as of the other v2 recipe; as of its announcement.
    "aws-user-personalization-v2": datetime(2024, 1, 1, tzinfo=UTC),
    "aws-semantic-similarity": datetime(2025, 11, 1, tzinfo=UTC),
}
FIRST = datetime(2019, 6, 10, tzinfo=UTC)
"""When all others were born, as the outputs have it."""
UPDATED = datetime(2024, 4, 9, 20, 40, 53, 346000, tzinfo=UTC)


def list_recipes(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the recipes, or those of a domain that are in it."""
    domain = params.get("domain")
    every = sorted(RECIPES.values(), key=lambda one: one.name)
    page, token = paged([_summary(one) for one in every], {"maxResults": PAGE, **params})
    kept = [one for one in page if domain in (None, one["domain"])]
    return {"recipes": kept, **({"nextToken": token} if token else {})}


def describe_static(key: str) -> Callable[[World, Mapping[str, Any]], dict[str, Any]]:
    """Return the operation that describes a recipe, an algorithm or a transformation."""

    def describe(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
        arn = params[f"{key}Arn"]
        for recipe in RECIPES.values():
            told = _DESCRIBED[key](recipe)
            if told.get(f"{key}Arn") == arn:
                return {key: told}
        raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.")

    return describe


def _summary(recipe: Recipe) -> dict[str, Any]:
    born = BORN.get(recipe.name, FIRST)
    return {
        "name": recipe.name,
        "recipeArn": recipe.arn,
        "status": "ACTIVE",
        "creationDateTime": born,
        "lastUpdatedDateTime": max(born, UPDATED),
        "domain": recipe.domain,
    }


def _recipe(recipe: Recipe) -> dict[str, Any]:
    """Describe a recipe.

    The page of Popularity-Count gives it the type USER_PERSONALIZATION
    (https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-popularity.html), though
    campaigns of it answer without a user.
    """
    counted = recipe.name == "aws-popularity-count"
    assert not counted or recipe.type == POPULAR_ITEMS
    return {
        **_summary(recipe),
        "algorithmArn": recipe.algorithm,
        "featureTransformationArn": recipe.transformation,
        "recipeType": USER_PERSONALIZATION if counted else recipe.type,
    }


def _algorithm(recipe: Recipe) -> dict[str, Any]:
    """Describe an algorithm by the hyperparameters of its recipe's page.

    https://docs.aws.amazon.com/personalize/latest/dg/API_Algorithm.html. Which image it is and
    how it reads its input no source tells, so they are left out.
    """
    own = [one for one in HYPERPARAMETERS.get(recipe.name, ()) if not one.features]
    return {
        **_summary(recipe),
        "name": recipe.algorithm.rpartition("/")[2],
        "algorithmArn": recipe.algorithm,
        "defaultHyperParameters": {one.name: one.default for one in own},
        "defaultHyperParameterRanges": _ranges(own),
    }


def _ranges(own: Iterable[Hyperparameter]) -> dict[str, list[dict[str, Any]]]:
    """Return the default ranges of hyperparameters, by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in own:
        number = int if one.kind == "integer" else float
        bounds = (
            {"values": list(one.values)}
            if one.kind == "categorical"
            else {"minValue": number(one.least), "maxValue": number(one.most)}
        )
        told = {"name": one.name, **bounds, "isTunable": one.tunable}
        found.setdefault(f"{one.kind}HyperParameterRanges", []).append(told)
    return found


def _transformation(recipe: Recipe) -> dict[str, Any]:
    """Describe a feature transformation by the parameters of its recipe's page."""
    if recipe.transformation is None:
        return {}
    own = [one for one in HYPERPARAMETERS.get(recipe.name, ()) if one.features]
    return {
        **_summary(recipe),
        "name": recipe.features,
        "featureTransformationArn": recipe.transformation,
        "defaultParameters": {one.name: one.default for one in own},
    }


_DESCRIBED = {
    "recipe": _recipe,
    "algorithm": _algorithm,
    "featureTransformation": _transformation,
}
