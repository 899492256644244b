"""A schedule fired: make a run of its task, unless the task still runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, table
from mpe.aws.clock import Clock
from mpe.aws.executions import Executions
from mpe.aws.outages import outages_pass
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
        while True:
            row = self.tasks.get(group, task)
            if row is None:
                return {"run": {}, "skip": "the config no longer has this task"}
            seen = row.get("last", {}).get("execution")
            if seen != execution and self._runs(row.get("last", {})):
                self.tasks.set(group, task, skipped=self.clock.now().isoformat())
                return {"run": {}, "skip": "its last run still runs"}
            run = self._run(group, task, row, execution)
            last = {
                "run": run["id"],
                "started": run["started"],
                "status": "RUNNING",
                "execution": execution,
            }
            if self.tasks.claim(group, task, last, seen=seen):
                return {"run": run}

    def _runs(self, last: Mapping[str, Any]) -> bool:
        return last.get("status") == "RUNNING" and self.executions.running(last["execution"])

    def _run(self, group: str, task: str, row: Mapping[str, Any], execution: str) -> dict[str, Any]:
        now = self.clock.now()
        digest = hashlib.sha256(execution.encode()).hexdigest()[:8]
        return {
            "id": f"{now:%Y%m%dT%H%M%S}-{digest}",
            "group": group,
            "task": task,
            "started": now.isoformat(),
            "state": row["state"],
            "config": row["config"],
            "sequencer": row["sequencer"],
            "notes": [],
        }


@outages_pass()
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
