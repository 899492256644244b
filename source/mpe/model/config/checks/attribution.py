"""Metric attributions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mpe.model.config.checks.schemas import Schemas
from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.errors import Problem
from mpe.model.rules import attribution as rules
from mpe.model.service import avro
from mpe.model.service.shapes import shown

_METRIC = re.compile(r"SAMPLECOUNT\(\)|SUM\((Interactions|Items)\.([A-Za-z_][A-Za-z0-9_]*)\)", re.I)


def problems(config: Config) -> Iterator[Problem]:
    """Find metrics that mean nothing to the service."""
    section = config.metric_attribution
    if section is None:
        return
    if not config.has("interactions"):
        told = "a metric attribution needs an interactions dataset."
        yield rules.INTERACTIONS.problem(section.path, told)
    metrics = section.params.get("metrics")
    seen: set[str] = set()
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        if not isinstance(metric, Mapping):
            continue
        place = f"{section.path}.serviceConfig.metrics[{index}]"
        name, expression = metric.get("metricName"), metric.get("expression")
        if isinstance(name, str):
            if name in seen:
                told = f"{name!r} is there twice."
                yield rules.TWICE.problem(f"{place}.metricName", told, "Rename one.")
            seen.add(name)
        if isinstance(expression, str) and not _METRIC.fullmatch(expression):
            yield rules.EXPRESSION.problem(
                f"{place}.expression",
                f"{shown(expression)} is not understood.",
                "Use SAMPLECOUNT(), SUM(Interactions.COLUMN) or SUM(Items.COLUMN).",
            )


def against_schemas(section: ResourceConfig, schemas: Schemas) -> Iterator[Problem]:
    """Find metrics of columns that are not there, or hold no numbers."""
    if "interactions" in schemas.fields and not schemas.field("interactions", "EVENT_TYPE"):
        yield rules.EVENT_TYPE.problem(
            section.path,
            "a metric attribution needs the field EVENT_TYPE in the interactions' schema.",
        )
    metrics = section.params.get("metrics")
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        expression = str(metric.get("expression")) if isinstance(metric, Mapping) else ""
        found = _METRIC.fullmatch(expression)
        if found and found[1] and found[1].lower() not in schemas.wrong:
            field = schemas.field(found[1].lower(), found[2])
            if field is None or field.type not in avro.NUMBERS:
                yield rules.COLUMN.problem(
                    f"{section.path}.serviceConfig.metrics[{index}].expression",
                    f"{found[1]}.{found[2]} is not a field with numbers of that dataset's schema.",
                )
