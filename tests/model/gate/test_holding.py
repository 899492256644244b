"""When a hold ends, and when a live model is old."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mpe.model.gate.holding import EXPIRES, HoldTerms, too_old, waiting
from mpe.model.gate.pointer import ModelPointer, judged

AT, LATER = "2026-03-02T10:00:00.000+00:00", "2026-03-04T10:00:00.000+00:00"
DAY = 86_400
HELD = {"live": "v/1", "newest": "v/2", "decision": None, "passes": False, "reason": "worse."}


def test_a_hold_lasts_three_days_unless_the_config_says_otherwise() -> None:
    assert (HoldTerms.of({}).expires, EXPIRES) == (EXPIRES, 3 * DAY)
    assert HoldTerms.of({"hold": {"expires": "12 hours"}}).expires == DAY // 2


def test_a_hold_counts_from_when_it_began_however_often_it_is_looked_at() -> None:
    first = judged(ModelPointer("v/1"), at=AT, **HELD)
    again = judged(first, at=LATER, **HELD)
    assert (waiting(first), waiting(again)) == (datetime.fromisoformat(AT),) * 2


def test_a_newer_version_that_is_held_has_a_beginning_of_its_own() -> None:
    first = judged(ModelPointer("v/1"), at=AT, **HELD)
    newer = judged(first, at=LATER, **{**HELD, "newest": "v/3"})
    assert waiting(newer) == datetime.fromisoformat(LATER)


@pytest.mark.parametrize(
    "pointer",
    [
        ModelPointer("v/1"),
        ModelPointer("v/1", held="v/2", since=AT, barred=("v/2",)),
        ModelPointer("v/1", held="v/2", since=AT, frozen="the sale"),
        ModelPointer("v/1", held="v/2"),
        judged(ModelPointer("v/1"), at=AT, **HELD).moved("v/2", by="me", why="", at=LATER),
    ],
    ids=["nothing", "rolled back", "frozen", "of an older release", "approved"],
)
def test_what_waits_for_no_decision_has_no_such_time(pointer: ModelPointer) -> None:
    assert waiting(pointer) is None


def test_an_expired_hold_comes_back_by_no_run_and_says_why() -> None:
    found = judged(ModelPointer("v/1"), at=AT, **{**HELD, "decision": "expired", "passes": True})
    assert (found.version, found.held) == ("v/1", "v/2")
    assert "expired" in found.reason


MONDAY = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "days", "old"),
    [
        ("rate(7 days)", 13.9, False),
        ("rate(7 days)", 14.1, True),
        ("cron(0 3 ? * MON *)", 13.9, False),
        ("cron(0 3 ? * MON *)", 14.1, True),
        ("cron(0 3 ? * MON-FRI *)", 5.9, False),  # from Friday to Monday are three days
        ("cron(0 3 ? * MON-FRI *)", 6.1, True),
        ("cron(0 3 1 * ? *)", 61, False),  # two months of 31 days
        ("cron(0 3 1 * ? *)", 62.5, True),
        ("cron(0 3 1 1 ? 2020)", 10_000, False),  # it never fires again
    ],
)
def test_a_model_is_old_after_twice_the_longest_time_between_two_trainings(
    expression: str, days: float, old: bool
) -> None:
    assert too_old(MONDAY, days * DAY, expression, "UTC") is old
