"""The dashboard and the alarms watch what there is: names and metrics of the deployed stack.

A search finds no metric that has reported nothing for two weeks, so there is none:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mpe.handlers.gauges import Emf
from mpe.local.cloud import LocalCloud
from tests.conftest import interactions
from tests.local.conftest import User, small, tend, wait_until

pytestmark = pytest.mark.local

OF_AWS = {
    "AWS/Lambda": ("FunctionName", "AWS::Lambda::Function"),
    "AWS/States": ("StateMachineArn", "AWS::StepFunctions::StateMachine"),
    "AWS/Scheduler": ("ScheduleGroup", "AWS::Scheduler::ScheduleGroup"),
    "AWS/SNS": ("TopicName", "AWS::SNS::Topic"),
    "AWS/SQS": ("QueueName", "AWS::SQS::Queue"),
}
"""By which dimension AWS's own metrics are found, and whose name it is
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html)."""


@dataclass(frozen=True)
class Metric:
    """A metric that is watched, or that was written."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @property
    def schema(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.dimensions)


def written(cloud: LocalCloud) -> set[Metric]:
    """Return the metrics of all lines in the embedded metric format that functions wrote."""
    logs = cloud.client("logs")
    found = set()
    for group in logs.get_paginator("describe_log_groups").paginate().search("logGroups[]"):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in pages.search("events[]"):
            for line in (event or {}).get("message", "").splitlines():
                if line.startswith("{") and '"_aws"' in line:
                    found.update(_metrics(json.loads(line)))
    return found


def written_all(cloud: LocalCloud, wanted: set[str]) -> set[Metric]:
    """Return what functions wrote, once all of some names are among it."""
    found = written(cloud)
    return found if wanted <= {one.name for one in found} else set()


def _metrics(line: dict[str, Any]) -> Iterator[Metric]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                yield Metric(directive["Namespace"], metric["Name"], dimensions)


def names(cloud: LocalCloud) -> dict[str, set[str]]:
    """Return the physical names of the stack's resources, by type."""
    found: dict[str, set[str]] = {}
    stack = cloud.client("cloudformation")
    for one in (
        stack.get_paginator("list_stack_resources")
        .paginate(StackName=cloud.stack_name)
        .search("StackResourceSummaries[]")
    ):
        named = one["PhysicalResourceId"].rpartition("/")[2]
        if one["ResourceType"] == "AWS::StepFunctions::StateMachine":
            named = one["PhysicalResourceId"]
        if one["ResourceType"] == "AWS::SNS::Topic":
            named = named.rpartition(":")[2]
        found.setdefault(one["ResourceType"], set()).add(named)
    return found


def is_there(metric: Metric, known: dict[str, set[str]], put: set[Metric]) -> bool:
    """Tell whether a metric is one that the functions write, or that AWS has of a resource."""
    if metric.namespace not in OF_AWS:
        return metric in put
    dimension, kind = OF_AWS[metric.namespace]
    ((name, value),) = metric.dimensions
    return name == dimension and value in known[kind]


def watched(metrics: list[Any]) -> Iterator[Metric]:
    """Yield the metrics of a dashboard's widget, where ``.`` is what the row before has."""
    before: list[str] = []
    for row in metrics:
        words = [one for one in row if isinstance(one, str)]
        if words:
            words = [before[at] if word == "." else word for at, word in enumerate(words)]
            before = words
            pairs = frozenset(zip(words[2::2], words[3::2], strict=True))
            yield Metric(words[0], words[1], pairs)


def elsewhere(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> set[Metric]:
    """Return what functions write of rollbacks and of recommenders, of which none are here."""
    capsys.readouterr()
    gauges = Emf(cloud.stack_name)
    gauges.rolled_back("watched", "watched-live")
    gauges.recommender("watched", "watched-offers", {"coverage": 0.5}, doubted=False)
    lines = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line)
    return {one for line in lines for one in _metrics(line)}


def test_every_metric_that_is_watched_is_there(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(cloud, "watched")
    user.put("interactions.csv", interactions())
    user.upload(small("watched"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.upload({"solutions": 1})
    User(cloud, "watched").mail(2)
    tend(cloud)
    put = wait_until(lambda: written_all(cloud, RARE))
    known, put = names(cloud), put | elsewhere(cloud, capsys)
    _judge_alarms(cloud, known, put)
    _judge_dashboard(cloud, known, put)


MENTIONED = re.compile(
    r"\b(?:Solution|DatasetGroup|ResourceType|coverage|[A-Z][a-z]+(?:Duration|Wait)|\w+_at_\d+)\b"
)
"""What a query of a dashboard names that the functions write as metrics or dimensions."""


def _judge_queries(cloud: LocalCloud, queries: list[str], put: set[Metric]) -> None:
    """Each query is of log groups that are there, and of fields that are written."""
    pages = cloud.client("logs").get_paginator("describe_log_groups").paginate()
    groups = {one["logGroupName"] for page in pages for one in page["logGroups"]}
    fields = {one.name for one in put} | {name for one in put for name in one.schema} | NOT_OFTEN
    for query in queries:
        asked = set(re.findall(r"SOURCE '([^']+)'", query))
        assert asked
        assert asked <= groups
        assert len(asked) <= 50
        assert set(MENTIONED.findall(query.partition("|")[2])) <= fields


RARE = {"RejectedConfigs", "HeldModels", "OldModels"}
NOT_OFTEN = {"ResourceWait"}
"""Written only where a quota or a throttle was waited for."""


def _judge_alarms(cloud: LocalCloud, known: dict[str, set[str]], put: set[Metric]) -> None:
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) >= 14
    for alarm in alarms:
        math = [one["MetricStat"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
        stats = [one["Metric"] for one in math]
        for one in stats or [alarm]:
            pairs = frozenset((pair["Name"], pair["Value"]) for pair in one["Dimensions"])
            metric = Metric(one["Namespace"], one["MetricName"], pairs)
            assert is_there(metric, known, put), (alarm["AlarmName"], metric)


def _judge_dashboard(cloud: LocalCloud, known: dict[str, set[str]], put: set[Metric]) -> None:
    client = cloud.client("cloudwatch")
    (entry,) = client.list_dashboards()["DashboardEntries"]
    body = json.loads(client.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
    plain, queries = [], []
    for widget in body["widgets"]:
        rows = widget["properties"].get("metrics", [])
        assert not [
            one for row in rows for one in row if isinstance(one, dict) and "expression" in one
        ]
        plain += list(watched(rows))
        if widget["type"] == "log":
            queries.append(widget["properties"]["query"])
    assert len(queries) == 4
    _judge_queries(cloud, queries, put)
    functions = {dict(one.dimensions).get("FunctionName") for one in plain} - {None}
    assert len(functions) > 20, "each function's errors are shown"
    assert [one for one in plain if not is_there(one, known, put)] == []
