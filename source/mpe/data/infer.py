"""What each column becomes: its name, its type in the schema, and the SQL that makes it so.

The rules of the schemas stand in :mod:`mpe.model.service.avro`; what comes out here obeys them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mpe.data.columns import Asker, Unsure, own_name, reserved
from mpe.data.engine import Engine, name, text
from mpe.data.times import DATED, TimeForm, has_format, time_form
from mpe.model.service.avro import (
    DOMAIN_CATEGORICAL,
    DOMAIN_REQUIRED,
    DOMAIN_RESERVED,
    NUMBERS,
    RULES,
    Field,
    keyword_problems,
)
from mpe.model.service.csvs import FLOAT, INTEGER, TEXT_LIMIT, TEXTUAL_LIMIT

MISSING = ("", "NULL", "null", "\\N", "NaN", "nan", "N/A", "n/a", "#N/A")
"""What is written where there is no value."""
MOST_CATEGORIES = 10_000
FEW = 20
"""So few different values are categories, however few rows there are."""
MOST_EVENTS_AND_COLUMNS = 10
"""Event types and columns of metadata that interactions may have together."""
SEPARATORS = (";", ",", "/", "|")
DECIMAL_COMMA = "-?[0-9]+,[0-9]+"
THOUSANDS = "-?[0-9]{1,3}(,[0-9]{3})+"
CODES = ("id", "code", "zip", "plz", "postal", "postcode", "phone", "sku")
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


@dataclass(frozen=True)
class Facts:
    """What is so of all values of a column."""

    value: str
    """The SQL of a value; NULL where there is none."""
    count: int
    missing: int
    distinct: int
    whole: int
    numbers: int
    commas: int
    thousands: int
    padded: int
    """Whole numbers that begin with a zero: codes."""
    truths: int
    dates: int
    lists: int
    longest: int
    average: float
    least: float | None
    most: float | None
    separated: Mapping[str, int] = field(default_factory=dict)
    """How many values have each separator in them."""

    def all(self, count: int) -> bool:
        return bool(self.count) and count == self.count

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
    time_format: str | None = None
    notes: list[str] = field(default_factory=list)

    def __call__(
        self, header: Sequence[str], targets: Mapping[str, str], left_out: set[str]
    ) -> Inferred:
        """Return what becomes of each column; ``targets`` says which is the service's which."""
        gone = dict.fromkeys(sorted(left_out), "you said so")
        found = Inferred(self.kind, left_out=gone, notes=self.notes)
        required = reserved(self.kind, self.domain)
        facts = {one: self._facts(one) for one in header if one not in left_out}
        known = [one for one in required if one in targets]
        for target in known:
            column = self._known(target, targets[target], facts[targets[target]], required[target])
            if column:
                found.columns.append(column)
        taken = {one.source for one in found.columns}
        mapped = {column: target for target, column in targets.items() if column not in taken}
        for source in header:
            if source in facts and source not in taken:
                self._own(found, source, mapped.get(source), facts[source])
        self._fit(found, facts)
        return found

    # Facts

    def _facts(self, column: str) -> Facts:
        value = cell(self.called[column])
        counts = {
            "whole": f"regexp_full_match({value}, {text(INTEGER)})",
            "numbers": f"regexp_full_match({value}, {text(FLOAT)})",
            "commas": f"regexp_full_match({value}, {text(f'{DECIMAL_COMMA}|{INTEGER}')})",
            "thousands": f"regexp_full_match({value}, {text(f'{THOUSANDS}|{INTEGER}')})",
            "padded": f"regexp_full_match({value}, '-?0[0-9]+')",
            "truths": f"lower({value}) IN ('true', 'false', 'yes', 'no')",
            "dates": f"regexp_full_match({value}, {text(DATED)})",
            "lists": f"regexp_full_match({value}, '\\[.*\\]')",
        }
        separated = [f"contains({value}, {text(one)})" for one in SEPARATORS]
        filtered = ", ".join(f"count(*) FILTER ({one})" for one in (*counts.values(), *separated))
        row = self.engine.row(
            f"SELECT count({value}), count(*) - count({value}), approx_count_distinct({value}), "
            f"coalesce(max(length({value})), 0), coalesce(avg(length({value})), 0), "
            f"min(TRY_CAST({value} AS DOUBLE)), max(TRY_CAST({value} AS DOUBLE)), {filtered} "
            f"FROM {name(self.kind)}"
        )
        count, missing, distinct, longest, average, least, most, *rest = row
        by_name = dict(zip(counts, rest, strict=False))
        by_sign = dict(zip(SEPARATORS, rest[len(counts) :], strict=True))
        shape = {"longest": longest, "average": average, "least": least, "most": most}
        return Facts(value, count, missing, distinct, **by_name, **shape, separated=by_sign)

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
        nullable = facts.missing > 0 and not required
        return Column(source, _field(target, "long", nullable), found.sql, f"Was {found.told}.")

    def _time_form(self, source: str, facts: Facts) -> TimeForm:
        return time_form(
            self.engine,
            self.kind,
            source,
            facts.value,
            zone=self.zone,
            form=self.time_format,
            asker=self.asker,
        )

    def _no_time(self, source: str, error: Unsure) -> None:
        self.notes.append(f"{error} Until then {source} of the {self.kind} is not read as a time.")

    def _number(self, target: str, source: str, facts: Facts, required: bool) -> Column | None:
        sql, why = _number_sql(facts)
        if sql is None:
            if required:
                raise Unsure(
                    f"{source} is to be {target}, a number, but its values are not. Remove what is "
                    f"no number, or say --map COLUMN={target} for another column."
                )
            return None
        nullable = facts.missing > 0 and not required
        return Column(source, _field(target, "float", nullable), sql, why)

    def _text(self, target: str, source: str, facts: Facts, *, required: bool) -> Column:
        categorical = target in DOMAIN_CATEGORICAL and self.domain is not None
        sql, why = text_sql(facts), "The service's own column."
        if categorical:
            sql, why = self._categories(facts)
        elif target == "EVENT_TYPE" and self.domain:
            sql, why = self._events(sql)
        empty = facts.missing > 0 or (categorical and facts.all(facts.lists))
        nullable = empty and not required
        return Column(source, _field(target, "string", nullable, categorical=categorical), sql, why)

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
        if facts.longest > TEXTUAL_LIMIT:
            found.left_out[source] = f"it has values of {facts.longest:,} characters"
            return
        taken = [*(one.field.name for one in found.columns), *reserved(self.kind, None)]
        misfit = target in RULES[self.kind].optional  # it is not what that name is for
        called = target if target and not misfit else own_name(source, taken)
        found.columns.append(self._typed(called, source, facts, target))

    def _typed(self, called: str, source: str, facts: Facts, target: str | None) -> Column:
        nullable = facts.missing > 0
        if facts.all(facts.truths):
            why = "True or false: two categories, which filters can use as well."
            lower = f"lower({text_sql(facts)})"
            return Column(source, _field(called, "string", nullable, categorical=True), lower, why)
        if not self._code(source, facts):
            sql, why = _number_sql(facts)
            if sql is not None:
                return Column(source, _field(called, _number_type(facts), nullable), sql, why)
        if target != "CREATION_TIMESTAMP":  # it is known to be no time
            form = self._dates(source, facts)
            if form:
                told = f"Was {form.told}; now seconds since 1970."
                return Column(source, _field(called, "long", nullable), form.sql, told)
        return self._string(called, source, facts)

    def _dates(self, source: str, facts: Facts) -> TimeForm | None:
        """Find how the dates of a column are written; None where it has none, or not surely."""
        form, zone = self.time_format, self.zone
        if not facts.all(facts.dates) and not (
            form and has_format(self.engine, self.kind, facts.value, form, zone)
        ):
            return None
        try:
            return self._time_form(source, facts)
        except Unsure as error:
            self._no_time(source, error)
            return None

    def _code(self, source: str, facts: Facts) -> bool:
        """Tell whether numbers name something rather than measure it."""
        words = own_name(source, ()).lower().split("_")
        return facts.padded > 0 or (facts.all(facts.whole) and words[-1] in CODES)

    def _string(self, called: str, source: str, facts: Facts) -> Column:
        sql, why = self._categories(facts)
        if sql != text_sql(facts) or (facts.categories and facts.longest <= TEXT_LIMIT):
            nullable = facts.missing > 0 or facts.all(facts.lists)  # a list may be empty
            return Column(source, _field(called, "string", nullable, categorical=True), sql, why)
        told = "Nearly every row has another text."
        if facts.all(facts.thousands):
            told = "Thousands, or a decimal comma? Left as text, since it is not sure."
        return Column(source, _field(called, "string", facts.missing > 0), sql, told)

    def _categories(self, facts: Facts) -> tuple[str, str]:
        """Return the SQL of categories, several of them joined by ``|``."""
        value = text_sql(facts)
        if facts.all(facts.lists):
            inner = f"regexp_replace(trim({value}, '[]'), '[''\"]', '', 'g')"
            joined = f"regexp_replace(trim({inner}), '\\s*[,;|]\\s*', '|', 'g')"
            return f"nullif({joined}, '')", "Lists of categories, now joined by |."
        for separator in SEPARATORS:
            if facts.separated[separator] and self._separates(value, separator, facts):
                why = f"Several categories in a cell, separated by {separator!r}, now by |."
                if separator == "|":
                    why = "Several categories in a cell, joined by |."
                pattern = rf"\s*{_escaped(separator)}\s*"
                return f"regexp_replace({value}, {text(pattern)}, '|', 'g')", why
        return value, f"About {facts.distinct:,} different values: categories."

    def _separates(self, value: str, separator: str, facts: Facts) -> bool:
        """Tell whether a sign surely separates categories: short, never empty, and recurring."""
        if facts.dates and self._in_dates(value, separator):
            return False
        parts, distinct, longest, empty, spaces = self.engine.row(
            "SELECT count(*), approx_count_distinct(part), coalesce(max(length(part)), 0), "
            "count(*) FILTER (part = ''), "
            "coalesce(max(length(part) - length(replace(part, ' ', ''))), 0) "
            f"FROM (SELECT trim(unnest(string_split({value}, {text(separator)}))) AS part "
            f"FROM {name(self.kind)} WHERE {value} IS NOT NULL)"
        )
        recurring = distinct * 2 <= parts and distinct < facts.distinct
        known = separator == "|" and recurring
        return not empty and (known or (recurring and longest <= 40 and spaces <= 3))

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
            too_long = facts[column.source].longest > TEXT_LIMIT and not column.field.textual
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
        room = MOST_EVENTS_AND_COLUMNS - events
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
        kept = " AND ".join([f"{event} <> ''", *required_sql(found.columns)])
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
            and facts[one.source].average >= 5
        ]
        if texts:
            best = max(texts, key=lambda one: facts[one.source].average)
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


def cell(column: str) -> str:
    """Return the SQL of a cell: NULL where nothing, or a word for nothing, is written."""
    trimmed = f"trim({name(column)}, ' \t\r\n')"
    missing = ", ".join(text(one) for one in MISSING)
    return f"(CASE WHEN {trimmed} IN ({missing}) THEN NULL ELSE {trimmed} END)"


def text_sql(facts: Facts) -> str:
    """Return the SQL of a text: each record must be on one line."""
    return f"regexp_replace({facts.value}, '[\\r\\n]+', ' ', 'g')"


def _number_sql(facts: Facts) -> tuple[str | None, str]:
    value = facts.value
    if facts.all(facts.numbers):
        return value, "All values are numbers."
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


def _escaped(separator: str) -> str:
    return f"\\{separator}" if separator in "|" else separator


def required_sql(columns: Sequence[Column]) -> Iterator[str]:
    """Yield, for each column that must have a value, the SQL that tells whether it has."""
    for one in columns:
        if not one.field.nullable:
            yield f"{one.sql} IS NOT NULL"
