"""What the options of a solution may be, as the service holds them to its recipe and data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mpe.emulator.data import Dataset
from mpe.emulator.resources.base import Params, invalid
from mpe.model.service import hyperparameters
from mpe.model.service.avro import NUMBERS, Field
from mpe.model.service.hyperparameters import Hyperparameter
from mpe.model.service.recipes import PREFIX, RECIPES, USER_PERSONALIZATION, Recipe

RENAMED = {
    f"{end}_user_history_length_percentile": f"{end}_hist_length_percentile"
    for end in ("min", "max")
}
"""What DescribeSolution calls parameters of feature transformations, whatever was given
(https://github.com/boto/boto3/issues/3514)."""
AUTO = ("aws-user-personalization", "aws-popularity-count")
"""What AutoML tries where no recipes are listed: those whose pages have the type
USER_PERSONALIZATION, and that are no v2 recipes, which AutoML is older than."""


def check(params: Params, schemas: Mapping[str, list[Field]]) -> None:
    """Raise InvalidInputException where a solution's config is not for its data."""
    config = params.get("solutionConfig", {})
    _number("eventValueThreshold", config.get("eventValueThreshold"))
    check_columns(config, schemas)
    objective = config.get("optimizationObjective", {}).get("itemAttribute")
    if objective:
        _objective(objective, schemas.get("items", []))


def renamed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a solution's config as Describe tells it."""
    told = dict(config)
    given = told.get("featureTransformationParameters")
    if given:
        told["featureTransformationParameters"] = {
            RENAMED.get(name, name): value for name, value in given.items()
        }
    return told


def candidates(params: Mapping[str, Any]) -> list[Recipe]:
    """Return the recipes that a solution may turn out to be trained with: one without AutoML."""
    if not params.get("performAutoML"):
        found = RECIPES.get(str(params.get("recipeArn")))
        return [found] if found and not found.domain else []
    listed = params.get("solutionConfig", {}).get("autoMLConfig", {}).get("recipeList")
    arns = listed or [PREFIX + name for name in AUTO]
    return [RECIPES[one] for one in arns if one in RECIPES and not RECIPES[one].domain]


def check_automl(params: Params) -> None:
    """Raise InvalidInputException where AutoML cannot choose from what is listed."""
    if params.get("recipeArn"):
        raise invalid("recipeArn cannot be given together with performAutoML.")
    config = params.get("solutionConfig", {}).get("autoMLConfig", {})
    listed = config.get("recipeList", [PREFIX + AUTO[0]])
    for arn in listed:
        recipe = RECIPES.get(arn)
        known = recipe and (recipe.type == USER_PERSONALIZATION or recipe.name in AUTO)
        if not recipe or recipe.domain or not known:
            raise invalid(f"Invalid recipe for AutoML: {arn}")
    if not listed:
        raise invalid("autoMLConfig.recipeList is empty.")


def tuned(recipe: Recipe, config: Mapping[str, Any]) -> dict[str, str]:
    """Return what HPO found: the values that were given or stand by, within the ranges."""
    given = config.get("algorithmHyperParameters", {})
    ranges = dict(_ranges(config.get("hpoConfig", {})))
    own = hyperparameters.of(recipe.name).values()
    return {
        one.name: _within(one, str(given.get(one.name, one.default)), ranges.get(one.name))
        for one in own
        if one.tunable
    }


def hyperparameters_of(recipe: Recipe, config: Mapping[str, Any]) -> dict[str, str]:
    """Return what a training goes by: what was given, and what HPO found in given ranges."""
    given = dict(config.get("algorithmHyperParameters", {}))
    best = tuned(recipe, config) if "hpoConfig" in config else {}
    return {**given, **best, **config.get("featureTransformationParameters", {})}


def excluded(config: Mapping[str, Any], items: Dataset) -> frozenset[str]:
    """Return the columns of the items that a training leaves out."""
    training = config.get("trainingDataConfig", {})
    out = _of_items(training.get("excludedDatasetColumns", {})) or set()
    only = _of_items(training.get("includedDatasetColumns", {}))
    if only is not None:
        out |= {name for row in items.rows.values() for name in row} - only
    return frozenset(out)


def _of_items(chosen: Mapping[str, list[str]]) -> set[str] | None:
    for dataset, columns in chosen.items():
        if dataset.lower() == "items":
            return {one.upper() for one in columns}
    return None


def weights(config: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the threshold and the weight of each event type of an eventsConfig."""
    listed = config.get("eventsConfig", {}).get("eventParametersList", [])
    return {
        one["eventType"]: (one.get("eventValueThreshold", -math.inf), one.get("weight", 1.0))
        for one in listed
        if "eventType" in one
    }


def _within(one: Hyperparameter, value: str, bounds: Mapping[str, Any] | None) -> str:
    if bounds is None:
        return value
    if one.kind == "categorical":
        allowed = [str(each) for each in bounds.get("values", ())] or [value]
        return value if value in allowed else allowed[0]
    least, most = bounds.get("minValue", one.least), bounds.get("maxValue", one.most)
    number = min(max(float(value), least), most)
    return str(int(number) if one.kind == "integer" else number)


def _number(name: str, value: str | None) -> None:
    try:
        right = value is None or math.isfinite(float(value))
    except ValueError:
        right = False
    if not right:
        raise invalid(f"{name} must be a number: {value}")


def _ranges(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for every in config.get("algorithmHyperParameterRanges", {}).values():
        for bounds in every:
            yield bounds.get("name", ""), bounds


def check_columns(config: Mapping[str, Any], schemas: Mapping[str, list[Field]]) -> None:
    """Raise InvalidInputException where a trainingDataConfig names columns that there are not.

    https://docs.aws.amazon.com/personalize/latest/dg/custom-config-columns.html has the column that
    cannot be excluded.
    """
    for key, chosen in config.get("trainingDataConfig", {}).items():
        for dataset, columns in chosen.items():
            fields = schemas.get(dataset.lower())
            if fields is None:
                raise invalid(f"trainingDataConfig names a dataset that there is not: {dataset}")
            if "EVENT_TYPE" in columns and key == "excludedDatasetColumns":
                raise invalid("EVENT_TYPE cannot be excluded from training.")
            unknown = {one.upper() for one in columns} - {one.name.upper() for one in fields}
            if unknown:
                raise invalid(
                    f"trainingDataConfig names columns that {dataset} has not: "
                    f"{', '.join(sorted(unknown))}"
                )


def check_exploration(config: Mapping[str, Any]) -> None:
    """Raise InvalidInputException where how much is explored is out of its bounds.

    https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html#about-exploration
    """
    for name, value in config.get("itemExplorationConfig", {}).items():
        known = hyperparameters.EXPLORATION.get(name)
        if known and not known.fits(value):
            raise invalid(
                f"{name} must be a number from {known.least:g} to {known.most:g}: {value}"
            )


def _objective(name: str, fields: list[Field]) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/optimizing-solution-for-objective.html."""
    if not any(one.name == name and one.type in NUMBERS for one in fields):
        raise invalid(f"itemAttribute must be a numerical column of the items dataset: {name}")
