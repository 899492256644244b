"""The service's own resources: recipes, algorithms and feature transformations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mpe.emulator.pages import paged
from mpe.emulator.state import NOT_FOUND, World
from mpe.emulator.wire import ServiceError
from mpe.model.service.recipes import RECIPES, Recipe

BORN = datetime(2019, 6, 10, tzinfo=UTC)


def list_recipes(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipes, or those of a domain."""
    domain = params.get("domain")
    found = [_recipe(one) for one in RECIPES.values() if not domain or one.domain == domain]
    page, token = paged(found, params)
    return {"recipes": page, **({"nextToken": token} if token else {})}


def describe_static(key: str) -> Callable[[World, Mapping[str, Any]], dict[str, Any]]:
    """Return the operation that describes a recipe, an algorithm or a transformation."""

    def describe(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
        arn = params[f"{key}Arn"]
        for recipe in RECIPES.values():
            told = {
                "recipe": _recipe(recipe),
                "algorithm": _named(recipe.name, "algorithmArn", recipe.algorithm),
                "featureTransformation": _named(
                    recipe.name, "featureTransformationArn", recipe.transformation
                ),
            }[key]
            if told[f"{key}Arn"] == arn:
                return {key: told}
        raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.")

    return describe


def _named(name: str, key: str, arn: str) -> dict[str, Any]:
    return {
        "name": name,
        key: arn,
        "status": "ACTIVE",
        "creationDateTime": BORN,
        "lastUpdatedDateTime": BORN,
    }


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        **_named(recipe.name, "recipeArn", recipe.arn),
        "algorithmArn": recipe.algorithm,
        "featureTransformationArn": recipe.transformation,
        "recipeType": recipe.type,
        "domain": recipe.domain,
    }
