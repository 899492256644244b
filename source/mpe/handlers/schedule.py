"""Bring the schedules of a dataset group in line with its config.

Each task of the desired state gets a row in the schedule table and a schedule in EventBridge
Scheduler; those that the config no longer has are removed. A task that somebody disabled stays
disabled; one that was disabled because its resource was gone is enabled again, since the
config has just been provisioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Pointer
from mpe.aws.outages import outages_pass, passes
from mpe.aws.schedules import Schedules, Target
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Turns
from mpe.handlers.settings import LOGGER, setting
from mpe.model.errors import TurnLost
from mpe.model.plan.changes import TaskChange, task_changes
from mpe.model.plan.forms import RUN
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.removals import REMOVED
from mpe.model.plan.tasks import GONE, Task, schedule_name

SCHEDULED = "<aws.scheduler.scheduled-time>"
"""What Scheduler replaces in its input by the moment that a fire is for
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html)."""


@dataclass(frozen=True)
class Synchronize:
    """The adapters that schedules are kept through."""

    objects: Objects
    tasks: Tasks
    schedules: Schedules
    target: Target
    turns: Turns
    ledger: Ledger
    clock: Clock

    def __call__(self, run: dict[str, Any], redriven: int = 0) -> dict[str, Any]:
        """Upsert the tasks of a run's config, and remove those that it no longer has.

        Raise TurnLost of a run that was ``redriven`` and cannot have its turn again.
        """
        if redriven:
            self.turns.go_on(run, self.clock.now(), redriven)
        state = self.objects.state_of_run(Pointer.of(run["state"]))
        known = set(self.tasks.ids(state.group))
        before = {row["record"]: row for row in self.tasks.readable(state.group)}
        pending: dict[str, Outcome] = {}
        for change in task_changes(before.values(), state.tasks):
            if change.action != "keep":
                pending[change.task] = _outcome(change)
                self._record(run, pending[change.task])
        gone = sorted(known - set(state.tasks))
        with self._telling_what_is_done(run, pending, before):
            for task in state.tasks.values():
                self._upsert(state.group, task, run)
                pending.pop(task.id, None)
            for id in gone:
                self.schedules.delete(schedule_name(state.group, id))
                self.tasks.delete(state.group, id)
                pending.pop(id, None)
        # No row names an older state from here on.
        kept = self.objects.drop_superseded(run["state"]["bucket"], state)
        if kept:
            LOGGER.warning(
                "old states are kept, since S3 refused to delete them", extra={"s3": kept}
            )
        return {"scheduled": len(state.tasks), "removed": len(gone)}

    def _record(self, run: Mapping[str, Any], outcome: Outcome) -> None:
        self.ledger.record(run["group"], run["id"], outcome.as_dict(), self.clock.now())

    @contextmanager
    def _telling_what_is_done(
        self,
        run: Mapping[str, Any],
        pending: Mapping[str, Outcome],
        before: Mapping[str, Mapping[str, Any]],
    ) -> Iterator[None]:
        """Take back that tasks were changed which an error that stays has left as they were.

        After one that passes the workflow calls again, which does the rest; of an outage that it
        has not the patience for, what is undone stays told as done.
        """
        try:
            yield
        except Exception as error:
            if not passes(error):
                self._take_back(run, pending, before)
            raise

    def _take_back(
        self,
        run: Mapping[str, Any],
        pending: Mapping[str, Outcome],
        before: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Leave each row with the time that its schedule has, so that the next run changes it."""
        try:
            for task, outcome in pending.items():
                self._record(run, replace(outcome, did=None))
                if row := before.get(task):
                    times = {key: row[key] for key in ("expression", "zone")}
                    self.tasks.set(run["group"], task, **times)
                else:
                    self.tasks.delete(run["group"], task)
        except Exception as error:  # it must not hide the one that is told
            LOGGER.warning("tasks are told as changed that are not", extra={"error": str(error)})

    def _upsert(self, group: str, task: Task, run: dict[str, Any]) -> None:
        name = schedule_name(group, task.id)
        row = self.tasks.write(
            group,
            task.id,
            kind=task.kind,
            path=task.path,
            expression=task.expression,
            zone=task.zone,
            schedule=name,
            state=run["state"],
            config=run["config"],
            sequencer=run["sequencer"],
        )
        if "disabled" in row:
            self.tasks.enable(group, task.id, only=GONE)
            row = self.tasks.get(group, task.id) or {}
        put = "disabled" not in row
        self.schedules.put(
            name,
            task.expression,
            task.zone,
            enabled=put,
            target=self.target,
            given={"group": group, "task": task.id, "scheduled": SCHEDULED},
        )
        self._keep_disabled(group, task.id, name, put=put)

    def _keep_disabled(self, group: str, task: str, name: str, *, put: bool) -> None:
        """Do as the row says of a task that somebody disabled, or enabled, at the same moment.

        They write the row first, then the schedule: either we read what they wrote, or they
        write the schedule after us.
        """
        while (enabled := "disabled" not in (self.tasks.get(group, task) or {})) != put:
            self.schedules.enable(name, enabled=enabled)
            put = enabled


DID = {"create": "created", "update": "updated", "delete": REMOVED}
"""What a run did to a task, by what the plan says of it."""


def _outcome(change: TaskChange) -> Outcome:
    """Return what becomes of a task, in the words of the plan.

    It is kept before that is done, so that a call that is repeated tells of it as well.
    """
    told = f"{change.expression} ({change.zone})"
    id = f"task.{change.task}"
    return Outcome(id, "Task", change.task, change.path, did=DID[change.action], told=told)


made_in_init("dynamodb", "s3", "scheduler")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow once the schedules are as the config says."""
    run = RUN.read(event["run"])
    LOGGER.set_correlation_id(run["id"])
    synchronize = Synchronize(
        Objects(client("s3")),
        Tasks(table(setting("TASKS_TABLE"))),
        Schedules(client("scheduler"), setting("SCHEDULE_GROUP")),
        Target(setting("MACHINE"), setting("SCHEDULE_ROLE"), setting("DEAD_LETTERS")),
        Turns(table(setting("TURNS_TABLE"))),
        Ledger(table(setting("LEDGER_TABLE"))),
        Clock.from_environment(),
    )
    try:
        done = synchronize(run, int(event.get("redriven", 0)))
    except TurnLost as lost:
        return _refused(lost)
    LOGGER.info("schedules", extra=done)
    return {"failed": False}


def _refused(lost: TurnLost) -> dict[str, Any]:
    """Return what the report tells of, as of a step that broke down."""
    crash = {"error": type(lost).__name__, "cause": str(lost), "resource": "Schedules"}
    return {"failed": True, "crash": crash}
