"""Whether a campaign that has moved does well, from what CloudWatch counted of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.gate.watch import Alarm, Traffic, WatchTerms, judge_watch, requests_of, summed
from mpe.model.rules.gate import LIMIT
from mpe.model.service.recipes import (
    PERSONALIZED_ACTIONS,
    PERSONALIZED_RANKING,
    RELATED_ITEMS,
    USER_PERSONALIZATION,
)
from tests.conftest import config
from tests.model.rules.broken import BEGAN

TERMS = WatchTerms.of({"latency": "1 second", "alarms": ["clicks"]})
QUIET = [Alarm("clicks", "OK", BEGAN)]


def word(traffic: Traffic, alarms: list[Alarm] = QUIET, terms: WatchTerms = TERMS) -> str:
    return judge_watch(terms, traffic, alarms, BEGAN).word


def test_without_a_word_it_is_two_hours_and_one_in_a_hundred() -> None:
    assert WatchTerms.of({}) == WatchTerms(7_200, 0.01, None, (), True)
    own = {"for": "30 minutes", "errors5xx": 0.2, "latency": "2 s", "rollBack": False}
    assert WatchTerms.of(own) == WatchTerms(1_800, 0.2, 2.0, (), False)


def test_more_errors_than_the_limit_break_it_and_as_many_do_not() -> None:
    assert word(Traffic(99, 0, 1)) == "pass"
    assert word(Traffic(98, 0, 2)) == "hold"


def test_of_fewer_than_a_hundred_requests_nothing_can_be_said() -> None:
    assert word(Traffic(0, 0, 99)) == "inconclusive"
    assert word(Traffic(0, 0, 100)) == "hold"
    assert word(Traffic(99, 0, 0, 9.0)) == "inconclusive"


def test_requests_that_were_wrong_themselves_are_requests_and_no_failures() -> None:
    assert word(Traffic(0, 100, 0)) == "pass"


def test_missing_data_never_breaks_a_limit() -> None:
    assert word(Traffic()) == "inconclusive"
    assert word(Traffic(100)) == "pass", "no latency is known"
    assert word(Traffic(100), []) == "inconclusive", "there is no such alarm"


def test_slow_answers_break_the_limit_that_is_asked_for() -> None:
    assert word(Traffic(100, 0, 0, 1.1)) == "hold"
    assert word(Traffic(100, 0, 0, 1.1), terms=WatchTerms()) == "pass"


def test_an_alarm_counts_that_goes_off_after_the_move() -> None:
    before = BEGAN - timedelta(seconds=1)
    assert word(Traffic(), [Alarm("clicks", "ALARM", BEGAN)]) == "hold"
    assert word(Traffic(100), [Alarm("clicks", "ALARM", before)]) == "pass"
    assert word(Traffic(100), [Alarm("clicks", "INSUFFICIENT_DATA", BEGAN)]) == "pass"
    assert word(Traffic(100), [*QUIET, Alarm("another", "ALARM", BEGAN)]) == "pass"


def test_the_requests_of_a_recipe_are_of_its_operation() -> None:
    assert requests_of(PERSONALIZED_RANKING) == "GetPersonalizedRanking"
    assert {requests_of(one) for one in (USER_PERSONALIZATION, RELATED_ITEMS)} == {
        "GetRecommendations"
    }
    assert requests_of(PERSONALIZED_ACTIONS) is None


def test_a_busy_minute_counts_by_its_requests() -> None:
    first, second = BEGAN, BEGAN + timedelta(minutes=1)
    counts = {
        "Get": {first: 100.0, second: 300.0},
        "Get5xxErrors": {second: 4.0},
        "GetLatency": {first: 100.0, second: 500.0},
    }
    assert summed(counts, "Get") == Traffic(400.0, 0.0, 4.0, 0.4)
    assert summed({}, "Get") == Traffic()


@pytest.mark.parametrize(
    ("watch", "path"),
    [
        ({"errors5xx": 1}, "errors5xx"),
        ({"errors5xx": -0.1}, "errors5xx"),
        ({"for": "soon"}, "for"),
        ({"for": "8 days"}, "for"),
        ({"latency": "quick"}, "latency"),
    ],
)
@pytest.mark.parametrize("place", ["datasetGroup", "solutions"])
def test_terms_that_nothing_could_keep_or_break_are_refused(
    watch: dict[str, Any], path: str, place: str
) -> None:
    document = config()
    section = document[place] if place == "datasetGroup" else document[place][0]
    section["workflowConfig"] = {"gate": {"watch": watch}}
    with pytest.raises(ConfigError) as refused:
        parse(json.dumps(document))
    found = [one for one in refused.value.problems if one.rule == LIMIT.id]
    assert [one.path.rpartition(".gate.")[2] for one in found] == [f"watch.{path}"]


counted = st.floats(0, 1e9)


@given(answered=counted, refused=counted, failed=counted)
def test_any_traffic_has_a_verdict(answered: float, refused: float, failed: float) -> None:
    traffic = Traffic(answered, refused, failed)
    assert word(traffic) in {"pass", "hold", "inconclusive"}
    if traffic.requests < 100:
        assert word(traffic) == "inconclusive"


@pytest.mark.parametrize("limit", [None, 0.5])
def test_what_is_not_asked_is_not_judged(limit: float | None) -> None:
    assert word(Traffic(60, 0, 40), terms=WatchTerms(errors=limit)) == "pass"
