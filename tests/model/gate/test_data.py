"""What is thought of data before it is imported: by its counts, and by an earlier import's."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from mpe.model.gate.data import (
    USUAL,
    DataLimits,
    by_chance,
    divergence,
    judge_data,
    not_profiled,
    usual,
)
from mpe.model.gate.verdict import Verdict
from mpe.model.service.counting import Tally
from mpe.model.service.profile import DatasetProfile, Profile
from tests.films import BROKEN, CATALOGUE, Row, csv, ratings, shuffled_items

RULES = {
    "half the users lost": {"MPE-Q013", "MPE-Q014"},
    "newer half's item ids wrong": {"MPE-Q018"},
    "one single timestamp": {"MPE-Q019"},
    "catalogue cut to 300 items": {"MPE-Q013", "MPE-Q015", "MPE-Q018"},
}


def profiled(rows: tuple[Row, ...] | list[Row], items: frozenset[str] | None = None) -> Profile:
    tally = Tally("interactions")
    tally.add(csv(rows).splitlines(keepends=True), go_on=lambda: True)
    return tally.profile(None if items is None else tally.unknown(tally.met() - set(items)))


def thought(
    new: Profile, live: Profile | None, limits: DataLimits | None = None, now: float | None = None
) -> Verdict:
    return judge_data(limits or DataLimits(), "interactions", new, live=live, now=now)


def rules(verdict: Verdict) -> set[str]:
    return {one.rule for one in verdict.reasons}


@pytest.mark.parametrize("how", BROKEN)
def test_broken_data_is_held_before_its_import(how: str) -> None:
    good = ratings()
    verdict = thought(profiled(BROKEN[how](good)), profiled(good))
    assert (verdict.word, rules(verdict)) == ("hold", RULES[how])


def test_shuffled_items_are_for_the_metrics_to_find() -> None:
    good = ratings()
    assert thought(profiled(shuffled_items(good)), profiled(good)).word == "pass"


@pytest.mark.parametrize("seed", range(2, 12))
def test_equally_good_data_passes(seed: int) -> None:
    """Ten wholly other samples of the same service; what grows by the day is more alike."""
    assert thought(profiled(ratings(seed)), profiled(ratings(1))) == Verdict("pass")


def test_data_that_grows_passes() -> None:
    rows = sorted(ratings(), key=lambda row: row[3])
    assert thought(profiled(rows), profiled(rows[: len(rows) // 2])).word == "pass"


def test_a_first_import_is_held_to_what_needs_no_other() -> None:
    good = ratings()
    verdict = thought(profiled(good), None)
    assert (verdict.word, verdict.notes) == (
        "pass",
        ("There is no earlier import to compare it with.",),
    )
    one = thought(profiled(BROKEN["one single timestamp"](good)), None)
    assert rules(one) == {"MPE-Q019"}


def test_unknown_items_are_found_without_an_earlier_import() -> None:
    items = frozenset(CATALOGUE)
    wrong = profiled(BROKEN["newer half's item ids wrong"](ratings()), items)
    assert rules(thought(wrong, None)) == {"MPE-Q017"}
    assert thought(profiled(ratings(), items), None).word == "pass"


def test_the_age_of_the_newest_event_counts_where_the_config_asks() -> None:
    new = profiled(ratings())
    assert new.newest
    limits = DataLimits.of({"newest": "3 days"})
    late, soon = new.newest + 4 * 86_400, new.newest + 2 * 86_400
    assert rules(thought(new, None, limits, late)) == {"MPE-Q016"}
    assert thought(new, None, limits, soon).word == "pass"
    assert thought(new, None, None, late).word == "pass"


def test_limits_are_those_of_the_config() -> None:
    good = ratings()
    half = profiled(BROKEN["half the users lost"](good))
    given = {"rows": "-60%", "users": "-60%", "items": "-90%", "itemShift": 1.0}
    assert thought(half, profiled(good), DataLimits.of(given)).word == "pass"
    one = profiled(BROKEN["one single timestamp"](good))
    assert thought(one, None, DataLimits.of({"distinctTimes": False})).word == "pass"


@pytest.mark.parametrize(("kind", "rule"), [("items", "MPE-Q013"), ("users", "MPE-Q013")])
def test_a_dataset_of_what_is_described_is_held_to_its_rows(kind: str, rule: str) -> None:
    def of(count: int) -> Profile:
        tally, key = Tally(kind), {"items": "ITEM_ID", "users": "USER_ID"}[kind]
        lines = [f"{key},A\n", *(f"x{number},a\n" for number in range(count))]
        tally.add(lines, go_on=lambda: True)
        return tally.profile()

    held = judge_data(DataLimits(), kind, of(300), live=of(1_000), now=None)
    assert (held.word, rules(held)) == ("hold", {rule})
    assert judge_data(DataLimits(), kind, of(900), live=of(1_000), now=None).word == "pass"


def test_few_rows_tell_nothing_of_a_shift() -> None:
    """Of many items met once or twice any two samples differ: that is no pass, and no hold."""
    good = profiled(ratings())
    few = profiled(random.Random(1).sample(ratings(2), 600))
    limits = replace(DataLimits(), rows=None, users=None, items=None)
    verdict = thought(few, good, limits)
    assert (verdict.word, rules(verdict)) == ("inconclusive", {"MPE-Q018"})


def test_what_nobody_could_count_is_inconclusive() -> None:
    verdict = not_profiled("it is too large.")
    assert (verdict.word, rules(verdict)) == ("inconclusive", {"MPE-Q020"})


def test_the_divergence_is_that_of_scipy() -> None:
    """Its distance is the root (scipy.spatial.distance.jensenshannon)."""
    from scipy.spatial.distance import jensenshannon

    old, new = {"a": 50, "b": 30, "c": 20}, {"a": 10, "b": 30, "c": 60}
    expected = jensenshannon(list(old.values()), list(new.values()), base=2) ** 2
    assert divergence(new, old) == pytest.approx(expected)
    assert divergence(old, old) == 0
    assert divergence({"x": 5}, {"a": 5}) == pytest.approx(1)


def test_what_is_by_chance_is_what_samples_of_one_distribution_have() -> None:
    chance, items = random.Random(4), range(50)

    def sample() -> dict[str, int]:
        found = dict.fromkeys(map(str, items), 0)
        for item in chance.choices(items, k=2_000):
            found[str(item)] += 1
        return found

    pairs = [(sample(), sample()) for _ in range(30)]
    mean = sum(divergence(*pair) for pair in pairs) / len(pairs)
    assert mean == pytest.approx(by_chance(*pairs[0]), rel=0.15)


def test_what_an_increment_is_usually_like_are_the_medians_of_those_before_it() -> None:
    def of(rows: int, users: int) -> Profile:
        return Profile((DatasetProfile("interactions", rows, None, ()),), users=users, items=rows)

    history = [of(100, 10), of(9_000, 900), of(120, 12)]
    assert usual("interactions", history[:2]) is None
    found = usual("interactions", history)
    assert found
    assert (found.rows("interactions"), found.users, found.items) == (120, 12, 120)
    many = [of(1, 1)] * 100 + [of(50, 5)] * 30
    lately = usual("interactions", many)
    assert lately
    assert lately.users == 5, "only of the newest"
    kinds = {"limits": DataLimits(), "kind": "interactions", "now": None, "of": USUAL}
    assert judge_data(new=of(90, 12), live=found, **kinds).word == "hold"  # type: ignore[arg-type]
    assert judge_data(new=of(110, 12), live=found, **kinds).word == "pass"  # type: ignore[arg-type]
