"""The grammar of filters, judged by filters that others published and deployed.

The expressions are our own, each in the form of the one whose place stands beside it: the same
elements in the same order and case, other names and values. The pages are of the developer guide
(https://docs.aws.amazon.com/personalize/latest/dg/), the paths of repositories on GitHub.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.model.service import avro, filters
from tests.emulator.conftest import Builder

EXAMPLES = "item-recommendation-filter-examples.html"
ACTIONS = "action-recommendation-filter-examples.html"
SEGMENTS = "user-segment-filter-examples.html"
GUIDELINES = "filter-expression-guidelines-requirements.html"
OLDER = "awsdocs/amazon-personalize-developer-guide doc_source/filter-expressions.md"
STORE = (
    "aws-samples/retail-demo-store src/aws-lambda/personalize-pre-create-resources/"
    "personalize_pre_create_resources.py"
)
NEWS = "aws-samples/amazon-personalize-immersion-day NewsPublishing/params.json"
MEDIA = "aws-samples/amazon-personalize-immersion-day Media_04_Inference.ipynb, cells 47-51"
SOLUTION = "aws-solutions/maintaining-personalized-experiences-with-machine-learning README.md"
ROTATOR = "aws-samples/amazon-personalize-filter-rotator README.md"
PROMOTIONS = "promoting-items.html"


def _strings(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": "string", "categorical": True} for name in names]


def _schema(record: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": record,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": list(fields),
        "version": "1.0",
    }


KEY = {"type": "string"}
SCHEMAS = {
    "interactions": _schema(
        "Interactions",
        {"name": "USER_ID", **KEY},
        {"name": "ITEM_ID", **KEY},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", **KEY},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
        *_strings("DEVICE"),
    ),
    "items": _schema(
        "Items",
        {"name": "ITEM_ID", **KEY},
        {"name": "PRICE", "type": "float"},
        {"name": "PAGES", "type": ["null", "int"]},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
        {"name": "PROMOTED", **KEY},
        {"name": "BLURB", "type": ["null", "string"], "textual": True},
        {"name": "LENT", "type": "boolean"},
        *_strings("GENRE", "SHELF_L1", "SHELF_L2", "PRESS", "out_of_print"),
    ),
    "users": _schema(
        "Users", {"name": "USER_ID", **KEY}, {"name": "AGE", "type": "int"}, *_strings("CARD")
    ),
    "actions": _schema(
        "Actions",
        {"name": "ACTION_ID", **KEY},
        {"name": "VALUE", "type": ["null", "long"]},
        *_strings("KIND", "CARD_LEVEL"),
    ),
    "actionInteractions": _schema(
        "ActionInteractions",
        {"name": "USER_ID", **KEY},
        {"name": "ACTION_ID", **KEY},
        {"name": "EVENT_TYPE", **KEY},
        {"name": "TIMESTAMP", "type": "long"},
    ),
}
FIELDS = {kind: avro.fields(schema) for kind, schema in SCHEMAS.items()}

PUBLIC = [
    ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($KIND)", EXAMPLES),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("lend", "return")', EXAMPLES),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("lend")', EXAMPLES),
    ("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE)", EXAMPLES),
    (
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE",
        EXAMPLES,
    ),
    (
        'EXCLUDE ItemID WHERE Items.SHELF_L1 IN ("prose") AND Items.SHELF_L2 NOT IN ("novel")',
        EXAMPLES,
    ),
    ("INCLUDE ItemID WHERE Items.PRICE <= $PRICE", EXAMPLES),
    ("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < $DATE", EXAMPLES),
    (
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.CREATION_TIMESTAMP > $DATE",
        EXAMPLES,
    ),
    ("EXCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE = $AGE", EXAMPLES),
    (
        'INCLUDE ItemID WHERE Items.GENRE IN ("maps") AND Items.PRESS IN ("Tern") '
        "IF CurrentUser.AGE > 18",
        OLDER,
    ),
    (
        "EXCLUDE ItemID WHERE Items.PAGES < 20 IF CurrentUser.AGE > 18 AND CurrentUser.AGE < 30",
        OLDER,
    ),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', OLDER),
    (
        "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) | INCLUDE ItemID WHERE "
        'Interactions.EVENT_TYPE IN ("keep")',
        "filter-expressions-combining.html",
    ),
    (
        'INCLUDE ItemID WHERE Items.GENRE IN ("maps") | EXCLUDE ItemID WHERE '
        'Interactions.EVENT_TYPE IN ("lend", "return")',
        OLDER,
    ),
    ("INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ($KIND)", ACTIONS),
    ('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")', ACTIONS),
    ("EXCLUDE ActionID WHERE Actions.KIND IN ($KIND)", ACTIONS),
    ("INCLUDE ActionID WHERE Actions.VALUE > ($VALUE)", ACTIONS),
    (
        'INCLUDE ActionID WHERE Action.CARD_LEVEL IN ("Gold") IF CurrentUser.CARD = $GOLD',
        ACTIONS,
    ),
    ("EXCLUDE ActionID WHERE Actions.VALUE < ($VALUE) IF CurrentUser.CARD = $GOLD", ACTIONS),
    ("INCLUDE UserID WHERE Users.CARD IN ($CARD)", SEGMENTS),
    ("EXCLUDE UserID WHERE Users.AGE < $AGE", SEGMENTS),
    ('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("lend", "rate")', SEGMENTS),
    ("EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($KIND)", SEGMENTS),
    ('INCLUDE ItemID WHERE Items.PRESS IN ("in-house")', PROMOTIONS),
    ('EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Loan")', STORE),
    ('EXCLUDE ItemID WHERE ITEMS.SHELF_L1 NOT IN ("old maps", "old prints", "globes")', STORE),
    (
        'EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Loan") | EXCLUDE ItemID WHERE '
        'ITEMS.SHELF_L1 IN ("old maps", "old prints")',
        STORE,
    ),
    (
        'EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Loan") | INCLUDE ItemID WHERE '
        "ITEMS.SHELF_L1 IN ($SHELVES)",
        STORE,
    ),
    (
        'EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Loan") | INCLUDE ItemID WHERE '
        'ITEMS.PROMOTED IN ("Y") AND ITEMS.SHELF_L1 NOT IN ("old maps", "old prints")',
        STORE,
    ),
    (
        "INCLUDE ItemID WHERE ITEMS.SHELF_L1 IN CurrentItem.SHELF_L1",
        STORE,
    ),
    (
        "INCLUDE ItemID WHERE Items.GENRE IN ($GENRES) AND Items.CREATION_TIMESTAMP > $CUTOFF | "
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        NEWS,
    ),
    ('EXCLUDE ItemID WHERE Interactions.event_type IN ("watch")', MEDIA),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE in ("click", "stream")', SOLUTION),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE in ("*")', SOLUTION),
    ('EXCLUDE itemId WHERE INTERACTIONS.event_type in ("lend")', "API_CreateFilter.html (2020)"),
    ('EXCLUDE itemId WHERE INTERACTIONS.event_type in ("*")', "API_CreateFilter.html (2020)"),
    ("INCLUDE ItemID WHERE Interactions.event_type IN ('lent','kept')", ROTATOR),
    ("EXCLUDE ItemID WHERE Items.OUT_OF_PRINT IN ('yes')", ROTATOR),
    ('INCLUDE ItemID WHERE Items.GENRE IN ("maps") IF CURRENTUSER.CARD = "F"', OLDER),
    (
        'INCLUDE ItemID WHERE items.genre IN ("a \\"quoted\\" word", "a \\\\ too")',
        "creating-filter-expressions.html",
    ),
]
REFUSED = [
    (
        "INCLUDE ItemID WHERE Items.GENRE NOT IN ($GENRE)",
        "Placeholders are not allowed with NOT_IN operator",
        GUIDELINES,
    ),
    (
        'EXCLUDE ItemID WHERE Items.GENRE NOT IN ("maps", $GENRE)',
        "Placeholders are not allowed with NOT_IN operator",
        GUIDELINES,
    ),
    ('EXCLUDE ItemID WHERE Interactions.DEVICE IN ("phone")', "EVENT_TYPE only", GUIDELINES),
    ("EXCLUDE ItemID WHERE Interactions.EVENT_VALUE > 3", "EVENT_TYPE only", GUIDELINES),
    ("EXCLUDE ItemID WHERE interactions.timestamp > 3", "EVENT_TYPE only", GUIDELINES),
    (
        "EXCLUDE ActionID WHERE Action_Interactions.TIMESTAMP > 3",
        "EVENT_TYPE only",
        GUIDELINES,
    ),
    ('EXCLUDE ItemID WHERE Items.BLURB IN ("a")', "textual", GUIDELINES),
    ('EXCLUDE ItemID WHERE Items.LENT IN ("true")', "boolean", GUIDELINES),
    (
        'EXCLUDE ItemID WHERE Items.PAGES < 3 AND Interactions.EVENT_TYPE IN ("lend")',
        "join two with |",
        GUIDELINES,
    ),
    (
        'EXCLUDE ItemID WHERE Items.GENRE IN ("maps") IF users.AGE > 20',
        "IF is only for CurrentUser",
        "creating-filter-expressions.html",
    ),
    (
        "EXCLUDE ItemID WHERE Items.PAGES < 3 IF CurrentUser.AGE > 18 OR CurrentUser.AGE < 9",
        "joined by AND only",
        "creating-filter-expressions.html",
    ),
    ("EXCLUDE ItemID WHERE Items.GENRE IN (*)", "only for EVENT_TYPE", OLDER),
    (
        "EXCLUDE ItemID WHERE Items.GENRE > 3",
        "is for numbers",
        "creating-filter-expressions.html",
    ),
    (
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.COST",
        "items.COST, which is not in that schema",
        EXAMPLES,
    ),
    (
        "INCLUDE ItemID WHERE CurrentItem.PRICE < 3",
        "CurrentItem is only for values",
        EXAMPLES,
    ),
]


@pytest.mark.parametrize(("expression", "source"), PUBLIC)
def test_a_form_that_others_deploy_is_accepted(expression: str, source: str) -> None:
    assert filters.problems(expression, FIELDS) == [], source


@pytest.mark.parametrize(("expression", "told", "source"), REFUSED)
def test_a_form_that_the_guide_rules_out_is_refused(
    expression: str, told: str, source: str
) -> None:
    problems = filters.problems(expression, FIELDS)
    assert told in " ".join(f"{one.message} {one.remedy}" for one in problems), source


def test_the_emulated_service_judges_each_form_the_same(build: Builder) -> None:
    group = _library(build)
    for number, (expression, source) in enumerate(PUBLIC):
        arn = build.client.create_filter(
            name=f"f{number}", datasetGroupArn=group, filterExpression=expression
        )["filterArn"]
        build.wait(60)
        told = build.client.describe_filter(filterArn=arn)["filter"]
        assert told["status"] == "ACTIVE", source
        assert told["filterExpression"] == expression
        build.client.delete_filter(filterArn=arn)
        build.wait(60)
    for expression, _, _ in REFUSED:
        with pytest.raises(ClientError, match="InvalidInputException"):
            build.client.create_filter(
                name="no", datasetGroupArn=group, filterExpression=expression
            )


def test_the_filters_of_a_group_read_at_most_20_fields(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/limits.html"""
    columns = [f"C{number}" for number in range(21)]
    group = _library(build, items=_schema("items", {"name": "ITEM_ID", **KEY}, *_strings(*columns)))

    def create(name: str, of: list[str]) -> None:
        expression = "EXCLUDE ItemID WHERE " + " AND ".join(f'Items.{one} IN ("x")' for one in of)
        build.client.create_filter(name=name, datasetGroupArn=group, filterExpression=expression)

    create("one", columns[:10])
    create("two", columns[10:20])
    create("again", columns[5:15])
    with pytest.raises(ClientError, match=r"LimitExceededException.*21 distinct fields"):
        create("three", columns[20:])
    with pytest.raises(ClientError, match=r"InvalidInputException.*reads 11 fields"):
        create("four", columns[:11])


