"""Schedules are read and foretold as EventBridge Scheduler documents them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.service.schedules import ScheduleError, parse, per_month, problem, seconds, zone

START = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # a Tuesday


def fires(expression: str, count: int = 3, place: str = "UTC") -> list[str]:
    found = islice(parse(expression).fires(START, zone(place)), count)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # the documented examples, and each sign of the grammar
        ("cron(15 10 * * ? *)", ["2026-11-25 10:15", "2026-11-26 10:15", "2026-11-27 10:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-24 18:00", "2026-11-25 18:00", "2026-11-26 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00", "2027-01-01 08:00", "2027-02-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-11-24 12:45", "2026-11-24 13:00", "2026-11-24 13:15"]),
        (
            "cron(0/10 * ? * MON-FRI *)",
            ["2026-11-24 12:40", "2026-11-24 12:50", "2026-11-24 13:00"],
        ),
        (
            "cron(15 10 ? * 6L 2026-2027)",
            ["2026-11-27 10:15", "2026-12-25 10:15", "2027-01-29 10:15"],
        ),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07 09:00", "2027-01-04 09:00", "2027-02-01 09:00"]),
        ("cron(0 9 ? * L *)", ["2026-11-28 09:00", "2026-12-05 09:00", "2026-12-12 09:00"]),
        ("cron(0 9 15W * ? *)", ["2026-12-15 09:00", "2027-01-15 09:00", "2027-02-15 09:00"]),
        ("cron(0 9 1W * ? *)", ["2026-12-01 09:00", "2027-01-01 09:00", "2027-02-01 09:00"]),
        ("cron(0 9 LW * ? *)", ["2026-11-30 09:00", "2026-12-31 09:00", "2027-01-29 09:00"]),
        (
            "cron(0 9,21 1,15 jan,JUL ? *)",
            ["2027-01-01 09:00", "2027-01-01 21:00", "2027-01-15 09:00"],
        ),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("rate(1 hour)", ["2026-11-24 13:30", "2026-11-24 14:30", "2026-11-24 15:30"]),
        ("rate(7 days)", ["2026-12-01 12:30", "2026-12-08 12:30", "2026-12-15 12:30"]),
    ],
)
def test_it_fires_when_it_should(expression: str, expected: list[str]) -> None:
    assert fires(expression) == expected


def test_the_weekday_nearest_a_weekend_stays_in_its_month() -> None:
    nearest = fires("cron(0 9 1W 5,8 ? *)", 2)
    assert nearest == ["2027-05-03 09:00", "2027-08-02 09:00"]  # a Saturday, a Sunday
    assert fires("cron(0 9 31W 1 ? 2027-2028)", 2) == ["2027-01-29 09:00", "2028-01-31 09:00"]


def test_a_time_zone_moves_it_with_daylight_saving_time() -> None:
    assert fires("cron(0 9 1 3,4 ? 2027)", 2, "Europe/Berlin") == [
        "2027-03-01 08:00",
        "2027-04-01 07:00",
    ]


def test_a_time_that_daylight_saving_leaves_out_does_not_fire() -> None:
    assert fires("cron(30 2 27-29 3 ? 2027)", 3, "Europe/Berlin") == [
        "2027-03-27 01:30",
        "2027-03-29 00:30",
    ]


def test_a_time_that_daylight_saving_repeats_fires_once() -> None:
    assert fires("cron(30 2 31 10 ? 2027)", 3, "Europe/Berlin") == ["2027-10-31 00:30"]


@pytest.mark.parametrize(
    ("place", "left_out"),
    [
        ("Africa/Cairo", date(2027, 4, 30)),
        ("America/Havana", date(2027, 3, 14)),
        ("America/Santiago", date(2027, 9, 5)),
        ("America/Sao_Paulo", date(2018, 11, 4)),
        ("Asia/Beirut", date(2027, 3, 28)),
        ("Atlantic/Azores", date(2027, 3, 28)),
        ("Pacific/Apia", date(2011, 12, 30)),  # the whole day
    ],
)
def test_a_midnight_that_a_clock_change_leaves_out_does_not_fire(
    place: str, left_out: date
) -> None:
    """What AWS's guide says of a time that does not exist; the tz database knows which these are.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    first = left_out - timedelta(days=1)
    start = datetime.combine(first, time(), ZoneInfo(place)) - timedelta(seconds=1)
    found = islice(parse("cron(0 0 * * ? *)").fires(start, zone(place)), 2)
    days = [one.astimezone(ZoneInfo(place)).date() for one in found]
    assert days == [first, left_out + timedelta(days=1)]


