"""Solutions and their versions, which are really trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from mpe.emulator.actions import ActionModel
from mpe.emulator.learned import Model
from mpe.emulator.lifecycle import ACTIVE
from mpe.emulator.resources import options
from mpe.emulator.resources.base import Kind, Params, in_use, invalid, limit, live, need_none
from mpe.emulator.resources.lessons import learn, put_since
from mpe.emulator.resources.using import schemas_of
from mpe.emulator.state import Change, Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service import tuning
from mpe.model.service.recipes import RECIPES, Recipe

BEST_BY = "normalized_discounted_cumulative_gain_at_25"
"""The metric by which AutoML chooses a recipe."""
DAY = 24 * 60 * 60
HOUR = 60 * 60
NOTHING_NEW = (
    "There should be updates to at least one dataset after last active solution version with "
    "training mode set to FULL."
)
"""What the service answers to an UPDATE with nothing new: the README of the AWS solution, and
https://stackoverflow.com/questions/69294232."""


class SolutionKind(Kind):
    noun = "Solution"
    update_key = "latestSolutionUpdate"

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        if params.get("performAutoML"):
            options.check_automl(params)
        recipes = options.candidates(params)
        if not recipes:
            raise invalid(f"Invalid recipe for a solution: {params.get('recipeArn')}")
        for recipe in recipes:
            _supported(recipe, params)
            has_datasets(world, recipe, group)
            options.check(params, schemas_of(world, group))
        if len(live(world, self.noun, datasetGroupArn=group.arn)) >= world.quotas.solutions:
            raise limit(f"More than {world.quotas.solutions} solutions in the dataset group.")

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        automatic = {"performHPO": False, "performAutoML": False, "performAutoTraining": True}
        fields = {**automatic, **super().fields(world, params, arn)}
        if fields["performAutoML"]:  # which always tunes: API_CreateSolution
            fields["performHPO"] = True
        if "solutionConfig" in fields:
            fields["solutionConfig"] = options.renamed(fields["solutionConfig"])
        if fields["performAutoTraining"]:
            fields["solutionConfig"] = _trained_weekly(fields.get("solutionConfig", {}))
        return deepcopy(fields)

    def describe(self, world: World, found: Resource) -> dict[str, Any]:
        told = super().describe(world, found)
        newest = newest_version(world, found.arn)
        if newest:
            told["latestSolutionVersion"] = KIND_OF_VERSION.describe(world, newest)
        return told

    def update(self, world: World, found: Resource, params: Params) -> Change:
        rate = params.get("solutionUpdateConfig", {}).get("autoTrainingConfig", {})
        _trains_at(rate.get("schedulingExpression"))
        if params.get("performIncrementalUpdate"):
            _supported(recipe_of(found), params)
        sets = {
            key: params[key]
            for key in ("performAutoTraining", "performIncrementalUpdate")
            if key in params
        }
        asked = {**sets}
        if "solutionUpdateConfig" in params:
            config = {**found.fields.get("solutionConfig", {}), **params["solutionUpdateConfig"]}
            sets["solutionConfig"] = config
            asked["solutionUpdateConfig"] = params["solutionUpdateConfig"]
        turned = sets.get("performAutoTraining") and not found.fields.get("performAutoTraining")
        sets["turnedOn"] = bool(turned)  # within an hour of which the first training begins
        if sets.get("performAutoTraining"):
            config = sets.get("solutionConfig", found.fields.get("solutionConfig", {}))
            sets["solutionConfig"] = _trained_weekly(config)
        return Change(world.begin_update(self.noun), sets, asked)

    def check_deletion(self, world: World, found: Resource) -> None:
        campaigns = [
            one
            for one in world.of("Campaign")
            if one.fields["solutionVersionArn"].startswith(f"{found.arn}/")
        ]
        need_none(campaigns, "Campaign", found)
        for version in world.of("SolutionVersion", solutionArn=found.arn):
            if version.changing(world.now):
                raise in_use(f"{found.arn} cannot be deleted: {version.arn} is in progress.")


