"""What CloudWatch counted of a campaign, and how its alarms are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.cloudwatch import NAMESPACE, CloudWatch, Unmeasured
from mpe.model.gate.watch import Traffic

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/live"
NOW = datetime.now(UTC).replace(second=30, microsecond=0)
"""moto forgets what is older than two weeks."""
START = NOW - timedelta(hours=1)


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


def test_what_was_before_the_move_or_is_of_another_campaign_does_not_count(client: Any) -> None:
    put(client, "GetRecommendations5xxErrors", 9, -5)
    put(client, "GetRecommendations5xxErrors", 9, 0)
    put(client, "GetRecommendations5xxErrors", 9, 90)
    put(client, "GetRecommendations5xxErrors", 9, 5, arn=f"{ARN}-2")
    put(client, "GetPersonalizedRanking5xxErrors", 9, 5)
    assert CloudWatch(client).traffic(ARN, "GetRecommendations", START, NOW) == Traffic()


def test_alarms_are_told_with_their_state(client: Any) -> None:
    for name in ("clicks", "sales"):
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
    client.set_alarm_state(AlarmName="clicks", StateValue="ALARM", StateReason="few")
    found = CloudWatch(client).alarms(["clicks", "no-such-alarm"])
    assert [(one.name, one.state) for one in found] == [("clicks", "ALARM")]
    assert found[0].since.tzinfo
    assert CloudWatch(client).alarms([]) == []


class Denying:
    """A client that may not read."""

    def get_paginator(self, operation: str) -> Any:
        told = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(told, operation)  # type: ignore[arg-type]


def test_who_may_not_read_is_told_so() -> None:
    with pytest.raises(Unmeasured, match="AccessDenied"):
        CloudWatch(Denying()).traffic(ARN, "GetRecommendations", START, NOW)
    with pytest.raises(Unmeasured, match="AccessDenied"):
        CloudWatch(Denying()).alarms(["clicks"])
