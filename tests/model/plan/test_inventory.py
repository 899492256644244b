"""What a dataset group holds, as a config and as an order of removal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.plan.inventory import Found, Inventory, exported, scheduled
from tests.conftest import config

ACCOUNT = "arn:aws:personalize:us-east-1:000000000000:"
START = datetime(2027, 1, 1, tzinfo=UTC)


def arn(resource: str) -> str:
    return f"{ACCOUNT}{resource}"


def found(noun: str, resource: str, status: str = "ACTIVE", **fields: Any) -> Found:
    return Found(noun, arn(resource), status, fields)


GROUP = found("DatasetGroup", "dataset-group/films", name="films")
SCHEMA = config()["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]
DATASET = found(
    "Dataset",
    "dataset/films/INTERACTIONS",
    name="views",
    datasetType="INTERACTIONS",
    schemaArn=arn("schema/views"),
)
IMPORT = found("DatasetImportJob", "dataset-import-job/one", datasetArn=DATASET.arn)
SOLUTION = found(
    "Solution",
    "solution/best",
    name="best",
    recipeArn="arn:aws:personalize:::recipe/aws-popularity-count",
    performAutoML=False,
    performAutoTraining=True,
)


def version(id: str, days: int, status: str = "ACTIVE") -> Found:
    return found(
        "SolutionVersion",
        f"solution/best/{id}",
        status,
        solutionArn=SOLUTION.arn,
        creationDateTime=START + timedelta(days=days),
    )


CAMPAIGN = found(
    "Campaign",
    "campaign/live",
    name="live",
    minProvisionedTPS=1,
    solutionVersionArn=arn("solution/best/2"),
)
WHOLE = (
    found("Schema", "schema/views", name="views", schema=json.dumps(SCHEMA)),
    DATASET,
    IMPORT,
    SOLUTION,
    version("1", 1),
    version("2", 2),
    version("3", 3, "CREATE FAILED"),
    CAMPAIGN,
)


def made(*more: Found, without: tuple[Found, ...] = ()) -> Inventory:
    return Inventory(GROUP, (*(one for one in WHOLE if one not in without), *more))


def test_the_config_of_an_inventory_is_valid() -> None:
    result = exported(made())
    assert parse(result.text).notes == ()
    assert result.notes == []
    assert list(result.document) == ["datasetGroup", "datasets", "solutions"]


def test_a_switch_that_is_off_is_left_out_unless_the_default_is_on() -> None:
    off = replace(SOLUTION, fields={**SOLUTION.fields, "performAutoTraining": False})
    (solution,) = exported(made(off, without=(SOLUTION,))).document["solutions"]
    assert solution["serviceConfig"] == {
        "name": "best",
        "recipeArn": SOLUTION.fields["recipeArn"],
        "performAutoTraining": False,
    }


def test_a_campaign_of_an_older_version_stays_there() -> None:
    old = replace(
        CAMPAIGN, fields={**CAMPAIGN.fields, "solutionVersionArn": arn("solution/best/1")}
    )
    result = exported(made(old, without=(CAMPAIGN,)))
    (solution,) = result.document["solutions"]
    (campaign,) = solution["campaigns"]
    assert campaign["serviceConfig"]["solutionVersionArn"] == arn("solution/best/1")
    assert "stays at" in result.notes[0]
    assert parse(result.text)


def test_a_campaign_that_serves_what_its_pointer_says_has_no_pin() -> None:
    old = arn("solution/best/1")
    held = replace(CAMPAIGN, fields={**CAMPAIGN.fields, "solutionVersionArn": old})
    inventory = made(held, without=(CAMPAIGN,))
    result = exported(inventory, pointed={"live": old})
    (solution,) = result.document["solutions"]
    assert "solutionVersionArn" not in solution["campaigns"][0]["serviceConfig"]
    assert result.notes == []
    moved = exported(inventory, pointed={"live": arn("solution/best/2")})
    (solution,) = moved.document["solutions"]
    assert solution["campaigns"][0]["serviceConfig"]["solutionVersionArn"] == old


def test_what_a_cloudformation_template_has_as_well_is_told() -> None:
    """AWS's own tags are in no config: nobody may write them."""
    tags = (
        {"tagKey": "aws:cloudformation:stack-name", "tagValue": "website"},
        {"tagKey": "team", "tagValue": "films"},
    )
    owned = replace(CAMPAIGN, tags=tags)
    result = exported(made(owned, without=(CAMPAIGN,)))
    (note,) = result.notes
    assert note.startswith("Campaign live is of the CloudFormation stack website: ")
    (solution,) = result.document["solutions"]
    assert solution["campaigns"][0]["serviceConfig"]["tags"] == [tags[1]]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        pytest.param(
            found("Filter", "filter/f", "CREATE FAILED", name="f"), "Filter f", id="failed"
        ),
        pytest.param(
            found("Solution", "solution/new", name="new"), "has no version", id="untrained"
        ),
        pytest.param(
            found("BatchInferenceJob", "batch-inference-job/b", jobName="b"), "history", id="job"
        ),
        pytest.param(
            found(
                "MetricAttribution",
                "metric-attribution/m",
                name="m",
                metricsOutputConfig={"s3DataDestination": {"path": "s3://elsewhere/"}},
            ),
            "writes to s3://elsewhere/",
            id="elsewhere",
        ),
    ],
)
def test_what_would_have_to_be_made_or_moved_is_left_out_and_told(more: Found, note: str) -> None:
    result = exported(made(more), bucket="data")
    assert note in result.notes[0]
    assert result.document == exported(made()).document


