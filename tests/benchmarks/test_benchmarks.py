"""What the benchmarks measure is what happens, and what is committed meets the targets.

Counts and virtual seconds are the same on every machine, so they may be asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from benchmarks.drawn import SETS
from benchmarks.run import COSTS, FIRST, OTHERS, RUNS, missed, report
from benchmarks.scenarios import SAMPLES, SERVICE, Scenario, alike_trainings
from benchmarks.virtual_time import DeadlockError, VirtualTime
from benchmarks.waiting import Run

from benchmarks import durations
from mpe.assembly.synthesis import Assembly
from tests.conftest import ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def committed() -> Any:
    return json.loads(RESULTS.read_text())


def test_the_committed_figures_are_well_formed(committed: Any) -> None:
    for run in RUNS:
        for key in COSTS:
            assert isinstance(committed["reference_scenario"][run][key], int | float)


def test_the_committed_figures_meet_the_targets_or_say_which_this_machine_missed(
    committed: Any,
) -> None:
    """Counts and virtual seconds meet theirs; what is of a machine at work is told where not."""
    found = [committed[name]["found"] for name in OTHERS if name in committed]
    here = [one for each in found for one in each.get("missed", [])]
    assert [one for one in missed(committed) if one not in here] == []
    assert [one for one in here if one not in (RESULTS.parent / "RESULTS.md").read_text()] == []


@pytest.mark.parametrize("key", ["mean_added_seconds", "looks", "gave_up"])
def test_a_target_that_is_missed_is_told(committed: Any, key: str) -> None:
    slow = json.loads(json.dumps(committed))
    slow["durations"]["samples"]["3"]["ours"][FIRST][key] = 1000
    assert [one for one in missed(slow) if f"samples, {FIRST}: {key} is 1000" in one]


def test_the_report_is_that_of_the_committed_figures(committed: Any) -> None:
    assert (RESULTS.parent / "RESULTS.md").read_text() == report(committed)


def test_a_hundred_solutions_take_little_longer_than_one(committed: Any) -> None:
    """Where all is quick; of one and of a hundred nothing waits but for looks."""
    added = [run["added_seconds"] for run in committed["growth"].values()]
    assert list(committed["growth"]) == ["1", "10", "100"]
    assert max(added) <= 1.3 * min(added)


@pytest.mark.parametrize("name", SETS)
def test_a_hundred_solutions_add_at_most_twice_what_one_adds(committed: Any, name: str) -> None:
    """They all are waited for, so that the latest look of more decides."""
    one, _, hundred = committed["growth_on_sets"][name].values()
    assert hundred["gave_up"] == 0
    assert hundred["mean_added_seconds"] <= 2 * one["mean_added_seconds"]


LIMITS = {
    "longest_history_events": 25_000,
    "largest_state_bytes": 262_144,
    "largest_row_bytes": 409_600,
}
"""What an execution's history, a state and a table's row may have at the most
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)."""


@pytest.mark.parametrize("key", LIMITS)
def test_nothing_comes_near_its_limit_with_many_solutions_or_groups(
    committed: Any, key: str
) -> None:
    drawn = [run for runs in committed["groups_on_sets"].values() for run in runs.values()]
    grown = [*committed["growth"].values(), *committed["groups"].values(), committed["failing"]]
    runs = [*drawn, *grown]
    assert max(run[key] for run in runs) <= LIMITS[key] / 3


def test_many_groups_of_the_same_moment_all_come_to_their_end(committed: Any) -> None:
    """They queue for the service's imports, of which it does five at a time, and for nothing else.

    A look after them all reads a state and two rows of each.
    """
    one, many = (committed["groups"][count] for count in ("1", "50"))
    assert (one["lambda_errors"], many["lambda_errors"]) == (0, 0)
    assert many["largest_state_bytes"] <= 1.1 * one["largest_state_bytes"]
    assert many["look"]["s3_reads"] == 50 * one["look"]["s3_reads"]


def test_groups_that_queue_for_imports_hardly_leave_the_service_idle(committed: Any) -> None:
    for counts in committed["groups_on_sets"].values():
        assert list(counts) == ["1", "50"]
        assert counts["50"]["added_share"] <= 0.1
        assert {run["lambda_errors"] for run in counts.values()} == {0}


@pytest.fixture(scope="module")
def fresh(assembly: Assembly) -> Any:
    """Return what is run now; in a process of its own, whose clock that changes."""
    words = ("headline", "drawn", "--json", "--assembly", str(assembly.folder))
    command = [sys.executable, "-m", "benchmarks.scenarios", *words]
    path = {"PYTHONPATH": f"{ROOT / 'source'}:{ROOT}"}
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **path}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.local
def test_a_fresh_run_has_the_committed_figures(fresh: Any, committed: Any) -> None:
    for run in RUNS:
        for key in COSTS:
            measured = fresh["headline"][run][key]
            known = committed["reference_scenario"][run][key]
            assert measured == pytest.approx(known, abs=1), (run, key)


@pytest.mark.local
def test_a_fresh_run_has_no_errors(fresh: Any) -> None:
    assert [fresh["headline"][run]["lambda_errors"] for run in RUNS] == [0, 0]


@pytest.mark.local
@pytest.mark.parametrize("name", SAMPLES)
def test_a_run_of_nothing_but_waits_takes_what_the_real_one_takes(fresh: Any, name: str) -> None:
    """They may differ in which of two siblings learns first that end at once, and in no more."""
    law = durations.Ours()
    for (_, group, took), measured in zip(
        islice(durations.life(name, 0, 3), 2), fresh["drawn"][name], strict=True
    ):
        law.group = group
        ran = Run(alike_trainings(took), law)()
        # One learns some seconds later where a look of a sibling's is between: seen, 1.5 s.
        assert ran.seconds == pytest.approx(measured["run_seconds"], abs=5)
        assert ran.transitions == pytest.approx(measured["state_transitions"], rel=0.05)
        assert ran.invocations == pytest.approx(measured["lambda_invocations"], rel=0.05)


def test_the_critical_path_is_the_longest_chain_of_the_service() -> None:
    assert Scenario("any").critical_path() == 30 + 60 + 900 + 3600 + 1200
    unused = Scenario("any", used=0)
    assert unused.critical_path() == 30 + 60 + 900 + 3600
    slow = Scenario("any", factors={"DatasetImportJob any-items*": 2.0})
    assert slow.critical_path() == Scenario("any").critical_path() + SERVICE["DatasetImportJob"]


def test_virtual_time_passes_when_all_wait_and_in_their_order() -> None:
    time = VirtualTime(START)
    seen: list[tuple[str, float]] = []

    def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            time.sleep(nap)
            seen.append((name, (time.now() - START).total_seconds()))

    def work() -> None:
        ends = [
            time.start(lambda: sleeper("a", 10, 20)),
            time.start(lambda: sleeper("b", 15, 3600)),
        ]
        for end in ends:
            time.wait_for(end)
        seen.append(("all", (time.now() - START).total_seconds()))

    time.run(work)
    assert seen == [("a", 10), ("b", 15), ("a", 30), ("b", 3615), ("all", 3615)]


def test_virtual_time_waits_for_what_was_begun_and_not_waited_for() -> None:
    time = VirtualTime(START)
    time.run(lambda: time.start(lambda: time.sleep(60)))
    assert time.now() == START + timedelta(seconds=60)


def test_virtual_time_tells_when_nothing_will_wake() -> None:
    time = VirtualTime(START)

    def work() -> None:
        endless = time.start(lambda: time.wait_for(endless))
        time.wait_for(endless)

    with pytest.raises(DeadlockError):
        time.run(work)


@pytest.fixture(scope="module")
def outages(assembly: Assembly) -> Any:
    """Return what became of runs through outages, in a process of its own."""
    path = {"PYTHONPATH": f"{ROOT / 'source'}:{ROOT}"}
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.outages", "--assembly", str(assembly.folder)],
        cwd=ROOT,
        env={**os.environ, **path},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.local
def test_no_outage_of_minutes_or_an_hour_fails_a_run_or_hides_what_it_did(outages: Any) -> None:
    calm = outages.pop("none")
    assert len(outages) > 10
    for name, found in outages.items():
        assert found["status"] == "SUCCEEDED", name
        for key in ("did", "failures", "durations", "made"):
            assert found[key] == calm[key], (name, key)
        beyond = 3600 if "hour" in name else 120
        assert found["seconds"] < calm["seconds"] + 2 * beyond, name
