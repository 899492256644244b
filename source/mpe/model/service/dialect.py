r"""How a CSV is written for Amazon Personalize: the one place that every reader and writer follows.

The guide asks for text in quotation marks, with a backslash before each ``"`` and each ``\`` in it,
and for each record on one line
(https://docs.aws.amazon.com/personalize/latest/dg/items-datasets.html,
https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html). What the service makes of
``""`` and of a lone ``\`` in such text it does not say: they are read as ``"`` and as ``\`` here,
and told. Outside quotation marks a backslash is a character as any other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

QUOTE, ESCAPE = '"', "\\"
LONGEST_CELL = 131_072
"""Characters of a cell in quotation marks beyond which its end is not looked for."""
_STOP = {True: re.compile(r'["\\]'), False: re.compile('"')}
_LONE_RETURN = re.compile(r"(?<=\r)(?!\n)")
_SPECIAL = re.compile(r'[",\\\r\n]')


class Record(NamedTuple):
    """One record, and how its text is escaped."""

    line: int
    """The line that it begins in."""
    cells: list[str]
    doubled: bool = False
    r"""It has a quotation mark that is doubled, not written as ``\"``."""
    bare: bool = False
    r"""It has a backslash in quotation marks before neither ``"`` nor ``\``."""
    last: int = 0
    """The line that it ends in."""


class Unended(Exception):
    """A quotation mark that opens in a line and never closes."""

    def __init__(self, line: int) -> None:
        super().__init__(f"A quotation mark in line {line} is not closed.")
        self.line = line


def records(
    lines: Iterable[str], *, delimiter: str = ",", escapes: bool = True, whole: bool = True
) -> Iterator[Record]:
    """Yield the records of lines that have their ends; raise Unended where a cell has none.

    Without ``escapes`` a backslash is a character as any other, as in most programs' CSVs. Where
    the lines are not the ``whole`` file, a last record that may be cut off is left out.
    """
    numbered = enumerate(_single(lines), 1)
    held: Record | None = None
    for number, line in numbered:
        bare_line = line.rstrip("\r\n")
        if not bare_line:
            continue
        if held is not None:
            yield held
        if QUOTE not in line:
            held = Record(number, bare_line.split(delimiter), last=number)
            continue
        made = _Quoted(numbered, number, line, delimiter, escapes)
        held = made.record(whole=whole)
        if held is None:
            return
    if held is not None and whole:
        yield held


class _Quoted:
    """Reads one record that has quotation marks, over as many lines as it takes."""

    def __init__(
        self,
        more: Iterator[tuple[int, str]],
        number: int,
        line: str,
        delimiter: str,
        escapes: bool,
    ) -> None:
        self._more, self._first, self._last = more, number, number
        self._line, self._at = line, 0
        self._delimiter, self._escapes = delimiter, escapes
        self._doubled = self._bare = False

    def record(self, *, whole: bool) -> Record | None:
        """Return the record, or None where it goes beyond what is there of the file."""
        cells: list[str] = []
        while True:
            text = ""
            if self._line.startswith(QUOTE, self._at):
                inner = self._inner(whole=whole)
                if inner is None:
                    return None
                text = inner
            end = self._line.find(self._delimiter, self._at)
            if end < 0:
                cells.append(text + self._line[self._at :].rstrip("\r\n"))
                return Record(self._first, cells, self._doubled, self._bare, self._last)
            cells.append(text + self._line[self._at : end])
            self._at = end + len(self._delimiter)

    def _inner(self, *, whole: bool) -> str | None:
        """Read what is in quotation marks, to behind the closing one."""
        opened, parts, size = self._last, list[str](), 0
        start = self._at + 1
        stop = _STOP[self._escapes]
        at = start
        while True:
            found = stop.search(self._line, at)
            if found is None:
                parts.append(self._line[start:])
                size += len(parts[-1])
                following = next(self._more, None)
                if following is None or size > LONGEST_CELL:
                    if whole or size > LONGEST_CELL:
                        raise Unended(opened)
                    return None
                self._last, self._line = following
                start = at = 0
                continue
            at = found.end()
            after = self._line[at : at + 1]
            if found[0] == ESCAPE:
                if after in (QUOTE, ESCAPE) and after:
                    parts.append(self._line[start : at - 1])
                    start, at = at, at + 1
                else:
                    self._bare = True
            elif after == QUOTE:
                self._doubled = True
                parts.append(self._line[start:at])
                start = at = at + 1
            else:
                parts.append(self._line[start : at - 1])
                self._at = at
                return "".join(parts)


def _single(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines that end in a line feed, a carriage return or both."""
    for line in lines:
        if "\r" in line and line.find("\r") < len(line) - 2:
            yield from filter(None, _LONE_RETURN.split(line))
        else:
            yield line


def text_records(
    text: str, *, delimiter: str = ",", escapes: bool = True, whole: bool = True
) -> Iterator[Record]:
    """Yield the records of a text; see :func:`records`."""
    lines = io.StringIO(text, newline="")
    return records(lines, delimiter=delimiter, escapes=escapes, whole=whole)


def written(cells: Iterable[str]) -> str:
    """Return the line of a record, without its end; line breaks in a cell become spaces."""
    return ",".join(map(_written, cells))


def _written(cell: str) -> str:
    if not _SPECIAL.search(cell):
        return cell
    one_line = re.sub(r"[\r\n]+", " ", cell)
    escaped = one_line.replace(ESCAPE, ESCAPE * 2).replace(QUOTE, ESCAPE + QUOTE)
    return f"{QUOTE}{escaped}{QUOTE}"
