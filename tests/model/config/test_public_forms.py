"""Configs in the forms of public ones: what the AWS solution takes is taken, and does its work.

Each is of our own making, in a form that the README of aws-solutions/maintaining-personalized-
experiences-with-machine-learning (v1.4.5), the parameter files of aws-samples/amazon-personalize-
immersion-day or the request syntax of the developer guide's Create operations allow. What
that solution refuses, or the service, is refused here with a remedy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.plan.desired import DesiredState, Place, desired_state

PLACE = Place("us-east-1", "000000000000", "data", "arn:aws:iam::000000000000:role/service")
RECIPE = "arn:aws:personalize:::recipe/"
Document = dict[str, Any]
Form = tuple[Document, Callable[[DesiredState], bool]]


def named(name: str, **more: Any) -> Document:
    return {"serviceConfig": {"name": name, **more}}


def dataset(kind: str, *fields: Document, name: str = "", **schema: Any) -> Document:
    """Return a dataset as the README has it: the record's name in lower case."""
    record = {
        "type": "record",
        "name": name or kind,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": list(fields),
        **schema,
    }
    return {
        "dataset": named(f"harbour-{kind}-data"),
        "schema": named(f"harbour-{kind}-schema", schema=record),
    }


def field(name: str, kind: Any = "string", **more: Any) -> Document:
    return {"name": name, "type": kind, **more}


EVENTS = (field("USER_ID"), field("ITEM_ID"), field("TIMESTAMP", "long"), field("EVENT_TYPE"))


def harbour(*solutions: Document, **more: Any) -> Document:
    return {
        "datasetGroup": named("harbour"),
        "datasets": {"interactions": dataset("interactions", *EVENTS)},
        **({"solutions": list(solutions)} if solutions else {}),
        **more,
    }


def solution(recipe: str, *, given: Document | None = None, **more: Any) -> Document:
    found = named(f"harbour-{recipe}", recipeArn=f"{RECIPE}aws-{recipe}", **(given or {}))
    return {**found, **more}


def ids(*wanted: str) -> Callable[[DesiredState], bool]:
    return lambda state: set(wanted) <= set(state.resources)


def tasks(*wanted: str) -> Callable[[DesiredState], bool]:
    return lambda state: set(state.tasks) == set(wanted)


def shop(*recommenders: Document, domain: str = "ECOMMERCE") -> Document:
    document = harbour(recommenders=list(recommenders))
    document["datasetGroup"]["serviceConfig"]["domain"] = domain
    for one in document["datasets"].values():
        one["schema"]["serviceConfig"]["domain"] = domain
    return document


def in_sections(document: Document, path: str, value: Any) -> Document:
    """Return a document with a value at a dotted path."""
    *above, last = path.split(".")
    found: Any = document
    for part in above:
        found = found[int(part)] if part.isdigit() else found.setdefault(part, {})
    found[last] = value
    return document


SCHEDULES = (
    "cron(0 0 ? * 1 *)",
    "cron(0 */6 * * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0 0 ? * MON-FRI *)",
    "cron(0 12 ? * SUN *)",
    "cron(30 2 1 * ? *)",
    "cron(0 8 1 JAN,JUL ? *)",
    "cron(15 10 ? * 6L 2022-2099)",
    "cron(0 9 ? * 2#1 *)",
    "cron(0 3 L * ? *)",
    "rate(1 day)",
    "rate(12 hours)",
)
LEGACY = ("sims", "popularity-count",
          "personalized-ranking", "user-personalization", "similar-items", "trending-now",
          "user-personalization-v2", "personalized-ranking-v2")  # fmt: skip
NULLABLE = ["string", "null"]

