"""``mpe export`` and ``mpe adopt``: the config of a dataset group that exists already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from mpe.aws.inventory import Inventories
from mpe.aws.objects import Objects
from mpe.aws.personalize import Missing, Personalize
from mpe.cli.account import OUTPUT, UNSEEN, Account, in_account
from mpe.cli.apply import WATCH, YES, apply_config, end
from mpe.cli.terminal import answer, say
from mpe.cli.validate import refuse
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError
from mpe.model.plan.carried import carried
from mpe.model.plan.inventory import Exported, exported, scheduled
from mpe.model.plan.owner import maintained_by, owner_of

GROUP = click.argument("group")


@click.command()
@GROUP
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file, and not to the terminal.",
)
@in_account
@OUTPUT
def export(group: str, out: Path | None, account: Account, output: str) -> None:
    """Write the config of an existing dataset group, whoever made it.

    A plan of that config says that there is nothing to do. What cannot be in it is told. Exit
    code 1 where the config would have problems, which are told as well.

    Example: mpe export movielens --out config.json
    """
    found = inventory_of(account, group)
    if out:
        out.write_text(found.text, encoding="utf-8")
        say(f"Wrote {out}.", err=True)
    if output == "json":
        answer({"config": found.document, "notes": found.notes})
    elif not out:
        click.echo(found.text, nl=False)
    _note(found)
    _valid(found.document, str(out or group))


@click.command()
@GROUP
@click.option(
    "--import-schedule",
    default="rate(1 day)",
    show_default=True,
    help="When to import newer data; an empty one for never.",
)
@click.option(
    "--full-schedule",
    help="When to train every solution; without it those that the service trains by itself are "
    "trained as often as now.",
)
@click.option("--take-over", is_flag=True, help="Also where another stack maintains it.")
@WATCH
@YES
@in_account
@OUTPUT
def adopt(
    group: str,
    import_schedule: str,
    full_schedule: str | None,
    take_over: bool,
    watch: bool,
    yes: bool,
    account: Account,
    output: str,
) -> None:
    """Maintain an existing dataset group from now on: export its config and upload it.

    It gets schedules, which take over from the service's own automatic training. The CSVs are
    not touched: data that is uploaded later is imported by the schedule. A dataset group bears the
    name of the stack that maintains it; one of another stack is refused without --take-over.

    Example: mpe adopt movielens --import-schedule "cron(0 3 * * ? *)"
    """
    key, owner = account.turns.key(group), owner_of_group(account, group)
    if owner and not take_over:
        raise click.ClickException(
            f"{maintained_by(group, owner)}: nothing was changed. Change it there (`--stack "
            f"{owner}`), or take it over with --take-over."
        )
    if key and not owner:
        raise click.ClickException(
            f"{group} is maintained already, from s3://{account.output('DataBucket')}/{key}: "
            f"nothing was changed. Change that config (`mpe export {group}` has all of it) and "
            "`mpe apply` it."
        )
    if owner:
        say(f"note: {_other_stack(account, owner)}")
    found = inventory_of(account, group)
    _note(found)
    try:
        document = scheduled(
            found.document, imports=import_schedule or None, full=full_schedule or None
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    config = _valid(document, group)
    text = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    uploaded = apply_config(config, text, account, files=(), yes=yes, taken_from=owner)
    end(uploaded, account, watch=watch)


def _other_stack(account: Account, name: str) -> str:
    """Say whether the stack that maintains a dataset group is there, and so may work on it."""
    status = account.status_of(name)
    if status is None:
        return f"the stack {name}, which maintains it, is not there any more."
    if status == UNSEEN:
        return f"whether the stack {name}, which maintains it, is there may not be seen."
    return (
        f"the stack {name}, which maintains it, is there ({status}): its runs and schedules are "
        "refused once this one has it."
    )


def owner_of_group(account: Account, group: str) -> str | None:
    """Return the stack that maintains a dataset group, where that is another than the account's."""
    place, personalize = account.place(), Personalize(account.client("personalize"))
    try:
        owner = owner_of(personalize.tags(place.arn(f"dataset-group/{group}")))
    except Missing:
        return None
    return owner if owner != place.stack else None


def inventory_of(account: Account, group: str) -> Exported:
    """Return the config of a group, or tell which groups there are."""
    inventories = Inventories(Personalize(account.client("personalize")))
    bucket = account.known_output("DataBucket")
    inventory = inventories.of(group_arn(inventories, group))
    key = account.turns.key(group) if bucket else None
    if not bucket or not key:
        return exported(inventory, bucket=bucket)
    config = _maintained_by(account, group, bucket, key)
    pointed = _pointed(account, group, config) if config else {}
    found = exported(inventory, bucket=bucket, pointed=pointed)
    if config is None:
        found.notes.append(
            f"its config s3://{bucket}/{key} cannot be read: schedules are left out."
        )
        return found
    document = carried(found.document, config)
    return Exported(document, [note for note in found.notes if "they are history" not in note])


def _pointed(account: Account, group: str, config: Config) -> dict[str, str]:
    """Return which versions the campaigns serve that the config lets follow a pointer."""
    names = {
        f"campaign.{solution.solution.params['name']}.{one.params['name']}": one.params["name"]
        for solution in config.solutions
        for one in solution.campaigns
        if "solutionVersionArn" not in one.params
    }
    found = account.ledger.all_pointers(group)
    return {names[id]: one.version for id, one in found if id in names and one.version}


def _maintained_by(account: Account, group: str, bucket: str, key: str) -> Config | None:
    """Return the config that a group is maintained by: as its newest run had it, else as it lies.

    A newer upload that was rejected is passed over.
    """
    objects = Objects(account.client("s3"))
    run = account.turns.recorded(group, account.turns.newest_run(group) or "") or {}
    version = run.get("config", {}).get("version")
    for which in (version, None):
        try:
            config = parse(objects.read(bucket, key, which))
        except (ClientError, ConfigError):
            continue
        if config.group.params["name"] == group:
            return config
    return None


def group_arn(inventories: Inventories, group: str) -> str:
    """Return the ARN of a group, or tell which groups there are."""
    groups = inventories.groups()
    if group not in groups:
        known = ", ".join(sorted(groups)) or "none"
        raise click.ClickException(f"there is no dataset group {group!r}. There are: {known}.")
    return groups[group]


def _note(found: Exported) -> None:
    for note in found.notes:
        say(f"note: {note}", err=True)


def _valid(document: dict[str, Any], name: str) -> Config:
    """Return the config, or tell its problems: this project asks for more than the service."""
    try:
        return parse(json.dumps(document))
    except ConfigError as error:
        refuse(name, error.problems)
