"""Files that are no CSVs, or packed ones, brought into a CSV that the rest reads."""

from __future__ import annotations

import csv
import gzip
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mpe.data.columns import Unsure
from mpe.data.engine import Engine, name, text
from mpe.data.files import CHUNK, Source

JSON_LINES = (".jsonl", ".ndjson", ".json")
MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PAR1": "Parquet", b"\x28\xb5\x2f\xfd": "zstd"}


def opened(source: Source, engine: Engine) -> tuple[Source, str]:
    """Return a file of text for any file, and what it was; the file itself where it is text."""
    with source.path.open("rb") as file:
        start = file.read(CHUNK)
    form = next((form for magic, form in MAGIC.items() if start.startswith(magic)), None)
    if form is None:
        if start.lstrip()[:1] == b"{" and b'"' in start:
            return _queried(source, engine, _json(source)), "JSON lines"
        if start.lstrip()[:1] == b"[" and source.path.suffix == ".json":
            return _queried(source, engine, _json(source)), "JSON"
        return source, ""
    if form == "Parquet":
        return _queried(source, engine, f"read_parquet({text(str(source.path))})"), form
    target = replace(source, path=_fresh(engine))
    if form == "gzip":
        _unpacked(source, target.path)
    elif form == "zstd":
        _zstd(source, target.path, engine)
    elif _is_excel(source):
        _excel(source, target.path)
        return target, "Excel"
    else:
        _zip(source, target.path)
    inner, told = opened(target, engine)
    return inner, f"{form}, {told}" if told else form


def _fresh(engine: Engine) -> Path:
    return engine.folder / f"opened-{len(list(engine.folder.glob('opened-*')))}.csv"


def _unpacked(source: Source, target: Path) -> None:
    try:
        with gzip.open(source.path) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, CHUNK)
    except (OSError, EOFError) as error:
        raise Unsure(f"{source.name} cannot be unpacked: {error}.") from None


def _zip(source: Source, target: Path) -> None:
    with zipfile.ZipFile(source.path) as packed:
        files = [one for one in packed.infolist() if not one.is_dir()]
        if len(files) != 1:
            raise Unsure(
                f"{source.name} is a zip of {len(files)} files. Unpack it and pass the one of them."
            )
        with packed.open(files[0]) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out, CHUNK)


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
        raise Unsure(f"{source.name} cannot be read: {refusal}.")
    columns = engine.rows("SELECT column_name, column_type FROM (DESCRIBE opened)")
    cells = ", ".join(f"{_cell(column, kind)} AS {name(column)}" for column, kind in columns)
    refusal = engine.refusal(f"COPY (SELECT {cells} FROM opened) TO {text(str(target))} (HEADER)")
    if refusal:
        raise Unsure(f"{source.name} cannot be read: {refusal}.")
    return replace(source, path=target)


def _cell(column: str, kind: str) -> str:
    one = name(column)
    if kind == "JSON":
        return f"CASE WHEN json_type({one}) = 'NULL' THEN NULL ELSE {one} ->> '$' END"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return f"CAST(to_json({one}) AS VARCHAR)"
    return f"CAST({one} AS VARCHAR)"


def _is_excel(source: Source) -> bool:
    try:
        with zipfile.ZipFile(source.path) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except zipfile.BadZipFile:
        raise Unsure(f"{source.name} begins as a zip or Excel file and is none.") from None


def _excel(source: Source, target: Path) -> None:
    """Write the first sheet as a CSV."""
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_sheet(source))


def _sheet(source: Source) -> Iterator[list[object]]:
    import openpyxl  # it is slow to load, and few need it

    book = openpyxl.load_workbook(source.path, read_only=True, data_only=True)
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            if any(cell is not None for cell in row):
                yield ["" if cell is None else cell for cell in row]
    finally:
        book.close()
