"""How times are written in a column, and how they become seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mpe.data.columns import Asker, Unsure
from mpe.data.engine import Engine, name, text
from mpe.model.service.csvs import INTEGER

UNITS = (
    ("seconds", 1, 1e8, 1e11),
    ("milliseconds", 1_000, 1e11, 1e14),
    ("microseconds", 1_000_000, 1e14, 1e17),
    ("nanoseconds", 1_000_000_000, 1e17, 1e20),
)
"""Units since 1970, and between which numbers times from 1973 to 5138 are."""
OTHER_UNITS = (
    ("ticks since the year 1, as .NET counts", 10_000_000, 6.2e17, 6.6e17, -62_135_596_800),
    ("ticks since 1601, as Windows counts", 10_000_000, 1.2e17, 1.45e17, -11_644_473_600),
    ("microseconds since 1601, as browsers count", 1_000_000, 1.25e16, 1.4e16, -11_644_473_600),
)
"""Units since another day, their parts of a second, between which numbers they are, and when they
begin. Taken for units since 1970 these would be times of 1990, 1974 and after 2366.

https://learn.microsoft.com/dotnet/api/system.datetime.ticks,
https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-filetime,
https://source.chromium.org/chromium/chromium/src/+/main:base/time/time.h.
"""
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y",
    "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y %m %d",
)  # fmt: skip
FORMATS = (
    *(f"{day}{clock}" for day in _DAYS for clock in _CLOCKS),
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S,%g",  # of Python's and Java's logs
    "%Y-%m-%dT%H:%M:%S,%g",
    "%d.%m.%Y %H:%M:%S,%g",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f %z",
    "%Y-%m-%dT%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%d %H",
    "%Y %m %d %H",
    "%Y %m %d %H %M",
    "%Y %m %d %H %M %S",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S UTC %Y",
    "%a %b %d %Y %H:%M:%S GMT%z (Coordinated Universal Time)",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %B %d, %Y %I:%M %p",
    "%A, %B %d, %Y",
    "%d %b %Y, %H:%M",
    "%d.%m.%Y, %H:%M",
    "%d.%m.%Y, %H:%M:%S",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M:%S",
)
_UTC = ("Z", " GMT", "(Coordinated Universal Time)", "UTC %Y")
"""Ends of formats that name a zone in letters."""
DIGITS = ("%Y%m%d", "%Y%m%d%H%M%S")
DATED = (
    "([A-Z][a-z]{2}, )?([0-9]+/[0-9]+/[0-9]+|[0-9]{4}[-.][0-9]{1,2}[-.][0-9]{1,2}|"
    "[0-9]{1,2}[-.][0-9]{1,2}[-.][0-9]{4}|[0-9]{1,2}[ /-][A-Z][a-z]{2,8}[ /-][0-9]{4}|"
    "[A-Z][a-z]{2,8}\\.? [0-9]{1,2},? [0-9]{4})([^0-9].*)?"
)
"""What looks like a date, in whichever form."""
_DATE = "^(19|20)[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}"
_NUMBER = r"-?[0-9]+(\.[0-9]+)?|[0-9]\.[0-9]{9,}[eE]\+?[0-9]+"
"""With an exponent only where no digit of a second is lost."""
_YEAR = "(^|[^+0-9])[0-9]{4}"
"""What has a year of four digits: the engine takes 13/01/24 for the year 24."""


_CLOCK = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"


Where = Callable[[str], str]
"""Names the file and the lines of some rows, by a condition in SQL on the table ``t``."""


@dataclass(frozen=True)
class TimeForm:
    """How a column's times are written, and the SQL that makes seconds of them."""

    told: str
    sql: str
    form: str | None = None
    """The format, where it is one."""
    bad: int = 0
    """How many values are written otherwise, and become no time."""


def check_format(engine: Engine, form: str) -> None:
    """Raise Unsure where a format is none that the engine knows."""
    refusal = engine.refusal(f"SELECT try_strptime('', {text(form)})")
    if refusal:
        raise Unsure(
            f"--time-format {form}: {refusal}. Write it as strptime does, such as "
            '--time-format "%d.%m.%Y %H:%M".'
        )


