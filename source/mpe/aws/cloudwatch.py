"""What CloudWatch has counted of a campaign, and how its alarms are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mpe.model.gate.watch import Alarm, Traffic, summed

NAMESPACE = "AWS/Personalize"
PERIOD = 60
"""Seconds: the shortest that CloudWatch keeps for services."""
LATENCY = "Latency"
_SUFFIXES = ("", "4xxErrors", "5xxErrors", LATENCY)


class Unmeasured(Exception):
    """CloudWatch did not answer, or may not be asked; the message is the error's code."""


@dataclass(frozen=True)
class CloudWatch:
    """Read through a boto3 ``cloudwatch`` client."""

    client: Any

    def traffic(self, campaign: str, operation: str, start: datetime, end: datetime) -> Traffic:
        """Return what a campaign was asked by an operation, from the first whole minute on.

        Requests and errors are sums, the latency is an average, as the guide has their statistics
        (https://docs.aws.amazon.com/personalize/latest/dg/cloudwatch-metrics.html).
        """
        start = start.replace(second=0, microsecond=0) + timedelta(seconds=PERIOD)
        names = [f"{operation}{one}" for one in _SUFFIXES]
        queries = [_query(f"m{n}", name, campaign) for n, name in enumerate(names)]
        counts: dict[str, dict[datetime, float]] = {}
        try:
            pages = self.client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=start, EndTime=end
            )
            for one in pages.search("MetricDataResults[]"):
                found = dict(zip(one["Timestamps"], one["Values"], strict=True))
                counts.setdefault(names[int(one["Id"][1:])], {}).update(found)
        except (ClientError, BotoCoreError) as error:
            raise Unmeasured(_code(error)) from error
        return summed(counts, operation)

    def alarms(self, names: Sequence[str]) -> list[Alarm]:
        """Return those of some alarms that there are, composite ones as well."""
        if not names:
            return []
        try:
            pages = self.client.get_paginator("describe_alarms").paginate(
                AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            found = [
                one
                for page in pages
                for one in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
            ]
        except (ClientError, BotoCoreError) as error:
            raise Unmeasured(_code(error)) from error
        return [Alarm(one["AlarmName"], one["StateValue"], _since(one)) for one in found]


def _since(alarm: Any) -> datetime:
    """Return since when an alarm is in its state, and not when that was told anew.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    """
    moment: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return moment


def _query(id: str, metric: str, campaign: str) -> dict[str, Any]:
    of = {
        "Namespace": NAMESPACE,
        "MetricName": metric,
        "Dimensions": [{"Name": "CampaignArn", "Value": campaign}],
    }
    stat = "Average" if metric.endswith(LATENCY) else "Sum"
    return {"Id": id, "MetricStat": {"Metric": of, "Period": PERIOD, "Stat": stat}}


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"].get("Code", "")) or "unknown"
    return "no answer"
