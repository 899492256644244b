"""Since when a job must have been made: of newer data, or of an age."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mpe.aws.freshness import Freshness
from mpe.aws.objects import Completed
from mpe.aws.personalize import Personalize
from mpe.model.config.parse import parse
from mpe.model.plan.desired import Desired, Place, desired_state
from mpe.model.plan.reconcile import Create, Keep, Observed, decide
from tests.conftest import ROLE, Emulated, config

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Fixed:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW

    def ago(self, seconds: float) -> datetime:
        return NOW - timedelta(seconds=seconds)


class Empty:
    """A ledger that knows nothing."""

    def seen(self, group: str, job: str) -> None:
        return None

    def pointer(self, group: str, campaign: str) -> None:
        return None


def the_import(max_age: int | None) -> Desired:
    place = Place("us-east-1", "000000000000", "data", ROLE)
    state = desired_state(parse(json.dumps(config())), place, version="1")
    return replace(state.resources["import.interactions"], max_age=max_age)


@pytest.mark.parametrize(
    ("max_age", "made", "changed", "again"),
    [
        pytest.param(None, 3, 5, False, id="older-data"),
        pytest.param(None, 3, 1, True, id="newer-data"),
        pytest.param(7 * 86_400, 9, 12, False, id="too-old-and-no-newer-data"),
        pytest.param(7 * 86_400, 3, 1, False, id="newer-data-and-not-too-old"),
        pytest.param(7 * 86_400, 9, 1, True, id="too-old-and-newer-data"),
    ],
)
def test_an_import_of_an_age_is_made_again_where_there_is_newer_data_as_well(
    emulated: Emulated, max_age: int | None, made: int, changed: int, again: bool
) -> None:
    """maxAge is read as the AWS solution reads it."""
    desired = the_import(max_age)
    clock = Fixed()
    fresh = Freshness(Personalize(emulated.client), Empty(), clock)  # type: ignore[arg-type]
    arn = "arn:aws:personalize:us-east-1:000000000000:dataset-import-job/one"
    observed = Observed(arn, created=NOW - made * DAY, settled=NOW - made * DAY)
    completed = Completed(desired, NOW - changed * DAY)
    since = fresh.since("films", completed, observed)
    expected = Create("stale") if again else Keep(arn)
    assert decide(desired, observed, fresh_since=since) == expected
