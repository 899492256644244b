"""``mpe destroy``: remove a dataset group with everything in it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from mpe.aws.executions import Executions
from mpe.aws.inventory import Inventories
from mpe.aws.objects import FOLDERS, Objects
from mpe.aws.personalize import Busy, Missing, Personalize, ServiceError
from mpe.aws.schedules import Schedules
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Claim, Turns
from mpe.cli.account import Account, in_account
from mpe.cli.terminal import say
from mpe.model.plan.inventory import Found, Inventory, told
from mpe.model.plan.tasks import schedule_name

LOOK, LOOK_LOCALLY = 10.0, 0.5
"""Seconds between two looks at what is being removed."""
LEASE = timedelta(hours=1)
"""How long runs are kept out after a removal that was interrupted for good."""


@click.command()
@click.argument("group")
@click.option("--confirm", help="The name of the dataset group, in place of the question.")
@click.option("--keep-schemas", is_flag=True, help="Leave the schemas.")
@click.option(
    "--data", is_flag=True, help="Delete the dataset group's objects in the data bucket as well."
)
@in_account
def destroy(
    group: str, confirm: str | None, keep_schemas: bool, data: bool, account: Account
) -> None:
    """Remove a dataset group, everything in it, and its schedules.

    It lists what would go, in order, and what would be left, and asks for the group's name.
    Interrupted, or started twice, it goes on where it was. Data in S3 stays unless --data is
    given; of a versioned bucket older versions stay even then. Exit code 1 where something
    could not be removed, 130 after Ctrl-C.

    Example: mpe destroy movielens
    """
    removal = Removal(account, group, schemas=not keep_schemas, data=data)
    found = removal.found()
    removal.show(found)
    _ask(group, confirm)
    try:
        removal(found)
    except KeyboardInterrupt:
        click.echo("\nInterrupted: start it again to go on.", err=True)
        raise click.exceptions.Exit(130) from None


def _ask(group: str, confirm: str | None) -> None:
    if confirm is None and not sys.stdin.isatty():
        raise click.ClickException(
            f"nobody can be asked here: say so with --confirm {group}. Nothing was removed."
        )
    given = confirm if confirm is not None else click.prompt(f"Type {group} to remove it")
    if given != group:
        raise click.ClickException(f"{given!r} is not {group!r}: nothing was removed.")


@dataclass(frozen=True)
class Removal:
    """The removal of one dataset group."""

    account: Account
    group: str
    schemas: bool = True
    data: bool = False

    def found(self) -> Inventory | None:
        """Return what there is, or None where the group is gone: then only the rest is left."""
        inventories = Inventories(self._personalize)
        arn = inventories.groups().get(self.group)
        return inventories.of(arn) if arn else None

    def show(self, found: Inventory | None) -> None:
        """List what would go, in order, and what would be left."""
        tasks = [row["record"] for row in self._tasks.of(self.group)]
        lines = [
            *(f"schedule of {task}" for task in tasks),
            *(told(found.removal(schemas=self.schemas)) if found else ()),
            *self._objects_told(),
        ]
        if not lines:
            raise click.ClickException(
                f"there is no dataset group {self.group!r}, nor a rest of one."
            )
        click.echo("To be removed, in this order:")
        for line in lines:
            say(f"  - {line}")
        click.echo("To be left:")
        for line in self._left(found):
            say(f"  = {line}")

    def _objects_told(self) -> Iterator[str]:
        if self.data:
            for prefix, count in self._counts().items():
                yield f"{count} objects in s3://{self._bucket}/{prefix}"

    def _left(self, found: Inventory | None) -> Iterator[str]:
        if not self.data:
            for prefix, count in self._counts().items():
                yield f"{count} objects in s3://{self._bucket}/{prefix}"
        for schema in found.of("Schema") if found else ():
            if not self.schemas:
                yield f"Schema {schema.name}"
            elif schema.arn in found.shared:  # type: ignore[union-attr]
                yield f"Schema {schema.name}, which another dataset group uses"
        yield f"what the runs of it did (`mpe runs {self.group}`)"

    def __call__(self, found: Inventory | None) -> None:
        """Remove it all, in a turn of its own so that no run makes it anew meanwhile."""
        self._take_turn()
        for task in list(self._tasks.of(self.group)):
            self._schedules.delete(schedule_name(self.group, task["record"]))
            self._tasks.delete(self.group, task["record"])
            say(f"removed schedule of {task['record']}")
        for stage in found.removal(schemas=self.schemas) if found else ():
            self._remove(stage)
        if self.data:
            for prefix in self._counts():
                self._objects.delete_below(self._bucket, prefix)
                say(f"removed s3://{self._bucket}/{prefix}")
        self._turns.forget(self.group)
        self._turns.give_back(self.group, self._claim.execution)
        say(f"The dataset group {self.group} is gone.")

    @property
    def _claim(self) -> Claim:
        return Claim(self.group, "destroy", f"destroy:{self.group}", "")

    def _take_turn(self) -> None:
        """Keep runs out; an interrupted removal's own turn is taken again."""
        holder = self._turns.take(self._claim, datetime.now(UTC), LEASE)
        if holder is None:
            return
        if Executions(self.account.client("stepfunctions")).running(holder):
            raise click.ClickException(
                f"a run works on {self.group}: wait for its end (`mpe watch {self.group}`), or "
                f"stop it. Nothing was removed. It is {holder}"
            )
        self._turns.take_over(self._claim, holder, datetime.now(UTC))

    def _remove(self, stage: Sequence[Found]) -> None:
        """Remove what can go at the same time, and wait until it is gone."""
        left = list(stage)
        blocked: dict[str, str] = {}
        while left:
            left = [one for one in left if not self._gone(one, blocked)]
            if left:
                self._turns.take(self._claim, datetime.now(UTC), LEASE)
                time.sleep(LOOK_LOCALLY if self.account.endpoint else LOOK)

    def _gone(self, one: Found, blocked: dict[str, str]) -> bool:
        """Ask for a removal, and tell whether it is done; what is in use is asked again."""
        try:
            if not self._going(one):
                self._personalize.delete(one.spec, one.arn)
            return not one.spec.has_status and self._removed(one)
        except Missing:
            return self._removed(one)
        except Busy as busy:
            if blocked.get(one.arn) != busy.message:
                say(f"waiting for {one.noun} {one.name}: {busy.message}")
            blocked[one.arn] = busy.message
            return False
        except ServiceError as error:
            raise click.ClickException(
                f"{one.noun} {one.name} cannot be removed: {error.message} Mend that, and start "
                "it again to go on."
            ) from error

    def _going(self, one: Found) -> bool:
        """Tell whether it is being removed already."""
        status = str(self._personalize.described(one.spec, one.arn).get("status", ""))
        return status.startswith("DELETE")

    @staticmethod
    def _removed(one: Found) -> bool:
        say(f"removed {one.noun} {one.name}")
        return True

    def _counts(self) -> dict[str, int]:
        """Return how many objects lie in each folder of the group."""
        found = {
            f"{folder}/{self.group}/": self._objects.count(self._bucket, f"{folder}/{self.group}/")
            for folder in FOLDERS
        }
        return {prefix: count for prefix, count in found.items() if count}

    @property
    def _bucket(self) -> str:
        return self.account.output("DataBucket")

    @property
    def _objects(self) -> Objects:
        return Objects(self.account.client("s3"))

    @property
    def _personalize(self) -> Personalize:
        return Personalize(self.account.client("personalize"))

    @property
    def _turns(self) -> Turns:
        return Turns(self.account.table("TurnsTable"))

    @property
    def _tasks(self) -> Tasks:
        return Tasks(self.account.table("TasksTable"))

    @property
    def _schedules(self) -> Schedules:
        client: Any = self.account.client("scheduler")
        return Schedules(client, self.account.output("ScheduleGroup"))
