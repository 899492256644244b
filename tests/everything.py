"""A dataset group with everything that a custom one can hold, and the files it needs."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from tests.conftest import interactions

RECIPE = "arn:aws:personalize:::recipe/"
PREFIX = "arn:aws:personalize:us-east-1:000000000000:"


def schema(record: str, **fields: str | list[str] | dict[str, Any]) -> dict[str, Any]:
    """Return an Avro schema; a field that is a dict adds attributes to its type."""
    columns = [
        {"name": name, **(kind if isinstance(kind, dict) else {"type": kind})}
        for name, kind in fields.items()
    ]
    return {
        "type": "record",
        "name": record,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": columns,
        "version": "1.0",
    }


CATEGORY = {"type": "string", "categorical": True}
SCHEMAS = {
    "interactions": schema(
        "Interactions",
        USER_ID="string",
        ITEM_ID="string",
        EVENT_TYPE="string",
        EVENT_VALUE="float",
        TIMESTAMP="long",
    ),
    "items": schema("Items", ITEM_ID="string", TITLE="string", GENRES=CATEGORY, PRICE="float"),
    "users": schema("Users", USER_ID="string", SHELF=CATEGORY),
    "actions": schema("Actions", ACTION_ID="string", KIND=CATEGORY),
    "actionInteractions": schema(
        "ActionInteractions",
        USER_ID="string",
        ACTION_ID="string",
        EVENT_TYPE="string",
        TIMESTAMP="long",
    ),
}


def everything(group: str = "all") -> dict[str, Any]:
    """Return the config."""
    return {
        "tags": [{"tagKey": "project", "tagValue": group}],
        "datasetGroup": {"serviceConfig": {"name": group}, "workflowConfig": {"maxAge": "1 year"}},
        "datasets": {
            "serviceConfig": {"importMode": "INCREMENTAL", "publishAttributionMetricsToS3": True},
            **{kind: _dataset(group, kind) for kind in SCHEMAS},
        },
        "metricAttribution": {
            "serviceConfig": {
                "name": f"{group}-metrics",
                "metrics": [
                    {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"},
                    {"eventType": "buy", "metricName": "sales", "expression": "SUM(Items.PRICE)"},
                ],
            }
        },
        "dataDeletionJob": {},
        "eventTracker": {"serviceConfig": {"name": f"{group}-tracker"}},
        "filters": [
            {
                "serviceConfig": {
                    "name": f"{group}-genre",
                    "filterExpression": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)",
                }
            }
        ],
        "solutions": [
            _solution(
                f"{group}-for-you",
                "aws-user-personalization-v2",
                campaigns=[{"serviceConfig": {"name": f"{group}-live", "minProvisionedTPS": 1}}],
                batchInferenceJobs=[
                    {},
                    {
                        "serviceConfig": {
                            "jobName": f"{group}-by-genre",
                            "numResults": 5,
                            "filterArn": f"{PREFIX}filter/{group}-genre",
                        },
                        "workflowConfig": {"maxAge": "30 days"},
                    },
                ],
            ),
            _solution(
                f"{group}-similar",
                "aws-similar-items",
                batchInferenceJobs=[
                    {
                        "serviceConfig": {
                            "batchInferenceJobMode": "THEME_GENERATION",
                            "themeGenerationConfig": {
                                "fieldsForThemeGeneration": {"itemName": "TITLE"}
                            },
                        }
                    }
                ],
            ),
            _solution(
                f"{group}-fans",
                "aws-item-affinity",
                batchSegmentJobs=[{"serviceConfig": {"numResults": 10}}],
            ),
        ],
    }


def _dataset(group: str, kind: str) -> dict[str, Any]:
    name = {"serviceConfig": {"name": f"{group}-{kind}"}}
    described = {"serviceConfig": {"name": f"{group}-{kind}", "schema": deepcopy(SCHEMAS[kind])}}
    found: dict[str, Any] = {"dataset": name, "schema": described}
    if kind == "interactions":
        found["export"] = {"serviceConfig": {"ingestionMode": "BULK"}}
    return found


def _solution(name: str, recipe: str, **more: Any) -> dict[str, Any]:
    return {"serviceConfig": {"name": name, "recipeArn": RECIPE + recipe}, **more}


def files(group: str = "all") -> dict[str, str]:
    """Return the files by their keys in the bucket."""
    train, batch = f"train/{group}/", f"batch/{group}/{group}-"
    items = [f"i{number},Title {number},{'Drama' if number % 2 else 'Comedy'}|Film,{number}.5"
             for number in range(300)]  # fmt: skip
    taken = [f"u{n % 60},a{n % 3},{'TAKEN' if n % 2 else 'NOT_TAKEN'},{1_700_000_000 + n}"
             for n in range(120)]  # fmt: skip
    return {
        f"{train}interactions.csv": interactions(),
        f"{train}items/one.csv": _csv("ITEM_ID,TITLE,GENRES,PRICE", items[:150]),
        f"{train}items/two.csv": _csv("ITEM_ID,TITLE,GENRES,PRICE", items[150:]),
        f"{train}users.csv": _csv("USER_ID,SHELF", [f"u{n},s{n % 3}" for n in range(60)]),
        f"{train}actions.csv": _csv("ACTION_ID,KIND", ["a0,mail", "a1,coupon", "a2,call"]),
        f"{train}actionInteractions.csv": _csv("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP", taken),
        f"{train}deletions.csv": _csv("USER_ID", ["u59", "nobody"]),
        f"{batch}for-you/job_config.json": _lines(
            {"userId": "u1", "filterValues": {"GENRE": '"Drama"'}},
            {"userId": "u2", "filterValues": {"GENRE": '"Comedy"'}},
        ),
        f"{batch}similar/job_config.json": _lines({"itemId": "i1"}, {"itemId": "i101"}),
        f"{batch}fans/job_config.json": _lines({"itemId": "i1"}, {"itemId": "i201"}),
    }


def _csv(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def _lines(*lines: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)
