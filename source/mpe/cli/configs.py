"""``mpe validate`` and ``mpe plan``: what the config Lambda would say, and the run would do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from mpe.aws.objects import Objects
from mpe.aws.personalize import Personalize
from mpe.aws.survey import Step, survey
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.terminal import answer, as_json, console, print_plain
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError, Problem, named
from mpe.model.plan.desired import desired_state
from mpe.model.plan.foreign import foreign
from mpe.model.plan.reconcile import Create, Reject, Update, Wait
from mpe.model.service.limits import SIZE_LIMIT, some

CHANGES = 2
PROBLEMS = 1
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

    Exit code 0 when there is nothing to do, 2 when there are changes, 1 when there are
    problems. Example: mpe plan config.json --endpoint-url http://127.0.0.1:4566
    """
    config = accepted(file)
    steps = list(surveyed(config, account, Objects(account.client("s3"))))
    if output == "json":
        answer([row_of(step) for step in steps])
    else:
        print_plan(steps)
    raise click.exceptions.Exit(exit_code(steps))


def surveyed(config: Config, account: Account, objects: Objects) -> Iterator[Step]:
    """Yield what a run of a config would do, with the data as some objects are.

    A config that names what is another account's is refused, as the upload would be.
    """
    place = account.place()
    problems = tuple(some(foreign(config, place)))
    if problems:
        refuse(str(config.group.params["name"]), problems)
    folder = account.turns.folder(str(config.group.params["name"]))
    state = desired_state(config, place, version="plan", folder=folder)
    personalize, ledger = Personalize(account.client("personalize")), account.ledger
    yield from survey(state, personalize, objects, ledger, account.clock)


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


def row_of(step: Step) -> dict[str, Any]:
    told = {
        "action": type(step.action).__name__.lower(),
        "resource": step.desired.noun,
        "name": step.desired.name,
        "path": step.desired.path,
        **({"note": step.note} if step.note else {}),
    }
    match step.action:
        case Create(why):
            return {**told, "why": why}
        case Update(_, changes):
            return {**told, "changes": [asdict(change) for change in changes]}
        case Reject(error, message):
            return {**told, "error": error, "message": message}
    return told


_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "wait": (".", "cyan"),
    "keep": ("=", "dim"),
    "skip": ("=", "dim"),
    "reject": ("!", "red"),
}


def print_plan(steps: list[Step]) -> None:
    out = console()
    for step in steps:
        row = row_of(step)
        sign, style = _SIGNS[row["action"]]
        why = {"stale": " (newer data, or old age)", "failed": " (the last one failed)"}.get(
            row.get("why", ""), ""
        )
        line = f"{sign} {row['resource']} {row['name']}{why}"
        print_plain(out, line, style=style)
        for change in row.get("changes", ()):
            old, new = json.dumps(change["old"], default=str), json.dumps(change["new"])
            print_plain(out, f"    {change['field']}: {old} -> {new}")
        if step.note:
            print_plain(out, f"    note: {step.note}", style="yellow")
        if "message" in row:
            print_plain(out, f"    {row['path']}: {row['message']}")
    counts = {name: sum(row_of(step)["action"] == name for step in steps) for name in _SIGNS}
    told = ", ".join(f"{count} to {name}" for name, count in counts.items() if count)
    out.print(f"\n{told}.", markup=False)


def exit_code(steps: list[Step]) -> int:
    if any(isinstance(step.action, Reject) for step in steps):
        return PROBLEMS
    changed = any(isinstance(step.action, Create | Update | Wait) for step in steps)
    return CHANGES if changed else 0
