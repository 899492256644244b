"""What is made of what Amazon Personalize says, and what it is told, call by call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from mpe.aws.personalize import Busy, Exists, Missing, Personalize, Refused, ServiceError
from mpe.model.plan.desired import Desired
from mpe.model.plan.owner import KEY
from mpe.model.plan.reconcile import Change
from mpe.model.service.spec import SPECS
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE

GROUP, SOLUTION = f"{PLACE}dataset-group/films", f"{PLACE}solution/for-you"
DATASET = f"{PLACE}dataset/films/ITEMS"


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def gone(operation: str) -> ClientError:
    told = {"Code": "ResourceNotFoundException", "Message": "not there"}
    return ClientError({"Error": told}, operation)


@dataclass
class Said:
    """A client that answers with what it has by ARN, and notes what it is asked to do."""

    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    """What it lists and does not describe."""
    lists: Mapping[str, list[Any]] = field(default_factory=dict)
    """The pages of each list, by the operation."""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(**params: Any) -> Any:
            self.asked.append((name, params))
            if name.startswith("describe_"):
                return self._described(name, params)
            if name.startswith("list_"):
                return self._page(name, params)
            return {f"{_key(name.partition('_')[2])}Arn": f"{PLACE}made"}

        return call

    def _described(self, name: str, params: dict[str, Any]) -> Any:
        (arn,) = params.values()
        if arn not in self.resources or arn in self.unseen:
            raise gone(name)
        noun = name.partition("_")[2]
        return {_key(noun): {f"{_key(noun)}Arn": arn, **self.resources[arn]}}

    def _page(self, name: str, params: dict[str, Any]) -> Any:
        if name not in self.lists:
            raise gone(name)
        pages, number = self.lists[name], int(params.get("nextToken", 0))
        key = next(one.list_key for one in SPECS.values() if xform_name(one.list) == name)
        last = number + 1 == len(pages)
        return {key: pages[number], **({} if last else {"nextToken": str(number + 1)})}

    def told(self, name: str) -> list[dict[str, Any]]:
        return [params for one, params in self.asked if one == name]


def _key(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def job(name: str, created: int, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    """Return the summary of an import."""
    arn = f"{PLACE}dataset-import-job/{name}"
    made = {"creationDateTime": day(created), "lastUpdatedDateTime": day(created)}
    return {"datasetImportJobArn": arn, "status": status, **made, **more}


def of_items(**more: Any) -> Desired:
    params = {"datasetArn": DATASET}
    return Desired("i", "DatasetImportJob", "i", "$.i", params, parent=DATASET, **more)


def imports(created: int, *pages: list[dict[str, Any]], unseen: str = "") -> Said:
    """Return a service with a dataset that was made on a day, and its imports."""
    jobs = {one["datasetImportJobArn"]: one for page in pages for one in page}
    return Said(
        {DATASET: {"creationDateTime": day(created)}, **jobs},
        frozenset({unseen}),
        {"list_dataset_import_jobs": list(pages)},
    )


# What is found.


def test_the_newest_job_of_all_pages_is_found_that_has_not_failed() -> None:
    said = imports(
        1, [job("one", 2), job("two", 5)], [], [job("three", 4), job("four", 6, "CREATE FAILED")]
    )
    found = Personalize(said).observe(of_items())
    assert found is not None
    assert found.arn.endswith("/two")
    asked = [{"datasetArn": DATASET, **({"nextToken": n} if n else {})} for n in ("", "1", "2")]
    assert said.told("list_dataset_import_jobs") == asked


@pytest.mark.parametrize(("created", "name"), [(3, "three"), (4, None), (2, "three")])
def test_a_job_that_is_older_than_the_dataset_is_of_another_of_its_name(
    created: int, name: str | None
) -> None:
    found = Personalize(imports(created, [job("two", 2), job("three", 3)])).observe(of_items())
    assert (found.arn.rpartition("/")[2] if found else None) == name


def test_a_job_that_says_not_when_it_was_made_is_not_taken_for_newer() -> None:
    undated = {key: value for key, value in job("x", 3).items() if key != "creationDateTime"}
    assert Personalize(imports(1, [undated])).observe(of_items()) is None


def test_of_a_dataset_that_is_gone_there_is_no_job() -> None:
    assert Personalize(Said()).observe(of_items()) is None


def test_where_only_what_is_active_counts_the_newest_of_that_is_found() -> None:
    said = imports(1, [job("old", 2), job("done", 3), job("new", 4, "CREATE IN_PROGRESS")])
    personalize = Personalize(said)
    for active, name in ((True, "done"), (False, "new")):
        found = personalize.observe(of_items(), active=active)
        assert found is not None
        assert found.arn.endswith(f"/{name}")


def test_what_is_asked_for_by_its_arn_is_that_and_nothing_newer() -> None:
    said = imports(1, [job("old", 2), job("new", 3)])
    found = Personalize(said).observe(of_items(), f"{PLACE}dataset-import-job/old")
    assert found is not None
    assert found.created == day(2)
    assert said.told("list_dataset_import_jobs") == []
    assert Personalize(said).observe(of_items(), f"{PLACE}dataset-import-job/gone") is None


def test_of_what_a_parent_has_one_of_one_that_is_just_deleted_does_not_count() -> None:
    """A job that is not described yet is waited for instead: nobody can delete it."""
    tracker = {"status": "ACTIVE", "creationDateTime": day(2), "datasetGroupArn": GROUP}
    arns = [f"{PLACE}event-tracker/{name}" for name in ("a", "b")]
    listed = [{"eventTrackerArn": arn, **tracker, "status": status}
              for arn, status in zip(arns, ("ACTIVE", "DELETE PENDING"), strict=True)]  # fmt: skip
    said = Said(
        dict.fromkeys(arns, tracker), frozenset({arns[1]}), {"list_event_trackers": [listed]}
    )
    desired = Desired("t", "EventTracker", "t", "$.t", {"datasetGroupArn": GROUP}, parent=GROUP)
    found = Personalize(said).observe(desired)
    assert found is not None
    assert found.arn == arns[0]
    none = Said({}, frozenset(arns), {"list_event_trackers": [listed]})
    assert Personalize(none).observe(desired) is None


def test_of_several_different_jobs_the_wanted_one_is_found() -> None:
    def export(name: str, created: int, mode: str) -> dict[str, Any]:
        arn = f"{PLACE}dataset-export-job/{name}"
        return {"datasetExportJobArn": arn, "status": "ACTIVE", "creationDateTime": day(created),
                "ingestionMode": mode}  # fmt: skip

    listed = [export("all", 2, "ALL"), export("bulk", 3, "BULK"), export("put", 4, "PUT")]
    jobs = {one["datasetExportJobArn"]: one for one in listed}
    dataset = {DATASET: {"creationDateTime": day(1)}}
    said = Said({**jobs, **dataset}, lists={"list_dataset_export_jobs": [listed]})
    for mode, name in (("ALL", "all"), ("BULK", "bulk"), ("PUT", "put")):
        params = {"datasetArn": DATASET, "ingestionMode": mode}
        desired = Desired("e", "DatasetExportJob", "e", "$.e", params, parent=DATASET)
        found = Personalize(said).observe(desired)
        assert found is not None
        assert found.arn.endswith(f"/{name}")


def campaign(of: str = SOLUTION) -> Desired:
    return Desired("c", "Campaign", "live", "$.c", {}, arn=f"{PLACE}campaign/live", parent=of)


def test_a_campaign_of_another_solution_is_told_with_that_ones_group() -> None:
    live = {f"{PLACE}campaign/live": {"solutionVersionArn": f"{SOLUTION}/1", "status": "ACTIVE"}}
    solution = {SOLUTION: {"datasetGroupArn": GROUP}}
    other = campaign(f"{PLACE}solution/other")
    for resources, desired, group in (
        ({**live, **solution}, other, GROUP),
        ({**live, **solution}, campaign(), None),
        (live, other, None),
        ({f"{PLACE}campaign/live": {"status": "ACTIVE"}, **solution}, other, None),
    ):
        found = Personalize(Said(resources)).observe(desired)
        assert found is not None
        assert found.fields.get("datasetGroupArn") == group


def test_the_stack_that_maintains_a_group_is_read_once_it_is_active(build: Builder) -> None:
    tag = {"tagKey": KEY, "tagValue": "Mine"}
    arn = build.client.create_dataset_group(name="films", tags=[tag])["datasetGroupArn"]
    desired = Desired("g", "DatasetGroup", "films", "$.g", {"name": "films"}, arn=arn)
    personalize = Personalize(build.client)
    early = personalize.observe(desired)
    build.wait(60)
    late = personalize.observe(desired)
    assert early is not None
    assert late is not None
    assert (early.owner, late.owner) == (None, "Mine")


def test_an_update_is_told_before_what_it_is_of() -> None:
    made = {"creationDateTime": day(1), "lastUpdatedDateTime": day(2), "failureReason": "old"}
    update = {"creationDateTime": day(3), "lastUpdatedDateTime": day(4), "failureReason": "new",
              "status": "UPDATE FAILED"}  # fmt: skip
    for more, expected in (
        ({}, (day(1), day(2), "old", None)),
        ({"latestCampaignUpdate": update}, (day(3), day(4), "new", "UPDATE FAILED")),
        ({"latestCampaignUpdate": {}}, (day(1), day(2), "old", None)),
    ):
        found = Personalize(Said({f"{PLACE}campaign/live": {**made, **more}})).observe(campaign())
        assert found is not None
        assert (found.created, found.settled, found.reason, found.update) == expected
        assert found.status == "ACTIVE", "what has no status of its own is there"


def test_parts_are_listed_unless_nobody_asks_for_them() -> None:
    arn, metrics = f"{PLACE}metric-attribution/m", [{"metricName": "a"}]
    said = Said({arn: {"name": "m"}})
    said.list_metric_attribution_metrics = lambda **_: {"metrics": metrics}  # type: ignore[attr-defined]
    spec = SPECS["MetricAttribution"]
    assert Personalize(said).described(spec, arn)["metrics"] == metrics
    assert "metrics" not in Personalize(said).described(spec, arn, with_parts=False)
    assert "metrics" not in Personalize(Said({arn: {}})).described(SPECS["Schema"], arn)


# Since when what follows imports is stale.


def deletion(*after: str) -> Desired:
    return Desired("d", "DataDeletionJob", "d", "$.d", {}, parent=GROUP, after=after)


def test_what_follows_imports_is_stale_since_the_last_of_them_was_done() -> None:
    def last(*jobs: dict[str, Any]) -> datetime | None:
        return Personalize(imports(1, list(jobs))).followed(deletion(DATASET))

    done = job("one", 2, lastUpdatedDateTime=day(5))
    assert last(done) == day(5)
    assert last(done, job("two", 4, lastUpdatedDateTime=day(6))) == day(6)
    begun = job("two", 3, "CREATE IN_PROGRESS", lastUpdatedDateTime=day(9))
    assert last(begun) == day(3), "and once more when it is done"
    failed = job("two", 6, "CREATE FAILED", lastUpdatedDateTime=day(9))
    assert last(done, failed) == day(5)
    assert last(failed) is None
    untold = {key: value for key, value in done.items() if key != "lastUpdatedDateTime"}
    assert last(untold, done) == day(5)
    assert last() is None
    assert Personalize(Said()).followed(deletion(DATASET)) is None, "the dataset is gone"
    assert Personalize(imports(1, [done])).followed(deletion()) is None
    assert Personalize(imports(1, [done])).followed(of_items(after=(DATASET,))) is None


# What the service is told.


def test_what_is_made_is_told_by_its_arn() -> None:
    said, params = Said(), {"name": "f", "datasetGroupArn": GROUP}
    desired = Desired("f", "Filter", "f", "$.f", {})
    assert Personalize(said).create(desired, params) == f"{PLACE}made"
    assert said.asked == [("create_filter", params)]


def test_only_what_changes_is_told_each_where_the_update_has_it() -> None:
    said = Said()
    desired = Desired("s", "Solution", "s", "$.s", {}, arn=SOLUTION)
    changes = (
        Change("performAutoTraining", True, False),
        Change("solutionConfig.autoTrainingConfig", None, {"schedulingExpression": "rate(7 days)"}),
        Change("solutionConfig.eventsConfig", None, {"eventParametersList": []}),
    )
    Personalize(said).update(desired, SOLUTION, changes)
    inside = {
        "autoTrainingConfig": {"schedulingExpression": "rate(7 days)"},
        "eventsConfig": {"eventParametersList": []},
    }
    told = {"solutionArn": SOLUTION, "performAutoTraining": False, "solutionUpdateConfig": inside}
    assert said.asked == [("update_solution", told)]


def test_of_metrics_the_difference_is_told() -> None:
    said, arn = Said(), f"{PLACE}metric-attribution/m"
    desired = Desired("m", "MetricAttribution", "m", "$.m", {}, arn=arn)

    def metric(name: str, expression: str = "SUM(a)") -> dict[str, str]:
        return {"metricName": name, "expression": expression}

    old = [metric("stays"), metric("goes"), metric("changes")]
    new = [metric("stays"), metric("changes", "SUM(b)"), metric("comes")]
    Personalize(said).update(desired, arn, (Change("metrics", old, new),))
    Personalize(said).update(desired, arn, (Change("metrics", None, new[:1]),))
    of = {"metricAttributionArn": arn}
    assert said.told("update_metric_attribution") == [
        {**of, "addMetrics": new[1:], "removeMetrics": ["goes", "changes"]},
        {**of, "addMetrics": new[:1]},
    ]


@pytest.mark.parametrize("follows", [True, False])
def test_a_campaign_that_is_to_follow_is_told_what_beside_it(follows: bool) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/API_UpdateCampaign.html"""
    said, latest = Said(), f"{SOLUTION}/$LATEST"
    desired = Desired("c", "Campaign", "c", "$.c", {"solutionVersionArn": latest})
    config = {"syncWithLatestSolutionVersion": follows}
    Personalize(said).update(desired, "arn:c", (Change("campaignConfig", {}, config),))
    Personalize(said).update(desired, "arn:c", (Change("minProvisionedTPS", 1, 2),))
    beside = {"solutionVersionArn": latest} if follows else {}
    assert said.told("update_campaign") == [
        {"campaignArn": "arn:c", "campaignConfig": config, **beside},
        {"campaignArn": "arn:c", "minProvisionedTPS": 2},
    ]


