"""A schedule fired: make a run of its task, unless the task still runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.events import RUN_CHANGED, Events, EventSink
from mpe.aws.executions import Executions
from mpe.aws.outages import outages_pass
from mpe.aws.tasks import Tasks
from mpe.handlers.settings import LOGGER, setting
from mpe.model.errors import NewerForm
from mpe.model.plan.forms import RUN
from mpe.model.remedies import Where, remedy


@dataclass(frozen=True)
class Fire:
    """The adapters that a task starts through."""

    tasks: Tasks
    executions: Executions
    events: EventSink
    clock: Clock
    stack: str
    """The name of the stack, which people are told."""

    def __call__(
        self, group: str, task: str, execution: str, scheduled: str | None = None
    ) -> dict[str, Any]:
        """Return the run, or why there is none.

        ``scheduled`` is the moment that the schedule is for, and the key of the fire: Scheduler may
        deliver one again, also after the run of the first delivery has ended, and a second of
        the same moment does nothing
        (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html). Somebody
        who fires a task by hand gives none. A task that still runs is not started again: the fire
        is noted as skipped.
        """
        while True:
            try:
                row = self.tasks.get(group, task)
            except NewerForm as error:
                self._tell(group, task, execution, error)
                return {"run": {}, "skip": str(error)}
            if row is None:
                return {"run": {}, "skip": "the config no longer has this task"}
            seen = row.get("last", {}).get("execution")
            idle = self._idle(row, scheduled) if seen != execution else None
            if idle:
                self.tasks.skip(group, task, self.clock.now(), scheduled)
                return {"run": {}, "skip": idle}
            run = self._run(group, task, row, execution)
            last = {
                "run": run["id"],
                "started": run["started"],
                "status": "RUNNING",
                "execution": execution,
            }
            if self.tasks.claim(group, task, last, seen=seen, scheduled=scheduled):
                return {"run": RUN.marked(run)}

    def _idle(self, row: Mapping[str, Any], scheduled: str | None) -> str | None:
        """Return why this fire starts nothing, or None where it does."""
        if scheduled and scheduled in row.get("fired", ()):
            return f"its fire of {scheduled} was delivered before"
        if scheduled and "disabled" in row:
            return "it is disabled"
        return "its last run still runs" if self._runs(row.get("last", {})) else None

    def _runs(self, last: Mapping[str, Any]) -> bool:
        return last.get("status") == "RUNNING" and self.executions.running(last["execution"])

    def _tell(self, group: str, task: str, execution: str, error: NewerForm) -> None:
        """Tell of a fire that came to nothing, since its row cannot be read, as of a failed run."""
        failure = {
            "Resource": "Task",
            "Name": task,
            "Path": "",
            "Error": type(error).__name__,
            "Reason": str(error),
            "Remedy": remedy("Task", type(error).__name__, str(error), Where(group, task=task)),
        }
        detail = {
            "DatasetGroup": group,
            "Run": "",
            "Task": task,
            "Stack": self.stack,
            "Status": "FAILED",
            "ExecutionArn": execution,
            "Duration": 0,
            "Config": "unknown",
            "Changes": [],
            "Changed": 0,
            "Kept": 0,
            "Failures": [failure],
            "Failed": 1,
            "Notes": [],
        }
        self.events.put(RUN_CHANGED, detail)

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


made_in_init("dynamodb", "events", "stepfunctions")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the scheduled-task workflow with a run."""
    LOGGER.set_correlation_id(event["execution"].rsplit(":", 1)[-1])
    fire = Fire(
        Tasks(table(setting("TASKS_TABLE"))),
        Executions(client("stepfunctions")),
        Events(client("events"), setting("EVENT_BUS")),
        Clock.from_environment(),
        setting("STACK"),
    )
    scheduled = event.get("scheduled") or None
    answer = fire(event["group"], event["task"], event["execution"], scheduled)
    LOGGER.info("fired", extra={"answer": answer})
    return answer
