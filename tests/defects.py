"""Broken data of many kinds, and what ``mpe check-data`` says of each.

    python -m tests.defects

Each defect is made of data without a fault. It is found rightly where a finding of the rule that is
meant comes of it, weakly where only other findings do, and silent where none does; what nobody can
know from the data says why.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpe.data.check import Check
from mpe.data.engine import Engine
from mpe.data.files import Source
from mpe.model.config.parse import parse
from mpe.model.rules import data
from mpe.model.rules.record import Rule
from tests.data.writing import HEADERS, config, rows

NOW = 1_750_000_000
Change = Callable[[list[str]], list[str] | bytes]


@dataclass(frozen=True)
class Defect:
    """What is done to the lines of a file, its header first, and the rule that tells it."""

    name: str
    kind: str
    change: Change
    rule: Rule | None = None
    silent: str = ""
    """Why nobody can know it from the data."""


def cells(place: int, value: Callable[[int, str], str], every: int = 1) -> Change:
    """Return what changes one cell of every so many rows, from the row's number and the cell."""

    def change(lines: list[str]) -> list[str]:
        made = [lines[0]]
        for number, line in enumerate(lines[1:]):
            parts = line.split(",")
            if number % every == 0:
                parts[place] = value(number, parts[place])
            made.append(",".join(parts))
        return made

    return change


def header(text: str) -> Change:
    return lambda lines: [text, *lines[1:]]


def also(*more: str) -> Change:
    return lambda lines: [*lines, *more]


def swapped(lines: list[str]) -> list[str]:
    """Put the items where the header has the users, and the users where it has the items."""
    parts = (line.split(",", 2) for line in lines[1:])
    return [lines[0], *(f"{item},{user},{more}" for user, item, more in parts)]


def encoded(encoding: str) -> Change:
    return lambda lines: ("\n".join([*lines, "Jürgen,i1,View,1,1700009999"]) + "\n").encode(
        encoding
    )


