"""What a dataset group holds, as a config and as an order of removal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.plan.inventory import Found, Inventory, exported, scheduled, told, using
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


def test_a_solution_without_a_version_keeps_no_other_from_the_export() -> None:
    new = found("Solution", "solution/new", name="new")
    result = exported(Inventory(GROUP, (new, *WHOLE)))
    assert result.document["solutions"] == exported(made()).document["solutions"]
    assert result.notes == [
        "Solution new has no version and was left out: with a section of its own it would be "
        "trained."
    ]


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


def test_a_resource_is_called_by_its_name_or_by_its_arn() -> None:
    job = found("BatchInferenceJob", "batch-inference-job/b", jobName="b-one", name="no")
    assert (job.name, job.typed) == ("b-one", "batch-inference-job/b-one")
    assert version("7", 1).name == "best/7"
    assert CAMPAIGN.typed == "campaign/live"
    assert found("EventTracker", "event-tracker/x", name="clicks").typed == "event-tracker/clicks"


def test_the_newest_version_that_did_not_fail_serves_if_there_is_one() -> None:
    serving = made().serving(SOLUTION.arn)
    assert serving
    assert serving.arn.endswith("best/2")
    assert made().serving(arn("solution/another")) is None
    (of_all,) = made().of("DatasetGroup")
    assert of_all == GROUP
    assert list(made().of("Campaign", name="live", minProvisionedTPS=2)) == []


def test_what_uses_a_resource_must_go_before_it() -> None:
    tracker = found("EventTracker", "event-tracker/1", name="t")
    metrics = found("MetricAttribution", "metric-attribution/m", name="m")
    other = replace(
        CAMPAIGN,
        arn=arn("campaign/other"),
        fields={**CAMPAIGN.fields, "solutionVersionArn": arn("solution/best-of-all/1")},
    )
    items = found(
        "Dataset", "dataset/films/ITEMS", datasetType="Items", schemaArn=arn("schema/items")
    )
    again = replace(DATASET, arn=arn("dataset/more/INTERACTIONS"))
    inventory = made(tracker, metrics, other, items, again)
    assert using(inventory, SOLUTION) == (CAMPAIGN,)
    assert using(inventory, replace(DATASET, fields={"datasetType": "Interactions"})) == (
        tracker,
        metrics,
    )
    assert using(inventory, items) == using(inventory, CAMPAIGN) == using(inventory, GROUP) == ()
    assert using(inventory, replace(CAMPAIGN, fields={"datasetType": "INTERACTIONS"})) == ()
    assert using(inventory, WHOLE[0]) == (tracker, metrics, DATASET, again)


def test_what_is_to_be_removed_is_told_by_line_with_a_status_that_is_unusual() -> None:
    failed = replace(CAMPAIGN, status="CREATE FAILED")
    stages = [(CAMPAIGN, failed), (SOLUTION,)]
    assert list(told(stages)) == [
        "Campaign live",
        "Campaign live (CREATE FAILED)",
        "Solution best",
    ]


def test_an_export_is_safe_to_print_and_its_letters_stay() -> None:
    name = found("Filter", "filter/f", name="f\u202ef\u00fc", filterExpression="a\nb")
    text = exported(made(name)).text
    assert "f\\u202ef\u00fc" in text
    assert text.endswith("}\n")
    assert text.startswith('{\n  "datasetGroup": {\n    "serviceConfig"'), "as people write it"
    document = json.loads(text)
    assert document["filters"][0]["serviceConfig"]["filterExpression"] == "a\nb"


def test_sections_have_what_can_be_said_of_their_resources_and_no_more() -> None:
    tags = ({"tagKey": "team", "tagValue": "films"},)
    settings = {"eventValueThreshold": "1", "autoMLConfig": {"recipeList": ("a", "b")}}
    learns = replace(
        SOLUTION,
        tags=tags,
        fields={
            **SOLUTION.fields,
            "performAutoML": True,
            "performHPO": False,
            "eventType": "",
            "solutionConfig": settings,
            "status": "ACTIVE",
        },
    )
    (solution,) = exported(made(learns, without=(SOLUTION,))).document["solutions"]
    assert solution["serviceConfig"] == {
        "name": "best",
        "performAutoML": True,
        "performAutoTraining": True,
        "solutionConfig": {
            "eventValueThreshold": "1",
            "autoMLConfig": {"recipeList": ["a", "b"]},
        },
        "tags": list(tags),
    }


def test_what_a_group_has_one_or_many_of_is_exported_where_it_writes_to_the_data_bucket() -> None:
    def metrics(path: str) -> Found:
        output = {"s3DataDestination": {"path": path}}
        return found(
            "MetricAttribution", "metric-attribution/m", name="m", metricsOutputConfig=output
        )

    filters = [found("Filter", f"filter/{name}", name=name) for name in "ab"]
    shop = found("Recommender", "recommender/shop", name="shop")
    tracker = found("EventTracker", "event-tracker/1", name="t")
    own = metrics("s3://data/metric-attribution/films/")
    document = exported(made(own, *filters, shop, tracker), bucket="data").document
    assert [one["serviceConfig"]["name"] for one in document["filters"]] == ["a", "b"]
    assert [one["serviceConfig"]["name"] for one in document["recommenders"]] == ["shop"]
    assert document["eventTracker"] == {"serviceConfig": {"name": "t"}}
    assert document["metricAttribution"] == {"serviceConfig": {"name": "m"}}
    for path, bucket, where in (
        ("s3://data-of-others/x", "data", "s3://data-of-others/x"),
        ("s3://data/x", None, "s3://data/x"),
        ("", "data", "no bucket"),
    ):
        result = exported(made(metrics(path)), bucket=bucket)
        assert "metricAttribution" not in result.document
        assert result.notes == [
            f"MetricAttribution m writes to {where} and was left out: with a section "
            "metricAttribution it would write to the data bucket."
        ]


def test_jobs_are_counted_where_a_config_does_not_imply_them() -> None:
    jobs = [found("BatchInferenceJob", f"batch-inference-job/{name}") for name in "ab"]
    failed = found("Filter", "filter/f", "CREATE FAILED", name="f")
    assert exported(made(*jobs, failed)).notes == [
        "Filter f is CREATE FAILED and was left out.",
        "2 of type BatchInferenceJob were left out: they are history.",
    ]


def test_the_datasets_of_an_export_are_in_the_order_of_their_kinds() -> None:
    schema = found("Schema", "schema/items", name="items", schema=json.dumps(SCHEMA))
    items = found(
        "Dataset", "dataset/films/ITEMS", name="i", datasetType="ITEMS", schemaArn=schema.arn
    )
    failed = replace(IMPORT, status="CREATE FAILED", fields={"datasetArn": items.arn})
    inventory = Inventory(GROUP, (schema, items, failed, *WHOLE))
    result = exported(inventory)
    assert list(result.document["datasets"]) == ["interactions", "items"]
    made_ = result.document["datasets"]["items"]
    assert made_["dataset"]["workflowConfig"] == {"dataOptional": True}, "no import succeeded"
    assert made_["schema"]["serviceConfig"] == {"name": "items", "schema": SCHEMA}
    assert "Dataset i has no import" in result.notes[0]


def trained(**config: Any) -> dict[str, Any]:
    document = exported(made()).document
    document["solutions"][0]["serviceConfig"]["solutionConfig"] = config
    return document


def test_a_schedule_takes_the_place_of_the_services_own_and_of_nothing_else() -> None:
    own = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    document = trained(**own)
    (alone,) = scheduled(document)["solutions"]
    assert alone["workflowConfig"]["schedules"] == {"full": "rate(3 days)"}
    assert "solutionConfig" not in alone["serviceConfig"]
    assert document == trained(**own), "what is given stays as it is"
    (more,) = scheduled(trained(**own, eventValueThreshold="1"), full="rate(9 days)")["solutions"]
    assert more["serviceConfig"]["solutionConfig"] == {"eventValueThreshold": "1"}
    assert more["workflowConfig"]["schedules"] == {"full": "rate(9 days)"}
    assert "workflowConfig" not in scheduled(trained(**own))["datasetGroup"]


@pytest.mark.parametrize("given", [{"imports": "daily"}, {"full": "daily"}])
def test_each_schedule_that_is_none_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="'daily' is not a schedule: "):
        scheduled({"datasetGroup": {}}, **given)
