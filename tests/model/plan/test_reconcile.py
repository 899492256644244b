"""Decisions: a desired and an observed resource in, one action out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mpe.model.plan.desired import Desired
from mpe.model.plan.reconcile import (
    Action,
    Change,
    Create,
    Keep,
    Look,
    Observed,
    Reject,
    Update,
    Wait,
    decide,
    newest_first,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/live"


@pytest.mark.parametrize("status", ["DELETE FAILED", "STOP FAILED", "MOVING"])
def test_what_no_waiting_mends_is_told_with_its_status(status: str) -> None:
    action = decide(desired(), observed(status))
    assert isinstance(action, Reject)
    assert status in action.message


def desired(noun: str = "Campaign", **params: Any) -> Desired:
    return Desired("one", noun, "live", "$.one", {"name": "live", **params}, arn=ARN)


def observed(status: str = "ACTIVE", **fields: Any) -> Observed:
    return Observed(ARN, status, {"name": "live", **fields}, created=NOW, settled=NOW)


CASES = [
    pytest.param(desired(), None, {}, Create("absent"), id="what-is-absent-is-created"),
    pytest.param(desired(), observed(), {}, Keep(ARN), id="what-is-as-desired-is-kept"),
    pytest.param(
        desired(), observed("CREATE PENDING"), {}, Wait(ARN), id="what-is-created-is-waited-for"
    ),
    pytest.param(
        desired(), observed("DELETE IN_PROGRESS"), {}, Wait(ARN), id="a-deletion-is-waited-for"
    ),
    pytest.param(
        desired(), observed("MOVING"), {"lagging": True}, Look(), id="what-nobody-knows-is-watched"
    ),
    pytest.param(
        desired(minProvisionedTPS=2),
        replace(observed(minProvisionedTPS=1), update="PAUSED"),
        {"lagging": True},
        Look(),
        id="an-update-that-nobody-knows-is-watched",
    ),
    pytest.param(
        desired(minProvisionedTPS=2),
        replace(observed(minProvisionedTPS=1), update="CREATE IN_PROGRESS"),
        {},
        Wait(ARN),
        id="an-update-under-way-is-waited-for",
    ),
    pytest.param(
        desired(minProvisionedTPS=2),
        observed(minProvisionedTPS=1),
        {},
        Update(ARN, (Change("minProvisionedTPS", 1, 2),)),
        id="mutable-drift-is-updated",
    ),
    pytest.param(
        desired(campaignConfig={"enableMetadataWithRecommendations": False}),
        observed(campaignConfig={"enableMetadataWithRecommendations": True}),
        {},
        Update(
            ARN,
            (
                Change(
                    "campaignConfig",
                    {"enableMetadataWithRecommendations": True},
                    {"enableMetadataWithRecommendations": False},
                ),
            ),
        ),
        id="an-explicit-false-is-drift",
    ),
    pytest.param(
        desired(campaignConfig={"a": 1}),
        observed(campaignConfig={"a": 1, "default": 2}),
        {},
        Keep(ARN),
        id="what-the-service-fills-in-is-no-drift",
    ),
    pytest.param(
        desired(tags=[{"tagKey": "a", "tagValue": "b"}]),
        observed(),
        {},
        Keep(ARN),
        id="tags-are-write-only",
    ),
    pytest.param(
        desired("Schema", schema='{"a": 1, "b": 2}'),
        observed(schema='{"b":2,"a":1}'),
        {},
        Keep(ARN),
        id="a-document-is-compared-by-meaning",
    ),
    pytest.param(
        desired("Recommender", recommenderConfig={"minRecommendationRequestsPerSecond": 2}),
        observed("INACTIVE", recommenderConfig={"minRecommendationRequestsPerSecond": 1}),
        {},
        Keep(ARN),
        id="what-somebody-stopped-stays-stopped",
    ),
    pytest.param(
        desired("DatasetImportJob"),
        observed("CREATE FAILED"),
        {},
        Create("failed"),
        id="a-job-that-failed-before-is-tried-anew",
    ),
    pytest.param(
        desired("DatasetImportJob"),
        observed(),
        {"fresh_since": NOW + timedelta(seconds=1)},
        Create("stale"),
        id="newer-data-is-imported",
    ),
    pytest.param(
        desired("DatasetImportJob"),
        observed(),
        {"fresh_since": NOW},
        Keep(ARN),
        id="the-same-data-is-not",
    ),
    pytest.param(
        desired("DatasetImportJob"),
        observed(),
        {"fresh_since": NOW + timedelta(days=1), "pinned": "created"},
        Keep(ARN),
        id="a-run-imports-once-even-if-data-changes-meanwhile",
    ),
    pytest.param(
        replace(desired("Recommender"), status="INACTIVE"),
        replace(observed("INACTIVE"), update="CREATE FAILED", reason="no capacity"),
        {"pinned": "stopped"},
        Keep(ARN),
        id="a-stop-does-not-fail-for-an-earlier-update",
    ),
    pytest.param(
        replace(desired("Recommender"), status="ACTIVE"),
        replace(observed(), update="CREATE FAILED", reason="no capacity"),
        {"pinned": "started"},
        Keep(ARN),
        id="nor-does-a-start",
    ),
]


@pytest.mark.parametrize(("wanted", "found", "given", "action"), CASES)
def test_decide(
    wanted: Desired, found: Observed | None, given: dict[str, Any], action: Action
) -> None:
    assert decide(wanted, found, **given) == action


REJECTED = [
    pytest.param(
        desired("Solution", recipeArn="new"),
        observed(recipeArn="old"),
        {},
        "DriftError",
        'recipeArn is "old" and the config says "new"',
        id="frozen-drift-names-both-values",
    ),
    pytest.param(
        desired(),
        replace(observed("CREATE FAILED"), reason="no luck"),
        {"pinned": "created"},
        "ResourceFailed",
        "no luck",
        id="what-this-run-created-and-failed-is-not-created-again",
    ),
    pytest.param(
        desired("SolutionVersion"),
        replace(observed("CREATE FAILED"), reason="no luck"),
        {"pinned": "created"},
        "ResourceFailed",
        "no luck",
        id="no-second-training-in-a-run",
    ),
    pytest.param(
        desired(),
        replace(observed("CREATE FAILED"), reason="no luck"),
        {},
        "ResourceFailed",
        "Delete it",
        id="a-name-that-failed-before-must-be-deleted",
    ),
    pytest.param(
        desired(),
        None,
        {"pinned": "created"},
        "ResourceFailed",
        "disappeared",
        id="what-vanishes-is-told",
    ),
    pytest.param(
        desired(minProvisionedTPS=2),
        replace(observed(minProvisionedTPS=1), update="CREATE FAILED", reason="no capacity"),
        {"pinned": "updated"},
        "ResourceFailed",
        "no capacity",
        id="a-failed-update-is-told",
    ),
    pytest.param(
        replace(desired("Recommender"), status="ACTIVE"),
        observed("INACTIVE"),
        {"pinned": "started"},
        "ResourceFailed",
        "it is INACTIVE and not ACTIVE",
        id="a-start-without-effect-is-not-repeated",
    ),
    pytest.param(
        desired(minProvisionedTPS=2),
        observed(minProvisionedTPS=1),
        {"pinned": "updated"},
        "ResourceFailed",
        "did not change minProvisionedTPS",
        id="an-update-without-effect-is-not-repeated",
    ),
]


@pytest.mark.parametrize(("wanted", "found", "given", "error", "told"), REJECTED)
def test_reject(
    wanted: Desired, found: Observed | None, given: dict[str, Any], error: str, told: str
) -> None:
    action = decide(wanted, found, **given)
    assert isinstance(action, Reject)
    assert action.error == error
    assert told in action.message


def test_a_failed_update_of_an_earlier_run_is_tried_again() -> None:
    found = replace(observed(minProvisionedTPS=1), update="CREATE FAILED")
    assert isinstance(decide(desired(minProvisionedTPS=2), found), Update)


def test_the_newest_that_did_not_fail_counts() -> None:
    def one(arn: str, status: str, days: int) -> Observed:
        return Observed(arn, status, created=NOW + timedelta(days=days))

    old, new, failed = (
        one("a", "ACTIVE", 1),
        one("b", "CREATE PENDING", 2),
        one("c", "CREATE FAILED", 3),
    )
    assert newest_first([old, failed, new]) == [new, old, failed]
    assert newest_first([failed, old]) == [old, failed]
    assert newest_first([]) == []
