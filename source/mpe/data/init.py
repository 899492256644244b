"""From a user's CSVs to a config and CSVs that the service takes.

Whatever is written is written to a folder beside the target first and moved in the end, so that
a failure leaves nothing half done. The user's own files are only read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mpe.data.columns import LEAVE_OUT, Asker, ColumnMap, Unsure, recognise
from mpe.data.dialect import Readable, readable
from mpe.data.engine import Engine, Unparsable, name, text
from mpe.data.files import Source
from mpe.data.infer import Column, Inference, Inferred, required_sql
from mpe.data.propose import GROUP_LIMIT, Choice, Known, group_name, propose
from mpe.data.times import check_format
from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.service import avro, schedules
from mpe.model.service.avro import DOMAIN_REQUIRED, RULES
from mpe.model.text import plain

CONFIG, REASONS = "config.json", "config.md"
MOST_LEFT_OUT = 0.05
"""The share of the rows that may be left out for want of a value without asking."""
DESCRIBING = ("users", "items")


@dataclass(frozen=True)
class Request:
    """What the user asks for."""

    files: Mapping[str, Path]
    """The CSVs by their kinds; the interactions at least."""
    out: Path
    domain: str | None = None
    group: str | None = None
    mappings: Sequence[ColumnMap] = ()
    encoding: str | None = None
    delimiter: str | None = None
    time_format: str | None = None
    zone: str = "UTC"
    force: bool = False

    @property
    def targets(self) -> dict[str, Path]:
        """What is written, by name."""
        names = [CONFIG, REASONS, *(f"{kind}.csv" for kind in self.files)]
        return {one: self.out / one for one in names}


@dataclass
class Dataset:
    """One of the user's files, and what became of it."""

    kind: str
    file: Readable
    inferred: Inferred
    rows: int
    kept: int


@dataclass
class Result:
    """What was made."""

    out: Path
    datasets: list[Dataset]
    choices: list[Choice]
    notes: list[str] = field(default_factory=list)


def initialise(request: Request, engine: Engine, asker: Asker) -> Result:
    """Write a config, its reasons and the converted CSVs; raise Unsure with what is missing."""
    _check_request(request)
    refusal = engine.refusal(f"SET TimeZone = {text(request.zone)}")
    if refusal:
        raise Unsure(f"--time-zone {request.zone}: {refusal}.")
    if request.time_format is not None:
        check_format(engine, request.time_format)
    files = {kind: _readable(request, path, engine, asker) for kind, path in request.files.items()}
    _check_mappings(request, files)
    datasets: list[Dataset] = []
    notes: list[str] = []
    for kind, file in files.items():
        dataset = _dataset(request, kind, file, engine, asker, notes)
        if dataset:
            datasets.append(dataset)
    document, choices = propose(_known(request, datasets, engine))
    text_ = json.dumps(document, indent=2) + "\n"
    _check_config(text_)
    result = Result(request.out, datasets, choices, notes)
    _write(request, engine, datasets, {CONFIG: text_, REASONS: reasons(request, result)})
    return result


# What is asked for


def _check_request(request: Request) -> None:
    try:
        schedules.zone(request.zone)
    except schedules.ScheduleError as error:
        raise Unsure(f"--time-zone: {error}.") from None
    if request.group is not None and (
        len(request.group) > GROUP_LIMIT
        or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", request.group)
    ):
        raise Unsure(
            f"--name {request.group}: use up to {GROUP_LIMIT} letters, digits, - and _, beginning "
            "with a letter or a digit; the names of all resources begin with it."
        )
    originals = [path for path in request.files.values() if path.exists()]
    there = [path for path in request.targets.values() if path.exists()]
    for target in there:
        for original in originals:
            if target.samefile(original):
                raise Unsure(
                    f"{original} is one of your own files, and would be overwritten. Pass another "
                    "folder with --out; your files are never changed."
                )
    if there and not request.force:
        raise Unsure(
            f"{', '.join(map(str, there))} would be overwritten. Pass another folder with --out, "
            "or --force if that is what you want."
        )


