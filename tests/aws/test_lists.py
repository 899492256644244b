"""What a campaign answers, and how many probes it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from mpe.aws.lists import COUNT, Lists
from mpe.model.gate.smoke import UNANSWERED, Probe
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, PERSONALIZED_RANKING

CAMPAIGN = "arn:aws:personalize:us-east-1:000000000000:campaign/live"


@dataclass
class Runtime:
    """The runtime: what it was asked, and what it answers to the first."""

    fails: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def answer(**given: Any) -> Any:
            self.asked.append((name, given))
            if self.fails:
                raise self.fails.pop(0)
            items, actions = [{"itemId": "i1"}, {"itemId": "i2"}], [{"actionId": "a1"}]
            return {"itemList": items, "personalizedRanking": items, "actionList": actions}

        return answer


def ask(
    runtime: Runtime, *probes: Probe, recipe: str = "", rate: float = 4, within: float = 9
) -> Any:
    """Return the answers, and how long it was waited after each."""
    pauses = list[float]()
    lists = Lists(runtime, pauses.append)
    return list(lists.ask(CAMPAIGN, recipe, probes, rate=rate, within=within)), pauses


PROBES = tuple(Probe(f"u{number}") for number in range(5))


@pytest.mark.parametrize(
    ("rate", "within", "asked"), [(2, 1.5, 3), (0.5, 3, 1), (0.5, 1, 1), (9, 9, 5)]
)
def test_as_many_are_asked_as_the_time_is_for_and_one_at_least(
    rate: float, within: float, asked: int
) -> None:
    answers, pauses = ask(runtime := Runtime(), *PROBES, rate=rate, within=within)
    assert [one.probe for one in answers] == list(PROBES[:asked])
    assert [given["userId"] for _, given in runtime.asked] == [one.user for one in PROBES[:asked]]
    assert pauses == [1 / rate] * asked


def test_an_answer_says_how_long_it_took() -> None:
    began = monotonic()
    answers, _ = ask(Runtime(), *PROBES)
    assert 0 <= sum(one.seconds for one in answers) <= monotonic() - began


def test_it_is_waited_after_an_answer_whose_time_the_wait_is_no_part_of() -> None:
    pauses = list[float]()
    answers = Lists(Runtime(), pauses.append).ask(CAMPAIGN, "", PROBES, rate=4, within=9)
    next(answers)
    assert pauses == []
    next(answers)
    assert pauses == [0.25]


def test_what_fails_is_told_by_its_code_and_the_others_are_asked_all_the_same() -> None:
    def error(**told: str) -> ClientError:
        return ClientError({"Error": told}, "GetRecommendations")

    fails = [error(Code="Throttling"), error(), ReadTimeoutError(endpoint_url="https://here")]
    answers, _ = ask(Runtime(fails), *PROBES[:4])
    assert [one.error for one in answers] == ["Throttling", "unknown", UNANSWERED, ""]
    assert [one.items for one in answers] == [(), (), (), ("i1", "i2")]


@pytest.mark.parametrize(
    ("recipe", "probe", "call", "given", "items"),
    [
        pytest.param("", Probe("u1"), "get_recommendations",
                     {"userId": "u1", "numResults": COUNT}, ("i1", "i2"), id="of-a-user"),
        pytest.param("", Probe(item="i9"), "get_recommendations",
                     {"itemId": "i9", "numResults": COUNT}, ("i1", "i2"), id="of-an-item"),
        pytest.param("", Probe("u1", filter="arn:f"), "get_recommendations",
                     {"userId": "u1", "numResults": COUNT, "filterArn": "arn:f"}, ("i1", "i2"),
                     id="filtered"),
        pytest.param(PERSONALIZED_RANKING, Probe("u1", ranked=("i3", "i4"), filter="arn:f"),
                     "get_personalized_ranking",
                     {"userId": "u1", "inputList": ["i3", "i4"], "filterArn": "arn:f"},
                     ("i1", "i2"), id="ranked"),
        pytest.param(PERSONALIZED_ACTIONS, Probe("u1", filter="arn:f"),
                     "get_action_recommendations", {"userId": "u1", "filterArn": "arn:f"},
                     ("a1",), id="actions"),
    ],
)  # fmt: skip
def test_each_recipe_is_asked_by_its_own_call(
    recipe: str, probe: Probe, call: str, given: dict[str, Any], items: tuple[str, ...]
) -> None:
    (answer,), _ = ask(runtime := Runtime(), probe, recipe=recipe)
    assert runtime.asked == [(call, {"campaignArn": CAMPAIGN, **given})]
    assert (answer.items, answer.error) == (items, "")
