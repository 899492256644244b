"""Solutions against their recipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpe.model.config.sections import Config, SolutionConfig, inner
from mpe.model.errors import Problem
from mpe.model.rules import solutions as rules
from mpe.model.service import tuning
from mpe.model.service.recipes import RECIPES, Recipe
from mpe.model.service.shapes import shown


def problems(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    """Find what the recipe does not know, or lacks."""
    params, place = config.solution.params, f"{config.solution.path}.serviceConfig"
    yield from _automl(config)
    mode = config.version.params.get("trainingMode") if config.version else None
    if config.version and mode == "AUTOTRAIN":
        where = f"{config.version.path}.serviceConfig.trainingMode"
        yield rules.AUTOTRAIN.problem(where, "AUTOTRAIN is for the service itself.", "Use FULL.")
    arn = params.get("recipeArn")
    if params.get("performAutoML"):
        return
    if arn is None:
        yield rules.RECIPE.problem(f"{place}.recipeArn", "is required.", "Add it.")
    elif config.recipe is None:
        yield rules.UNKNOWN_RECIPE.problem(f"{place}.recipeArn", *not_a_recipe(arn, None))
    elif config.recipe.domain:
        yield rules.DOMAIN_RECIPE.problem(
            f"{place}.recipeArn",
            f"{config.recipe.name} makes recommenders.",
            "Move it to recommenders.",
        )
    else:
        yield from needs_data(config.recipe, whole, f"{place}.recipeArn")
        yield from _unsupported(config, config.recipe)
        settings = inner(params, "solutionConfig")
        yield from tuning.problems(config.recipe, settings, f"{place}.solutionConfig")


def _automl(config: SolutionConfig) -> Iterator[Problem]:
    """Check the recipes that a solution with performAutoML may choose from."""
    automl = inner(inner(config.solution.params, "solutionConfig"), "autoMLConfig")
    recipes = automl.get("recipeList")
    place = f"{config.solution.path}.serviceConfig.solutionConfig.autoMLConfig.recipeList"
    for index, arn in enumerate(recipes if isinstance(recipes, list) else ()):
        recipe = RECIPES.get(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (recipe is None or recipe.domain):
            yield rules.UNKNOWN_RECIPE.problem(f"{place}[{index}]", *not_a_recipe(arn, None))


def notes(config: SolutionConfig) -> Iterator[Problem]:
    """Find what the service will not have for long."""
    if config.solution.params.get("performAutoML"):
        path = f"{config.solution.path}.serviceConfig.performAutoML"
        told = "is deprecated by the service."
        yield rules.AUTOML.problem(path, told, "Choose a recipe instead.")


def not_a_recipe(arn: Any, domain: str | None) -> tuple[str, str]:
    """Say that a recipe is not known, and which are, of a domain or for solutions."""
    known = [recipe.arn for recipe in RECIPES.values() if recipe.domain == domain]
    return f"{shown(arn)} is not a recipe.", f"Known: {', '.join(known)}."


def _unsupported(config: SolutionConfig, recipe: Recipe) -> Iterator[Problem]:
    """Find options that the recipe does not have."""
    params, place = config.solution.params, f"{config.solution.path}.serviceConfig"
    told = f"{recipe.name} does not support it."
    if params.get("performHPO") and not recipe.hpo:
        yield rules.UNSUPPORTED.problem(f"{place}.performHPO", told, "Remove it.")
    if params.get("performIncrementalUpdate") and not recipe.incremental:
        yield rules.UNSUPPORTED.problem(f"{place}.performIncrementalUpdate", told, "Remove it.")
    if "optimizationObjective" in inner(params, "solutionConfig") and not recipe.objective:
        where = f"{place}.solutionConfig.optimizationObjective"
        yield rules.UNSUPPORTED.problem(where, told, "Remove it.")
    mode = config.version.params.get("trainingMode") if config.version else None
    if config.version and mode == "UPDATE" and not recipe.updates:
        where = f"{config.version.path}.serviceConfig.trainingMode"
        yield rules.UPDATE.problem(where, f"{recipe.name} does not support UPDATE.", "Use FULL.")
    if "update" in config.solution.workflow.get("schedules", {}) and not recipe.updates:
        where = f"{config.solution.path}.workflowConfig.schedules.update"
        yield rules.UPDATE.problem(
            where, f"{recipe.name} does not support UPDATE.", "Use schedules.full."
        )


def needs_data(recipe: Recipe, config: Config, path: str) -> Iterator[Problem]:
    """Find datasets that a recipe trains on and the config does not have."""
    for kind in recipe.datasets:
        if not config.has(kind):
            told = f"{recipe.name} needs the {kind} dataset."
            yield rules.DATA.problem(path, told, f"Add $.datasets.{kind}.")
