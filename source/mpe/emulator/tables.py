"""CSVs, read as import jobs do: column by column, some thousand rows at a time.

The failure reasons are those that the developer guide gives
(https://docs.aws.amazon.com/personalize/latest/dg/bulk-data-import-step.html).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from mpe.emulator.lifecycle import WorkFailed
from mpe.model.service.avro import Field
from mpe.model.service.dialect import Unended, records

Columns = Mapping[str, Sequence[str]]
"""The cells of some rows, by column."""
Read = Callable[[str], Any]
ROWS = 20_000
"""How many rows are read at a time where cells may be quoted."""
CHARACTERS = 1 << 20
"""How much text is read at a time where none is."""
NOT_CONFORMING = (
    "Input CSV has rows that do not conform to the dataset schema. Please ensure all required "
    "data fields are present and that they are of the type specified in the schema."
)


def read_columns(chunks: Iterator[bytes], fields: Iterable[Field]) -> Iterator[Columns]:
    """Yield the cells of one CSV, of its schema's columns; raise WorkFailed at the first fault."""
    fields = list(fields)
    blocks = _blocks(chunks)
    header, blocks = _header(blocks)
    missing = [one.name for one in fields if one.name not in header]
    if missing:
        raise WorkFailed(f"Input CSV is missing the following columns:[{', '.join(missing)}]")
    if len(set(header)) < len(header):  # which of the two would be meant nobody can know
        raise WorkFailed(f"{NOT_CONFORMING} The header names a column twice.")
    places = {one.name: header.index(one.name) for one in fields}
    for columns in _cells(blocks, len(header)):
        if len(columns) <= max(places.values(), default=-1):
            raise WorkFailed(NOT_CONFORMING)
        yield {name: columns[place] for name, place in places.items()}


def read_csv(chunks: Iterator[bytes], fields: Iterable[Field]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one CSV as its schema types them; raise WorkFailed at the first fault."""
    fields = list(fields)
    yield from typed(read_columns(chunks, fields), fields)


def typed(blocks: Iterable[Columns], fields: Iterable[Field]) -> Iterator[dict[str, Any]]:
    """Yield rows as a schema types them; raise WorkFailed at the first that is not."""
    reads = {one.name: reader(one) for one in fields}
    for columns in blocks:
        try:
            cells = [list(map(read, columns[name])) for name, read in reads.items()]
        except ValueError:
            raise WorkFailed(NOT_CONFORMING) from None
        yield from (dict(zip(reads, row, strict=True)) for row in zip(*cells, strict=True))


def lines_of(chunks: Iterator[bytes]) -> Iterator[str]:
    """Yield whole lines from chunks of bytes, each with its end."""
    for block in _blocks(chunks):
        yield from _lines(block)


def reader(field: Field) -> Read:
    """Return what turns a cell into a value of the field's type, or raises ValueError."""
    convert = _CONVERTERS[field.type]
    if not field.nullable and convert is not str:
        return convert  # which refuses an empty cell by itself

    def read(cell: str) -> Any:
        if cell == "":
            if field.nullable:
                return None
            raise ValueError(field.name)
        return convert(cell)

    return read


def _blocks(chunks: Iterator[bytes]) -> Iterator[str]:
    """Yield text that ends where a line does."""
    decoder, rest = codecs.getincrementaldecoder("utf-8-sig")(), ""
    try:
        for chunk in chunks:
            for start in range(0, len(chunk), CHARACTERS):
                text = rest + decoder.decode(chunk[start : start + CHARACTERS])
                whole, end, rest = text.rpartition("\n")
                if end:
                    yield whole + end
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise WorkFailed("Input CSV is not encoded in UTF-8.") from None
    if rest:
        yield rest


def _header(blocks: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """Return the first row's cells, and the text that follows it."""
    first = next(blocks, "")
    line, end, rest = first.partition("\n")
    try:
        header = next((one.cells for one in records([line + end])), [])
    except Unended:
        raise WorkFailed(NOT_CONFORMING) from None
    return header, chain([rest] if rest else [], blocks)


def _cells(blocks: Iterator[str], width: int) -> Iterator[list[Sequence[str]]]:
    """Yield columns of cells: quickly as long as nothing is quoted, then as the dialect has it."""
    for block in blocks:
        text = block.replace("\r\n", "\n")
        if '"' in text or "\r" in text or not _regular(text, width):
            yield from _quoted(chain([block], blocks), width)
            return
        cells = text.replace("\n", ",").split(",")
        yield [cells[place : -1 if text.endswith("\n") else None : width] for place in range(width)]


def _regular(text: str, width: int) -> bool:
    """Tell whether each line has as many cells as the header, and none is empty."""
    data = np.frombuffer(text.encode() + (b"" if text.endswith("\n") else b"\n"), np.uint8)
    ends = data[(data == 44) | (data == 10)] == 10  # the commas and the ends of lines
    whole = width > 1 and len(ends) % width == 0
    return bool(whole and ends[width - 1 :: width].all() and ends.sum() * width == len(ends))


def _quoted(blocks: Iterator[str], width: int) -> Iterator[list[Sequence[str]]]:
    rows = records(line for block in blocks for line in _lines(block))
    try:
        while some := [row.cells for row in islice(rows, ROWS)]:
            if any(len(cells) != width for cells in some):
                raise WorkFailed(NOT_CONFORMING)
            yield list(zip(*some, strict=True))
    except Unended:
        raise WorkFailed(NOT_CONFORMING) from None


def _lines(block: str) -> Iterator[str]:
    *whole, rest = block.split("\n")
    yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest


def _boolean(cell: str) -> bool:
    return {"true": True, "false": False}[cell] if cell in {"true", "false"} else _refuse(cell)


def _refuse(cell: str) -> bool:
    raise ValueError(cell)


_CONVERTERS: dict[str, Read] = {
    "string": str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": _boolean,
    "null": str,
}