def joined(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


HEAD = HEADERS["interactions"]
LOG: list[Defect] = [
    Defect(name, "interactions", change, rule)
    for name, change, rule in (
        ("a column misnamed", header(HEAD.replace("ITEM_ID", "ITEMID")), data.MISSING),
        ("a header in lower case", header(HEAD.lower()), data.MISSING),
        ("no header", lambda lines: lines[1:], data.MISSING),
        ("a column twice", header(HEAD.replace("EVENT_VALUE", "ITEM_ID")), data.COLUMN_TWICE),
        ("a header in quotation marks", header('"USER_ID",' + HEAD[8:]), data.QUOTES),
        ("columns in another order", header("ITEM_ID,USER_ID" + HEAD[15:]), data.COLUMN_ORDER),
        ("an empty file", lambda lines: b"", data.MISSING),
        ("a header alone", lambda lines: lines[:1], data.FEW),
        ("a second header", also(HEAD), data.RESERVED),
        ("semicolons", lambda lines: [one.replace(",", ";") for one in lines], data.MISSING),
        ("tabs", lambda lines: [one.replace(",", "\t") for one in lines], data.MISSING),
        ("bars", lambda lines: [one.replace(",", "|") for one in lines], data.MISSING),
        ("Latin-1", encoded("latin-1"), data.ENCODING),
        ("UTF-16", encoded("utf-16"), data.ENCODING),
        ("gzip", lambda lines: b"\x1f\x8b" + joined(lines), data.PACKED),
        ("Parquet", lambda lines: b"PAR1" + joined(lines), data.PACKED),
        ("a row too long", also("u1,i1,View,1,1700009999,more"), data.RAGGED),
        ("a row too short", also("u1,i1,View,1"), data.RAGGED),
        ("cut off in a row", lambda lines: joined(lines)[:-25], data.RAGGED),
        ("a quotation mark not closed", also('u1,"i1,View,1,1700009999'), data.UNENDED),
        ("doubled quotation marks", also('u1,"a ""b"" c",View,1,1700009999'), data.DOUBLED),
        ("a lone backslash", also('u1,"a \\b c",View,1,1700009999'), data.BARE),
        ("a value over lines", also('u1,"i\n1",View,1,1700009999'), data.LINES),
        ("milliseconds", cells(4, lambda n, v: f"{v}000"), data.SECONDS),
        ("microseconds", cells(4, lambda n, v: f"{v}000000"), data.SECONDS),
        ("milliseconds in one row", cells(4, lambda n, v: f"{v}000", 900), data.SECONDS),
        ("a fraction of a second", cells(4, lambda n, v: f"{v}.5", 900), data.INTEGER),
        ("ISO dates", cells(4, lambda n, v: "2024-01-02T10:00:00Z"), data.INTEGER),
        ("days first", cells(4, lambda n, v: "13/01/2024"), data.INTEGER),
        ("an exponent", cells(4, lambda n, v: "1.7E+09"), data.INTEGER),
        ("days since 1970", cells(4, lambda n, v: f"{19_000 + n % 300}"), data.OLD),
        ("a time of zero", cells(4, lambda n, v: "0", 900), data.OLD),
        ("no time", cells(4, lambda n, v: "", 900), data.EMPTY),
        ("a word for no time", cells(4, lambda n, v: "NULL", 900), data.INTEGER),
        ("a negative time", cells(4, lambda n, v: "-1", 900), data.OLD),
        ("times to come", cells(4, lambda n, v: "2690000000", 900), data.TO_COME),
        ("one time for all", cells(4, lambda n, v: "1700000000"), data.ONE_TIME),
        ("a huge number", cells(4, lambda n, v: "9" * 25, 900), data.BEYOND),
        ("no user", cells(0, lambda n, v: "", 4), data.EMPTY),
        ("no item", cells(1, lambda n, v: "", 900), data.EMPTY),
        ("spaces around an id", cells(1, lambda n, v: f"{v} ", 7), data.HIDDEN),
        ("a no-break space in an id", cells(0, lambda n, v: f"{v}\u00a0", 7), data.HIDDEN),
        ("a NUL in an id", cells(0, lambda n, v: f"{v}\0", 900), data.HIDDEN),
        ("ids shortened by Excel", cells(0, lambda n, v: "4.00638E+12", 3), data.SHORTENED),
        ("an id of 300 characters", cells(0, lambda n, v: "x" * 300, 900), data.LONG),
        ("the same row again", lambda lines: [*lines, lines[1]], data.REPEATED),
        ("few rows", lambda lines: lines[:900], data.FEW),
        ("one user", cells(0, lambda n, v: "u0"), data.FEW_USERS),
        ("users come once", cells(0, lambda n, v: f"v{n}"), data.FEW_USERS),
        ("ids that match nothing", cells(1, lambda n, v: f"x{v}"), data.NO_ID),
        ("ids in another case", cells(1, lambda n, v: v.upper()), data.NO_ID),
        ("ids written as floats", cells(1, lambda n, v: f"{v}.0"), data.NO_ID),
        ("ids that match sometimes", cells(1, lambda n, v: f"x{v}", 5), data.IDS),
        ("users and items swapped", swapped, data.NO_ID),
        ("a decimal comma", cells(3, lambda n, v: '"1,5"', 900), data.NUMBER),
        ("a word among numbers", cells(3, lambda n, v: "lots", 900), data.NUMBER),
        ("a word for nothing", cells(3, lambda n, v: "NaN", 900), data.NUMBER),
        ("a currency", cells(3, lambda n, v: "$5", 900), data.NUMBER),
        ("11 event types", cells(2, lambda n, v: f"e{n % 11}"), data.VARIETY),
        ("bzip2", lambda lines: b"BZh9" + joined(lines)[:1], data.MISSING),
        ("a line of a comment", lambda lines: ["# exported by X", *lines], data.MISSING),
        ("a line of commas", also(",,,,"), data.EMPTY),
        ("a line with the sum", also("Total,,,,3600"), data.EMPTY),
        ("a line that counts the rows", also("(1200 rows affected)"), data.RAGGED),
        (
            "a line of dashes",
            lambda lines: [lines[0], "---,---,---,---,---", *lines[1:]],
            data.INTEGER,
        ),
        ("a mark of byte order within", also("\ufeffu1,i1,View,1,1700009999"), data.HIDDEN),
        ("a zero-width space in an id", cells(1, lambda n, v: f"{v}\u200b", 7), data.HIDDEN),
        ("ids in single quotation marks", cells(1, lambda n, v: f"'{v}'"), data.NO_ID),
        ("ids with zeros before them", cells(1, lambda n, v: f"00{v}"), data.NO_ID),
        ("thousands in times", cells(4, lambda n, v: '"1,700,000,000"', 900), data.INTEGER),
        ("a time with a plus sign", cells(4, lambda n, v: f"+{v}", 900), data.INTEGER),
        ("a time with a unit", cells(4, lambda n, v: f"{v}s", 900), data.INTEGER),
        ("infinity", cells(3, lambda n, v: "inf", 900), data.NUMBER),
        ("a hexadecimal number", cells(3, lambda n, v: "0x10", 900), data.NUMBER),
        ("a space for nothing", cells(3, lambda n, v: " ", 900), data.NUMBER),
        ("a number in another script", cells(3, lambda n, v: "٣", 900), data.NUMBER),
        (
            "days without their times",
            cells(4, lambda n, v: str(int(v) // 86_400 * 86_400)),
            data.REPEATED,
        ),
        ("values mostly empty", cells(3, lambda n, v: "" if n % 5 else v), data.EMPTY_COLUMN),
    )
]
ITEMS: list[Defect] = [
    Defect(name, "items", change, rule)
    for name, change, rule in (
        ("an item twice", lambda lines: [*lines, lines[1]], data.REPEATED),
        ("no category in most rows", cells(3, lambda n, v: "" if n % 5 else v), data.EMPTY_COLUMN),
        ("a price with a unit", cells(2, lambda n, v: f"{v} EUR"), data.NUMBER),
        ("a price with thousands", cells(2, lambda n, v: '"1,234.5"'), data.NUMBER),
        ("10,000 categories", lambda lines: [lines[0], *(f"i{n},T,1,c{n}" for n in range(10_000))],
         data.CATEGORIES),
        ("a long text", cells(1, lambda n, v: "x" * 1_001, 30), data.LONG),
        ("only other items", lambda lines: [lines[0], *(f"z{n},T,1,x" for n in range(40))],
         data.NO_ID),
    )
]  # fmt: skip
UNKNOWABLE: list[Defect] = [
    Defect(name, "interactions", change, None, why)
    for name, change, why in (
        ("a mark of byte order", lambda lines: b"\xef\xbb\xbf" + joined(lines),
         "it is read as if it were not there"),
        ("Windows' line ends", lambda lines: "\r\n".join(lines).encode() + b"\r\n",
         "they are read alike"),
        ("mixed line ends", lambda lines: joined(lines).replace(b"7\n", b"7\r\n"),
         "they are read alike"),
        ("an hour off", cells(4, lambda n, v: str(int(v) + 3_600)),
         "a time of another zone looks as any other"),
        ("lost rows", lambda lines: lines[:1_101], "what is not there leaves no trace in one file"),
        ("negative values", cells(3, lambda n, v: f"-{v}"), "a value may be below zero"),
        ("texts of another encoding read before", cells(0, lambda n, v: f"JÃ¼{v}", 2),
         "letters that were wrong before are letters"),
        ("one user with half of it", cells(0, lambda n, v: "u0", 2),
         "an unknown visitor or a very active one: --report shows it"),
        ("case of an event", cells(2, lambda n, v: v.upper(), 900),
         "VIEW and View may be two events"),
    )
]  # fmt: skip
DEFECTS = (*LOG, *ITEMS, *UNKNOWABLE)


def told(one: Defect) -> list[tuple[str, str]]:
    """Return the rules and messages that a check has of a defect, beyond those of good data."""
    with tempfile.TemporaryDirectory() as folder:
        lines = {
            "interactions": [HEADERS["interactions"], *rows(1_200)],
            "items": [HEADERS["items"], *(f"i{n},T{n},{n},c{n % 3}" for n in range(40))],
        }
        made: dict[str, list[str] | bytes] = {**lines, one.kind: one.change(lines[one.kind])}
        places = {}
        for kind, content in made.items():
            path = Path(folder) / f"{kind}.csv"
            path.write_bytes(content if isinstance(content, bytes) else joined(content))
            places[kind] = (kind, [Source(path, path.name)])
        with Engine(memory="500MB") as engine:
            document = parse(json.dumps(config("interactions", "items")))
            found = Check(document, engine, now=NOW)(places)
    return [(each.rule, each.message) for each in found if each.rule != data.RECOMMENDED.id]


def verdict(one: Defect) -> str:
    """Say whether a defect is found rightly, weakly or not at all."""
    rules = [rule for rule, _ in told(one)]
    if one.rule is not None and one.rule.id in rules:
        return "rightly"
    return "weakly" if rules else "not at all"


def report() -> Iterator[str]:
    """Yield a table of all defects, and how many are found how."""
    counts: dict[str, int] = {}
    yield "| defect | found | by, or why not |\n|---|---|---|"
    for one in DEFECTS:
        found = verdict(one)
        counts[found] = counts.get(found, 0) + 1
        yield f"| {one.name} | {found} | {one.rule.id if one.rule else one.silent} |"
    yield f"\n{len(DEFECTS)} defects: " + ", ".join(f"{n} {how}" for how, n in counts.items()) + "."


if __name__ == "__main__":
    sys.stdout.write("\n".join(report()) + "\n")