def test_other_calls_are_about_the_resource_that_they_are_asked_about() -> None:
    said = Said()
    personalize = Personalize(said)
    recommender = Desired("r", "Recommender", "r", "$.r", {})
    personalize.switch(recommender, "arn:r", "INACTIVE")
    personalize.switch(recommender, "arn:r", "ACTIVE")
    personalize.tag("arn:r", iter([{"tagKey": "a", "tagValue": "b"}]))
    personalize.delete(SPECS["Recommender"], "arn:r")
    assert said.asked == [
        ("stop_recommender", {"recommenderArn": "arn:r"}),
        ("start_recommender", {"recommenderArn": "arn:r"}),
        ("tag_resource", {"resourceArn": "arn:r", "tags": [{"tagKey": "a", "tagValue": "b"}]}),
        ("delete_recommender", {"recommenderArn": "arn:r"}),
    ]


# What its errors mean.


class Failing:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> Any:
            raise self.error

        return call


def answered(status: int | None, **told: str) -> ClientError:
    met = {} if status is None else {"ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({"Error": told, **met}, "DescribeSchema")


@pytest.mark.parametrize(
    ("error", "kind", "code", "message", "unsure"),
    [
        (answered(500, Code="Any", Message="m"), Busy, "Any", "m", True),
        (answered(503, Code="503"), Busy, "503", "DescribeSchema", True),
        (answered(501, Code="Any", Message="m"), Refused, "Any", "m", False),
        (answered(499, Code="Any", Message="m"), Refused, "Any", "m", False),
        (answered(400, Code="LimitExceededException", Message="m"), Busy,
         "LimitExceededException", "m", False),
        (answered(None, Code="ResourceAlreadyExistsException", Message="m"), Exists,
         "ResourceAlreadyExistsException", "m", False),
        (answered(400, Code="ResourceNotFoundException", Message="m"), Missing,
         "ResourceNotFoundException", "m", False),
        (answered(400), Refused, "", "DescribeSchema", False),
        (ParamValidationError(report="p"), Refused, "ValidationException", "p", False),
        (ReadTimeoutError(endpoint_url="https://here"), Busy, "ReadTimeoutError", "here", True),
    ],
)  # fmt: skip
def test_an_error_says_what_it_is_in_whose_words_and_whether_it_may_have_worked(
    error: Exception, kind: type[ServiceError], code: str, message: str, unsure: bool
) -> None:
    with pytest.raises(ServiceError) as raised:
        Personalize(Failing(error)).described(SPECS["Schema"], "arn:s")
    found = raised.value
    assert type(found) is kind
    assert (found.code, found.unsure) == (code, unsure)
    assert message in found.message
    assert str(found) == found.message
    assert found.__cause__ is error
