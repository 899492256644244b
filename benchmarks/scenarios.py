"""The scenarios that are run in virtual time: ``python -m benchmarks.scenarios --json``.

The reference scenario has three datasets with a CSV each, three solutions, one campaign and
one batch inference job. "Added" is the time from the upload to the end of the run, less the
time that the service itself takes for what must come one after the other.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from tests.everything import RECIPE, SCHEMAS, files

from benchmarks import durations
from benchmarks.drawn import SETS, Took, draw, last_end
from benchmarks.money import HOURS, of_stack
from benchmarks.simulation import Cloud, Latency, Meter
from mpe.assembly.synthesis import Assembly, synthesize
from mpe.emulator import Durations, Quotas

SERVICE = {
    "DatasetGroup": 30.0,
    "Schema": 0.0,
    "Dataset": 60.0,
    "DatasetImportJob": 900.0,
    "Solution": 0.0,
    "SolutionVersion": 3600.0,
    "Campaign": 600.0,
    "BatchInferenceJob": 1200.0,
}
"""Seconds that the service takes, in the reference scenario."""
SHORTER_PATH = 5735.0
"""The critical path as it is counted elsewhere: the sum where a dataset takes 5 s, not 60."""
NONE = Latency()
WARM = Latency(invocation=0.3, transition=0.05)
"""A warm function that makes a few calls, and Step Functions' own overhead per state."""
DATASETS = ("interactions", "items", "users")
RAISED = Quotas(solutions=200, campaigns=100, training=200, batch_jobs=100, dataset_groups=50)
MANY = 200
"""Solutions that all fail."""
FIFTY = 50
"""Dataset groups."""
RULE = {"detail-type": "Scheduled Event", "detail": {}}
"""What a rule that fires at a rate gives to a function."""
LONG_REASON = "The data of this training is not enough. " * 12
QUICK = {**dict.fromkeys(SERVICE, 5.0), "Schema": 0.0, "Solution": 0.0}
"""Seconds that the service takes where only what there is of things is looked at."""
GATES = ("off", "observe")
FACTORS = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)
SEEDS = range(5)
SAMPLES = ("samples",)
"""The sets of which one draw is run with the real handlers."""


@dataclass(frozen=True)
class Scenario:
    """A dataset group with some solutions, of which some have a campaign and a batch job."""

    group: str
    solutions: int = 3
    used: int = 1
    """How many of the solutions have a campaign and a batch inference job."""
    seconds: Mapping[str, float] = field(default_factory=lambda: SERVICE)
    factors: Mapping[str, float] = field(default_factory=dict)
    """How much longer single resources take, by noun and name."""
    mode: str | None = None
    """The mode of its gate, where its config says one."""

    def config(self) -> dict[str, Any]:
        gate = {"workflowConfig": {"gate": {"mode": self.mode}}} if self.mode else {}
        return {
            "datasetGroup": {"serviceConfig": {"name": self.group}, **gate},
            "datasets": {kind: self._dataset(kind) for kind in DATASETS},
            "solutions": [self._solution(number) for number in range(self.solutions)],
        }

    def _dataset(self, kind: str) -> dict[str, Any]:
        name = f"{self.group}-{kind}"
        return {
            "dataset": {"serviceConfig": {"name": name}},
            "schema": {"serviceConfig": {"name": name, "schema": SCHEMAS[kind]}},
        }

    def _solution(self, number: int) -> dict[str, Any]:
        name = f"{self.group}-{number}"
        recipe = f"{RECIPE}aws-popularity-count"
        solution = {"serviceConfig": {"name": name, "recipeArn": recipe}}
        use = {"campaigns": [{"serviceConfig": {"name": name}}], "batchInferenceJobs": [{}]}
        return {**solution, **(use if number < self.used else {})}

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the keys and bodies of what lies in the bucket before the config."""
        for key, body in files(self.group).items():
            if key.startswith("train/") and key.split("/")[2].split(".")[0] in DATASETS:
                yield key, body
        for number in range(self.used):
            key = f"batch/{self.group}/{self.group}-{number}/job_config.json"
            yield key, '{"userId": "u1"}\n'

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield noun and name of everything that takes its time."""
        for kind in DATASETS:
            for noun in ("Dataset", "DatasetImportJob"):
                yield noun, f"{self.group}-{kind}"
        for number in range(self.solutions):
            yield "SolutionVersion", f"{self.group}-{number}"
            if number < self.used:
                yield "Campaign", f"{self.group}-{number}"
                yield "BatchInferenceJob", f"{self.group}-{number}"

    def takes(self, noun: str, name: str) -> float:
        return self.seconds[noun] * self.factors.get(_which(noun, name), 1.0)

    def critical_path(self) -> float:
        """Return the seconds of the service's own longest chain: nobody can be faster."""
        data = max(self._chain(f"{self.group}-{kind}", "Dataset", "DatasetImportJob")
                   for kind in DATASETS)  # fmt: skip
        return self.takes("DatasetGroup", self.group) + data + max(self._trained())

    def _trained(self) -> Iterator[float]:
        for number in range(self.solutions):
            name = f"{self.group}-{number}"
            trained = self._chain(name, "Solution", "SolutionVersion")
            used = (self.takes(noun, name) for noun in ("Campaign", "BatchInferenceJob"))
            yield trained + (max(used) if number < self.used else 0.0)

    def _chain(self, name: str, *nouns: str) -> float:
        return sum(self.takes(noun, name) for noun in nouns)


