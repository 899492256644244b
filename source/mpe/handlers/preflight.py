"""What can be known before a run is looked at before anything is created or trained.

A config may come by any way, and what it names may have changed since: a name that another
dataset group has by now, a field that no update changes, a schema that the service would
refuse, what a scheduled task is about and somebody deleted. The rules are those of ``mpe plan``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Pointer
from mpe.aws.outages import outages_pass
from mpe.aws.personalize import Busy, Personalize, ServiceError
from mpe.aws.survey import Step, foresee
from mpe.handlers.settings import LOGGER, setting
from mpe.model.plan.desired import DesiredState
from mpe.model.plan.forms import RUN
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.reconcile import MISSING, Reject
from mpe.model.plan.tasks import Task
from mpe.model.plan.waits import VISIBLE_WITHIN

NEXT_LOOK = 30
"""Seconds until the next attempt where the service does not answer, or does not show, yet."""


class States(Protocol):
    """Who has the desired states."""

    def load_state(self, pointer: Pointer) -> DesiredState: ...


@dataclass(frozen=True)
class Preflight:
    """The adapters that a run is looked at through."""

    personalize: Personalize
    states: States
    ledger: Ledger
    clock: Clock
    stack: str
    """The name of the stack, whose the dataset group must be."""

    def __call__(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Note in the ledger what the run would fail for; tell whether it must not begin.

        With ``wait`` the service does not answer now, or may not show yet what was made a moment
        ago, and is asked again later.
        """
        state = self.states.load_state(Pointer.of(run["state"]))
        task = state.tasks[run["task"]] if "task" in run else None
        try:
            refused = list(self._refused(state, task))
        except Busy as busy:
            LOGGER.info("busy", extra={"error": busy.message})
            return {"refused": False, "wait": NEXT_LOOK}
        if self._lags(state.group, refused):
            return {"refused": False, "wait": NEXT_LOOK}
        for outcome in refused:
            self.ledger.record(state.group, run["id"], outcome.as_dict(), self.clock.now())
        return {"refused": bool(refused)}

    def _lags(self, group: str, refused: Iterable[Outcome]) -> bool:
        """Tell whether something that a task misses was made so lately that reads may lag behind.

        Its run would fail for good, and its schedule be disabled.
        """
        missing = {
            (one.noun, one.name) for one in refused if one.failed and one.failed.error == MISSING
        }
        return bool(missing) and any(
            self.clock.since(datetime.fromisoformat(made.created)) < VISIBLE_WITHIN
            for made in self.ledger.made(group)
            if (made.noun, made.name) in missing and made.created
        )

    def _refused(self, state: DesiredState, task: Task | None) -> list[Outcome]:
        try:
            steps = list(foresee(state, self.personalize, task, stack=self.stack))
        except Busy:
            raise
        except ServiceError as error:
            group = state.resources[state.work["datasetGroup"]]
            return [Outcome.of(group).failing(error.code, error.message)]
        return [
            _seen(step).failing(step.action.error, step.action.message)
            for step in steps
            if isinstance(step.action, Reject)
        ]


def _seen(step: Step) -> Outcome:
    """Return what is there of a resource, which its remedy names."""
    outcome = Outcome.of(step.desired)
    if step.observed is None:
        return outcome
    return replace(outcome, arn=step.observed.arn, status=step.observed.shown)


made_in_init("dynamodb", "personalize", "s3")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow whether the run must not begin."""
    run = RUN.read(event["run"])
    LOGGER.set_correlation_id(run["id"])
    preflight = Preflight(
        Personalize(client("personalize")),
        Objects(client("s3")),
        Ledger(table(setting("LEDGER_TABLE"))),
        Clock.from_environment(),
        setting("STACK"),
    )
    answer = preflight(run)
    LOGGER.info("preflight", extra={"answer": answer})
    return answer
