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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mpe.data.columns import LEAVE_OUT, Asker, ColumnMap, Unsure, recognise
from mpe.data.dialect import Manner, Readable, readable
from mpe.data.engine import Engine, Unparsable, name, text
from mpe.data.files import Source
from mpe.data.infer import BRACKETS, FROM_ROWS, Column, Inference, Inferred, Saying, rejects
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

    files: Mapping[str, Path | Source | Sequence[Source]]
    """The files by their kinds; the interactions at least."""
    out: Path
    domain: str | None = None
    group: str | None = None
    mappings: Sequence[ColumnMap] = ()
    manner: Manner = field(default_factory=Manner)
    saying: Saying = field(default_factory=Saying)
    no_times: bool = False
    """The order of the rows takes the place of times."""
    time_format: str | None = None
    zone: str = "UTC"
    force: bool = False

    @property
    def targets(self) -> dict[str, Path]:
        """What is written, by name."""
        names = [CONFIG, REASONS, *(f"{kind}.csv" for kind in self.files)]
        return {one: self.out / one for one in names}

    def sources(self, kind: str) -> list[Source]:
        """Return the files of a kind."""
        given = self.files[kind]
        if isinstance(given, Path):
            return [Source(given, str(given))]
        return [given] if isinstance(given, Source) else list(given)


@dataclass
class Dataset:
    """One of the user's files, and what became of it."""

    kind: str
    files: list[Readable]
    inferred: Inferred
    rows: int
    kept: int
    rejected: dict[str, int] = field(default_factory=dict)
    """Rows that are left out, by reason."""

    @property
    def named(self) -> str:
        return ", ".join(one.source.name for one in self.files)


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
    files = {
        kind: [readable(kind, one, engine, request.manner, asker) for one in request.sources(kind)]
        for kind in request.files
    }
    _check_mappings(request, files)
    datasets: list[Dataset] = []
    notes = [note for several in files.values() for one in several for note in one.source.notes]
    for kind, several in files.items():
        dataset = _dataset(request, kind, several, engine, asker, notes)
        if dataset:
            datasets.append(dataset)
    notes += _strangers(datasets, engine)
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
    originals = [one.path for kind in request.files for one in request.sources(kind)]
    there = [path for path in request.targets.values() if path.exists()]
    for target in there:
        for original in originals:
            if original.exists() and target.samefile(original):
                raise Unsure(
                    f"{original} is one of your own files, and would be overwritten. Pass another "
                    "folder with --out; your files are never changed."
                )
    if there and not request.force:
        raise Unsure(
            f"{', '.join(map(str, there))} would be overwritten. Pass another folder with --out, "
            "or --force if that is what you want."
        )


def _check_mappings(request: Request, files: Mapping[str, Sequence[Readable]]) -> None:
    """Find what the user says of columns that no file has."""
    headers = {kind: several[0].header for kind, several in files.items()}
    known = "; ".join(f"{kind}: {', '.join(header)}" for kind, header in headers.items())
    for one in request.mappings:
        if not any(
            one.column in header or _parts(one.column, header)
            for kind, header in headers.items()
            if one.kind in {None, kind}
        ):
            target = "" if one.target == LEAVE_OUT else f"={one.target}"
            raise Unsure(f"--map {one.column}{target}: there is no such column. There are {known}.")
    said = {**dict.fromkeys(request.saying.lists, "--list"),
            **dict.fromkeys(request.saying.texts, "--text")}  # fmt: skip
    for column, option in said.items():
        if not any(column in header for header in headers.values()):
            raise Unsure(f"{option} {column}: there is no such column. There are {known}.")


def _parts(column: str, header: Sequence[str]) -> list[str]:
    """Return the columns that are joined in one, as ``date+time``; none where it is no such."""
    parts = column.split("+")
    known = column not in header and len(parts) > 1 and all(one in header for one in parts)
    return parts if known else []


def _check_config(document: str) -> None:
    try:
        parse(document)
    except ConfigError as error:
        raise Unsure(f"No valid config can be made of this data:\n{error}") from None


# Reading


