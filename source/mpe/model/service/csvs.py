"""The rules that Amazon Personalize has for the CSVs that it imports.

A rule about one cell is a value that says what to look for, so that the import step applies it
to the first rows in Python, and ``mpe check-data`` to all rows in SQL.

https://docs.aws.amazon.com/personalize/latest/dg/data-prep-formatting.html
https://docs.aws.amazon.com/personalize/latest/dg/limits.html
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from mpe.model.errors import Finding, Severity
from mpe.model.rules import data
from mpe.model.rules.record import Rule
from mpe.model.service.avro import (
    DOMAIN_REQUIRED,
    FIELD_NAME,
    FIELD_NAME_LIMIT,
    RULES,
    Field,
)
from mpe.model.service.dialect import Record, Unended, text_records
from mpe.model.service.limits import DIGITS_LIMIT
from mpe.model.text import plain

ID_LIMIT, TEXT_LIMIT, TEXTUAL_LIMIT = 256, 1000, 20_000
"""Characters that an id, a string and a textual value may have."""
MOST_NAMES, MOST_SHOWN, LONGEST_NAME = 200, 12, 60
"""How many names of a header are looked into or told, and the characters that each is told in."""
LONGEST_VALUE = 60
"""Characters in which a wrong value is shown."""
MOST_LINES = 5
"""How many example lines a finding names."""
HEAD = 256 * 1024
"""Bytes that count as the first rows of a file."""
INTEGER = "-?[0-9]+"
FLOAT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""Each digit fits in one way only, so that a cell of a million digits is soon refused."""
SHORTENED = r"[0-9](\.[0-9]+)?[eE]\+[0-9]+"
"""How a spreadsheet writes a long number that it has shortened."""
INVISIBLE = (
    (
        r"(?s).*[\x00-\x1f\x7f\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff].*"
        r"| .*|.* "
    )
    .encode("ascii")
    .decode("unicode_escape")
    .replace("\x00-\x1f\x7f", r"\x00-\x1f\x7f")
)
"""What has characters that cannot be seen, or spaces around it."""
ACTION_EVENTS = "(?i)viewed|taken|not[ _]taken"
TIMES = frozenset(
    {"TIMESTAMP", "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP"}
)
PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip or Excel",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How files begin that are no CSVs, though they may bear the name."""
UNKEYED = frozenset({"interactions", "actionInteractions"})
"""The datasets of events, whose rows have no key."""

Test = Literal["empty", "unlike", "like", "beyond", "longer", "among", "broken"]


@dataclass(frozen=True)
class CellRule:
    """What must not be in the cells of one column.

    ``test`` and ``argument`` say which cells are wrong: those that are ``empty``; that are not
    empty and ``unlike`` a pattern; ``like`` one; whole numbers ``beyond`` so many bits;
    ``longer`` than so many characters; ``among`` some values; ``broken`` into lines. Patterns
    are for the whole cell, and are such that Python's ``re`` and RE2 understand them alike.
    """

    column: str
    test: Test
    argument: str | int | tuple[str, ...]
    message: str
    remedy: str
    rule: Rule

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @cached_property
    def broken_by(self) -> Callable[[str], bool]:
        """What tells whether a cell is wrong."""
        match self.test, self.argument:
            case "empty", _:
                return "".__eq__
            case "unlike", str(pattern):
                good = re.compile(pattern).fullmatch
                return lambda cell: cell != "" and good(cell) is None
            case "like", str(pattern):
                bad = re.compile(pattern).fullmatch
                return lambda cell: bad(cell) is not None
            case "beyond", int(bits):
                number = re.compile(INTEGER).fullmatch
                return lambda cell: number(cell) is not None and _beyond(cell, bits)
            case "longer", int(most):
                return lambda cell: len(cell) > most
            case "among", tuple(values):
                return values.__contains__
            case "broken", _:
                return lambda cell: "\n" in cell or "\r" in cell
        raise AssertionError(self)


def _beyond(digits: str, bits: int) -> bool:
    """Tell whether a whole number has more bits; Python reads no number of 5,000 digits."""
    sign, size = digits[: digits.startswith("-")], digits.lstrip("-").lstrip("0") or "0"
    return len(size) > DIGITS_LIMIT or not -(2**bits) <= int(sign + size) < 2**bits


def cell_rules(kind: str, fields: Sequence[Field]) -> list[CellRule]:
    """Return the rules for the cells of a dataset of a kind with these columns."""
    return [rule for one in fields for rule in _cell_rules(kind, one)]


