"""``mpe plan``: what a run of a config would do."""

from __future__ import annotations

from pathlib import Path

import click

from mpe.aws.objects import Objects
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.plans import Plan, exit_code, planned, print_plan
from mpe.cli.terminal import answer
from mpe.cli.validate import FILE, accepted, refuse
from mpe.model.config.sections import Config
from mpe.model.plan.foreign import foreign
from mpe.model.service.limits import some


@click.command()
@click.argument("file", type=FILE)
@in_account
@OUTPUT
def plan(file: Path, account: Account, output: str) -> None:
    """Show what uploading a config would change; nothing is changed.

    Its resources and scheduled tasks: + is made, ~ changed, - removed; ? is in the dataset group
    and not in the config; ! would fail, or find no data. Exit code 0 when there is nothing to do,
    2 when there is something to see, 1 when there are problems.

    Example: mpe plan config.json --endpoint-url http://127.0.0.1:4566
    """
    config = accepted(file)
    found = planned_in(config, account, Objects(account.client("s3")))
    if output == "json":
        answer(list(found.rows()))
    else:
        print_plan(found)
    raise click.exceptions.Exit(exit_code(found))


def planned_in(
    config: Config, account: Account, objects: Objects, *, take_over: bool = False
) -> Plan:
    """Return what a run of a config would do, with the data as some objects are.

    A config that names what is another account's is refused, as the upload would be.
    """
    problems = tuple(some(foreign(config, account.place())))
    if problems:
        refuse(str(config.group.params["name"]), problems)
    return planned(config, account, objects, take_over=take_over)
