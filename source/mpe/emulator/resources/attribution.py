"""Metric attributions.

https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.objects import MetricsDenied
from mpe.emulator.pages import paged
from mpe.emulator.resources.base import Kind, Params, invalid
from mpe.emulator.resources.files import check_role
from mpe.emulator.resources.using import schemas_of
from mpe.emulator.state import EXISTS, Change, Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service.avro import NUMBERS, Field

MOST = 10
DENIED = "Insufficient privileges for publishing metrics to Amazon CloudWatch"
EXPRESSION = re.compile(r"SAMPLECOUNT\(\)|SUM\((Interactions|Items)\.(\w+)\)", re.IGNORECASE)
Schemas = Mapping[str, list[Field]]


class MetricAttributionKind(Kind):
    noun = "MetricAttribution"

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        schemas = schemas_of(world, group)
        if "EVENT_TYPE" not in {one.name for one in schemas.get("interactions", [])}:
            raise invalid("A metric attribution needs interactions with EVENT_TYPE.")
        for other in world.of(self.noun, datasetGroupArn=group.arn):
            raise ServiceError(EXISTS, f"{group.arn} already has the attribution {other.arn}.")
        _check_metrics(params["metrics"], schemas)
        check_role(world, params["metricsOutputConfig"]["roleArn"])

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        """Publish a metric to see whether the role may, as the service does.

        The guide does not say how the service words it that the role may not.
        """
        role = params["metricsOutputConfig"]["roleArn"]

        def publish() -> None:
            try:
                world.objects.put_metrics(role_arn=role, account=world.account)
            except MetricsDenied as denied:
                raise WorkFailed(f"{DENIED}: {denied}") from denied

        return publish

    def update(self, world: World, found: Resource, params: Params) -> Change:
        gone = set(params.get("removeMetrics", ()))
        unknown = gone - {one["metricName"] for one in found.fields["metrics"]}
        if unknown:
            raise invalid(f"There is no metric {', '.join(sorted(unknown))}.")
        kept = [one for one in found.fields["metrics"] if one["metricName"] not in gone]
        metrics = [*kept, *params.get("addMetrics", ())]
        group = world.get("DatasetGroup", found.fields["datasetGroupArn"])
        _check_metrics(metrics, schemas_of(world, group))
        sets: dict[str, Any] = {"metrics": metrics}
        if "metricsOutputConfig" in params:
            sets["metricsOutputConfig"] = params["metricsOutputConfig"]
        return Change(world.begin_update(self.noun), sets, {})


def _check_metrics(metrics: Iterable[Mapping[str, Any]], schemas: Schemas) -> None:
    metrics = list(metrics)
    if len(metrics) > MOST:
        raise invalid(f"A metric attribution has at most {MOST} metrics.")
    names = [one["metricName"] for one in metrics]
    for metric in metrics:
        if names.count(metric["metricName"]) > 1:
            raise ServiceError(EXISTS, f"The metric {metric['metricName']} already exists.")
        if not _can_be(metric["expression"], schemas):
            raise invalid(f"Invalid expression: {metric['expression']}")


def _can_be(expression: str, schemas: Schemas) -> bool:
    """Tell whether an expression is one, and sums a column of numbers where it sums.

    https://docs.aws.amazon.com/personalize/latest/dg/creating-metric-attribution.html
    """
    found = EXPRESSION.fullmatch(expression)
    if not found or not found[1]:
        return bool(found)
    fields = schemas.get(found[1].lower(), [])
    return any(one.name.upper() == found[2].upper() and one.type in NUMBERS for one in fields)


def list_metrics(world: World, params: Params) -> dict[str, Any]:
    """Return the metrics of an attribution, by pages."""
    if "metricAttributionArn" not in params:
        raise invalid("metricAttributionArn is required.")
    found = world.get("MetricAttribution", params["metricAttributionArn"])
    page, token = paged(found.fields["metrics"], params)
    return {"metrics": page, **({"nextToken": token} if token else {})}
