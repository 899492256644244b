"""Recommenders of domain dataset groups, trained as they are created.

https://docs.aws.amazon.com/personalize/latest/dg/creating-recommenders.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpe.emulator.lifecycle import ACTIVE, Progress
from mpe.emulator.resources import options
from mpe.emulator.resources.base import Kind, Params, in_use, invalid, limit, live
from mpe.emulator.resources.lessons import learn
from mpe.emulator.resources.solutions import has_datasets
from mpe.emulator.resources.using import schemas_of
from mpe.emulator.state import Change, Resource, World
from mpe.model.service.recipes import RECIPES

INACTIVE = "INACTIVE"
STOPPING = ("STOP PENDING", "STOP IN_PROGRESS", INACTIVE)
STARTING = ("START PENDING", "START IN_PROGRESS", ACTIVE)


class RecommenderKind(Kind):
    noun = "Recommender"
    update_key = "latestRecommenderUpdate"

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        domain = group.fields.get("domain")
        recipe = RECIPES.get(params["recipeArn"])
        if not domain:
            raise invalid("A recommender needs a domain dataset group.")
        if recipe is None or recipe.domain != domain:
            raise invalid(f"Invalid recipe for a {domain} dataset group: {params['recipeArn']}")
        has_datasets(world, recipe, group)
        options.check_columns(params.get("recommenderConfig", {}), schemas_of(world, group))
        options.check_exploration(params.get("recommenderConfig", {}))
        if len(live(world, self.noun, datasetGroupArn=group.arn)) >= world.quotas.recommenders:
            raise limit(f"More than {world.quotas.recommenders} recommenders in the group.")

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        config = {"minRecommendationRequestsPerSecond": 1, **params.get("recommenderConfig", {})}
        return {**super().fields(world, params, arn), "recommenderConfig": config}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        recipe, group = RECIPES[params["recipeArn"]], params["datasetGroupArn"]
        config = made.fields["recommenderConfig"]

        def work() -> None:
            made.model = learn(world, group, recipe, event_type=recipe.event, config=config)

        return work

    def describe(self, world: World, found: Resource) -> dict[str, Any]:
        told = super().describe(world, found)
        if found.model and told["status"] == ACTIVE:
            told["modelMetrics"] = found.model.metrics
        return told

    def update(self, world: World, found: Resource, params: Params) -> Change:
        if not found.active(world.now):
            raise in_use(f"{found.arn} is not ACTIVE.")
        options.check_exploration(params["recommenderConfig"])
        config = {**found.fields["recommenderConfig"], **params["recommenderConfig"]}
        asked = {"recommenderConfig": params["recommenderConfig"]}
        return Change(world.begin_update(self.noun), {"recommenderConfig": config}, asked)


def stop(world: World, found: Resource) -> dict[str, Any]:
    """Stop an ACTIVE recommender: it is no longer billed and no longer answers."""
    return _switch(world, found, ACTIVE, STOPPING)


def start(world: World, found: Resource) -> dict[str, Any]:
    """Start an INACTIVE recommender again, with the model that it had."""
    return _switch(world, found, INACTIVE, STARTING)


def _switch(
    world: World, found: Resource, needed: str, steps: tuple[str, str, str]
) -> dict[str, Any]:
    status = found.state(world.now).status
    if status != needed:
        raise in_use(f"{found.arn} is {status}, not {needed}.")
    seconds = world.durations.start_stop / world.speed
    found.stop = Progress(world.now, seconds, world.durations.pending, steps=steps)
    return {"recommenderArn": found.arn}
