"""How a file is written: its encoding and what separates its columns."""

from __future__ import annotations

import codecs
import csv
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mpe.data.columns import Asker, Unsure
from mpe.data.engine import Engine
from mpe.data.files import CHUNK, Source, Watcher, head, header, normal, row_lines, scan
from mpe.data.formats import opened
from mpe.model.service.dialect import Unended, text_records

DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "::": "double colons",
    "\x01": "control-A signs",
    "||": "double bars",
    "^": "carets",
    "~": "tildes",
    "\x1f": "unit separators",
}
SPACES = " "
"""What separates columns where nothing else does."""
UTF_8 = ("utf-8", "utf-8-sig")
"""The encodings that the engine reads itself."""
MOST_ABOVE = 10
"""Lines above a header that may be no part of the table."""
SAMPLE = 500
"""Records that tell what the delimiter is."""
LATIN = "cp1252"
"""Latin-1 as it is written in practice, with the Euro sign and curly quotation marks."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_WESTERN = frozenset({"latin1", "latin-1", "iso-8859-1", "iso8859-1", "l1", "cp1252"})
"""Names that are said of what is in truth Windows' variant:
https://encoding.spec.whatwg.org/#names-and-labels."""


TABLES = ("JSON", "JSON lines", "Parquet", "Excel")
"""Forms of files that are no text with separators."""


@dataclass(frozen=True)
class Readable:
    """A file that the engine can read, and how."""

    source: Source
    header: list[str]
    header_ends: int
    delimiter: str
    told: str
    """How the user's file is written."""
    text: Source
    """The file as text, in which lines are counted."""
    separator: str = ","
    escapes: bool = False
    first: int = 1
    """The line in which its header ends."""

    form: str = ""
    """What it was, where it was no text."""
    above: int = 0
    """Lines above the header, which are left out."""

    def places(self, rows: Sequence[int]) -> str:
        """Name rows, by their numbers from 0, as the user finds them in their own file."""
        if self.form in TABLES:
            offset = 2 if self.form == "Excel" else 1
            where = "line" if self.form == "JSON lines" else "row"
            return f"{where} {', '.join(f'{row + offset:,}' for row in sorted(rows))}"
        return f"line {', '.join(map(str, self.lines(rows)))}"

    def lines(self, rows: Sequence[int]) -> list[int]:
        """Return the lines in which some rows begin, by their numbers from 0."""
        found = row_lines(
            self.text.path,
            rows,
            header_ends=self.first,
            plain=False,
            delimiter=self.separator,
            escapes=self.escapes,
        )
        return sorted(line + self.above for line in found.values())


@dataclass(frozen=True)
class Manner:
    """What the user says of how their files are written."""

    encodings: Mapping[str, str] = field(default_factory=dict)
    """By kind; under the empty name, of all files that are not UTF-8."""
    delimiter: str | None = None
    columns: Sequence[str] = ()
    """The names of columns, where the interactions have no header."""


def readable(kind: str, given: Source, engine: Engine, manner: Manner, asker: Asker) -> Readable:
    """Return a file that the engine can read: this one, or a copy in its temporary folder."""
    watcher = engine.watcher
    source, form = opened(given, engine)
    text_source, told = _as_utf8(kind, source, engine, manner, asker)
    text_source, above, said = _below(text_source, engine.folder)
    beginning = head(text_source)
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(beginning.content)
    if beginning.whole and not text.strip():
        raise Unsure(f"{source.name} is empty.")
    columns = list(manner.columns) if kind == "interactions" else []
    if form.endswith(TABLES):
        separator, told = ",", form
    else:
        separator = manner.delimiter or said or _delimiter(source, text, whole=beginning.whole)
    escapes = _escapes(text, separator, whole=beginning.whole)
    names, ends = header(text, separator, escapes=escapes)
    names = _without_table(names)
    if columns:
        if len(columns) != len(names):
            raise Unsure(
                f"--columns gives {len(columns)} names, and {source.name} has {len(names)} columns."
            )
        names, ends = columns, 0
    _check_header(source, [one.strip("'") for one in names] if _single(names) else names)
    spoken = DELIMITERS.get(separator, repr(separator))
    manner_told = told if told == form and form else f"{told}, separated by {spoken}"
    if form and told != form:
        manner_told = f"{form}: {manner_told}"
    made = Readable(
        text_source, names, ends, separator, manner_told, text_source, separator, escapes, ends,
        form.rpartition(", ")[2], above,
    )  # fmt: skip
    if _single(names):
        return _unquoted(made, engine.folder, header=not columns)
    over_lines = any("\n" in one or "\r" in one for one in names)  # the engine skips lines
    if not over_lines and scan(text_source, watcher).simple(escapes=escapes):
        return made
    copy = engine.folder / f"normal-{len(list(engine.folder.glob('normal-*')))}.csv"
    try:
        normal(text_source, copy, watcher, delimiter=separator, escapes=escapes, header=not columns)
    except Unended as error:
        raise Unsure(f"{source.name} cannot be read: {error} Mend that line.") from None
    return replace(made, source=replace(source, path=copy), header_ends=0, delimiter=",")


