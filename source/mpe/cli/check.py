"""``mpe check-data``: what the service would refuse in the CSVs, before it is asked."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from mpe.aws.ledger import Ledger
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.terminal import answer, as_json
from mpe.data.check import Check
from mpe.data.engine import MEMORY, Engine
from mpe.data.files import Source, Unwatched, Watcher
from mpe.data.page import page
from mpe.data.profile import profile
from mpe.model.config.parse import parse
from mpe.model.config.sections import KINDS, Config, inner
from mpe.model.errors import ConfigError, Finding, named
from mpe.model.gate.data import DataLimits, judge_data
from mpe.model.plan.desired import DELETIONS
from mpe.model.rules import data as rules
from mpe.model.rules.catalogue import ALL
from mpe.model.service.profile import Profile, as_document, of_document
from mpe.model.text import plain

PAGE = click.Path(dir_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ERRORS = 1
SEVERITIES = ("error", "warning", "note")
S3 = "s3://"
LONGEST = 30
"""Characters of a file's name beside the progress bar."""
AMOUNT = re.compile(r"(?=.*[1-9])[0-9]+(\.[0-9]+)? ?([kmgt]i?)?b", re.IGNORECASE)


def _amount(context: click.Context, option: click.Parameter, value: str) -> str:
    """Refuse what is no amount of memory, before the engine makes its own of it."""
    if not AMOUNT.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no amount of memory, such as 500MB or 4GB.")
    return value


MEMORY_OPTION = click.option(
    "--memory",
    default=MEMORY,
    show_default=True,
    callback=_amount,
    help="The memory that the engine may take.",
)
REPORT = click.option(
    "--report",
    type=PAGE,
    help="Write a picture of the data here: a page of HTML, or its figures if it ends in .json.",
)
AGAINST = click.option(
    "--against",
    metavar="GROUP|FILE",
    help="Compare it with a dataset group's last import, or with the figures of a --report.",
)
Places = Mapping[str, tuple[str, Sequence[Source]]]
Earlier = Callable[[str], Profile | None]
"""Returns the profile of earlier data of a dataset, where there is one."""


@click.command("check-data")
@click.argument("file", metavar="CONFIG", type=FILE)
@click.option("--path", help="Where the CSVs are: a folder or s3://bucket/prefix. [the config's]")
@REPORT
@AGAINST
@in_account
@MEMORY_OPTION
@OUTPUT
def check_data(
    file: Path,
    path: str | None,
    report: Path | None,
    against: str | None,
    account: Account,
    memory: str,
    output: str,
) -> None:
    """Check the CSVs of a config against the service's rules; nothing is sent anywhere.

    Exit code 0 when there are no errors, 1 when there are; warnings alone are 0.
    Example: mpe check-data config.json --path s3://my-bucket/train/films
    """
    try:
        config = parse(file.read_bytes())
    except ConfigError as error:
        raise click.ClickException(f"{file} has problems; see mpe validate:\n{error}") from None
    kinds = [one.kind for one in config.datasets]
    earlier = _earlier(account, against) if against else None
    with watching() as watcher, tempfile.TemporaryDirectory(prefix="mpe-s3-") as folder:
        if path and path.startswith(S3):
            places, nested = _downloaded(account, path, kinds, Path(folder), watcher)
        else:
            here = Path(path) if path else file.parent
            places, nested = _local(here, kinds), _nested(here, kinds)
        findings = _checked(config, places, nested, memory, watcher, report, earlier)
    print_findings(findings, output)
    if any(one.severity == "error" for one in findings):
        raise click.exceptions.Exit(ERRORS)


def check_folder(
    config: Config, folder: Path, *, report: Path | None = None, memory: str = MEMORY
) -> list[Finding]:
    """Return the findings in a folder's CSVs; a dataset without any there is none."""
    here = _local(folder, [one.kind for one in config.datasets])
    places = {kind: found for kind, found in here.items() if found[1]}
    there = tuple(one for one in config.datasets if one.kind in places)
    nested = _nested(folder, list(here))
    with watching() as watcher:
        told = replace(config, datasets=there)
        return _checked(told, places, nested, memory, watcher, report)


