"""Files that are no CSVs, or packed ones, brought into a CSV that the rest reads."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import lzma
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from mpe.data.columns import Unsure
from mpe.data.engine import Engine, name, text
from mpe.data.files import CHUNK, Source

JSON_LINES = (".jsonl", ".ndjson", ".json")
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}
UNPACK: dict[str, Callable[[Path], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
"""What Python unpacks itself."""
BESIDE = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""What a system puts into a zip beside what is meant."""
DEEPEST = 4
"""Levels of objects in objects whose members become columns of their own."""
MOST_NAMED = 3
MOST_MEMBERS = 50
"""Members of an object that become columns; one with more is a mapping, and stays a text."""


def opened(source: Source, engine: Engine) -> tuple[Source, str]:
    """Return a file of text for any file, and what it was; the file itself where it is text."""
    with source.path.open("rb") as file:
        start = file.read(CHUNK)
    form = next((form for magic, form in MAGIC.items() if start.startswith(magic)), None)
    if form is None:
        start = start.removeprefix(codecs.BOM_UTF8)
        if start.lstrip()[:1] == b"{" and b'"' in start:
            return _queried(source, engine, _json(source)), "JSON lines"
        if start.lstrip()[:1] == b"[" and source.path.suffix == ".json":
            return _queried(source, engine, _json(source)), "JSON"
        return source, ""
    if form == "Parquet":
        return _queried(source, engine, f"read_parquet({text(str(source.path))})"), form
    target = replace(source, path=_fresh(engine))
    if form in UNPACK:
        _unpacked(source, target.path, UNPACK[form])
    elif form == "zstd":
        _zstd(source, target.path, engine)
    elif _is_excel(source):
        left = _excel(source, target.path)
        return replace(target, notes=(*target.notes, *left)), "Excel"
    else:
        _zip(source, target.path)
    inner, told = opened(target, engine)
    return inner, f"{form}, {told}" if told else form


def of_query(kind: str, query: str, engine: Engine) -> Source:
    """Return a CSV of what a query of the user's own reads: files that the engine knows.

    Its extensions for databases and for S3 do not ship with it, and none is ever downloaded.
    """
    asked = Source(Path("query"), f"--sql {kind}")
    try:
        return _queried(asked, engine, f"({query.strip().rstrip(';')})")
    except (Unsure, duckdb.Error) as error:
        told = str(error).splitlines()[0].rstrip(".")
        more = ""
        if "extension" in told or "Function with name" in told:
            more = (
                " Only what ships with the engine can be read: CSV, JSON and Parquet on this "
                "machine. Unload the rest to files first."
            )
        raise Unsure(f"--sql {kind}: {told}.{more}") from None


def _fresh(engine: Engine) -> Path:
    return engine.folder / f"opened-{len(list(engine.folder.glob('opened-*')))}.csv"


def _unpacked(source: Source, target: Path, unpack: Callable[[Path], Any]) -> None:
    try:
        with unpack(source.path) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, CHUNK)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise Unsure(f"{source.name} cannot be unpacked: {error}.") from None


def _zip(source: Source, target: Path) -> None:
    with zipfile.ZipFile(source.path) as packed:
        files = [one for one in packed.infolist() if not one.is_dir() and not _beside(one.filename)]
        if len(files) != 1:
            raise Unsure(
                f"{source.name} is a zip of {len(files)} files. Unpack it and pass the one of them."
            )
        with packed.open(files[0]) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, CHUNK)


def _beside(name: str) -> bool:
    return name.startswith(BESIDE) or name.endswith(BESIDE)


def _zstd(source: Source, target: Path, engine: Engine) -> None:
    """Let the engine unpack it, a line a row."""
    lines = "auto_detect = false, header = false, quote = '', escape = '', delim = '\x01'"
    refusal = engine.refusal(
        f"COPY (SELECT * FROM read_csv({text(str(source.path))}, {lines}, compression = 'zstd', "
        f"columns = {{'line': 'VARCHAR'}})) TO {text(str(target))} "
        "(FORMAT CSV, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
    )
    if refusal:
        raise Unsure(f"{source.name} cannot be unpacked: {refusal}.")


def _json(source: Source) -> str:
    return (
        f"read_json({text(str(source.path))}, format = 'auto', maximum_depth = 1, "
        "sample_size = -1, maximum_object_size = 67108864)"
    )


def _queried(source: Source, engine: Engine, relation: str) -> Source:
    """Write what the engine reads of a file as a CSV; texts are plain, all else is JSON."""
    target = _fresh(engine)
    refusal = engine.refusal(f"CREATE OR REPLACE TEMP VIEW opened AS SELECT * FROM {relation}")
    if refusal:
        raise Unsure(f"{source.name} cannot be read: {refusal.rstrip(' .')}.")
    rows, beside = _unwrapped(engine)
    cells = ", ".join(f"{one} AS {name(column)}" for column, one in _columns(engine, rows))
    refusal = engine.refusal(f"COPY (SELECT {cells} FROM {rows}) TO {text(str(target))} (HEADER)")
    if refusal:
        raise Unsure(f"{source.name} cannot be read: {refusal}.")
    notes = source.notes
    if beside:
        told = ", ".join(beside[:MOST_NAMED]) + (", ..." if len(beside) > MOST_NAMED else "")
        notes = (*notes, f"{source.name} has {told} beside its list of rows, which is not taken.")
    return replace(source, path=target, notes=notes)


