"""Campaigns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpe.model.config.sections import SolutionConfig, inner
from mpe.model.errors import Problem
from mpe.model.rules import serving as rules
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
