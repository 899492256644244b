"""The numbers of versions, told beside each other."""

from __future__ import annotations

from typing import Any

import pytest

from mpe.model.gate.versions import Version, in_short, short, trained

SOLUTION = "arn:aws:personalize:eu-west-1:000000000000:solution/films"
OLD, NEW, OTHER = f"{SOLUTION}/1", f"{SOLUTION}/2", f"{SOLUTION}-popular/1"
KEPT_OUTPUT = {
    "coverage": 0.1233,
    "mean_reciprocal_rank_at_25": 0.1208,
    "normalized_discounted_cumulative_gain_at_10": 0.1396,
    "precision_at_10": 0.0367,
}
"""What the service told of a model, kept by its owners
(https://github.com/ryankarlos/AWS-ML-services, projects/personalize)."""


def outcome(noun: str, name: str, **more: Any) -> dict[str, Any]:
    return {"noun": noun, "name": name, "did": "created", **more}


def test_a_version_stands_beside_what_its_own_campaigns_served() -> None:
    outcomes = [
        outcome("SolutionVersion", "films", arn=NEW),
        outcome("Campaign", "films-live", did="updated", served=OLD),
        outcome("Campaign", "films-new", did="created"),
        outcome("Campaign", "popular-live", did="updated", served=OTHER),
    ]
    known = {NEW: Version(NEW, {"coverage": 0.2}, hours=0.5), OLD: Version(OLD, {"coverage": 0.1})}
    (told,) = trained(outcomes, known, {})
    assert (told["Solution"], told["Version"], told["TrainingHours"]) == ("films", NEW, 0.5)
    (live,) = told["Live"]
    assert (live["Campaign"], live["Version"], live["Metrics"]) == (
        "films-live",
        OLD,
        {"coverage": 0.1},
    )


@pytest.mark.parametrize("did", ["kept", "skipped"])
def test_a_version_that_was_not_trained_now_is_not_told(did: str) -> None:
    assert list(trained([outcome("SolutionVersion", "films", arn=NEW, did=did)], {}, {})) == []


def test_a_training_that_failed_has_no_numbers() -> None:
    failed = outcome("SolutionVersion", "films", arn=NEW, failed={"error": "E", "reason": "r"})
    assert list(trained([failed], {}, {})) == []


def test_a_version_of_which_nothing_is_known_is_told_without_numbers() -> None:
    (told,) = trained([outcome("SolutionVersion", "films", arn=NEW)], {}, {})
    assert told["Metrics"] == {}


def test_few_words_name_the_metric_and_its_change() -> None:
    metric = "normalized_discounted_cumulative_gain_at_10"
    assert in_short(KEPT_OUTPUT) == "NDCG@10 0.1396"
    assert in_short(KEPT_OUTPUT, {metric: 0.1551}) == "NDCG@10 0.1396 (-10.0 %)"
    assert in_short(KEPT_OUTPUT, {metric: 0.0}) == "NDCG@10 0.1396", "of nothing there is no share"
    assert in_short({}) == ""


def test_metrics_of_segments_are_short_too() -> None:
    assert short("recall_at_1_percent") == "recall@1%"


def test_what_is_kept_is_read_back() -> None:
    version = Version(NEW, {"coverage": 0.5}, "UPDATE", 1.25, "2026-01-01T00:00:00+00:00", "run")
    assert Version.from_dict({**version.as_dict(), "group": "films"}) == version
    assert (version.solution, version.id) == ("films", "2")
