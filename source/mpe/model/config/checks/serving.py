"""Campaigns, and what else explores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig, inner
from mpe.model.errors import Problem
from mpe.model.rules import serving as rules
from mpe.model.service.hyperparameters import EXPLORATION
from mpe.model.service.recipes import USER_SEGMENTATION
from mpe.model.service.shapes import shown

_VERSION = re.compile(
    r"arn:[a-z0-9-]+:personalize:[a-z0-9-]+:[0-9]{12}:solution/([A-Za-z0-9_-]+)/[A-Za-z0-9_$-]+"
)


def problems(config: SolutionConfig) -> Iterator[Problem]:
    """Find campaigns that the solution cannot have."""
    yield from _pinned(config)
    recipe = config.recipe
    if recipe is not None and recipe.type == USER_SEGMENTATION:
        for section in config.campaigns:
            told = f"{recipe.name} has no campaigns."
            yield rules.SEGMENTS.problem(section.path, told, "Use batchSegmentJobs instead.")


def exploration(config: Config) -> Iterator[Problem]:
    """Find values of an itemExplorationConfig that are out of their bounds."""
    for noun, key in (
        ("Campaign", "campaignConfig"),
        ("BatchInferenceJob", "batchInferenceJobConfig"),
    ):
        for solution in config.solutions:
            for section in solution.of(noun):
                yield from _explored(section, key)
    for section in config.recommenders:
        yield from _explored(section, "recommenderConfig")


def _explored(section: ResourceConfig, key: str) -> Iterator[Problem]:
    given = inner(inner(section.params, key), "itemExplorationConfig")
    for name, value in given.items():
        known = EXPLORATION.get(name)
        if known and isinstance(value, str) and not known.fits(value):
            yield rules.EXPLORATION.problem(
                f"{section.path}.serviceConfig.{key}.itemExplorationConfig.{name}",
                f"{shown(value)} is not a number from {known.least:g} to {known.most:g}.",
            )


def _pinned(config: SolutionConfig) -> Iterator[Problem]:
    """Check a campaign that stays at a version: it is one of its solution's."""
    own = config.solution.params.get("name")
    for section in config.campaigns:
        arn = section.params.get("solutionVersionArn")
        place = f"{section.path}.serviceConfig.solutionVersionArn"
        found = _VERSION.fullmatch(arn) if isinstance(arn, str) else None
        if isinstance(arn, str) and (found is None or found[1] != own):
            yield rules.VERSION.problem(
                place,
                f"{shown(arn)} is not a version of this solution.",
                "Remove it, and the campaign follows the newest version.",
            )
        own_config = inner(section.params, "campaignConfig")
        if isinstance(arn, str) and own_config.get("syncWithLatestSolutionVersion"):
            yield rules.STAY_AND_FOLLOW.problem(
                place,
                "a campaign cannot both stay at a version and follow the newest.",
                "Remove it, or syncWithLatestSolutionVersion.",
            )
