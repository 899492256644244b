"""The benchmark on durations as they are in public."""

from __future__ import annotations

from math import log
from statistics import median, stdev
from typing import Any

import pytest
from benchmarks.drawn import SETS, draw, last_end, longest_chain
from benchmarks.waiting import follow

from benchmarks import durations


@pytest.mark.parametrize("name", SETS)
def test_nobody_is_faster_than_the_oracle_which_loses_only_what_the_workflow_itself_takes(
    name: str,
) -> None:
    for seed in range(20):
        for (_, took, best), (_, _, ran) in zip(
            durations.lived(durations.Oracle(), name, seed, 3),
            durations.lived(durations.Ours(), name, seed, 3),
            strict=True,
        ):
            assert best.seconds - longest_chain(took) == pytest.approx(5, abs=1)
            assert ran.seconds >= best.seconds - 0.5


@pytest.mark.parametrize("name", SETS)
def test_groups_whose_imports_queue_take_as_long_as_the_queue_and_what_follows_it(
    name: str,
) -> None:
    (took,) = draw(name, 1, runs=1, solutions=1, used=1)
    assert last_end([took], 5) == pytest.approx(longest_chain(took))
    assert last_end([took] * 9, 27) == pytest.approx(longest_chain(took))
    alike = took | {("DatasetImportJob", number): 100.0 for number in range(3)}
    chain = longest_chain(alike) - 100
    assert last_end([alike] * 5, 5) == pytest.approx(chain + 3 * 100)
    assert last_end([alike] * 3, 5) == pytest.approx(chain + 2 * 100), "nine of them: two rounds"


def test_the_same_seed_is_the_same_draw_and_another_is_not() -> None:
    one, again, other = (draw("samples", seed, runs=2, solutions=3, used=1) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_draws_have_the_medians_and_spreads_that_their_set_says() -> None:
    job = SETS["samples"]["SolutionVersion"]
    drawn = [
        [took["SolutionVersion", 0] for took in draw("samples", seed, runs=2, solutions=3, used=1)]
        for seed in range(1000)
    ]
    assert median(one for one, _ in drawn) == pytest.approx(job.median, rel=0.05)
    assert stdev(log(one) for one, _ in drawn) == pytest.approx(0.365, abs=0.03)
    assert stdev(log(one / two) for one, two in drawn) == pytest.approx(0.06 * 2**0.5, abs=0.01)


def test_processes_pass_time_side_by_side_and_wait_for_each_other() -> None:
    seen: list[str] = []

    def nap(name: str, seconds: float) -> Any:
        yield seconds
        seen.append(name)

    def whole() -> Any:
        yield 1.0
        yield [nap("long", 5.0), nap("short", 2.0)]
        yield []
        seen.append("all")
        yield 1.0

    assert follow(whole()) == 7.0
    assert seen == ["short", "long", "all"]
