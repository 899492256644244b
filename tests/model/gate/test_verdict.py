"""Whether a version may be served, from numbers alone."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.gate.terms import Gate, knows, merged, share
from mpe.model.gate.verdict import ENOUGH, judge, promotes, tolerance
from mpe.model.gate.versions import Version
from mpe.model.service.recipes import PREFIX, RECIPES

NDCG = "normalized_discounted_cumulative_gain_at_10"
SOLUTION = "arn:aws:personalize:eu-west-1:000000000000:solution/films"


def version(ndcg: float | None, number: int = 1, **more: Any) -> Version:
    metrics = {} if ndcg is None else {NDCG: ndcg, "coverage": 0.3}
    return Version(f"{SOLUTION}/{number}", metrics, **more)


def gate(**metrics: Any) -> Gate:
    return Gate.of({"mode": "hold", "metrics": {NDCG: metrics}})


def noisy(spread: float, count: int = 12, seed: int = 7) -> list[Version]:
    """Return versions that are equally good but for noise."""
    chance = random.Random(seed)
    return [version(0.1 * (1 + chance.gauss(0, spread)), number) for number in range(count)]


def test_what_is_too_low_in_itself_is_held_also_as_a_first_version() -> None:
    verdict = judge(gate(atLeast=0.02), version(0.01), live=None)
    assert verdict.word == "hold"
    (reason,) = verdict.reasons
    assert (reason.rule, reason.value, reason.limit) == ("MPE-Q006", 0.01, 0.02)
    assert judge(gate(atLeast=0.02), version(0.02), live=None).word == "pass"


def test_what_is_worse_than_the_limit_is_held() -> None:
    assert judge(gate(notBelow="-20%"), version(0.079), live=version(0.1)).word == "hold"
    assert judge(gate(notBelow="-20%"), version(0.081), live=version(0.1)).word == "pass"


def test_a_metric_that_rises_beyond_belief_is_held() -> None:
    """One single timestamp made NDCG@10 rise by 231 %, a catalogue cut to 300 items by 118 %."""
    verdict = judge(Gate(mode="hold"), version(0.1 * 3.31), live=version(0.1))
    assert (verdict.word, verdict.reasons[0].rule) == ("hold", "MPE-Q008")
    assert judge(Gate(mode="hold"), version(0.1 * 2.18), live=version(0.1)).word == "hold"


def test_shuffled_items_are_held_once_the_noise_is_known() -> None:
    """Shuffled items made NDCG@10 fall by 66 %."""
    verdict = judge(gate(notBelow="auto"), version(0.034), live=version(0.1), history=noisy(0.05))
    assert (verdict.word, verdict.reasons[0].rule) == ("hold", "MPE-Q007")


def test_of_equally_good_versions_few_are_held() -> None:
    """At most one of ten, from six versions on; a fixed limit of 5 % holds a third of them."""
    held = fixed = 0
    chance = random.Random(11)
    for number in range(200):
        history = noisy(0.1, ENOUGH, seed=number)
        live, new = (version(0.1 * (1 + chance.gauss(0, 0.1)), n) for n in (number, number + 1))
        held += judge(gate(notBelow="auto"), new, live=live, history=history).word == "hold"
        fixed += judge(gate(notBelow="-5%"), new, live=live).word == "hold"
    assert held <= 20
    assert fixed >= 60


def test_before_the_noise_is_known_a_fall_is_inconclusive_and_a_rise_passes() -> None:
    few = noisy(0.05, ENOUGH - 1)
    assert tolerance(NDCG, few) is None
    assert judge(gate(notBelow="auto"), version(0.05), live=version(0.1)).word == "inconclusive"
    assert judge(gate(notBelow="auto"), version(0.12), live=version(0.1)).word == "pass"


@pytest.mark.parametrize(
    ("tested", "noise"), [(680, 0.49), (2_500, 0.26), (10_000, 0.13), (25_000, 0.1)]
)
def test_before_that_the_noise_is_reckoned_from_the_users(tested: int, noise: float) -> None:
    """The figures are the specification's: of 68, 250, 1,000 and 2,500 users who are tested."""
    assert tolerance(NDCG, [], tested) == pytest.approx(noise, abs=0.01)
    worse = version(0.1 * (1 - noise - 0.02), tested=tested)
    assert judge(gate(notBelow="auto"), worse, live=version(0.1)).word == "hold"
    alike = version(0.1 * (1 - noise + 0.02), tested=tested)
    assert judge(gate(notBelow="auto"), alike, live=version(0.1)).word == "pass"


