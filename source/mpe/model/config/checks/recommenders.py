"""Recommenders."""

from __future__ import annotations

from collections.abc import Iterator

from mpe.model.config.checks.solutions import needs_data, not_a_recipe
from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.errors import Problem
from mpe.model.rules import recommenders as rules
from mpe.model.service.recipes import RECIPES


def problems(section: ResourceConfig, config: Config) -> Iterator[Problem]:
    """Find a use case that is not the domain's, or lacks data."""
    place = f"{section.path}.serviceConfig.recipeArn"
    recipe = RECIPES.get(str(section.params.get("recipeArn")))
    if recipe is None or recipe.domain is None:
        told = not_a_recipe(section.params.get("recipeArn"), config.domain)
        yield rules.USE_CASE.problem(place, *told)
    elif recipe.domain != config.domain:
        other = f"{recipe.name} is for {recipe.domain}, not {config.domain}."
        yield rules.DOMAIN.problem(place, other)
    else:
        yield from needs_data(recipe, config, place)
