"""What each column becomes: its name, its type in the schema, and the SQL that makes it so.

The rules of the schemas stand in :mod:`mpe.model.service.avro`; what comes out here obeys them.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mpe.data.columns import Asker, Unsure, own_name, reserved
from mpe.data.columns import plain as bare
from mpe.data.engine import Engine, name, text
from mpe.data.lists import parsed
from mpe.data.times import DATED, TimeForm, Where, has_format, time_form
from mpe.data.values import Values, find_values
from mpe.model.service.avro import (
    DOMAIN_CATEGORICAL,
    DOMAIN_REQUIRED,
    DOMAIN_RESERVED,
    NUMBERS,
    RULES,
    Field,
    keyword_problems,
)
from mpe.model.service.csvs import FLOAT, INTEGER, INVISIBLE, SHORTENED, TEXT_LIMIT

MISSING = ("", "NULL", "null", "\\N", "NaN", "nan", "N/A", "n/a", "#N/A", "<NA>", "NaT", "(null)")
"""What is written where there is no value, and means nothing else."""
_SPELT = (
    "na", "none", "nil", "null", "nan", "missing", "undefined", "n.a.", "n.v.", "k.a.",
    "n/a", "not available", "not applicable", "no data", "inf", "-inf", "infinity",
)  # fmt: skip
PERHAPS_MISSING = tuple(
    dict.fromkeys(
        [
            *(
                "-",
                "--",
                "?",
                ".",
                "*",
                "#VALUE!",
                "#REF!",
                "#DIV/0!",
                "#NUM!",
                "#NAME?",
                "#NULL!",
                "k.A.",
            ),
            *(
                how
                for one in _SPELT
                for how in (one, one.upper(), one.capitalize(), one.title())
                if how not in MISSING
            ),
        ]
    )
)
"""What means nothing where the rest of a column, or of the same file's, are numbers or dates."""
SPACES = " \t\r\n"
MOST_CATEGORIES = 10_000
FEW = 20
"""So few different values are categories, however few rows there are."""
MOST_EVENTS_AND_COLUMNS = 10
"""Event types and columns of metadata that interactions may have together."""
SEPARATORS = (";", ",", "/", "|")
DECIMAL_COMMA = "-?[0-9]+,[0-9]+"
THOUSANDS = "-?[0-9]{1,3}(,[0-9]{3})+"
EUROPEAN = r"-?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?"
AMERICAN = r"-?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?"
"""Numbers with thousands: which they are is sure where one value has both signs."""
AMOUNT = (
    r"[+-]?(\p{Sc}|[A-Z]{3})\s?-?[0-9][0-9.,' ]*|[+-]?[0-9][0-9.,' ]*\s?(\p{Sc}|%|[A-Z]{3}|[A-Za-z]"
    r"{1,2}|min|sec|hrs?|lbs?|kWh|mAh|[GMk]Hz)|[+-]?[0-9][0-9.,]*\s[A-Za-z]{1,5}"
    r"|-?[0-9]{1,3}(:[0-5][0-9]){1,2}|\([0-9][0-9.,]*\)|[0-9][0-9.,]*-?|-?[0-9.,]+"
    r"|-?[0-9]{1,3}( [0-9]{3})+|-?[\p{Nd}.,]+"
)
"""A number with the sign of a currency or a percentage, with a unit, in brackets where it is below
zero, with groups that are not sure, in digits of another script; or a length of time."""
_ODD_SPACES = r"'\x{2019}\x{00a0}\x{2009}\x{202f}"
SPACED = f"[ {_ODD_SPACES}]"
GROUPED = rf"-?[0-9]{{1,3}}({SPACED}[0-9]{{3}})+([.,][0-9]+)?|-?[0-9]+([.,][0-9]+)?"
"""A number with spaces or apostrophes for thousands, or none."""
SURELY_GROUPED = rf".*[0-9]{SPACED}[0-9]{{3}}[.,][0-9]+|.*[{_ODD_SPACES}].*"
"""One that a code would not be written as: with decimals, or not with a plain space."""
EXACTLY = 100_000
"""Rows up to which different values are counted exactly."""
CODES = (
    "id", "code", "zip", "zipcode", "plz", "postal", "postcode", "phone", "telephone", "sku", "ean",
    "ean13", "gtin", "upc", "isbn", "isbn10", "isbn13", "issn", "barcode", "asin", "mpn", "vin",
)  # fmt: skip
LONG_CODE = 12
"""Whole numbers that all have so many digits, or more, name something: an EAN has 13."""
NOT_PROSE = (
    r"[A-Za-z][A-Za-z0-9+.-]*://.+|www\.\S+|//\S+"  # URLs, also with spaces
    r"|[^@\s]+@[^@\s]+\.[^@\s]+"  # e-mail
    r"|\S*[0-9]\S*|\S{25,}|[0-9a-fA-F]{16,}"  # codes, UUIDs, hashes
    r"|[~.]{0,2}[/\\]\S+|[\w.-]+([/\\][\w.%-]+)+"  # paths
    r"|\W*[0-9][0-9., ]*\W*[A-Za-z%]{0,4}\W*|[+()0-9 ./-]{6,}"  # amounts, phone numbers
    r"|[{\[].*"
)
"""What is no language, however long it is."""
MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
PERSONAL = frozenset(
    {"email", "mail", "emailaddress", "name", "fullname", "firstname", "lastname", "surname"}
    | {"givenname", "username", "phone", "phonenumber", "mobile", "telephone", "address", "street"}
    | {"birthday", "birthdate", "dateofbirth", "dob", "ssn", "iban", "ip", "ipaddress", "vorname"}
    | {"nachname"}
)
"""Names of columns of users, without signs, that tell who somebody is."""
COUNTED_TOO = ("EVENT_TYPE", "EVENT_VALUE")
"""See :data:`mpe.data.check.COUNTED_TOO`."""
CLOCKS = frozenset(
    {"time", "hour", "hours", "hr", "clock", "timeofday", "minute", "min", "uhrzeit"}
)
"""Names of columns, without signs, that have the time of a day."""
TIMES = frozenset(
    {"time", "date", "at", "on", "ts", "timestamp", "datetime", "created", "updated", "modified"}
    | {"epoch", "millis", "ms", "seen", "login", "published", "released", "added", "start", "end"}
)
"""Words in names of columns that have times."""
FINE_EPOCHS = (13, 16, 19)
"""Digits of milliseconds, microseconds and nanoseconds since 1970, from 2001 to 2286."""
MADE_UP = 1_700_000_000
"""The first second of an order that is made up."""
FROM_ROWS = "(the order of the rows)"
STAND_INS = frozenset({-1.0, -9.0, -99.0, -999.0, -9_999.0, -99_999.0, -32_768.0})
"""Numbers that statistics programs write where there is none."""
BRACKETS = "Brackets that are no lists of texts, left as they are."
UNNAMED = "Unnamed: [0-9]+"
"""What pandas calls a column without a name
(https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html)."""
SAMPLE = 5_000
LISTED = r"\[.*\]|\{.*\}|\(.*\)"
QUOTED = r"(?s)[\[{(]\s*[\[(]?\s*['\"].*['\"]\s*[\])]?\s*[\]})]"
"""A list of texts in quotation marks: a text in brackets may be a title."""
TESTS = {
    "whole": f"regexp_full_match(v, {text(INTEGER)})",
    "numbers": f"regexp_full_match(v, {text(FLOAT)})",
    "commas": f"regexp_full_match(v, {text(f'{DECIMAL_COMMA}|{INTEGER}')})",
    "thousands": f"regexp_full_match(v, {text(f'{THOUSANDS}|{INTEGER}')})",
    "european": f"regexp_full_match(v, {text(EUROPEAN)})",
    "american": f"regexp_full_match(v, {text(AMERICAN)})",
    "both": "contains(v, ',') AND contains(v, '.')",
    "grouped": f"regexp_full_match(v, {text(GROUPED)})",
    "surely": f"regexp_full_match(v, {text(SURELY_GROUPED)})",
    "padded": "regexp_full_match(v, '-?0[0-9]+')",
    "truths": "lower(v) IN ('true', 'false', 'yes', 'no')",
    "dates": f"regexp_full_match(v, {text(DATED)})",
    "lists": f"regexp_full_match(v, {text(f'(?s){LISTED}')})",
    "quoted": f"regexp_full_match(v, {text(QUOTED)})",
    "wholes": "regexp_full_match(v, '[0-9]+(\\.0+)?')",
    "amounts": f"regexp_full_match(v, {text(AMOUNT)})",
    "mails": f"regexp_full_match(v, {text(MAIL)})",
    "prose": f"NOT regexp_full_match(v, {text(NOT_PROSE)})",
}
"""In SQL, what may be so of a value ``v``."""
DOMAIN_EVENTS = {"ECOMMERCE": ("View", "Purchase"), "VIDEO_ON_DEMAND": ("Watch", "Click")}