def _dataset(
    request: Request,
    kind: str,
    files: Sequence[Readable],
    engine: Engine,
    asker: Asker,
    notes: list[str],
) -> Dataset | None:
    """Load the files of a kind and infer its columns; None where they are of no use."""
    header = list(files[0].header)
    joined = {
        one.column: _parts(one.column, header)
        for one in request.mappings
        if one.kind in {None, kind} and _parts(one.column, header)
    }
    made_up = request.no_times and kind == "interactions"
    targets, left_out, more = recognise(
        kind,
        [*joined, *header],
        domain=request.domain,
        mappings=request.mappings,
        asker=asker,
        absent=frozenset({"TIMESTAMP"} if made_up else ()),
    )
    notes += more
    left_out |= {part for column in targets.values() for part in joined.get(column, ())}
    called = {one: f"c{place}" for place, one in enumerate([*header, *joined])}
    _load(request, kind, files, engine, called, joined)
    engine.watcher.begin(f"Looking at the {kind}")
    if made_up:
        called[FROM_ROWS] = "rowid"
    infer = Inference(
        engine, kind, request.domain, request.zone, asker, called,
        lambda rows: _where(kind, rows, files, engine), request.time_format,
        saying=request.saying,
    )  # fmt: skip
    inferred = infer([*joined, *header], targets, left_out)
    notes += inferred.notes
    named = ", ".join(one.source.name for one in files)
    if kind in DESCRIBING and not inferred.useful:
        notes.append(
            f"{named} is not taken: besides the ids it has no column that training can learn from."
        )
        return None
    rows, rejected = _counted(request, kind, inferred.columns, files, engine)
    kept = rows - sum(rejected.values())
    return Dataset(kind, list(files), inferred, rows, kept, rejected)


def _load(
    request: Request,
    kind: str,
    files: Sequence[Readable],
    engine: Engine,
    called: Mapping[str, str],
    joined: Mapping[str, Sequence[str]],
) -> None:
    header = files[0].header
    for number, file in enumerate(files):
        if sorted(file.header) != sorted(header):
            raise Unsure(
                f"{file.source.name} has other columns than {files[0].source.name}: "
                f"{', '.join(file.header)[:200]}. Files of one kind must have the same."
            )
        try:
            engine.load(
                kind,
                file.source,
                file.header,
                file=number,
                take={one: called[one] for one in header},
                delimiter=file.delimiter,
                skip=file.header_ends,
                joined={called[one]: parts for one, parts in joined.items()},
            )
        except Unparsable as error:
            raise Unsure(f"{file.source.name} cannot be read as a CSV: {error}") from None
    rows, ragged = engine.row(f"SELECT count(*), count(*) FILTER (_ragged) FROM {name(kind)}")
    if not rows:
        raise Unsure(f"{files[0].source.name} has no rows.")
    if ragged and not request.saying.skip:
        raise Unsure(
            f"{ragged:,} rows have not the {len(header)} cells that the header has: "
            f"{_where(kind, '_ragged', files, engine)}. Mend them: values with the separator "
            "in them must be in quotation marks; or leave such rows out with --skip-bad-rows."
        )


def _where(kind: str, filtered: str, files: Sequence[Readable], engine: Engine) -> str:
    """Name the first rows of a sort by their file and lines."""
    rows = engine.rows(
        f"SELECT t._file, min(t.rowid - f.first, 3) FROM {name(kind)} t JOIN (SELECT _file, "
        f"min(rowid) AS first FROM {name(kind)} GROUP BY 1) f ON f._file = t._file "
        f"WHERE {filtered.replace('_ragged', 't._ragged')} GROUP BY 1 ORDER BY 1"
    )
    return "; ".join(
        f"{files[number].source.name}, {files[number].places(some)}" for number, some in rows
    )


def _reason(columns: Sequence[Column]) -> str:
    """Return the SQL of why a row is left out: NULL where it is not."""
    cases = [f"WHEN {test} THEN {text(why)}" for why, test in rejects(columns)]
    ragged = "WHEN _ragged THEN 'it has not the cells that the header has'"
    return f"(CASE {' '.join([ragged, *cases])} END)"


def _counted(
    request: Request,
    kind: str,
    columns: Sequence[Column],
    files: Sequence[Readable],
    engine: Engine,
) -> tuple[int, dict[str, int]]:
    """Count the rows, and by reason those that are left out."""
    (rows,) = engine.row(f"SELECT count(*) FROM {name(kind)}")
    reason = _reason(columns)
    found = engine.rows(
        f"SELECT {reason} AS reason, count(*) FROM {name(kind)} GROUP BY 1 ORDER BY 2 DESC"
    )
    rejected = {str(why): int(count) for why, count in found if why is not None}
    gone = sum(rejected.values())
    if gone > rows * MOST_LEFT_OUT and not request.saying.skip:
        told = "; ".join(f"{why} in {count:,}" for why, count in rejected.items())
        where = _where(kind, f"{_reason(columns)} IS NOT NULL", files, engine)
        raise Unsure(
            f"{gone:,} of {rows:,} rows of the {kind} are of no use to the service: {told} "
            f"({where}). Fill these, say another column with --map, or leave such rows out with "
            "--skip-bad-rows."
        )
    if gone == rows:
        raise Unsure(f"No row of the {kind} is of use: {'; '.join(rejected)}.")
    return int(rows), rejected


