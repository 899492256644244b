"""CSV files as bytes: their lines, encoding and header, before any engine reads them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mpe.model.service.csvs import HEAD, Head

CHUNK = 1 << 20


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

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True)
class Scan:
    """What one pass over a file's bytes tells."""

    lines: int
    not_utf8: int | None = None
    """The first line that is not UTF-8."""


def head(source: Source) -> Head:
    """Return the first bytes of a file."""
    with source.path.open("rb") as file:
        content = file.read(HEAD)
    return Head(source.name, content, whole=source.size <= len(content))


def scan(source: Source, watcher: Watcher) -> Scan:
    """Count a file's lines and check its encoding."""
    watcher.begin(f"Reading {source.name}")
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, last, size = 0, b"\n", max(source.size, 1)
    done = 0
    for chunk in _chunks(source.path):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return Scan(lines, lines + error.object.count(b"\n", 0, error.start) + 1)
        lines += chunk.count(b"\n")
        last = chunk[-1:]
        done += len(chunk)
        watcher.at(done / size)
    ended = 0 if last == b"\n" else 1
    return Scan(lines + ended, lines + 1 if decoder.getstate()[0] else None)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def header(text: str, delimiter: str = ",") -> tuple[list[str], int]:
    """Return the names in the first record, and the line that it ends in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = next((cells for cells in reader if cells), [])
    except csv.Error:
        return [], 1
    return cells, reader.line_num


def row_lines(
    path: Path, rows: Iterable[int], *, header_ends: int, plain: bool, delimiter: str = ","
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
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row, line in enumerate(_starts(csv.reader(file, delimiter=delimiter)), -1):
            if row in wanted:
                found[row] = line
            if row >= last:
                break
    return found


class _Reader(Protocol):
    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def _starts(reader: _Reader) -> Iterator[int]:
    line = 1
    for cells in reader:
        if cells:
            yield line
        line = reader.line_num + 1
