"""The clock: looks are apart only where time is hastened."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from mpe.aws.clock import Clock


@pytest.mark.parametrize("elapsed", [0, 1, 3600, 90_000])
def test_in_aws_no_look_is_put_off(elapsed: float) -> None:
    assert Clock().between(elapsed, 100) == 0


def test_where_time_is_hastened_looks_leave_a_fifth_of_a_second_of_ours() -> None:
    hastened = Clock(2000)
    assert hastened.between(3600, 3) == 400
    assert hastened.between(50, 3) == 50, "what is short is not put off for long"
    assert hastened.between(0, 3) == 0, "nor is the first look"
    assert hastened.between(36_000, 100) == 7996, "many leave room for each other"


NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Standing(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


def test_moments_lie_as_many_of_the_services_seconds_apart_as_time_is_hastened() -> None:
    minute = timedelta(seconds=60)
    assert Clock().seconds(NOW, NOW + minute) == 60
    assert Clock(60).seconds(NOW, NOW + minute) == 3600
    assert Standing(60).since(NOW - minute) == 3600
    assert Standing().ago(60) == NOW - minute
    assert Standing(60).ago(3600) == NOW - minute


def test_a_rest_is_of_the_services_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    Clock().rests(60)
    Clock(60).rests(60)
    assert slept == [60, 1]
