#!/usr/bin/env python3
"""The most memory that each function takes, in a process of its own as Lambda gives it one.

python benchmarks/memory.py [--json FILE]

The whole stack runs in virtual time (``benchmarks/simulation.py``), but each function in a fresh
interpreter with the code and the libraries as built, from its init to its last call: a run of
everything that a dataset group can have, then one of the largest config, which fails at once. What
is measured is the peak of what a process has in memory. Lambda's own runtime in it, and data that
is larger than the run's, are not in these figures: hence the margin. What ten million rows take,
``benchmarks/gate_costs.py`` tells.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.local.one_of_each import changed, files, first

from benchmarks import billed
from benchmarks.scenarios import QUICK, RAISED, RULE
from benchmarks.simulation import ENVIRONMENT, Cloud
from benchmarks.wall_clock import large_config, peak_kib
from mpe.assembly.synthesis import Assembly, synthesize
from mpe.emulator import Durations
from mpe.infrastructure.package import LOCAL, code, layer

MARGIN = 1.5
"""How many times what is measured a function has, at the least."""
GROUP = "all"
Found = dict[str, Any]


class Process:
    """A function in a process of its own."""

    def __init__(self, places: str, handler: str, variables: Mapping[str, str]) -> None:
        reads, self._goes = os.pipe()
        self._comes, writes = os.pipe()
        program = Path(__file__).parent / "as_lambda.py"
        pipes = (str(reads), str(writes))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", program, places, handler, *pipes],
            pass_fds=(reads, writes),
            stdout=subprocess.DEVNULL,
            env={"AWS_LAMBDA_FUNCTION_NAME": handler},
        )
        os.close(reads)
        os.close(writes)
        self._in, self._out = os.fdopen(self._comes, "rb"), os.fdopen(self._goes, "wb")
        self.tell({**ENVIRONMENT, **variables})
        self.hear()
        self.begun = peak_kib(self._process.pid)

    def tell(self, told: Any) -> None:
        pickle.dump(told, self._out)
        self._out.flush()

    def hear(self) -> Any:
        return pickle.load(self._in)

    def peak(self) -> int:
        return peak_kib(self._process.pid)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it did not take
            self._out.close()
        self._in.close()


class Apart(Cloud):
    """A cloud whose functions have processes of their own."""

    def __init__(self, assembly: Assembly, places: str) -> None:
        super().__init__(assembly)
        self._places = places
        self._processes: dict[str, tuple[Mapping[str, Any], Process]] = {}

    def handle(self, config: Mapping[str, Any], event: dict[str, Any], context: Any) -> Any:
        process = self._process_of(config)
        given = {key: value for key, value in vars(context).items() if not callable(value)}
        given["timeout"] = config["Timeout"]
        plain = json.loads(json.dumps(event))  # the engine's own lists are no lists
        process.tell((plain, self.time.now(), given))
        while (told := process.hear())[0] == "asks":
            process.tell(self.serve(billed.Request(*told[1:])))
        if told[0] == "fails":
            raise type(told[1], (Exception,), {})(told[2])
        return told[1]

    def _process_of(self, config: Mapping[str, Any]) -> Process:
        name = config["FunctionName"]
        if name not in self._processes:
            module = config["Handler"].rpartition(".")[0]
            variables = config.get("Environment", {}).get("Variables", {})
            self._processes[name] = (config, Process(self._places, module, variables))
        return self._processes[name][1]

    def found(self) -> Found:
        """Return what the functions took, by their handler and, of several, by their type."""
        return {
            named(config["Handler"], config["Description"]): {
                "begun_mb": round(process.begun / 1024),
                "peak_mb": round(process.peak() / 1024),
                "configured_mb": config["MemorySize"],
            }
            for config, process in self._processes.values()
        }

    def stop(self) -> None:
        for _, process in self._processes.values():
            process.stop()


def named(handler: str, description: str) -> str:
    """Return what a function is called: its handler and, of several, the type that it is for."""
    module, noun = handler.split(".")[2], description.split()[2]  # Move a Campaign of ...
    return f"{module} {noun}" if module == "ensure" else module


def functions(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the properties of the functions of a template by what they are called."""
    found = (
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    )
    return {named(one["Handler"], one["Description"]): one for one in found}


