"""Waits: few looks before the end, frequent ones near it."""

from __future__ import annotations

import pytest

from mpe.model.waits import LONGEST, SHORTEST, next_wait


def looks(took: float, *, usual: float, known: float | None) -> tuple[int, float]:
    """Return how many looks a job takes and how late its end is seen."""
    elapsed, count = 0.0, 0
    while elapsed < took:
        elapsed += next_wait(elapsed, usual=usual, known=known)
        count += 1
    return count, elapsed - took


def test_a_known_duration_takes_one_look() -> None:
    assert looks(3600, usual=3600, known=3600) == (1, 0)


@pytest.mark.parametrize("took", [900, 1000, 3700, 5000, 20_000])
def test_an_end_is_never_seen_later_than_a_minute_or_a_quarter_of_the_delay(took: float) -> None:
    _, late = looks(took, usual=900, known=None)
    assert late <= LONGEST


def test_an_unknown_duration_gets_some_early_looks() -> None:
    count, late = looks(301, usual=900, known=None)
    assert (count, late) == (2, 299)


def test_a_wait_is_never_below_the_shortest_without_knowledge() -> None:
    assert next_wait(0, usual=3, known=None) == SHORTEST
    assert next_wait(3599.7, usual=3600, known=3600) == 1