@pytest.mark.parametrize("place", ["Africa/Cairo", "America/Havana", "Asia/Beirut"])
def test_an_hour_around_midnight_that_is_repeated_fires_once(place: str) -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for expression in ("cron(30 23 * * ? *)", "cron(30 0 * * ? *)"):
        found = islice(parse(expression).fires(start, zone(place)), 100)
        days = [one.astimezone(ZoneInfo(place)).date() for one in found]
        assert len(set(days)) == 100


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("daily", "must be cron(...) or rate(...)"),
        ("at(2026-11-24T12:00:00)", "must be cron(...) or rate(...)"),
        ("cron(0 0 * * *)", "6 fields"),
        ("cron(0 0 * * ? * *)", "not 7"),
        ("cron(0 0 * * * *)", "exactly one of"),
        ("cron(0 0 ? * ? *)", "exactly one of"),
        ("cron(60 0 * * ? *)", "'60' is not a value of minutes"),
        ("cron(0 24 * * ? *)", "'24' is not a value of hours"),
        ("cron(0 0 32 * ? *)", "day of month"),
        ("cron(0 0 ? * 8 *)", "day of week"),
        ("cron(0 0 ? * 0 *)", "day of week: 1 to 7"),
        ("cron(0 0 * 13 ? *)", "month"),
        ("cron(0 0 * * ? 1969)", "year"),
        ("cron(0 10-5 * * ? *)", "runs backwards"),
        ("cron(0/0 * * * ? *)", "must be a number from 1"),
        ("cron(0 0 ? * 2#6 *)", "1 to 5"),
        ("cron(0 0 ? * MON-FRY *)", "'FRY'"),
        ("cron(0 0 30 2 ? *)", "never fires"),
        ("cron(0 0 1 1 ? 2020)", "never fires"),
        ("rate(0 days)", "at least 1"),
        ("rate(1 days)", "rate(1 day)"),
        ("rate(5 day)", "rate(5 days)"),
        ("rate(1 week)", "minutes, hours or days"),
        ("rate(1.5 hours)", "whole number"),
        ("rate(99999999999999 days)", "too long"),
    ],
)
def test_a_wrong_expression_is_told(expression: str, message: str) -> None:
    assert message in (problem(expression) or "")


def test_an_unknown_time_zone_is_told() -> None:
    with pytest.raises(ScheduleError, match="IANA"):
        zone("Berlin")


@given(st.text(max_size=40), st.sampled_from(["{}", "cron({})", "rate({})"]))
def test_any_text_is_a_schedule_or_a_problem(text: str, form: str) -> None:
    told = problem(form.format(text))
    if told is None:
        assert parse(form.format(text))


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.integers(1, 7),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_a_weekly_schedule_fires_every_week(minute: int, hour: int, day: int, at: datetime) -> None:
    after = at.replace(tzinfo=UTC)
    one, two = islice(parse(f"cron({minute} {hour} ? * {day} *)").fires(after), 2)
    assert after < one <= after + timedelta(days=7)
    assert two - one == timedelta(days=7)


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("rate(1 day)", 30),
        ("cron(0 0 ? * 1 *)", 4),
        ("cron(0 0 * * ? *)", 30),
        ("cron(* * * * ? *)", 43200),
    ],
)
def test_how_often_it_fires_in_a_month(expression: str, times: int) -> None:
    assert per_month(parse(expression)) == times


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("365 days", 365 * 86400),
        ("1 day", 86400),
        (" 2 Weeks ", 14 * 86400),
        ("1 month", 30 * 86400),
        ("90 minutes", 5400),
        ("a while", None),
        ("-1 day", None),
        ("1 fortnight", None),
    ],
)
def test_a_duration_is_seconds(duration: str, expected: int | None) -> None:
    assert seconds(duration) == expected
