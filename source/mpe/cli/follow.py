"""Follow a run to its end: what ``mpe apply --watch`` and ``mpe watch`` show."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
from botocore.exceptions import ClientError
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mpe.aws.executions import Executions
from mpe.aws.objects import Objects, Pointer, state_of
from mpe.aws.personalize import Personalize
from mpe.aws.survey import survey
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Turns
from mpe.cli.account import Account
from mpe.cli.terminal import print_plain
from mpe.model.errors import reason_lines
from mpe.model.messages import likely_remedy, spoken
from mpe.model.plan.desired import DesiredState
from mpe.model.service.names import execution_name
from mpe.model.service.spec import SPECS
from mpe.model.text import plain

BEGIN_SECONDS = 120
"""How long an uploaded config may take to become a run."""
LOOK, LOOK_LOCALLY = 10.0, 1.0
"""Seconds between two looks: in AWS each costs a call for every resource."""
STYLES = {"ACTIVE": "green", "COMPLETED": "green", "CREATE FAILED": "red", "FAILED": "red"}

Statuses = dict[str, str]


class FollowError(click.ClickException):
    """A run that cannot be followed."""


@dataclass(frozen=True)
class Follow:
    """Follow the runs of one dataset group."""

    account: Account
    group: str

    @property
    def turns(self) -> Turns:
        return Turns(self.account.table("TurnsTable"))

    @property
    def executions(self) -> Executions:
        return Executions(self.account.client("stepfunctions"))

    def began(self, digest: str) -> str:
        """Wait until a version of the config has become a run, and return its name.

        A config is announced before its execution is started.
        """
        deadline = time.monotonic() + BEGIN_SECONDS
        while time.monotonic() < deadline:
            for row in self.turns.newest():
                ours = row["group"] == self.group and row["run"].endswith(f"-{digest}")
                if ours and self.executions.known(self._execution(row["run"])):
                    return str(row["run"])
            time.sleep(1)
        raise FollowError(
            f"the upload has not become a run within {BEGIN_SECONDS} s: a newer config may have "
            "overtaken it, or it was rejected; a mail tells of that. See `mpe runs`."
        )

    def to_end(self, run: str) -> bool:
        """Show every change until the run ends, and return whether it succeeded."""
        state = self._state(run)
        console, seen = Console(highlight=False), Statuses()
        print_plain(console, f"Run {run} of {self.group}. Ctrl-C stops watching, not the run.")
        with Live(console=console, auto_refresh=False, transient=True) as live:
            ended = False
            while not ended:
                ended = self._ended(run)  # asked first, so that the last look is after the end
                found = dict(self._statuses(state))
                if console.is_terminal:
                    live.update(_table(found), refresh=True)
                else:
                    _print_changes(console, seen, found)
                seen = found
                if not ended:
                    time.sleep(LOOK_LOCALLY if self.account.endpoint else LOOK)
        return self._told(console, run)

    def _ended(self, run: str) -> bool:
        """Tell whether the run has been reported, or its execution is over all the same."""
        row = self.turns.recorded(self.group, run) or {}
        if row.get("status", "RUNNING") != "RUNNING":
            return True
        return not self.executions.running(self._execution(run))

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
            Pointer(**task["state"])
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

    def _statuses(self, state: DesiredState) -> Iterator[tuple[str, str]]:
        objects = Objects(self.account.client("s3"))
        personalize = Personalize(self.account.client("personalize"))
        for step in survey(state, personalize, objects, self.account.ledger, self.account.clock):
            yield (
                f"{step.desired.noun} {step.desired.name}",
                step.observed.shown if step.observed else "",
            )

    def _told(self, console: Console, run: str) -> bool:
        """Print the outcome of a run and what it did."""
        row = self.turns.recorded(self.group, run)
        if row is None or row["status"] == "RUNNING":
            console.print("The run ended without a report: a newer config took over.")
            return False
        outcomes = list(self.account.ledger.outcomes(self.group, run))
        for one in sorted(outcomes, key=lambda one: list(SPECS).index(one["noun"])):
            _print_outcome(console, one)
        succeeded = bool(row["status"] == "SUCCEEDED")
        verdict = "succeeded" if succeeded else "FAILED"
        console.print(
            f"The run {verdict} in {spoken(float(row['duration']))}: {row['changed']} changed, "
            f"{row['kept']} kept, {row['failed']} failed.",
            style="green" if succeeded else "red",
        )
        return succeeded


def _print_outcome(console: Console, outcome: Mapping[str, Any]) -> None:
    what = f"{outcome['noun']} {outcome['name']}"
    failed = outcome.get("failed")
    if failed:
        head, *more = reason_lines(failed["error"], failed["reason"])
        print_plain(console, f"! {what}: {head}", style="red")
        for line in more:
            print_plain(console, f"    {line}", style="red")
        print_plain(console, f"    in the config: {outcome['path']}")
        remedy = likely_remedy(failed["error"], failed["reason"])
        if remedy:
            print_plain(console, f"    {remedy}")
    elif outcome.get("did") not in {None, "kept", "skipped"}:
        took = f" in {spoken(float(outcome['seconds']))}" if outcome.get("seconds") else ""
        print_plain(console, f"{outcome['did']} {what}{took}")


def _table(found: Statuses) -> Table:
    table = Table("Resource", "Status", box=None, pad_edge=False)
    for name, status in found.items():
        style = STYLES.get(status, "yellow")
        table.add_row(Text(plain(name)), Text(plain(status), style))
    return table


def _print_changes(console: Console, before: Statuses, found: Statuses) -> None:
    for name, status in found.items():
        if status and before.get(name) != status:
            print_plain(console, f"  {name}: {status}")