def _which(noun: str, name: str) -> str:
    """Return which resources share a factor: versions bear the run's name, so all of them do."""
    return f"{noun} *" if noun == "SolutionVersion" else f"{noun} {name}*"


def prepare(cloud: Cloud, scenario: Scenario, quotas: Quotas | None = None) -> None:
    """Give the scenario a service without resources, and its files."""
    durations = Durations()
    durations.create.update(scenario.seconds)
    cloud.replace_service(durations, quotas)
    _place(cloud, scenario)


def _place(cloud: Cloud, scenario: Scenario) -> None:
    """Give another scenario to the same service, and its files."""
    for which, factor in scenario.factors.items():
        noun, name = which.split()
        cloud.service.faults.slow(noun, name, factor)
    for key, body in scenario.files():
        cloud.put(key, body)


def provision(cloud: Cloud, scenario: Scenario, quotas: Quotas | None = None) -> dict[str, Any]:
    """Provision all of it and return what it took."""
    prepare(cloud, scenario, quotas)
    return told(cloud.run(scenario.group, scenario.config()), scenario)


def told(meter: Meter, scenario: Scenario) -> dict[str, Any]:
    path = scenario.critical_path()
    return {
        "added_seconds": round(meter.seconds - path, 1),
        "lambda_invocations": meter.invocations.total(),
        "lambda_errors": len(meter.errors),
        "state_transitions": meter.transitions.total(),
        "critical_path_seconds": path,
        "run_seconds": round(meter.seconds, 1),
        "added_share": round((meter.seconds - path) / path, 5),
        "longest_history_events": max(meter.events.values()),
        "largest_state_bytes": meter.largest_state,
        "largest_row_bytes": meter.largest_row,
    }


def first_and_known(cloud: Cloud, scenario: Scenario) -> dict[str, Any]:
    """Run where nothing ever ran, and again where only the durations are known."""
    cloud.forget_durations()
    return {
        "first_run": provision(cloud, scenario),
        "known_durations": provision(cloud, scenario),
    }


def headline(cloud: Cloud) -> dict[str, Any]:
    """Return the two runs of the reference scenario that its targets are of."""
    cloud.latency = WARM
    return first_and_known(cloud, Scenario("reference"))


def reference(cloud: Cloud) -> dict[str, Any]:
    """Return the reference scenario, with what is ours taking its time and taking none."""
    found = headline(cloud)
    for one in found.values():
        one["seconds_over_5735"] = round(one["run_seconds"] - SHORTER_PATH, 1)
    cloud.meter = Meter()
    unchanged = told(cloud.run("reference", Scenario("reference").config()), Scenario("reference"))
    found["nothing_to_do"] = {
        key: unchanged[key]
        for key in ("run_seconds", "lambda_invocations", "lambda_errors", "state_transitions")
    }
    cloud.latency = NONE
    found["without_latency"] = first_and_known(cloud, Scenario("reference"))
    cloud.latency = WARM
    shorter = Scenario("reference", seconds={**SERVICE, "Dataset": 5.0})
    found["critical_path_of_5735"] = first_and_known(cloud, shorter)
    return found


def money(cloud: Cloud) -> dict[str, Any]:
    """Return what the runs of the reference scenario, and a month without any, are billed as."""
    cloud.latency = WARM
    cloud.forget_durations()
    runs = {}
    for name in ("first run", "known durations"):
        provision(cloud, Scenario("billed"))
        runs[name] = counted(cloud.meter)
    cloud.meter = Meter()
    runs["nothing to do"] = counted(cloud.run("billed", Scenario("billed").config()))
    return {
        "runs": runs,
        "look": looked(cloud),
        "stack": of_stack(json.loads(cloud.assembly.template.read_text())),
    }


