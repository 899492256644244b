"""A scheduled task ended: note how, and disable it where its resource is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.outages import outages_pass
from mpe.aws.schedules import Schedules
from mpe.aws.tasks import Tasks
from mpe.handlers.settings import LOGGER, setting
from mpe.model.plan.reconcile import MISSING
from mpe.model.plan.tasks import GONE, schedule_name


@dataclass(frozen=True)
class Settle:
    """The adapters that a task ends through."""

    tasks: Tasks
    schedules: Schedules
    clock: Clock

    def __call__(
        self, run: Mapping[str, Any], execution: str, failure: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Record the outcome in the task's row; it may have been removed meanwhile."""
        error = str(failure.get("error", "")) if failure else ""
        last = {
            "run": run["id"],
            "started": run["started"],
            "ended": self.clock.now().isoformat(),
            "status": "FAILED" if failure else "SUCCEEDED",
            "execution": execution,
            **({"error": error} if error else {}),
        }
        values: dict[str, Any] = {"last": last}
        if error == MISSING:  # it would fail again for ever
            values["disabled"] = GONE
        self.tasks.set(run["group"], run["task"], **values)
        if error == MISSING:  # after the row, as mpe.handlers.schedule expects
            self.schedules.enable(schedule_name(run["group"], run["task"]), enabled=False)
        return {"succeeded": not failure, "error": error}


def failure_of(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the error and cause of a run that failed, as the workflow has unwrapped them."""
    if not result.get("failed"):
        return None
    return {"error": result.get("error", ""), "cause": result.get("cause", "")}


made_in_init("dynamodb", "scheduler")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the scheduled-task workflow with the verdict."""
    run = event["run"]
    LOGGER.set_correlation_id(run["id"])
    settle = Settle(
        Tasks(table(setting("TASKS_TABLE"))),
        Schedules(client("scheduler"), setting("SCHEDULE_GROUP")),
        Clock.from_environment(),
    )
    verdict = settle(run, event["execution"], failure_of(event["result"]))
    LOGGER.info("settled", extra={"verdict": verdict})
    return verdict
