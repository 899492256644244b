"""Scheduler's clock, its groups, and what its schedules' roles may."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.local.cloud import LocalCloud
from tests.local.conftest import SPEED, role_for, wait_until
from tests.local.ministack.conftest import Alone, user_who_may

pytestmark = pytest.mark.local
CONTEXT = " ".join(
    f"<aws.scheduler.{name}>" for name in ("scheduled-time", "schedule-arn", "attempt-number")
)


def test_a_rate_first_fires_at_its_start_date_and_without_one_at_once(cloud: LocalCloud) -> None:
    """MiniStack alone counts from when the schedule was made, by a clock that runs ahead."""
    sqs, scheduler = cloud.client("sqs"), cloud.client("scheduler")
    queue = sqs.create_queue(QueueName="rates")["QueueUrl"]
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:rates"
    role = starting(cloud, arn)
    scheduler.create_schedule_group(Name="rates")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=300)
    began = time.monotonic()
    for name, expression, start in (
        ("later", "rate(1 minute)", {"StartDate": later}),
        ("soon", "rate(300 days)", {}),
    ):
        scheduler.create_schedule(
            Name=name,
            GroupName="rates",
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, "Input": json.dumps({"fired": name})},
            **start,
        )

    def received() -> list[dict[str, str]] | None:
        found: list[dict[str, str]] | None = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10
        ).get("Messages")
        return found

    messages = wait_until(received)
    assert [json.loads(one["Body"])["fired"] for one in messages] == ["soon"]
    told = scheduler.get_schedule(Name="later", GroupName="rates")["StartDate"]
    slip = timedelta(seconds=SPEED * (time.monotonic() - began))
    assert abs(told - later) < timedelta(days=1) + slip, "told by the caller's clock"
    for name in ("later", "soon"):
        scheduler.delete_schedule(Name=name, GroupName="rates")


def starting(cloud: LocalCloud, queue: str) -> str:
    """Return a role in which Scheduler may send to a queue."""
    iam = cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = iam.create_role(
        RoleName="rates",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="rates", PolicyName="send", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def planner(cloud: LocalCloud | Alone, group: str) -> Any:
    """Return a client of who may keep the schedules of a group, with the role called mine."""
    mine = f"arn:aws:scheduler:{cloud.region}:{cloud.account}:schedule/{group}/*"
    role = f"arn:aws:iam::{cloud.account}:role/mine"
    statements = [
        {"Effect": "Allow", "Action": "scheduler:*Schedule", "Resource": mine},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return boto3.client(
        "scheduler",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        **user_who_may(cloud, f"planner-of-{group}", policy),
    )


def schedule_with(cloud: LocalCloud | Alone, role: str) -> dict[str, Any]:
    """Return what a schedule is made with, but for its group."""
    role = f"arn:aws:iam::{cloud.account}:role/{role}"
    return {
        "Name": "one",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:q", "RoleArn": role},
    }


def test_iam_knows_a_schedule_in_its_own_group(cloud: LocalCloud) -> None:
    client, schedule = planner(cloud, "mine"), schedule_with(cloud, "mine")
    for group in ("mine", "theirs"):
        cloud.client("scheduler").create_schedule_group(Name=group)
    client.create_schedule(GroupName="mine", **schedule)
    assert client.get_schedule(GroupName="mine", Name="one")["Name"] == "one"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_schedule(GroupName="theirs", **schedule)
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_schedule(GroupName="mine", **schedule_with(cloud, "not-mine"))
    client.delete_schedule(GroupName="mine", Name="one")


def test_alone_iam_knows_a_schedule_in_the_default_group(alone: Alone) -> None:
    alone.client("scheduler").create_schedule_group(Name="mine")
    with pytest.raises(ClientError, match="AccessDenied"):
        planner(alone, "mine").create_schedule(GroupName="mine", **schedule_with(alone, "mine"))


def test_alone_any_role_can_be_passed(alone: Alone) -> None:
    planner(alone, "default").create_schedule(**schedule_with(alone, "not-mine"))
    alone.client("scheduler").delete_schedule(Name="one")


def test_schedules_fire_by_the_hastened_clock_and_as_their_role_may(cloud: LocalCloud) -> None:
    """MiniStack alone would take an hour for these, and ask no role."""
    scheduler, sqs = cloud.client("scheduler"), cloud.client("sqs")
    roles = {
        "may": role_for(cloud, "may", "scheduler.amazonaws.com", "sqs:SendMessage"),
        "may-not": role_for(cloud, "may-not", "scheduler.amazonaws.com", "sqs:ReceiveMessage"),
        "distrusts": role_for(cloud, "distrusts", "states.amazonaws.com", "sqs:SendMessage"),
    }
    for name, role in roles.items():
        sqs.create_queue(QueueName=name)
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 hour)" if name == "may" else "rate(30 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}",
                "RoleArn": role,
                "Input": f"{name} {CONTEXT}",
            },
        )
    queue = sqs.get_queue_url(QueueName="may")["QueueUrl"]
    fired = wait_until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    told, at, arn, attempt = fired[0]["Body"].split()
    assert (told, attempt) == ("may", "1")
    assert arn == scheduler.get_schedule(Name="may")["Arn"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at)
    wait_until(
        lambda: (
            {("may", True), ("may-not", False)}
            <= {(one["role"], one["allowed"]) for one in cloud.calls()}
        )
    )
    for name in ("may-not", "distrusts"):
        queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    for name in roles:
        scheduler.delete_schedule(Name=name)


def test_alone_schedules_fire_by_the_real_time_and_whatever_the_role(alone: Alone) -> None:
    """One look at all schedules fires what was due long ago, and not the others.

    By a clock as fast as the waits of workflows a minute would be over, and in AWS a rate
    fires at once.
    """
    scheduler, sqs = alone.client("scheduler"), alone.client("sqs")
    queue = sqs.create_queue(QueueName="fired")["QueueUrl"]
    arn = f"arn:aws:sqs:{alone.region}:{alone.account}:fired"
    role = role_for(alone, "may-not", "states.amazonaws.com", "sqs:ReceiveMessage")
    for name, expression in (("rate", "rate(1 hour)"), ("once", "at(2020-01-01T00:00:00)")):
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, "Input": f"{name} {CONTEXT}"},
        )
    fired = wait_until(
        lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages")
    )
    assert [one["Body"] for one in fired] == [f"once {CONTEXT}"]
    for name in ("rate", "once"):
        scheduler.delete_schedule(Name=name)
