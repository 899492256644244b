"""Metrics in CloudWatch's embedded format."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mpe.handlers.gauges import NAMESPACE, Emf
from tests.handlers.test_functions import Log
from tests.handlers.test_functions import log as log


def lines(captured: pytest.CaptureFixture[str]) -> list[Any]:
    """Return the lines that are metrics, read as strictly as JSON is defined."""

    def refuse(text: str) -> Any:
        raise ValueError(text)

    told = [line for line in captured.readouterr().out.splitlines() if "_aws" in line]
    return [json.loads(line, parse_constant=refuse) for line in told]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_left_out_and_spoils_nothing(
    capsys: pytest.CaptureFixture[str], value: float
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html"""
    Emf("stack").model("films", "for-you", {"coverage": value, "precision_at_10": 0.25})
    (line,) = lines(capsys)
    assert line["precision_at_10"] == [0.25]
    assert "coverage" not in line


def test_where_nothing_is_a_number_nothing_is_written_and_the_log_has_what(
    capsys: pytest.CaptureFixture[str], log: Log
) -> None:
    Emf("stack").took("films", "Campaign", float("nan"))
    assert lines(capsys) == []
    assert log.line("not measured")["metrics"] == ["ResourceDuration"]


def test_what_is_a_number_is_measured_without_a_word(log: Log) -> None:
    Emf("stack").took("films", "Campaign", 1.0)
    assert log.lines == []


Measured = dict[str, tuple[str, float]]
Line = tuple[dict[str, str], Measured]
"""The dimensions of a line, and its metrics with their units."""
COUNTED = {"Runs": ("Count", 1.0), "FailedRuns": ("Count", 1.0), "RunDuration": ("Seconds", 90.0)}
BACK = {"Rollbacks": ("Count", 1.0)}
TOLD: dict[str, tuple[Callable[[Emf], None], list[Line]]] = {
    "a-model": (
        lambda emf: emf.model("films", "for-you", {"coverage": 0.5}),
        [({"DatasetGroup": "films", "Solution": "for-you"}, {"coverage": ("None", 0.5)})],
    ),
    "a-recommender": (
        lambda emf: emf.recommender("films", "top", {"coverage": 0.5}, doubted=True),
        [
            ({"DatasetGroup": "films", "Recommender": "top"}, {"coverage": ("None", 0.5)}),
            ({}, {"WorseRecommenders": ("Count", 1.0)}),
        ],
    ),
    "what-the-service-took": (
        lambda emf: emf.took("films", "Campaign", 600.0),
        [
            (
                {"DatasetGroup": "films", "ResourceType": "Campaign"},
                {"ResourceDuration": ("Seconds", 600.0)},
            )
        ],
    ),
    "a-wait": (
        lambda emf: emf.waited("films", "Campaign", 30.0),
        [
            (
                {"DatasetGroup": "films", "ResourceType": "Campaign"},
                {"ResourceWait": ("Seconds", 30.0)},
            )
        ],
    ),
    "a-run": (
        lambda emf: emf.run("films", failed=True, seconds=90.0),
        [({}, COUNTED), ({"DatasetGroup": "films"}, COUNTED)],
    ),
    "a-rejected-config": (
        lambda emf: emf.rejected(3),
        [({}, {"RejectedConfigs": ("Count", 1.0), "ConfigProblems": ("Count", 3.0)})],
    ),
    "a-rollback": (
        lambda emf: emf.rolled_back("films", "live"),
        [({}, BACK), ({"DatasetGroup": "films", "Campaign": "live"}, BACK)],
    ),
    "what-waits-and-is-old": (
        lambda emf: emf.tended(2, 1),
        [({}, {"HeldModels": ("Count", 2.0), "OldModels": ("Count", 1.0)})],
    ),
}


def read(line: dict[str, Any]) -> Line:
    """Read a line as CloudWatch does, which takes it for one of our metrics and of our stack.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    (names,) = directive["Dimensions"]
    assert (directive["Namespace"], names[0], line["Stack"]) == (NAMESPACE, "Stack", "Films")
    metrics = {one["Name"]: (one["Unit"], *line[one["Name"]]) for one in directive["Metrics"]}
    return {name: line[name] for name in names[1:]}, metrics


@pytest.mark.parametrize("what", TOLD)
def test_each_measurement_is_a_metric_of_the_stack_and_of_what_it_is_about(
    what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish, expected = TOLD[what]
    publish(Emf("Films"))
    assert [read(line) for line in lines(capsys)] == expected


def test_a_run_that_went_well_counts_as_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Emf("Films").run("films", failed=False, seconds=1.0)
    assert [line["FailedRuns"] for line in lines(capsys)] == [[0.0], [0.0]]