def _cell_rules(kind: str, one: Field) -> Iterator[CellRule]:
    name, rules = one.name, RULES[kind]
    if not one.nullable:
        yield CellRule(
            name,
            "empty",
            "",
            "is empty, which its schema does not allow.",
            _fill(kind, one),
            data.EMPTY,
        )
    yield from _typed(kind, one)
    if one.type == "string":
        yield from _texts(kind, one)
    if name in TIMES and name in {**rules.required, **rules.optional}:
        yield from _times(name)
    if kind == "actionInteractions" and name == "EVENT_TYPE":
        yield CellRule(
            name,
            "unlike",
            ACTION_EVENTS,
            "is not Viewed, Taken or Not taken.",
            "The service knows only these for actions.",
            data.ACTION_EVENT,
        )


def _fill(kind: str, one: Field) -> str:
    """Say what to do about empty cells: not every column of the service's own may be null."""
    rules = RULES[kind]
    types = {**rules.required, **rules.optional}.get(one.name, ("null",))
    if "null" not in types:
        return "Fill it: the service asks for it in each row."
    asked = any(
        of == kind and "null" not in required.get(one.name, ("null",))
        for (_, of), required in DOMAIN_REQUIRED.items()
    )
    where = ", where the dataset group has no domain that asks for it" if asked else ""
    return f'Fill it, or give it the type ["null", "{one.type}"] in the schema{where}.'


def _wider(kind: str, one: Field) -> str:
    """Say which type holds larger numbers: the service's own columns have theirs."""
    rules = RULES[kind]
    if one.name in {**rules.required, **rules.optional}:
        return "Write a smaller number."
    if one.type == "int":
        return "Give it the type long in the schema."
    return "Give it the type double or string in the schema."


def _typed(kind: str, one: Field) -> Iterator[CellRule]:
    if one.type in {"int", "long"}:
        fraction = "Write it without a fraction, a separator or a unit."
        if one.name in TIMES:
            fraction = "Write it as seconds since 1970; mpe init converts dates."
        whole = "is not a whole number."
        yield CellRule(one.name, "unlike", INTEGER, whole, fraction, data.INTEGER)
        bits = 31 if one.type == "int" else 63
        too_large = f"is too large for the type {one.type}."
        yield CellRule(one.name, "beyond", bits, too_large, _wider(kind, one), data.BEYOND)
    elif one.type in {"float", "double"}:
        remedy = "Write it with a point and without a separator or a unit."
        yield CellRule(one.name, "unlike", FLOAT, "is not a number.", remedy, data.NUMBER)
    elif one.type == "boolean":
        remedy = "Write booleans in lower case."
        told = "is not true or false."
        yield CellRule(one.name, "unlike", "true|false", told, remedy, data.BOOLEAN)


def _texts(kind: str, one: Field) -> Iterator[CellRule]:
    rules, most = RULES[kind], TEXT_LIMIT
    if one.name in rules.required and one.name.endswith("_ID"):
        most = ID_LIMIT
    elif one.textual:
        most = TEXTUAL_LIMIT
    too_long = f"has more than {most:,} characters."
    if one.textual:
        # cut, not refused: https://docs.aws.amazon.com/personalize/latest/dg/items-datasets.html
        cut = "Amazon Personalize reads only the first of them."
        yield CellRule(one.name, "longer", most, too_long, cut, data.CUT)
    else:
        yield CellRule(one.name, "longer", most, too_long, "Shorten it.", data.LONG)
    if one.name in rules.required and one.name.endswith("_ID"):
        yield from _odd_ids(one.name)
    reserved = (*rules.required, *rules.optional)
    yield CellRule(
        one.name,
        "among",
        reserved,
        "is a reserved word, the name of a column.",
        "Look for a second header among the rows, or change the value.",
        data.RESERVED,
    )
    yield CellRule(
        one.name,
        "broken",
        "",
        "goes over several lines.",
        "The guide asks for each record on one line: put spaces for the line breaks.",
        data.LINES,
    )


def _odd_ids(name: str) -> Iterator[CellRule]:
    hidden = "has characters that cannot be seen, or spaces around it."
    remedy = "It matches no id without them: trim it wherever it is written."
    yield CellRule(name, "like", INVISIBLE, hidden, remedy, data.HIDDEN)
    told = "looks like a long number that a spreadsheet has shortened."
    remedy = "Different ids may have become one: export them as text."
    yield CellRule(name, "like", SHORTENED, told, remedy, data.SHORTENED)


