"""Outages in virtual time: ``python -m benchmarks.outages``, which prints JSON.

A service answers all calls with server errors for a while, in the middle of a run that takes
half an hour of it, through the real workflow and the real handlers. Two minutes at each
moment at which something happens, and an hour for what a run cannot do without. One solution has
each kind of resource; siblings would only make the same calls more often, as would jobs that take
as long as those of the reference scenario.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scenarios import SERVICE, WARM, Scenario, prepare
from benchmarks.simulation import Cloud
from mpe.assembly.synthesis import Assembly, synthesize

SERVICES = ("dynamodb", "events", "s3", "personalize")
MINUTES, HOUR = 2 * 60, 60 * 60
BRIEF = {"DatasetImportJob": 300.0, "SolutionVersion": 900.0, "BatchInferenceJob": 600.0}
STEADY = Scenario("steady", solutions=1, seconds={**SERVICE, **BRIEF})
IMPORTED = sum(STEADY.seconds[noun] for noun in ("DatasetGroup", "Dataset", "DatasetImportJob"))
MOMENTS = {"beginning": 0.5, "import": IMPORTED, "end": STEADY.critical_path() - 10}
"""Seconds after the upload: the run takes its turn, the imports are done, nearly all is."""
TRAINING = IMPORTED + BRIEF["SolutionVersion"] / 4


def cases() -> Iterator[tuple[str, tuple[tuple[str, float, float], ...]]]:
    """Yield outages by what they are called."""
    yield "none", ()
    for service in SERVICES:
        for moment, at in MOMENTS.items():
            yield f"{service} for two minutes, {moment}", ((service, at, MINUTES),)
    for service in ("dynamodb", "events"):
        yield f"{service} for an hour, training", ((service, TRAINING, HOUR),)
    both = tuple((service, IMPORTED - 5, MINUTES) for service in ("dynamodb", "events"))
    yield "dynamodb and events for two minutes, import", both


def outcome(cloud: Cloud, scenario: Scenario, *outages: tuple[str, float, float]) -> dict[str, Any]:
    """Return what became of a run from nothing, and what people and programs were told."""
    cloud.forget_durations()
    prepare(cloud, scenario)
    heard: list[dict[str, Any]] = cloud.listen()
    cloud.upload(scenario.group, scenario.config(), *outages)
    changes = Counter(
        f"{one['detail-type'].split()[1]} {one['detail']['Status']}"
        for one in heard
        if one["detail-type"].startswith("Personalize") and "Duration" in one["detail"]
    )
    (told,) = [one["detail"] for one in heard if one["detail-type"].startswith("Maintenance")]
    return {
        "status": cloud.status(),
        "seconds": cloud.meter.seconds,
        "errors": len(cloud.meter.errors),
        "did": sorted(f"{one['Did']} {one['Resource']}" for one in told["Changes"]),
        "failures": told["Failures"],
        "durations": dict(changes),
        "made": {key: len(found) for key, found in cloud.made().items()},
        "longest_history_events": max(cloud.meter.events.values()),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, help="a synthesized app, else it is synthesized")
    given = parser.parse_args(arguments).assembly
    with tempfile.TemporaryDirectory() as folder:
        assembly = Assembly.read(given) if given else synthesize(Path(folder) / "cdk.out")
        cloud = Cloud(assembly, WARM)
        found = {name: outcome(cloud, STEADY, *outages) for name, outages in cases()}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
