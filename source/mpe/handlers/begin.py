"""A run's first step: wait for its turn in the dataset group, then fetch the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.executions import Executions
from mpe.aws.objects import Objects, Pointer
from mpe.aws.outages import outages_pass
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Claim, Place, Turns
from mpe.handlers.settings import LOGGER, setting
from mpe.model.plan.desired import complete
from mpe.model.plan.forms import RUN

NEXT_ASK = 30
"""Seconds until a run that waits for its turn asks again, at first."""
LAST_ASK = 2 * 60
"""The same once it has waited long: of the 25,000 events that Step Functions keeps of an execution,
each time takes 9, and the run before it may work for two days
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
PATIENCE = 1 / 20
"""The share of what it has waited that it may wait in vain."""


@dataclass(frozen=True)
class Begin:
    """The adapters that a run begins through."""

    objects: Objects
    turns: Turns
    tasks: Tasks
    executions: Executions
    clock: Clock

    def __call__(
        self,
        claim: Claim,
        state: Pointer,
        task: str | None = None,
        since: datetime | None = None,
    ) -> dict[str, Any]:
        """Return the work, or ``wait`` for one's turn, or that the run is ``superseded``.

        Of those that wait, configs go first, then who has waited longest. The longer it waits,
        since its execution started, the less often it asks: nobody takes its place meanwhile.
        A config is superseded by a newer one. A scheduled task waits for its turn, and is
        superseded where its config was provisioned anew meanwhile: it is fired again then.
        """
        if task is None and not self.turns.is_newest(claim):
            self.turns.step_out(claim.group, claim.execution)
            return {"superseded": True}
        now = self.clock.now()
        place = Place(task is not None, since or now, claim.execution)
        if not self._has_its_turn(claim, place):
            waited = (now - place.since).total_seconds()
            wait = round(min(max(waited * PATIENCE, NEXT_ASK), LAST_ASK))
            self.turns.line_up(claim.group, place, now, timedelta(seconds=wait))
            return {"wait": wait}
        self.turns.step_out(claim.group, claim.execution)
        if task is not None and not self._current(claim.group, task, state):
            self.turns.give_back(claim.group, claim.execution)
            return {"superseded": True}
        started = self.clock.now().isoformat()  # after the run before it had ended
        row = {"status": "RUNNING", "started": started, "execution": claim.execution}
        row |= {"task": task} if task else {}
        if self._starts(claim):
            self.turns.record(claim.group, claim.run, row)
        desired = self.objects.state_of_run(state)
        if task:
            return {"work": complete(desired.tasks[task].work)}
        return {"work": {**complete(desired.work), "onRemoval": desired.on_removal}}

    def _has_its_turn(self, claim: Claim, place: Place) -> bool:
        """Take the turn where nobody is to have it first; who has it already keeps it."""
        now = self.clock.now()
        if self.turns.ahead(claim.group, place, now) and not self.turns.holds(
            claim.group, claim.run
        ):
            return False
        return self.turns.take_turn(claim, self.executions, now) is None

    def _starts(self, claim: Claim) -> bool:
        """Tell whether a run is new, or is tried again in an execution of its own.

        A scheduled task that is redriven may start the run's workflow anew.
        """
        row = self.turns.recorded(claim.group, claim.run)
        if row is None:
            return True
        return bool(row["execution"] != claim.execution and row["status"] != "SUCCEEDED")

    def _current(self, group: str, task: str, state: Pointer) -> bool:
        row = self.tasks.get(group, task)
        return row is not None and Pointer.of(row["state"]) == state


made_in_init("dynamodb", "s3", "stepfunctions")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow with the run's turn."""
    run = RUN.read(event["run"])
    LOGGER.set_correlation_id(run["id"])
    begin = Begin(
        Objects(client("s3")),
        Turns(table(setting("TURNS_TABLE"))),
        Tasks(table(setting("TASKS_TABLE"))),
        Executions(client("stepfunctions")),
        Clock.from_environment(),
    )
    claim = Claim(
        run["group"],
        run["id"],
        event["execution"],
        run["sequencer"],
        run["config"]["key"],
        int(event.get("redriven", 0)),
    )
    since = datetime.fromisoformat(event["since"]) if "since" in event else None
    answer = begin(claim, Pointer.of(run["state"]), run.get("task"), since)
    LOGGER.info("begun", extra={"answer": list(answer)})
    return answer
