"""Bends: what makes a good config wrong, and the paths in the example's config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpe.model.plan.desired import Place

PLACE = Place("us-east-1", "000000000000", "data", "arn:aws:iam::000000000000:role/service")
Bend = Callable[[dict[str, Any]], Any]


def at(document: dict[str, Any], *path: str | int) -> Any:
    found: Any = document
    for part in path:
        found = found[part]
    return found


def put(*path_and_value: Any) -> Bend:
    """Return a bend that sets a value at a path."""
    *path, last, value = path_and_value

    def bend(document: dict[str, Any]) -> None:
        at(document, *path)[last] = value

    return bend


def drop(*path: str | int) -> Bend:
    *above, last = path
    return lambda document: at(document, *above).pop(last)


def add(*path_and_value: Any) -> Bend:
    *path, value = path_and_value
    return lambda document: at(document, *path).append(value)


def both(*bends: Bend) -> Bend:
    return lambda document: [bend(document) for bend in bends]


def attribution(*names: str, expression: str = "SAMPLECOUNT()") -> dict[str, Any]:
    metrics = [
        {"eventType": "rating", "metricName": name, "expression": expression}
        for name in names or ("ratings",)
    ]
    return {"serviceConfig": {"name": "metrics", "metrics": metrics}}


GROUP = ("datasetGroup", "serviceConfig")
SOLUTION = ("solutions", 0, "serviceConfig")
CAMPAIGN = ("solutions", 0, "campaigns", 0, "serviceConfig")
SCHEMA = ("datasets", "interactions", "schema", "serviceConfig", "schema")
ITEMS = ("datasets", "items", "schema", "serviceConfig", "schema")
USERS = ("datasets", "users", "schema", "serviceConfig", "schema")
FILTER = ("filters", 0, "serviceConfig")
RECIPE = "arn:aws:personalize:::recipe/"
P_GROUP, P_SOLUTION = "$.datasetGroup.serviceConfig", "$.solutions[0].serviceConfig"
P_CAMPAIGN = "$.solutions[0].campaigns[0].serviceConfig"
P_SCHEMA = "$.datasets.interactions.schema.serviceConfig.schema"
P_ITEMS = "$.datasets.items.schema.serviceConfig.schema"
P_USERS = "$.datasets.users.schema.serviceConfig.schema"
P_SERVED = "$.solutions[0].campaigns[0]"
P_FILTER = "$.filters[0].serviceConfig"
P_JOB = "$.solutions[0].batchInferenceJobs[0]"
P_METRICS = "$.metricAttribution.serviceConfig.metrics"
LONG = "movielens-for-you"
THEMES = {"batchInferenceJobMode": "THEME_GENERATION"}
EXCLUDED = {"excludedDatasetColumns": {"Items": ["DIRECTOR"]}}

ELSEWHERE = "arn:aws:personalize:us-east-1:000000000000:solution/another"
