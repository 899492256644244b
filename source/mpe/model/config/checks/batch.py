"""Batch jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig
from mpe.model.errors import Problem
from mpe.model.rules import batch as rules
from mpe.model.service.recipes import RECIPES, USER_SEGMENTATION, Recipe
from mpe.model.service.shapes import shown

_FILTER = re.compile(r"arn:[a-z0-9-]+:personalize:[a-z0-9-]+:[0-9]{12}:filter/([A-Za-z0-9_-]+)")


def problems(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    """Find batch jobs that the solution cannot have."""
    yield from _own_filters(config, whole)
    recipe = config.recipe
    if recipe is not None and not recipe.domain:
        yield from _inference(config, recipe)
        yield from _segments(config, recipe)


def _own_filters(solution: SolutionConfig, config: Config) -> Iterator[Problem]:
    """Check the filters of batch jobs: they are this config's, so none of another group's.

    The account and the region are checked where the place is known (mpe.model.plan.foreign).
    """
    known = [str(one.params.get("name")) for one in config.filters]
    for section in (*solution.batch_inference_jobs, *solution.batch_segment_jobs):
        arn = section.params.get("filterArn")
        found = _FILTER.fullmatch(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (found is None or found[1] not in known):
            yield rules.FILTER.problem(
                f"{section.path}.serviceConfig.filterArn",
                f"{shown(arn)} is not a filter of this config.",
                f"Its filters: {', '.join(known) or 'none'}. Add it to $.filters.",
            )


def _inference(config: SolutionConfig, recipe: Recipe) -> Iterator[Problem]:
    segments = recipe.type == USER_SEGMENTATION
    for section in config.batch_inference_jobs:
        if not recipe.batch:
            remedy = "Use batchSegmentJobs instead." if segments else "Remove it."
            told = f"{recipe.name} has no batch inference."
            yield rules.INFERENCE.problem(section.path, told, remedy)
        yield from _themes(section, recipe)


def _segments(config: SolutionConfig, recipe: Recipe) -> Iterator[Problem]:
    if recipe.type == USER_SEGMENTATION:
        return
    known = ", ".join(one.name for one in RECIPES.values() if one.type == USER_SEGMENTATION)
    for section in config.batch_segment_jobs:
        told = f"{recipe.name} makes no segments."
        yield rules.SEGMENTS.problem(section.path, told, f"Those that do: {known}.")


def _themes(section: ResourceConfig, recipe: Recipe) -> Iterator[Problem]:
    place = f"{section.path}.serviceConfig"
    wanted = section.params.get("batchInferenceJobMode") == "THEME_GENERATION"
    given = "themeGenerationConfig" in section.params
    if wanted and not recipe.themes:
        told = f"{recipe.name} has no themes."
        yield rules.THEMES.problem(f"{place}.batchInferenceJobMode", told)
    if wanted and not given:
        where = f"{place}.themeGenerationConfig"
        yield rules.THEMES_CONFIG.problem(where, "is required for themes.", "Add it.")
    if given and not wanted:
        yield rules.NO_THEMES.problem(
            f"{place}.themeGenerationConfig",
            "has an effect only with themes.",
            "Set batchInferenceJobMode to THEME_GENERATION.",
        )