@dataclass(frozen=True)
class Column:
    """One column of a converted CSV."""

    source: str
    """The user's name of it."""
    field: Field
    sql: str
    """What makes its value; NULL where there is none."""
    why: str
    reject: str | None = None
    """The SQL of what makes a row useless, and why."""
    reason: str = ""
    gaps: bool = True
    """It may have no value in some row."""


@dataclass(frozen=True)
class Saying:
    """What the user says of columns, beyond what they are."""

    lists: Mapping[str, str | None] = field(default_factory=dict)
    """Columns of lists, and what separates their parts, if anything certain does."""
    texts: frozenset[str] = frozenset()
    """Columns of text, which are neither numbers, dates nor lists."""
    nulls: tuple[str, ...] = ()
    skip: bool = False
    """Rows that are of no use may be left out."""


@dataclass(frozen=True)
class Shape:
    """What is so of the cells of a column as they are written: most need no work."""

    padded: bool
    """Some begin or end with a space."""
    broken: bool
    """Some go over lines."""
    words: frozenset[str]
    """The words for nothing that are there."""

    def trimmed(self, column: str) -> str:
        """Return the SQL of a cell without spaces around it."""
        return f"trim({name(column)}, {text(SPACES)})" if self.padded else name(column)


@dataclass(frozen=True)
class Facts:
    """What is so of all values of a column."""

    value: str
    """The SQL of a value; NULL where there is none."""
    broken: bool
    """Some values go over lines."""
    count: int
    missing: int
    distinct: int
    whole: int
    numbers: int
    european: int
    american: int
    both: int
    """Values with a point and a comma."""
    grouped: int
    """Numbers with spaces or apostrophes for thousands, or none."""
    surely: int
    """Values that have these as no code would."""
    commas: int
    thousands: int
    padded: int
    """Whole numbers that begin with a zero: codes."""
    truths: int
    dates: int
    lists: int
    quoted: int
    """Lists whose texts are in quotation marks."""
    longest: int
    average: float
    wholes: int
    """Whole numbers with a point and zeros, as ``1.0``, or without."""
    amounts: int
    """Values that measure something, with a unit."""
    prose: int
    """Values that may be language."""
    mails: int
    narrow: int
    """The least length of a value."""
    least: float | None
    most: float | None
    separated: Mapping[str, int] = field(default_factory=dict)
    """How many values have each separator in them."""

    def all(self, count: int) -> bool:
        return bool(self.count) and count == self.count

    @property
    def mostly_numbers(self) -> bool:
        """Whether nine values in ten are numbers, but not all."""
        return self.count * 0.9 <= self.numbers < self.count

    @property
    def half_numbers(self) -> bool:
        """Whether most values are numbers, but not all."""
        return self.count < self.numbers * 2 and self.numbers < self.count

    @property
    def categories(self) -> bool:
        """Whether values come again so often that they are categories."""
        return self.distinct <= MOST_CATEGORIES and (
            self.distinct <= self.count * 0.5
            or (self.distinct <= FEW and self.distinct < self.count)
        )