def test_a_dataset_without_an_import_needs_no_data() -> None:
    result = exported(made(without=(IMPORT,)))
    dataset = result.document["datasets"]["interactions"]["dataset"]
    assert dataset["workflowConfig"] == {"dataOptional": True}
    assert parse(result.text).datasets[0].data_optional


def test_tags_are_kept() -> None:
    tags = ({"tagKey": "team", "tagValue": "films"},)
    result = exported(Inventory(replace(GROUP, tags=tags), WHOLE))
    assert result.document["datasetGroup"]["serviceConfig"]["tags"] == list(tags)


def test_schedules_take_over_what_the_service_trains_by_itself_and_as_often() -> None:
    made_ = scheduled(exported(made()).document, imports="rate(1 day)")
    (solution,) = made_["solutions"]
    assert solution["serviceConfig"]["performAutoTraining"] is False
    assert solution["workflowConfig"]["schedules"] == {"full": "rate(7 days)"}
    assert made_["datasetGroup"]["workflowConfig"]["schedules"] == {"import": "rate(1 day)"}
    assert parse(json.dumps(made_)).notes == ()


def test_what_nobody_trains_is_not_scheduled_unless_asked() -> None:
    document = exported(made()).document
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    assert "workflowConfig" not in scheduled(document)["solutions"][0]
    made_ = scheduled(document, full="cron(0 3 ? * SUN *)")
    assert made_["solutions"][0]["workflowConfig"]["schedules"]["full"] == "cron(0 3 ? * SUN *)"


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a schedule"):
        scheduled({"datasetGroup": {}}, imports="daily")


def test_removal_goes_in_the_services_order_and_leaves_shared_schemas() -> None:
    tracker = found("EventTracker", "event-tracker/1", name="t")
    filter_ = found("Filter", "filter/f", name="f")
    inventory = made(tracker, filter_)
    order = [one.noun for stage in inventory.removal() for one in stage]
    assert order == [
        "Campaign",
        "Solution",
        "EventTracker",
        "Filter",
        "Dataset",
        "DatasetGroup",
        "Schema",
    ]
    shared = replace(inventory, shared=frozenset({arn("schema/views")}))
    assert "Schema" not in [one.noun for stage in shared.removal() for one in stage]
    assert "Schema" not in [one.noun for stage in inventory.removal(schemas=False) for one in stage]