def time_form(
    engine: Engine,
    table: str,
    column: str,
    value: str,
    *,
    zone: str,
    form: str | None,
    asker: Asker,
    where: Where,
    skip: bool = False,
) -> TimeForm:
    """Find how all times of a column are written; raise Unsure where that is not sure.

    ``value`` is the SQL of a cell, NULL where there is none. Times that name no zone are in
    ``zone``. A ``form`` that no time has is another column's; one that only some have is refused.
    Where ``skip`` is set, a form that most have will do; ``where`` names the places of rows.
    """

    def mostly(likely: Sequence[TimeForm]) -> TimeForm:
        return _mostly(engine, table, column, value, likely, where, skip=skip)

    if form:
        given = _all_of(engine, table, value, [form], zone)
        if given:
            return given
        parsed = _parsed(value, form, zone)
        if any(engine.row(f"SELECT count({parsed}) FROM {name(table)}")):
            return mostly([_formatted(value, form, zone)])
    numbers = _numbers(engine, table, column, value, zone)
    if numbers:
        return numbers
    iso = f"TRY_CAST(CASE WHEN regexp_matches({value}, '{_DATE}') THEN {value} END AS TIMESTAMPTZ)"
    if _fits(engine, table, value, iso):
        return TimeForm(f"ISO dates, in {zone} where they name no zone", _seconds(iso))
    fitting = [one for one in FORMATS if _fits(engine, table, value, _parsed(value, one, zone))]
    if len(fitting) > 1:
        fitting = _which(engine, table, column, value, fitting, asker)
    if fitting:
        return _formatted(value, fitting[0], zone)
    likely = [
        *_units(engine, table, value),
        TimeForm("ISO dates", _seconds(iso)),
        *(_formatted(value, one, zone) for one in FORMATS),
    ]
    return mostly(likely)


def has_format(engine: Engine, table: str, value: str, form: str, zone: str) -> bool:
    """Tell whether all times of a column are written in a format."""
    return _fits(engine, table, value, _parsed(value, form, zone))


def _all_of(
    engine: Engine, table: str, value: str, forms: Sequence[str], zone: str
) -> TimeForm | None:
    for form in forms:
        if _fits(engine, table, value, _parsed(value, form, zone)):
            return _formatted(value, form, zone)
    return None


def _formatted(value: str, form: str, zone: str) -> TimeForm:
    told = f"the format {form}, in {zone}"
    return TimeForm(told, _seconds(_parsed(value, form, zone)), form)


def _numbers(engine: Engine, table: str, column: str, value: str, zone: str) -> TimeForm | None:
    """Find times that are numbers: dates without signs, or units since 1970."""
    count, numbers, whole, least, most = engine.row(
        f"SELECT count({value}), count(*) FILTER (regexp_full_match({value}, {text(_NUMBER)})), "
        f"count(*) FILTER (regexp_full_match({value}, {text(INTEGER)})), "
        f"min(TRY_CAST({value} AS DOUBLE)), max(TRY_CAST({value} AS DOUBLE)) FROM {name(table)}"
    )
    if not count or numbers != count:
        return None
    if whole == count and least >= 19_000_101:
        dated = [one for one, high in zip(DIGITS, (21_001_231, 21e12), strict=True) if most <= high]
        found = _all_of(engine, table, value, dated, zone)
        if found and (most <= 21_001_231 or least >= 19e12):
            return found
    for unit, divisor, low, high, begins in OTHER_UNITS:
        if whole == count and low <= least and most < high:
            return TimeForm(unit, f"CAST({value} AS BIGINT) // {divisor} + ({begins})")
    for unit, divisor, low, high in UNITS:
        if low <= least and most < high:
            if whole == count:
                sql = f"CAST({value} AS BIGINT)" + (f" // {divisor}" if divisor > 1 else "")
                return TimeForm(f"{unit} since 1970", sql)
            exact = f"CAST({value} AS DECIMAL(38, 9))"
            return TimeForm(f"{unit} since 1970", f"CAST(floor({exact} / {divisor}) AS BIGINT)")
    return None