@dataclass
class Inferred:
    """A dataset's columns, in the order of its schema, and what was left out."""

    kind: str
    columns: list[Column] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Columns that are not taken, and why."""
    notes: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[Field]:
        return [one.field for one in self.columns]

    @property
    def own(self) -> list[Column]:
        """The columns of metadata."""
        known = {**RULES[self.kind].required, **RULES[self.kind].optional}
        return [one for one in self.columns if one.field.name not in known]

    @property
    def useful(self) -> bool:
        """Whether training has something to learn from its metadata."""
        return any(
            one.field.type in NUMBERS or one.field.categorical or one.field.textual
            for one in self.own
        )


@dataclass(frozen=True)
class Inference:
    """Infers the columns of one table."""

    engine: Engine
    kind: str
    domain: str | None
    zone: str
    asker: Asker
    called: Mapping[str, str]
    """The table's name for each of the user's columns."""
    where: Where
    time_format: str | None = None
    notes: list[str] = field(default_factory=list)
    saying: Saying = field(default_factory=Saying)
    shapes: dict[str, Shape] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    """Where the values of each of the user's columns stand."""
    nulls: set[str] = field(default_factory=set)
    """Words for nothing in this file, besides those that always are."""

    def __call__(
        self, header: Sequence[str], targets: Mapping[str, str], left_out: set[str]
    ) -> Inferred:
        """Return what becomes of each column; ``targets`` says which is the service's which."""
        gone = dict.fromkeys(sorted(left_out), "you said so")
        found = Inferred(self.kind, left_out=gone, notes=self.notes)
        required = reserved(self.kind, self.domain)
        self._find_shapes([one for one in header if one not in left_out])
        self._find_nulls([one for one in header if one not in left_out])
        facts = {one: self._facts(one) for one in header if one not in left_out}
        known = [one for one in required if one in targets]
        for target in known:
            column = self._known(target, targets[target], facts[targets[target]], required[target])
            if column:
                gaps = facts[targets[target]].missing > 0
                found.columns.append(replace(column, gaps=gaps))
        if FROM_ROWS in self.called:
            found.columns.insert(2, self._made_up())
        taken = {one.source for one in found.columns}
        mapped = {column: target for target, column in targets.items() if column not in taken}
        for source in header:
            if source in facts and source not in taken:
                self._own(found, source, mapped.get(source), facts[source])
        self._fit(found, facts)
        self._tell_persons(found, facts)
        self._tell_clock(header, targets, facts)
        return found

    def _made_up(self) -> Column:
        self.notes.append(
            "The interactions have no times: their order is taken for them, a second a row. "
            "Recency and schedules of imports mean nothing then."
        )
        why = "Made up: the order of the rows, since there are no times."
        return Column(
            FROM_ROWS, _field("TIMESTAMP", "long", False), f"{MADE_UP} + rowid", why, gaps=False
        )

    def _tell_clock(
        self, header: Sequence[str], targets: Mapping[str, str], facts: Mapping[str, Facts]
    ) -> None:
        """Note days without a time beside a column that has the time of the day."""
        source = targets.get("TIMESTAMP", "")
        free = [one for one in header if one in facts and one not in targets.values()]
        clocks = [one for one in free if bare(one) in CLOCKS]
        if source not in facts or not clocks or not facts[source].all(facts[source].dates):
            return
        value = facts[source].value
        if any(self.engine.row(f"SELECT count(*) FILTER (contains({value}, ':')) "
                               f"FROM {name(self.kind)}")):  # fmt: skip
            return
        joined = "+".join((source, *clocks))
        self.notes.append(
            f"{source} of the {self.kind} has days alone, and {clocks[0]} looks like the time of "
            f"the day: all interactions of a day have one time now. Join them with --map "
            f"{joined}=TIMESTAMP."
        )

    def _tell_persons(self, found: Inferred, facts: Mapping[str, Facts]) -> None:
        """Tell columns that say who somebody is: the service needs none of them."""
        users = self.kind == "users"
        for one in found.columns:
            if one.source not in facts:
                continue
            mails = facts[one.source].mails * 2 >= facts[one.source].count > 0
            bare = own_name(one.source, ()).replace("_", "").lower()
            if mails or (users and bare in PERSONAL):
                remedy = f"--map {one.source}=- leaves it out."
                if one.field.name.endswith("_ID"):
                    remedy = "Put an id of your own in its place, such as a hash."
                self.notes.append(
                    f"{one.source} of the {self.kind} looks like personal data. {remedy}"
                )

    def _find_shapes(self, columns: Sequence[str]) -> None:
        """Look at how the cells of all columns are written, in one pass."""
        known = {*MISSING, *PERHAPS_MISSING, *self.saying.nulls}
        listed = ", ".join(text(one) for one in sorted(known))
        self.engine.watcher.begin(f"Looking at the {self.kind}")
        tables = find_values(self.engine, self.kind, [self.called[one] for one in columns])
        self.values.update({one: tables[self.called[one]] for one in columns})
        apart = [one for one in columns if not self.values[one].once]
        told = self._shapes_in(name(self.kind), apart)
        for one in (one for one in columns if self.values[one].once):
            told |= self._shapes_in(self.values[one].table, [one])
        for column, (padded, broken, digits) in told.items():
            words: frozenset[str] = frozenset()
            if not digits or any(one[:1].isdigit() for one in known):
                words = self._words(column, listed, padded=padded)
            self.shapes[column] = Shape(padded, broken, words)

    def _shapes_in(self, table: str, columns: Sequence[str]) -> dict[str, tuple[bool, ...]]:
        """Tell of each column whether cells have spaces around them or lines in them, and whether
        all begin with a digit."""
        if not columns:
            return {}
        tests = []
        for column in columns:
            one = name(self.called[column])
            tests += [
                # All signs before "!" are spaces or control characters.
                f"bool_or({one} <> '' AND ({one} < '!' OR {one}[-1] < '!'))",
                f"bool_or(contains({one}, chr(10)) OR contains({one}, chr(13)))",
                f"min({one}) >= '0' AND max({one}) < ':'",
            ]
        row = self.engine.row(f"SELECT {', '.join(tests)} FROM {table}")
        found = zip(row[::3], row[1::3], row[2::3], strict=True)
        return dict(zip(columns, found, strict=True))

    def _words(self, column: str, listed: str, *, padded: bool) -> frozenset[str]:
        """Return the words for nothing that a column has, also those with spaces around them."""
        value = Shape(padded, False, frozenset()).trimmed(self.called[column])
        rows = self.engine.rows(
            f"SELECT DISTINCT {value} FROM {self.values[column].table} "
            f"WHERE {value} IN (SELECT unnest([{listed}]))"
        )
        return frozenset(one for (one,) in rows)

    def _cell(self, column: str) -> str:
        return cell(self.called[column], self.shapes[column], self.nulls)

    def _find_nulls(self, columns: Sequence[str]) -> None:
        """Find words for nothing: in a column whose other values are numbers or dates they are."""
        self.nulls.update(self.saying.nulls)
        open_: dict[str, list[str]] = {}
        listed = ", ".join(text(one) for one in PERHAPS_MISSING)
        for column in columns:
            if not self.shapes[column].words & set(PERHAPS_MISSING):
                continue
            value = self._cell(column)
            words = self.engine.row(
                f"SELECT list(DISTINCT v) FILTER (v IN ({listed})), "
                f"count(*) FILTER (v NOT IN ({listed})), count(*) FILTER (v NOT IN ({listed}) AND "
                f"regexp_full_match(v, {text(f'{FLOAT}|{DECIMAL_COMMA}|{THOUSANDS}|{DATED}')})) "
                f"FROM (SELECT {value} AS v FROM {name(self.kind)} "
                f"WHERE {value} IN ({listed}) OR rowid < {SAMPLE})"
            )
            if words[0] and words[1] == words[2] > 0:
                self.nulls.update(words[0])
            elif words[0]:
                open_[column] = words[0]
        for column, some in open_.items():
            unsure = sorted(set(some) - self.nulls)
            if unsure:
                self.notes.append(
                    f"{', '.join(unsure)} in {column} of the {self.kind} is kept as a value of its "
                    f"own. If it means that there is none, say --null {unsure[0]}."
                )

    # Facts

    def _facts(self, column: str) -> Facts:
        """Find what is so of all values: what is not so of the first is not looked for in all."""
        value, values = self._cell(column), self.values[column]
        rows = f"(SELECT {value} AS v FROM {name(self.kind)} LIMIT {SAMPLE})"
        first = self._counted(rows, TESTS)
        source = f"(SELECT {value} AS v, {values.weight} AS n FROM {values.table})"
        numeric = "TRY_CAST(v AS DOUBLE)" if first["numbers"] else "NULL"
        early = [one for one in ("whole", "numbers") if first[one]]
        told = "".join(f", {values.counted(TESTS[one])}" for one in early)
        count, missing, distinct, longest, narrow, average, least, most, *rest = (
            self.engine.watched(
                f"SELECT {values.counted('v IS NOT NULL')}, {values.counted('v IS NULL')}, "
                f"{self._distinct('v')}, coalesce(max(length(v)), 0), coalesce(min(length(v)), 0), "
                f"coalesce({values.average('length(v)')}, 0), min({numeric}), max({numeric}){told} "
                f"FROM {source}",
                f"Looking at {column}",
            )[0]
        )
        found = dict.fromkeys(TESTS, 0) | dict(zip(early, rest, strict=True))
        if count and found["whole"] == count:
            found |= dict.fromkeys(("commas", "thousands"), count)
            likely = ["padded", *(["wholes"] if least < 0 else [])]  # a zero may come late
            found["wholes"] = count
        elif count and found["numbers"] == count:
            likely = [one for one in ("padded", "wholes") if first[one]]
        else:
            likely = [one for one in TESTS if first[one] and one not in early]
        plain_ = bool(first["whole"]) and first["whole"] == first["numbers"] and not first["prose"]
        signs = {one: f"contains(v, {text(one)})" for one in (() if plain_ else SEPARATORS)}
        found |= self._counted(source, {one: TESTS[one] for one in likely} | signs, values)
        by_sign = {one: found.pop(one, 0) for one in SEPARATORS}
        shape = {"longest": longest, "average": average, "least": least, "most": most}
        broken = self.shapes[column].broken
        return Facts(value, broken, count, missing, distinct, **found, **shape, narrow=narrow,
                     separated=by_sign)  # fmt: skip

    def _distinct(self, value: str) -> str:
        """Return the SQL of how many different values there are; about so many in a long table."""
        (rows,) = self.engine.row(f"SELECT count(*) FROM {name(self.kind)}")
        exact = rows <= EXACTLY
        return f"count(DISTINCT {value})" if exact else f"approx_count_distinct({value})"

    def _counted(
        self, source: str, tests: Mapping[str, str], values: Values | None = None
    ) -> dict[str, int]:
        """Count the rows of a source of whose value ``v`` each test is true."""
        if not tests:
            return {}
        values = values or Values(source)
        counts = ", ".join(values.counted(one) for one in tests.values())
        return dict(zip(tests, self.engine.row(f"SELECT {counts} FROM {source}"), strict=True))

    # The service's columns

    def _known(self, target: str, source: str, facts: Facts, required: bool) -> Column | None:
        """Return the column of a reserved name, or None where it does not fit that name."""
        rules = RULES[self.kind]
        domain = DOMAIN_REQUIRED.get((self.domain or "", self.kind), {})
        types = {**rules.required, **rules.optional, **domain}.get(target)
        if types is None:
            return None  # an optional one of the domain: named so, typed as any other
        if "long" in types and target in {"TIMESTAMP", "CREATION_TIMESTAMP"}:
            return self._time(target, source, facts, required)
        if "float" in types:
            return self._number(target, source, facts, required)
        if not required and facts.longest > TEXT_LIMIT:
            return None
        return self._text(target, source, facts, required=required and "null" not in types)

    def _time(self, target: str, source: str, facts: Facts, required: bool) -> Column | None:
        try:
            found = self._time_form(source, facts)
        except Unsure as error:
            if required:
                raise
            self._no_time(source, error)
            return None
        if self.time_format and required and found.form != self.time_format:
            self.notes.append(
                f"--time-format {self.time_format} fits no time in {source}, which has "
                f"{found.told}."
            )
        nullable = (facts.missing > 0 or found.bad > 0) and not required
        made = Column(source, _field(target, "long", nullable), found.sql, f"Was {found.told}.")
        if required and found.bad:
            bad = f"{facts.value} IS NOT NULL AND {found.sql} IS NULL"
            made = replace(made, reject=bad, reason=f"{source} is no time")
        elif found.bad:
            self.notes.append(
                f"{found.bad:,} values of {source} of the {self.kind} are no times as "
                f"{found.told}: these cells are empty now."
            )
        return made

    def _time_form(self, source: str, facts: Facts) -> TimeForm:
        return time_form(
            self.engine,
            self.kind,
            source,
            facts.value,
            zone=self.zone,
            form=self.time_format,
            asker=self.asker,
            where=self.where,
            skip=self.saying.skip,
        )

    def _no_time(self, source: str, error: Unsure) -> None:
        self.notes.append(f"{error} Until then {source} of the {self.kind} is not read as a time.")

    def _number(self, target: str, source: str, facts: Facts, required: bool) -> Column | None:
        sql, why = _number_sql(facts)
        if sql is None and self.saying.skip and facts.mostly_numbers:
            return self._some_numbers(target, source, facts, required)
        if sql is None:
            if required:
                raise Unsure(
                    f"{source} is to be {target}, a number, but its values are not"
                    f"{self._no_numbers(facts)}. Mend what is no number, leave such rows out with "
                    f"--skip-bad-rows, or say --map COLUMN={target} for another column."
                )
            return None
        self._tell_stand_in(source, facts)
        nullable = facts.missing > 0 and not required
        return Column(source, _field(target, "float", nullable), sql, why)

    def _some_numbers(self, target: str, source: str, facts: Facts, required: bool) -> Column:
        """Take the numbers of a column; rows with what is none are of no use."""
        number = f"regexp_full_match({facts.value}, {text(FLOAT)})"
        bad = f"{facts.value} IS NOT NULL AND NOT {number}"
        made = _field(target, "float", facts.missing > 0 and not required)
        sql = f"CASE WHEN {number} THEN {facts.value} END"
        why = "Most values are numbers; rows with others are left out, as you said."
        return Column(source, made, sql, why, reject=bad, reason=f"{source} is no number")

    def _no_numbers(self, facts: Facts) -> str:
        """Show the first values that are no numbers where most are."""
        if not facts.half_numbers:
            return ""
        bad = f"{facts.value} IS NOT NULL AND NOT regexp_full_match({facts.value}, {text(FLOAT)})"
        rows = self.engine.rows(
            f"SELECT {facts.value}, min(rowid) FROM {name(self.kind)} WHERE {bad} GROUP BY 1 "
            "ORDER BY 2 LIMIT 3"
        )
        shown = ", ".join(f"{one!r} ({self.where(f't.rowid = {row}')})" for one, row in rows)
        return f": {facts.count - facts.numbers:,} of {facts.count:,} are not: {shown}"

    def _tell_no_numbers(self, source: str, facts: Facts, target: str | None) -> None:
        """Note what keeps a column from being one of numbers."""
        told = self._no_numbers(facts)
        if told:
            (word,) = re.findall(r"are not: '(.*?)' \(", told) or ["WORD"]
            option = f"--null {word!r} if that means that there is no value"
            if target == "EVENT_VALUE" and facts.mostly_numbers:
                option += ", or --skip-bad-rows to leave such rows out"
            self.notes.append(
                f"Most values of {source} of the {self.kind} are numbers, but not all{told}. It is "
                f"taken for text. Say {option}."
            )

    def _tell_amounts(self, source: str, facts: Facts) -> None:
        """Note a column that measures something, and is a text for its unit."""
        if facts.all(facts.amounts):
            self.notes.append(
                f"{source} of the {self.kind} has amounts with a unit or a sign, such as "
                f"{self._first(facts)!r}, and is taken for text: it is not sure which numbers "
                "these are. Take the sign off where they are to be numbers."
            )

    def _tell_stand_in(self, source: str, facts: Facts) -> None:
        """Note a number such as -999 that comes again and again below all the others."""
        if facts.least not in STAND_INS:
            return
        value = f"TRY_CAST({facts.value} AS DOUBLE)"
        times, others = self.engine.row(
            f"SELECT count(*) FILTER ({value} = {facts.least}), min({value}) FILTER ({value} <> "
            f"{facts.least}) FROM {name(self.kind)}"
        )
        if times > 1 and others is not None and others >= 0:
            self.notes.append(
                f"{source} of the {self.kind} is {facts.least:.0f} in {times:,} rows, and else not "
                f"below zero. If that means that there is no value, say --null {facts.least:.0f}."
            )

    def _first(self, facts: Facts) -> str:
        (found,) = self.engine.row(
            f"SELECT arg_min({facts.value}, rowid) FILTER ({facts.value} IS NOT NULL) "
            f"FROM {name(self.kind)}"
        )
        return str(found)

    def _text(self, target: str, source: str, facts: Facts, *, required: bool) -> Column:
        categorical = target in DOMAIN_CATEGORICAL and self.domain is not None
        sql, why = text_sql(facts), "The service's own column."
        if target.endswith("_ID") and facts.all(facts.wholes) and not facts.all(facts.whole):
            sql = f"regexp_replace({sql}, '\\.0+$', '')"
            why = "The ids were written as 1.0, as pandas writes whole numbers with gaps; now 1."
            self.notes.append(f"{source} of the {self.kind} has ids as 1.0; they are now as 1.")
        elif target == "IMPRESSION":
            sql, why = self._impression(facts)
        elif target.endswith("_ID"):
            self._tell_odd_ids(source, facts)
        if target.endswith("_ID") and self.shapes[source].padded:
            self.notes.append(
                f"{source} of the {self.kind} has ids with spaces around them; these are left out."
            )
        if categorical:
            sql, why = self._categories(facts)
        elif target == "EVENT_TYPE" and self.domain:
            sql, why = self._events(sql)
        empty = facts.missing > 0 or (categorical and facts.all(facts.lists))
        nullable = empty and not required
        return Column(source, _field(target, "string", nullable, categorical=categorical), sql, why)

    def _tell_odd_ids(self, source: str, facts: Facts) -> None:
        """Note ids that a program has changed before, or that do not look as they are."""
        values = self.values[source]
        shortened, hidden = (
            values.counted(f"regexp_full_match({facts.value}, {text(one)})")
            for one in (SHORTENED, INVISIBLE)
        )
        shortened, hidden = self.engine.row(f"SELECT {shortened}, {hidden} FROM {values.table}")
        where = f"{source} of the {self.kind}"
        if shortened:
            self.notes.append(
                f"{shortened:,} values of {where} are written as 4.0E+12: a spreadsheet has "
                "shortened long numbers, and different ids may have become one. Export them as "
                "text."
            )
        if hidden:
            self.notes.append(
                f"{hidden:,} values of {where} have characters that cannot be seen, such as a "
                "no-break space; they are kept, and match no id without them."
            )

    def _impression(self, facts: Facts) -> tuple[str, str]:
        """Join the items of an impression by ``|``, whatever separates them."""
        if facts.all(facts.lists):
            listed = self._list(facts)
            if listed:
                return listed, "The items that were shown, now joined by |."
        value = text_sql(facts)
        if facts.separated.get("|"):
            return _split(value, "|"), "The items that were shown, joined by |."
        joined = rf"regexp_replace(trim({value}, ' ,;'), '[\s,;]+', '|', 'g')"
        return joined, "The items that were shown, joined by |."

    def _events(self, sql: str) -> tuple[str, str]:
        """Write the domain's event types as the domain does."""
        known = DOMAIN_EVENTS[self.domain or ""]
        cases = " ".join(f"WHEN {text(one.lower())} THEN {text(one)}" for one in known)
        told = f"{' and '.join(known)} are written as the domain's use cases ask for."
        return f"CASE lower({sql}) {cases} ELSE {sql} END", told

    # The user's own

    def _own(self, found: Inferred, source: str, target: str | None, facts: Facts) -> None:
        if not source.strip():
            found.left_out[source] = "it has no name"
            return
        if not facts.count:
            found.left_out[source] = "it has no values"
            return
        if re.fullmatch(UNNAMED, source) and facts.all(facts.whole) and target is None:
            found.left_out[source] = "it has no name, and numbers the rows"
            return
        taken = [*(one.field.name for one in found.columns), *reserved(self.kind, None)]
        misfit = target in RULES[self.kind].optional  # it is not what that name is for
        called = target if target and not misfit else own_name(source, taken)
        found.columns.append(self._typed(called, source, facts, target))

    def _typed(self, called: str, source: str, facts: Facts, target: str | None) -> Column:
        nullable = facts.missing > 0
        if source in self.saying.texts:
            why = "You said that it is text."
            return Column(source, _field(called, "string", nullable), text_sql(facts), why)
        if source in self.saying.lists:
            return self._string(called, source, facts)
        if facts.all(facts.truths):
            why = "True or false: two categories, which filters can use as well."
            lower = f"lower({text_sql(facts)})"
            return Column(source, _field(called, "string", nullable, categorical=True), lower, why)
        if not self._code(source, facts) and not self._epochs(source, facts):
            sql, why = _number_sql(facts)
            if sql is not None:
                self._tell_stand_in(source, facts)
                return Column(source, _field(called, _number_type(facts), nullable), sql, why)
            self._tell_no_numbers(source, facts, target)
            self._tell_amounts(source, facts)
        if target != "CREATION_TIMESTAMP":  # it is known to be no time
            form = self._dates(source, facts)
            if form:
                told = f"Was {form.told}; now seconds since 1970."
                return Column(source, _field(called, "long", nullable), form.sql, told)
        return self._string(called, source, facts)

    def _dates(self, source: str, facts: Facts) -> TimeForm | None:
        """Find how the dates of a column are written; None where it has none, or not surely."""
        form, zone = self.time_format, self.zone
        if (
            not facts.all(facts.dates)
            and not self._epochs(source, facts)
            and not (form and has_format(self.engine, self.kind, facts.value, form, zone))
        ):
            return None
        try:
            return self._time_form(source, facts)
        except Unsure as error:
            self._no_time(source, error)
            return None

    def _epochs(self, source: str, facts: Facts) -> bool:
        """Tell whether numbers are milliseconds or smaller parts of seconds since 1970."""
        words = set(own_name(source, ()).lower().split("_"))
        return (
            facts.all(facts.whole)
            and bool(words & TIMES)
            and facts.narrow == facts.longest in FINE_EPOCHS
        )

    def _code(self, source: str, facts: Facts) -> bool:
        """Tell whether numbers name something rather than measure it."""
        words = own_name(source, ()).lower().split("_")
        long = facts.narrow >= LONG_CODE and facts.narrow == facts.longest
        named = facts.all(facts.numbers) and any(one in CODES for one in words)
        return facts.padded > 0 or named or (facts.all(facts.whole) and long)

    def _string(self, called: str, source: str, facts: Facts) -> Column:
        sql, why = self._categories(facts, source)
        several = sql != text_sql(facts)
        if several or (facts.categories and facts.longest <= TEXT_LIMIT):
            nullable = facts.missing > 0 or (several and self._has_empty(facts.value, sql))
            return Column(source, _field(called, "string", nullable, categorical=True), sql, why)
        told = "Nearly every row has another text."
        if facts.all(facts.thousands):
            told = "Thousands, or a decimal comma? Left as text, since it is not sure."
        return Column(source, _field(called, "string", facts.missing > 0), sql, told)

    def _categories(self, facts: Facts, source: str = "") -> tuple[str, str]:
        """Return the SQL of categories, several of them joined by ``|``."""
        value = text_sql(facts)
        if facts.lists * 2 >= facts.count > 0 or facts.quoted == facts.lists > 0:
            listed = self._list(facts)
            if listed and facts.lists < facts.count:
                self.notes.append(
                    f"{facts.count - facts.lists:,} of {facts.count:,} values of {source} of the "
                    f"{self.kind} stand in no brackets, where the others are lists: each of these "
                    "is taken for one category."
                )
            if listed:
                return listed, "Lists of categories, now joined by |."
            self.notes.append(
                f"{source} of the {self.kind} has brackets, but not all of its values are lists of "
                "texts: it is left as it is."
            )
            return value, BRACKETS
        said = self.saying.lists.get(source)
        if source in self.saying.lists:
            sign = said or max(SEPARATORS, key=lambda one: facts.separated[one])
            return _split(
                value, sign
            ), f"You said that it is a list; now joined by |, was by {sign}."
        for separator in SEPARATORS:
            if facts.separated[separator] and self._separates(value, separator, facts):
                why = f"Several categories in a cell, separated by {separator!r}, now by |."
                if separator == "|":
                    why = "Several categories in a cell, joined by |."
                return _split(value, separator), why
        self._tell_perhaps_lists(facts, source)
        return value, f"About {facts.distinct:,} different values: categories."

    def _tell_perhaps_lists(self, facts: Facts, source: str) -> None:
        """Note a sign that most values have in them, and of which it is not sure that it separates
        categories."""
        sign = next((one for one in (";", ",") if facts.separated[one] * 2 > facts.count), None)
        if sign and source and facts.categories and facts.count > facts.amounts + facts.dates:
            option = shlex.quote(f"{source}={sign}")
            self.notes.append(
                f"Most values of {source} of the {self.kind} have {sign!r} in them, and each is "
                f"taken for one category. If they are lists, say --list {option}."
            )

    def _has_empty(self, value: str, sql: str) -> bool:
        """Tell whether some list is empty."""
        (count,) = self.engine.row(f"SELECT count({value}) - count({sql}) FROM {name(self.kind)}")
        return bool(count)

    def _list(self, facts: Facts) -> str | None:
        """Parse all lists of a column, and return the SQL that looks them up; None if one is none.

        They are parsed in Python, each different one once, and kept in a table.
        """
        table = f"lists_{self.kind}_{abs(hash(facts.value)) % 10**12}"
        path = self.engine.folder / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            query = f"SELECT DISTINCT {facts.value} FROM {name(self.kind)}"
            for (one,) in self.engine.rows(f"{query} WHERE {facts.value} IS NOT NULL"):
                parts = parsed(one) if re.fullmatch(LISTED, one, re.DOTALL) else [one]
                if parts is None:
                    return None
                out.writerow([one, "|".join(parts)])
        self.engine.rows(
            f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_csv({text(str(path))}, "
            "auto_detect = false, header = false, quote = '\"', escape = '\"', parallel = false, "
            "columns = {'raw': 'VARCHAR', 'joined': 'VARCHAR'})"
        )
        return f"(SELECT nullif(any_value(joined), '') FROM {table} WHERE raw = {facts.value})"

    def _separates(self, value: str, separator: str, facts: Facts) -> bool:
        """Tell whether a sign surely separates categories: short, and recurring."""
        if facts.dates and self._in_dates(value, separator):
            return False
        if facts.prose * 2 < facts.count and separator == "/":
            return False  # URLs and paths
        parts, distinct, longest, spaces = self.engine.row(
            f"SELECT count(*), {self._distinct('part')}, coalesce(max(length(part)), 0), "
            "coalesce(avg(length(part) - length(replace(part, ' ', ''))), 0) "
            f"FROM (SELECT trim(unnest(string_split({value}, {text(separator)}))) AS part "
            f"FROM {name(self.kind)} WHERE {value} IS NOT NULL) WHERE part <> ''"
        )
        recurring = distinct * 2 <= parts and distinct < facts.distinct
        if separator == "|":
            return bool(recurring)
        return bool(recurring and longest <= 60 and spaces <= 3)

    def _in_dates(self, value: str, separator: str) -> bool:
        """Tell whether a sign stands in what looks like a date: its parts are no categories."""
        (count,) = self.engine.row(
            f"SELECT count(*) FROM {name(self.kind)} WHERE contains({value}, {text(separator)}) "
            f"AND regexp_full_match({value}, {text(DATED)})"
        )
        return bool(count)

    # What the service's rules leave

    def _fit(self, found: Inferred, facts: Mapping[str, Facts]) -> None:
        """Leave out what the service has no place for, and choose the one textual column."""
        if self.kind == "items":
            self._one_textual(found, facts)
        if not found.useful:
            self._some_category(found, facts)
        asked = DOMAIN_REQUIRED.get((self.domain or "", self.kind), {})
        spare = [one for one in found.own if one.field.name not in asked]
        for column in spare:
            plain = column.field.type == "string" and not (
                column.field.categorical or column.field.textual
            )
            long = column.source in facts and facts[column.source].longest > TEXT_LIMIT
            too_long = long and not column.field.textual
            if too_long and column.field.type == "string":
                self._leave(found, column, f"it has values of more than {TEXT_LIMIT:,} characters")
            elif plain and self.kind != "items":
                self._leave(found, column, "nearly every row has another text: nothing to learn")
        self._cut(found, [one for one in spare if one in found.columns])
        self._yield_keywords(found)

    def _yield_keywords(self, found: Inferred) -> None:
        """Name a column anew that bears a domain's keyword but is not what the keyword is for."""
        keywords = DOMAIN_RESERVED.get((self.domain or "", self.kind), {})
        for index, column in enumerate(found.columns):
            if any(keyword_problems(column.field, self.kind, self.domain, "")):
                taken = [*(one.field.name for one in found.columns), *keywords]
                own = replace(column.field, name=own_name(column.field.name, taken))
                found.columns[index] = replace(column, field=own)

    def _cut(self, found: Inferred, spare: Sequence[Column]) -> None:
        """Leave out the columns beyond those that the service takes.

        In the interactions these and the event types are counted together:
        https://docs.aws.amazon.com/personalize/latest/dg/limits.html
        """
        most = RULES[self.kind].metadata[1]
        asked = len(found.own) - len(spare)
        events = self._event_types(found)
        counted = [one for one in found.columns if one.field.name in COUNTED_TOO]
        room = MOST_EVENTS_AND_COLUMNS - events
        if events and self.kind == "interactions" and room >= 0:
            room = max(room - len(counted), 0)
        why = f"the service takes {most} columns of metadata here"
        if events and room < most:
            most = max(room, 0)
            why = (
                f"there are {events:,} event types, and the service takes "
                f"{MOST_EVENTS_AND_COLUMNS} of these and columns of metadata together"
            )
            gone = [one.source for one in spare[most:]]
            lost = f" (left out: {', '.join(gone)})" if gone else ""
            refused = " Until then mpe check-data refuses the data." if room < 0 else ""
            if lost or refused:
                self.notes.append(
                    f"In the {self.kind} {why}{lost}. Merge rare event types or leave them out, or "
                    f"say --map COLUMN=- for a column.{refused}"
                )
        for column in spare[max(most - asked, 0) :]:
            self._leave(found, column, why)

    def _event_types(self, found: Inferred) -> int:
        """Count the event types in the rows that are kept: only interactions have any."""
        if self.kind != "interactions":
            return 0
        event = next((one.sql for one in found.columns if one.field.name == "EVENT_TYPE"), None)
        if event is None:
            return 0
        kept = " AND ".join(
            [f"{event} <> ''", *(f"NOT ({one})" for _, one in rejects(found.columns))]
        )
        (count,) = self.engine.row(
            f"SELECT count(DISTINCT {event}) FROM {name(self.kind)} WHERE {kept}"
        )
        return int(count)

    def _leave(self, found: Inferred, column: Column, why: str) -> None:
        found.columns.remove(column)
        found.left_out[column.source] = why

    def _one_textual(self, found: Inferred, facts: Mapping[str, Facts]) -> None:
        texts = [
            one
            for one in found.own
            if one.field.type == "string"
            and not one.field.categorical
            and (
                one.source in self.saying.texts
                or (
                    facts[one.source].average >= 5
                    and facts[one.source].prose * 2 >= facts[one.source].count
                )
            )
        ]
        if texts:
            best = max(
                texts, key=lambda one: (one.source in self.saying.texts, facts[one.source].average)
            )
            why = "The longest free text: training reads it as language."
            marked = replace(best, field=replace(best.field, textual=True), why=why)
            found.columns[found.columns.index(best)] = marked

    def _some_category(self, found: Inferred, facts: Mapping[str, Facts]) -> None:
        """Make the best string a category where training would have nothing else."""
        texts = [
            one
            for one in found.own
            if one.field.type == "string" and facts[one.source].longest <= TEXT_LIMIT
        ]
        if texts and RULES[self.kind].metadata[0]:
            best = min(texts, key=lambda one: facts[one.source].distinct)
            why = "A category, since the dataset needs at least one column to learn from."
            marked = replace(best, field=replace(best.field, categorical=True), why=why)
            found.columns[found.columns.index(best)] = marked


def cell(column: str, shape: Shape, nulls: Iterable[str] = ()) -> str:
    """Return the SQL of a cell: NULL where nothing, or a word for nothing, is written."""
    value = shape.trimmed(column)
    missing = [text(one) for one in (*MISSING, *sorted(nulls)) if one in shape.words]
    if not missing:
        return value
    return f"(CASE WHEN {value} IN ({', '.join(missing)}) THEN NULL ELSE {value} END)"


def _split(value: str, separator: str) -> str:
    """Return the SQL that joins the parts of a list by ``|``; empty ones are dropped."""
    parts = f"[trim(p) FOR p IN string_split({value}, {text(separator)}) IF trim(p) <> '']"
    return f"nullif(array_to_string([replace(q, '|', '/') FOR q IN {parts}], '|'), '')"


def text_sql(facts: Facts) -> str:
    """Return the SQL of a text: each record must be on one line."""
    if not facts.broken:
        return facts.value
    return f"regexp_replace({facts.value}, '[\\r\\n]+', ' ', 'g')"


def _number_sql(facts: Facts) -> tuple[str | None, str]:
    value = facts.value
    if facts.all(facts.numbers):
        return value, "All values are numbers."
    if facts.both and facts.all(facts.european):
        sql = f"replace(replace({value}, '.', ''), ',', '.')"
        return sql, "Numbers with points for thousands and a decimal comma, now with a point."
    if facts.both and facts.all(facts.american):
        return f"replace({value}, ',', '')", "Numbers with commas for thousands, now without."
    if facts.surely and facts.all(facts.grouped):
        plain_ = f"regexp_replace({value}, {text(SPACED)}, '', 'g')"
        return f"replace({plain_}, ',', '.')", "Numbers with signs for thousands, now without."
    if facts.all(facts.commas) and not facts.all(facts.thousands):
        return f"replace({value}, ',', '.')", "Numbers with a decimal comma, now with a point."
    return None, ""


def _number_type(facts: Facts) -> str:
    if not facts.all(facts.whole):
        return "float"
    bound = 2.0**31
    small = facts.least is not None and -bound <= facts.least and (facts.most or 0) < bound
    if small:
        return "int"
    return "long" if abs(facts.most or 0) < 9e18 and abs(facts.least or 0) < 9e18 else "double"


def _field(called: str, type: str, nullable: bool, *, categorical: bool = False) -> Field:
    types = (type, "null") if nullable else (type,)
    return Field(called, types, categorical=categorical)


def rejects(columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    """Yield why rows are of no use, and the SQL that tells which."""
    for one in columns:
        if one.reject:
            yield one.reason, one.reject
        if not one.field.nullable and one.gaps:
            yield f"{one.source} is empty", f"{one.sql} IS NULL"
