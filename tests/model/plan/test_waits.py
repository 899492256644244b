"""Waits: few looks before the end, frequent ones near it, and no trust without end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.plan.desired import DesiredState, desired_state
from mpe.model.plan.waits import (
    ENOUGH,
    IN_LINE,
    KEPT,
    LONGEST,
    LOOK,
    MOST,
    SHORTEST,
    VISIBLE_WITHIN,
    Expected,
    expected,
    in_line,
    kind_of_creation,
    next_wait,
    remembered,
    typical,
    until_seen,
    variant_of,
)
from mpe.model.service.spec import SPECS
from tests.conftest import ROOT
from tests.everything import RECIPE, everything
from tests.handlers.test_runs import PLACE

DAY = 24 * 60 * 60
HOUR = 60 * 60
BETWEEN = 0.45
"""Seconds that a look takes beside its wait."""


def first() -> Expected:
    return expected(SPECS["SolutionVersion"], "created")


def looks(
    took: float, known: Expected, *, siblings: int = 1, together: int = 1
) -> tuple[int, float]:
    """Return how many looks a job takes and how late its end is seen."""
    elapsed, count = 0.0, 0
    while elapsed < took:
        elapsed += next_wait(elapsed, known, siblings=siblings, together=together) + BETWEEN
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
    usual = expected(SPECS["BatchInferenceJob"], "created")
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
            wait = next_wait(now - began[n], usual, siblings=jobs)
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


def test_those_who_wait_for_a_quota_ask_once_a_minute_together_and_at_different_moments() -> None:
    waits = [in_line(DAY, 40, f"job.{n}") for n in range(40)]
    assert min(waits) >= 40 * LONGEST * 3 / 4
    assert max(waits) <= 40 * LONGEST, "they are no crowd yet"
    assert max(in_line(DAY, 41, f"job.{n}") for n in range(41)) > 41 * LONGEST
    assert len({in_line(DAY, 2, f"job.{n}") for n in range(2)}) == 2
    first = [in_line(0, 50, f"job.{n}") for n in range(50)]
    assert 960 < max(first) <= 1000, "twenty seconds each, so that a crowd begins slowly"
    assert len(set(waits)) > 30
    alone = [in_line(waited, 1, "job") for waited in (0, 5, 100, DAY)]
    assert all(
        3 / 4 * most <= one <= most for one, most in zip(alone, (5, 5, 100, 300), strict=True)
    )
    assert min(alone) == SHORTEST


@pytest.mark.parametrize("took", [330, 900])
def test_groups_whose_imports_begin_together_leave_the_service_hardly_idle(took: int) -> None:
    """Of a schedule that fifty groups have, each of three datasets; five may import at a time
    (https://docs.aws.amazon.com/personalize/latest/dg/limits.html), in the same order always.
    """
    asks = [(0.0, f"films-{group} {kind}") for kind in range(3) for group in range(50)]
    waited, ends, at_once = dict.fromkeys((who for _, who in asks), 0), list[float](), 5
    heapify(asks)
    while asks:
        now, who = heappop(asks)
        if sum(end > now for end in ends[-at_once:]) < at_once:
            ends.append(now + took)
        else:
            wait = in_line(waited[who], 3, who)
            waited[who] += wait
            heappush(asks, (now + wait, who))
    assert ends[-1] <= len(waited) / at_once * took * 1.05 + IN_LINE


def worst(known: Expected, shortest: float, longest: float) -> float:
    """Return by how much the bound of lateness is passed at most, of all ends in a range."""
    elapsed, found = 0.0, 0.0
    while elapsed < longest:
        wait = next_wait(elapsed, known) + BETWEEN
        first = max(elapsed, shortest)  # what ends just after a look is seen latest
        if elapsed + wait > first:
            found = max(found, elapsed + wait - first - max(60.0, 0.04 * first))
        elapsed += wait
    return found


@pytest.mark.parametrize(
    "outlier", [1, 8, 60, 330, 3000, 28_800, 10 * DAY], ids=lambda one: f"outlier of {one} s"
)
@pytest.mark.parametrize("usual", [22, 330, 2250, 14_400])
@pytest.mark.parametrize("before", [0, 1, 2, KEPT - 1])
def test_after_any_outlier_no_job_is_seen_later_than_a_minute_or_a_25th_of_its_time(
    outlier: float, usual: float, before: int
) -> None:
    memory = [usual * (1 + 0.02 * number) for number in range(before)]
    for learnt in ([*memory, outlier], [outlier, *memory]):
        if len(learnt) >= ENOUGH and max(learnt) <= 2 * min(learnt):
            continue  # it is none
        for known in (Expected(usual, own=learnt), Expected(usual, others=learnt)):
            assert worst(known, 1, 3 * max(usual, 3720)) <= 0


def test_an_eight_hour_training_with_hpo_hides_no_end_of_a_common_one() -> None:
    for took in (3720, 62 * 60 + 30, 1037):
        _, late = looks(took, Expected(2250, own=[28_800]))
        assert late <= max(60, 0.04 * took)


def test_a_known_duration_is_seen_within_a_hundredth_of_it() -> None:
    known = Expected(2250, own=[2250, 2200, 2300, 2260])
    for took in (2150, 2250, 2350):
        count, late = looks(took, known)
        assert late <= 0.01 * took + 5
        assert count <= 55


def test_a_job_that_has_always_taken_as_long_is_hardly_looked_at_in_half_of_it() -> None:
    known = Expected(2250, own=[2250, 2200, 2300, 2260])
    assert looks(1125, known)[0] <= 6


def test_the_first_of_a_type_is_left_alone_at_first_and_seen_within_the_root_of_its_time() -> None:
    known = first()
    assert next_wait(0, known) >= 360
    for took in (1037, 2250, 3420, 9000, 20_000):
        count, late = looks(took, known)
        assert late <= 2 * took**0.5
        assert count <= 4 * took**0.5


def test_what_is_seldom_the_last_that_is_waited_for_is_looked_at_less_and_late_as_often() -> None:
    alone, of_three = looks(1500, known := first()), looks(1500, known, together=3)
    assert of_three[0] <= 0.7 * alone[0]
    late = [next_wait(6000, known, together=together) for together in (1, 3, 100)]
    assert late[-1] <= 1.25 * late[0], "by then the others are most likely done"


def test_what_has_been_made_before_is_looked_at_by_itself() -> None:
    known = Expected(2250, own=[2250, 2200])
    assert looks(2250, known, together=3) == looks(2250, known)


def test_what_varies_more_is_looked_at_for_longer() -> None:
    steady, wild = ([1000, 1010, 990, 1005], [700, 1250, 1000, 1100])
    assert looks(1000, Expected(1000, own=wild))[0] > looks(1000, Expected(1000, own=steady))[0]


@pytest.mark.parametrize("siblings", [1, 3, 5, 10, 20])
@pytest.mark.parametrize("hours", [1, 12, 24, 48])
@pytest.mark.parametrize("learnt", [(), (2250.0,), (60.0,), (14_400.0, 14_000.0, 15_000.0)])
def test_an_execution_has_room_for_all_that_it_waits_for_at_a_time(
    siblings: int, hours: int, learnt: tuple[float, ...]
) -> None:
    known = Expected(3600, others=learnt)
    count, _ = looks(hours * HOUR, known, siblings=siblings)
    assert events_of_a_look("BatchInferenceJob") * count * siblings < HISTORY * 3 / 4


@pytest.mark.parametrize("own", [(), (60 * DAY,)])
@pytest.mark.parametrize("took", [60, 3000, 20_000])
def test_an_expectation_of_weeks_costs_an_hour_at_most(took: float, own: tuple[float, ...]) -> None:
    _, late = looks(took, Expected(60 * DAY, own=own))
    assert late <= MOST + BETWEEN


def test_durations_are_kept_by_the_newest() -> None:
    kept: tuple[float, ...] = ()
    for seconds in range(20):
        kept = remembered(kept, seconds + 0.04)
    assert kept == tuple(range(20 - KEPT, 20))
    assert remembered((), 7.26) == (7.3,)


@pytest.mark.parametrize(
    ("noun", "params", "variant", "kind"),
    [
        ("Campaign", {"name": "live"}, "", "created"),
        ("SolutionVersion", {}, "", "created"),
        ("SolutionVersion", {"trainingMode": "FULL"}, "", "created"),
        ("SolutionVersion", {"trainingMode": "UPDATE"}, "", "created UPDATE"),
        ("SolutionVersion", {"trainingMode": "FULL"}, "aws-sims", "created (aws-sims)"),
        ("SolutionVersion", {"trainingMode": "UPDATE"}, "x HPO", "created UPDATE (x HPO)"),
        ("DatasetImportJob", {"importMode": "INCREMENTAL"}, "", "created INCREMENTAL"),
    ],
)
def test_a_part_of_the_work_is_a_kind_of_its_own_and_so_is_another_training(
    noun: str, params: dict[str, str], variant: str, kind: str
) -> None:
    assert kind_of_creation(SPECS[noun], params, variant) == kind


def test_a_training_is_told_apart_by_recipe_and_hpo() -> None:
    arn = "arn:aws:personalize:::recipe/aws-user-personalization"
    assert variant_of({"recipeArn": arn}) == "aws-user-personalization"
    assert variant_of({"recipeArn": arn, "performHPO": True}) == "aws-user-personalization HPO"
    assert variant_of({"performAutoML": True, "performHPO": False}) == "AutoML"
    assert variant_of({}) == ""


def test_what_makes_no_whole_resource_is_looked_at_sooner_at_first() -> None:
    campaign, version = SPECS["Campaign"], SPECS["SolutionVersion"]
    assert typical(campaign, "created") == 600
    assert typical(campaign, "updated") == typical(campaign, "stopped") == 150
    assert typical(version, "created (aws-sims HPO)") == 2250
    assert typical(version, "created UPDATE (aws-sims)") == 2250 / 4
    updated, made = expected(campaign, "updated"), expected(campaign, "created")
    assert updated.spread > made.spread, "nobody has measured it"


def test_what_is_likely_is_in_the_middle_of_what_was() -> None:
    assert Expected(10).likely == 10
    assert Expected(10, others=[20, 30]).likely == 25
    assert Expected(10, own=[7, 900, 8], others=[20]).likely == 8


def balance(at: float, *, middle: float, spread: float, worth: float, others: int = 0) -> float:
    """Return what lateness costs, beyond what a look is worth, where a wait ends ``at`` seconds.

    By the law as the module tells it, with the hazard as the slope of what is left.
    """

    def left(time: float) -> float:
        def share(deviation: float) -> float:
            return 1 / (1 + (time / middle) ** (math.pi / math.sqrt(3) / deviation))

        return 0.95 * share(spread) + 0.05 * share(0.8)

    hazard = (math.log(left(at - 0.001)) - math.log(left(at + 0.001))) / 0.002
    last = max((1 - left(at)) ** others, 0.05)
    return hazard * last / (2 * worth * min(1, math.sqrt(1200 / at)))


def predicted(assumed: float, count: int, seen: float = 0) -> float:
    """Return the spread of the next duration after ``count``, where two more are assumed."""
    variance = (2 * assumed**2 + count * seen**2) / (2 + count)
    return math.sqrt(variance * (1 + 1 / count))


EVER = (*range(0, 2000, 97), 2250, 9000)
VARYING = [4000, 5000, 6250]
SEEN = 1.48 * math.log(1.25)
LAWS = [
    pytest.param(Expected(2250), 0.4, 0.54, EVER, 1, id="first"),
    pytest.param(Expected(2250, spread=0.8), 0.8, 0.54, EVER, 1, id="vague"),
    pytest.param(Expected(2250), 0.4, 0.54, EVER, 3, id="of three"),
    pytest.param(Expected(2250), 0.4, 0.54, EVER, 100, id="of many"),
    pytest.param(Expected(1, own=[5000]), predicted(0.1, 1), 0.25, (4000, 4500), 1, id="once"),
    pytest.param(Expected(1, own=[5000] * 3), predicted(0.1, 3), 0.25, (4000, 4500), 9, id="own"),
    pytest.param(
        Expected(1, others=[5000] * 3), predicted(0.35, 3), 0.54, (3000, 5000), 1, id="others"
    ),
    pytest.param(
        Expected(1, own=VARYING), predicted(0.1, 3, SEEN), 0.25, (3000, 5000), 1, id="varying"
    ),
]


@pytest.mark.parametrize(("known", "spread", "worth", "ats", "together"), LAWS)
def test_a_look_comes_as_soon_as_it_is_worth_more_than_the_lateness(
    known: Expected, spread: float, worth: float, ats: tuple[float, ...], together: int
) -> None:
    others = 0 if known.own else min(together, 4) - 1
    law = {"middle": known.likely, "spread": spread, "worth": worth}
    for at in ats:
        wait = next_wait(at, known, together=together)
        sooner, later = 0.992 * wait - 1, wait + 1
        assert sooner**2 * balance(at + sooner, **law, others=others) < 1
        assert later**2 * balance(at + later, **law, others=others) > 1


def test_half_of_the_shortest_is_left_alone_where_none_is_an_outlier() -> None:
    known = Expected(2250, own=[2250, 2200, 2300])
    assert 1000 + next_wait(1000, known) == 2200 / 2
    assert next_wait(1100, known) == LONGEST - LOOK
    alone = [600], [600, 600], [600, 600, 1201]
    for own in alone:
        assert next_wait(0, Expected(1, own=own)) == LONGEST - LOOK
    for own in ([600] * 3, [600, 600, 1200]):
        assert next_wait(0, Expected(1, own=own)) > 2 * LONGEST


def test_several_side_by_side_are_looked_at_the_less_often_the_more_they_are() -> None:
    long, short = (Expected(1, own=[seconds] * 3) for seconds in (100_000, 10))
    assert [next_wait(100_000, long, siblings=n) for n in (1, 2, 6)] == [300, 900, 2700]
    assert next_wait(9, short, siblings=6) == 12
    assert next_wait(9, short, siblings=5) < 10
    known = Expected(2250, own=[2250, 2200, 2300])
    assert [next_wait(1100, known, siblings=n) for n in (1, 5, 6, 10)] == [59, 59, 71, 118]


def test_what_takes_a_second_is_looked_at_every_second() -> None:
    assert [next_wait(at, Expected(1, own=[1] * 3)) for at in (0, 1, 2)] == [1, 1, 1]


def test_what_is_usual_varies_as_its_type_is_known_to() -> None:
    campaign, version = SPECS["Campaign"], SPECS["SolutionVersion"]
    assert expected(campaign, "created").spread == campaign.typical_spread
    assert version.typical_spread is None
    assert expected(version, "created").spread == Expected(1).spread


def test_what_is_missing_is_looked_for_ever_less_often() -> None:
    assert until_seen(0) == SHORTEST
    assert until_seen(60) == 30


@pytest.mark.parametrize("learnt", [(), (0,), (1,), (30,), (3600, 3600, 3600), (90_000, 1)])
@pytest.mark.parametrize("usual", [0, 10, 900, 14_400])
def test_every_wait_is_a_whole_number_of_seconds_and_not_endless(
    usual: float, learnt: tuple[float, ...]
) -> None:
    elapsed = 0.0
    while elapsed < 20_000:
        wait = next_wait(elapsed, Expected(usual, own=learnt))
        assert isinstance(wait, int)
        assert 1 <= wait <= MOST
        elapsed += wait + 0.3


def test_what_is_not_seen_yet_is_looked_for_at_once_and_then_the_less_often() -> None:
    assert [until_seen(missing) for missing in (0, 9, 60, 601)] == [5, 5, 30, 301]
    assert VISIBLE_WITHIN == 300, "five minutes are long for what lags by seconds"


@pytest.fixture
def state() -> DesiredState:
    """Three solutions, of which one has a campaign, and another is tuned."""
    document = everything("films")
    used = {**document["solutions"][0], "batchInferenceJobs": [], "batchSegmentJobs": []}
    bare = [
        {"serviceConfig": {"name": name, "recipeArn": f"{RECIPE}aws-sims", **more}}
        for name, more in (("plain", {}), ("tuned", {"performHPO": True}))
    ]
    return desired_state(
        parse(json.dumps({**document, "solutions": [used, *bare]})), PLACE, version="one"
    )


def test_a_version_is_told_apart_by_what_its_solution_is_trained_with(state: DesiredState) -> None:
    assert variant_of(state.trained_with("version.plain")) == "aws-sims"
    assert variant_of(state.trained_with("version.tuned")) == "aws-sims HPO"
    assert state.trained_with("datasetGroup") == state.trained_with("solution.plain") == {}


def test_what_something_follows_is_waited_for_alone_and_the_rest_with_its_like(
    state: DesiredState,
) -> None:
    used = next(id for id in state.resources if id.startswith("version.films"))
    assert state.together(used) == 1
    assert state.together("version.plain") == state.together("version.tuned") == 3
    assert state.together("datasetGroup") == 1
    imports = [one for one in state.resources.values() if one.noun == "DatasetImportJob"]
    assert len(imports) > 1
    assert {state.together(one.id) for one in imports} == {len(imports)}
