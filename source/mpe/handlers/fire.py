"""A schedule fired: make a run of its task, unless the task still runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, table
from mpe.aws.clock import Clock
from mpe.aws.executions import Executions
from mpe.aws.tasks import Tasks
from mpe.handlers.settings import LOGGER, setting


@dataclass(frozen=True)
class Fire:
    """The adapters that a task starts through."""

    tasks: Tasks
    executions: Executions
    clock: Clock

    def __call__(self, group: str, task: str, execution: str) -> dict[str, Any]:
        """Return the run, or why there is none.

        A task that still runs is not started again: the fire is noted as skipped.
        """
        row = self.tasks.get(group, task)
        now = self.clock.now()
        if row is None:
            return {"run": {}, "skip": "the config no longer has this task"}
        last = row.get("last", {})
        other = last.get("execution") not in {None, execution}
        if other and last["status"] == "RUNNING" and self.executions.running(last["execution"]):
            self.tasks.set(group, task, skipped=now.isoformat())
            return {"run": {}, "skip": "its last run still runs"}
        digest = hashlib.sha256(execution.encode()).hexdigest()[:8]
        run = {
            "id": f"{now:%Y%m%dT%H%M%S}-{digest}",
            "group": group,
            "task": task,
            "started": now.isoformat(),
            "state": row["state"],
            "config": row["config"],
            "sequencer": row["sequencer"],
            "notes": [],
        }
        last = {
            "run": run["id"],
            "started": run["started"],
            "status": "RUNNING",
            "execution": execution,
        }
        self.tasks.set(group, task, last=last)
        return {"run": run}


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the scheduled-task workflow with a run."""
    LOGGER.set_correlation_id(event["execution"].rsplit(":", 1)[-1])
    fire = Fire(
        Tasks(table(setting("TASKS_TABLE"))),
        Executions(client("stepfunctions")),
        Clock.from_environment(),
    )
    answer = fire(event["group"], event["task"], event["execution"])
    LOGGER.info("fired", extra={"answer": answer})
    return answer
