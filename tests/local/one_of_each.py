"""A dataset group with one resource of each type, and the configs that follow each other."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.conftest import interactions
from tests.everything import CATEGORY, RECIPE, schema
from tests.local.conftest import NEVER


def first(group: str) -> dict[str, Any]:
    """Return a config with one of each, and two scheduled tasks."""
    interacted = schema(
        "Interactions",
        USER_ID="string",
        ITEM_ID="string",
        EVENT_TYPE="string",
        EVENT_VALUE="float",
        TIMESTAMP="long",
    )
    return {
        "datasetGroup": {
            "serviceConfig": {"name": group, "domain": "ECOMMERCE"},
            "workflowConfig": {"schedules": {"import": NEVER}},
        },
        "datasets": {
            "interactions": {
                **_dataset(group, "interactions", interacted),
                "export": {"serviceConfig": {"ingestionMode": "BULK"}},
            },
            "items": _dataset(
                group,
                "items",
                schema("Items", ITEM_ID="string", PRICE="float", CATEGORY_L1=CATEGORY),
            ),
        },
        "metricAttribution": {
            "serviceConfig": {
                "name": f"{group}-metrics",
                "metrics": [
                    {"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"}
                ],
            }
        },
        "dataDeletionJob": {},
        "eventTracker": {"serviceConfig": {"name": f"{group}-tracker"}},
        "filters": [
            {
                "serviceConfig": {
                    "name": f"{group}-cheap",
                    "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < 20",
                }
            }
        ],
        "recommenders": [
            {
                "serviceConfig": {
                    "name": f"{group}-recommended",
                    "recipeArn": f"{RECIPE}aws-ecomm-recommended-for-you",
                }
            }
        ],
        "solutions": [
            {
                "serviceConfig": {
                    "name": f"{group}-fans",
                    "recipeArn": f"{RECIPE}aws-item-affinity",
                    "performAutoTraining": False,
                },
                "batchSegmentJobs": [{"serviceConfig": {"numResults": 10}}],
            },
            {
                "serviceConfig": {
                    "name": f"{group}-popular",
                    "recipeArn": f"{RECIPE}aws-popularity-count",
                    "performAutoTraining": False,
                },
                "workflowConfig": {"schedules": {"full": NEVER}},
                "campaigns": [{"serviceConfig": {"name": f"{group}-live"}}],
                "batchInferenceJobs": [{}],
            },
        ],
    }


def changed(group: str) -> dict[str, Any]:
    """Return the next config: a campaign, a recommender and the metrics differ, a task is gone."""
    document = deepcopy(first(group))
    document["solutions"][1]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    document["recommenders"][0]["serviceConfig"]["recommenderConfig"] = {
        "minRecommendationRequestsPerSecond": 2
    }
    document["metricAttribution"]["serviceConfig"]["metrics"][0]["metricName"] = "looks"
    del document["datasetGroup"]["workflowConfig"]
    return document


MISTAKE = "filtres"
"""The key that is wrong in a wrong config."""


def wrong(group: str) -> dict[str, Any]:
    """Return a config with a mistake."""
    document = first(group)
    document[MISTAKE] = []
    return document


def _dataset(group: str, kind: str, found: dict[str, Any]) -> dict[str, Any]:
    name = f"{group}-{kind}"
    return {
        "dataset": {"serviceConfig": {"name": name}},
        "schema": {"serviceConfig": {"name": name, "schema": found}},
    }


def files(group: str) -> dict[str, str]:
    """Return the files by their keys in the bucket."""
    bought = interactions(users=40).replace("buy", "Purchase").replace("view", "View")
    items = "".join(f"i{number},{number}.5,{number % 5}\n" for number in range(300))
    return {
        f"train/{group}/interactions.csv": bought,
        f"train/{group}/items.csv": "ITEM_ID,PRICE,CATEGORY_L1\n" + items,
        f"train/{group}/deletions.csv": "USER_ID\nu39\n",
        f"batch/{group}/{group}-popular/job_config.json": '{"userId": "u1"}\n',
        f"batch/{group}/{group}-fans/job_config.json": '{"itemId": "i1"}\n',
    }
