"""Filters against the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from mpe.model.config.checks.schemas import Schemas
from mpe.model.config.sections import Config
from mpe.model.errors import Problem
from mpe.model.service import filters


def problems(config: Config, schemas: Schemas) -> Iterator[Problem]:
    """Find filters that the service would refuse."""
    for one in config.filters:
        expression = one.params.get("filterExpression")
        if isinstance(expression, str):
            place = f"{one.path}.serviceConfig.filterExpression"
            if not schemas.wrong or schemas.wrong.isdisjoint(filters.datasets_of(expression)):
                yield from filters.problems(expression, schemas.fields, place)
    yield from filters.problems_of_all(
        (f"{one.path}.serviceConfig.filterExpression", one.params["filterExpression"])
        for one in config.filters
        if isinstance(one.params.get("filterExpression"), str)
    )