def _single(names: Sequence[str]) -> bool:
    """Tell whether all names stand in single quotation marks, and so does text below them."""
    return len(names) > 1 and all(re.fullmatch(r"\s*'[^']*'\s*", one) for one in names)


def _unquoted(made: Readable, folder: Path, *, header: bool) -> Readable:
    """Return a copy without the single quotation marks that a file's texts stand in."""
    if len(made.delimiter) > 1:
        raise Unsure(f"{made.source.name} has single quotation marks. Write it without them.")
    copy = folder / f"normal-{len(list(folder.glob('normal-*')))}.csv"
    with (
        made.text.path.open(encoding="utf-8-sig", newline="") as file,
        copy.open("w", encoding="utf-8", newline="") as target,
    ):
        rows = csv.reader(file, delimiter=made.delimiter, quotechar="'", skipinitialspace=True)
        if header:
            next(rows)
        csv.writer(target, lineterminator="\n").writerows(row for row in rows if row)
    names = [one.strip().strip("'") for one in made.header]
    source = replace(made.source, path=copy)
    return replace(made, source=source, header=names, header_ends=0, delimiter=",")


def _without_table(names: list[str]) -> list[str]:
    """Return names without the table's, which all have before a dot where Hive wrote them."""
    tables = {one.rpartition(".")[0] for one in names}
    return [one.rpartition(".")[2] for one in names] if len(tables) == 1 else names


def _as_utf8(
    kind: str, source: Source, engine: Engine, manner: Manner, asker: Asker
) -> tuple[Source, str]:
    """Return the file in UTF-8, and how it was; valid UTF-8 is never taken for anything else."""
    own, common = manner.encodings.get(kind), manner.encodings.get("")
    encoding = own or common
    watcher = engine.watcher
    if encoding in UTF_8:
        _check_utf8(source, encoding, watcher)
    elif encoding and not own and _multibyte(source, watcher):
        encoding = "utf-8"
    found = encoding or _encoding(source, asker, watcher)
    if found.lower().replace("_", "-") in _WESTERN:
        found = LATIN
    start = head(source).content
    if found in UTF_8 and not (b"\r" in start and b"\n" not in start):
        return source, "UTF-8"
    told = "Latin-1" if found == LATIN else "UTF-8" if found in UTF_8 else found
    path, changed = _copy(source, engine.folder, found)
    more = f" ({changed:,} letters beyond ASCII)" if changed and found not in UTF_8 else ""
    return replace(source, path=path), told + more


