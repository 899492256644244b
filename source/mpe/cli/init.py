"""``mpe init``: a config and its CSVs from a user's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mpe.cli.check import MEMORY_OPTION, hidden, watching
from mpe.cli.terminal import say
from mpe.data.columns import Unsure, mapping
from mpe.data.engine import Engine
from mpe.data.files import Watcher
from mpe.data.init import CONFIG, REASONS, Request, Result, initialise

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
TABS = ("tab", "\\t")


def _separator(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return the one character that separates columns."""
    if value is None:
        return None
    sign = "\t" if value in TABS else value
    if len(sign) != 1 or sign in '"\n\r\0':
        raise click.BadParameter(f'{value!r} is not one character, such as ";", or the word tab.')
    return sign


@click.command()
@click.option("--interactions", type=FILE, required=True, help="Who did what with which item.")
@click.option("--users", type=FILE, help="What is known of the users.")
@click.option("--items", type=FILE, help="What is known of the items.")
@click.option(
    "--domain",
    type=click.Choice(["ECOMMERCE", "VIDEO_ON_DEMAND"]),
    help="Make recommenders of a domain in the place of solutions.",
)
@click.option("--name", help="The dataset group's name. [the folder's]")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=TARGET",
    help="Which column is which, such as userId=USER_ID or items.id=ITEM_ID; - leaves it out.",
)
@click.option("--out", type=FOLDER, default=".", show_default=True, help="Where to write.")
@click.option(
    "--delimiter", callback=_separator, help='What separates the columns, such as ";" or tab.'
)
@click.option("--encoding", help="The files' encoding, such as latin-1.")
@click.option("--time-format", help='How times are written, such as "%d.%m.%Y %H:%M".')
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="Of times that name none, and of the schedules.",
)
@click.option("--force", is_flag=True, help="Overwrite what an earlier init wrote.")
@MEMORY_OPTION
def init(
    interactions: Path,
    users: Path | None,
    items: Path | None,
    domain: str | None,
    name: str | None,
    maps: Sequence[str],
    out: Path,
    delimiter: str | None,
    encoding: str | None,
    time_format: str | None,
    time_zone: str,
    force: bool,
    memory: str,
) -> None:
    """Write a config, with its reasons, and CSVs as the service takes them, from your own CSVs.

    Your files are only read. What is not sure is asked where there is a terminal, and refused
    elsewhere, with what to pass. Example: mpe init --interactions orders.csv --items skus.csv
    --out films
    """
    given = {"interactions": interactions, "users": users, "items": items}
    try:
        request = Request(
            files={kind: path for kind, path in given.items() if path},
            out=out,
            domain=domain,
            group=name,
            mappings=[mapping(one) for one in maps],
            encoding=encoding,
            delimiter=delimiter,
            time_format=time_format,
            zone=time_zone,
            force=force,
        )
        with watching() as watcher, Engine(memory=memory, watcher=watcher) as engine:
            asker = Terminal(watcher) if sys.stdin.isatty() else Nobody()
            result = initialise(request, engine, asker)
    except Unsure as error:
        raise click.ClickException(str(error)) from None
    _tell(result)


class Nobody:
    """Answers nothing: standard input is no terminal."""

    def choose(self, question: str, options: Sequence[str]) -> str | None:
        return None


class Terminal:
    """Asks on the terminal, in the place of the progress that is shown there."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def choose(self, question: str, options: Sequence[str]) -> str | None:
        """Let one of the options be chosen by its number; nothing chooses none."""
        numbers = click.IntRange(0, len(options))
        with hidden(self._watcher):
            click.echo(err=True)
            say(question, err=True)
            for number, option in enumerate(options, 1):
                say(f"  {number}  {option}", err=True)
            answer = click.prompt("Number (0: none of these)", type=numbers, default=0, err=True)
        return options[answer - 1] if answer else None


def _tell(result: Result) -> None:
    for one in result.datasets:
        less = f", {one.rows - one.kept:,} left out" if one.kept < one.rows else ""
        say(f"{one.file.source.name}: {one.kept:,} rows{less} -> {one.kind}.csv")
    for choice in result.choices:
        say(f"  {choice.what}".replace("`", "").replace("**", ""))
    for note in result.notes:
        say(f"note: {note}")
    click.echo()
    say(f"Wrote {result.out / CONFIG}; {result.out / REASONS} tells why it is so.")
    say(f"Next: mpe check-data {result.out / CONFIG}")
