"""The rules of schemas, judged by schemas that others published and deployed.

Each is our own in the form of the one whose place stands beside it: the same record name, the same
types, flags and order, other names where they are free. The pages are of the developer guide
(https://docs.aws.amazon.com/personalize/latest/dg/), the paths of repositories on GitHub.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.model.service import avro
from tests.emulator.conftest import Builder

DAY = "aws-samples/amazon-personalize-immersion-day"
STORE = (
    "aws-samples/retail-demo-store src/aws-lambda/personalize-pre-create-resources/"
    "personalize_pre_create_resources.py"
)
SOLUTION = "aws-solutions/maintaining-personalized-experiences-with-machine-learning README.md"
CUSTOM = "custom-datasets-and-schemas.html"
SHOP = "ECOMMERCE-items-dataset.html"
VIDEO = "VIDEO-ON-DEMAND-items-dataset.html"

Given = list[tuple[Any, ...]]
EVENT: Given = [
    ("USER_ID", "string"),
    ("ITEM_ID", "string"),
    ("EVENT_TYPE", "string"),
    ("TIMESTAMP", "long"),
]
EITHER, OTHER = ["null", "string"], ["string", "null"]
C, T = "categorical", "textual"


def schema(record: str, fields: Given, **more: Any) -> dict[str, Any]:
    """Return a schema; a field is its name, its type and perhaps its flag."""
    listed = [
        {"name": name, "type": kind, **({flags[0]: True} if flags else {})}
        for name, kind, *flags in fields
    ]
    return {
        "type": "record",
        "name": record,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": listed,
        **more,
    }


VIDEO_ITEMS: Given = [
    ("ITEM_ID", "string"),
    ("TITLE", "string"),
    ("YEAR", "int"),
    ("SCORE", "int"),
    ("PLOT", "string", T),
    ("AGE_RATING", "string"),
    ("GENRES", "string", C),
    ("CREATION_TIMESTAMP", "long"),
    ("PROMOTION", "string"),
]
SHOP_ITEMS: Given = [
    ("ITEM_ID", "string"),
    ("PRICE", "float"),
    ("CATEGORY_L1", "string", C),
    ("CATEGORY_L2", "string", C),
    ("PRODUCT_DESCRIPTION", "string", T),
    ("GENDER", "string", C),
]
NEWS_EVENTS: Given = [
    *EVENT[:3],
    ("TIMESTAMP", "long"),
    ("SESSION_ID", "string"),
    ("user_device", EITHER, C),
]
PUBLIC = [
    (
        None,
        schema("users", [("USER_ID", "string"), ("AGE", "int"), ("SEX", "string", C)]),
        SOLUTION,
    ),
    (None, schema("interactions", [*EVENT, ("EVENT_VALUE", "float")]), SOLUTION),
    (
        None,
        schema(
            "Items",
            [
                ("ITEM_ID", "string"),
                ("GENRES", "string", C),
                ("YEAR", "int"),
                ("CREATION_TIMESTAMP", "long"),
            ],
            version="1.0",
        ),
        SOLUTION,
    ),
    ("VIDEO_ON_DEMAND", schema("interactions", EVENT), f"{DAY} Media/params.json"),
    (
        "VIDEO_ON_DEMAND",
        schema("users", [("USER_ID", "string"), ("CLUB", "string", C)]),
        f"{DAY} Media/params.json",
    ),
    ("VIDEO_ON_DEMAND", schema("items", VIDEO_ITEMS), f"{DAY} Media/params.json"),
    (
        "ECOMMERCE",
        schema("interactions", [*EVENT, ("DISCOUNT", "string", C)]),
        f"{DAY} Retail/params.json",
    ),
    (
        "ECOMMERCE",
        schema("users", [("USER_ID", "string"), ("AGE", "int"), ("GENDER", "string", C)]),
        f"{DAY} Retail/params.json",
    ),
    ("ECOMMERCE", schema("items", SHOP_ITEMS), f"{DAY} Retail/params.json"),
    ("ECOMMERCE", schema("Items", [*SHOP_ITEMS, ("PROMOTED", "string")], version="1.0"), STORE),
    (None, schema("interactions", NEWS_EVENTS), f"{DAY} NewsPublishing/params.json"),
    (
        None,
        schema(
            "items",
            [
                ("ITEM_ID", "string"),
                ("CREATION_TIMESTAMP", "long"),
                ("BODY", EITHER, T),
                ("LANG", "string", C),
            ],
        ),
        f"{DAY} NewsPublishing/params.json",
    ),
    (None, schema("Interactions", EVENT[:2] + EVENT[3:], version="1.0"), CUSTOM),
    (
        None,
        schema(
            "Interactions",
            [
                *EVENT,
                ("EVENT_VALUE", ["float", "null"]),
                ("IMPRESSION", OTHER),
                ("RECOMMENDATION_ID", EITHER),
                ("LOCATION", "string", C),
            ],
            version="1.0",
        ),
        CUSTOM,
    ),
    (
        None,
        schema(
            "Actions",
            [
                ("ACTION_ID", "string"),
                ("VALUE", ["null", "long"]),
                ("LEVEL", ["null", "string"], C),
                ("CREATION_TIMESTAMP", "long"),
                ("REPEAT_FREQUENCY", ["long", "null"]),
            ],
        ),
        "actions-datasets.html",
    ),
    (
        None,
        schema(
            "Action_Interactions",
            [
                ("USER_ID", "string"),
                ("ACTION_ID", "string"),
                ("EVENT_TYPE", "string"),
                ("TIMESTAMP", "long"),
            ],
        ),
        "action-interactions-datasets.html",
    ),
    (
        "ECOMMERCE",
        schema("Items", [*SHOP_ITEMS, ("CREATION_TIMESTAMP", "float")], version="1.0"),
        SHOP,
    ),
    (
        "VIDEO_ON_DEMAND",
        schema(
            "Items",
            [
                ("ITEM_ID", "string"),
                ("GENRES", "string", C),
                ("GENRE_L2", EITHER, C),
                ("DURATION", ["float", "null"]),
                ("CREATION_TIMESTAMP", "long"),
            ],
        ),
        VIDEO,
    ),
]
REFUSED = [
    (None, schema("Films", EVENT), "the record's name", CUSTOM),
    (None, schema("Interactions", EVENT[1:]), "lacks the field USER_ID", CUSTOM),
    (
        None,
        schema("Interactions", [*EVENT[:3], ("TIMESTAMP", "string")]),
        "TIMESTAMP may not be string",
        CUSTOM,
    ),
    (
        None,
        schema("Interactions", [*EVENT[:3], ("TIMESTAMP", ["long", "null"])]),
        "TIMESTAMP may not be null",
        CUSTOM,
    ),
    (
        None,
        schema("Users", [("USER_ID", "string"), ("TAGS", {"type": "array", "items": "string"})]),
        "not a type",
        "how-it-works-dataset-schema.html",
    ),
    (
        None,
        schema("Users", [("USER_ID", "string"), ("AGE", ["int", "string"])]),
        "one type and null",
        "how-it-works-dataset-schema.html",
    ),
    (
        None,
        schema("Items", [("ITEM_ID", "string"), ("A", "string", T), ("B", "string", T)]),
        "textual fields",
        "items-datasets.html",
    ),
    (
        None,
        schema("Interactions", [*EVENT, *((f"C{n}", "int") for n in range(6))]),
        "has 6 metadata fields",
        "limits.html",
    ),
    ("ECOMMERCE", schema("Interactions", EVENT[:2] + EVENT[3:]), "EVENT_TYPE", SHOP),
    ("ECOMMERCE", schema("Items", SHOP_ITEMS[:1] + SHOP_ITEMS[2:]), "lacks the field PRICE", SHOP),
    (
        "ECOMMERCE",
        schema("Items", [*SHOP_ITEMS[:1], ("PRICE", "string"), *SHOP_ITEMS[2:]]),
        "PRICE may not be string",
        SHOP,
    ),
    (
        "ECOMMERCE",
        schema("Items", [*SHOP_ITEMS[:2], ("CATEGORY_L1", "string")]),
        "CATEGORY_L1 must be categorical",
        SHOP,
    ),
    (
        "ECOMMERCE",
        schema("Items", [*SHOP_ITEMS[:3], ("CATEGORY_L2", "string")]),
        "CATEGORY_L2 must be categorical in the domain ECOMMERCE",
        "ECOMMERCE-datasets-and-schemas.html",
    ),
    (
        "ECOMMERCE",
        schema("Items", [*SHOP_ITEMS[:3], ("PRODUCT_DESCRIPTION", "string", C)]),
        "PRODUCT_DESCRIPTION must be textual",
        "ECOMMERCE-datasets-and-schemas.html",
    ),
    (
        "VIDEO_ON_DEMAND",
        schema("Items", VIDEO_ITEMS[:-2]),
        "lacks the field CREATION_TIMESTAMP",
        VIDEO,
    ),
]


@pytest.mark.parametrize(("domain", "given", "source"), PUBLIC)
def test_a_schema_that_others_deploy_is_accepted(
    build: Builder, domain: str | None, given: dict[str, Any], source: str
) -> None:
    kind = avro.kind_named(given["name"])
    assert kind, source
    assert avro.problems(given, kind, domain) == [], source
    more = {"domain": domain} if domain else {}
    arn = build.client.create_schema(name="s", schema=json.dumps(given), **more)["schemaArn"]
    assert json.loads(build.client.describe_schema(schemaArn=arn)["schema"]["schema"]) == given


@pytest.mark.parametrize(("domain", "given", "told", "source"), REFUSED)
def test_a_schema_that_the_guide_rules_out_is_refused(
    build: Builder, domain: str | None, given: dict[str, Any], told: str, source: str
) -> None:
    more = {"domain": domain} if domain else {}
    with pytest.raises(ClientError) as refused:
        build.client.create_schema(name="s", schema=json.dumps(given), **more)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException", source
    assert told in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("record", ["interactions", "INTERACTIONS", "Interactions"])
def test_a_dataset_takes_its_schema_whatever_the_case_of_its_record(
    build: Builder, record: str
) -> None:
    """AWS's immersion day deploys them in lower case; its kept outputs show them ACTIVE."""
    group = build.group()
    made = build.client.create_schema(name="s", schema=json.dumps(schema(record, EVENT)))
    arn = build.client.create_dataset(
        name="d", datasetGroupArn=group, datasetType="Interactions", schemaArn=made["schemaArn"]
    )["datasetArn"]
    build.wait(60)
    assert build.client.describe_dataset(datasetArn=arn)["dataset"]["status"] == "ACTIVE"
