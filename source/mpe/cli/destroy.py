"""``mpe destroy``: remove a dataset group with everything in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from mpe.aws.inventory import Inventories
from mpe.aws.objects import FOLDERS, Objects
from mpe.aws.personalize import Personalize
from mpe.aws.schedules import Schedules
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Turns
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.deletions import Deletions, stopped_as_by_ctrl_c
from mpe.cli.terminal import answer, say
from mpe.model.plan.desired import DATASET_TYPES, DELETIONS
from mpe.model.plan.inventory import Found, Inventory, told
from mpe.model.plan.tasks import schedule_name

MOST_ROUNDS = 36
"""How many such rounds may pass in vain: six hours."""
MOST_TOLD = 20
"""How many refusals of S3 are told by name."""


@click.command()
@click.argument("group")
@click.option("--confirm", help="The name of the dataset group, in place of the question.")
@click.option("--keep-schemas", is_flag=True, help="Leave the schemas.")
@click.option(
    "--data", is_flag=True, help="Delete the dataset group's objects in the data bucket as well."
)
@click.option(
    "--all-versions",
    is_flag=True,
    help="With --data: delete their older versions too, for good.",
)
@in_account
@OUTPUT
def destroy(
    group: str,
    confirm: str | None,
    keep_schemas: bool,
    data: bool,
    all_versions: bool,
    account: Account,
    output: str,
) -> None:
    """Remove a dataset group, everything in it, and its schedules.

    It lists what would go, in order, and what would be left, and asks for the group's name.
    Interrupted, or started twice, it goes on where it was. Data in S3 stays unless --data is
    given; older versions stay readable even then, for as long as the bucket's lifecycle rules
    have it, unless --all-versions is given as well. It stops where the dataset group's turn
    becomes another's. Exit code 1 where something could not be removed, 130 after Ctrl-C, or where
    its terminal is closed or it is killed: runs are kept out for an hour then, since one would
    bring back what is gone.

    Example: mpe destroy movielens
    """
    if all_versions and not data:
        raise click.UsageError("--all-versions goes with --data.")
    removal = Removal(account, group, schemas=not keep_schemas, data=data, versions=all_versions)
    found = removal.found()
    removal.show(found)
    _ask(group, confirm)
    try:
        with stopped_as_by_ctrl_c():
            removal(found)
    except KeyboardInterrupt:
        words = "Interrupted: start it again to go on. No run works there for an hour meanwhile."
        click.echo(f"\n{words}", err=True)
        raise click.exceptions.Exit(130) from None
    if output == "json":
        answer({"group": group, "removed": removal.removed})


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
    versions: bool = False
    """Whether older versions of the data go as well."""

    @cached_property
    def _deletions(self) -> Deletions:
        return Deletions(self.account, self.group, "destroy")

    @property
    def removed(self) -> list[dict[str, str]]:
        """What is gone by now."""
        return self._deletions.removed

    def found(self) -> Inventory | None:
        """Return what there is, or None where the group is gone: then only the rest is left.

        The schemas are also those that an earlier config had, which the service keeps.
        """
        found = self._deletions.found()
        if found is None:
            return None
        return Inventories(self._personalize).with_schemas(found, self._former_schemas())

    def _rest(self) -> tuple[Found, ...]:
        """Return what an interrupted removal left of a group that is gone, and nobody uses.

        Those are schemas; what was kept on purpose is none of them.
        """
        return Inventories(self._personalize).unused(self._turns.going(self.group))

    def _former_schemas(self) -> frozenset[str]:
        """Return the ARNs of the schemas that any config of the group asked for.

        And of those that an interrupted removal was to take.
        """
        states = self._objects.states(self._bucket, self.group)
        return self._turns.going(self.group) | {
            str(one.arn)
            for state in states
            for one in state.resources.values()
            if one.noun == "Schema"
        }

    def show(self, found: Inventory | None) -> None:
        """List what would go, in order, and what would be left."""
        tasks = list(self._tasks.ids(self.group))
        rest = () if found else self._rest()
        of_rest = (rest,) if self.schemas else ()
        lines = [
            *(f"schedule of {task}" for task in tasks),
            *told(found.removal(schemas=self.schemas) if found else of_rest),
            *self._objects_told(),
        ]
        if not lines:
            raise click.ClickException(self._nothing())
        say("To be removed, in this order:")
        for line in lines:
            say(f"  - {line}")
        say("To be left:")
        for line in self._left(found, rest):
            say(f"  = {line}")

    def _nothing(self) -> str:
        """Say that there is nothing to remove, and what of a group that was removed is left."""
        told = f"there is no dataset group {self.group!r}, nor a rest of one"
        left = list(self._data_left())
        if not left:
            return f"{told}."
        lines = "\n".join(f"  = {one}" for one in left)
        command = f"mpe destroy {self.group} --data --all-versions"
        return f"{told}, but:\n{lines}\nTo delete these for good: {command}"

    def _older(self) -> Iterator[str]:
        """Tell how many versions are readable of what is deleted or overwritten, or will be."""
        gone = {} if self.data else self._counts()
        for prefix, count in self._counts(versions=True, marks=False).items():
            if count > gone.get(prefix, 0):
                older = count - gone.get(prefix, 0)
                yield f"{older} older versions in s3://{self._bucket}/{prefix}, still readable"

    def _objects_told(self) -> Iterator[str]:
        if self.data:
            kind = "versions of objects" if self.versions else "objects"
            for prefix, count in self._counts(versions=self.versions).items():
                yield f"{count} {kind} in s3://{self._bucket}/{prefix}"

    def _data_left(self) -> Iterator[str]:
        if not self.data:
            for prefix, count in self._counts().items():
                yield f"{count} objects in s3://{self._bucket}/{prefix}"
        if not self.versions:
            yield from self._older()

    def _left(self, found: Inventory | None, rest: Sequence[Found] = ()) -> Iterator[str]:
        yield from self._data_left()
        yield from self._of_others()
        for schema in found.of("Schema") if found else rest:
            if not self.schemas:
                yield f"Schema {schema.name}"
            elif found and schema.arn in found.shared:
                yield f"Schema {schema.name}, which another dataset group uses"
        yield f"what the runs of it did (`mpe runs {self.group}`)"

    def __call__(self, found: Inventory | None) -> None:
        """Remove it all, in a turn of its own so that no run makes it anew meanwhile."""
        self._deletions.take_turn()
        if found is None and self._deletions.found():
            self._deletions.give_back()
            raise click.ClickException(
                f"the dataset group {self.group} was made anew meanwhile: nothing was removed."
            )
        newest = self._turns.newest_run(self.group)
        for task in list(self._tasks.ids(self.group)):
            self._schedules.delete(schedule_name(self.group, task))
            self._tasks.delete(self.group, task)
            say(f"removed schedule of {task}")
            self._deletions.removed.append({"resource": "schedule", "name": task})
        self._remove_all(found)
        if self.data:
            for prefix in self._counts(versions=self.versions):
                self._deletions.keep_turn()
                self._delete_below(prefix)
        self.account.ledger.forget_gate(self.group)
        forgotten = self._turns.forget(self.group, newest)
        self._deletions.give_back()
        say(f"The dataset group {self.group} is gone.")
        if not forgotten:
            say(
                "A config of it was uploaded meanwhile: its run makes the dataset group anew, with "
                f"all that it costs. See it with `mpe watch {self.group}`."
            )

    def _remove_all(self, found: Inventory | None) -> None:
        """Remove it stage by stage; where nothing moves, look anew at what there is.

        Somebody may have made a resource meanwhile, which its parent waits for.
        """
        rest = self._rest() if self.schemas and not found else ()
        schemas = {one.arn: one for one in rest}
        before, idle = frozenset[str](), 0
        while found:
            schemas |= {one.arn: one for one in found.removable_schemas if self.schemas}
            self._turns.set_going(self.group, schemas)
            if all(self._deletions.remove(stage) for stage in found.removal(schemas=False)):
                break
            found = self.found()
            now = frozenset(one.arn for one in found.found) if found else frozenset()
            idle = idle + 1 if now == before else 0
            if idle >= MOST_ROUNDS:
                raise click.ClickException(
                    f"nothing of {self.group} could be removed for hours: {self._names(found)}. "
                    "See what uses it, and start it again to go on."
                )
            before = now
        if not self._deletions.remove(tuple(schemas.values())):
            raise click.ClickException(
                f"of the schemas {', '.join(one.name for one in schemas.values())} not all could "
                "be removed. See what uses them, and start it again to go on."
            )
        self._turns.set_going(self.group, ())

    @staticmethod
    def _names(found: Inventory | None) -> str:
        stages = list(found.removal(schemas=False)) if found else []
        return ", ".join(f"{one.noun} {one.name}" for one in stages[0]) if stages else ""

    def _delete_below(self, prefix: str) -> None:
        refused = self._objects.delete_below(self._bucket, prefix, versions=self.versions)
        if refused:
            told = "\n".join(f"  - {one}" for one in refused[:MOST_TOLD])
            raise click.ClickException(
                f"{len(refused)} objects in s3://{self._bucket}/{prefix} could not be deleted:\n"
                f"{told}\nMend that, and start it again to go on."
            )
        say(f"removed s3://{self._bucket}/{prefix}")
        self._deletions.removed.append(
            {"resource": "objects", "name": f"s3://{self._bucket}/{prefix}"}
        )

    def _counts(self, *, versions: bool = False, marks: bool = True) -> dict[str, int]:
        """Return how many objects, or versions of such, lie in each folder of the group."""
        objects, bucket = self._objects, self._bucket
        own = (one for one in self._places if not self._readers(one))
        found = {
            prefix: objects.versions(bucket, prefix, marks=marks)
            if versions
            else objects.count(bucket, prefix)
            for prefix in own
        }
        return {prefix: number for prefix, number in found.items() if number}

    def _of_others(self) -> Iterator[str]:
        """Tell what is left, since another dataset group is maintained from the same place."""
        for prefix in self._places if self.data else ():
            others = self._readers(prefix)
            if others and self._objects.count(self._bucket, prefix):
                told = ", ".join(others)
                yield f"s3://{self._bucket}/{prefix}, which the dataset group {told} reads as well"

    def _readers(self, prefix: str) -> list[str]:
        """Return the other groups that are maintained from below a prefix, or from beside it."""
        if prefix.endswith(".json"):
            return []
        beside = f"{prefix.rstrip('/').rpartition('/')[0]}/"
        return sorted(
            group
            for group, folder in self._turns.folders().items()
            if group != self.group and (folder.startswith(prefix) or folder == beside)
        )

    @property
    def _places(self) -> list[str]:
        """The folders and objects of the group: its own, and what it is maintained from."""
        own = [f"{folder}/{self.group}/" for folder in FOLDERS]
        key, folder = self._turns.key(self.group), self._turns.folder(self.group)
        if not key or not folder or folder in own:
            return own
        names = (*DATASET_TYPES, DELETIONS)
        return [
            *own,
            *(f"{folder}{name}{end}" for name in names for end in (".csv", "/")),
            key,
        ]

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
