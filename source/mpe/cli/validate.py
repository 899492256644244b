"""``mpe validate``: what the config Lambda would say.

It reads no account, and so imports nothing of AWS.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import click

from mpe.cli.terminal import OUTPUT, answer, as_json, say
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError, Problem, named
from mpe.model.service.limits import SIZE_LIMIT

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PROBLEMS = 1
"""The exit code where a config has problems."""


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
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        say(f"{path}: {count}", style="red")
    else:
        say(f"{path}: fine", style="green")
    for one in problems:
        say(f"  {one.path}")
        say(f"      {named(f'{one.message} {one.remedy}', one.rule)}")
    for note in config.notes if config else ():
        say(f"  note: {note}", style="yellow")