FORMS: dict[str, Form] = {
    "a group alone": ({"datasetGroup": named("harbour")}, ids("datasetGroup")),
    "datasets alone": (harbour(), ids("dataset.interactions", "import.interactions")),
    "empty sections": (
        harbour(
            {**solution("sims"), "campaigns": [], "batchInferenceJobs": [], "batchSegmentJobs": []},
            filters=[],
            recommenders=[],
        ),
        ids("version.harbour-sims"),
    ),
    "empty workflow sections": (
        in_sections(
            harbour({**solution("sims"), "workflowConfig": {}}),
            "datasetGroup.workflowConfig",
            {"schedules": {}},
        ),
        tasks(),
    ),
    "schedules of every kind": (
        harbour(
            *(
                {
                    **solution("sims"),
                    "serviceConfig": {"name": f"s{n}", "recipeArn": f"{RECIPE}aws-sims"},
                    "workflowConfig": {"schedules": {"full": one}},
                }
                for n, one in enumerate(SCHEDULES)
            )
        ),
        lambda state: len(state.tasks) == len(SCHEDULES),
    ),
    "full and update beside each other": (
        harbour(
            solution(
                "user-personalization",
                workflowConfig={
                    "schedules": {"full": "cron(0 0 ? * 1 *)", "update": "cron(0 */4 * * ? *)"}
                },
            )
        ),
        tasks("full.harbour-user-personalization", "update.harbour-user-personalization"),
    ),
    "a maximum age beside the schedules": (
        harbour(
            solution(
                "sims", workflowConfig={"schedules": {"full": "rate(7 days)"}, "maxAge": "6 days"}
            )
        ),
        lambda state: state.resources["version.harbour-sims"].max_age == 6 * 86_400,
    ),
    "a maximum age inside the schedules": (
        harbour(
            solution(
                "sims", workflowConfig={"schedules": {"full": "rate(7 days)", "maxAge": "6 days"}}
            )
        ),
        lambda state: state.resources["version.harbour-sims"].max_age == 6 * 86_400,
    ),
    "recipes of every age": (
        harbour(
            *(solution(one) for one in LEGACY),
        )
        | {
            "datasets": {
                "interactions": dataset("interactions", *EVENTS),
                "items": dataset("items", field("ITEM_ID"), field("GENRES", categorical=True)),
                "users": dataset("users", field("USER_ID"), field("AGE", "int")),
            }
        },
        lambda state: len(state.work["solutions"]) == len(LEGACY),
    ),
    "hyperparameters as text": (
        harbour(
            solution(
                "user-personalization",
                given={
                    "performHPO": False,
                    "solutionConfig": {
                        "algorithmHyperParameters": {
                            "bptt": "20",
                            "hidden_dimension": "100",
                            "recency_mask": "true",
                        },
                        "featureTransformationParameters": {
                            "min_user_history_length_percentile": "0.00",
                            "max_user_history_length_percentile": "0.99",
                        },
                    },
                },
            )
        ),
        ids("solution.harbour-user-personalization"),
    ),
    "optimization by an objective": (
        in_sections(
            harbour(
                solution(
                    "user-personalization",
                    given={
                        "solutionConfig": {
                            "optimizationObjective": {
                                "itemAttribute": "PRICE",
                                "objectiveSensitivity": "LOW",
                            }
                        }
                    },
                )
            ),
            "datasets.items",
            dataset("items", field("ITEM_ID"), field("PRICE", "float")),
        ),
        ids("solution.harbour-user-personalization"),
    ),
    "an event type with a threshold": (
        in_sections(
            harbour(
                solution(
                    "user-personalization",
                    given={"eventType": "buy", "solutionConfig": {"eventValueThreshold": "0.5"}},
                )
            ),
            "datasets.interactions",
            dataset("interactions", *EVENTS, field("EVENT_VALUE", "float")),
        ),
        ids("solution.harbour-user-personalization"),
    ),
    "weights of events and columns left out": (
        harbour(
            solution(
                "user-personalization-v2",
                given={
                    "performAutoTraining": True,
                    "solutionConfig": {
                        "autoTrainingConfig": {"schedulingExpression": "rate(5 days)"},
                        "eventsConfig": {
                            "eventParametersList": [
                                {"eventType": "buy", "eventValueThreshold": 1.0, "weight": 0.8}
                            ]
                        },
                    },
                },
            )
        ),
        ids("solution.harbour-user-personalization-v2"),
    ),
    "campaigns that explore": (
        harbour(
            solution(
                "user-personalization",
                campaigns=[
                    named(
                        "harbour-live",
                        minProvisionedTPS=1,
                        campaignConfig={
                            "itemExplorationConfig": {
                                "explorationWeight": "0.3",
                                "explorationItemAgeCutOff": "30",
                            }
                        },
                    ),
                    named("harbour-other", minProvisionedTPS=2),
                ],
            )
        ),
        ids(
            "campaign.harbour-user-personalization.harbour-live",
            "campaign.harbour-user-personalization.harbour-other",
        ),
    ),
    "campaigns without a throughput": (
        harbour(solution("sims", campaigns=[named("harbour-live")])),
        ids("campaign.harbour-sims.harbour-live"),
    ),
    "batch jobs without anything": (
        harbour(solution("user-personalization", batchInferenceJobs=[{"serviceConfig": {}}])),
        ids("batchInferenceJob.harbour-user-personalization.harbour-user-personalization"),
    ),
    "batch jobs with all": (
        harbour(
            solution(
                "user-personalization",
                batchInferenceJobs=[
                    {
                        "serviceConfig": {
                            "numResults": 25,
                            "batchInferenceJobConfig": {
                                "itemExplorationConfig": {"explorationWeight": "0.5"}
                            },
                        },
                        "workflowConfig": {"schedule": "cron(0 3 * * ? *)", "maxAge": "1 day"},
                    }
                ],
            )
        ),
        tasks("batchInferenceJob.harbour-user-personalization.harbour-user-personalization"),
    ),
    "segments": (
        in_sections(
            harbour(
                solution(
                    "item-affinity",
                    batchSegmentJobs=[
                        {
                            "serviceConfig": {"numResults": 100},
                            "workflowConfig": {"schedule": "cron(0 4 ? * 1 *)"},
                        }
                    ],
                ),
                solution("item-attribute-affinity", batchSegmentJobs=[{"serviceConfig": {}}]),
            ),
            "datasets.items",
            dataset("items", field("ITEM_ID"), field("GENRES", categorical=True)),
        ),
        tasks("batchSegmentJob.harbour-item-affinity.harbour-item-affinity"),
    ),
    "a shop's recommenders": (
        shop(
            named("harbour-viewed", recipeArn=f"{RECIPE}aws-ecomm-popular-items-by-views"),
            named(
                "harbour-for-you",
                recipeArn=f"{RECIPE}aws-ecomm-recommended-for-you",
                recommenderConfig={
                    "minRecommendationRequestsPerSecond": 1,
                    "itemExplorationConfig": {"explorationWeight": "0.3"},
                },
            ),
        )
        | {
            "solutions": [
                solution(
                    "personalized-ranking", campaigns=[named("harbour-rank", minProvisionedTPS=1)]
                )
            ]
        },
        ids(
            "recommender.harbour-viewed",
            "recommender.harbour-for-you",
            "solution.harbour-personalized-ranking",
        ),
    ),
    "videos": (
        in_sections(
            shop(
                named("harbour-top", recipeArn=f"{RECIPE}aws-vod-top-picks"),
                domain="VIDEO_ON_DEMAND",
            ),
            "datasets.items",
            in_sections(
                dataset(
                    "items",
                    field("ITEM_ID"),
                    field("GENRES", NULLABLE, categorical=True),
                    field("CREATION_TIMESTAMP", "long"),
                    version="1.0",
                    name="Items",
                ),
                "schema.serviceConfig.domain",
                "VIDEO_ON_DEMAND",
            ),
        ),
        ids("recommender.harbour-top", "dataset.items"),
    ),
    "texts, nulls and metadata": (
        in_sections(
            harbour(solution("user-personalization")),
            "datasets.items",
            dataset(
                "items",
                field("ITEM_ID"),
                field("GENRES", ["null", "string"], categorical=True),
                field("DESCRIPTION", ["null", "string"], textual=True),
                field("PRICE", ["null", "float"]),
                field("CREATION_TIMESTAMP", ["null", "long"]),
                version="1.0",
            ),
        ),
        ids("dataset.items"),
    ),
    "impressions": (
        in_sections(
            harbour(solution("user-personalization")),
            "datasets.interactions",
            dataset(
                "Interactions",
                *EVENTS,
                field("RECOMMENDATION_ID", NULLABLE),
                field("IMPRESSION", NULLABLE),
                version="1.0",
            ),
        ),
        ids("dataset.interactions"),
    ),
    "a schema as text": (
        in_sections(
            harbour(),
            "datasets.interactions.schema.serviceConfig.schema",
            json.dumps(dataset("interactions", *EVENTS)["schema"]["serviceConfig"]["schema"]),
        ),
        ids("schema.interactions"),
    ),
    "filters of every form": (
        harbour(
            filters=[
                named(
                    "a", filterExpression='INCLUDE ItemID WHERE Interactions.EVENT_TYPE in ("*")'
                ),
                named(
                    "b",
                    filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a", "b")',
                ),
                named(
                    "c",
                    filterExpression="EXCLUDE ItemID WHERE Interactions.event_type IN ($TYPE)",
                ),
            ]
        ),
        ids("filter.a", "filter.b", "filter.c"),
    ),
    "a tracker and tags at the top": (
        harbour(
            tags=[{"tagKey": "project", "tagValue": "harbour"}],
            eventTracker=named("harbour-tracker"),
        ),
        lambda state: state.resources["eventTracker"].params["tags"][0]["tagValue"] == "harbour",
    ),
    "an encrypted group": (
        {
            **harbour(),
            "datasetGroup": named(
                "harbour",
                kmsKeyArn="arn:aws:kms:us-east-1:000000000000:key/1",
                roleArn="arn:aws:iam::000000000000:role/theirs",
            ),
        },
        lambda state: state.resources["datasetGroup"].params["roleArn"] == PLACE.role_arn,
    ),
    "imports with options": (
        in_sections(
            harbour(),
            "datasets.serviceConfig",
            {"importMode": "FULL", "tags": [{"tagKey": "k", "tagValue": "v"}]},
        ),
        lambda state: state.resources["import.interactions"].params["importMode"] == "FULL",
    ),
    "imports without options": (
        in_sections(harbour(), "datasets.serviceConfig", {}),
        ids("import.interactions"),
    ),
    "a training mode beside the solution": (
        harbour(
            solution("user-personalization", given={"solutionVersion": {"trainingMode": "UPDATE"}})
        ),
        lambda state: (
            state.resources["version.harbour-user-personalization"].params["trainingMode"]
            == "UPDATE"
        ),
    ),
    "tags that are empty": (
        {**harbour(), "datasetGroup": named("harbour", tags=[])},
        ids("datasetGroup"),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_config_in_a_public_form_is_taken_and_means_what_it_says(form: str) -> None:
    document, right = FORMS[form]
    state = desired_state(parse(json.dumps(document)), PLACE, version="v")
    assert right(state)


def old_form() -> Document:
    """Return a config in the form of before serviceConfig, which that solution refuses too."""
    document = harbour()
    document["datasetGroup"] = {"name": "harbour"}
    return document


AGED = {"schedules": {"full": "rate(7 days)", "maxAge": "two moons"}}
REFUSED: dict[str, tuple[Document, str, str]] = {
    "a group without serviceConfig": (
        old_form(),
        "$.datasetGroup.serviceConfig",
        "is required. Add it.",
    ),
    "a recipe that is no longer there": (
        harbour(solution("hrnn")),
        "$.solutions[0].serviceConfig.recipeArn",
        "is not a recipe",
    ),
    "a schedule in five fields": (
        harbour(solution("sims", workflowConfig={"schedules": {"full": "cron(0 0 * * ?)"}})),
        "$.solutions[0].workflowConfig.schedules.full",
        "cron needs 6 fields",
    ),
    "a name that the service does not take": (
        {**harbour(), "datasetGroup": named("the harbour")},
        "$.datasetGroup.serviceConfig.name",
        "the harbour",
    ),
    "no age": (
        harbour(solution("sims", workflowConfig=AGED)),
        "$.solutions[0].workflowConfig.schedules.maxAge",
        "two moons",
    ),
    "no name": (
        harbour({"serviceConfig": {"recipeArn": f"{RECIPE}aws-sims"}}),
        "$.solutions[0].serviceConfig.name",
        "is required. Add it.",
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_that_solution_refuses_is_refused_with_its_place_and_a_remedy(form: str) -> None:
    document, path, told = REFUSED[form]
    with pytest.raises(ConfigError) as refused:
        parse(json.dumps(document))
    found = {one.path: f"{one.message} {one.remedy}" for one in refused.value.problems}
    assert told in found[path], found
