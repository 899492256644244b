"""Schedules: AWS's ``cron(...)`` and ``rate(...)`` expressions, read and foretold.

The grammar and its meaning are EventBridge Scheduler's
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html): six fields of
which one of the two days is ``?``, weekdays from 1 for Sunday, ``L``, ``W`` and ``#``. A time
that daylight saving time leaves out does not fire, and one that it repeats fires once.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from mpe.model.text import plain

YEARS = range(1970, 2200)
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FIELDS = ("minutes", "hours", "day of month", "month", "day of week", "year")

LONGEST = 256
"""Characters of an expression
(https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html)."""
LONGEST_RATE = 6
"""Digits of a rate's number: a million days are more than any date holds."""

DayTest = Callable[[date], bool]


class ScheduleError(ValueError):
    """An expression that the service would not take; the message says why."""


@dataclass(frozen=True)
class Rate:
    """Every so often, counted from when the schedule was made."""

    every: timedelta

    def fires(self, after: datetime, zone: ZoneInfo | None = None) -> Iterator[datetime]:
        """Yield the times at which it fires, counted from a moment."""
        moment = after
        while moment.replace(tzinfo=None) <= datetime.max - self.every:
            moment += self.every
            yield moment


@dataclass(frozen=True)
class Cron:
    """At certain minutes of certain days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    on: DayTest

    def fires(self, after: datetime, zone: ZoneInfo | None = None) -> Iterator[datetime]:
        """Yield the times at which it fires after a moment, in UTC, by a time zone's clock."""
        place = zone or ZoneInfo("UTC")
        local = after.astimezone(place)
        for day in self._days(local.date()):
            for moment in self._times(day, place):
                if moment > after:
                    yield moment

    def fires_from(self, first: int) -> bool:
        """Tell whether it ever fires in a year or after it.

        Years are of 14 kinds: leap or not, and of the weekday they begin with. One of each is
        looked at, so that an expression that never fires does not take all years to tell.
        """
        years = (year for year in sorted(self.years, reverse=True) if year >= first)
        kinds = {(calendar.isleap(year), date(year, 1, 1).weekday()): year for year in years}
        return any(True for year in kinds.values() for _ in self._days_of(year))

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            yield from (day for day in self._days_of(year) if day >= first)

    def _days_of(self, year: int) -> Iterator[date]:
        for month in sorted(self.months):
            for number in range(1, calendar.monthrange(year, month)[1] + 1):
                day = date(year, month, number)
                if self.on(day):
                    yield day

    def _times(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                wanted = datetime.combine(day, time(hour, minute), zone)
                moment = wanted.astimezone(UTC)
                # The date as well: a zone that crosses the date line leaves out a day.
                if moment.astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None):
                    yield moment


Schedule = Rate | Cron


def parse(expression: str) -> Schedule:
    """Return a schedule; raise :class:`ScheduleError` with what is wrong."""
    if len(expression) > LONGEST:
        raise ScheduleError(f"it has {len(expression):,} characters; the most is {LONGEST}")
    found = re.fullmatch(r"\s*(cron|rate)\((.*)\)\s*", expression)
    if found is None:
        raise ScheduleError("it must be cron(...) or rate(...)")
    return _cron(found[2]) if found[1] == "cron" else _rate(found[2])


def problem(expression: str) -> str | None:
    """Return what is wrong with an expression, or None; also where it would never fire."""
    try:
        schedule = parse(expression)
    except ScheduleError as error:
        return str(error)
    if isinstance(schedule, Cron) and not schedule.fires_from(2026):
        return "it never fires: no such day is left"
    return None


def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone; raise :class:`ScheduleError` where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ScheduleError(
            f"{plain(name, 60)!r} is not an IANA time zone such as Europe/Berlin"
        ) from None


MOST_FIRES = 20_000
"""Fires that are counted to tell how often there are any."""


def per_month(schedule: Schedule) -> int:
    """Return about how often a schedule fires in 30 days."""
    start = datetime(2027, 1, 1, tzinfo=UTC)
    if isinstance(schedule, Rate):
        return int(timedelta(days=30) / schedule.every)
    end = start + timedelta(days=364)
    fires = list(islice(takewhile(lambda moment: moment <= end, schedule.fires(start)), MOST_FIRES))
    if len(fires) == MOST_FIRES:
        return round(MOST_FIRES * timedelta(days=30) / (fires[-1] - start))
    return round(len(fires) * 30 / 364)


def _rate(text: str) -> Rate:
    found = re.fullmatch(r"\s*([0-9]+)\s+(minute|hour|day)(s?)\s*", text)
    if found is None:
        raise ScheduleError("rate needs a whole number and minutes, hours or days: rate(7 days)")
    if len(found[1]) > LONGEST_RATE:
        raise ScheduleError("the rate is too long")
    number = int(found[1])
    if number == 0:
        raise ScheduleError("rate must be at least 1")
    if (number == 1) == bool(found[3]):
        right = f"rate({number} {found[2]}{'' if number == 1 else 's'})"
        raise ScheduleError(f"the unit must agree with the number: {right}")
    return Rate(timedelta(**{f"{found[2]}s": number}))


def _cron(text: str) -> Cron:
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ScheduleError(
            f"cron needs 6 fields (minutes, hours, day of month, month, day of week, year), "
            f"not {len(fields)}"
        )
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError("exactly one of day of month and day of week must be ?")
    return Cron(
        minutes=_numbers("minutes", minutes, range(60)),
        hours=_numbers("hours", hours, range(24)),
        months=_numbers("month", months, range(1, 13), _named(MONTHS)),
        years=_numbers("year", years, YEARS),
        on=_any(_weekday, weekdays) if days == "?" else _any(_day, days),
    )


