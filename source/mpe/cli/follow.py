"""Follow a run to its end: what ``mpe apply --watch`` and ``mpe watch`` show."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mpe.aws.executions import Executions
from mpe.aws.ledger import expecting
from mpe.aws.objects import Objects, Pointer, state_of
from mpe.aws.personalize import Busy, Personalize, ServiceError
from mpe.aws.survey import survey
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Turns
from mpe.cli.account import Account
from mpe.cli.outcomes import told_run
from mpe.cli.refusals import next_step, passes
from mpe.cli.terminal import console, print_plain, say
from mpe.model.messages import spoken
from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.reconcile import Observed
from mpe.model.plan.waits import kind_of_creation, variant_of
from mpe.model.service.names import execution_name
from mpe.model.text import plain

T = TypeVar("T")
BEGIN_SECONDS = 120
"""How long an uploaded config may take to become a run."""
LOST_SECONDS = 300
"""How long a lost link is waited for."""
ROOM = 3
"""Lines of a terminal that are left for the table's head and the prompt."""
STYLES = {"ACTIVE": "green", "COMPLETED": "green", "CREATE FAILED": "red", "FAILED": "red"}


class FollowError(click.ClickException):
    """A run that cannot be followed."""


class LinkLost(click.ClickException):
    """Nobody could be asked any more how a run goes on."""

    exit_code = 4

    def __init__(self, group: str, error: Exception) -> None:
        step = next_step(error)
        told = f"{error}".rstrip() + (f"\n{step}" if step else "")
        super().__init__(f"{told}\nThe run goes on. See it with `mpe watch {group}`.")


@dataclass(frozen=True)
class Look:
    """How one resource is at a moment."""

    name: str
    status: str
    usual: str = ""
    """How long what is under way usually takes."""
    under_way: bool = False


@dataclass(frozen=True)
class Looks:
    """How all resources of a run are at a moment, and what the run waits for."""

    rows: tuple[Look, ...] = ()
    waits_for: str = ""