def _strangers(datasets: Sequence[Dataset], engine: Engine) -> Iterator[str]:
    """Tell where hardly any id of the interactions is among those of the users or items."""
    ids = {
        (one.kind, column.field.name): column.sql
        for one in datasets
        for column in one.inferred.columns
    }
    for kind, key in (("users", "USER_ID"), ("items", "ITEM_ID")):
        if (kind, key) not in ids:
            continue
        met, found = engine.row(
            f"SELECT count(*), count(*) FILTER (id IN (SELECT {ids[kind, key]} FROM {kind})) FROM "
            f"(SELECT DISTINCT {ids['interactions', key]} AS id FROM interactions) "
            "WHERE id IS NOT NULL"
        )
        if found * 2 < met:
            yield (
                f"{met - found:,} of {met:,} different {key}s of the interactions are not among "
                f"the {kind}. Are these the same ids, in the same case and without spaces?"
            )


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
    categories = _category_counts(datasets, engine)
    return Known(group, fields, interactions.kept, events, request.domain, request.zone, categories)


def _category_counts(datasets: Sequence[Dataset], engine: Engine) -> dict[str, int]:
    """Count the categories of each of the items' columns."""
    items = next((one for one in datasets if one.kind == "items"), None)
    found: dict[str, int] = {}
    for one in items.inferred.columns if items else ():
        if one.why == BRACKETS:
            found[one.field.name] = 0
        elif one.field.categorical:
            (found[one.field.name],) = engine.row(
                "SELECT count(DISTINCT part) FROM "
                f"(SELECT unnest(string_split({one.sql}, '|')) AS part FROM items)"
            )
    return found


# Writing


def _write(
    request: Request, engine: Engine, datasets: Sequence[Dataset], texts: Mapping[str, str]
) -> None:
    request.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".mpe-init-", dir=request.out))
    try:
        for one in datasets:
            _convert(one, folder, engine)
        for called, content in texts.items():
            (folder / called).write_text(content, encoding="utf-8")
        for made in folder.iterdir():
            os.replace(made, request.out / made.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _convert(dataset: Dataset, folder: Path, engine: Engine) -> None:
    """Write a dataset's rows in the service's dialect, and beside them those that are left out."""
    columns = dataset.inferred.columns
    values = ", ".join(f"{one.sql} AS {name(one.field.name)}" for one in columns)
    table = name(dataset.kind)
    reason = _reason(columns)
    query = f"SELECT {values} FROM {table}"
    if dataset.rejected:
        query += f" WHERE {reason} IS NULL"
    texts = [one.field.name for one in columns if one.field.textual]
    header = [one.field.name for one in columns]
    engine.write(query, folder / f"{dataset.kind}.csv", header=header, quoted=texts)
    if dataset.rejected:
        target = folder / f"rejected-{dataset.kind}.csv"
        header = ["why it is left out", "file", "row", *dict.fromkeys(dataset.files[0].header)]
        engine.write(_left_out(dataset, reason), target, header=header)


def _left_out(dataset: Dataset, reason: str) -> str:
    """Return the query of the rows that are left out, each with its file and its number there."""
    table = name(dataset.kind)
    places = {one: place for place, one in enumerate(dataset.files[0].header)}
    cells = ", ".join(name(f"c{place}") for place in places.values())
    files = " ".join(
        f"WHEN {number} THEN {text(file.source.name)}" for number, file in enumerate(dataset.files)
    )
    return (
        f"SELECT {reason} AS reason, CASE f._of {files} END, t.rowid - f.first + 1, {cells} "
        f"FROM {table} t JOIN (SELECT _file AS _of, min(rowid) AS first FROM {table} GROUP BY 1) f "
        "ON f._of = t._file WHERE reason IS NOT NULL ORDER BY t.rowid"
    )


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
        f"| {_cell(one.named)} | {one.files[0].told} | {one.rows:,} | `{one.kind}.csv` | "
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
        "out; their number is the difference, and they are in `rejected-KIND.csv`, each with why.",
        *(
            f"* {one.kind}: {_cell(why)}: {count:,}"
            for one in datasets
            for why, count in one.rejected.items()
        ),
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
