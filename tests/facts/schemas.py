"""Schemas: what is taken and what is refused."""

from __future__ import annotations

import json
from typing import Any

from tests.facts.bench import GONE, IN_USE, INVALID, THERE, Bench, refused
from tests.facts.record import GUIDE, SAMPLES, STORE, WORKSHOP, Area

fact = Area("schemas")
RULES = f"{GUIDE}custom-datasets-and-schemas.html"
LIMITS = f"{GUIDE}limits.html"
USER, ITEM = {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}
TIME = {"name": "TIMESTAMP", "type": "long"}
EVENT = {"name": "EVENT_TYPE", "type": "string"}
PRICE = {"name": "PRICE", "type": "float"}
L1 = {"name": "CATEGORY_L1", "type": "string", "categorical": True}
GENRE = {"name": "GENRES", "type": "string", "categorical": True}
BORN = {"name": "CREATION_TIMESTAMP", "type": "long"}
ACTION = {"name": "ACTION_ID", "type": "string"}


def text(record: str, *fields: dict[str, Any], version: str = "1.0") -> str:
    return json.dumps(
        {
            "type": "record",
            "name": record,
            "namespace": "com.amazonaws.personalize.schema",
            "fields": list(fields),
            "version": version,
        }
    )


def more(count: int, **kind: Any) -> list[dict[str, Any]]:
    """Return so many columns of the user's own."""
    of: dict[str, Any] = kind or {"type": ["null", "string"], "categorical": True}
    return [{"name": f"OWN_{number}", **of} for number in range(count)]


def _taken(told: str, evidence: Any, source: str, schema: str, **params: Any) -> None:
    @fact(evidence, f"{told} is taken", source)
    def _(bench: Bench) -> None:
        assert bench.schema(schema, **params)


def _not_taken(told: str, evidence: Any, source: str, schema: str, **params: Any) -> None:
    @fact(evidence, f"{told} is refused", source)
    def _(bench: Bench) -> None:
        assert refused(bench.schema, text=schema, **params)[0] == INVALID


for record, fields in (
    ("interactions", (USER, ITEM, TIME)),
    ("users", (USER, GENRE)),
    ("items", (ITEM, GENRE)),
):
    told = f"a record that is named {record!r}, in lower case,"
    _taken(told, "R", f"{WORKSHOP} Media/params.json", text(record, *fields))
UPDATED = f"{SAMPLES} update-item-dataset-schema-example.ipynb, execution 31"
_taken("the version 1.1", "R", UPDATED, text("Items", ITEM, GENRE, version="1.1"))
_taken(
    "a string that is not categorical",
    "R",
    UPDATED,
    text("Items", ITEM, GENRE, {"name": "PROMOTED", "type": ["string", "null"]}),
)
_taken(
    "a textual column that may be null",
    "R",
    UPDATED,
    text("Items", ITEM, {"name": "BLURB", "type": ["string", "null"], "textual": True}),
)
for union in (["string", "null"], ["null", "string"]):
    column = {"name": "GENRES", "type": union, "categorical": True}
    _taken(f"the type {union}", "D", RULES, text("Items", ITEM, column))
