"""How a file is written: its encoding and what separates its columns."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from mpe.data.columns import Asker, Unsure
from mpe.data.files import CHUNK, Source, Watcher, head, header, scan
from mpe.model.service.csvs import PACKED
from mpe.model.service.dialect import Unended, text_records

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
UTF_8 = ("utf-8", "utf-8-sig")
"""The encodings that the engine reads itself."""
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


@dataclass(frozen=True)
class Readable:
    """A file that the engine can read, and how."""

    source: Source
    header: list[str]
    header_ends: int
    delimiter: str
    told: str
    """How the user's file is written."""


def readable(
    source: Source,
    folder: Path,
    *,
    encoding: str | None,
    delimiter: str | None,
    asker: Asker,
    watcher: Watcher,
) -> Readable:
    """Return a file that the engine can read: this one, or a copy in UTF-8 in the folder."""
    found = encoding or _encoding(source, asker, watcher)
    if encoding in UTF_8:
        _check_utf8(source, encoding, watcher)
    text_source, told = source, "UTF-8"
    start = head(source).content
    if found not in UTF_8 or (b"\r" in start and b"\n" not in start):
        text_source = replace(source, path=_copy(source, folder, found))
        told = "Latin-1" if found == LATIN else found
    beginning = head(text_source)
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(beginning.content)
    if beginning.whole and not text.strip():
        raise Unsure(f"{source.name} is empty.")
    separator = delimiter or _delimiter(source, text, whole=beginning.whole)
    names, ends = header(text, separator, escapes=False)
    _check_header(source, names)
    spoken = DELIMITERS.get(separator, repr(separator))
    return Readable(text_source, names, ends, separator, f"{told}, separated by {spoken}")


def _encoding(source: Source, asker: Asker, watcher: Watcher) -> str:
    start = head(source).content
    for magic, form in PACKED.items():
        if start.startswith(magic):
            raise Unsure(f"{source.name} is a {form} file, not a CSV. Unpack or export it first.")
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    wrong = scan(source, watcher).not_utf8
    if wrong is None:
        return "utf-8"
    line = _line(source.path, wrong).decode(LATIN, errors="replace").strip()[:100]
    question = f"{source.name} is not UTF-8. As Latin-1, line {wrong} reads: {line}. Is it right?"
    if asker.choose(question, ["yes", "no"]) == "yes":
        return LATIN
    raise Unsure(
        f"{source.name} is not UTF-8 (line {wrong}). As Latin-1, that line reads: {line}. If it is "
        "right, pass --encoding latin-1, or else the name of its encoding."
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


def _copy(source: Source, folder: Path, encoding: str) -> Path:
    """Write a copy in UTF-8, with line ends that the engine knows."""
    target = folder / f"copy-{len(list(folder.glob('copy-*')))}.csv"
    try:
        with (
            source.path.open(encoding=encoding) as file,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while chunk := file.read(CHUNK):
                copy.write(chunk)
    except LookupError:
        raise Unsure(f"--encoding {encoding}: there is no such encoding.") from None
    except UnicodeError as error:
        raise Unsure(
            f"{source.name} is not {encoding}: {error}. Pass another --encoding."
        ) from None
    return target


def _delimiter(source: Source, text: str, *, whole: bool) -> str:
    """Return what gives most rows the header's number of columns, and more than one column."""
    fits: dict[str, tuple[float, int]] = {}
    for one in DELIMITERS:
        widths = _widths(text, one, whole=whole)
        if widths and widths[0] > 1:
            share = Counter(widths)[widths[0]] / len(widths)
            fits[one] = (round(share, 1), widths[0])
    if not fits:
        raise Unsure(
            f"{source.name} has only one column, however it is separated. If it has more, say what "
            "separates them with --delimiter."
        )
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
    twice = sorted(one for one, count in Counter(names).items() if one and count > 1)
    if twice:
        raise Unsure(f"{source.name} has the column {twice[0]!r} twice. Rename one of them.")
    if any(_is_number(one) for one in names):
        raise Unsure(
            f"The first row of {source.name} has values, not names: {', '.join(names)[:100]}. Put "
            "a row with the columns' names before it."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
