"""Waits: few looks before the end, frequent ones near it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

import pytest

from mpe.model.plan.waits import (
    LONGEST,
    SHORTEST,
    VISIBLE_WITHIN,
    among,
    in_line,
    kind_of_creation,
    next_wait,
    typical,
    until_seen,
)
from mpe.model.service.spec import SPECS
from tests.conftest import ROOT

HOUR = 60 * 60
DAY = 24 * HOUR


def looks(took: float, *, usual: float, known: float | None) -> tuple[int, float]:
    """Return how many looks a job takes and how late its end is seen."""
    elapsed, count = 0.0, 0
    while elapsed < took:
        elapsed += next_wait(elapsed, usual=usual, known=known)
        count += 1
    return count, elapsed - took


EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}
"""What each state of a standard workflow adds to a history: it is entered and left, and a task is
scheduled, started and ended as well
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html)."""
HISTORY = 25_000
"""Events that an execution may have
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


def events_of_a_look(noun: str) -> int:
    """Return how many events asking, and waiting to ask again, adds: by the workflow itself."""
    definition = json.loads((ROOT / "tests/golden/Solution.asl.json").read_text())
    states = dict(states_of(definition))
    ask, choice, wait = f"Ensure {noun}", f"Is {noun} settled?", f"Wait for {noun}"
    assert states[ask]["Next"] == choice
    assert wait in [one["Next"] for one in states[choice]["Choices"]]
    assert states[wait]["Next"] == ask
    return sum(EVENTS[states[one]["Type"]] for one in (ask, choice, wait))


