"""The commands' outlines: what the list of commands and a shell's completions need to know.

``commands.json`` is made from the commands by ``python -m tests.reference``, so that a Tab imports
neither them nor what they rest on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from mpe.cli.known import known

COMMANDS = {
    "init": "mpe.cli.init:init",
    "check-data": "mpe.cli.check:check_data",
    "validate": "mpe.cli.validate:validate",
    "plan": "mpe.cli.configs:plan",
    "apply": "mpe.cli.apply:apply",
    "watch": "mpe.cli.apply:watch",
    "export": "mpe.cli.export:export",
    "adopt": "mpe.cli.export:adopt",
    "remove": "mpe.cli.remove:remove",
    "destroy": "mpe.cli.destroy:destroy",
    "runs": "mpe.cli.runs:runs",
    "status": "mpe.cli.status:status",
    "models": "mpe.cli.models:models",
    "approve": "mpe.cli.gate:approve",
    "reject": "mpe.cli.gate:reject",
    "rollback": "mpe.cli.gate:rollback",
    "freeze": "mpe.cli.gate:freeze",
    "unfreeze": "mpe.cli.gate:unfreeze",
    "accept": "mpe.cli.gate:accept",
    "gate": "mpe.cli.replay:gate",
    "logs": "mpe.cli.logs:logs",
    "doctor": "mpe.cli.doctor:doctor",
    "schedule": "mpe.cli.schedules:schedule",
    "local": "mpe.cli.local:local",
    "completion": "mpe.cli.completion:completion",
}
"""Where each command is; they are listed in this order."""
OUTLINES = Path(__file__).with_name("commands.json")
NAMED = frozenset({"group", "task", "run"})
"""The arguments that name what a stack has."""


def described(command: click.Command) -> dict[str, Any]:
    """Return what ``commands.json`` has of a command."""
    told: dict[str, Any] = {"help": command.help or ""}
    if isinstance(command, click.Group):
        return told | {"commands": {name: described(one) for name, one in command.commands.items()}}
    return told | {"params": [_described_param(one) for one in command.params]}


def _described_param(one: click.Parameter) -> dict[str, Any]:
    choices = list(one.type.choices) if isinstance(one.type, click.Choice) else []
    told: dict[str, Any] = {"name": one.name, "opts": list(one.opts), "nargs": one.nargs}
    if isinstance(one, click.Option):
        told |= {"help": one.help, "flag": one.is_flag, "multiple": one.multiple}
    if isinstance(one.type, click.Path):
        told["path"] = "dir" if not one.type.file_okay else "file"
    return told | ({"choices": choices} if choices else {})


def outline(name: str) -> click.Command:
    """Return a command that knows its help and its words, and does nothing."""
    return _command(name, _outlines()[name])


@cache
def _outlines() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(OUTLINES.read_text())
    return found


def _command(name: str, told: Mapping[str, Any]) -> click.Command:
    if "commands" in told:
        inner = {one: _command(one, more) for one, more in told["commands"].items()}
        return click.Group(name, help=told["help"], commands=inner)
    return click.Command(name, help=told["help"], params=[_param(one) for one in told["params"]])


def _param(told: Mapping[str, Any]) -> click.Parameter:
    kind: Any = click.Choice(told["choices"]) if "choices" in told else None
    if "path" in told:
        kind = click.Path(file_okay=told["path"] == "file")
    if "flag" not in told:
        names = _names if told["name"] in NAMED else None
        return click.Argument(
            told["opts"], type=kind, nargs=told["nargs"], required=False, shell_complete=names
        )
    return click.Option(
        [*told["opts"], told["name"]],
        type=None if told["flag"] else kind,
        help=told["help"],
        is_flag=told["flag"],
        multiple=told["multiple"],
    )


def _names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the groups, tasks or runs of the stack that begin so."""
    group = context.params.get("group")
    stack = context.params.get("stack")
    found = known(str(parameter.name), group=group, stack=stack)
    return [CompletionItem(one) for one in found if one.startswith(incomplete)]
