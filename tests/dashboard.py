"""The dashboard on a month of metrics, written to docs/dashboard.md.

    python -m tests.dashboard

A month of a stack that imports each night and trains each week is gone through: the functions' own
classes write what they write, and what AWS writes by itself has the names, the dimensions and the
times that its pages tell of. moto's GetMetricData, which is none of ours, evaluates each graph.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mpe.aws.ledger import Ledger
from mpe.aws.turns import Turns
from mpe.handlers.finish import Finish
from mpe.handlers.gauges import Emf
from mpe.infrastructure.monitoring import MODEL_METRICS
from mpe.model.plan.outcome import Outcome
from tests.conftest import ROOT
from tests.handlers.memory import Table
from tests.handlers.test_runs import Events, Fixed
from tests.mails import Rows

Json = dict[str, Any]
PAGE = ROOT / "docs" / "dashboard.md"
STACK = "AWS::StackName"
"""What the template's dashboard has in the place of the stack's name."""
DAYS = 28
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GROUP, SOLUTION = "movielens", "films"
HEAD = """\
# The dashboard on a month

What the stack's dashboard shows of a month in which a dataset group is imported each night and
trained each week; three of the imports fail, one config is rejected, and a letter lies in the queue
of what could not be delivered on three days.
This page is written by `python -m tests.dashboard`: it takes the synthesized dashboard, has the
functions' own classes write a month of metrics and logs, adds what Lambda, Step Functions, SNS and
SQS write by themselves, and evaluates each widget. The graphs are evaluated by
[moto](https://github.com/getmoto/moto)'s GetMetricData, with a period of a day. The queries of logs
are evaluated here, as far as which lines they find and whether these have the fields that are asked
for; nobody else's evaluator of CloudWatch Logs Insights is at hand. Neither has been tried in
CloudWatch itself.

The window is {window}, with a period that CloudWatch chooses. No widget searches for metrics
(`SEARCH`), which would find nothing that has reported nothing for two weeks.

| | widget | what it shows | of the month |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    at: datetime
    value: float
    unit: str = "Count"

    @property
    def metric(self) -> tuple[str, str, frozenset[tuple[str, str]]]:
        return self.namespace, self.name, self.dimensions


@dataclass
class Month:
    """What a stack of these machines, functions, topics and queues writes in four weeks."""

    template: Mapping[str, Any]
    points: list[Point] = field(default_factory=list)
    lines: list[Json] = field(default_factory=list)
    """Of the functions' logs."""

    def __post_init__(self) -> None:
        for day in range(DAYS):
            at = BEGAN + day * DAY + timedelta(hours=3)
            self._run(at, f"import-{day}", "import", fails=day in {4, 5, 20})
            if day % 7 == 6:
                self._train(at + timedelta(hours=2), f"full-{day}")
            self._of_aws(at, fails=day in {4, 5, 20})
        with self._noted(BEGAN + 10 * DAY):
            Emf(STACK).rejected(3)

    def _noted(self, at: datetime) -> _Noted:
        return _Noted(self, at)

    def _run(self, at: datetime, run: str, task: str, *, fails: bool = False) -> None:
        """Let the last step of a run tell of it, as the workflow does."""
        turns, ledger = Turns(Table()), Ledger(Rows())
        outcome = Outcome("import.interactions", "DatasetImportJob", "interactions", "$.datasets")
        done = outcome.failing(
            "ResourceFailed", "Input CSV is missing the following columns:[ITEM_ID]"
        )
        done = done if fails else outcome.ready(did="created", status="ACTIVE", seconds=900.0)
        ledger.record(GROUP, run, done.as_dict(), at)
        turns.record(GROUP, run, {"status": "RUNNING", "started": at.isoformat()})
        end = at + timedelta(minutes=20)
        with self._noted(end):
            finish = Finish(turns, ledger, Events(), Emf(STACK), Fixed(moment=end), STACK)
            given = {"group": GROUP, "id": run, "task": task, "config": {"key": "train/c.json"}}
            verdict = finish(given, "arn:aws:states:x:0:execution:m:e", [])
        # As mpe.handlers.finish has it in the log.
        told = {"message": "finished", "verdict": verdict, "correlation_id": run}
        self.lines.append({"@timestamp": end.isoformat(), **told})
        with self._noted(end):
            Emf(STACK).took(GROUP, "DatasetImportJob", 900.0)

    def _train(self, at: datetime, run: str) -> None:
        self._run(at, run, f"full.{SOLUTION}")
        with self._noted(at + timedelta(hours=1)):
            Emf(STACK).took(GROUP, "SolutionVersion", 3_000.0)
            Emf(STACK).waited(GROUP, "SolutionVersion", 300.0)
            Emf(STACK).model(GROUP, SOLUTION, dict.fromkeys(MODEL_METRICS, 0.12))

    def _of_aws(self, at: datetime, *, fails: bool) -> None:
        """Add what AWS writes by itself of a night.

        Lambda has Errors of each invocation, 0 where there is none
        (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html); Step Functions
        of each execution (https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html);
        SNS of what it delivers (https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html);
        SQS of a queue that is in use
        (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).
        """
        for name in self._named("AWS::Lambda::Function"):
            self._put(at, "AWS/Lambda", "Errors", ("FunctionName", name), 0)
        for name in self._named("AWS::StepFunctions::StateMachine"):
            machine = ("StateMachineArn", name)
            self._put(at, "AWS/States", "ExecutionsStarted", machine, 1)
            if fails:
                self._put(at, "AWS/States", "ExecutionsFailed", machine, 1)
        for name in self._named("AWS::SNS::Topic"):
            topic = ("TopicName", f"{name}.TopicName")
            self._put(at, "AWS/SNS", "NumberOfNotificationsDelivered", topic, 1)
            if fails:
                self._put(at, "AWS/SNS", "NumberOfNotificationsFailed", topic, 0)
        for name in self._named("AWS::SQS::Queue"):
            queue = ("QueueName", f"{name}.QueueName")
            self._put(at, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, int(fails))

    def _named(self, kind: str) -> list[str]:
        found = self.template["Resources"].items()
        return [name for name, resource in found if resource["Type"] == kind]

    def _put(
        self, at: datetime, namespace: str, name: str, dimension: tuple[str, str], value: float
    ) -> None:
        self.points.append(Point(namespace, name, frozenset({dimension}), at, value))


@dataclass
class _Noted:
    """Keeps what is written meanwhile as of a moment of the month."""

    month: Month
    at: datetime
    text: io.StringIO = field(default_factory=io.StringIO)

    def __enter__(self) -> None:
        self._redirected = redirect_stdout(self.text)
        self._redirected.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._redirected.__exit__(*error)
        for line in self.text.getvalue().splitlines():
            told = json.loads(line)
            if "_aws" in told:
                self.month.lines.append({"@timestamp": self.at.isoformat(), **told})
                self.month.points.extend(_points(told, self.at))


def _points(line: Json, at: datetime) -> Iterator[Point]:
    """Yield the values that CloudWatch takes out of a line of the embedded metric format."""
    for one in line["_aws"]["CloudWatchMetrics"]:
        for names in one["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in one["Metrics"]:
                told = line[metric["Name"]]
                for value in told if isinstance(told, list) else [told]:
                    yield Point(
                        one["Namespace"], metric["Name"], dimensions, at, value, metric["Unit"]
                    )


def body(template: Mapping[str, Any]) -> Json:
    """Return the dashboard of a template, where references stand by their names."""
    (dashboard,) = (
        one["Properties"]["DashboardBody"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Dashboard"
    )
    parts = (one if isinstance(one, str) else _name(one) for one in dashboard["Fn::Join"][1])
    found: Json = json.loads("".join(parts))
    return found


def _name(reference: Mapping[str, Any]) -> str:
    if "Ref" in reference:
        return str(reference["Ref"])
    return ".".join(reference["Fn::GetAtt"])


@dataclass(frozen=True)
class Asked:
    """A metric as a widget asks for it."""

    metric: tuple[str, str, frozenset[tuple[str, str]]]
    stat: str
    period: int


def asked(widget: Mapping[str, Any]) -> list[Asked]:
    """Return the metrics of a graph; ``.`` is what the row before has."""
    found, before = [], list[str]()
    for row in widget["properties"].get("metrics", ()):
        options = row[-1] if isinstance(row[-1], dict) else {}
        if "expression" in options:
            raise ValueError(f"an expression, which is not evaluated here: {options}")
        words = [one for one in row if isinstance(one, str)]
        words = [before[at] if word == "." else word for at, word in enumerate(words)]
        before = words
        dimensions = frozenset(zip(words[2::2], words[3::2], strict=True))
        stat, period = options.get("stat", "Average"), options.get("period", 300)
        found.append(Asked((words[0], words[1], dimensions), stat, period))
    return found


class Judge:
    """CloudWatch as moto has it, with a month in it."""

    def __init__(self, month: Month) -> None:
        self._client = boto3.client("cloudwatch", region_name="us-east-1")
        by_namespace: dict[str, list[Json]] = {}
        for one in month.points:
            datum = {
                "MetricName": one.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
                "Timestamp": one.at,
                "Value": one.value,
                "Unit": one.unit,
            }
            by_namespace.setdefault(one.namespace, []).append(datum)
        for namespace, data in by_namespace.items():
            for first in range(0, len(data), 500):
                some = data[first : first + 500]
                self._client.put_metric_data(Namespace=namespace, MetricData=some)

    def values(self, metrics: Sequence[Asked]) -> list[list[float]]:
        """Return each metric's values over the month, one for each day that has any."""
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": one.metric[0],
                        "MetricName": one.metric[1],
                        "Dimensions": [
                            {"Name": name, "Value": value} for name, value in one.metric[2]
                        ],
                    },
                    "Period": 86_400,
                    "Stat": one.stat,
                },
            }
            for number, one in enumerate(metrics)
        ]
        told = self._client.get_metric_data(
            MetricDataQueries=queries, StartTime=BEGAN, EndTime=BEGAN + DAYS * DAY
        )
        return [one["Values"] for one in told["MetricDataResults"]]


