"""What a gate would have decided on the versions that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mpe.model.gate.replay import replay
from mpe.model.gate.terms import Gate
from mpe.model.gate.versions import Version
from tests.model.gate.test_verdict import NDCG, gate, version


def trained(*values: float, **more: Any) -> list[Version]:
    found = [version(value, number, **more) for number, value in enumerate(values)]
    return [replace(one, created=f"2026-01-{day:02}") for day, one in enumerate(found, 1)]


def test_what_is_held_is_not_what_the_next_one_is_compared_with() -> None:
    found = list(replay(gate(notBelow="-20%"), trained(0.1, 0.05, 0.09, 0.06)))
    assert [one.verdict.word for one in found] == ["pass", "hold", "pass", "hold"]
    assert [one.served for one in found] == [True, False, True, False]
    assert [one.live.metrics[NDCG] if one.live else None for one in found] == [None, 0.1, 0.1, 0.09]


def test_a_gate_that_observes_holds_nothing() -> None:
    watching = replace(gate(notBelow="-20%"), mode="observe")
    found = list(replay(watching, trained(0.1, 0.05, 0.049)))
    assert [one.verdict.word for one in found] == ["pass", "hold", "pass"]
    assert all(one.served for one in found)


def test_versions_are_replayed_in_the_order_of_their_training() -> None:
    versions = trained(0.1, 0.05)
    found = replay(gate(notBelow="-20%"), versions[::-1])
    assert [one.version for one in found] == versions


def test_a_baseline_is_the_one_of_that_time() -> None:
    terms = Gate.of({"mode": "hold", "metrics": {}, "baseline": {"solution": "p", "lift": 1.1}})
    ours, simple = trained(0.1, 0.1, 0.1), trained(0.05, 0.2)
    later = [
        replace(one, created=f"2026-01-{day:02}") for day, one in zip((2, 3), simple, strict=True)
    ]
    words = [one.verdict.word for one in replay(terms, ours, later)]
    assert words == ["inconclusive", "pass", "hold"], "none yet, a half as good, a better one"


def test_nothing_is_replayed_of_nothing() -> None:
    assert list(replay(Gate(), [])) == []