def test_of_few_users_nothing_can_be_said() -> None:
    verdict = judge(gate(notBelow="auto"), version(0.09, tested=300), live=version(0.1))
    assert verdict.word == "inconclusive"
    assert "says nothing" in verdict.reasons[0].told


def test_six_versions_tell_better_than_the_users() -> None:
    steady = noisy(0.02)
    assert tolerance(NDCG, steady, 100) == tolerance(NDCG, steady) == pytest.approx(0.1)


def test_where_the_metric_is_mostly_noise_nothing_can_be_said() -> None:
    verdict = judge(gate(notBelow="auto"), version(0.02), live=version(0.1), history=noisy(0.6))
    assert verdict.word == "inconclusive"
    assert "says nothing" in verdict.reasons[0].told


def test_versions_of_another_making_are_not_compared_and_that_is_said() -> None:
    for live in (version(1.0, mode="UPDATE"), version(1.0, setup="a")):
        verdict = judge(gate(notBelow="-20%"), version(0.1, setup="b"), live=live)
        assert verdict.word == "pass"
        assert "not compared" in verdict.notes[0]


def test_an_update_training_is_not_judged_by_metrics() -> None:
    verdict = judge(gate(atLeast=1.0), version(0.1, mode="UPDATE"), live=version(0.9))
    assert (verdict.word, len(verdict.notes)) == ("pass", 1)


def test_what_is_no_better_than_a_simple_model_is_held() -> None:
    wanted = Gate.of({"mode": "hold", "baseline": {"solution": "popular", "lift": 1.1}})
    simple = version(0.1)
    assert judge(wanted, version(0.105), live=None, baseline=simple).reasons[0].rule == "MPE-Q009"
    assert judge(wanted, version(0.111), live=None, baseline=simple).word == "pass"
    assert judge(wanted, version(0.111), live=None).word == "inconclusive"


@pytest.mark.parametrize(
    ("new", "live"),
    [(version(None), version(0.1)), (version(0.1), version(None))],
    ids=["of the new one", "of the live one"],
)
def test_missing_metrics_are_inconclusive(new: Version, live: Version) -> None:
    assert judge(gate(notBelow="-20%"), new, live=live).word == "inconclusive"


numbers = st.floats(0, 1) | st.none()


@given(numbers, numbers, st.lists(numbers, max_size=9), st.sampled_from(["auto", "-20%"]))
def test_every_version_gets_a_verdict(
    new: float | None, live: float | None, before: list[float | None], below: str
) -> None:
    verdict = judge(
        gate(notBelow=below, notAbove="+100%", atLeast=0.1),
        version(new),
        live=version(live),
        history=[version(one) for one in before],
    )
    assert verdict.word in {"pass", "hold", "inconclusive"}
    assert (verdict.word == "pass") == (not verdict.reasons)
    json.dumps(verdict.as_dict())


@pytest.mark.parametrize(
    ("mode", "served"),
    [
        ("observe", {"pass", "hold", "inconclusive"}),
        ("hold", {"pass", "inconclusive"}),
        ("approve", set()),
    ],
)
def test_what_a_mode_lets_through(mode: Any, served: set[str]) -> None:
    words = {"pass", "hold", "inconclusive"}
    assert {one for one in words if promotes(Gate(mode=mode), {"word": one})} == served


def test_metrics_are_those_of_the_recipes_type() -> None:
    """As real outputs have them, kept in notebooks and in the guide."""
    segments = RECIPES[f"{PREFIX}aws-item-affinity"]
    items = RECIPES[f"{PREFIX}aws-user-personalization"]
    assert knows(items, NDCG)
    assert not knows(items, "hits_at_1_percent")
    assert knows(segments, "hits_at_1_percent")
    assert not knows(segments, "mean_reciprocal_rank_at_25")


def test_a_group_s_gate_is_overridden_key_by_key() -> None:
    segments = RECIPES[f"{PREFIX}aws-item-affinity"]
    group = {"mode": "hold", "metrics": {NDCG: {}, "coverage": {}}, "baseline": {"solution": "a"}}
    assert merged(group, {"mode": "off"}, "films", None) == {**group, "mode": "off"}
    assert set(merged(group, {}, "films", segments)["metrics"]) == {"coverage"}
    assert "baseline" not in merged(group, {}, "a", None), "none is its own baseline"


def test_shares_are_read_with_their_sign() -> None:
    assert (share("-20%"), share("+12.5%"), share("20%"), share("x")) == (-0.2, 0.125, None, None)
