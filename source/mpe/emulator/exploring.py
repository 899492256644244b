"""Items that are recommended to learn of them: new ones, and those that few turned to.

https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html#about-exploration
How many items of a list are explored is not documented but for its ends: none at a weight of 0,
more the nearer the weight is to 1. Here it is up to a third of the list.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mpe.emulator.data import Dataset
from mpe.emulator.learned import Model
from mpe.emulator.state import Resource, World
from mpe.emulator.trends import HOUR

WEIGHT, CUT_OFF = 0.3, 30.0
"""The defaults of ``explorationWeight`` and ``explorationItemAgeCutOff`` (days)."""
SHARE = 1 / 3
FEW = 0.1
"""An item with less than this share of the mean number of interactions is little known."""
DAY = 24 * HOUR
REFRESH = 2 * HOUR
"""How often new items are taken in
(https://docs.aws.amazon.com/personalize/latest/dg/how-new-data-influences-recommendations.html)."""
EXPLORING = frozenset(
    {
        "aws-user-personalization",
        "aws-user-personalization-v2",
        "aws-ecomm-recommended-for-you",
        "aws-vod-top-picks",
    }
)
"""The recipes that explore, and take in new items by themselves."""


def how_many(config: Mapping[str, str], count: int) -> int:
    """Return how many items of a list are explored."""
    return int(float(config.get("explorationWeight", WEIGHT)) * count * SHARE)


def unknown(model: Model, config: Mapping[str, str]) -> list[str]:
    """Return the items of the training that are young and little known, the least known first."""
    cut_off = float(config.get("explorationItemAgeCutOff", CUT_OFF)) * DAY
    counts = model.counts
    known = counts[counts > 0]
    few = FEW * known.mean() if len(known) else 0.0
    young = model.births >= model.newest - cut_off
    chosen = np.flatnonzero((counts < few) & young)
    return [model.items[place] for place in chosen[np.argsort(counts[chosen], kind="stable")]]


def taken_in(world: World, version: Resource, items: Dataset) -> list[str]:
    """Return the items that came after a training and were taken in since.

    Every two hours, and by the latest fully trained version alone
    (https://docs.aws.amazon.com/personalize/latest/dg/update-campaigns.html).
    """
    if version.noun == "SolutionVersion" and not _latest(world, version):
        return []
    seconds = (world.now - version.created).total_seconds() * world.speed
    moment = world.later(version.created, seconds // REFRESH * REFRESH)
    arrivals = sorted((when, key) for key, when in items.arrived.items() if key in items.rows)
    return [key for when, key in arrivals if version.created < when <= moment]


def _latest(world: World, version: Resource) -> bool:
    solution = version.fields["solutionArn"]
    full = [
        one
        for one in world.of("SolutionVersion", solutionArn=solution)
        if one.active(world.now) and one.fields.get("trainingMode") != "UPDATE"
    ]
    newest = max(full, key=lambda one: one.created, default=None)
    later = [
        one
        for one in world.of("SolutionVersion", solutionArn=solution, trainingMode="UPDATE")
        if one.active(world.now) and newest is not None and one.created > newest.created
    ]
    return newest is version and not later