def _below(source: Source, folder: Path) -> tuple[Source, int, str | None]:
    """Return a file without comments above its header, how many, and the separator they say.

    Excel writes ``sep=;`` for itself; other programs write lines that begin with ``#``.
    """
    above, said = 0, None
    titled = _titled(head(source).content.decode("utf-8", errors="replace"))
    with source.path.open("rb") as file:
        while True:
            start = file.tell()
            line = file.readline(CHUNK).removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
            found = re.fullmatch(rb'"?sep=(.)"?', line, re.IGNORECASE)
            if found:
                said = found[1].decode("latin-1")
            elif above >= titled and not (line.startswith(b"# ") or line == b"#"):
                break
            above += 1
        if not above:
            return source, 0, None
        target = folder / f"below-{len(list(folder.glob('below-*')))}.csv"
        file.seek(start)
        with target.open("wb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
    note = f"{above:,} lines above the header of {source.name} are left out."
    notes = source.notes if above == 1 and said else (*source.notes, note)
    return replace(source, path=target, notes=notes), above, said


def _titled(text: str) -> int:
    """Return how many lines above the header are no part of the table, such as a report's title.

    These have one cell alone where nearly all lines below have several.
    """
    lines = [line for line in text.splitlines()[:SAMPLE] if line.strip()]
    for one in DELIMITERS:
        several = [one in line for line in lines]
        first = several.index(True) if True in several else 0
        below = several[first:]
        plain = not any(sign in line for line in lines[:first] for sign in ('"', *DELIMITERS))
        if (
            plain
            and 0 < first <= MOST_ABOVE
            and len(below) > first
            and sum(below) >= len(below) * 0.95
        ):
            return text.splitlines().index(lines[first])
    return 0


def _multibyte(source: Source, watcher: Watcher) -> bool:
    """Tell whether a file is valid UTF-8 with letters beyond ASCII, which is no accident."""
    if any(head(source).content.startswith(mark) for mark, _ in _MARKS):
        return False
    scanned = scan(source, watcher)
    return scanned.not_utf8 is None and scanned.beyond_ascii


def _escapes(text: str, separator: str, *, whole: bool) -> bool:
    r"""Tell whether a file writes ``\"`` for a quotation mark in a text, as MySQL does."""
    if '\\"' not in text:
        return False
    fits = {}
    for escapes in (False, True):
        widths = _widths(text, separator, whole=whole, escapes=escapes)
        fits[escapes] = widths.count(widths[0]) if widths else 0
    if fits[True] != fits[False]:
        return fits[True] > fits[False]
    if re.search(r'[^,;|\t\r\n"\\]""[^,;|\t\r\n"]', text):
        return False  # quotation marks are doubled, as most programs do
    end = rf'\\"(?!{re.escape(separator)}|\r|\n|\Z)'
    return re.search(end, text) is not None


def _encoding(source: Source, asker: Asker, watcher: Watcher) -> str:
    start = head(source).content
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[place::2].count(0)
        if zeros * 2 > len(start) // 2 and start[1 - place :: 2].count(0) == 0:
            return encoding  # letters of ASCII, two bytes each, without a mark
    wrong = scan(source, watcher).not_utf8
    if wrong is None:
        return "utf-8"
    line = _line(source.path, wrong).decode(LATIN, errors="replace").strip()[:100]
    question = f"{source.name} is not UTF-8. As Latin-1, line {wrong} reads: {line}. Is it right?"
    if asker.choose(question, ["yes", "no"]) == "yes":
        return LATIN
    raise Unsure(
        f"{source.name} is not UTF-8 (line {wrong}). As Latin-1, that line reads: {line}. If it is "
        "right, pass --encoding latin-1, or else the name of its encoding; of one file, "
        "--encoding items=latin-1."
    )


def _check_utf8(source: Source, encoding: str, watcher: Watcher) -> None:
    wrong = scan(source, watcher).not_utf8
    if wrong is not None:
        raise Unsure(f"{source.name} is not {encoding} (line {wrong}). Pass another --encoding.")


def _line(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        for _ in range(number - 1):
            file.readline(CHUNK)
        return file.readline(CHUNK)


def _copy(source: Source, folder: Path, encoding: str) -> tuple[Path, int]:
    """Write a copy in UTF-8, with line ends that the engine knows; count what is beyond ASCII."""
    target = folder / f"copy-{len(list(folder.glob('copy-*')))}.csv"
    codecs.register_error("mpe-western", _western)
    errors = "mpe-western" if encoding == LATIN else "strict"
    beyond = 0
    try:
        with (
            source.path.open(encoding=encoding, errors=errors) as file,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while chunk := file.read(CHUNK):
                beyond += 0 if chunk.isascii() else sum(sign > "\x7f" for sign in chunk)
                copy.write(chunk)
    except LookupError:
        raise Unsure(f"--encoding {encoding}: there is no such encoding.") from None
    except UnicodeError as error:
        raise Unsure(
            f"{source.name} is not {encoding}: {error}. Pass another --encoding."
        ) from None
    return target, beyond


def _western(error: UnicodeError) -> tuple[str, int]:
    """Read the five bytes that Windows' variant leaves open as Latin-1 has them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


def _delimiter(source: Source, text: str, *, whole: bool) -> str:
    """Return what gives most rows the header's number of columns, and more than one column."""
    fits: dict[str, tuple[float, int]] = {}
    for one in (*DELIMITERS, SPACES):
        if one == SPACES and fits:
            break
        widths = _widths(text, one, whole=whole)
        if widths and widths[0] > 1:
            share = Counter(widths)[widths[0]] / len(widths)
            fits[one] = (round(share, 1), widths[0])
    if not fits:
        raise Unsure(
            f"{source.name} has only one column, however it is separated. If it has more, say what "
            "separates them with --delimiter."
        )
    if "||" in fits and fits.get("|", (0, 0)) <= (fits["||"][0], 2 * fits["||"][1] - 1):
        return "||"
    best = max(fits.values())
    (first, *others) = [one for one, fit in fits.items() if fit == best]
    if others:
        known = " or ".join(DELIMITERS[one] for one in (first, *others))
        raise Unsure(f"{source.name} may be separated by {known}. Say which with --delimiter.")
    return first


def _widths(text: str, delimiter: str, *, whole: bool, escapes: bool = False) -> list[int]:
    """Return how many cells the first records have; fewer where they cannot all be read."""
    found: list[int] = []
    try:
        for one in text_records(text, whole=whole, delimiter=delimiter, escapes=escapes):
            found.append(len(one.cells))
            if len(found) == SAMPLE:
                break
    except Unended:
        pass
    return found


def _check_header(source: Source, names: list[str]) -> None:
    if any(_is_number(one) for one in names):
        raise Unsure(
            f"The first row of {source.name} has values, not names: {', '.join(names)[:100]}. Say "
            "the names with --columns, such as --columns user_id,item_id,rating,timestamp; or "
            "put a row with them before it."
        )
    twice = sorted(one for one, count in Counter(names).items() if one and count > 1)
    if twice:
        raise Unsure(f"{source.name} has the column {twice[0]!r} twice. Rename one of them.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