def looked(cloud: Cloud) -> dict[str, float]:
    """Return what one look of the function at a rate is billed as, and its metrics."""
    meter = cloud.call("tend", RULE)
    return {**meter.billed, "metrics": len(meter.metric_hours)}


def counted(meter: Meter) -> dict[str, float]:
    """Return what a run is billed as, by the names of the prices."""
    transitions = meter.transitions.total()
    months = len(meter.metric_hours) / HOURS
    return {**meter.billed, "state_transitions": transitions, "metric_months": months}


def gated(cloud: Cloud) -> dict[str, Any]:
    """Return the reference scenario without a gate, and with one that observes, as is usual."""
    cloud.latency = WARM
    return {mode: first_and_known(cloud, Scenario("gated", mode=mode)) for mode in GATES}


def unlike(cloud: Cloud) -> dict[str, Any]:
    """Return what becomes of the reference scenario where the service is not as expected."""
    cloud.latency = WARM
    first, next_group = {}, {}
    for factor in FACTORS:
        cloud.forget_durations()
        slower = {noun: seconds * factor for noun, seconds in SERVICE.items()}
        first[f"{factor}"] = provision(cloud, Scenario("reference", seconds=slower))
        next_group[f"{factor}"] = provision(cloud, Scenario("another", seconds=slower))
    known = {}
    for spread in (0.02, 0.05, 0.1):
        runs = [_twice(cloud, spread, seed) for seed in SEEDS]
        known[f"{spread}"] = averaged(runs)
    return {
        "first_run_by_factor": first,
        "next_dataset_group_by_factor": next_group,
        "known_durations_by_spread": known,
    }


def _twice(cloud: Cloud, spread: float, seed: int) -> dict[str, Any]:
    """Run twice with durations that differ at random, and return the second run."""
    chance = random.Random(seed)
    cloud.forget_durations()
    found: dict[str, Any] = {}
    for _ in range(2):
        plain = Scenario("reference")
        factors = {
            which: chance.uniform(1 - spread, 1 + spread)
            for which in sorted({_which(*one) for one in plain.names()})
        }
        found = provision(cloud, Scenario("reference", factors=factors))
    return found


