"""Estimates of what memory has no room for, beside what is counted exactly.

How far they may be off is the sources' own formula, of which sampling theory is the judge: a mean
square error of one standard error. Python hashes otherwise in each process, so that each run tries
other samples; what is allowed here is passed once in millions of runs.
"""

from __future__ import annotations

from collections import Counter
from math import sqrt
from random import Random
from statistics import fmean

import pytest

from mpe.model.service import counting, sketch
from mpe.model.service.counting import Tally
from mpe.model.service.profile import Profile
from mpe.model.service.sketch import Events, Ids

FAR = 6
"""Standard errors that no estimate here is off by."""


def halved(ids: list[str], times: int) -> Ids:
    """Count ids, of which half are forgotten so many times on the way."""
    made, part = Ids(), len(ids) // (times + 1)
    for number in range(times + 1):
        made.meet(ids[number * part : (number + 1) * part if number < times else None])
        if number < times:
            made.halve()
    return made


def test_ids_are_exact_until_they_are_halved() -> None:
    ids = Ids()
    ids.meet(["a", "b", "a"])
    assert (ids.distinct, ids.error, ids["a"]) == (2, 0.0, 2)


def test_what_is_left_of_ids_was_counted_from_the_first_on() -> None:
    met = [f"u{number % 500}" for number in range(5_000)]
    left = halved(met, 3)
    assert 0 < len(left) < 500
    assert dict(left) == dict.fromkeys(left, 10)


def test_the_error_of_a_count_of_ids_is_what_is_told() -> None:
    off = []
    for trial in range(60):
        found = halved([f"{trial} {number}" for number in range(2_000)], 2)
        off.append(((found.distinct / 2_000 - 1) / found.error) ** 2)
    assert 0.3 < fmean(off) < 2.2, "of 60 trials the mean of the squares is 1, within 0.2"


def test_a_part_of_the_events_tells_how_many_are_of_some_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sketch, "MOST_EVENTS", 20_000)
    random = Random(1)
    first = Ids()
    first.meet([f"i{random.randrange(1_000)}" for _ in range(20_000)])
    exactly, sample = Counter(first), Events.of(first)
    for _ in range(30):
        more = [f"i{random.randrange(1_000)}" for _ in range(1_000)]
        exactly.update(more)
        sample.meet(more)
    rows = exactly.total()
    assert sample.share < 0.5, "it was halved on the way"
    assert 10_000 * 0.9 < len(sample.ids) <= 20_000
    some = {f"i{number}" for number in range(300)}
    among = sum(exactly[id] for id in some)
    assert abs(sample.among(some) - among) / rows < FAR * sample.error
    assert abs(sample.counts().total() / rows - 1) < 0.01


@pytest.fixture(scope="module")
def rows() -> list[str]:
    """Return interactions of 4,000 users and 6,000 items, of which some are met far more often."""
    random = Random(2)
    found = [
        f"u{random.randrange(4_000)},i{int(random.random() ** 3 * 6_000)},{1_700_000_000 + number}"
        for number in range(30_000)
    ]
    return [f"{row}\n" for row in ("USER_ID,ITEM_ID,TIMESTAMP", *found)]


def profiled(rows: list[str]) -> tuple[Tally, Profile]:
    tally = Tally("interactions", sketches=True)
    tally.add(rows, go_on=lambda: True)
    return tally, tally.profile(tally.unknown({f"i{number}" for number in range(100)}))


def test_what_is_estimated_is_what_is_counted_within_its_error(
    rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, counted = profiled(rows)
    monkeypatch.setattr(counting, "MOST_IDS", 2_000)
    tally, estimated = profiled(rows)
    assert counted.errors == {}
    assert estimated.errors.keys() == {"users", "items", "events"}
    for name in ("users", "items"):
        exactly, about = getattr(counted, name), getattr(estimated, name)
        assert abs(about / exactly - 1) < FAR * estimated.errors[name], name
    assert (counted.unknown_items, estimated.unknown_items) != (None, None)
    off = (estimated.unknown_items or 0) - (counted.unknown_items or 0)
    assert abs(off) / 30_000 < FAR * estimated.errors["events"]
    assert estimated.rows("interactions") == counted.rows("interactions") == 30_000
    assert (estimated.oldest, estimated.newest) == (counted.oldest, counted.newest)
    assert len(tally.users) + len(tally.items) <= 2_000 + counting.LOOKS * 2


def test_how_active_users_are_is_told_of_all_of_them(
    rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, counted = profiled(rows)
    monkeypatch.setattr(counting, "MOST_IDS", 2_000)
    tally, estimated = profiled(rows)
    sure = FAR / sqrt(len(tally.users))
    assert sum(counted.activity.values()) == counted.users
    for name, exactly in counted.activity.items():
        assert abs(estimated.activity[name] - exactly) / 4_000 < sure, name
