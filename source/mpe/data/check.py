"""Check whole CSVs against the service's rules, before an import takes its time to fail.

The rules about cells and headers are those of :mod:`mpe.model.service.csvs`, which the import step
applies to the first rows; those about whole datasets stand here. Figures are from
https://docs.aws.amazon.com/personalize/latest/dg/limits.html and
https://docs.aws.amazon.com/personalize/latest/dg/interactions-datasets.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mpe.data.engine import Engine, Unparsable, name, text
from mpe.data.files import Source, head, header, normal, row_lines, scan
from mpe.data.values import Values, find_values
from mpe.model.config.sections import Config
from mpe.model.errors import Finding
from mpe.model.rules import data
from mpe.model.rules.record import Rule
from mpe.model.service import avro
from mpe.model.service.csvs import (
    FLOAT,
    INTEGER,
    INVISIBLE,
    MOST_LINES,
    SHORTENED,
    CellRule,
    cell_rules,
    decoded,
    escape_findings,
    header_findings,
    not_utf8,
    of_rule,
    ragged_rows,
    unended,
)
from mpe.model.service.dialect import Unended
from mpe.model.service.recipes import RECIPES, USER_SEGMENTATION

LEAST_INTERACTIONS = 1000
LEAST_USERS = 25
LEAST_SHARE = 100
"""At least one of so many users must have two interactions."""
MOST_EVENTS_AND_COLUMNS = 10
COUNTED_TOO = ("EVENT_TYPE", "EVENT_VALUE")
"""Columns that one page counts to these 10, and another does not:
https://docs.aws.amazon.com/personalize/latest/dg/interactions-dataset-requirements.html and
https://docs.aws.amazon.com/personalize/latest/dg/limits.html."""
RECOMMENDED_INTERACTIONS, RECOMMENDED_USERS = 50_000, 1_000
"""Of users these are such with two interactions or more:
https://docs.aws.amazon.com/personalize/latest/dg/domain-use-cases.html and
https://docs.aws.amazon.com/personalize/latest/dg/analyzing-data.html"""
MOST_CATEGORIES = 1_000
"""Values that a categorical column should have at most:
https://docs.aws.amazon.com/personalize/latest/dg/items-datasets.html"""
LEAST_FILLED, LEAST_TEXT = 0.7, 0.85
"""The shares of a column, and of a textual one, that should be filled; one with less text is not
used in training: https://docs.aws.amazon.com/personalize/latest/dg/analyzing-data.html"""
GLANCE = 100_000
"""The first rows, which tell whether it is worth while to look at all in their order."""
DAY = 86_400
GB = 1024**3
SIZES = {"FULL": 100 * GB, "INCREMENTAL": GB}
KEYS = {"users": "USER_ID", "items": "ITEM_ID", "actions": "ACTION_ID"}
ALIKE = {
    ".0 at their end": r"regexp_replace({0}, '\.0+$', '')",
    "upper and lower case": "lower({0})",
    "spaces around them": "trim({0})",
    "zeros at their beginning": "ltrim({0}, '0')",
}
"""Ways in which the same ids are written differently."""
REFERENCES = (
    ("interactions", "ITEM_ID", "items"),
    ("interactions", "USER_ID", "users"),
    ("actionInteractions", "ACTION_ID", "actions"),
    ("actionInteractions", "USER_ID", "users"),
)


@dataclass
class _Loaded:
    """A file in the table of its dataset."""

    source: Source
    first: int
    """The table's number of its first row."""
    rows: int
    lines: int
    columns: int
    header_ends: int
    quoted: bool = True
    """It may have line breaks in a cell."""

    def lines_of(self, rows: Sequence[int]) -> tuple[int, ...]:
        """Return the lines of some of the table's rows."""
        plain = self.lines == self.rows + self.header_ends
        own = [row - self.first for row in rows]
        found = row_lines(self.source.path, own, header_ends=self.header_ends, plain=plain)
        return tuple(sorted(found.values()))


