"""``mpe init``: a config and its CSVs from a user's own."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from mpe.cli.account import OUTPUT, Account, in_cloud
from mpe.cli.check import (
    MEMORY_OPTION,
    REPORT,
    check_folder,
    hidden,
    watching,
)
from mpe.cli.given import PIPE, sources
from mpe.cli.terminal import answer, say
from mpe.data.columns import Unsure, mapping
from mpe.data.dialect import Manner
from mpe.data.engine import Engine
from mpe.data.files import Watcher
from mpe.data.formats import of_query
from mpe.data.infer import Saying
from mpe.data.init import CONFIG, REASONS, Request, Result, initialise
from mpe.model.config.parse import parse

FOLDER = click.Path(file_okay=False, path_type=Path)
TABS = ("tab", "\\t")
MOST_SIGNS = 4
KINDS = ("interactions", "users", "items")


def _separator(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return the one character that separates columns."""
    if value is None:
        return None
    sign = "\t" if value in TABS else value
    if not 1 <= len(sign) <= MOST_SIGNS or set(sign) & set('"\n\r\0'):
        raise click.BadParameter(
            f'{value!r} is not one to {MOST_SIGNS} characters, such as ";", "::" or tab.'
        )
    return sign


def _encodings(values: Sequence[str]) -> dict[str, str]:
    """Read ``[kind=]encoding``."""
    found = {}
    for value in values:
        kind, equals, encoding = value.rpartition("=")
        if equals and kind not in KINDS:
            raise Unsure(f"--encoding {value}: {kind} is not {', '.join(KINDS)}.")
        found[kind] = encoding
    return found


def _lists(values: Sequence[str]) -> dict[str, str | None]:
    """Read ``COLUMN[=SEPARATOR]``."""
    pairs = (value.partition("=") for value in values)
    return {column: separator or None for column, _, separator in pairs}


def _queries(values: Sequence[str], files: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Read ``kind=query``; raise Unsure where there is a file as well, or no interactions."""
    found: dict[str, str] = {}
    for value in values:
        kind, equals, query = value.partition("=")
        if not equals or kind not in KINDS or not query.strip():
            raise Unsure(f"--sql {value}: write it as --sql KIND=QUERY; {', '.join(KINDS)}.")
        if kind in found or files[kind]:
            raise Unsure(f"--sql {kind}: there is another file or query of the {kind}.")
        found[kind] = query
    if not files["interactions"] and "interactions" not in found:
        raise Unsure("Pass --interactions FILE, or --sql interactions=QUERY.")
    return {kind: found[kind] for kind in KINDS if kind in found}


@click.command()
@click.option(
    "--interactions",
    multiple=True,
    metavar="FILE",
    help="Who did what with which item: a file or folder, s3://bucket/key or - for a pipe.",
)
@click.option("--users", multiple=True, metavar="FILE", help="What is known of the users.")
@click.option("--items", multiple=True, metavar="FILE", help="What is known of the items.")
@click.option(
    "--sql",
    "queries",
    multiple=True,
    metavar="KIND=QUERY",
    help="A query in place of a file, such as interactions=\"SELECT * FROM 'log/*.parquet'\".",
)
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
@click.option(
    "--encoding",
    "encodings",
    multiple=True,
    metavar="[KIND=]ENCODING",
    help="The encoding of what is not UTF-8, such as latin-1; of one file: items=latin-1.",
)
@click.option(
    "--columns",
    metavar="NAMES",
    help="The names of the interactions' columns, separated by commas, where there is no header.",
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="COLUMN[=SEPARATOR]",
    help="This column has several categories in a cell.",
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="COLUMN",
    help="This column is text, whatever it has.",
)
@click.option(
    "--null", "nulls", multiple=True, metavar="WORD", help="This word means that there is no value."
)
@click.option(
    "--skip-bad-rows", is_flag=True, help="Leave rows out that are of no use, and keep them apart."
)
@click.option(
    "--no-times", is_flag=True, help="There are no times: take the order of the rows for them."
)
@click.option("--time-format", help='How times are written, such as "%d.%m.%Y %H:%M".')
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="Of times that name none, and of the schedules.",
)
@in_cloud
@click.option("--force", is_flag=True, help="Overwrite what an earlier init wrote.")
@REPORT
@MEMORY_OPTION
@OUTPUT
def init(
    interactions: Sequence[str],
    users: Sequence[str],
    items: Sequence[str],
    queries: Sequence[str],
    domain: str | None,
    name: str | None,
    maps: Sequence[str],
    out: Path,
    delimiter: str | None,
    encodings: Sequence[str],
    columns: str | None,
    lists: Sequence[str],
    texts: Sequence[str],
    nulls: Sequence[str],
    skip_bad_rows: bool,
    no_times: bool,
    time_format: str | None,
    time_zone: str,
    account: Account,
    force: bool,
    report: Path | None,
    memory: str,
    output: str,
) -> None:
    """Write a config, with its reasons, and CSVs as the service takes them, from your own CSVs.

    Your files are only read. What is not sure is asked where there is a terminal, and refused
    elsewhere, with what to pass. Example: mpe init --interactions orders.csv --items skus.csv
    --out films
    """
    given = {"interactions": interactions, "users": users, "items": items}
    try:
        asked = _queries(queries, given)
        manner = Manner(_encodings(encodings), delimiter, columns.split(",") if columns else ())
        saying = Saying(_lists(lists), frozenset(texts), tuple(nulls), skip_bad_rows)
        request = Request(
            files={},
            out=out,
            domain=domain,
            group=name,
            mappings=[mapping(one) for one in maps],
            manner=manner,
            saying=saying,
            no_times=no_times,
            time_format=time_format,
            zone=time_zone,
            force=force,
        )
        with watching() as watcher, Engine(memory=memory, watcher=watcher) as engine:
            files = {
                kind: [
                    source
                    for number, one in enumerate(several)
                    for source in sources(
                        one, engine.folder, place * 1000 + number, account, watcher
                    )
                ]
                for place, (kind, several) in enumerate(given.items())
                if several
            }
            files |= {kind: [of_query(kind, one, engine)] for kind, one in asked.items()}
            files = {kind: files[kind] for kind in KINDS if kind in files}
            asks = sys.stdin.isatty() and not any(PIPE in several for several in given.values())
            asker = Terminal(watcher) if asks else Nobody()
            result = initialise(replace(request, files=files), engine, asker)
    except Unsure as error:
        raise click.ClickException(str(error)) from None
    if report is not None:
        config = parse((result.out / CONFIG).read_bytes())
        check_folder(config, result.out, report=report, memory=memory)
    _tell(result)
    if output == "json":
        answer(_as_dict(result))


def _as_dict(result: Result) -> dict[str, Any]:
    return {
        "config": result.out / CONFIG,
        "reasons": result.out / REASONS,
        "datasets": [asdict(one) for one in result.datasets],
        "choices": [asdict(one) for one in result.choices],
        "notes": list(result.notes),
    }


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
        say(f"{one.named}: {one.kept:,} rows{less} -> {one.kind}.csv")
        for why, count in one.rejected.items():
            say(f"  left out: {why}: {count:,} (in rejected-{one.kind}.csv)")
        for column, why in one.inferred.left_out.items():
            say(f"  column left out: {column or '(no name)'}: {why}")
    for choice in result.choices:
        say(f"  {choice.what}".replace("`", "").replace("**", ""))
    for note in result.notes:
        say(f"note: {note}")
    say("")
    say(f"Wrote {result.out / CONFIG}; {result.out / REASONS} tells why it is so.")
    say(f"Next: mpe check-data {result.out / CONFIG}")
