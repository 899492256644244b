"""Metrics in CloudWatch's embedded format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.handlers.gauges import Emf


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


def test_where_nothing_is_a_number_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Emf("stack").took("films", "Campaign", float("nan"))
    assert lines(capsys) == []