def _units(engine: Engine, table: str, value: str) -> list[TimeForm]:
    """Return the unit in which most numbers of a column are times, where they are."""
    number = f"CASE WHEN regexp_full_match({value}, {text(_NUMBER)}) THEN {value} END"
    (middle,) = engine.row(f"SELECT median(TRY_CAST({number} AS DOUBLE)) FROM {name(table)}")
    return [
        TimeForm(
            f"{unit} since 1970",
            f"(CASE WHEN TRY_CAST({number} AS DOUBLE) >= {low} AND TRY_CAST({number} AS DOUBLE) < "
            f"{high} THEN CAST(floor(TRY_CAST({number} AS DECIMAL(38, 9)) / {divisor}) AS BIGINT) "
            "END)",
        )
        for unit, divisor, low, high in UNITS
        if middle is not None and low <= middle < high
    ]


def _fits(engine: Engine, table: str, value: str, parsed: str) -> bool:
    """Tell whether all times can be read in a way; a glance at some spares most passes."""
    some = f"(SELECT * FROM {name(table)} LIMIT 1000)"
    for source in (some, name(table)):
        count, right = engine.row(f"SELECT count({value}), count({parsed}) FROM {source}")
        if count != right:
            return False
    return bool(count)


def _parsed(value: str, form: str, zone: str) -> str:
    if "%Y" in form:
        value = f"CASE WHEN regexp_matches({value}, {text(_YEAR)}) THEN {value} END"
    parsed = f"try_strptime({value}, {text(form)})"
    zone = "UTC" if form.endswith(_UTC) else zone
    return parsed if "%z" in form else f"timezone({text(zone)}, {parsed})"


def _seconds(parsed: str) -> str:
    return f"CAST(floor(epoch({parsed})) AS BIGINT)"


def _which(
    engine: Engine, table: str, column: str, value: str, fitting: Sequence[str], asker: Asker
) -> list[str]:
    """Ask whether the day or the month comes first."""
    (example,) = engine.row(f"SELECT min({value}) FROM {name(table)}")
    answer = asker.choose(f"How is {example} in {column} to be read?", fitting)
    if answer is None:
        raise Unsure(
            f"Is {example} in {column} {' or '.join(fitting)}? Say so with --time-format, such as "
            f'--time-format "{fitting[0]}".'
        )
    return [answer]


def _mostly(
    engine: Engine,
    table: str,
    column: str,
    value: str,
    likely: Sequence[TimeForm],
    where: Where,
    *,
    skip: bool,
) -> TimeForm:
    """Take the form that most times have where bad rows may go; else show those that are bad."""
    count, *fits = engine.row(
        f"SELECT count({value}), {', '.join(f'count({one.sql})' for one in likely)} "
        f"FROM {name(table)}"
    )
    best = max(range(len(likely)), key=lambda place: fits[place])
    form, bad = likely[best], count - fits[best]
    if skip and fits[best] * 2 >= count > 0:
        return TimeForm(form.told, form.sql, form.form, bad)
    examples = engine.rows(
        f"SELECT {value}, min(rowid) FROM {name(table)} WHERE {value} IS NOT NULL "
        f"AND {form.sql} IS NULL GROUP BY 1 ORDER BY 2 LIMIT 3"
    )
    shown = ", ".join(f"{one!r} ({where(f't.rowid = {row}')})" for one, row in examples)
    shown = shown or "no time at all"
    if examples and all(re.fullmatch(_CLOCK, str(one)) for one, _ in examples):
        raise Unsure(
            f"{column} has times of the day alone: {shown}. Join them with the day, such as --map "
            f"date+{column}=TIMESTAMP."
        )
    if fits[best]:
        told = f"{bad:,} of {count:,} values of {column} are no times as {form.told}: {shown}."
    else:
        told = f"The times in {column} are in no form that is known here: {shown}."
    raise Unsure(
        f"{told} Say how they are written with --time-format, such as --time-format "
        '"%d.%m.%Y %H:%M", mend them, or leave such rows out with --skip-bad-rows.'
    )