@dataclass(frozen=True)
class Follow:
    """Follow the runs of one dataset group."""

    account: Account
    group: str

    @property
    def turns(self) -> Turns:
        return self.account.turns

    @property
    def executions(self) -> Executions:
        return Executions(self.account.client("stepfunctions"))

    def began(self, digest: str) -> str:
        """Wait until a version of the config has become a run, and return its name.

        A config is announced right after its execution was started.
        """
        deadline = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < deadline:
            run = self._kept(lambda: self.run_of(digest))
            if run:
                return run
            time.sleep(1)
        raise FollowError(
            f"the upload has not become a run within {BEGIN_SECONDS} s: a newer config may have "
            "overtaken it, or it was rejected; a mail tells of that. See `mpe runs`."
        )

    def run_of(self, digest: str) -> str | None:
        """Return the run that the newest upload has become, where its name ends with a digest."""
        for row in self.turns.newest():
            ours = row["group"] == self.group and row["run"].endswith(f"-{digest}")
            if ours and self.executions.known(self._execution(row["run"])):
                return str(row["run"])
        return None

    def to_end(self, run: str) -> dict[str, Any]:
        """Show every change until the run ends, and return what came of it."""
        state = self._kept(lambda: self._state(run))
        out, seen = console(), Looks()
        began = time.monotonic() - self._kept(lambda: self._worked(run))
        say(f"Run {run} of {self.group}. Ctrl-C stops watching, not the run.")
        with Live(console=out, auto_refresh=False, transient=True) as live:
            ended = False
            while not ended:
                # Asked first, so that the last look is after the end.
                ended, found = self._kept(lambda: (self._ended(run), self._look(state, run)))
                if out.is_terminal:
                    elapsed = spoken(time.monotonic() - began)
                    live.update(_shown(found, elapsed, out.height), refresh=True)
                else:
                    _print_changes(out, seen, found)
                seen = found
                if not ended:
                    time.sleep(self.account.looks_every)
        return self._kept(lambda: told_run(self.account, self.group, run))

    def _kept(self, look: Callable[[], T]) -> T:
        """Return what a look finds; look again where the link is lost, for a while.

        A lost link says nothing of the run, so that it ends with a code of its own.
        """
        deadline, told = time.monotonic() + LOST_SECONDS, False
        while True:
            try:
                return look()
            except (BotoCoreError, ClientError, ServiceError) as error:
                cause = error.__cause__ if isinstance(error, ServiceError) else error
                again = isinstance(error, Busy) or (isinstance(cause, Exception) and passes(cause))
                if not again or time.monotonic() > deadline:
                    raise LinkLost(self.group, error) from error
                if not told:
                    say(f"The link is lost ({error}): looking again. The run goes on.", err=True)
                told = True
                time.sleep(self.account.looks_every)

    def _worked(self, run: str) -> float:
        """Return how many seconds a run has worked by now."""
        started = (self.turns.recorded(self.group, run) or {}).get("started")
        return self.account.clock.since(datetime.fromisoformat(started)) if started else 0.0

    def _ended(self, run: str) -> bool:
        """Tell whether the run has been reported, or its execution is over all the same."""
        row = self.turns.recorded(self.group, run) or {}
        if row.get("status", "RUNNING") != "RUNNING":
            return True
        return not self.works(run)

    def works(self, run: str) -> bool:
        """Tell whether the execution of a run is under way."""
        return self.executions.running(self._execution(run))

    def _execution(self, run: str) -> str:
        row = self.turns.recorded(self.group, run) or {}
        machine = self.account.output("Workflow")
        executions = machine.replace(":stateMachine:", ":execution:")
        return str(row.get("execution", f"{executions}:{execution_name(self.group, run)}"))

    def _state(self, run: str) -> DesiredState:
        """Return what the run works towards; a task's is that of the config that has it."""
        row = self.turns.recorded(self.group, run)
        tasks = Tasks(self.account.table("TasksTable"))
        task = tasks.get(self.group, row["task"]) if row and "task" in row else None
        pointer = (
            Pointer.of(task["state"])
            if task
            else state_of(self.account.output("DataBucket"), self.group, run)
        )
        try:
            return Objects(self.account.client("s3")).load_state(pointer)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            gone = f"what the run {run} of {self.group} worked towards is not kept any more."
            none = f"{self.group} has no run {run}."
            raise FollowError(f"{gone if row else none} See `mpe runs {self.group}`.") from error

    def _look(self, state: DesiredState, run: str) -> Looks:
        """Return how each resource is, and what the run waits for."""
        objects = Objects(self.account.client("s3"))
        personalize, ledger = Personalize(self.account.client("personalize")), self.account.ledger
        held = ledger.held(self.group, run)
        rows = []
        for step in survey(state, personalize, objects, ledger, self.account.clock):
            shown = step.observed.shown if step.observed else ""
            usual = ""
            if step.observed and step.observed.in_progress:
                usual = self._usual(state, step.desired, step.observed)
            if step.observed is None and step.desired.id in held:
                shown = f"waits: {held[step.desired.id]}"
            rows.append(Look(f"{step.desired.noun} {step.desired.name}", shown, usual, bool(usual)))
        return Looks(tuple(rows), self._waits_for(run))

    def _usual(self, state: DesiredState, desired: Desired, observed: Observed) -> str:
        """Say how long such work usually takes."""
        spec, variant = desired.spec, variant_of(state.trained_with(desired.id))
        made = kind_of_creation(spec, observed.fields, variant)
        kind = "updated" if observed.updating else made
        found = expecting(self.account.ledger, state.group, desired.id, spec, kind, variant)
        return f"usually {spoken(found.likely)}"

    def _waits_for(self, run: str) -> str:
        """Say what the run waits for: its turn in the dataset group, or nothing."""
        if self.turns.recorded(self.group, run) is not None:
            return ""
        other = self.turns.holder(self.group)
        return f"It waits for its turn: {other} works on {self.group}." if other else ""


def _shown(found: Looks, elapsed: str, height: int) -> Group:
    """Return what a terminal shows: what is under way first, where not all has room."""
    lines = [Text(f"{elapsed} so far")]
    if found.waits_for:
        lines.append(Text(plain(found.waits_for), "yellow"))
    rows = found.rows
    room = height - len(lines) - ROOM
    if len(rows) > room:
        rows = tuple(sorted(rows, key=lambda one: not one.under_way))[: max(room, 1)]
        lines.append(Text(f"{len(rows)} of {len(found.rows)} are shown, what is under way first."))
    return Group(*lines, _table(rows))


def _table(rows: Sequence[Look]) -> Table:
    table = Table("Resource", "Status", "", box=None, pad_edge=False)
    for one in rows:
        style = STYLES.get(one.status, "yellow")
        table.add_row(Text(plain(one.name)), Text(plain(one.status), style), Text(one.usual, "dim"))
    return table


def _print_changes(out: Console, before: Looks, found: Looks) -> None:
    if found.waits_for and found.waits_for != before.waits_for:
        print_plain(out, f"  {found.waits_for}")
    known = {one.name: one.status for one in before.rows}
    for one in found.rows:
        if one.status and known.get(one.name) != one.status:
            usual = f" ({one.usual})" if one.usual else ""
            print_plain(out, f"  {one.name}: {one.status}{usual}")