def _times(name: str) -> Iterator[CellRule]:
    yield CellRule(
        name,
        "like",
        "-?[0-9]{11,}",
        "is not in seconds: so many digits are a time after 2286, or milliseconds or less.",
        "Write it as seconds since 1970, of ten digits; mpe init divides milliseconds.",
        data.SECONDS,
    )
    yield CellRule(
        name,
        "like",
        "-?[0-9]{1,8}",
        "is a time before 1974.",
        "Is it seconds since 1970?",
        data.OLD,
    )


# The header


def header_findings(
    header: Sequence[str], fields: Sequence[Field], file: str, *, quoted: bool = False
) -> list[Finding]:
    """Compare the header of a CSV with the columns of its schema."""
    names = [one.name for one in fields]
    return [
        *_missing(header, names, file),
        *_twice(header, file),
        *_order(header, names, file),
        *_extra(header, names, file),
        *_quotes(quoted, file),
    ]


def _missing(header: Sequence[str], names: Sequence[str], file: str) -> Iterator[Finding]:
    there = set(header)
    missing = [name for name in names if name not in there]
    if missing:
        yield data.MISSING.finding(
            file,
            f"Input CSV is missing the following columns:[{_listed(missing)}].",
            _meant(header, missing),
            column=_listed(missing),
            lines=(1,),
        )


def _meant(header: Sequence[str], missing: Sequence[str]) -> str:
    """Say what the header has in the place of what is missing."""
    if not header:
        return "The file is empty."
    for separator, spoken in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and separator in header[0]:
            return f"Its columns are separated by {spoken}: use commas; mpe init converts it."
    short = [one for one in header[:MOST_NAMES] if len(one) <= ID_LIMIT]
    bare = {re.sub(r"[^a-z0-9]", "", one.lower()): one for one in short}
    for name in missing[:MOST_NAMES]:
        near = difflib.get_close_matches(name.lower().replace("_", ""), bare, n=1)
        if near:
            meant = plain(repr(bare[near[0]]), LONGEST_NAME)
            return f"Is {meant} meant for {name}? Names must be the schema's exactly."
    return f"The header has {_listed(header)}."


def _twice(header: Sequence[str], file: str) -> Iterator[Finding]:
    twice = sorted((name, count) for name, count in Counter(header).items() if count > 1)
    for name, count in twice[:MOST_NAMES]:
        told = f"The header has the column {count:,} times."
        column = plain(name, LONGEST_NAME)
        yield data.COLUMN_TWICE.finding(
            file, told, "Rename or remove one.", column=column, lines=(1,)
        )


def _order(header: Sequence[str], names: Sequence[str], file: str) -> Iterator[Finding]:
    wanted_set, there = set(names), set(header)
    known = [one for one in header if one in wanted_set]
    wanted = [one for one in names if one in there]
    if known != wanted and sorted(known) == sorted(wanted):
        yield data.COLUMN_ORDER.finding(
            file,
            "The columns are in another order than in the schema.",
            f"The guide asks for the schema's: {_listed(names)}.",
            lines=(1,),
        )


def _extra(header: Sequence[str], names: Sequence[str], file: str) -> Iterator[Finding]:
    known = set(names)
    extra = list(dict.fromkeys(one for one in header if one not in known))
    if extra:
        named = all(FIELD_NAME.match(one) and len(one) <= FIELD_NAME_LIMIT for one in extra)
        yield data.EXTRA.finding(
            file,
            f"The schema has no such column: {_listed(extra)}.",
            "Add it to the schema, or remove it from the file."
            if named
            else "Remove it from the file, or add it to the schema under a name of letters, digits "
            "and _, and rename it here.",
            column=_listed(extra),
            lines=(1,),
        )


def _listed(names: Sequence[str]) -> str:
    """List names of columns that anybody may have written: a few, short and on one line."""
    shown = ", ".join(plain(name, LONGEST_NAME) for name in names[:MOST_SHOWN])
    more = len(names) - MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _quotes(quoted: bool, file: str) -> Iterator[Finding]:
    if quoted:
        told = "The header's names are in quotation marks."
        yield data.QUOTES.finding(file, told, "Remove them.", lines=(1,))


# The first rows


@dataclass
class Found:
    """How many rows there are of some sort, the lines of the first, and its value."""

    lines: list[int] = field(default_factory=list)
    count: int = 0
    value: str = ""

    def add(self, line: int, value: str = "") -> None:
        if not self.count:
            self.value = value
        self.count += 1
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)


@dataclass(frozen=True)
class Head:
    """The first bytes of a file, and whether these are all."""

    file: str
    content: bytes
    whole: bool = True


