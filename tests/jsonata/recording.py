"""What the workflows' JSONata expressions are evaluated on in whole runs, in virtual time.

``python -m tests.jsonata.recording ASSEMBLY FILE`` writes it, of a synthesized app. One config
with everything is run, then one whose data are missing, one whose trainings fail, and a scheduled
task.
"""

from __future__ import annotations

import contextlib
import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.simulation import Cloud

from mpe.assembly.synthesis import Assembly
from mpe.emulator import Durations
from tests.everything import everything, files

Evaluation = dict[str, Any]
"""``expression`` and its ``bindings``: ``states`` and the variables."""


def record(assembly: Assembly) -> list[Evaluation]:
    """Return every evaluation of these runs."""
    cloud = Cloud(assembly)
    cloud.replace_service(_brief())
    found = _listen()
    for run in (_whole, _without_data, _failing, _scheduled):
        with contextlib.suppress(AssertionError):  # that it failed is what is wanted
            run(cloud)
    return found


def _brief() -> Durations:
    """Return durations that need few looks, which all evaluate the same expressions."""
    usual = Durations()
    return Durations(create={noun: seconds / 20 for noun, seconds in usual.create.items()})


def _listen() -> list[Evaluation]:
    from ministack.services import stepfunctions

    found: list[Evaluation] = []
    evaluate: Callable[..., Any] = stepfunctions._evaluate_jsonata

    def noted(
        expression: str, given: Any, context: Any = None, result: Any = None, error: Any = None
    ) -> Any:
        context = context or {}
        states = {"input": given, "result": result, "errorOutput": error, "context": context}
        bindings = {**context.get("variables", {}), "states": states}
        found.append(copy.deepcopy({"expression": expression, "bindings": bindings}))
        return evaluate(expression, given, context, result, error)

    stepfunctions._evaluate_jsonata = noted
    return found


def _whole(cloud: Cloud) -> None:
    for key, body in files().items():
        cloud.put(key, body)
    cloud.run("all", everything())


def _without_data(cloud: Cloud) -> None:
    cloud.run("none", everything("none"))


def _failing(cloud: Cloud) -> None:
    cloud.replace_service(_brief())
    cloud.service.faults.fail("SolutionVersion", "*", "The training failed.")
    cloud.service.faults.fail("Filter", "*", "The filter failed.")
    for key, body in files("bad").items():
        cloud.put(key, body)
    cloud.run("bad", everything("bad"))


def _scheduled(cloud: Cloud) -> None:
    (machine,) = (
        one["stateMachineArn"]
        for one in cloud.client("stepfunctions").list_state_machines()["stateMachines"]
        if "Scheduled" in one["name"]
    )
    cloud.time.run(
        lambda: cloud.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps({"group": "all", "task": "import"})
        )
    )


if __name__ == "__main__":
    recorded = record(Assembly.read(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(recorded, default=str))
