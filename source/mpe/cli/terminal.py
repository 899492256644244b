"""What is said on the terminal: names and reasons are others' words, and shown as plain text."""

from __future__ import annotations

import click
from rich.console import Console

from mpe.model.text import plain

LINE_LIMIT = 5_000
"""Characters of one line."""


def say(line: str, *, err: bool = False) -> None:
    """Say one line, with what is not printable written as its escape."""
    click.echo(plain(line, LINE_LIMIT), err=err)


def print_plain(console: Console, line: str, *, style: str | None = None) -> None:
    """Print one line in a style: nothing in it is markup, and nothing in it is hidden."""
    console.print(
        plain(line, LINE_LIMIT),
        style=style,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )
