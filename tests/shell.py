"""Commands as they are told, put to the programs' own parsers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache

import click
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mpe.cli.main import mpe

PROGRAMS = ("mpe", "aws", "npx")
S3_OPTIONS = frozenset({"--recursive", "--exclude", "--include", "--metadata-directive"})
"""The options of ``aws s3`` that are told of (https://docs.aws.amazon.com/cli/latest/reference/s3/)."""


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands of a mail: each ends its line, alone in it or after ``Run:``."""
    for line in text.splitlines():
        found = re.search(rf"(?:^|Run: |: )((?:{'|'.join(PROGRAMS)}) .+)$", line.strip())
        if found:
            yield found[1]


def parse(command: str) -> None:
    """Raise ValueError, or click's own error, for a command that its program does not take.

    A file that is named must be in this process's folder.
    """
    program, *words = shlex.split(command)
    {"mpe": _parse_mpe, "aws": _parse_aws, "npx": _parse_cdk}[program](words)


def _parse_mpe(words: Sequence[str]) -> None:
    command: click.Command = mpe
    context: click.Context | None = None
    name, rest = "mpe", list(words)
    while isinstance(command, click.Group):
        context = command.make_context(name, rest, parent=context)
        taken, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        if found is None or taken is None:
            raise ValueError(f"mpe {shlex.join(words)}: no such command")
        name, command = taken, found
    command.make_context(name, rest, parent=context)


def _parse_aws(words: Sequence[str]) -> None:
    service, verb, *rest = words
    options = [one for one in rest if one.startswith("--")]
    if service == "s3":
        if verb not in {"cp", "rm"} or not S3_OPTIONS.issuperset(options):
            raise ValueError(f"aws {shlex.join(words)}")
        return
    operations = _operations(service)
    if not operations.get(verb, frozenset()).issuperset(options):
        raise ValueError(f"aws {shlex.join(words)}: known are {sorted(operations.get(verb, ()))}")


@cache
def _operations(service: str) -> dict[str, frozenset[str]]:
    """Return the AWS CLI's commands of a service with their options, as it makes them too."""
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    found = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        members = shape.members if shape else {}
        found[xform_name(name, "-")] = frozenset(f"--{xform_name(one, '-')}" for one in members)
    return found


def _parse_cdk(words: Sequence[str]) -> None:
    """The stack's parameters are held to the template elsewhere (tests/infrastructure)."""
    cdk, verb, *rest = words
    if (cdk, verb) != ("cdk", "deploy") or rest[:1] not in ([], ["--parameters"]):
        raise ValueError(f"npx {shlex.join(words)}")
