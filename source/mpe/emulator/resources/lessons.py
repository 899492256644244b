"""What a training goes by: the data of its group as it is, and the settings of its solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpe.emulator import actions
from mpe.emulator.actions import ActionModel
from mpe.emulator.data import EVENTS, LEAST_INTERACTIONS, Dataset
from mpe.emulator.learned import Model
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.resources import options
from mpe.emulator.resources.groups import KINDS_BY_TYPE
from mpe.emulator.state import World
from mpe.emulator.training import Lesson, train
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, Recipe


def learn(
    world: World,
    group: str,
    recipe: Recipe,
    *,
    event_type: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Model | ActionModel:
    """Train a model on what a group's datasets have; raise WorkFailed on too little data."""
    config = config or {}
    interactions = dataset_of(world, group, "INTERACTIONS").everything()
    if recipe.type == PERSONALIZED_ACTIONS:
        if len(interactions) < LEAST_INTERACTIONS:
            raise WorkFailed(f"Dataset has fewer than {LEAST_INTERACTIONS} interactions")
        events = dataset_of(world, group, "ACTION_INTERACTIONS").everything()
        return actions.train(events, list(dataset_of(world, group, "ACTIONS").rows))
    items = dataset_of(world, group, "ITEMS")
    least = config.get("eventValueThreshold")
    lesson = Lesson(
        recipe=recipe,
        events=interactions,
        items=dict(items.rows),
        event_type=event_type,
        threshold=float(least) if least else None,
        hyperparameters=options.hyperparameters_of(recipe, config),
        excluded=options.excluded(config, items),
        weights=options.weights(config),
        objective=config.get("optimizationObjective", {}).get("itemAttribute"),
    )
    return train(lesson)


def dataset_of(world: World, group: str, kind: str) -> Dataset:
    """Return a dataset of a group; an empty one where it has none of that type."""
    for dataset in world.of("Dataset", datasetGroupArn=group, datasetType=kind):
        if dataset.data is not None:
            return dataset.data
    return Dataset(KINDS_BY_TYPE[kind])


def put_since(world: World, group: str, moment: Any) -> bool:
    """Tell whether events were put after a moment."""
    kinds = (kind for kind, name in KINDS_BY_TYPE.items() if name in EVENTS)
    return any(
        one.arrived > moment
        for kind in kinds
        for one in dataset_of(world, group, kind).stream.newest(1)
    )