def _checked(
    config: Config,
    places: Places,
    nested: Sequence[Finding],
    memory: str,
    watcher: Watcher,
    report: Path | None = None,
    earlier: Earlier | None = None,
) -> list[Finding]:
    with Engine(memory=memory, watcher=watcher) as engine:
        check = Check(config, engine, now=time.time())
        all_told = [*check(places), *nested]
        described = profile(engine, check.tables) if report or earlier else None
        if described and earlier:
            all_told += _compared(config, described, earlier, places)
        told = (one for one in all_told if one.rule not in config.ignored)
        found = sorted(told, key=lambda one: SEVERITIES.index(one.severity))
        if described and report is not None:
            _picture(config, described, found, report)
    return found


def _earlier(account: Account, against: str) -> Earlier:
    """Return what gives the profile of the earlier data of each dataset."""
    if Path(against).is_file():
        try:
            known = of_document(json.loads(Path(against).read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told = f"--against {against} is no report of this command: {error}"
            raise click.ClickException(told) from None
        return lambda kind: known if known.rows(kind) is not None else None
    ledger = account.ledger
    if all(last_profile(ledger, against, kind) is None for kind in KINDS):
        raise click.ClickException(
            f"--against {against} is neither a file nor a dataset group whose imports were judged. "
            "See `mpe status`."
        )
    return lambda kind: last_profile(ledger, against, kind)


def last_profile(ledger: Ledger, group: str, kind: str) -> Profile | None:
    """Return the profile of the data that a dataset was imported from last."""
    rows = [one for one in ledger.profiles(group, f"import.{kind}") if one.get("imported")]
    full = [one for one in rows if one["mode"] == "FULL"]
    newest = max(full, key=lambda one: str(one["at"]), default=None)
    return of_document(json.loads(newest["profile"])) if newest else None


def _compared(config: Config, new: Profile, earlier: Earlier, places: Places) -> Iterator[Finding]:
    """Hold data to what the config's gate asks of imports."""
    limits = DataLimits.of(inner(inner(config.group.workflow, "gate"), "data"))
    for one in new.datasets:
        live = earlier(one.kind)
        verdict = judge_data(limits, one.kind, new, live=live, now=time.time())
        for reason in verdict.reasons:
            told = f"{reason.told[0].upper()}{reason.told[1:]}"
            remedy = "Look at where the data comes from; a gate that holds would not import it."
            yield ALL[reason.rule].finding(places[one.kind][0], told, remedy)


def _picture(config: Config, described: Profile, found: Sequence[Finding], report: Path) -> None:
    """Write a profile: as JSON where the file's name ends so, else as a page."""
    if report.suffix == ".json":
        content = json.dumps(as_document(described), indent=2) + "\n"
    else:
        group = str(config.group.params["name"])
        content = page(described, found, f"The data of {group}")
    try:
        report.write_text(content, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"--report {report}: {error.strerror}.") from None


def csvs_in(folder: Path, kind: str) -> tuple[Path, list[Path]]:
    """Return where a dataset's one file would be, and the CSVs in the folder of its name.

    An import reads the files directly in a folder, a deletion those in its sub-folders too:
    https://docs.aws.amazon.com/personalize/latest/dg/bulk-data-import-step.html
    https://docs.aws.amazon.com/personalize/latest/dg/API_DataSource.html
    """
    pattern = "**/*.csv" if kind == DELETIONS else "*.csv"
    several = [one for one in sorted((folder / kind).glob(pattern)) if one.is_file()]
    return folder / f"{kind}.csv", several


def _nested(folder: Path, kinds: Sequence[str]) -> list[Finding]:
    """Tell the CSVs in sub-folders of the datasets' folders."""
    several = (sorted((folder / kind).glob("*/**/*.csv")) for kind in kinds)
    files = ([str(one) for one in some if one.is_file()] for some in several)
    return [
        _not_imported(folder / kind, some) for kind, some in zip(kinds, files, strict=True) if some
    ]


def _not_imported(place: Path | str, files: Sequence[str]) -> Finding:
    told = "It is not imported: Amazon Personalize imports only files directly in the folder."
    remedy = f"Move it up, to {place}."
    return rules.NESTED.finding(files[0], told, remedy, count=len(files))


def _local(folder: Path, kinds: Sequence[str]) -> Places:
    """Find the files beside a config, as the workflow finds them in the bucket."""
    if not folder.is_dir():
        raise click.ClickException(f"{folder} is not a folder.")
    found = {}
    for kind in kinds:
        file, several = csvs_in(folder, kind)
        if file.is_file():
            found[kind] = (str(file), [Source(file, str(file))])
        else:
            place = folder / kind if several else file
            found[kind] = (str(place), [Source(one, str(one)) for one in several])
    return found


def _downloaded(
    account: Account, url: str, kinds: Sequence[str], folder: Path, watcher: Watcher
) -> tuple[Places, list[Finding]]:
    """Bring the files at a place in S3 here, by the names that the workflow looks for."""
    bucket, _, prefix = url.removeprefix(S3).partition("/")
    prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    client, found, nested = account.client("s3"), {}, []
    for kind in kinds:
        sizes = listed(client, bucket, f"{prefix}{kind}")
        file, below = f"{prefix}{kind}.csv", f"{prefix}{kind}/"
        several = [key for key in sizes if key.startswith(below) and key.endswith(".csv")]
        deep = [f"{S3}{bucket}/{key}" for key in several if "/" in key.removeprefix(below)]
        if deep:
            nested.append(_not_imported(f"{S3}{bucket}/{below}", deep))
        direct = [key for key in several if "/" not in key.removeprefix(below)]
        keys = [file] if file in sizes else direct
        place = below if keys and file not in sizes else file
        sources = []
        for number, key in enumerate(keys):
            target = folder / f"{kind}-{number}.csv"
            download(client, bucket, key, target, sizes[key], watcher)
            sources.append(Source(target, f"{S3}{bucket}/{key}"))
        found[kind] = (f"{S3}{bucket}/{place}", sources)
    return found, nested


def listed(client: Any, bucket: str, prefix: str) -> dict[str, int]:
    """Return the objects below a prefix, with their bytes."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", ())}


def download(client: Any, bucket: str, key: str, target: Path, size: int, watcher: Watcher) -> None:
    watcher.begin(f"Downloading {S3}{bucket}/{key}")
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        watcher.at(done / max(size, 1))

    client.download_file(bucket, key, str(target), Callback=more)


class _Bar:
    """A progress bar on a terminal's standard error."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, told: str) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        verb, _, place = told.partition(" ")
        if len(place) > LONGEST:
            place = f"…{place[-LONGEST:]}"
        self._task = self._progress.add_task(plain(f"{verb} {place}"), total=1.0)

    def at(self, share: float) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=min(share, 1.0))

    @contextmanager
    def hidden(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


def hidden(watcher: Watcher) -> AbstractContextManager[None]:
    """Show no progress for a while, so that somebody can be asked in its place."""
    return watcher.hidden() if isinstance(watcher, _Bar) else nullcontext()


@contextmanager
def watching() -> Iterator[Watcher]:
    """Show how far the work is, where somebody looks."""
    if not sys.stderr.isatty():
        yield Unwatched()
        return
    with progress(Console(stderr=True)) as shown:
        yield _Bar(shown)


def progress(console: Console) -> Progress:
    """Return the progress of some work: names of files in it are no markup."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def print_findings(findings: Sequence[Finding], output: str) -> None:
    """Print findings as JSON, or as a table with their count."""
    if output == "json":
        answer([asdict(one) for one in findings])
        return
    console = Console(highlight=False, soft_wrap=True, stderr=as_json())
    if not findings:
        console.print("The data is fine.", style="green")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "file", "lines", "column", "count", "what"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading == "count" else "left"
        )
    for one in findings:
        table.add_row(*map(Text, _cells(one)))
    if not console.is_terminal:
        console.width = 400
    console.print(table)
    errors = sum(one.severity == "error" for one in findings)
    warnings = sum(one.severity == "warning" for one in findings)
    notes = len(findings) - errors - warnings
    told = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}."
    if not errors and not warnings:
        told = f"The data is fine, with {_counted(notes, 'note')}."
    console.print(f"\n{told}", style="red" if errors else "yellow" if warnings else "green")


def _cells(one: Finding) -> tuple[str, ...]:
    more = ", ..." if one.count > len(one.lines) > 0 else ""
    lines = ", ".join(map(str, one.lines)) + more
    what = named(f"{one.message} {one.remedy}", one.rule)
    return one.severity, one.file, lines, one.column or "", f"{one.count:,}", what


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
