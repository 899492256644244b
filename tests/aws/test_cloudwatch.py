"""What CloudWatch counted of a campaign, and how its alarms are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from mpe.aws.cloudwatch import NAMESPACE, CloudWatch, Unmeasured
from mpe.model.gate.watch import Traffic

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/live"
NOW = datetime.now(UTC).replace(second=30, microsecond=0)
"""moto forgets what is older than two weeks."""
HOUR = timedelta(hours=1)
START = NOW - HOUR


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="us-east-1")


def put(client: Any, name: str, value: float, minutes: float, arn: str = ARN) -> None:
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": "CampaignArn", "Value": arn}],
        "Timestamp": START + timedelta(minutes=minutes),
        "Value": value,
    }
    client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def test_requests_errors_and_the_latency_of_a_campaign_are_read(client: Any) -> None:
    for minutes in (5, 10):
        put(client, "GetRecommendations", 100, minutes)
    put(client, "GetRecommendations4xxErrors", 3, 5)
    put(client, "GetRecommendations5xxErrors", 7, 10)
    put(client, "GetRecommendationsLatency", 100, 5)
    put(client, "GetRecommendationsLatency", 300, 10)
    found = CloudWatch(client).traffic(ARN, "GetRecommendations", START, NOW)
    assert found == Traffic(200, 3, 7, 0.2)


def test_within_a_minute_requests_are_added_up_and_latencies_are_not(client: Any) -> None:
    for minutes in (5, 5.2):
        put(client, "GetRecommendations", 100, minutes)
        put(client, "GetRecommendations4xxErrors", 2, minutes)
        put(client, "GetRecommendationsLatency", 100 * minutes, minutes)
    found = CloudWatch(client).traffic(ARN, "GetRecommendations", START, NOW)
    assert found == Traffic(200, 4, 0, pytest.approx(0.51))


def test_what_was_before_the_move_or_is_of_another_campaign_does_not_count(client: Any) -> None:
    put(client, "GetRecommendations5xxErrors", 9, -5)
    put(client, "GetRecommendations5xxErrors", 9, 0)
    put(client, "GetRecommendations5xxErrors", 9, 90)
    put(client, "GetRecommendations5xxErrors", 9, 5, arn=f"{ARN}-2")
    put(client, "GetPersonalizedRanking5xxErrors", 9, 5)
    assert CloudWatch(client).traffic(ARN, "GetRecommendations", START, NOW) == Traffic()


def test_it_is_counted_from_the_first_whole_minute_on_minute_by_minute(client: Any) -> None:
    asked = list[dict[str, Any]]()
    client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.append(params),
    )
    moved = NOW.replace(hour=8, minute=59, second=1, microsecond=5) - timedelta(days=1)
    first = moved.replace(hour=9, minute=0, second=0, microsecond=0)
    CloudWatch(client).traffic(ARN, "GetRecommendations", moved, until := moved + HOUR)
    assert [one["StartTime"] for one in asked] == [first]
    assert [one["EndTime"] for one in asked] == [until]
    (periods,) = (
        {one["MetricStat"]["Period"] for one in each["MetricDataQueries"]} for each in asked
    )
    assert periods == {60}


def put_alarm(client: Any, name: str) -> None:
    client.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="LessThanThreshold",
        EvaluationPeriods=1,
        MetricName=name,
        Namespace="Shop",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )


class Composed:
    """CloudWatch with an alarm of each type, and tells of composite ones where they are asked for.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """

    ALARMS = (("MetricAlarm", "clicks"), ("CompositeAlarm", "shop"))

    def get_paginator(self, operation: str) -> Composed:
        return self

    def paginate(
        self, AlarmNames: list[str], AlarmTypes: tuple[str, ...] = ("MetricAlarm",)
    ) -> list[dict[str, Any]]:
        told = {"StateValue": "OK", "StateUpdatedTimestamp": NOW}
        return [
            {f"{kind}s": [{"AlarmName": name, **told}]}
            for kind, name in self.ALARMS
            if kind in AlarmTypes and name in AlarmNames
        ]


def test_a_composite_alarm_is_told_as_well() -> None:
    found = CloudWatch(Composed()).alarms(["shop", "clicks"])
    assert {one.name for one in found} == {"shop", "clicks"}


def test_alarms_are_told_with_their_state(client: Any) -> None:
    for name in ("clicks", "sales"):
        put_alarm(client, name)
    client.set_alarm_state(AlarmName="clicks", StateValue="ALARM", StateReason="few")
    found = CloudWatch(client).alarms(["clicks", "no-such-alarm"])
    assert [(one.name, one.state) for one in found] == [("clicks", "ALARM")]
    assert found[0].since.tzinfo
    assert CloudWatch(client).alarms([]) == []


@dataclass
class Paged:
    """A client that answers with these pages, or fails."""

    pages: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None

    def get_paginator(self, operation: str) -> Paged:
        if self.error:
            raise self.error
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return self.pages


def test_an_alarm_is_in_its_state_since_it_came_to_it_and_not_since_that_was_told_anew() -> None:
    """StateTransitionedTimestamp is missing in older answers."""
    before, after = START, NOW
    named = {"AlarmName": "clicks", "StateValue": "ALARM", "StateUpdatedTimestamp": after}
    told = [{"MetricAlarms": [{**named, "StateTransitionedTimestamp": before}, named]}, {}]
    found = CloudWatch(Paged(told)).alarms(["clicks"])
    assert [one.since for one in found] == [before, after]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Get"), "AccessDenied"),
        (ClientError({"Error": {"Message": "no"}}, "Get"), "unknown"),
        (ReadTimeoutError(endpoint_url="https://here"), "no answer"),
    ],
    ids=["denied", "without-a-code", "no-answer"],
)
def test_who_may_not_read_or_gets_no_answer_is_told_so(error: Exception, told: str) -> None:
    with pytest.raises(Unmeasured, match=f"^{told}$"):
        CloudWatch(Paged(error=error)).traffic(ARN, "GetRecommendations", START, NOW)
    with pytest.raises(Unmeasured, match=f"^{told}$"):
        CloudWatch(Paged(error=error)).alarms(["clicks"])