def _named(names: list[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, 1)}


def _numbers(
    field: str, text: str, allowed: range, names: dict[str, int] | None = None
) -> frozenset[int]:
    """Read a field: values, ranges and steps, separated by commas."""
    return frozenset(
        number for part in text.split(",") for number in _part(field, part, allowed, names or {})
    )


def _part(field: str, part: str, allowed: range, names: dict[str, int]) -> range:
    span, slash, step = part.partition("/")
    if slash and (not re.fullmatch("[0-9]{1,4}", step) or int(step) == 0):
        raise ScheduleError(f"the step in {field} {part!r} must be a number from 1")
    first, dash, last = span.partition("-")
    if span == "*":
        low, high = allowed[0], allowed[-1]
    else:
        low = _number(field, first, allowed, names)
        high = _number(field, last, allowed, names) if dash else (allowed[-1] if slash else low)
    if low > high:
        raise ScheduleError(f"the range in {field} {part!r} runs backwards")
    return range(low, high + 1, int(step) if slash else 1)


def _number(field: str, text: str, allowed: range, names: dict[str, int]) -> int:
    if text.upper() in names:
        return names[text.upper()]
    if text.isdecimal() and text.isascii() and len(text) < 5 and int(text) in allowed:
        return int(text)
    raise ScheduleError(f"{text!r} is not a value of {field}: {allowed[0]} to {allowed[-1]}")


def _any(read: Callable[[str], DayTest], text: str) -> DayTest:
    tests = [read(part) for part in dict.fromkeys(text.split(","))]
    return lambda day: any(test(day) for test in tests)


def _day(part: str) -> DayTest:
    """Read one part of the day of month: also ``L`` and ``15W``, the weekday nearest the 15th."""
    if part == "L":
        return lambda day: day.day == _last(day)
    if part == "LW":
        return lambda day: day == _nearest_weekday(day, _last(day))
    if part.endswith("W"):
        number = _number("day of month", part[:-1], range(1, 32), {})
        return lambda day: number <= _last(day) and day == _nearest_weekday(day, number)
    numbers = _numbers("day of month", part, range(1, 32))
    return lambda day: day.day in numbers


def _weekday(part: str) -> DayTest:
    """Read one part of the day of week: also ``6L``, the last Friday, and ``3#2``."""
    names, allowed = _named(WEEKDAYS), range(1, 8)
    if part == "L":
        part = "7"
    if part.endswith("L"):
        number = _number("day of week", part[:-1], allowed, names)
        return lambda day: _number_of(day) == number and day.day + 7 > _last(day)
    if "#" in part:
        which, _, nth = part.partition("#")
        number = _number("day of week", which, allowed, names)
        place = _number("day of week", nth, range(1, 6), {})
        return lambda day: _number_of(day) == number and (day.day - 1) // 7 + 1 == place
    numbers = _numbers("day of week", part, allowed, names)
    return lambda day: _number_of(day) in numbers


def _number_of(day: date) -> int:
    """Return 1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(month: date, number: int) -> date:
    """Return the weekday nearest to a day, in the same month."""
    wanted = month.replace(day=number)
    if wanted.isoweekday() == 6:
        return wanted - timedelta(days=1) if number > 1 else wanted + timedelta(days=2)
    if wanted.isoweekday() == 7:
        return wanted + timedelta(days=1) if number < _last(month) else wanted - timedelta(days=2)
    return wanted


_UNITS = {
    **dict.fromkeys(("second", "sec", "s"), 1),
    **dict.fromkeys(("minute", "min", "m"), 60),
    **dict.fromkeys(("hour", "hr", "h"), 3600),
    **dict.fromkeys(("day", "d"), 86_400),
    **dict.fromkeys(("week", "wk", "w"), 7 * 86_400),
    **dict.fromkeys(("month", "mon", "mo"), 30 * 86_400),
    **dict.fromkeys(("year", "yr", "y"), 365 * 86_400),
}
_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_NUMBERS = {
    **{word: number for number, word in enumerate(_ONES.split())},
    "a": 1,
    "an": 1,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
}
_PART = re.compile(r"\s*(?:,|and\b)?\s*([0-9]{1,9}(?:\.[0-9]{1,3})?|[a-z]+(?=\s))\s*([a-z]+)")


def seconds(duration: str) -> int | None:
    """Return the seconds of a duration, or None where it is not one.

    It is ``"365 days"``, and also ``"two days"``, ``"12h"`` or ``"1 day and 12 hours"``, as the
    AWS solution reads them. A month has 30 days and a year 365.
    """
    text, total = duration[:LONGEST].lower().strip(), 0.0
    while text:
        found = _PART.match(text)
        unit = _unit(found[2]) if found else None
        number = _number_of_words(found[1]) if found else None
        if found is None or unit is None or number is None:
            return None
        total += number * unit
        text = text[found.end() :].strip()
    return int(total) or (None if not duration.strip() else 0)


def _unit(word: str) -> int | None:
    return _UNITS.get(word, _UNITS.get(word.removesuffix("s")))


def _number_of_words(word: str) -> float | None:
    return float(word) if word[0].isdigit() else _NUMBERS.get(word)