class SolutionVersionKind(Kind):
    noun = "SolutionVersion"

    def arn(self, world: World, params: Params) -> str:
        return f"{params['solutionArn']}/{params.get('name') or world.mint()}"

    def check(self, world: World, params: Params) -> None:
        solution = world.need_active("Solution", params["solutionArn"])
        recipe = recipe_of(solution)
        mode = params.get("trainingMode", "FULL")
        if mode == "AUTOTRAIN" and "automatic" not in params:
            raise invalid("trainingMode AUTOTRAIN is for the service itself.")
        if mode == "UPDATE":
            self._updatable(world, solution, recipe)
        running = [one for one in world.of(self.noun) if one.changing(world.now)]
        if len(running) >= world.quotas.training:
            raise limit(
                f"More than {world.quotas.training} resources with PENDING or IN_PROGRESS status."
            )

    @staticmethod
    def _updatable(world: World, solution: Resource, recipe: Recipe) -> None:
        if not recipe.updates:
            raise invalid(f"trainingMode UPDATE is not supported by {recipe.name}.")
        full = [
            one
            for one in world.of("SolutionVersion", solutionArn=solution.arn, trainingMode="FULL")
            if one.active(world.now)
        ]
        if not full:
            raise invalid("trainingMode UPDATE needs an ACTIVE version trained with FULL.")
        last = max(one.created for one in full)
        if not _imported_since(world, solution, last, every=True):
            raise invalid(NOTHING_NEW)

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        solution = world.get("Solution", params["solutionArn"])
        frozen = (
            "performHPO",
            "performAutoML",
            "recipeArn",
            "eventType",
            "solutionConfig",
            "datasetGroupArn",
            "performIncrementalUpdate",
        )
        return {
            **{key: deepcopy(solution.fields[key]) for key in frozen if key in solution.fields},
            "recipeArn": recipe_of(solution).arn,
            "solutionArn": solution.arn,
            "trainingMode": params.get("trainingMode", "FULL"),
            "trainingType": "AUTOMATIC" if params.get("automatic") else "MANUAL",
            # so an output has it of one that was given no name: aws-samples/
            # amazon-personalize-samples update-item-dataset-schema-example.ipynb, cell 78
            "name": params.get("name") or arn.split(":solution/", 1)[1],
        }

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        solution = world.get("Solution", params["solutionArn"])
        group, config = (
            solution.fields["datasetGroupArn"],
            solution.fields.get("solutionConfig", {}),
        )
        event_type = solution.fields.get("eventType")

        def learned(recipe: Recipe) -> Model | ActionModel:
            return learn(world, group, recipe, event_type=event_type, config=config)

        def work() -> None:
            models = {one.arn: learned(one) for one in options.candidates(solution.fields)}
            best = max(models, key=lambda arn: models[arn].metrics.get(BEST_BY, 0.0))
            made.model = models[best]
            made.fields["recipeArn"] = best
            if solution.fields["performAutoML"]:
                solution.fields["autoMLResult"] = {"bestRecipeArn": best}

        return work

    def describe(self, world: World, found: Resource) -> dict[str, Any]:
        told = super().describe(world, found)
        if told["status"] == ACTIVE:
            took = (told["lastUpdatedDateTime"] - found.created).total_seconds() * world.speed
            told["trainingHours"] = round(took / HOUR, 3)
            if told["performHPO"]:
                recipe, config = RECIPES[told["recipeArn"]], told.get("solutionConfig", {})
                best = options.tuned(recipe, config)
                told["tunedHPOParams"] = {"algorithmHyperParameters": best}
        return told

    def stop(self, world: World, found: Resource) -> None:
        """Stop a training that is under way."""
        state = found.state(world.now)
        if state.status not in {"CREATE PENDING", "CREATE IN_PROGRESS"}:
            raise in_use(f"{found.arn} cannot be stopped: it is {state.status}.")
        found.stop = world.begin_deletion()
        pending = state.status == "CREATE PENDING"
        found.stop.steps = (
            ("CREATE STOPPED",) * 3
            if pending
            else ("CREATE STOPPING", "CREATE STOPPING", "CREATE STOPPED")
        )


KIND_OF_VERSION = SolutionVersionKind()