def averaged(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    runs = list(runs)
    keys = ("added_seconds", "lambda_invocations", "lambda_errors", "state_transitions")
    return {key: round(mean(run[key] for run in runs), 1) for key in keys}


def growth(cloud: Cloud) -> dict[str, Any]:
    """Return what more solutions cost, each with a campaign and a batch job.

    Everything is quick: what hours of looks add, :func:`benchmarks.durations.growth` tells in a
    minute, where they would take half an hour here.
    """
    cloud.latency = WARM
    found = {}
    for count in (1, 10, 100):
        cloud.forget_durations()
        scenario = Scenario(f"grown{count}", solutions=count, used=count, seconds=QUICK)
        found[f"{count}"] = provision(cloud, scenario, RAISED)
    return found


def failing(cloud: Cloud) -> dict[str, Any]:
    """Return what is left of many solutions of which every training fails, with a long reason."""
    cloud.latency = WARM
    cloud.forget_durations()
    scenario = Scenario("failing", solutions=MANY, used=0, seconds=QUICK)
    prepare(cloud, scenario, RAISED)
    for _ in range(MANY):
        cloud.service.faults.fail("SolutionVersion", "*", LONG_REASON)
    cloud.upload(scenario.group, scenario.config())
    assert cloud.status() == "FAILED", cloud.why()
    return told(cloud.meter, scenario)


def groups(cloud: Cloud) -> dict[str, Any]:
    """Return what one group takes, and many whose configs are uploaded at the same moment.

    With it comes what the function that looks after models takes of them at a time.
    """
    cloud.latency = WARM
    found = {}
    for count in (1, FIFTY):
        cloud.forget_durations()
        some = [Scenario(f"of{count}-{one}", solutions=1, seconds=QUICK) for one in range(count)]
        found[f"{count}"] = {**_together(cloud, some), "look": looked(cloud)}
    return found


def _together(cloud: Cloud, some: Sequence[Scenario]) -> dict[str, Any]:
    """Provision groups whose configs are uploaded at the same moment."""
    prepare(cloud, some[0], RAISED)
    for scenario in some[1:]:
        _place(cloud, scenario)
    cloud.upload_all({one.group: one.config() for one in some})
    assert cloud.statuses(len(some)) == {"SUCCEEDED"}, cloud.why()
    return told(cloud.meter, some[0])


def groups_on_sets(cloud: Cloud) -> dict[str, Any]:
    """Return the same where each thing takes as long as was drawn for it, but for trainings.

    Those all take what is usual. "Added" is until the last group is done, beyond what the service
    takes where nobody is late in anything.
    """
    cloud.latency = WARM
    return {name: {f"{count}": _drawn_together(cloud, name, count) for count in (1, FIFTY)}
            for name in SAMPLES}  # fmt: skip


def _drawn_together(cloud: Cloud, name: str, count: int) -> dict[str, Any]:
    cloud.forget_durations()
    usual = SETS[name]["SolutionVersion"].median
    seconds = {**SERVICE, "SolutionVersion": usual}
    took = {f"{name}-{one:02}x": _drawn_once(name, one, usual) for one in range(count)}
    found = _together(
        cloud,
        [
            Scenario(group, solutions=1, seconds=seconds, factors=_factors(group, drawn, seconds))
            for group, drawn in took.items()
        ],
    )
    return {**found, **_beyond(cloud.meter, last_end(list(took.values()), RAISED.importing))}


def _drawn_once(name: str, seed: int, training: float) -> Took:
    (took,) = draw(name, seed, runs=1, solutions=1, used=1)
    return {**took, ("SolutionVersion", 0): training}


def _factors(group: str, took: Took, seconds: Mapping[str, float] = SERVICE) -> dict[str, float]:
    """Return how much longer than so many seconds each thing takes, versions as the first does."""
    return {
        _which(noun, _named(noun, group, number)): drawn / seconds[noun]
        for (noun, number), drawn in took.items()
        if drawn and (noun, number > 0) != ("SolutionVersion", True)
    }


def _beyond(meter: Meter, least: float) -> dict[str, float]:
    """Return what a run added to the least that it could take."""
    added = meter.seconds - least
    return {
        "critical_path_seconds": round(least, 1),
        "added_seconds": round(added, 1),
        "added_share": round(added / least, 5),
    }


def queued(cloud: Cloud) -> dict[str, Any]:
    """Return what it costs where the service's quotas make twenty solutions queue.

    Five batch jobs run at a time, so the service itself takes four rounds of them.
    """
    cloud.latency = WARM
    cloud.forget_durations()
    quotas = Quotas(solutions=20, campaigns=20)
    scenario = Scenario("queued", solutions=20, used=20)
    found = provision(cloud, scenario, quotas)
    rounds = scenario.used / quotas.batch_jobs - 1
    path = scenario.critical_path() + rounds * SERVICE["BatchInferenceJob"]
    return {**found, **_beyond(cloud.meter, path)}


def drawn(cloud: Cloud) -> dict[str, Any]:
    """Return one draw of durations as in public, of which the pure simulation says the same.

    All trainings of a group take the same here, since versions bear the run's name alone.
    """
    cloud.latency = WARM
    cloud.forget_durations()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SAMPLES}
    for name, runs in found.items():
        for _, group, took in itertools.islice(durations.life(name, 0, 3), 2):
            named = f"{name}-{group}"
            scenario = Scenario(named, factors=_factors(named, took))
            runs.append(provision(cloud, scenario))
    return found


def alike_trainings(took: Took) -> Took:
    """Return a draw in which all trainings take as long as the first."""
    training = took["SolutionVersion", 0]
    return {part: training if part[0] == "SolutionVersion" else took[part] for part in took}


def _named(noun: str, group: str, number: int) -> str:
    """Return the name of one of a group's resources."""
    if noun == "DatasetGroup":
        return group
    of_dataset = noun in {"Dataset", "DatasetImportJob"}
    return f"{group}-{DATASETS[number] if of_dataset else number}"


PARTS = {
    "reference_scenario": reference,
    "money": money,
    "gate": gated,
    "unlike_expected": unlike,
    "growth": growth,
    "failing": failing,
    "groups": groups,
    "groups_on_sets": groups_on_sets,
    "queued": queued,
    "drawn": drawn,
}


MORE = {"headline": headline}
"""What the tests run again, of what is a part of another."""


def measure(assembly: Assembly, parts: Iterable[str] = PARTS) -> dict[str, Any]:
    cloud = Cloud(assembly)
    return {part: (PARTS | MORE)[part](cloud) for part in parts}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS | MORE))
    parser.add_argument("--json", action="store_true", help="print JSON (there is no other form)")
    parser.add_argument("--assembly", type=Path, help="a synthesized app, else it is synthesized")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        assembly = (
            Assembly.read(given.assembly)
            if given.assembly
            else synthesize(Path(folder) / "cdk.out")
        )
        print(json.dumps(measure(assembly, given.parts), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
