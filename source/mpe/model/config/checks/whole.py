"""All checks of a config whose shape is right.

Every check yields all that it finds, as a problem of its rule (:mod:`mpe.model.rules`).
"""

from __future__ import annotations

from collections.abc import Iterator

from mpe.model.config.checks import (
    attribution,
    batch,
    columns,
    filters,
    gate,
    groups,
    ignored,
    names,
    parameters,
    recommenders,
    schedules,
    serving,
    solutions,
)
from mpe.model.config.checks.schemas import schemas_of
from mpe.model.config.sections import Config
from mpe.model.errors import Problem


def problems(config: Config) -> Iterator[Problem]:
    """Yield everything that is wrong with a config whose shape is right."""
    for check in (parameters, names, schedules, groups, attribution, ignored):
        yield from check.problems(config)
    yield from gate.data_problems(config)
    yield from _against_schemas(config)
    yield from serving.exploration(config)
    for solution in config.solutions:
        yield from solutions.problems(solution, config)
        yield from serving.problems(solution)
        yield from batch.problems(solution, config)
        yield from gate.problems(solution, config)
    for recommender in config.recommenders:
        yield from recommenders.problems(recommender, config)


def _against_schemas(config: Config) -> Iterator[Problem]:
    schemas = schemas_of(config)
    yield from filters.problems(config, schemas)
    yield from columns.problems(config, schemas)
    if config.metric_attribution:
        yield from attribution.against_schemas(config.metric_attribution, schemas)


def notes(config: Config) -> Iterator[Problem]:
    """Yield what is no problem, but what the user should know, and has not chosen to ignore."""
    found = (one for one in _notes(config) if one.rule not in config.ignored)
    yield from found


def _notes(config: Config) -> Iterator[Problem]:
    yield from groups.notes(config)
    yield from schedules.notes(config)
    yield from gate.unheld(config)
    for solution in config.solutions:
        yield from solutions.notes(solution)
        yield from gate.notes(solution, config)