def _library(build: Builder, **other: dict[str, Any]) -> str:
    """Return a dataset group with every type of dataset."""
    group = build.group()
    types = {"actionInteractions": "ACTION_INTERACTIONS"}
    for kind, schema in {**SCHEMAS, **other}.items():
        made = build.client.create_schema(name=f"s-{kind}", schema=json.dumps(schema))
        build.client.create_dataset(
            name=f"d-{kind}",
            datasetGroupArn=group,
            datasetType=types.get(kind, kind),
            schemaArn=made["schemaArn"],
        )
        build.wait(60)
    return group


def test_a_filter_sees_fields_and_event_types_whatever_their_case(build: Builder) -> None:
    """The guide: case is ignored when matching event types; AWS's samples: field names too."""
    group = build.group()
    build.imported(group)
    campaign = build.campaign(build.version(build.solution(group)))
    shelves = {}
    for name, expression in (
        ("as-it-is", 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'),
        ("other-case", 'INCLUDE ItemID WHERE INTERACTIONS.event_type in ("BUY")'),
    ):
        arn = build.client.create_filter(
            name=name, datasetGroupArn=group, filterExpression=expression
        )["filterArn"]
        build.wait(60)
        answer = build.emulated.runtime.get_recommendations(
            campaignArn=campaign, userId="u0", filterArn=arn
        )
        shelves[name] = [one["itemId"] for one in answer["itemList"]]
    assert shelves["other-case"] == shelves["as-it-is"]
    assert shelves["as-it-is"]
