"""Every widget of the dashboard shows something of a month."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from moto import mock_aws

from tests import dashboard
from tests.dashboard import PAGE, Judge, Month, asked, body, found_by, page

Template = dict[str, Any]
FIVE_MINUTES = 300
"""The shortest period of which values are kept for more than 15 days
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html)."""
RARE = {"ExecutionsFailed", "NumberOfNotificationsFailed"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")


def test_the_page_of_the_dashboard_has_what_a_month_comes_to(template: Template) -> None:
    assert PAGE.read_text() == page(template), f"run python -m {dashboard.__name__}"


def unseen(template: Template) -> list[str]:
    """Return what widgets ask for and nobody writes in a month."""
    month, found = Month(template), []
    written = {one.metric for one in month.points}
    with mock_aws():
        judge = Judge(month)
        for widget in body(template)["widgets"]:
            title = widget["properties"].get("title", "")
            if widget["type"] == "log":
                count, missing = found_by(widget["properties"]["query"], month.lines)
                found += [title] if missing or not count else []
            elif widget["type"] == "metric":
                metrics = asked(widget)
                for one, values in zip(metrics, judge.values(metrics), strict=True):
                    told = values and None not in values and one.metric in written
                    found += [] if told else [f"{title}: {one.metric[1]}"]
    return found


def test_every_widget_has_data_of_a_month(template: Template) -> None:
    assert unseen(template) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"FailedRuns"', '"RunsFailed"'),
        ('"ExecutionsStarted"', '"Started"'),
        ('"FunctionName"', '"Function"'),
        ('"PersonalizedExperiences","Runs"', '"Personalized","Runs"'),
        ("ispresent(Solution)", "ispresent(Model)"),
        ("verdict.cause", "verdict.reason"),
    ],
)
def test_a_widget_that_asks_for_what_nobody_writes_is_noticed(
    template: Template, old: str, new: str
) -> None:
    bent = deepcopy(template)
    for one in bent["Resources"].values():
        if one["Type"] == "AWS::CloudWatch::Dashboard":
            parts = one["Properties"]["DashboardBody"]["Fn::Join"][1]
            assert old in json.dumps(parts).replace('\\"', '"')
            parts[:] = [part.replace(old, new) if isinstance(part, str) else part for part in parts]
    assert unseen(bent)


def test_no_graph_asks_for_values_that_are_gone_after_two_weeks(template: Template) -> None:
    for widget in body(template)["widgets"]:
        assert "SEARCH" not in json.dumps(widget)
        for one in asked(widget):
            assert one.period >= FIVE_MINUTES