def has_datasets(world: World, recipe: Recipe, group: Resource) -> None:
    """Refuse a recipe whose datasets the group has not."""
    kinds = {one.fields["datasetType"] for one in world.of("Dataset", datasetGroupArn=group.arn)}
    for needed in recipe.datasets:
        if needed.upper() not in kinds:
            raise invalid(f"{recipe.name} needs a dataset of type {needed.upper()}.")


def _supported(recipe: Recipe, params: Params) -> None:
    config = params.get("solutionConfig", {})
    for wrong in tuning.problems(recipe, config, "solutionConfig"):
        raise invalid(wrong.message)
    if params.get("performHPO") and not recipe.hpo:
        raise invalid(f"performHPO is not supported by {recipe.name}.")
    if "optimizationObjective" in config and not recipe.objective:
        raise invalid(f"optimizationObjective is not supported by {recipe.name}.")
    if params.get("performIncrementalUpdate") and not recipe.incremental:
        raise invalid(f"performIncrementalUpdate is not supported by {recipe.name}.")
    _trains_at(config.get("autoTrainingConfig", {}).get("schedulingExpression"))


def _trains_at(rate: str | None) -> None:
    if rate and not 1 <= days(rate) <= 30:
        raise invalid("autoTrainingConfig must be from rate(1 day) to rate(30 days).")


def recipe_of(solution: Resource) -> Recipe:
    """Return a solution's recipe: of one that AutoML chooses for, the best so far."""
    best = solution.fields.get("autoMLResult", {}).get("bestRecipeArn")
    return RECIPES[best] if best else options.candidates(solution.fields)[0]


def days(rate: str) -> int:
    """Return the days of a ``rate(7 days)``."""
    found = re.search(r"\d+", rate)
    return int(found.group()) if found else 0


def newest_version(world: World, solution: str, *, active: bool = False) -> Resource | None:
    """Return a solution's newest version, or its newest ACTIVE one."""
    versions = [
        one
        for one in world.of("SolutionVersion", solutionArn=solution)
        if not active or one.active(world.now)
    ]
    return max(versions, key=lambda one: one.created, default=None)


def _trained_weekly(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a solution's config with how often the service trains it, unless it says so."""
    return {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}, **config}


def train_automatically(world: World) -> None:
    """Start the trainings that are due by now.

    The first within an hour of the solution's being ACTIVE, unless one was started by hand;
    the later ones counted from the start of the one before, and only on new data
    (https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html).
    """
    for solution in world.of("Solution"):
        if solution.fields.get("performAutoTraining") and solution.active(world.now):
            newest = newest_version(world, solution.arn)
            if _due(world, solution, newest):
                params = {"solutionArn": solution.arn, "trainingMode": "FULL", "automatic": True}
                try:
                    KIND_OF_VERSION.new(world, params)
                except ServiceError:
                    continue  # its recipe is not emulated, or too much is training already


def _due(world: World, solution: Resource, newest: Resource | None) -> bool:
    if newest is None:
        since = solution.state(world.now).since
        return world.now >= world.later(since, world.durations.first_training)
    change = solution.change
    if change and change.applied and solution.fields.get("turnedOn"):
        since = change.progress.at(world.now).since
        if newest.created < since:
            return world.now >= world.later(since, world.durations.first_training)
    config = solution.fields["solutionConfig"]["autoTrainingConfig"]
    seconds = days(config["schedulingExpression"]) * DAY
    return world.now >= world.later(newest.created, seconds) and _imported_since(
        world, solution, newest.created
    )


def _imported_since(
    world: World, solution: Resource, moment: datetime, *, every: bool = False
) -> bool:
    """Tell whether interactions, or the data of ``every`` dataset, are newer than a moment."""
    group = solution.fields["datasetGroupArn"]
    if put_since(world, group, moment):
        return True
    kind = {} if every else {"datasetType": "INTERACTIONS"}
    for dataset in world.of("Dataset", datasetGroupArn=group, **kind):
        if every and dataset.data and max(dataset.data.arrived.values(), default=moment) > moment:
            return True
        for job in world.of("DatasetImportJob", datasetArn=dataset.arn):
            if job.created > moment and job.active(world.now):
                return True
    return False
