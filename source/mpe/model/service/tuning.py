"""What a solution may be told of its hyperparameters: their names, their values, HPO's ranges.

What the service says to one that the algorithm has not is quoted in
https://github.com/aws-samples/amazon-personalize-samples/issues/156. The names, kinds and ranges
are those of the recipes' pages (:mod:`mpe.model.service.hyperparameters`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.errors import Problem
from mpe.model.rules import tuning as rules
from mpe.model.service.hyperparameters import Hyperparameter, of
from mpe.model.service.recipes import Recipe
from mpe.model.service.shapes import member, shown

MOST_JOBS = {"maxNumberOfTrainingJobs": 40, "maxParallelTrainingJobs": 10}
"""https://docs.aws.amazon.com/personalize/latest/dg/API_HPOResourceConfig.html"""
ALSO_NAMED = {
    "item_id_hidden_dimension": "item_id_hidden_dim",
    "item_metadata_hidden_dimension": "item_metadata_hidden_dim",
}
"""Names of an older page of Similar-Items (awsdocs/amazon-personalize-developer-guide,
doc_source/native-recipe-similar-items.md): which of the two the service takes, no source shows."""


def problems(recipe: Recipe, config: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Yield what is wrong with the hyperparameters of a ``solutionConfig`` at a path."""
    known = of(recipe.name)
    known.update({new: known[old] for new, old in ALSO_NAMED.items() if old in known})
    for key, features in (
        ("algorithmHyperParameters", False),
        ("featureTransformationParameters", True),
    ):
        own = {name: one for name, one in known.items() if one.features == features}
        yield from _given(_map(config, key), own, recipe, f"{path}.{key}")
    hpo = _map(config, "hpoConfig")
    tunable = {name: one for name, one in known.items() if one.tunable}
    place = f"{path}.hpoConfig"
    ranges = _map(hpo, "algorithmHyperParameterRanges")
    yield from _ranges(ranges, tunable, recipe, f"{place}.algorithmHyperParameterRanges")
    yield from _jobs(_map(hpo, "hpoResourceConfig"), f"{place}.hpoResourceConfig")


def _map(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = given.get(key)
    return found if isinstance(found, Mapping) else {}


def _given(
    values: Mapping[str, Any], known: Mapping[str, Hyperparameter], recipe: Recipe, path: str
) -> Iterator[Problem]:
    for name, value in values.items():
        if name not in known:
            yield _unused(recipe, name, known, member(path, name))
        elif not known[name].fits(str(value)):
            yield _misfit(known[name], value, member(path, name))


def _unused(recipe: Recipe, name: str, known: Mapping[str, Any], path: str) -> Problem:
    remedy = f"Known here: {', '.join(known)}." if known else f"{recipe.name} has none here."
    told = f"Provide a hyperparameter that is used in the algorithm: {recipe.algorithm}"
    return rules.UNUSED.problem(path, f"{told}, not {shown(name)}.", remedy)


def _misfit(known: Hyperparameter, value: Any, path: str) -> Problem:
    kind = "a whole number" if known.kind == "integer" else "a number"
    wanted = (
        f"one of {', '.join(known.values)}"
        if known.kind == "categorical"
        else f"{kind} from {known.least:g} to {known.most:g}"
    )
    return rules.VALUE.problem(path, f"{shown(value)} is not {wanted}.")


def _ranges(
    given: Mapping[str, Any], tunable: Mapping[str, Hyperparameter], recipe: Recipe, path: str
) -> Iterator[Problem]:
    for kind in ("integer", "continuous", "categorical"):
        key = f"{kind}HyperParameterRanges"
        listed = given.get(key)
        for index, one in enumerate(listed if isinstance(listed, list) else ()):
            name = one.get("name") if isinstance(one, Mapping) else None
            place = f"{path}.{key}[{index}]"
            if not isinstance(name, str):
                continue
            if name not in tunable:
                yield _unused(recipe, name, tunable, f"{place}.name")
            elif tunable[name].kind != kind:
                right = f"{tunable[name].kind}HyperParameterRanges"
                told = f"{name} is {tunable[name].kind}."
                yield rules.KIND.problem(f"{place}.name", told, f"Use {right}.")
            else:
                yield from _range(tunable[name], one, place)


def _range(known: Hyperparameter, given: Mapping[str, Any], path: str) -> Iterator[Problem]:
    values = given.get("values")
    listed = values if isinstance(values, list) else ()
    ends = [(end, given[end]) for end in ("minValue", "maxValue") if end in given]
    places = (*((f"values[{index}]", one) for index, one in enumerate(listed)), *ends)
    for place, value in places:
        if not known.fits(str(value)):
            yield _misfit(known, value, f"{path}.{place}")
    numbers = [value for _, value in ends if isinstance(value, int | float)]
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        told = f"{numbers[0]} is more than maxValue, {numbers[1]}."
        yield rules.ENDS.problem(f"{path}.minValue", told)


def _jobs(given: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for name, most in MOST_JOBS.items():
        text = str(given.get(name, 1))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            told = f"{shown(given[name])} is not a whole number from 1 to {most}."
            yield rules.JOBS.problem(f"{path}.{name}", told)