@dataclass
class _Dataset:
    """A dataset whose files are in a table of its name."""

    kind: str
    fields: list[avro.Field]
    place: str
    files: list[_Loaded] = field(default_factory=list)
    whole: bool = True
    """Whether all of its files could be loaded."""
    values: dict[str, Values] = field(default_factory=dict)
    """Where the values of each column stand, by the table's name for it."""

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.fields]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.files)

    @property
    def called(self) -> dict[str, str]:
        """The table's name for each column: names may differ in their case only."""
        return {one: f"c{place}" for place, one in enumerate(self.names)}


class Check:
    """One check of the data of a config."""

    def __init__(self, config: Config, engine: Engine, *, now: float | None = None) -> None:
        """``now``, in seconds since 1970, tells which times are to come."""
        self.config, self.engine, self.now = config, engine, now
        self.loaded: dict[str, _Dataset] = {}

    def __call__(self, places: Mapping[str, tuple[str, Sequence[Source]]]) -> list[Finding]:
        """Return all findings; ``places`` says where each dataset's files are."""
        found: list[Finding] = []
        for one in self.config.datasets:
            place, sources = places.get(one.kind, (one.kind, ()))
            fields = avro.fields(avro.loads(one.schema.params["schema"]))
            dataset = _Dataset(one.kind, fields, place)
            found += self._files(dataset, sources, optional=one.data_optional)
            if dataset.files and dataset.whole:
                self.loaded[one.kind] = dataset
                found += self._whole(dataset)
        for kind, column, target in REFERENCES:
            if kind in self.loaded and target in self.loaded:
                found += self._references(self.loaded[kind], column, target)
        return found

    @property
    def tables(self) -> dict[str, dict[str, str]]:
        """The table's name of each column, for each dataset that could be loaded."""
        return {kind: one.called for kind, one in self.loaded.items()}

    # Files

    def _files(
        self, dataset: _Dataset, sources: Sequence[Source], *, optional: bool
    ) -> Iterator[Finding]:
        if not sources:
            if optional:
                return
            told = f"There is no data of the dataset {dataset.kind}."
            remedy = f"Put {dataset.kind}.csv, or CSVs in {dataset.kind}/, there."
            yield data.NO_DATA.finding(dataset.place, told, remedy)
            return
        yield from self._size(dataset, sources)
        for source in sources:
            found = list(self._load(dataset, source))
            if any(one.severity == "error" for one in found):
                dataset.whole = False
            yield from found
        if dataset.files:
            yield from self._cells(dataset)

    def _size(self, dataset: _Dataset, sources: Sequence[Source]) -> Iterator[Finding]:
        """Compare the size with what an import may have; the first one is always FULL."""
        size = sum(source.size for source in sources)
        mode = str(self.config.imports.params.get("importMode", "FULL"))
        rule = data.LARGE
        remedy = (
            f"The first import is FULL, and may have {SIZES['FULL'] // GB} GB; for those after it, "
            "leave out what is imported already."
        )
        if size > SIZES["FULL"]:
            mode, rule, remedy = "FULL", data.TOO_LARGE, "Leave out the oldest rows."
        if size > SIZES[mode]:
            told = (
                f"The data has {size / GB:,.1f} GB; a bulk import that is {mode} may have "
                f"{SIZES[mode] // GB} GB."
            )
            yield rule.finding(dataset.place, told, remedy)

    def _load(self, dataset: _Dataset, source: Source) -> Iterator[Finding]:
        beginning, wrong = decoded(head(source))
        if wrong:
            yield wrong
            return
        names, ends = header(beginning)
        quoted = beginning.startswith('"')
        found = header_findings(names, dataset.fields, source.name, quoted=quoted)
        yield from found
        if any(one.severity == "error" for one in found):
            return
        scanned = scan(source, self.engine.watcher)
        if scanned.not_utf8:
            yield not_utf8(source.name, scanned.not_utf8)
            return
        number = len(dataset.files)
        read, skip = source, ends
        if not scanned.simple(escapes=True):
            target = self.engine.folder / f"{dataset.kind}-{number}.csv"
            try:
                made = normal(source, target, self.engine.watcher)
            except Unended as error:
                yield unended(source.name, error.line)
                return
            yield from escape_findings(source.name, made.doubled, made.bare)
            read, skip = replace(source, path=target), 0
        try:
            self.engine.load(dataset.kind, read, names, file=number, take=dataset.called, skip=skip)
        except Unparsable as error:
            lines = (error.line,) if error.line else ()
            told = f"It cannot be read as a CSV: {error}"
            remedy = "Look at its quotation marks."
            yield data.UNREADABLE.finding(source.name, told, remedy, lines=lines)
            return
        before = dataset.rows
        (total,) = self.engine.row(f"SELECT count(*) FROM {name(dataset.kind)}")
        rows = total - before
        quoted = scanned.quotes or scanned.odd
        dataset.files.append(_Loaded(source, before, rows, scanned.lines, len(names), ends, quoted))

    # Cells

    def _cells(self, dataset: _Dataset) -> Iterator[Finding]:
        """Apply all rules to all cells, in one query; another finds lines where any is broken."""
        rules = cell_rules(dataset.kind, dataset.fields)
        tests = [broken_by(rule, dataset.called[rule.column]) for rule in rules]
        broken = ["_ragged", *(f"NOT _ragged AND {one}" for one in tests)]
        likely = self._likely(dataset, rules)
        if not likely:
            return
        counts = self._by_file(
            dataset,
            [f"count(*) FILTER ({one})" if place in likely else "0"
             for place, one in enumerate(broken)],
        )  # fmt: skip
        found = [
            place for place in range(len(broken)) if any(row[place] for row in counts.values())
        ]
        if not found:
            return
        least = [f"min(rowid, {MOST_LINES}) FILTER ({broken[place]})" for place in found]
        least += [
            f"arg_min({dataset.called[rules[place - 1].column] if place else repr('')}, rowid) "
            f"FILTER ({broken[place]})"
            for place in found
        ]
        examples = self._by_file(dataset, least)
        for number, file in enumerate(dataset.files):
            told = examples.get(number, ())
            values = told[len(found) :]
            for place, rows, value in zip(found, told, values, strict=False):
                count = counts[number][place]
                if count:
                    rule = rules[place - 1] if place else None
                    yield _of_cells(rule, file, count, file.lines_of(rows), str(value))

    def _likely(self, dataset: _Dataset, rules: Sequence[CellRule]) -> set[int]:
        """Return the places of rules that cells may break, 0 for ragged rows, looking at each value
        once where values come again."""
        engine = self.engine
        engine.watcher.begin(f"Checking {dataset.place}")
        columns = sorted({dataset.called[rule.column] for rule in rules})
        dataset.values = find_values(engine, dataset.kind, columns)
        tests: dict[str, dict[int, str]] = {name(dataset.kind): {0: "bool_or(_ragged)"}}
        quoted = any(one.quoted for one in dataset.files)
        for place, rule in enumerate(rules, 1):
            if rule.test != "broken" or quoted:
                column = dataset.called[rule.column]
                there = tests.setdefault(dataset.values[column].table, {})
                there[place] = perhaps(rule, column)
        found: set[int] = set()
        for table, asked in tests.items():
            row = engine.row(f"SELECT {', '.join(asked.values())} FROM {table}")
            found |= {place for place, is_so in zip(asked, row, strict=True) if is_so}
        return found

    def _each(self, dataset: _Dataset, column: str) -> str:
        """Return the SQL of each value of a column with the number of its rows."""
        values = dataset.values.get(column)
        if values and values.once:
            return values.table
        table = name(dataset.kind)
        return f"(SELECT {column}, count(*) AS n FROM {table} GROUP BY {column})"

    def _by_file(self, dataset: _Dataset, columns: Sequence[str]) -> dict[int, list[Any]]:
        """Return some aggregates of each file's rows."""
        query = f"SELECT _file, {', '.join(columns)} FROM {name(dataset.kind)} GROUP BY _file"
        return {number: told for number, *told in self.engine.rows(query)}

    # Whole datasets

    def _whole(self, dataset: _Dataset) -> Iterator[Finding]:
        self.engine.watcher.begin(f"Checking {dataset.place} as a whole")
        if dataset.kind == "interactions":
            yield from self._enough(dataset)
            yield from self._events(dataset)
            yield from self._to_come(dataset)
            yield from self._one_time(dataset)
        if dataset.kind in KEYS:
            yield from self._keys(dataset, KEYS[dataset.kind])
        else:
            yield from self._duplicates(dataset)
        yield from self._columns(dataset)

    def _one_time(self, dataset: _Dataset) -> Iterator[Finding]:
        """Find interactions that are all of one time."""
        time = dataset.called["TIMESTAMP"]
        if not dataset.values[time].once:
            return
        first, last = self.engine.row(f"SELECT min({time}), max({time}) FROM interactions")
        if first != last or dataset.rows < LEAST_INTERACTIONS:
            return
        told = f"All interactions have the same time, {first}."
        remedy = "Give each its own; mpe init --no-times makes them of the order of the rows."
        segments = [
            one.solution.path
            for one in self.config.solutions
            if RECIPES[str(one.solution.params["recipeArn"])].type == USER_SEGMENTATION
        ]
        rule = data.ONE_TIME_FAILS if segments else data.ONE_TIME
        if segments:
            told += f" The training of {', '.join(segments)} fails."
        yield rule.finding(dataset.place, told, remedy, column="TIMESTAMP", count=dataset.rows)

    def _to_come(self, dataset: _Dataset) -> Iterator[Finding]:
        """Find times after now: they would be the newest of all."""
        if self.now is None:
            return
        time = dataset.called["TIMESTAMP"]
        latest = int(self.now) + DAY
        which = (
            f"(SELECT rowid AS number, _file FROM interactions WHERE NOT _ragged AND "
            f"length({time}) = 10 AND TRY_CAST({time} AS BIGINT) > {latest})"
        )
        told = "TIMESTAMP is a time to come, later than today."
        remedy = "It counts as newer than whatever your users do now; mend it or leave it out."
        yield from self._located(dataset, which, data.TO_COME, told, remedy, "TIMESTAMP")

    def _columns(self, dataset: _Dataset) -> Iterator[Finding]:
        """Tell columns of which training learns little: too many categories, or few values."""
        own = [one for one in dataset.fields if one.categorical or one.nullable or one.textual]
        if not own or not dataset.rows:
            return
        told = ", ".join(
            f"count(*) FILTER ({dataset.called[one.name]} = ''), "
            f"approx_count_distinct({dataset.called[one.name]})"
            for one in own
        )
        row = self.engine.row(f"SELECT {told} FROM {name(dataset.kind)}")
        for one, empty, distinct in zip(own, row[::2], row[1::2], strict=True):
            filled = 1 - empty / dataset.rows
            share = f"{one.name} is filled in {filled:.0%} of the rows"
            if one.textual and filled < LEAST_TEXT:
                yield data.LITTLE_TEXT.finding(
                    dataset.place, f"{share}; with less than {LEAST_TEXT:.0%} training does not "
                    "use it.", "Fill more of it.", column=one.name, count=empty,
                )  # fmt: skip
            elif filled < LEAST_FILLED:
                yield data.EMPTY_COLUMN.finding(
                    dataset.place, f"{share}; the guide recommends {LEAST_FILLED:.0%} at least.",
                    "Fill it, or leave it out.", column=one.name, count=empty,
                )  # fmt: skip
            if one.categorical and distinct > MOST_CATEGORIES:
                yield from self._categories(dataset, one)

    def _categories(self, dataset: _Dataset, one: avro.Field) -> Iterator[Finding]:
        column = dataset.called[one.name]
        (count,) = self.engine.row(
            "SELECT count(DISTINCT part) FROM "
            f"(SELECT unnest(string_split({column}, '|')) AS part FROM {name(dataset.kind)})"
        )
        if count > MOST_CATEGORIES:
            yield data.CATEGORIES.finding(
                dataset.place,
                f"{one.name} has {count:,} categories; the guide recommends {MOST_CATEGORIES:,} at "
                "most, since more can make recommendations worse.",
                "Merge rare ones, or do not make it categorical.", column=one.name, count=count,
            )  # fmt: skip

    def _enough(self, dataset: _Dataset) -> Iterator[Finding]:
        count = dataset.rows
        if count < LEAST_INTERACTIONS:
            told = f"Dataset has fewer than {LEAST_INTERACTIONS} interactions: {count}."
            yield data.FEW.finding(dataset.place, told, "Collect more first.")
        users, active = self.engine.row(
            "SELECT count(*), count(*) FILTER (n >= 2) FROM "
            f"{self._each(dataset, dataset.called['USER_ID'])}"
        )
        yield from self._recommended(dataset, count, active)
        if active < LEAST_USERS:
            yield data.FEW_USERS.finding(
                dataset.place,
                f"Dataset has fewer than {LEAST_USERS} users with at least 2 interactions each: "
                f"{active}.",
                "Collect more first.",
                column="USER_ID",
            )
        elif active * LEAST_SHARE < users:
            yield data.SHARE.finding(
                dataset.place,
                f"{active:,} of {users:,} users have at least 2 interactions; it must be 1%.",
                "Leave out users who come once, or collect more first.",
                column="USER_ID",
            )

    def _recommended(self, dataset: _Dataset, count: int, active: int) -> Iterator[Finding]:
        for have, wanted, what in (
            (count, RECOMMENDED_INTERACTIONS, "interactions"),
            (active, RECOMMENDED_USERS, "users with two interactions or more"),
        ):
            if have < wanted and count >= LEAST_INTERACTIONS:
                told = f"There are {have:,} {what}; the guide recommends {wanted:,} or more."
                remedy = "With fewer, expect weak results."
                yield data.RECOMMENDED.finding(dataset.place, told, remedy)

    def _events(self, dataset: _Dataset) -> Iterator[Finding]:
        counts: dict[str, int] = {}
        event = dataset.called.get("EVENT_TYPE")
        if event:
            counts = dict(
                self.engine.rows(
                    f"SELECT {event}, n FROM {self._each(dataset, event)} WHERE {event} <> '' "
                    "ORDER BY 2 DESC, 1"
                )
            )
        yield from self._variety(dataset, counts)
        for solution in self.config.solutions:
            wanted = solution.solution.params.get("eventType")
            if wanted and counts.get(str(wanted), 0) < LEAST_INTERACTIONS:
                yield self._too_few(dataset, str(wanted), counts, solution.solution.path)
        for recommender in self.config.recommenders:
            recipe = RECIPES[str(recommender.params["recipeArn"])]
            if recipe.event and counts.get(recipe.event, 0) < LEAST_INTERACTIONS:
                yield self._too_few(dataset, recipe.event, counts, recommender.path)

    def _too_few(
        self, dataset: _Dataset, event: str, counts: Mapping[str, int], path: str
    ) -> Finding:
        known = ", ".join(f"{one} {count:,}" for one, count in list(counts.items())[:10])
        return data.EVENT.finding(
            dataset.place,
            f"Dataset has fewer than {LEAST_INTERACTIONS} interactions after filtering by event "
            f"type: {event}. There are {counts.get(event, 0):,}.",
            f"It is asked for at {path} of the config. The data has: {known or 'none'}.",
            column="EVENT_TYPE",
        )

    def _variety(self, dataset: _Dataset, counts: Mapping[str, int]) -> Iterator[Finding]:
        rules = avro.RULES["interactions"]
        own = [one for one in dataset.names if one not in {**rules.required, **rules.optional}]
        found = len(counts) + len(own)
        more = [one for one in COUNTED_TOO if one in dataset.names]
        remedy = "Leave out rare event types, or columns."
        both = f"There are {len(counts):,} event types and {len(own)} columns of metadata"
        if found > MOST_EVENTS_AND_COLUMNS:
            told = f"{both}; together they may be {MOST_EVENTS_AND_COLUMNS}."
            yield data.VARIETY.finding(dataset.place, told, remedy, column="EVENT_TYPE")
        elif found + len(more) > MOST_EVENTS_AND_COLUMNS:
            told = (
                f"{both}, and {' and '.join(more)}: {found + len(more)}. One page of the guide "
                f"counts these to the {MOST_EVENTS_AND_COLUMNS} that may be, another does not."
            )
            yield data.VARIETY_OR_NOT.finding(dataset.place, told, remedy, column="EVENT_TYPE")

    def _keys(self, dataset: _Dataset, key: str) -> Iterator[Finding]:
        remedy = f"Keep one row for each {key}."
        yield from self._repeated(dataset, [key], f"{key} was in a row before.", remedy, key)

    def _duplicates(self, dataset: _Dataset) -> Iterator[Finding]:
        told = "The same row was there before."
        yield from self._repeated(dataset, dataset.names, told, "Leave out the repetitions.", None)

    def _repeated(
        self,
        dataset: _Dataset,
        columns: Sequence[str],
        told: str,
        remedy: str,
        column: str | None,
    ) -> Iterator[Finding]:
        """Find rows with the same values as a row before; where they are only if there are any."""
        table, keys = name(dataset.kind), ", ".join(dataset.called[one] for one in columns)
        if self._all_differ(dataset, columns):
            return
        unique, several = self.engine.row(
            "SELECT count(*), count(*) FILTER (n > 1) FROM "
            f"(SELECT count(*) AS n FROM {table} GROUP BY {keys})"
        )
        if dataset.kind == "interactions" and unique < LEAST_INTERACTIONS <= dataset.rows:
            less = f"Dataset has fewer than {LEAST_INTERACTIONS} interactions: {unique} unique."
            yield data.FEW.finding(dataset.place, less, "Collect more first.")
        if several:
            which = (
                f"(SELECT t.rowid AS number, _file FROM {table} t JOIN (SELECT {keys}, "
                f"min(rowid) AS _first FROM {table} GROUP BY {keys} HAVING count(*) > 1) "
                f"USING ({keys}) WHERE t.rowid <> _first)"
            )
            yield from self._located(dataset, which, data.REPEATED, told, remedy, column)

    def _all_differ(self, dataset: _Dataset, columns: Sequence[str]) -> bool:
        """Tell whether rows surely differ: some of their values do, or their hashes."""
        few = [one for one in ("USER_ID", "ITEM_ID", "TIMESTAMP") if one in columns] or columns
        hashed = f"hash({', '.join(dataset.called[one] for one in few)})"
        table = name(dataset.kind)
        self.engine.watcher.begin(f"Comparing the rows of {dataset.place}")
        if "TIMESTAMP" in few and self._rise(table, dataset.called["TIMESTAMP"]):
            return True
        (unique,) = self.engine.row(f"SELECT count(DISTINCT {hashed}) FROM {table}")
        return bool(unique == dataset.rows)

    def _rise(self, table: str, time: str) -> bool:
        """Tell whether each row has a later time than the one before, as logs nearly have; or each
        an earlier one."""
        some = f"(SELECT * FROM {table} LIMIT {GLANCE})"
        for source in (some, table):
            up, down = self.engine.row(
                "SELECT bool_and(before < t), bool_and(before > t) FROM "
                f"(SELECT {time} AS t, lag({time}) OVER () AS before FROM {source})"
            )
            if not (up or down):
                return False
        return True

    def _references(self, dataset: _Dataset, column: str, target: str) -> Iterator[Finding]:
        key, table = dataset.called[column], name(dataset.kind)
        other = self.loaded[target].called[column]
        which = (
            f"(SELECT t.rowid AS number, _file FROM {table} t WHERE NOT _ragged AND {key} <> '' "
            f"AND {key} NOT IN (SELECT {other} FROM {name(target)}))"
        )
        self.engine.watcher.begin(f"Comparing {dataset.place} with {target}")
        remedy = f"Without its row in {target}, training knows nothing of it but these events."
        counted, missing = self.engine.row(
            f"SELECT count(*) FILTER ({key} <> ''), (SELECT count(*) FROM {which}) FROM {table}"
        )
        if missing and missing == counted:
            told = f"No {column} is among the {target}: {missing:,} of {counted:,} rows match none."
            hint = self._alike(dataset, column, target)
            remedy = hint or "Are these the same ids?"
            yield data.NO_ID.finding(dataset.place, told, remedy, column=column, count=missing)
            return
        share = f" ({missing / counted:.0%} of all rows)" if missing * 10 > counted else ""
        told = f"{column} is not among the {target}{share}."
        yield from self._located(dataset, which, data.IDS, told, remedy, column)

    def _alike(self, dataset: _Dataset, column: str, target: str) -> str:
        """Say in which way ids are written otherwise, where that is all that keeps them apart."""
        key, other = dataset.called[column], self.loaded[target].called[column]
        for told, change in ALIKE.items():
            (match,) = self.engine.row(
                f"SELECT count(*) FROM (SELECT DISTINCT {change.format(key)} AS id FROM "
                f"{name(dataset.kind)}) WHERE id IN "
                f"(SELECT {change.format(other)} FROM {name(target)})"
            )
            if match:
                return f"They match but for {told}: write them alike; mpe init does for .0."
        return ""

    def _located(
        self,
        dataset: _Dataset,
        which: str,
        rule: Rule,
        told: str,
        remedy: str,
        column: str | None,
    ) -> Iterator[Finding]:
        """Say something of rows, by file; ``which`` is a query of their numbers and files."""
        for number, count, rows in self.engine.rows(
            f"SELECT _file, count(*), min(number, {MOST_LINES}) FROM {which} "
            "GROUP BY _file ORDER BY 1"
        ):
            file = dataset.files[number]
            lines = file.lines_of(rows)
            at = file.source.name
            yield rule.finding(at, told, remedy, column=column, count=count, lines=lines)


