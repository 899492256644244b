"""The columns that solutions and recommenders are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.config.checks.schemas import Schemas
from mpe.model.config.sections import Config, inner
from mpe.model.errors import Problem
from mpe.model.rules import solutions as rules
from mpe.model.service import avro
from mpe.model.service.shapes import shown


def problems(config: Config, schemas: Schemas) -> Iterator[Problem]:
    """Find columns that are named but that no schema has, or that are not of the right type."""
    untyped = "interactions" not in schemas.wrong
    untyped = untyped and not schemas.field("interactions", "EVENT_TYPE")
    for section in (*(one.solution for one in config.solutions), *config.recommenders):
        place = f"{section.path}.serviceConfig"
        for key in ("solutionConfig", "recommenderConfig"):
            training = inner(inner(section.params, key), "trainingDataConfig")
            yield from _training_columns(training, schemas, f"{place}.{key}.trainingDataConfig")
        solution = inner(section.params, "solutionConfig")
        if untyped:
            for path in ("eventType", "solutionConfig.eventsConfig"):
                if path.split(".")[-1] in {**section.params, **solution}:
                    told = "needs the field EVENT_TYPE in the interactions' schema."
                    yield rules.EVENTS.problem(f"{place}.{path}", told)
        yield from _objective(solution, schemas, place)


def _training_columns(
    training: Mapping[str, Any], schemas: Schemas, path: str
) -> Iterator[Problem]:
    for key in ("excludedDatasetColumns", "includedDatasetColumns"):
        for dataset, columns in inner(training, key).items():
            kind = dataset.lower()
            if kind in schemas.wrong:
                continue
            known = [one.name for one in schemas.fields.get(kind, ())]
            capitals = {one.upper() for one in known}
            if kind not in schemas.fields:
                place = f"{path}.{key}.{dataset}"
                yield rules.NO_DATASET.problem(place, "this config has no such dataset.")
                continue
            for index, column in enumerate(columns if isinstance(columns, list) else ()):
                place = f"{path}.{key}.{dataset}[{index}]"
                if column == "EVENT_TYPE" and key == "excludedDatasetColumns":
                    yield rules.EVENT_TYPE.problem(place, "EVENT_TYPE cannot be left out.")
                elif not isinstance(column, str) or column.upper() not in capitals:
                    yield rules.NO_COLUMN.problem(
                        place,
                        f"{shown(column)} is not a field of that schema.",
                        f"Its fields: {', '.join(known)}.",
                    )


def _objective(solution: Mapping[str, Any], schemas: Schemas, place: str) -> Iterator[Problem]:
    """Check an objective: a numeric column of the items.

    https://docs.aws.amazon.com/personalize/latest/dg/optimizing-solution-for-objective.html
    """
    attribute = inner(solution, "optimizationObjective").get("itemAttribute")
    if isinstance(attribute, str) and "items" not in schemas.wrong:
        field = schemas.field("items", attribute)
        if field is None or field.type not in avro.NUMBERS:
            yield rules.OBJECTIVE.problem(
                f"{place}.solutionConfig.optimizationObjective.itemAttribute",
                f"{attribute!r} is not a field with numbers of the items' schema.",
            )
