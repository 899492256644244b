"""What is said on the terminal: names and reasons are others' words, and shown as plain text.

With ``--output json`` standard output has one JSON document and nothing else: what is said
meanwhile goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from mpe.model.text import plain

if TYPE_CHECKING:
    from rich.console import Console

LINE_LIMIT = 5_000
"""Characters of one line."""
_WITHOUT = frozenset({"dumb", "unknown"})
"""Kinds of terminals without colours."""
AS_JSON = "mpe.json"
"""The member of click's ``Context.meta`` that says whether JSON was asked for."""
OUTPUT = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
"""The option of each command that tells something as JSON as well."""


class Listing(click.Group):
    """A group whose first command may be left out: ``mpe runs films`` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        inner = args[:1] and args[0] in {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if inner else ["list", *args])


def as_json() -> bool:
    """Tell whether the command was asked for JSON."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(AS_JSON))


def json_of(value: Any) -> str:
    """Return a value as JSON: numbers of DynamoDB as numbers, and times as ISO 8601 has them."""
    return json.dumps(value, indent=2, default=_plain_value)


def _plain_value(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case date():
            return value.isoformat()
        case set() | frozenset():
            return sorted(value)
    return str(value)


def answer(value: Any) -> None:
    """Print the JSON that a command was asked for."""
    click.echo(json_of(value))


def say(line: str, *, style: str | None = None, err: bool = False) -> None:
    """Say one line, with what is not printable written as its escape.

    The style is a colour or ``dim``; only a terminal that has colours, and whose user did not set
    ``NO_COLOR`` (https://no-color.org), shows it.
    """
    err = err or as_json()
    told = plain(line, LINE_LIMIT)
    if (sys.stderr if err else sys.stdout).isatty():
        told = wrapped(told, get_terminal_size().columns)
        kind = os.environ.get("TERM", "").lower()
        if style and kind not in _WITHOUT and not os.environ.get("NO_COLOR"):
            told = click.style(told, dim=True) if style == "dim" else click.style(told, fg=style)
    click.echo(told, err=err)


def wrapped(line: str, width: int) -> str:
    """Return a line in lines that are no wider, each indented as the first; no word is broken."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    if len(line) <= width:
        return line
    return textwrap.fill(
        line.strip(" "),
        width,
        initial_indent=indent,
        subsequent_indent=indent if len(indent) * 2 < width else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def console() -> Console:
    """Return where coloured lines and tables are printed."""
    from rich.console import Console

    return Console(stderr=as_json(), highlight=False)


def print_plain(console: Console, line: str) -> None:
    """Print one line: nothing in it is markup, and nothing in it is hidden."""
    told = plain(line, LINE_LIMIT)
    console.print(
        wrapped(told, console.width) if console.is_terminal else told,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )


def fits(rows: Iterable[Iterable[str]], width: int) -> bool:
    """Tell whether a table of these rows, its headings among them, breaks no word at a width."""
    widest: list[int] = []
    for row in rows:
        words = [max(map(len, cell.split()), default=0) for cell in row]
        widest = [max(pair) for pair in zip(widest or words, words, strict=True)]
    return sum(widest) + 2 * len(widest) <= width
