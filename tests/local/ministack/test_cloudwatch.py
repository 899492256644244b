"""Alarms of several metrics together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from tests.local.conftest import wait_until
from tests.local.ministack.conftest import Alone

pytestmark = pytest.mark.local
METRICS = [
    {"Id": "all", "Expression": "SUM([m0, m1])", "ReturnData": True},
    *(
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "FunctionName", "Value": name}],
                },
                "Period": 300,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for number, name in enumerate(("one", "other"))
    ),
]
ALARM = {
    "AlarmName": "of-math",
    "Metrics": METRICS,
    "Threshold": 1,
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


def made(cloud: LocalCloud | Alone, stack: str) -> str:
    """Make a stack of the alarm alone, and return what became of it."""
    template = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": ALARM}}}
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    def ended() -> Any:
        (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
        status = found["StackStatus"]
        return None if status.endswith("IN_PROGRESS") else status

    return str(wait_until(ended))


def test_an_alarm_of_several_metrics_is_kept_as_it_is(cloud: LocalCloud) -> None:
    assert made(cloud, "alarm-of-math") == "CREATE_COMPLETE"
    client = cloud.client("cloudwatch")
    (alarm,) = client.describe_alarms(AlarmNames=["of-math"])["MetricAlarms"]
    assert alarm["Metrics"] == METRICS
    assert "MetricName" not in alarm
    cloud.client("cloudformation").delete_stack(StackName="alarm-of-math")
    wait_until(lambda: not client.describe_alarms(AlarmNames=["of-math"])["MetricAlarms"])


def test_alone_an_alarm_of_several_metrics_fails_its_stack(alone: Alone) -> None:
    assert made(alone, "alarm-of-math") == "ROLLBACK_COMPLETE"
