"""EventBridge Scheduler: the schedule of each task, in the stack's schedule group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from mpe.aws.clock import Clock
from mpe.model.service.schedules import Rate, ScheduleError, parse

RETRY_SECONDS = 3600
"""How long a start that fails is tried again, before it goes to the dead-letter queue."""
KEPT = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "FlexibleTimeWindow",
    "Target",
)
"""What a schedule is, whether it fires or not."""


@dataclass(frozen=True)
class Target:
    """What every schedule starts: a state machine, in a role, with a dead-letter queue."""

    machine: str
    role: str
    dead_letters: str


class Schedules:
    """Make and change schedules through a boto3 ``scheduler`` client.

    A rate without a start date would fire as soon as it is made
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html), and an update
    sets back whatever it does not name
    (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html). So
    rates get a start date, and what is as it should be is not updated.
    """

    def __init__(self, client: Any, group: str, clock: Clock | None = None) -> None:
        self._client = client
        self._group = group
        self._clock = clock or Clock()

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
        """Make a schedule, or change it to this; a rate counts from when it was made."""
        wanted = {
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
        found = self._find(name) or self._create(wanted)
        if found and not _includes(found, wanted):
            self._update(wanted, found)

    def enable(self, name: str, *, enabled: bool) -> None:
        """Let a schedule fire, or not; one that is gone does not."""
        found = self._find(name)
        if found and found["State"] != _state(enabled):
            self._update({**{key: found[key] for key in KEPT}, "State": _state(enabled)}, found)

    def delete(self, name: str) -> None:
        """Remove a schedule; one that is gone is no error."""
        try:
            self._client.delete_schedule(Name=name, GroupName=self._group)
        except ClientError as error:
            if not _is(error, "ResourceNotFoundException"):
                raise

    def first(self, name: str) -> datetime | None:
        """Return the moment from which a schedule's rate counts, or None where it is gone."""
        found = self._find(name)
        return _first(found) if found else None

    def _find(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._client.get_schedule(Name=name, GroupName=self._group)
        except ClientError as error:
            if _is(error, "ResourceNotFoundException"):
                return None
            raise
        return found

    def _create(self, wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Make a schedule; return what there is instead where somebody was first."""
        try:
            self._client.create_schedule(**wanted, **self._start(wanted, None))
        except ClientError as error:
            if _is(error, "ConflictException"):
                return self._find(wanted["Name"])
            raise
        return None

    def _update(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        self._client.update_schedule(**wanted, **self._start(wanted, found))

    def _start(
        self, wanted: Mapping[str, Any], found: Mapping[str, Any] | None
    ) -> dict[str, datetime]:
        """Return the start date of a rate: it keeps its pace unless it is a new one.

        One that has passed cannot be told again, so it becomes the next time that it fires.
        """
        every = _rate(wanted["ScheduleExpression"])
        if every is None:
            return {}
        now = self._clock.now()
        if found is None or _rate(found["ScheduleExpression"]) != every:
            return {"StartDate": now + every}
        first = _first(found)
        return {"StartDate": first if first > now else now + every - (now - first) % every}


def _first(found: Mapping[str, Any]) -> datetime:
    first: datetime = found.get("StartDate") or found["CreationDate"]
    return first


def _rate(expression: str) -> timedelta | None:
    """Return how long it is from one fire to the next, where that is always the same."""
    try:
        schedule = parse(expression)
    except ScheduleError:  # somebody has changed it by hand
        return None
    return schedule.every if isinstance(schedule, Rate) else None


def _includes(found: Any, wanted: Any) -> bool:
    """Tell whether a schedule is as wanted; the service adds defaults of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _includes(found.get(key), value) for key, value in wanted.items()
        )
    return bool(found == wanted)


def _state(enabled: bool) -> str:
    return "ENABLED" if enabled else "DISABLED"


def _is(error: ClientError, code: str) -> bool:
    return bool(error.response["Error"]["Code"] == code)