def found_by(query: str, lines: Sequence[Json]) -> tuple[int, set[str]]:
    """Return how many lines a query's filter finds, and which fields it asks for that none has."""
    parts = [one.strip() for one in query.split("|")]
    (condition,) = (one.removeprefix("filter ") for one in parts if one.startswith("filter "))
    kept = [one for one in lines if _holds(condition, one)]
    named = set()
    for part in parts:
        verb, _, rest = part.partition(" ")
        if verb in {"fields", "stats", "sort"}:
            words = re.sub(r" as \w+", "", re.sub(r"\b(asc|desc|by|count\(\*\))", " ", rest))
            named |= set(re.findall(r"@?[\w.]+", re.sub(r"\b(avg|max)\(", " ", words)))
    have = {name for one in kept for name in named if _field(one, name) is not None}
    return len(kept), named - have


def _holds(condition: str, line: Json) -> bool:
    return any(
        all(_is(one, line) for one in some.split(" and ")) for some in condition.split(" or ")
    )


def _is(condition: str, line: Json) -> bool:
    """Tell whether a line has a field, or one of a value; a boolean is 1 or 0."""
    present = re.fullmatch(r"ispresent\(([\w.]+)\)", condition.strip())
    if present:
        return _field(line, present[1]) is not None
    name, _, wanted = condition.partition(" = ")
    found = _field(line, name.strip())
    wanted = wanted.strip()
    return str(found) == wanted.strip("'") if wanted.startswith("'") else found == int(wanted)


