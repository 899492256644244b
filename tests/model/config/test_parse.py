"""Configs: what is wrong is told, all at once, with its path and what to do."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.plan.desired import DesiredState, desired_state
from mpe.model.service.limits import SIZE_LIMIT
from tests.conftest import config
from tests.everything import everything
from tests.model.config.bending import (
    CAMPAIGN,
    ELSEWHERE,
    EXCLUDED,
    FILTER,
    GROUP,
    ITEMS,
    LONG,
    P_CAMPAIGN,
    P_FILTER,
    P_GROUP,
    P_ITEMS,
    P_JOB,
    P_METRICS,
    P_SCHEMA,
    P_SERVED,
    P_SOLUTION,
    P_USERS,
    PLACE,
    RECIPE,
    SCHEMA,
    SOLUTION,
    THEMES,
    USERS,
    Bend,
    add,
    at,
    attribution,
    both,
    drop,
    put,
)


def told(document: Any) -> dict[str, str]:
    """Return the problems of a document by their paths."""
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    with pytest.raises(ConfigError) as refused:
        parse(text)
    found: dict[str, str] = {}
    for one in refused.value.problems:
        found[one.path] = f"{found.get(one.path, '')} {one.message} {one.remedy}"
    return found


def campaign_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["solutions"][0]["campaigns"][0]["serviceConfig"]
    return found


WRONG = [
    # the shape
    (put("eventTraker", {}), "$.eventTraker", "Did you mean 'eventTracker'?"),
    (put("a" * 101, {}), f"$.{'a' * 101}", "not a key"),
    (drop("datasetGroup"), "$.datasetGroup", "is required"),
    (put("datasetGroup", []), "$.datasetGroup", "must be an object"),
    (put("solutions", {}), "$.solutions", "must be a list"),
    (add("solutions", "x"), "$.solutions[2]", "must be an object"),
    (drop(*SOLUTION), "$.solutions[0].serviceConfig", "is required"),
    (drop("datasets", "items", "schema"), "$.datasets.items.schema", "is required"),
    (put("datasets", "films", {}), "$.datasets.films", "not a key"),
    (put("solutions", 0, "campaign", []), "$.solutions[0].campaign", "'campaigns'"),
    (put("tags", "x"), "$.tags", "must be a list"),
    (put("tags", [{"tagKey": "a"}]), "$.tags[0].tagValue", "is required"),
    (put("tags", [{"tagKey": "a", "tagValue": 1}]), "$.tags[0].tagValue", "must be a string"),
    (
        put("solutions", 0, "workflowConfig", {"schedule": "rate(1 day)"}),
        "$.solutions[0].workflowConfig.schedule",
        "'schedules'",
    ),
    (
        put("solutions", 0, "workflowConfig", {"schedules": {"full": "daily"}}),
        "$.solutions[0].workflowConfig.schedules.full",
        "must be cron(...) or rate(...)",
    ),
    (
        put("solutions", 0, "workflowConfig", {"maxAge": "a while"}),
        "$.solutions[0].workflowConfig.maxAge",
        "not understood",
    ),
    # the service's own parameters
    (drop(*GROUP, "name"), f"{P_GROUP}.name", "is required"),
    (put(*GROUP, "name", "no spaces here"), f"{P_GROUP}.name", "not of the form"),
    (put(*GROUP, "name", "x" * 64), f"{P_GROUP}.name", "The most is 63"),
    (put(*GROUP, "name", ""), f"{P_GROUP}.name", "The least is 1"),
    (put(*GROUP, "name", 5), f"{P_GROUP}.name", "must be a string"),
    (put(*GROUP, "domain", "SHOP"), f"{P_GROUP}.domain", "not one of ECOMMERCE"),
    (put(*GROUP, "domian", "ECOMMERCE"), f"{P_GROUP}.domian", "Did you mean 'domain'?"),
    (put(*GROUP, "kmsKeyArn", "key"), f"{P_GROUP}.kmsKeyArn", "not of the form"),
    (put(*GROUP, "roleArn", "me"), f"{P_GROUP}.roleArn", "not of the form"),
    (
        put("datasets", "serviceConfig", "importMode", "SOME"),
        "$.datasets.serviceConfig.importMode",
        "not one of FULL, INCREMENTAL",
    ),
    (
        put("datasets", "serviceConfig", "jobName", "x"),
        "$.datasets.serviceConfig.jobName",
        "filled in by the workflow",
    ),
    (
        put("datasets", "serviceConfig", "publishAttributionMetricsToS3", 0),
        "$.datasets.serviceConfig.publishAttributionMetricsToS3",
        "true or false",
    ),
    (
        drop("datasets", "items", "dataset", "serviceConfig", "name"),
        "$.datasets.items.dataset.serviceConfig.name",
        "is required",
    ),
    (
        put("datasets", "items", "dataset", "serviceConfig", "datasetType", "Items"),
        "$.datasets.items.dataset.serviceConfig.datasetType",
        "filled in",
    ),
    (drop("datasets", "items", "schema", "serviceConfig", "schema"), P_ITEMS, "is required"),
    (put("eventTracker", "serviceConfig", {}), "$.eventTracker.serviceConfig.name", "is required"),
    (drop(*FILTER, "filterExpression"), f"{P_FILTER}.filterExpression", "is required"),
    (put(*FILTER, "filterExpression", "x" * 2501), f"{P_FILTER}.filterExpression", "2500"),
    (drop(*SOLUTION, "name"), f"{P_SOLUTION}.name", "is required"),
    (put(*SOLUTION, "performHPO", "yes"), f"{P_SOLUTION}.performHPO", "true or false"),
    (put(*SOLUTION, "performAutoTraining", 1), f"{P_SOLUTION}.performAutoTraining", "true or"),
    (
        put(*SOLUTION, "solutionConfig", {"hpoConfg": {}}),
        f"{P_SOLUTION}.solutionConfig.hpoConfg",
        "'hpoConfig'",
    ),
    (
        put(
            *SOLUTION,
            "solutionConfig",
            {"autoTrainingConfig": {"schedulingExpression": "rate(1 hour)"}},
        ),
        f"{P_SOLUTION}.solutionConfig.autoTrainingConfig.schedulingExpression",
        "not of the form",
    ),
    (put(*CAMPAIGN, "minProvisionedTPS", "1"), f"{P_CAMPAIGN}.minProvisionedTPS", "whole number"),
    (put(*CAMPAIGN, "minProvisionedTPS", True), f"{P_CAMPAIGN}.minProvisionedTPS", "whole number"),
    (put(*CAMPAIGN, "minProvisionedTPS", 0), f"{P_CAMPAIGN}.minProvisionedTPS", "The least is 1"),
    (
        put(*CAMPAIGN, "campaignConfig", {"rankingInfluence": {"FRESHNESS": 1.5}}),
        f"{P_CAMPAIGN}.campaignConfig.rankingInfluence.FRESHNESS",
        "The most is 1",
    ),
    (
        put(*CAMPAIGN, "solutionVersionArn", f"{ELSEWHERE}/1"),
        f"{P_CAMPAIGN}.solutionVersionArn",
        "not a version of this solution",
    ),
    (
        lambda document: campaign_of(document).update(
            solutionVersionArn=f"{ELSEWHERE}/1",
            campaignConfig={"syncWithLatestSolutionVersion": True},
        ),
        f"{P_CAMPAIGN}.solutionVersionArn",
        "cannot both stay at a version and follow the newest",
    ),
    (
        put(*CAMPAIGN, "tags", [{"tagKey": "50%", "tagValue": "x"}]),
        f"{P_CAMPAIGN}.tags[0].tagKey",
        "not of the form",
    ),
    # schemas
    (put(*SCHEMA, "type", "map"), f"{P_SCHEMA}.type", '"record"'),
    (put(*SCHEMA, "name", "Events"), f"{P_SCHEMA}.name", '"Interactions"'),
    (drop(*SCHEMA, "fields"), f"{P_SCHEMA}.fields", "list of fields"),
    (drop(*SCHEMA, "fields", 4), f"{P_SCHEMA}.fields", "lacks the field TIMESTAMP"),
    (put(*SCHEMA, "fields", 0, "type", "int"), f"{P_SCHEMA}.fields[0].type", "must be string"),
    (
        put(*SCHEMA, "fields", 0, "type", ["string", "null"]),
        f"{P_SCHEMA}.fields[0].type",
        "may not be null",
    ),
    (put(*SCHEMA, "fields", 3, "type", "decimal"), f"{P_SCHEMA}.fields[3].type", "not a type"),
    (
        put(*SCHEMA, "fields", 3, "type", ["float", "int"]),
        f"{P_SCHEMA}.fields[3].type",
        "one type and null",
    ),
    (put(*SCHEMA, "fields", 3, "name", "9"), f"{P_SCHEMA}.fields[3].name", "not a field name"),
    (
        put(*SCHEMA, "fields", 2, "categorical", True),
        f"{P_SCHEMA}.fields[2].categorical",
        "may not be categorical",
    ),
    (
        add(*SCHEMA, "fields", {"name": "EVENTTYPE", "type": "string"}),
        f"{P_SCHEMA}.fields[5].name",
        "collides with EVENT_TYPE",
    ),
    (
        lambda d: at(d, *SCHEMA, "fields").extend(
            {"name": f"M{i}", "type": "int"} for i in range(6)
        ),
        f"{P_SCHEMA}.fields",
        "6 metadata fields",
    ),
    (
        put(*USERS, "fields", [{"name": "USER_ID", "type": "string"}]),
        f"{P_USERS}.fields",
        "no metadata field",
    ),
    (put(*ITEMS, "fields", 2, "textual", True), f"{P_ITEMS}.fields", "textual fields"),
    (put("datasets", "items", "schema", "serviceConfig", "schema", "{"), P_ITEMS, "is not JSON"),
    # the sections against each other
    (
        put(*SOLUTION, "recipeArn", f"{RECIPE}aws-magic"),
        f"{P_SOLUTION}.recipeArn",
        "is not a recipe",
    ),
    (put(*SOLUTION, "recipeArn", f"{RECIPE}aws-hrnn"), f"{P_SOLUTION}.recipeArn", "not a recipe"),
    (drop(*SOLUTION, "recipeArn"), f"{P_SOLUTION}.recipeArn", "is required"),
    (
        put(*SOLUTION, "solutionConfig", {"algorithmHyperParameters": {"hidden_dimension": "12"}}),
        f"{P_SOLUTION}.solutionConfig.algorithmHyperParameters.hidden_dimension",
        "Provide a hyperparameter that is used in the algorithm",
    ),
    (
        put(*SOLUTION, "recipeArn", f"{RECIPE}aws-vod-top-picks"),
        f"{P_SOLUTION}.recipeArn",
        "makes recommenders",
    ),
    (
        put(*SOLUTION, "recipeArn", f"{RECIPE}aws-next-best-action"),
        f"{P_SOLUTION}.recipeArn",
        "needs the actions dataset",
    ),
    (put(*SOLUTION, "performHPO", True), f"{P_SOLUTION}.performHPO", "does not support it"),
    (
        put("solutions", 0, "solutionVersion", {"serviceConfig": {"trainingMode": "UPDATE"}}),
        "$.solutions[0].solutionVersion.serviceConfig.trainingMode",
        "does not support UPDATE",
    ),
    (
        put("solutions", 1, "serviceConfig", "name", "movielens-for-you"),
        "$.solutions[1].serviceConfig.name",
        "already used by $.solutions[0]",
    ),
    (
        put("datasets", "users", "schema", "serviceConfig", "name", "movielens-items"),
        "$.datasets.items.schema.serviceConfig.name",
        "already used",
    ),
    (put(*FILTER, "filterExpression", "nonsense"), f"{P_FILTER}.filterExpression", "character 0"),
    (
        put(*FILTER, "filterExpression", "EXCLUDE ItemID WHERE Items.COST = 1"),
        f"{P_FILTER}.filterExpression",
        "not in that schema",
    ),
    (
        put(
            "recommenders",
            [{"serviceConfig": {"name": "r", "recipeArn": f"{RECIPE}aws-vod-top-picks"}}],
        ),
        "$.recommenders",
        "need a domain dataset group",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": {"jobInput": {}}}]),
        "$.solutions[0].batchInferenceJobs[0].serviceConfig.jobInput",
        "filled in",
    ),
    # batch jobs, exports, deletions, attributions
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": {"numResults": "5"}}]),
        f"{P_JOB}.serviceConfig.numResults",
        "whole number",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": {"jobName": "x" * 39}}]),
        f"{P_JOB}.serviceConfig.jobName",
        "The most is 38",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{}, {"serviceConfig": {"jobName": LONG}}]),
        "$.solutions[0].batchInferenceJobs[1].serviceConfig.jobName",
        f"already used by {P_JOB}",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"workflowConfig": {"schedules": {}}}]),
        f"{P_JOB}.workflowConfig.schedules",
        "'schedule'",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"workflowConfig": {"schedule": "cron(0 0)"}}]),
        f"{P_JOB}.workflowConfig.schedule",
        "6 fields",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": {"filterArn": "unseen"}}]),
        f"{P_JOB}.serviceConfig.filterArn",
        "Give the ARN",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": THEMES}]),
        f"{P_JOB}.serviceConfig.batchInferenceJobMode",
        "has no themes",
    ),
    (
        put("solutions", 0, "batchInferenceJobs", [{"serviceConfig": THEMES}]),
        f"{P_JOB}.serviceConfig.themeGenerationConfig",
        "is required for themes",
    ),
    (
        put(
            "solutions",
            0,
            "batchInferenceJobs",
            [
                {
                    "serviceConfig": {
                        "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "T"}}
                    }
                }
            ],
        ),
        f"{P_JOB}.serviceConfig.themeGenerationConfig",
        "only with themes",
    ),
    (
        put("solutions", 0, "batchSegmentJobs", [{}]),
        "$.solutions[0].batchSegmentJobs[0]",
        "makes no segments",
    ),
    (put(*SOLUTION, "recipeArn", f"{RECIPE}aws-item-affinity"), P_SERVED, "no campaigns"),
    (
        both(
            put(*SOLUTION, "recipeArn", f"{RECIPE}aws-item-affinity"),
            put("solutions", 0, "batchInferenceJobs", [{}]),
        ),
        P_JOB,
        "Use batchSegmentJobs",
    ),
    (
        both(
            put(*SOLUTION, "recipeArn", f"{RECIPE}aws-trending-now"),
            put("solutions", 0, "batchInferenceJobs", [{}]),
        ),
        P_JOB,
        "has no batch inference",
    ),
    (
        both(
            put(*GROUP, "name", "g" * 63),
            put(*SOLUTION, "name", "s" * 63),
            put("solutions", 0, "batchInferenceJobs", [{}]),
        ),
        f"{P_SOLUTION}.name",
        "longer than 256 characters",
    ),
    (
        put("datasets", "items", "export", {"serviceConfig": {"ingestionMode": "SOME"}}),
        "$.datasets.items.export.serviceConfig.ingestionMode",
        "not one of BULK, PUT, ALL",
    ),
    (
        put("datasets", "items", "export", {"serviceConfig": {"jobOutput": {}}}),
        "$.datasets.items.export.serviceConfig.jobOutput",
        "filled in",
    ),
    (
        put("dataDeletionJob", {"serviceConfig": {"dataSource": {}}}),
        "$.dataDeletionJob.serviceConfig.dataSource",
        "filled in",
    ),
    (put("dataDeletionJob", []), "$.dataDeletionJob", "must be an object"),
    (
        put("metricAttribution", attribution(expression="COUNT()")),
        f"{P_METRICS}[0].expression",
        "Use SAMPLECOUNT()",
    ),
    (
        put("metricAttribution", attribution(expression="SUM(Items.TITLE)")),
        f"{P_METRICS}[0].expression",
        "not a field with numbers",
    ),
    (
        put("metricAttribution", attribution("a", "a")),
        f"{P_METRICS}[1].metricName",
        "there twice",
    ),
    (
        put("metricAttribution", attribution(*"abcdefghijk")),
        P_METRICS,
        "The most is 10",
    ),
    (
        both(put("metricAttribution", attribution()), drop(*SCHEMA, "fields", 2)),
        "$.metricAttribution",
        "needs the field EVENT_TYPE",
    ),
    (
        both(put("metricAttribution", attribution()), drop("datasets", "interactions")),
        "$.metricAttribution",
        "needs an interactions dataset",
    ),
    # training: who does it, and on what
    (
        both(
            put(*SOLUTION, "performAutoTraining", True),
            put("solutions", 0, "workflowConfig", {"schedules": {"full": "cron(0 3 * * ? *)"}}),
        ),
        f"{P_SOLUTION}.performAutoTraining",
        "about 4 times a month beside the schedule's 30, and each training is billed",
    ),
    (
        put("solutions", 0, "workflowConfig", {"schedules": {"update": "rate(1 day)"}}),
        "$.solutions[0].workflowConfig.schedules.update",
        "does not support UPDATE",
    ),
    (
        put(
            *SOLUTION,
            "solutionConfig",
            {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}},
        ),
        f"{P_SOLUTION}.solutionConfig.autoTrainingConfig.schedulingExpression",
        "from rate(1 day) to rate(30 days)",
    ),
    (
        put("solutions", 0, "solutionVersion", {"serviceConfig": {"trainingMode": "AUTOTRAIN"}}),
        "$.solutions[0].solutionVersion.serviceConfig.trainingMode",
        "for the service itself",
    ),
    (
        put(*SOLUTION, "performIncrementalUpdate", True),
        f"{P_SOLUTION}.performIncrementalUpdate",
        "does not support it",
    ),
    (
        put(*SOLUTION, "solutionConfig", {"optimizationObjective": {"itemAttribute": "YEAR"}}),
        f"{P_SOLUTION}.solutionConfig.optimizationObjective",
        "does not support it",
    ),
    (
        both(
            put(*SOLUTION, "recipeArn", f"{RECIPE}aws-user-personalization"),
            put(*SOLUTION, "solutionConfig", {"optimizationObjective": {"itemAttribute": "TITLE"}}),
        ),
        f"{P_SOLUTION}.solutionConfig.optimizationObjective.itemAttribute",
        "not a field with numbers",
    ),
    (
        put(*SOLUTION, "solutionConfig", {"trainingDataConfig": EXCLUDED}),
        f"{P_SOLUTION}.solutionConfig.trainingDataConfig.excludedDatasetColumns.Items[0]",
        "not a field of that schema",
    ),
    (
        both(
            drop("datasets", "items"),
            put(*SOLUTION, "solutionConfig", {"trainingDataConfig": EXCLUDED}),
        ),
        f"{P_SOLUTION}.solutionConfig.trainingDataConfig.excludedDatasetColumns.Items",
        "no such dataset",
    ),
    (
        both(drop(*SCHEMA, "fields", 2), put(*SOLUTION, "eventType", "rating")),
        f"{P_SOLUTION}.eventType",
        "needs the field EVENT_TYPE",
    ),
    # schedules, tags
    (
        put("datasetGroup", "workflowConfig", {"timeZone": "Middle/Earth"}),
        "$.datasetGroup.workflowConfig.timeZone",
        "not an IANA time zone",
    ),
    (
        put("datasetGroup", "workflowConfig", {"schedules": {"import": "cron(0 0 30 2 ? *)"}}),
        "$.datasetGroup.workflowConfig.schedules.import",
        "never fires",
    ),
    (
        put("datasetGroup", "workflowConfig", {"maxAge": "-3 days"}),
        "$.datasetGroup.workflowConfig.maxAge",
        'Write it as "365 days"',
    ),
    (put("tags", [{"tagKey": "aws:x", "tagValue": ""}]), "$.tags[0].tagKey", "is reserved"),
    (
        put(
            *SOLUTION, "tags", [{"tagKey": "a", "tagValue": "1"}, {"tagKey": "a", "tagValue": "2"}]
        ),
        f"{P_SOLUTION}.tags[1].tagKey",
        "there twice",
    ),
    (
        put(*SOLUTION, "tags", [{"tagKey": f"k{n}", "tagValue": ""} for n in range(51)]),
        f"{P_SOLUTION}.tags",
        "The most is 50",
    ),
]


@pytest.mark.parametrize(
    ("bend", "path", "message"), WRONG, ids=[f"{path} {message}" for _, path, message in WRONG]
)
def test_a_wrong_config_is_told_with_its_path(bend: Bend, path: str, message: str) -> None:
    document = config()
    bend(document)
    problems = told(document)
    assert path in problems, problems
    assert message in problems[path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1"),
        ('{"datasetGroup": ', "line 1, column 18"),
        ("[]", "must be an object"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN is not a number"),
        (b"\xff\xfe{}", "not UTF-8"),
        ("[" * 200_000, "nested more than 32 deep"),
        ("[" * 40 + "]" * 40, "nested more than 32 deep"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 5_000 + "}", "too large"),
        (" " * (SIZE_LIMIT + 1), "larger than"),
    ],
)
def test_what_is_not_a_json_object_is_one_problem(text: str | bytes, message: str) -> None:
    problems = told(text)
    assert list(problems) == ["$"]
    assert message in problems["$"]


def test_all_problems_are_told_at_once() -> None:
    document = config()
    bends = [
        put("eventTraker", {}),
        put(*GROUP, "name", "x y"),
        drop(*SCHEMA, "fields", 4),
        put(*SOLUTION, "recipeArn", "nothing"),
        put(*CAMPAIGN, "minProvisionedTPS", "1"),
    ]
    for bend in bends:
        bend(document)
    assert {
        "$.eventTraker",
        f"{P_GROUP}.name",
        f"{P_SCHEMA}.fields",
        f"{P_SOLUTION}.recipeArn",
        f"{P_CAMPAIGN}.minProvisionedTPS",
    } <= set(told(document))


def test_paths_stay_right_behind_a_part_that_cannot_be_read() -> None:
    document = config()
    document["filters"] = [3, {"serviceConfig": {"name": "x y", "filterExpression": "nonsense"}}]
    assert set(told(document)) == {
        "$.filters[0]",
        "$.filters[1].serviceConfig.name",
        "$.filters[1].serviceConfig.filterExpression",
    }


def test_the_example_is_read_and_nothing_is_added_to_it() -> None:
    document = config()
    parsed = parse(json.dumps(document))
    assert parsed.group.params == document["datasetGroup"]["serviceConfig"]
    assert [one.kind for one in parsed.datasets] == ["interactions", "users", "items"]
    assert parsed.notes == ()


def test_a_byte_order_mark_is_no_problem() -> None:
    parse(b"\xef\xbb\xbf" + json.dumps(config()).encode())


def test_false_and_zero_are_kept() -> None:
    document = config()
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    state = desired_state(parse(json.dumps(document)), PLACE, version="1")
    assert state.resources["solution.movielens-for-you"].params["performAutoTraining"] is False


def test_a_file_for_the_aws_solution_works_unchanged() -> None:
    """Its sections, its tags at every level, its schedules and its empty batch jobs."""
    tags = [{"tagKey": "team", "tagValue": "shop"}]
    document = config()
    document["datasetGroup"] = {
        "serviceConfig": {"name": "shop", "tags": tags},
        "workflowConfig": {"schedules": {"import": "cron(0 */6 * * ? *)"}},
    }
    document["datasets"]["serviceConfig"] = {"importMode": "FULL", "tags": tags}
    for kind in ("interactions", "users", "items"):
        document["datasets"][kind]["dataset"]["serviceConfig"]["tags"] = tags
    document["eventTracker"]["serviceConfig"]["tags"] = tags
    document["filters"][0]["serviceConfig"]["tags"] = tags
    document["solutions"] = [
        {
            "serviceConfig": {
                "name": "for-you",
                "recipeArn": f"{RECIPE}aws-user-personalization",
                "tags": tags,
            },
            "workflowConfig": {
                "schedules": {"full": "cron(0 0 ? * 1 *)", "update": "cron(0 * * * ? *)"}
            },
            "solutionVersion": {"serviceConfig": {"tags": tags}},
            "campaigns": [
                {"serviceConfig": {"name": "for-you", "minProvisionedTPS": 1, "tags": tags}}
            ],
            "batchInferenceJobs": [
                {
                    "serviceConfig": {"tags": tags},
                    "workflowConfig": {"schedule": "cron(0 3 * * ? *)"},
                }
            ],
        },
        {
            "serviceConfig": {"name": "fans", "recipeArn": f"{RECIPE}aws-item-affinity"},
            "batchSegmentJobs": [
                {"serviceConfig": {}, "workflowConfig": {"schedule": "cron(0 3 * * ? *)"}}
            ],
        },
    ]
    parsed = parse(json.dumps(document))
    desired = desired_state(parsed, PLACE, version="1").resources.values()
    assert all(one.params["tags"] for one in desired if one.spec.tagged)
    assert sum(one.noun == "BatchInferenceJob" for one in desired) == 1


def test_there_are_a_hundred_wrong_configs() -> None:
    assert len(WRONG) >= 100


def test_a_config_with_everything_has_no_problem() -> None:
    assert parse(json.dumps(everything())).notes == ()


@pytest.mark.parametrize(
    ("bend", "path", "message"),
    [
        (put(*GROUP, "roleArn", PLACE.role_arn), f"{P_GROUP}.roleArn", "the stack's own role"),
        (
            both(drop(*SOLUTION, "recipeArn"), put(*SOLUTION, "performAutoML", True)),
            f"{P_SOLUTION}.performAutoML",
            "deprecated",
        ),
        (
            put("solutions", 0, "campaigns", 0, "workflowConfig", {"maxAge": "1 day"}),
            f"{P_SERVED}.workflowConfig.maxAge",
            "no effect",
        ),
        (
            put("datasets", "serviceConfig", "publishAttributionMetricsToS3", True),
            "$.datasets.serviceConfig.publishAttributionMetricsToS3",
            "only with a metric attribution",
        ),
        (
            lambda d: d["filters"].extend(
                {"serviceConfig": {**d["filters"][0]["serviceConfig"], "name": f"f{n}"}}
                for n in range(30)
            ),
            "$.filters[30]",
            "may have 30",
        ),
        (
            both(
                put(*SOLUTION, "recipeArn", f"{RECIPE}aws-user-personalization"),
                put(*SOLUTION, "performAutoTraining", True),
                put("solutions", 0, "workflowConfig", {"schedules": {"update": "rate(1 day)"}}),
            ),
            f"{P_SOLUTION}.performAutoTraining",
            "billed beside",
        ),
    ],
)
def test_what_is_no_problem_may_be_noted(bend: Bend, path: str, message: str) -> None:
    document = config()
    bend(document)
    noted = {one.path: one.message for one in parse(json.dumps(document)).notes}
    assert message in noted[path]


def test_a_schedule_that_only_judges_leaves_the_training_to_the_service() -> None:
    """And with it a gate may hold what the service trains by itself."""
    document = config()
    solution = document["solutions"][0]
    solution["workflowConfig"] = {"schedules": {"judge": "rate(1 hour)"}, "gate": {"mode": "hold"}}
    for said in ({}, {"performAutoTraining": True}):
        solution["serviceConfig"] |= said
        made = desired_state(parse(json.dumps(document)), PLACE, version="1")
        trains = made.resources["solution.movielens-for-you"].params
        assert trains.get("performAutoTraining") == said.get("performAutoTraining")
    task = made.tasks["judge.movielens-for-you"]
    assert (task.anew, task.params, task.kind) == ((), {}, "judge")
    (part,) = task.work["solutions"]
    assert part["version"] == "version.movielens-for-you"
    assert part["campaigns"]
    assert not part["batchInferenceJobs"]
    del solution["workflowConfig"]["schedules"]
    with pytest.raises(ConfigError) as refused:
        parse(json.dumps(document))
    assert [one.path for one in refused.value.problems] == [f"{P_SOLUTION}.performAutoTraining"]
    assert "schedules.judge" in refused.value.problems[0].remedy


def test_limits_of_the_data_of_a_solution_are_checked_with_their_path() -> None:
    document = config()
    given = {"rows": "20%", "unknownItems": 2}
    document["solutions"][0]["workflowConfig"] = {"gate": {"data": given}}
    with pytest.raises(ConfigError) as refused:
        parse(json.dumps(document))
    place = "$.solutions[0].workflowConfig.gate.data"
    assert {one.path for one in refused.value.problems} == {
        f"{place}.rows",
        f"{place}.unknownItems",
    }


@pytest.mark.parametrize("said", [None, True, False])
def test_a_schedule_alone_trains_unless_the_config_says_otherwise(said: bool | None) -> None:
    document = config()
    solution = document["solutions"][0]
    solution["serviceConfig"]["recipeArn"] = f"{RECIPE}aws-user-personalization"
    solution["workflowConfig"] = {"schedules": {"update": "rate(1 day)"}}
    if said is not None:
        solution["serviceConfig"]["performAutoTraining"] = said
    resources = desired_state(parse(json.dumps(document)), PLACE, version="1").resources
    assert resources["solution.movielens-for-you"].params["performAutoTraining"] == bool(said)
    assert "performAutoTraining" not in resources["solution.movielens-popular"].params


def test_jobs_are_named_after_what_they_are_for_and_their_run() -> None:
    document = config()
    solution = document["solutions"][0]
    solution["serviceConfig"]["name"] = "s" * 63
    solution["batchInferenceJobs"] = [{}, {}, {"serviceConfig": {"jobName": "weekly"}}]
    resources = desired_state(parse(json.dumps(document)), PLACE, version="1").resources
    jobs = [one for one in resources.values() if one.noun == "BatchInferenceJob"]
    made = [job.as_made_by("20261124T141547-bfcebc31") for job in jobs]
    names = [params["jobName"] for params in made]
    assert names[2] == "weekly-20261124T141547-bfcebc31"
    assert len(set(names)) == 3
    assert max(map(len, names)) == 63
    output = made[2]["jobOutput"]["s3DataDestination"]["path"]
    assert output == f"s3://data/batch/movielens/{'s' * 63}/{names[2]}/"


def test_a_domain_config_is_read() -> None:
    document = config()
    document["datasetGroup"]["serviceConfig"]["domain"] = "VIDEO_ON_DEMAND"
    at(document, *ITEMS, "fields").append({"name": "CREATION_TIMESTAMP", "type": "long"})
    document["recommenders"] = [
        {"serviceConfig": {"name": "top", "recipeArn": f"{RECIPE}aws-vod-top-picks"}}
    ]
    state = desired_state(parse(json.dumps(document)), PLACE, version="1")
    assert state.resources["schema.items"].params["domain"] == "VIDEO_ON_DEMAND"
    assert state.work["recommenders"] == ["recommender.top"]
    assert state.resources["recommender.top"].arn == PLACE.arn("recommender/top")


def test_the_desired_state_survives_being_saved() -> None:
    state = desired_state(parse(json.dumps(everything())), PLACE, version="1")
    assert DesiredState.from_json(state.to_json()) == state


def test_every_id_of_the_work_is_a_resource() -> None:
    state = desired_state(parse(json.dumps(everything())), PLACE, version="1")

    def ids(work: Any) -> set[str]:
        if isinstance(work, str):
            return {work}
        inner = work.values() if isinstance(work, dict) else work
        return set().union(*map(ids, inner))

    names = {solution["name"] for solution in state.work["solutions"]}
    assert ids(state.work) - names == set(state.resources)


def test_tags_of_the_file_are_for_all_that_have_none_of_their_own() -> None:
    document = config()
    own = [{"tagKey": "own", "tagValue": "1"}]
    document["solutions"][0]["serviceConfig"]["tags"] = own
    document["solutions"][1]["serviceConfig"]["tags"] = []
    resources = desired_state(parse(json.dumps(document)), PLACE, version="1").resources
    assert resources["solution.movielens-for-you"].params["tags"] == own
    assert resources["solution.movielens-popular"].params["tags"] == []
    assert resources["datasetGroup"].params["tags"] == document["tags"]
    assert "tags" not in resources["schema.items"].params


def test_an_update_training_is_told_to_end_the_services_own() -> None:
    document = config()
    solution = document["solutions"][0]
    solution["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/aws-user-personalization"
    solution["workflowConfig"] = {"schedules": {"update": "rate(1 day)", "full": "rate(7 days)"}}
    paths = [one.path for one in parse(json.dumps(document)).notes if one.rule == "MPE-Q011"]
    assert paths == ["$.solutions[0].workflowConfig.schedules.update"]


def test_a_campaign_that_syncs_follows_the_latest_version() -> None:
    document = config()
    at(document, *CAMPAIGN)["campaignConfig"] = {"syncWithLatestSolutionVersion": True}
    resources = desired_state(parse(json.dumps(document)), PLACE, version="1").resources
    campaign = resources["campaign.movielens-for-you.movielens-for-you"]
    assert campaign.params["solutionVersionArn"].endswith("solution/movielens-for-you/$LATEST")
    assert campaign.given == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_anything_is_a_config_or_has_problems(text: str | bytes) -> None:
    with contextlib.suppress(ConfigError):
        parse(text)


@given(st.sampled_from([SOLUTION, CAMPAIGN, SCHEMA, FILTER, GROUP, ("datasets",)]), st.text(), JSON)
def test_a_config_with_anything_anywhere_is_read_or_told(
    path: tuple[str, ...], key: str, value: Any
) -> None:
    document = config()
    at(document, *path)[key] = value
    with contextlib.suppress(ConfigError):
        parse(json.dumps(document))


def test_a_campaign_may_stay_at_a_version_of_its_solution() -> None:
    document = config()
    version = "arn:aws:personalize:us-east-1:000000000000:solution/movielens-for-you/1234abcd"
    at(document, *CAMPAIGN)["solutionVersionArn"] = version
    resources = desired_state(parse(json.dumps(document)), PLACE, version="1").resources
    campaign = resources["campaign.movielens-for-you.movielens-for-you"]
    assert campaign.params["solutionVersionArn"] == version
    assert campaign.given == ()


def test_a_dataset_may_do_without_a_csv() -> None:
    document = config()
    document["datasets"]["users"]["dataset"]["workflowConfig"] = {"dataOptional": True}
    parsed = parse(json.dumps(document))
    resources = desired_state(parsed, PLACE, version="1").resources
    data = [resources[f"import.{kind}"].data for kind in ("users", "items")]
    assert [one.optional for one in data if one] == [True, True]
    expected = {one.kind: one.data_optional for one in parsed.datasets}
    assert (expected["users"], expected["items"]) == (True, False), "what check-data asks for"


def test_all_is_told_at_once_also_where_schemas_are_wrong() -> None:
    """What reads a schema that is wrong waits for that; all else is told with it."""
    document = everything("all")
    items = document["datasets"]["items"]["schema"]["serviceConfig"]["schema"]
    items["name"] = "Item"
    items["fields"][1]["type"] = "text"
    items["fields"].append({"name": "1st", "type": "string"})
    users = document["datasets"]["users"]["schema"]["serviceConfig"]["schema"]
    users["fields"] = [{"name": "SHELF", "type": "string"}]
    for name, expression in (
        ("unread", "INCLUDE ItemID WHERE Items.NONE IN ($X)"),
        ("unknown", 'EXCLUDE ItemID WHERE Interactions.NONE IN ("view")'),
        ("unclear", "INCLUDE ItemID WHERE"),
    ):
        document["filters"].append(
            {"serviceConfig": {"name": name, "filterExpression": expression}}
        )
    solution = document["solutions"][0]["serviceConfig"]
    excluded = {"Items": ["NONE"], "Interactions": ["NONE"]}
    solution["solutionConfig"] = {"trainingDataConfig": {"excludedDatasetColumns": excluded}}
    document["metricAttribution"]["serviceConfig"]["metrics"][0]["expression"] = (
        "SUM(Interactions.NONE)"
    )
    found = told(document)
    schema, columns = ".schema.serviceConfig.schema", "excludedDatasetColumns"
    place = f"$.solutions[0].serviceConfig.solutionConfig.trainingDataConfig.{columns}"
    assert {
        f"$.datasets.items{schema}.name",
        f"$.datasets.items{schema}.fields[1].type",
        "$.filters[2].serviceConfig.filterExpression",
        "$.filters[3].serviceConfig.filterExpression",
        f"{place}.Interactions[0]",
        "$.metricAttribution.serviceConfig.metrics[0].expression",
    } <= set(found)
    assert any(path.startswith(f"$.datasets.items{schema}.fields[4]") for path in found), found
    assert any(path.startswith(f"$.datasets.users{schema}") for path in found)
    assert "$.filters[1].serviceConfig.filterExpression" not in found
    assert f"{place}.Items[0]" not in found