def states_of(definition: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(definition, dict):
        yield from definition.get("States", {}).items()
    for inner in definition.values() if isinstance(definition, dict) else definition:
        if isinstance(inner, dict | list):
            yield from states_of(inner)


def looks_of(jobs: int, *, at_once: int, took: float) -> int:
    """Return how often jobs are asked after that all begin at once, where so many may run.

    A job that may not run yet asks again as it is told, and one that runs is looked at until it is
    done.
    """
    usual = typical(SPECS["BatchInferenceJob"], "created")
    asks = [(0.0, n) for n in range(jobs)]
    waited, began, running, count = dict.fromkeys(range(jobs), 0), dict[int, float](), set[int](), 0
    while asks:
        now, n = heappop(asks)
        count += 1
        if waited[n] >= DAY:  # it is given up: so many take longer than a day
            continue
        if n in began and now >= began[n] + took:
            running.remove(n)
            continue
        if n not in began and len(running) < at_once:
            running.add(n)
            began[n] = now
        if n in began:
            elapsed = now - began[n]
            wait = among(next_wait(elapsed, usual=usual, known=None), elapsed, jobs)
        else:
            wait = in_line(waited[n], jobs, f"batchInferenceJob.films.{n}")
            waited[n] += wait
        heappush(asks, (now + wait, n))
    assert max(waited.values()) < DAY or jobs * took > at_once * DAY / 2, "no job is given up"
    return count


@pytest.mark.parametrize("took", [10 * 60, HOUR, 2.5 * HOUR])
@pytest.mark.parametrize("jobs", [1, 5, 40, 41, 61, 100, 200])
def test_a_solutions_batch_jobs_at_the_default_quota_fit_into_a_history(
    jobs: int, took: float
) -> None:
    """Five may run at a time (https://docs.aws.amazon.com/personalize/latest/dg/limits.html)."""
    count = looks_of(jobs, at_once=5, took=took)
    beside = 20 * jobs  # the Map's iterations, and their last states
    assert events_of_a_look("BatchInferenceJob") * count + beside < HISTORY


def test_few_are_looked_at_as_often_as_one_and_what_is_short_is_too() -> None:
    assert among(10, HOUR, 5) == 10
    assert among(10, 60, 40) == 10
    assert among(10, HOUR, 40) == 360


def test_those_who_wait_for_a_quota_ask_once_a_minute_together_and_at_different_moments() -> None:
    waits = [in_line(DAY, 40, f"job.{n}") for n in range(40)]
    assert min(waits) >= 40 * LONGEST * 3 / 4
    assert len(set(waits)) > 30
    assert [in_line(waited, 1, "job") for waited in (0, 5, 100, DAY)] == [5, 5, 100, 300]


def test_a_known_duration_takes_one_look_more_where_it_is_long() -> None:
    assert looks(60, usual=3600, known=60) == (1, 0)
    assert looks(3600, usual=60, known=3600) == (2, 0)


def test_a_job_a_little_shorter_than_the_last_time_is_seen_before_it_would_have_ended() -> None:
    assert looks(3500, usual=3600, known=3600) == (1, 28)


def test_a_job_a_little_longer_than_the_last_time_is_seen_within_half_a_percent_of_it() -> None:
    count, late = looks(3650, usual=3600, known=3600)
    assert late <= 3600 / 200
    assert count <= 5


@pytest.mark.parametrize("took", [900, 1000, 3700, 5000, 20_000])
def test_an_end_is_never_seen_later_than_a_minute_or_a_quarter_of_the_delay(took: float) -> None:
    _, late = looks(took, usual=900, known=None)
    assert late <= LONGEST


@pytest.mark.parametrize("share", [0.55, 0.7, 0.8, 0.9, 0.97])
def test_a_guess_that_is_too_long_costs_no_more_than_what_was_left_of_it(share: float) -> None:
    count, late = looks(3600 * share, usual=3600, known=None)
    assert late <= 3600 * (1 - share)
    assert late <= 3600 / 4
    assert count <= 5


def test_a_guess_that_is_right_is_seen_at_once() -> None:
    assert looks(3600, usual=3600, known=None) == (5, 0)
    assert looks(30, usual=30, known=None) == (3, 0)


def test_a_wait_is_never_below_the_shortest_without_knowledge() -> None:
    assert next_wait(0, usual=3, known=None) == SHORTEST
    assert next_wait(3599.7, usual=3600, known=3600) == 1


def test_what_took_no_time_the_last_time_is_looked_at_again_at_once() -> None:
    assert next_wait(0, usual=10, known=0) == 1


@pytest.mark.parametrize("known", [None, 60 * DAY])
@pytest.mark.parametrize("took", [60, 3000, 20_000])
def test_an_expectation_of_weeks_costs_an_hour_at_most(took: float, known: float | None) -> None:
    count, late = looks(took, usual=60 * DAY, known=known)
    assert late <= 60 * 60
    assert count <= 6


@pytest.mark.parametrize("known", [None, DAY])
def test_a_job_of_a_day_takes_a_look_an_hour(known: float | None) -> None:
    count, late = looks(DAY, usual=DAY, known=known)
    assert late == 0
    assert count <= 24 + 5


@pytest.mark.parametrize(
    ("noun", "params", "kind"),
    [
        ("Campaign", {"name": "live"}, "created"),
        ("SolutionVersion", {}, "created"),
        ("SolutionVersion", {"trainingMode": "FULL"}, "created"),
        ("SolutionVersion", {"trainingMode": "UPDATE"}, "created UPDATE"),
        ("DatasetImportJob", {"importMode": "INCREMENTAL"}, "created INCREMENTAL"),
    ],
)
def test_a_part_of_the_work_is_a_kind_of_its_own(
    noun: str, params: dict[str, str], kind: str
) -> None:
    assert kind_of_creation(SPECS[noun], params) == kind


def test_what_makes_no_whole_resource_is_looked_at_sooner_at_first() -> None:
    campaign = SPECS["Campaign"]
    assert typical(campaign, "created") == 600
    assert typical(campaign, "updated") == typical(campaign, "stopped") == 150


@pytest.mark.parametrize("known", [None, 0, 1, 30, 3600, 90_000])
@pytest.mark.parametrize("usual", [0, 10, 900, 14_400])
def test_every_wait_is_a_whole_number_of_seconds_and_not_endless(
    usual: float, known: float | None
) -> None:
    expected = usual if known is None else known
    elapsed = 0.0
    while elapsed < 2 * expected + 600:
        wait = next_wait(elapsed, usual=usual, known=known)
        assert isinstance(wait, int)
        assert 1 <= wait <= max(expected, LONGEST)
        elapsed += wait + 0.3


def test_what_is_not_seen_yet_is_looked_for_at_once_and_then_the_less_often() -> None:
    assert [until_seen(missing) for missing in (0, 9, 60, 601)] == [5, 5, 30, 301]
    assert VISIBLE_WITHIN == 300, "five minutes are long for what lags by seconds"


def test_how_rarely_many_are_looked_at_depends_on_how_many_they_are() -> None:
    assert among(10, HOUR, 4) == 10, "few are not put off"
    assert among(10, 10 * HOUR, 40) == 400
    assert among(10, 60, 100) == 200, "of a crowd each is put off from the beginning"
    assert in_line(DAY, 2, "job.1") < in_line(DAY, 1, "job.1")