def _of_cells(
    rule: CellRule | None, file: _Loaded, count: int, lines: Sequence[int], value: str
) -> Finding:
    """Say that cells break a rule, or without one that rows have not the header's cells."""
    at = file.source.name
    if rule is None:
        return ragged_rows(at, file.columns, count, lines)
    return of_rule(rule, at, count, lines, value)


def perhaps(rule: CellRule, cell: str) -> str:
    """Write in SQL a cheap aggregate that is true where some cell breaks a rule, or may do so."""
    match rule.test, rule.argument:
        case "empty", _:
            return f"min(strlen({cell})) = 0"
        case "longer", int(most):
            return f"max(strlen({cell})) > {most}"
        case "beyond", int(bits):
            return f"max(strlen({cell})) > {len(str(2**bits)) - 1}"
        case "like", "-?[0-9]{11,}":
            return f"max(strlen({cell})) > 10"
        case "like", "-?[0-9]{1,8}":
            return f"min(strlen({cell})) < 10"
        case "like", str(pattern) if pattern == INVISIBLE:
            return f"bool_or(NOT regexp_full_match({cell}, '[!-~]*'))"
        case "like", str(pattern) if pattern == SHORTENED:
            return f"bool_or(contains({cell}, '+'))"
        case "unlike", str(pattern) if pattern == INTEGER:
            return f"bool_or(NOT regexp_full_match({cell}, '[0-9]*'))"
        case "unlike", str(pattern) if pattern == FLOAT:
            return f"bool_or(NOT regexp_full_match({cell}, '([0-9]+([.][0-9]*)?)?'))"
        case "among", tuple(values):
            beyond = f"{cell} < {text(min(values))} OR {cell} > {text(max(values))}"
            return f"bool_or(CASE WHEN {beyond} THEN false ELSE {broken_by(rule, cell)} END)"
    return f"bool_or({broken_by(rule, cell)})"


def broken_by(rule: CellRule, cell: str) -> str:
    """Write in SQL what :meth:`CellRule.broken_by` tests."""
    match rule.test, rule.argument:
        case "empty", _:
            return f"{cell} = ''"
        case "unlike", str(pattern):
            return f"{cell} <> '' AND NOT regexp_full_match({cell}, {text(pattern)})"
        case "broken", _:
            return f"(contains({cell}, chr(10)) OR contains({cell}, chr(13)))"
        case "like", str(pattern):
            return f"regexp_full_match({cell}, {text(pattern)})"
        case "beyond", int(bits):
            kind = {31: "INTEGER", 63: "BIGINT"}[bits]
            whole = f"regexp_full_match({cell}, {text(INTEGER)})"
            return f"{whole} AND TRY_CAST({cell} AS {kind}) IS NULL"
        case "longer", int(most):
            return f"length({cell}) > {most}"
        case "among", tuple(values):
            return f"{cell} IN ({', '.join(text(one) for one in values)})"
    raise AssertionError(rule)