_taken("25 columns of users' metadata", "D", LIMITS, text("Users", USER, *more(25)))
_taken("100 columns of items' metadata", "D", LIMITS, text("Items", ITEM, *more(100)))
_taken(
    "EVENT_VALUE that may be null",
    "D",
    RULES,
    text(
        "Interactions", USER, ITEM, TIME, EVENT, {"name": "EVENT_VALUE", "type": ["float", "null"]}
    ),
)
_taken(
    "an e-commerce schema of items with PRICE and CATEGORY_L1",
    "R",
    UPDATED,
    text("Items", ITEM, PRICE, L1),
    domain="ECOMMERCE",
)
_not_taken("a record of another name", "D", RULES, text("Films", ITEM, GENRE))
_not_taken("interactions without USER_ID", "D", RULES, text("Interactions", ITEM, TIME))
_not_taken("interactions without ITEM_ID", "D", RULES, text("Interactions", USER, TIME))
_not_taken("interactions without TIMESTAMP", "D", RULES, text("Interactions", USER, ITEM))
_not_taken(
    "a TIMESTAMP that is a string",
    "D",
    RULES,
    text("Interactions", USER, ITEM, {"name": "TIMESTAMP", "type": "string"}),
)
_not_taken("items of ITEM_ID alone", "D", RULES, text("Items", ITEM))
_not_taken("users of USER_ID alone", "D", RULES, text("Users", USER))
_not_taken(
    "6 columns of interactions' metadata",
    "D",
    LIMITS,
    text("Interactions", USER, ITEM, TIME, *more(6)),
)
_not_taken("26 columns of users' metadata", "D", LIMITS, text("Users", USER, *more(26)))
_not_taken("101 columns of items' metadata", "D", LIMITS, text("Items", ITEM, *more(101)))
_not_taken("11 columns of actions' metadata", "D", LIMITS, text("Actions", ACTION, *more(11)))
_not_taken(
    "a second textual column",
    "D",
    LIMITS,
    text("Items", ITEM, *more(2, type=["null", "string"], textual=True)),
)
_not_taken(
    "a textual column of numbers",
    "D",
    f"{GUIDE}items-datasets.html",
    text("Items", ITEM, {"name": "N", "type": "int", "textual": True}),
)
_not_taken(
    "a list as a type",
    "D",
    RULES,
    text("Items", ITEM, {"name": "G", "type": {"type": "array", "items": "string"}}),
)
_not_taken(
    "a union of two types and null",
    "D",
    RULES,
    text("Items", ITEM, {"name": "G", "type": ["string", "long", "null"]}),
)
_not_taken(
    "two names that are one without their signs (GENRES_1, GENRES1)",
    "D",
    RULES,
    text("Items", ITEM, {**GENRE, "name": "GENRES_1"}, {**GENRE, "name": "GENRES1"}),
)
_not_taken("what is not JSON", "D", f"{GUIDE}API_CreateSchema.html", "{name")
_not_taken(
    "e-commerce interactions without EVENT_TYPE",
    "D",
    f"{GUIDE}ECOMMERCE-interactions-dataset.html",
    text("Interactions", USER, ITEM, TIME),
    domain="ECOMMERCE",
)
_not_taken(
    "e-commerce items without PRICE",
    "D",
    f"{GUIDE}ECOMMERCE-items-dataset.html",
    text("Items", ITEM, L1),
    domain="ECOMMERCE",
)
_not_taken(
    "video items without CREATION_TIMESTAMP",
    "D",
    f"{GUIDE}VIDEO-ON-DEMAND-items-dataset.html",
    text("Items", ITEM, GENRE),
    domain="VIDEO_ON_DEMAND",
)
_not_taken(
    "action interactions without EVENT_TYPE",
    "D",
    f"{GUIDE}action-interactions-datasets.html",
    text("ActionInteractions", USER, ACTION, TIME),
)
_not_taken(
    "more than 20,000 characters",
    "M",
    "AvroSchema",
    text("Items", ITEM, GENRE, version="1" * 20_000),
)


@fact("R", "a name that is taken: ResourceAlreadyExistsException with the ARN", f"{STORE}#219")
def _(bench: Bench) -> None:
    arn = bench.schema(text("Items", ITEM, GENRE))
    taken = refused(
        bench.client.create_schema, name=arn.split("/")[1], schema=text("Items", ITEM, GENRE)
    )
    assert taken == (THERE, f"Another resource with Arn {arn} already exists.")


@fact("M", "DescribeSchema gives the text as it was given, and no status", "DatasetSchema")
def _(bench: Bench) -> None:
    given = text("Items", ITEM, GENRE)
    told = bench.client.describe_schema(schemaArn=bench.schema(given))["schema"]
    assert told["schema"] == given
    assert "status" not in told


@fact("M", "ListSchemas gives no text", "DatasetSchemaSummary")
def _(bench: Bench) -> None:
    bench.schema(text("Items", ITEM, GENRE))
    assert "schema" not in bench.client.list_schemas()["schemas"][0]


@fact("M", "a schema of a domain tells it", "DatasetSchema.domain")
def _(bench: Bench) -> None:
    arn = bench.schema(text("Items", ITEM, PRICE, L1), domain="ECOMMERCE")
    assert bench.client.describe_schema(schemaArn=arn)["schema"]["domain"] == "ECOMMERCE"


@fact(
    "D",
    "a schema in use cannot be deleted, others are gone at once",
    f"{GUIDE}API_DeleteSchema.html",
)
def _(bench: Bench) -> None:
    used = bench.client.describe_dataset(datasetArn=bench.dataset(bench.new_group(), "Items"))
    arn = used["dataset"]["schemaArn"]
    assert refused(bench.client.delete_schema, schemaArn=arn)[0] == IN_USE
    free = bench.schema(text("Items", ITEM, GENRE))
    bench.client.delete_schema(schemaArn=free)
    assert refused(bench.client.describe_schema, schemaArn=free)[0] == GONE
