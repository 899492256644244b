"""The clock: looks are apart only where time is hastened."""

from __future__ import annotations

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
