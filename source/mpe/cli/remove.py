"""``mpe remove``: remove one resource of a dataset group, which stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
from botocore.exceptions import ClientError

from mpe.aws.objects import Objects, state_of
from mpe.aws.tasks import Tasks
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.apply import YES, confirm
from mpe.cli.deletions import SHORT_LEASE, Deletions, stopped_as_by_ctrl_c
from mpe.cli.terminal import answer, say
from mpe.model.plan.inventory import REMOVAL, Found, Inventory, using
from mpe.model.plan.removals import BILLED

REMOVABLE = tuple(noun for stage in REMOVAL for noun in stage if noun != "DatasetGroup")
"""The types of what can be removed alone; jobs and versions go with what they are of."""
MOST_ROUNDS = 36
"""How many looks of ten minutes may find that nothing of it is gone: six hours."""


@click.command()
@click.argument("group")
@click.argument("resource")
@click.option("--with-users", is_flag=True, help="Remove what uses it as well, before it.")
@YES
@in_account
@OUTPUT
def remove(
    group: str, resource: str, with_users: bool, yes: bool, account: Account, output: str
) -> None:
    """Remove one resource of a dataset group, whoever made it; the rest stays.

    RESOURCE is its name, or its type and name where several bear that name, such as
    campaign/films-live. What it is used by is told and refused, or removed before it with
    --with-users. It has the dataset group's turn meanwhile, so that no run works there, and gives
    it back however it ends; where it is killed outright, runs wait for ten minutes at most. Take
    the resource out of the config as well: what a config names, its next run makes anew.

    Example: mpe remove movielens campaign/movielens-live
    """
    deletions = Deletions(account, group, "remove", SHORT_LEASE)
    inventory = deletions.found()
    if inventory is None:
        raise click.ClickException(f"there is no dataset group {group!r}: nothing was removed.")
    one = _found(inventory, resource)
    stages = [using(inventory, one), (one,)]
    if stages[0] and not with_users:
        users = ", ".join(f"{each.noun} {each.name}" for each in stages[0])
        raise click.ClickException(
            f"{one.noun} {one.name} is used by {users}: nothing was removed. Remove that first, or "
            "all of it with --with-users."
        )
    say("To be removed, in this order:")
    for each in (*stages[0], one):
        say(f"  - {each.noun} {each.name}{_billed(each)}")
    for note in Named(account, group).notes((*stages[0], one)):
        say(f"note: {note}")
    if not yes:
        confirm("Remove it?")
    with stopped_as_by_ctrl_c():
        _remove(deletions, [stage for stage in stages if stage])
    if output == "json":
        answer({"group": group, "removed": deletions.removed})


def _remove(deletions: Deletions, stages: list[tuple[Found, ...]]) -> None:
    """Remove stage after stage; the turn is given back however that ends."""
    deletions.take_turn()
    try:
        for stage in stages:
            rounds = 0
            while not deletions.remove(stage):
                rounds += 1
                if rounds >= MOST_ROUNDS:
                    names = ", ".join(f"{one.noun} {one.name}" for one in stage)
                    raise click.ClickException(f"{names} could not be removed for hours.")
    except KeyboardInterrupt:
        click.echo("\nInterrupted: start it again to go on.", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        deletions.give_back()


def _found(inventory: Inventory, resource: str) -> Found:
    """Return the resource that is meant, or tell what there is."""
    kind, slash, name = resource.rpartition("/")
    known = [one for one in inventory.found if one.noun in REMOVABLE]
    meant = [
        one
        for one in known
        if resource in {one.arn, one.name} or (slash and one.name == name and _is(one, kind))
    ]
    if len(meant) == 1:
        return meant[0]
    if resource == inventory.group.name or kind.replace("-", "").lower() == "datasetgroup":
        raise click.ClickException(
            f"a whole dataset group is removed with `mpe destroy {inventory.group.name}`."
        )
    there = "\n".join(sorted(one.typed for one in meant or known))
    told = f"{resource!r} may be one of these" if meant else f"there is no {resource!r}. There are"
    raise click.ClickException(f"{told}:\n{there}")


def _is(one: Found, kind: str) -> bool:
    return kind.replace("-", "").replace("_", "").lower() == one.noun.lower()


def _billed(one: Found) -> str:
    return " (billed until it is gone)" if one.noun in BILLED else ""


@dataclass(frozen=True)
class Named:
    """What of a dataset group its newest config and its tasks name."""

    account: Account
    group: str

    def notes(self, removed: tuple[Found, ...]) -> Iterator[str]:
        """Yield what will happen to what goes, as far as the config has a say."""
        run = self.account.turns.newest_run(self.group)
        if run is None:
            return
        pointer = state_of(self.account.output("DataBucket"), self.group, run)
        try:
            state = Objects(self.account.client("s3")).load_state(pointer)
        except ClientError:
            return
        wanted = {(one.noun, one.name) for one in state.resources.values()}
        named = [f"{one.noun} {one.name}" for one in removed if (one.noun, one.name) in wanted]
        if not named:
            return
        yield (
            f"the config names {', '.join(named)}: its next run makes it anew. Take it out of the "
            "config, and `mpe apply` that."
        )
        if any(Tasks(self.account.table("TasksTable")).ids(self.group)):
            yield "scheduled tasks that need it are refused until then."
