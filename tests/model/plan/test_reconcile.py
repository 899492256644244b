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
    Mark,
    Observed,
    Reject,
    Skip,
    Switch,
    Update,
    Wait,
    decide,
    drift,
    newest_first,
    nothing_new,
    same_job,
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


def test_of_those_of_the_same_moment_one_counts_at_every_look() -> None:
    one, other = (Observed(arn, "ACTIVE", created=NOW) for arn in "ab")
    undated = Observed("c", "ACTIVE")
    for given in ([one, other, undated], [undated, other, one]):
        assert newest_first(given) == [other, one, undated]


@pytest.mark.parametrize(
    ("given", "found", "action"),
    [
        ({"idle": True}, None, Skip()),
        ({"idle": True}, observed(), Keep(ARN)),
        ({"idle": True}, observed("CREATE FAILED"), Skip()),
        ({"idle": True}, observed("CREATE PENDING"), Skip()),
        ({"idle": True, "pinned": "created"}, observed("CREATE PENDING"), Wait(ARN)),
        ({"pinned": "created", "lagging": True}, None, Look()),
        ({"lagging": True}, None, Create("absent")),
        ({"existing": True}, None, Create("absent")),
        ({"existing": True, "lagging": True}, None, Create("absent")),
    ],
)
def test_where_no_data_lies_nothing_is_imported_and_what_is_done_stays(
    given: dict[str, Any], found: Observed | None, action: Action
) -> None:
    assert decide(desired("DatasetImportJob"), found, **given) == action


def test_what_a_task_is_about_must_be_there() -> None:
    action = decide(desired(), None, existing=True)
    assert isinstance(action, Reject)
    assert action.message == "the Campaign live does not exist any more."


def test_a_recommender_is_switched_to_the_status_that_is_wanted_of_it() -> None:
    stopped = replace(desired("Recommender"), status="INACTIVE")
    assert decide(stopped, observed()) == Switch(ARN, "INACTIVE")
    assert decide(stopped, observed("INACTIVE")) == Keep(ARN)


def test_a_group_that_nobody_maintains_is_marked_and_another_stacks_is_left() -> None:
    ours = desired("DatasetGroup").owned_by("ours")
    for owner, action in ((None, Mark(ARN, "ours")), ("ours", Keep(ARN))):
        assert decide(ours, replace(observed(), owner=owner)) == action
    theirs = decide(ours, replace(observed(), owner="theirs"))
    assert isinstance(theirs, Reject)
    assert "maintained by the stack theirs, and not by ours" in theirs.message
    assert decide(desired("DatasetGroup"), replace(observed(), owner="theirs")) == Keep(ARN)


def test_what_is_shown_of_a_resource_is_its_update_while_that_says_more() -> None:
    one = observed("ACTIVE")
    assert one.shown == replace(one, update="ACTIVE").shown == "ACTIVE"
    assert replace(one, update="CREATE IN_PROGRESS").shown == "CREATE IN_PROGRESS"
    assert observed("INACTIVE").shown == "INACTIVE"


def test_a_long_value_is_told_up_to_its_120th_character() -> None:
    def told(length: int) -> str:
        action = decide(desired("Filter", filterExpression="y" * length), old)
        assert isinstance(action, Reject)
        return action.message

    old = observed(filterExpression="x")
    whole, cut = told(118), told(119)
    assert f'"{"y" * 118}". Amazon Personalize' in whole
    assert f'says "{"y" * 116}.... Amazon Personalize' in cut


def test_all_that_differs_is_told_and_in_the_order_of_names() -> None:
    wanted = desired("Solution", recipeArn="b", performHPO=True)
    action = decide(wanted, observed(recipeArn="a", performHPO=False))
    assert isinstance(action, Reject)
    assert action.message.startswith(
        'performHPO is false and the config says true; recipeArn is "a" and the config says "b". '
        "Amazon Personalize cannot change performHPO, recipeArn of an existing resource"
    )


def differs(noun: str, wanted: dict[str, Any], found: dict[str, Any]) -> tuple[Change, ...]:
    return drift(Desired("one", noun, "live", "$.one", wanted), found)


def test_of_a_structure_that_is_updated_by_its_members_those_that_differ_are_told() -> None:
    wanted = {"solutionConfig": {"a": 1, "b": {"c": 2}, "d": False}}
    assert differs("Solution", wanted, {"solutionConfig": {"a": 1, "b": {"c": 3}}}) == (
        Change("solutionConfig.b", {"c": 3}, {"c": 2}),
    )
    same = {"solutionConfig": {"a": 1, "b": {"c": 2}, "e": 5}}
    assert differs("Solution", wanted, same) == ()
    told = [one.field for one in differs("Solution", wanted, {})]
    assert told == ["solutionConfig.a", "solutionConfig.b"]


def test_metrics_are_compared_by_their_names_and_none_may_be_left() -> None:
    views, sales = ({"metricName": name, "expression": "SUM()"} for name in ("views", "sales"))
    wanted = {"metrics": [views, sales]}
    assert differs("MetricAttribution", wanted, {"metrics": [sales, views]}) == ()
    for found in ([views], [views, sales, {**views, "metricName": "more"}], None):
        (told,) = differs("MetricAttribution", wanted, {"metrics": found})
        assert told == Change("metrics", found, [views, sales])


def test_a_document_that_cannot_be_read_is_compared_as_text() -> None:
    assert differs("Schema", {"schema": "{"}, {"schema": "{"}) == ()
    assert len(differs("Schema", {"schema": "{"}, {"schema": "{ "})) == 1
    assert len(differs("Schema", {"schema": "{}"}, {})) == 1


def test_a_job_is_the_same_where_what_tells_it_apart_is_and_the_rest_is_as_it_is_filled_in() -> (
    None
):
    plain = desired("BatchInferenceJob")
    filled = {"batchInferenceJobMode": "BATCH_INFERENCE", "numResults": 25}
    assert same_job(plain, {})
    assert same_job(plain, filled)
    assert not same_job(plain, {"batchInferenceJobMode": "THEME_GENERATION"})
    assert not same_job(plain, {"filterArn": "filter/new"})
    few = desired("BatchInferenceJob", numResults=5)
    assert same_job(few, {"numResults": 5})
    assert not same_job(few, filled)


def test_only_an_update_training_may_have_nothing_new() -> None:
    words = "There should be updates to at least one dataset after the last training."
    update, full = (desired("SolutionVersion", trainingMode=mode) for mode in ("UPDATE", "FULL"))
    assert nothing_new(update, words)
    assert not nothing_new(full, words)
    assert not nothing_new(update, "Rate exceeded")


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "an earlier attempt is CREATE FAILED. Delete"), ("no luck", "FAILED (no luck). Delete")],
)
def test_an_earlier_failure_is_told_with_the_services_reason_where_it_has_one(
    reason: str, told: str
) -> None:
    action = decide(desired(), replace(observed("CREATE FAILED"), reason=reason))
    assert isinstance(action, Reject)
    assert told in action.message


def test_what_is_no_json_is_told_as_text() -> None:
    action = decide(desired("Solution", recipeArn="new"), observed(recipeArn=NOW))
    assert isinstance(action, Reject)
    assert 'recipeArn is "2026-01-02 00:00:00+00:00" and the config says "new"' in action.message
