"""EventBridge Scheduler: the schedule of each task, in the stack's schedule group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

RETRY_SECONDS = 3600
"""How long a start that fails is tried again, before it goes to the dead-letter queue."""


@dataclass(frozen=True)
class Target:
    """What every schedule starts: a state machine, in a role, with a dead-letter queue."""

    machine: str
    role: str
    dead_letters: str


class Schedules:
    """Make and change schedules through a boto3 ``scheduler`` client.

    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
    """

    def __init__(self, client: Any, group: str) -> None:
        self._client = client
        self._group = group

    def put(
        self,
        name: str,
        expression: str,
        zone: str,
        *,
        enabled: bool,
        target: Target,
        given: Mapping[str, Any],
    ) -> None:
        """Make a schedule, or change it to this."""
        schedule = {
            "Name": name,
            "GroupName": self._group,
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": zone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": _state(enabled),
            "Target": {
                "Arn": target.machine,
                "RoleArn": target.role,
                "Input": json.dumps(given, sort_keys=True),
                "DeadLetterConfig": {"Arn": target.dead_letters},
                "RetryPolicy": {"MaximumEventAgeInSeconds": RETRY_SECONDS},
            },
        }
        try:
            self._client.update_schedule(**schedule)
        except ClientError as error:
            if not _is(error, "ResourceNotFoundException"):
                raise
            self._client.create_schedule(**schedule)

    def enable(self, name: str, *, enabled: bool) -> None:
        """Let a schedule fire, or not; one that is gone does not."""
        try:
            found = self._client.get_schedule(Name=name, GroupName=self._group)
        except ClientError as error:
            if _is(error, "ResourceNotFoundException"):
                return
            raise
        kept = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
        self._client.update_schedule(
            Name=name,
            GroupName=self._group,
            State=_state(enabled),
            **{key: found[key] for key in kept},
        )

    def delete(self, name: str) -> None:
        """Remove a schedule; one that is gone is no error."""
        try:
            self._client.delete_schedule(Name=name, GroupName=self._group)
        except ClientError as error:
            if not _is(error, "ResourceNotFoundException"):
                raise


def _state(enabled: bool) -> str:
    return "ENABLED" if enabled else "DISABLED"


def _is(error: ClientError, code: str) -> bool:
    return bool(error.response["Error"]["Code"] == code)
