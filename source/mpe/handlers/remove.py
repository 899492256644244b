"""Remove what the config names no more, where it says so: the last step of a run that went well.

The workflow calls this until the answer has no ``wait``. Each call looks at what is left, in the
service's order, and asks for the removal of what nothing uses any more. What it removed is in the
run's ledger, as what the run made is, so that the report tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Pointer
from mpe.aws.outages import outages_pass
from mpe.aws.personalize import Busy, Missing, Personalize, ServiceError
from mpe.aws.turns import Turns
from mpe.handlers.settings import LOGGER, setting
from mpe.model.errors import OfAnotherStack, ResourceFailed, TurnLost
from mpe.model.plan.desired import DesiredState
from mpe.model.plan.forms import RUN
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.owner import maintained_by, owner_of
from mpe.model.plan.removals import PATH, REMOVED, Made, going, serves
from mpe.model.service.spec import FAILED, SPECS

LOOK = 15
"""Seconds between two looks at what is being removed."""
PATIENCE = 60 * 60
"""Seconds that something may be in use, after which the run ends and says so."""


class States(Protocol):
    """Who has the desired states."""

    def state_of_run(self, pointer: Pointer) -> DesiredState: ...


@dataclass(frozen=True)
class Remove:
    """The adapters that a run removes through."""

    personalize: Personalize
    states: States
    ledger: Ledger
    turns: Turns
    clock: Clock
    stack: str
    """The name of the stack, whose the dataset group must be."""

    def __call__(self, run: Mapping[str, Any], redriven: int = 0) -> dict[str, Any]:
        """Remove what can go now; return ``wait`` while something goes, or whether it failed."""
        state = self.states.state_of_run(Pointer.of(run["state"]))
        if redriven:
            self.turns.go_on(run, self.clock.now(), redriven)
        for stage in going(state, list(self.ledger.made(state.group))):
            found = [self._step(state, run, one) for one in stage]
            for outcome in found:
                if outcome and outcome.settled:
                    self.ledger.record(state.group, run["id"], outcome.as_dict(), self.clock.now())
            told = [one for one in found if one]
            if any(one.failed for one in told):
                return {"failed": True}
            if any(not one.settled for one in told):
                return {"failed": False, "wait": LOOK}
        return {"failed": False}

    def _step(self, state: DesiredState, run: Mapping[str, Any], one: Made) -> Outcome | None:
        """Take one thing a step towards its end; return what came of it, if anything did."""
        outcome = _outcome(one)
        try:
            fields = self.personalize.described(SPECS[one.noun], one.arn, with_parts=False)
            if one.is_still(fields):
                return self._ask(state, run, one, str(fields.get("status", "")))
            self.ledger.forget_made(state.group, one)
            return None
        except Missing:
            self.ledger.forget_made(state.group, one)
            return self._gone(outcome, one, run)
        except Busy as busy:
            return self._wait(state, run, one, outcome.failing(busy.code, busy.message))
        except ServiceError as error:
            return outcome.failing(error.code, error.message)

    def _wait(
        self, state: DesiredState, run: Mapping[str, Any], one: Made, at_last: Outcome
    ) -> Outcome:
        """Look again later, up to an hour after this run first asked for the removal."""
        since = self._since(state, run, one)
        return at_last if self.clock.since(since) > PATIENCE else at_last.waiting(LOOK)

    def _gone(self, outcome: Outcome, one: Made, run: Mapping[str, Any]) -> Outcome | None:
        """Tell of what this run has removed; of what somebody else did nothing is told."""
        if one.removing != run["id"] or one.since is None:
            return None
        seconds = round(self.clock.since(datetime.fromisoformat(one.since)), 1)
        return outcome.ready(did=REMOVED, status="DELETED", seconds=seconds)

    def _ask(
        self, state: DesiredState, run: Mapping[str, Any], one: Made, status: str
    ) -> Outcome | None:
        """Ask for the removal of what nobody uses, as long as this run may."""
        outcome = replace(_outcome(one), status=status)
        if status in FAILED and status.startswith("DELETE"):
            return outcome.failing(ResourceFailed.__name__, f"its status is {status}")
        if status.startswith("DELETE"):
            told = f"it is {status} for more than an hour"
            return self._wait(state, run, one, outcome.failing(ResourceFailed.__name__, told))
        group, id = state.group, str(run["id"])
        if not self.turns.holds(group, id):
            return outcome.failing(TurnLost.__name__, str(TurnLost(group, id)))
        if self.turns.overtaken(group, id, str(run.get("sequencer", ""))):
            return None  # which may name it again
        owner = self._owner(state)
        if owner not in {None, self.stack}:
            told = f"{maintained_by(group, str(owner))}: nothing is removed"
            return outcome.failing(OfAnotherStack.__name__, told)
        used = self._used(one)
        if used:
            return outcome.ready(did="skipped", told=f"it stays: {used}.")
        self._since(state, run, one)
        self.personalize.delete(SPECS[one.noun], one.arn)
        return outcome.waiting(LOOK)

    def _since(self, state: DesiredState, run: Mapping[str, Any], one: Made) -> datetime:
        """Note that this run removes something, and return since when it does."""
        if one.removing == run["id"] and one.since:
            return datetime.fromisoformat(one.since)
        now = self.clock.now()
        asked = replace(one, removing=str(run["id"]), since=now.isoformat())
        self.ledger.note_made(state.group, asked)
        return now

    def _owner(self, state: DesiredState) -> str | None:
        return owner_of(self.personalize.tags(str(state.resources["datasetGroup"].arn)))

    def _used(self, one: Made) -> str:
        """Say which campaigns still serve a solution: those of the config have left it by now."""
        if one.noun != "Solution":
            return ""
        listed = self.personalize.listed(SPECS["Campaign"], {"solutionArn": one.arn})
        return serves([str(each["name"]) for each in listed])


def _outcome(one: Made) -> Outcome:
    name = f"{REMOVED}.{SPECS[one.noun].key}.{one.name}"
    return Outcome(name, one.noun, one.name, PATH, arn=one.arn)


made_in_init("dynamodb", "personalize", "s3")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow whether something is being removed still."""
    run = RUN.read(event["run"])
    LOGGER.set_correlation_id(run["id"])
    remove = Remove(
        Personalize(client("personalize")),
        Objects(client("s3")),
        Ledger(table(setting("LEDGER_TABLE"))),
        Turns(table(setting("TURNS_TABLE"))),
        Clock.from_environment(),
        setting("STACK"),
    )
    try:
        answer = remove(run, int(event.get("redriven", 0)))
    except TurnLost as lost:
        crash = {"error": type(lost).__name__, "cause": str(lost), "resource": "Remove"}
        answer = {"failed": True, "crash": crash}
    LOGGER.info("removed", extra={"answer": answer})
    return answer
