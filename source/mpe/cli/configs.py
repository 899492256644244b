"""``mpe validate`` and ``mpe plan``: what the config Lambda would say, and the run would do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from mpe.aws.objects import Objects
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.plans import PROBLEMS, Plan, exit_code, planned, print_plan
from mpe.cli.terminal import answer, as_json, console, print_plain
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError, Problem, named
from mpe.model.plan.foreign import foreign
from mpe.model.service.limits import SIZE_LIMIT, some

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@OUTPUT
def validate(files: tuple[Path, ...], output: str) -> None:
    """Check config files as an upload would be checked; nothing is sent anywhere.

    Exit code 0 when all are fine, 1 when any has problems. Example: mpe validate config.json
    """
    found = {str(path): checked(path) for path in files}
    if output == "json":
        answer({path: _as_dict(*told) for path, told in found.items()})
    else:
        for path, told in found.items():
            print_checked(path, *told)
    if any(problems for _, problems in found.values()):
        raise click.exceptions.Exit(PROBLEMS)


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


def checked(path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        with path.open("rb") as file:
            return parse(file.read(SIZE_LIMIT + 1)), ()
    except ConfigError as error:
        return None, error.problems


def accepted(path: Path) -> Config:
    """Return the config of a file, or end with what is wrong with it."""
    config, problems = checked(path)
    if config is None:
        refuse(str(path), problems)
    return config


def refuse(name: str, problems: tuple[Problem, ...]) -> NoReturn:
    """End with the problems of a config, as JSON where that was asked for."""
    if as_json():
        answer({name: _as_dict(None, problems)})
    else:
        print_checked(name, None, problems)
    raise click.exceptions.Exit(PROBLEMS)


def _as_dict(config: Config | None, problems: tuple[Problem, ...]) -> dict[str, Any]:
    notes = config.notes if config else ()
    return {
        "problems": [asdict(one) for one in problems],
        "notes": [asdict(one) for one in notes],
    }


def print_checked(path: str, config: Config | None, problems: tuple[Problem, ...]) -> None:
    out = console()
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        print_plain(out, f"{path}: {count}", style="red")
    else:
        print_plain(out, f"{path}: fine", style="green")
    for one in problems:
        print_plain(out, f"  {one.path}")
        print_plain(out, f"      {named(f'{one.message} {one.remedy}', one.rule)}")
    for note in config.notes if config else ():
        print_plain(out, f"  note: {note}", style="yellow")