def _check_mappings(request: Request, files: Mapping[str, Readable]) -> None:
    """Find what the user says of columns that no file has."""
    headers = {kind: file.header for kind, file in files.items()}
    for one in request.mappings:
        if not any(
            one.column in header for kind, header in headers.items() if one.kind in {None, kind}
        ):
            known = "; ".join(f"{kind}: {', '.join(header)}" for kind, header in headers.items())
            target = "" if one.target == LEAVE_OUT else f"={one.target}"
            raise Unsure(f"--map {one.column}{target}: there is no such column. There are {known}.")


def _check_config(document: str) -> None:
    try:
        parse(document)
    except ConfigError as error:
        raise Unsure(f"No valid config can be made of this data:\n{error}") from None


# Reading


def _readable(request: Request, path: Path, engine: Engine, asker: Asker) -> Readable:
    return readable(
        Source(path, str(path)),
        engine.folder,
        encoding=request.encoding,
        delimiter=request.delimiter,
        asker=asker,
        watcher=engine.watcher,
    )


def _dataset(
    request: Request, kind: str, file: Readable, engine: Engine, asker: Asker, notes: list[str]
) -> Dataset | None:
    """Load a file and infer its columns; None where it is of no use."""
    targets, left_out, more = recognise(
        kind, file.header, domain=request.domain, mappings=request.mappings, asker=asker
    )
    notes += more
    _load(kind, file, engine)
    engine.watcher.begin(f"Looking at the {kind}")
    called = _called(file)
    infer = Inference(
        engine, kind, request.domain, request.zone, asker, called, request.time_format
    )
    inferred = infer(file.header, targets, left_out)
    notes += inferred.notes
    if kind in DESCRIBING and not inferred.useful:
        notes.append(
            f"{file.source.name} is not taken: besides the ids it has no column that training can "
            "learn from."
        )
        return None
    rows, kept = _counted(kind, inferred.columns, file.source.name, engine)
    return Dataset(kind, file, inferred, rows, kept)


def _load(kind: str, file: Readable, engine: Engine) -> None:
    try:
        engine.load(
            kind,
            file.source,
            file.header,
            take=_called(file),
            delimiter=file.delimiter,
            skip=file.header_ends,
        )
    except Unparsable as error:
        raise Unsure(f"{file.source.name} cannot be read as a CSV: {error}") from None
    (rows,) = engine.row(f"SELECT count(*) FROM {name(kind)}")
    if not rows:
        raise Unsure(f"{file.source.name} has no rows.")
    ragged, some = engine.row(
        f"SELECT count(*), min(rowid, 3) FILTER (_ragged) FROM {name(kind)} WHERE _ragged"
    )
    if ragged:
        numbers = ", ".join(str(one + 1) for one in some)
        raise Unsure(
            f"{ragged:,} rows of {file.source.name} have not the {len(file.header)} cells that its "
            f"header has; the first are the rows {numbers}. Mend them: values with the separator "
            "in them must be in quotation marks."
        )


def _called(file: Readable) -> dict[str, str]:
    """Return the table's name for each column: names may differ in their case only."""
    return {one: f"c{place}" for place, one in enumerate(file.header)}


def _counted(kind: str, columns: Sequence[Column], file: str, engine: Engine) -> tuple[int, int]:
    """Count the rows, and those with all the values that they must have."""
    filters = " AND ".join(required_sql(columns)) or "true"
    rows, kept = engine.row(f"SELECT count(*), count(*) FILTER ({filters}) FROM {name(kind)}")
    if kept < rows * (1 - MOST_LEFT_OUT):
        needed = ", ".join(one.source for one in columns if not one.field.nullable)
        raise Unsure(
            f"{rows - kept:,} of {rows:,} rows of {file} lack a value in one of {needed}, which "
            "the service asks for. Fill these, or remove the rows if they are of no use."
        )
    return int(rows), int(kept)


