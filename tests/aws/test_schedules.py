"""Schedules in EventBridge Scheduler: when a rate first fires, and what leaves it alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mpe.aws.clock import Clock
from mpe.aws.schedules import Schedules, Target

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = Target("arn:machine", "arn:aws:iam::000000000000:role/scheduler", "arn:queue")
WEEK, DAY = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True)
class Hand(Clock):
    """A clock that is moved by hand."""

    moments: list[datetime] = field(default_factory=lambda: [NOW])

    def now(self) -> datetime:
        return self.moments[-1]

    def turn(self, by: timedelta) -> None:
        self.moments.append(self.now() + by)


class Recorded:
    """A client that notes what is called, and before one call lets something else happen."""

    def __init__(self, client: Any) -> None:
        self.client, self.calls = client, list[str]()
        self.meanwhile: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        self.meanwhile.pop(name, lambda: None)()
        return getattr(self.client, name)


class Desk:
    """One schedule in the Scheduler that moto has."""

    def __init__(self) -> None:
        self.client = Recorded(boto3.client("scheduler", region_name="us-east-1"))
        self.client.create_schedule_group(Name="group")
        self.clock = Hand()
        self.schedules = Schedules(self.client, "group", self.clock)

    def put(self, expression: str = "rate(7 days)", *, enabled: bool = True, **given: str) -> None:
        self.schedules.put(
            "one", expression, "UTC", enabled=enabled, target=TARGET, given={"task": "t", **given}
        )

    def calls(self) -> list[str]:
        """Return what was called since the last time."""
        found, self.client.calls = self.client.calls, []
        return found

    @property
    def found(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.client.get_schedule(Name="one", GroupName="group")
        return found

    @property
    def start(self) -> datetime | None:
        return self.found.get("StartDate")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield Desk()


def test_a_rate_first_fires_one_rate_after_it_was_made(desk: Desk) -> None:
    desk.put("rate(7 days)")
    assert desk.start == NOW + WEEK


def test_cron_has_no_start_date(desk: Desk) -> None:
    desk.put("cron(0 3 * * ? *)")
    desk.put("cron(0 4 * * ? *)")
    assert desk.start is None


def test_a_schedule_that_is_as_it_should_be_is_not_updated(desk: Desk) -> None:
    desk.put()
    desk.calls()
    desk.clock.turn(DAY)
    desk.put()
    assert desk.calls() == ["get_schedule"]
    assert desk.start == NOW + WEEK


def test_an_input_in_another_order_is_no_change(desk: Desk) -> None:
    desk.put(a="1", b="2")
    desk.calls()
    desk.put(b="2", a="1")
    assert desk.calls() == ["get_schedule"]


def test_it_is_told_when_a_rate_counts_from_unless_the_schedule_is_gone(desk: Desk) -> None:
    assert desk.schedules.first("one") is None
    desk.put()
    assert desk.schedules.first("one") == NOW + WEEK
    desk.schedules.delete("one")
    assert desk.schedules.first("one") is None
    desk.schedules.delete("one")


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"more": "given"}], ids=["disabled", "another-input"]
)
def test_an_update_of_anything_else_keeps_the_pace_of_a_rate(
    desk: Desk, change: dict[str, Any]
) -> None:
    desk.put()
    desk.clock.turn(DAY)
    desk.put(**change)
    assert desk.calls()[-1] == "update_schedule"
    assert desk.start == NOW + WEEK


@pytest.mark.parametrize("days", [7, 8, 13])
def test_a_start_date_that_has_passed_becomes_the_next_fire(desk: Desk, days: int) -> None:
    """The service takes no start date that lies more than 5 minutes back."""
    desk.put()
    desk.clock.turn(days * DAY)
    desk.put(more="given")
    assert desk.start == NOW + 2 * WEEK


@pytest.mark.parametrize("before", ["rate(7 days)", "cron(0 3 * * ? *)"])
def test_a_new_rate_counts_from_when_it_became_so(desk: Desk, before: str) -> None:
    desk.put(before)
    desk.clock.turn(DAY)
    desk.put("rate(2 days)")
    assert desk.start == NOW + 3 * DAY


def test_a_rate_that_became_cron_has_no_start_date(desk: Desk) -> None:
    desk.put()
    desk.put("cron(0 3 * * ? *)")
    assert desk.start is None


def test_what_was_changed_by_hand_is_set_right_and_its_rate_counts_from_then(desk: Desk) -> None:
    desk.put()
    names = ("Name", "GroupName", "FlexibleTimeWindow", "Target", "State")
    found = {key: desk.found[key] for key in names}
    desk.client.update_schedule(**found, ScheduleExpression="at(2030-01-01T00:00:00)")
    desk.schedules.enable("one", enabled=False)
    desk.clock.turn(DAY)
    desk.put()
    assert desk.found["ScheduleExpression"] == "rate(7 days)"
    assert desk.start == NOW + DAY + WEEK


def test_a_rate_that_is_disabled_and_enabled_keeps_its_pace(desk: Desk) -> None:
    desk.put()
    desk.clock.turn(DAY)
    desk.schedules.enable("one", enabled=False)
    assert (desk.found["State"], desk.start) == ("DISABLED", NOW + WEEK)
    desk.clock.turn(WEEK)
    desk.schedules.enable("one", enabled=True)
    assert (desk.found["State"], desk.start) == ("ENABLED", NOW + 2 * WEEK)


def test_a_rate_of_an_older_release_without_a_start_date_counts_from_its_creation(
    desk: Desk,
) -> None:
    desk.put()
    names = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
    desk.client.update_schedule(**{key: desk.found[key] for key in names})
    assert desk.start is None
    created: datetime = desk.found["CreationDate"]
    desk.clock.turn(created - NOW + DAY)
    desk.schedules.enable("one", enabled=False)
    assert desk.start == created + WEEK


def test_what_is_in_a_state_already_is_not_brought_to_it(desk: Desk) -> None:
    desk.put()
    desk.calls()
    desk.schedules.enable("one", enabled=True)
    assert desk.calls() == ["get_schedule"]


def test_a_schedule_that_somebody_makes_meanwhile_is_changed_as_wanted(desk: Desk) -> None:
    other = Schedules(desk.client.client, "group", desk.clock)

    def make() -> None:
        other.put("one", "rate(2 days)", "UTC", enabled=True, target=TARGET, given={})

    desk.client.meanwhile["create_schedule"] = make
    desk.put("rate(7 days)")
    assert desk.found["ScheduleExpression"] == "rate(7 days)"
    assert desk.start == NOW + WEEK


def test_a_creation_whose_answer_was_lost_is_done(desk: Desk) -> None:
    desk.client.meanwhile["create_schedule"] = Desk.put.__get__(_other(desk))
    desk.put()
    assert desk.calls()[-2:] == ["create_schedule", "get_schedule"]
    assert desk.start == NOW + WEEK


def _other(desk: Desk) -> Desk:
    """Return another user of the same schedule, whose calls are not noted."""
    other = object.__new__(Desk)
    other.schedules = Schedules(desk.client.client, "group", desk.clock)
    return other
