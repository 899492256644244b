"""CSV files as bytes: their lines, encoding and header, before any engine reads them."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mpe.model.service.csvs import HEAD, Found, Head
from mpe.model.service.dialect import Record, Unended, records, text_records

CHUNK = 1 << 20
_ODD = re.compile(rb'(?<![,;|:\t\n\r"])"(?![,;|:\t\n\r"])')
"""A quotation mark that neither begins nor ends a cell: engines differ in what they make of it."""
_DOUBLED = re.compile(rb'[^,;|:\t\n\r]""|""[^,;|:\t\n\r]')
"""Two of them that are not just an empty cell."""


class Watcher(Protocol):
    """Is told how far the work is."""

    def begin(self, told: str) -> None:
        """Say what is done now."""

    def at(self, share: float) -> None:
        """Say which share of it is done, from 0 to 1."""


class Unwatched:
    """Tells nobody."""

    def begin(self, told: str) -> None:
        return

    def at(self, share: float) -> None:
        return


@dataclass(frozen=True)
class Source:
    """A CSV on this machine, and the name by which its user knows it."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()
    """What of it, or beside it, is not taken."""

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True)
class Scan:
    """What one pass over a file's bytes tells."""

    lines: int
    not_utf8: int | None = None
    """The first line that is not UTF-8."""
    quotes: bool = False
    backslashes: bool = False
    beyond_ascii: bool = False
    odd: bool = False
    """It has quotation marks that are doubled, or within a cell, or an odd number of them, or a
    lone carriage return."""

    def simple(self, *, escapes: bool) -> bool:
        """Tell whether every engine reads its quotation marks alike."""
        return not self.odd and not (escapes and self.quotes and self.backslashes)


def head(source: Source) -> Head:
    """Return the first bytes of a file."""
    with source.path.open("rb") as file:
        content = file.read(HEAD)
    return Head(source.name, content, whole=source.size <= len(content))


def scan(source: Source, watcher: Watcher) -> Scan:
    """Count a file's lines, check its encoding and look for quotation marks and backslashes."""
    watcher.begin(f"Reading {source.name}")
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last, size = 0, b"\n", max(source.size, 1)
    done, quotes, backslashes, odd, beyond = 0, 0, False, False, False
    for chunk in _chunks(source.path):
        plain = chunk.isascii()
        try:
            if not plain or decoder.getstate()[0]:
                decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return Scan(lines, lines + error.object.count(b"\n", 0, error.start) + 1)
        lines += chunk.count(b"\n")
        quoted = chunk.count(b'"')
        quotes, backslashes = quotes + quoted, backslashes or b"\\" in chunk
        odd = odd or (quoted > 0 and _is_odd(last + chunk)) or _returns(last + chunk)
        beyond = beyond or not plain
        last = chunk[-1:]
        done += len(chunk)
        watcher.at(done / size)
    ended = 0 if last == b"\n" else 1
    cut = lines + 1 if decoder.getstate()[0] else None
    return Scan(lines + ended, cut, quotes > 0, backslashes, beyond, odd or quotes % 2 == 1)


def _is_odd(chunk: bytes) -> bool:
    return bool(_DOUBLED.search(chunk) or _ODD.search(chunk))


def _returns(chunk: bytes) -> bool:
    """Tell whether a carriage return stands alone; one at the very end is seen with the next."""
    found = chunk.find(b"\r")
    return found >= 0 and chunk[:-1].count(b"\r") != chunk.count(b"\r\n")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def header(text: str, delimiter: str = ",", *, escapes: bool = True) -> tuple[list[str], int]:
    """Return the names in the first record, and the line that it ends in."""
    try:
        first = next(text_records(text, delimiter=delimiter, escapes=escapes), None)
    except Unended:
        return [], 1
    return (first.cells, first.last) if first else ([], 1)


def row_lines(
    path: Path,
    rows: Iterable[int],
    *,
    header_ends: int,
    plain: bool,
    delimiter: str = ",",
    escapes: bool = True,
) -> dict[int, int]:
    """Return the lines in which rows begin, by the rows' numbers from 0.

    ``plain`` tells that every line is a row. Else the file is read once more, as far as the
    last of these rows, since values may go over several lines and lines may be blank.
    """
    wanted = set(rows)
    if plain or not wanted:
        return {row: row + header_ends + 1 for row in wanted}
    found: dict[int, int] = {}
    last = max(wanted)
    for row, record in enumerate(_records(path, delimiter, escapes), 0 if header_ends == 0 else -1):
        if row in wanted:
            found[row] = record.line
        if row >= last:
            break
    return found


def _records(path: Path, delimiter: str, escapes: bool) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from records(file, delimiter=delimiter, escapes=escapes)


@dataclass(frozen=True)
class Normal:
    """A copy of a CSV in the form that every engine reads alike, and what was found in the first.

    The copy has no header; its quotation marks are doubled, and commas separate its cells.
    """

    path: Path
    doubled: Found = field(default_factory=Found)
    bare: Found = field(default_factory=Found)


def normal(
    source: Source,
    target: Path,
    watcher: Watcher,
    *,
    delimiter: str = ",",
    escapes: bool = True,
    header: bool = True,
) -> Normal:
    """Write the rows of a CSV anew; raise Unended where a quotation mark is not closed."""
    watcher.begin(f"Reading {source.name}")
    made = Normal(target)
    with target.open("w", encoding="utf-8", newline="") as copy:
        out = csv.writer(copy, lineterminator="\n")
        size = max(source.size, 1)
        done = 0
        for number, one in enumerate(_records(source.path, delimiter, escapes)):
            if one.doubled:
                made.doubled.add(one.line)
            if one.bare:
                made.bare.add(one.line)
            if number or not header:
                out.writerow(one.cells)
            done += sum(map(len, one.cells)) + len(one.cells)
            if not number % 10_000:
                watcher.at(done / size)
    return made