def _known(request: Request, datasets: Sequence[Dataset], engine: Engine) -> Known:
    """Gather what a proposal depends on."""
    interactions = datasets[0]
    events: dict[str, int] = {}
    column = next(
        (one for one in interactions.inferred.columns if one.field.name == "EVENT_TYPE"), None
    )
    if column:
        events = dict(
            engine.rows(
                f"SELECT {column.sql} AS event, count(*) FROM interactions WHERE event IS NOT NULL "
                "GROUP BY event ORDER BY 2 DESC, 1 LIMIT 1000"
            )
        )
    group = request.group or group_name(request.out.resolve().name)
    fields = {one.kind: one.inferred.fields for one in datasets}
    return Known(group, fields, interactions.kept, events, request.domain, request.zone)


# Writing


def _write(
    request: Request, engine: Engine, datasets: Sequence[Dataset], texts: Mapping[str, str]
) -> None:
    request.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".mpe-init-", dir=request.out))
    try:
        for one in datasets:
            _convert(one, folder / f"{one.kind}.csv", engine)
        for called, content in texts.items():
            (folder / called).write_text(content, encoding="utf-8")
        for made in folder.iterdir():
            os.replace(made, request.out / made.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _convert(dataset: Dataset, target: Path, engine: Engine) -> None:
    """Write a dataset's rows in the service's dialect; see :mod:`mpe.model.service.dialect`."""
    columns = dataset.inferred.columns
    values = ", ".join(f"{one.sql} AS {name(one.field.name)}" for one in columns)
    filters = " AND ".join(required_sql(columns)) or "true"
    query = f"SELECT {values} FROM {name(dataset.kind)} WHERE {filters}"
    texts = [one.field.name for one in columns if one.field.textual]
    engine.write(query, target, header=[one.field.name for one in columns], quoted=texts)


def reasons(request: Request, result: Result) -> str:
    """Write down each choice, for people."""
    parts = ["# Why this config is as it is", "", *_data_part(result.datasets)]
    for one in result.datasets:
        parts += _columns_part(one, request.domain)
    parts += ["## What is done with it", ""]
    parts += [plain(f"* {one.what}: {one.why}") for one in result.choices]
    if result.notes:
        told = (plain(f"* {one}") for one in result.notes)
        parts += ["", "## What you may want to say", "", *told]
    parts += [
        "",
        "## Next",
        "",
        "1. `mpe check-data config.json` tells what the service would refuse.",
        "2. Change the config as you like; `mpe validate config.json` checks it.",
        "3. `mpe apply config.json --data . --watch` uploads it all, and follows the run.",
        "",
    ]
    return "\n".join(parts)


def _data_part(datasets: Sequence[Dataset]) -> list[str]:
    rows = [
        f"| {_cell(one.file.source.name)} | {one.file.told} | {one.rows:,} | `{one.kind}.csv` | "
        f"{one.kept:,} |"
        for one in datasets
    ]
    return [
        "## Your files",
        "",
        "| file | written in | rows | converted to | rows |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "Your files are as they were. Rows that lack a value that the service asks for are left "
        "out; their number is the difference.",
        "",
    ]


def _columns_part(dataset: Dataset, domain: str | None) -> list[str]:
    asked = {
        **RULES[dataset.kind].required,
        **DOMAIN_REQUIRED.get((domain or "", dataset.kind), {}),
    }
    rows = [
        f"| {_cell(one.source)} | `{one.field.name}` | {_type(one.field)} | "
        f"{'Required. ' if one.field.name in asked else ''}{plain(one.why)} |"
        for one in dataset.inferred.columns
    ]
    gone = [
        f"| {_cell(column) or '(no name)'} | left out | | {why} |"
        for column, why in dataset.inferred.left_out.items()
    ]
    head = ["| your column | becomes | type | why |", "|---|---|---|---|"]
    return [f"## The columns of the {dataset.kind}", "", *head, *rows, *gone, ""]


def _type(one: avro.Field) -> str:
    marks = [mark for mark in ("categorical", "textual") if getattr(one, mark)]
    return ", ".join([one.type, *marks, *(["may be empty"] if one.nullable else [])])


def _cell(value: str) -> str:
    return plain(value.replace("\n", " ")).replace("|", "\\|")