def check_head(head: Head, kind: str, fields: Sequence[Field]) -> list[Finding]:
    """Check the header and the first rows of a CSV."""
    text, wrong = decoded(head)
    if wrong:
        return [wrong]
    rows: list[Record] = []
    found: list[Finding] = []
    try:
        rows.extend(text_records(text, whole=head.whole))
    except Unended as error:
        found.append(unended(head.file, error.line))
    if not rows and not head.whole:
        return found  # a first line without an end in sight
    header = rows[0].cells if rows else []
    found += header_findings(header, fields, head.file, quoted=text.startswith('"'))
    if any(one.severity == "error" for one in found):
        return found
    rules = cell_rules(kind, fields)
    return [*found, *_rows(rows[1:], header, rules, head.file), *_escapes(rows, head.file)]


def decoded(head: Head) -> tuple[str, Finding | None]:
    """Return the text of a file's first bytes, or what keeps them from being one."""
    for magic, form in PACKED.items():
        if head.content.startswith(magic):
            told = f"It is a {form} file, not a CSV."
            return "", data.PACKED.finding(head.file, told, "Unpack or export it as a CSV.")
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        return decoder.decode(head.content, final=head.whole), None
    except UnicodeDecodeError as error:
        return "", not_utf8(head.file, head.content.count(b"\n", 0, error.start) + 1)


def not_utf8(file: str, line: int) -> Finding:
    told = "Input CSV is not encoded in UTF-8."
    remedy = "Save it as UTF-8; mpe init --encoding latin-1 converts it."
    return data.ENCODING.finding(file, told, remedy, lines=(line,))


def _rows(
    rows: Sequence[Record],
    header: Sequence[str],
    rules: Sequence[CellRule],
    file: str,
) -> Iterator[Finding]:
    ragged, even = Found(), list[Record]()
    for one in rows:
        if len(one.cells) == len(header):
            even.append(one)
        else:
            ragged.add(one.line)
    if ragged.count:
        yield ragged_rows(file, len(header), ragged.count, ragged.lines)
    at = {name: place for place, name in enumerate(header)}
    columns = {name: {one.cells[at[name]] for one in even} for name in {r.column for r in rules}}
    for rule in rules:
        wrong = set(filter(rule.broken_by, columns[rule.column]))
        if wrong:
            found = _with(wrong, even, at[rule.column])
            yield of_rule(rule, file, found.count, found.lines, found.value)


def _with(cells: Set[str], rows: Iterable[Record], place: int) -> Found:
    """Find the rows that have one of these cells at a place."""
    found = Found()
    for one in rows:
        if one.cells[place] in cells:
            found.add(one.line, one.cells[place])
    return found


def ragged_rows(file: str, columns: int, count: int, lines: Sequence[int]) -> Finding:
    told = f"The row has not the {columns} cells that the header has."
    remedy = (
        "Put values with commas in quotation marks, and in such values "
        '\\ before each " and each \\.'
    )
    return data.RAGGED.finding(file, told, remedy, count=count, lines=tuple(lines))


def unended(file: str, line: int) -> Finding:
    told = "A quotation mark is not closed: what follows would be read as one value."
    remedy = (
        'Close it; inside quotation marks put \\ before each " and each \\, and after none else.'
    )
    return data.UNENDED.finding(file, told, remedy, lines=(line,))


def _escapes(rows: Sequence[Record], file: str) -> Iterator[Finding]:
    doubled, bare = Found(), Found()
    for one in rows:
        if one.doubled:
            doubled.add(one.line)
        if one.bare:
            bare.add(one.line)
    yield from escape_findings(file, doubled, bare)


def escape_findings(file: str, doubled: Found, bare: Found) -> Iterator[Finding]:
    """Tell text that is not escaped as the guide asks: what the service reads is not documented.

    The page of error messages names it as a cause of "Length cannot be more than ...":
    https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html
    """
    if doubled.count:
        told = 'Quotation marks in text are doubled; the guide asks for \\" instead.'
        remedy = "mpe init writes them so."
        yield data.DOUBLED.finding(
            file, told, remedy, count=doubled.count, lines=tuple(doubled.lines)
        )
    if bare.count:
        told = "A backslash in text stands alone; the guide asks for two: \\\\."
        remedy = "mpe init writes them so."
        yield data.BARE.finding(file, told, remedy, count=bare.count, lines=tuple(bare.lines))


def of_rule(
    rule: CellRule, file: str, count: int, lines: Sequence[int], value: str = ""
) -> Finding:
    """Say that cells break a rule; ``value`` is the first of them."""
    shown = f" The first is {plain(repr(value), LONGEST_VALUE)}." if value else ""
    return rule.rule.finding(
        file,
        f"{rule.column} {rule.message}{shown}",
        rule.remedy,
        column=rule.column,
        count=count,
        lines=tuple(lines),
    )