def _field(line: Json, name: str) -> Any:
    found: Any = line
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def rows(template: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each widget's title, what it asks for, and what that was in the month."""
    month = Month(template)
    with mock_aws():
        judge = Judge(month)
        for widget in body(template)["widgets"]:
            own = widget["properties"]
            title = own.get("title", "(a text)")
            if widget["type"] == "text":
                yield title, "what to do", "always"
            elif widget["type"] == "alarm":
                yield title, f"the state of {len(own['alarms'])} alarms", "always"
            elif widget["type"] == "log":
                count, missing = found_by(own["query"], month.lines)
                told = f"{count} lines" + (f", none with {', '.join(missing)}" if missing else "")
                yield title, "a query of the functions' logs", told
            else:
                yield from _of_graph(title, asked(widget), judge)


def _of_graph(title: str, metrics: list[Asked], judge: Judge) -> Iterator[tuple[str, str, str]]:
    by_name: dict[tuple[str, str, str], list[list[float]]] = {}
    for one, values in zip(metrics, judge.values(metrics), strict=True):
        by_name.setdefault((one.metric[0], one.metric[1], one.stat), []).append(values)
    for (namespace, name, stat), found in by_name.items():
        with_data = [one for one in found if one]
        days = max(map(len, found))
        total = max(map(max, with_data)) if stat == "Maximum" else sum(map(sum, with_data))
        of = f"{len(with_data)} of {len(found)} with data, " if len(found) > 1 else ""
        yield title, f"{namespace} {name}, {stat}", f"{of}{days} days, in all {total:g}"


def page(template: Mapping[str, Any]) -> str:
    table = [f"| {n} | {one[0]} | {one[1]} | {one[2]} |" for n, one in enumerate(rows(template), 1)]
    window = {"-P28D": "four weeks"}[body(template)["start"]]
    return HEAD.format(window=window) + "\n".join(table) + "\n"


if __name__ == "__main__":
    from mpe.assembly.synthesis import synthesize

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        PAGE.write_text(page(json.loads(synthesize(Path(folder)).template.read_text())))
