"""What is reported of a run: counts, and nothing that tells whose."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from mpe.model.usage import usage_report
from tests.conftest import ROOT

NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
DETAIL = {
    "DatasetGroup": "secret-films",
    "Run": "20270102T030405-secret00",
    "Status": "FAILED",
    "ExecutionArn": "arn:aws:states:eu-secret-1:123456789012:execution:secret",
    "Duration": 8520,
    "Config": "train/secret-films/config.json",
    "Changes": [
        {"Resource": "Campaign", "Name": "secret-live", "Did": "created"},
        {"Resource": "Campaign", "Name": "secret-beta", "Did": "updated"},
        {"Resource": "Schema", "Name": "secret-schema", "Did": "created"},
    ],
    "Changed": 3,
    "Kept": 4,
    "Failures": [{"Resource": "Filter", "Name": "secret", "Reason": "secret reason"}],
    "Failed": 1,
    "Notes": ["secret note"],
}


def report(**more: Any) -> dict[str, Any]:
    return usage_report({**DETAIL, **more}, version="1.2.3", installation="secret-id", now=NOW)


def test_a_report_has_counts_and_an_outcome() -> None:
    assert report()["Data"] == {
        "Run": "config",
        "Status": "FAILED",
        "Minutes": 142,
        "Changes": {"Campaign": 2, "Schema": 1},
        "Kept": 4,
        "Failed": 1,
    }


@pytest.mark.parametrize("more", [{}, {"Task": "full.secret-solution"}])
def test_a_report_tells_no_names(more: dict[str, Any]) -> None:
    text = json.dumps(report(**more))
    assert "secret" not in text
    assert "arn:" not in text
    assert "123456789012" not in text


def test_a_report_has_the_documented_keys_and_no_others() -> None:
    page = (ROOT / "docs" / "operational-metrics.md").read_text()
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    documented = json.loads(block)
    made = report()
    assert set(made) == set(documented)
    assert set(made["Data"]) == set(documented["Data"])
    assert made["TimeStamp"] == "2027-01-02 03:00:00"


def test_reports_of_a_stack_belong_together() -> None:
    assert report()["UUID"] == report(Kept=9)["UUID"]
    other = usage_report(DETAIL, version="1.2.3", installation="another", now=NOW)
    assert report()["UUID"] != other["UUID"]
