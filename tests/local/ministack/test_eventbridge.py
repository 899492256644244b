"""How rules invoke functions."""

from __future__ import annotations

import json

import pytest

from mpe.local.cloud import LocalCloud
from tests.local.conftest import wait_until
from tests.local.ministack.conftest import Alone, function_in

pytestmark = pytest.mark.local


BROKEN = """
def handler(event, context):
    raise RuntimeError("broken")
"""


def broken(cloud: LocalCloud | Alone) -> str:
    """Make a function that a rule starts and that fails, and start it; return its dead letters."""
    queue: str = cloud.client("sqs").create_queue(QueueName="lost-events")["QueueUrl"]
    letters = f"arn:aws:sqs:{cloud.region}:{cloud.account}:lost-events"
    function = function_in(cloud, "broken", BROKEN, DeadLetterConfig={"TargetArn": letters})
    events = cloud.client("events")
    events.put_rule(Name="broken", EventPattern=json.dumps({"source": ["a.test"]}))
    events.put_targets(Rule="broken", Targets=[{"Id": "f", "Arn": function}])
    events.put_events(Entries=[{"Source": "a.test", "DetailType": "t", "Detail": '{"it": 1}'}])
    return queue


def starts(cloud: LocalCloud | Alone) -> int:
    logged = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/broken")["events"]
    return sum(one["message"].startswith("START") for one in logged)


def test_a_function_that_a_rule_starts_is_tried_three_times(cloud: LocalCloud) -> None:
    queue = broken(cloud)
    (lost,) = wait_until(
        lambda: cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages")
    )
    assert json.loads(lost["Body"])["requestPayload"]["detail"] == {"it": 1}
    assert starts(cloud) == 3


def test_alone_a_function_that_a_rule_starts_is_tried_once(alone: Alone) -> None:
    """An invocation that comes later and is tried again, as MiniStack does, tells when to look."""
    queue = broken(alone)
    wait_until(lambda: "Events" if _logged(alone) and starts(alone) == 1 else None)
    alone.client("lambda").invoke(
        FunctionName="broken", InvocationType="Event", Payload=json.dumps({"detail": {"it": 2}})
    )
    lost = wait_until(lambda: alone.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert [json.loads(one["Body"])["requestPayload"]["detail"]["it"] for one in lost] == [2]
    assert starts(alone) == 1 + 3


def _logged(alone: Alone) -> bool:
    found = alone.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/broken")
    return bool(found["logGroups"])