def live(cloud: Apart) -> None:
    """Let every function work that the stack has."""
    heard = cloud.listen()
    _twice(cloud)
    _alone(cloud)
    _report(cloud, next(one for one in heard if one["detail-type"].startswith("Maintenance")))
    _largest(cloud)


def _twice(cloud: Cloud) -> None:
    """Provision a group with one of each type, then change and remove some of it."""
    durations = Durations()
    durations.create.update(dict.fromkeys(durations.create, 5.0))
    cloud.replace_service(durations, RAISED)
    for key, body in files(GROUP).items():
        cloud.put(key, body)
    cloud.run(GROUP, first(GROUP))
    following = changed(GROUP)
    following["datasetGroup"]["workflowConfig"] = {
        **first(GROUP)["datasetGroup"]["workflowConfig"],
        "onRemoval": "delete",
    }
    del following["filters"]
    cloud.run(GROUP, following)


def _alone(cloud: Cloud) -> None:
    """Call what no run calls: for a task, a run that was stopped, and data that is large."""
    fired = {"group": GROUP, "task": "import", "execution": "arn:one"}
    run = cloud.answer("fire", fired)["run"]
    cloud.answer("settle", {"run": run, "execution": "arn:one", "result": {}})
    stopped = {"input": json.dumps({"run": run}), "status": "ABORTED", "executionArn": "arn:one"}
    cloud.answer("bury", {"detail-type": "", "detail": stopped})
    cloud.answer("tend", RULE)
    cloud.answer("profiling", {"detail-type": "", "detail": _asked(cloud)})


def _report(cloud: Apart, event: Mapping[str, Any]) -> None:
    """Call what is deployed only where use is reported, with an endpoint that nobody listens at."""
    properties = functions(json.loads(cloud.assembly.template.read_text()))["usage"]
    variables = {"ENDPOINT": "http://127.0.0.1:9/", "VERSION": "0", "INSTALLATION": "0"}
    names = {"FunctionName": "usage", "FunctionArn": "arn:usage"}
    config = {**properties, **names, "Environment": {"Variables": variables}}
    cloud.time.run(lambda: cloud.invoke({"config": config}, dict(event)))


def _asked(cloud: Cloud) -> dict[str, Any]:
    """Return a wish to have data counted, as an import step has it."""
    until = (cloud.time.now() + timedelta(minutes=15)).isoformat()
    data = {"bucket": cloud.bucket, "file": f"train/{GROUP}/interactions.csv"}
    asked = {"DatasetGroup": GROUP, "Dataset": "dataset.interactions", "Key": "key", "Job": "job"}
    return {**asked, "Data": data, "Items": None, "Until": until}


def _largest(cloud: Cloud) -> None:
    """Upload the largest config that is right, to a service that refuses to make its group."""
    cloud.replace_service(Durations(create=dict(QUICK)), RAISED)
    cloud.service.faults.error("CreateDatasetGroup", "InvalidInputException", "no", times=9)
    cloud.upload("large", json.loads(large_config()))
    assert cloud.status() == "FAILED", cloud.why()


def measure(assembly: Assembly) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        places = os.pathsep.join([str(code(LOCAL, Path(folder))), str(layer(LOCAL) / "python")])
        cloud = Apart(assembly, places)
        try:
            live(cloud)
            return cloud.found()
        finally:
            cloud.stop()


def missed(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"memory: {name} has {one['configured_mb']} MB, {MARGIN} times {one['peak_mb']} was wanted"
        for name, one in found.items()
        if one["configured_mb"] < MARGIN * one["peak_mb"]
    ]


def lines(found: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield f"{'MB':<26} {'after init':>10} {'at most':>8} {'has':>6}"
    for name, one in sorted(found.items()):
        yield f"{name:<26} {one['begun_mb']:>10} {one['peak_mb']:>8} {one['configured_mb']:>6}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="where the figures are written")
    parser.add_argument("--assembly", type=Path, help="a synthesized app, else it is synthesized")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(
            Assembly.read(given.assembly)
            if given.assembly
            else synthesize(Path(folder) / "cdk.out")
        )
    wrong = missed(found)
    print("\n".join([*lines(found), *(wrong or ["every target is met"])]))
    if given.json:
        given.json.write_text(json.dumps({"functions": found, "missed": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