def _described(engine: Engine, rows: str) -> list[tuple[str, str]]:
    found = engine.rows(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {rows})")
    return [(str(column), str(kind)) for column, kind in found]


def _unwrapped(engine: Engine) -> tuple[str, list[str]]:
    """Return what has the rows: the file, or the one list of objects that its one object has.

    Members beside such a list are returned as well.
    """
    rows = engine.rows("SELECT 1 FROM opened LIMIT 2")
    lists = []
    for column, kind in _described(engine, "opened") if len(rows) == 1 else ():
        if kind != "JSON" and not kind.endswith("]"):
            continue
        kinds = engine.rows(
            f"SELECT DISTINCT json_type(one) FROM (SELECT unnest(CAST(to_json({name(column)}) AS "
            f"JSON[])) AS one FROM opened WHERE json_type(to_json({name(column)})) = 'ARRAY')"
        )
        if kinds == [("OBJECT",)]:
            lists.append(column)
    if len(lists) != 1:
        return "opened", []
    beside = [column for column, _ in _described(engine, "opened") if column != lists[0]]
    return (
        f"(SELECT unnest(CAST(to_json({name(lists[0])}) AS JSON[])) AS {name(lists[0])} "
        "FROM opened)"
    ), beside


def _columns(engine: Engine, rows: str) -> list[tuple[str, str]]:
    """Return the columns, each with the SQL of its cells; members of objects are columns."""
    wrapped = rows != "opened"
    found = []
    for column, kind in _described(engine, rows):
        if kind.startswith("STRUCT") and not kind.endswith("]"):
            found += _members(engine, rows, column, f"to_json({name(column)})", 1, hidden=wrapped)
        elif kind == "JSON":
            found += _members(engine, rows, column, name(column), 1, hidden=wrapped)
        else:
            found.append((column, _cell(column, kind)))
    return found


def _members(
    engine: Engine, rows: str, column: str, value: str, depth: int, *, hidden: bool = False
) -> list[tuple[str, str]]:
    """Return the members of objects as ``column.member``, or the column where it has no objects.

    ``hidden`` objects give their members' names alone.
    """
    kinds = {
        one for (one,) in engine.rows(f"SELECT DISTINCT json_type({value}) FROM {rows}") if one
    } - {"NULL"}
    keys = []
    if kinds == {"OBJECT"} and depth <= DEEPEST:
        named = (
            f"SELECT unnest(json_keys({value})) AS key, row_number() OVER () AS place FROM {rows}"
        )
        keys = [
            str(key)
            for key, _ in engine.rows(
                f"SELECT key, min(place) FROM ({named}) GROUP BY 1 ORDER BY 2"
            )
        ]
    if not keys or len(keys) > MOST_MEMBERS:
        null = f"{value} IS NULL OR json_type({value}) = 'NULL'"
        return [(column, f"CASE WHEN {null} THEN NULL ELSE {value} ->> '$' END")]
    found = []
    for key in keys:
        path = text('$."' + key.replace('"', '\\"') + '"')
        called = key if hidden else f"{column}.{key}"
        found += _members(engine, rows, called, f"({value} -> {path})", depth + 1)
    return found


def _cell(column: str, kind: str) -> str:
    one = name(column)
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return f"CAST(to_json({one}) AS VARCHAR)"
    if kind == "BLOB":  # texts, as some programs write them to Parquet
        return f"coalesce(TRY(decode({one})), CAST({one} AS VARCHAR))"
    return f"CAST({one} AS VARCHAR)"


def _is_excel(source: Source) -> bool:
    try:
        with zipfile.ZipFile(source.path) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except zipfile.BadZipFile:
        raise Unsure(f"{source.name} begins as a zip or Excel file and is none.") from None


def _excel(source: Source, target: Path) -> list[str]:
    """Write the first sheet that has a table as a CSV; return what to note of the others."""
    import openpyxl  # it is slow to load, and few need it

    file = source.path.open("rb")  # a path is refused for its name
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:
        raise Unsure(f"{source.name} cannot be read as an Excel file: {error}.") from None
    taken, others = "", []
    try:
        with target.open("w", encoding="utf-8", newline="") as out:
            for sheet in book.worksheets:
                rows = _table(sheet)
                first = next(rows, None)
                if first is None:
                    continue
                if taken:
                    others.append(sheet.title)
                    continue
                taken = sheet.title
                csv.writer(out, lineterminator="\n").writerows(chain([first], rows))
    finally:
        book.close()
        file.close()
    if not others:
        return []
    told = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
    return [
        f"Of {source.name} the sheet {taken} is read, and {len(others):,} others with rows are "
        f"not: {told}. Save each as a file of its own to pass it."
    ]


def _plain(cell: object) -> object:
    """Return a cell as text has it: a day without a time has none."""
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date() if not cell.microsecond else cell
    return "" if cell is None else cell


def _table(sheet: Any) -> Iterator[list[object]]:
    """Yield the rows of a sheet's table."""
    begun = False
    for row in sheet.iter_rows(values_only=True):
        filled = sum(cell is not None for cell in row)
        begun = begun or filled > 1  # one cell alone above a table is its title
        if filled and begun:
            yield [_plain(cell) for cell in row]
