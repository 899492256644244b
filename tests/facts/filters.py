"""Filters: their grammar, what they may read, and what they let through."""

from __future__ import annotations

import json
from typing import Any

from tests.facts.bench import GENRES, GONE, INVALID, LIMIT, THERE, Bench, refused
from tests.facts.record import GUIDE, STORE, WORKSHOP, Area

fact = Area("filters")
EXAMPLES = f"{GUIDE}item-recommendation-filter-examples.html"
RULES = f"{GUIDE}filter-expression-guidelines-requirements.html"
ELEMENTS = f"{GUIDE}creating-filter-expressions.html"
LIMITS = f"{GUIDE}limits.html"
ERRORS = f"{GUIDE}error-messages.html"
PRE = f"{STORE} src/aws-lambda/personalize-pre-create-resources/personalize_pre_create_resources.py"
MEDIA = f"{WORKSHOP} Media/Media_04_Inference.ipynb, cells 47-51"

TAKEN: list[tuple[Any, str, str, str]] = [
    (
        "R",
        "a field in lower case",
        'EXCLUDE ItemID WHERE Interactions.event_type IN ("buy")',
        MEDIA,
    ),
    ("R", "a dataset in capitals", 'EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("buy")', PRE),
    (
        "R",
        "IN CurrentItem.X without parentheses",
        "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES",
        PRE,
    ),
    (
        "D",
        "a price below the current item's, and its genre",
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE "
        "AND Items.GENRES IN CurrentItem.GENRES",
        EXAMPLES,
    ),
    ("D", "a placeholder with <=", "INCLUDE ItemID WHERE Items.PRICE <= $PRICE", EXAMPLES),
    (
        "D",
        "a placeholder for a time",
        "INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < $DATE",
        EXAMPLES,
    ),
    (
        "D",
        "a placeholder for event types",
        "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($EVENT)",
        EXAMPLES,
    ),
    (
        "D",
        "* for any event type",
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        ELEMENTS,
    ),
    (
        "D",
        "IF on the current user at the end",
        'EXCLUDE ItemID WHERE Items.GENRES IN ("Horror") IF CurrentUser.AGE < 18',
        EXAMPLES,
    ),
    (
        "D",
        "conditions of IF that are joined by AND",
        'EXCLUDE ItemID WHERE Items.GENRES IN ("Horror") '
        'IF CurrentUser.AGE < 18 AND CurrentUser.GENDER = "F"',
        ELEMENTS,
    ),
    (
        "D",
        "two expressions that are joined by |",
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy") | '
        'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")',
        RULES,
    ),
    ("D", "NOT IN of values", 'INCLUDE ItemID WHERE Items.GENRES NOT IN ("Horror")', EXAMPLES),
    (
        "D",
        "users by their fields",
        "INCLUDE UserID WHERE Users.AGE > 30",
        f"{GUIDE}user-segment-filter-examples.html",
    ),
    (
        "D",
        "three conditions joined by AND",
        "INCLUDE ItemID WHERE Items.PRICE > 1 AND Items.PRICE < 9 AND Items.CREATION_TIMESTAMP > 5",
        LIMITS,
    ),
]
NOT_TAKEN: list[tuple[Any, str, str, str]] = [
    ("D", "a placeholder with NOT IN", "INCLUDE ItemID WHERE Items.GENRES NOT IN ($G)", RULES),
    (
        "D",
        "interactions by another field than the event type",
        "EXCLUDE ItemID WHERE Interactions.EVENT_VALUE > 3",
        RULES,
    ),
    ("D", "a field that there is not", 'INCLUDE ItemID WHERE Items.COLOUR IN ("red")', RULES),
    ("D", "a textual field", 'INCLUDE ItemID WHERE Items.BLURB IN ("words")', RULES),
    ("D", "a boolean field", 'INCLUDE ItemID WHERE Items.LENT IN ("true")', ERRORS),
    (
        "D",
        "two datasets in one expression",
        'INCLUDE ItemID WHERE Items.PRICE > 1 AND Interactions.EVENT_TYPE IN ("buy")',
        ELEMENTS,
    ),
    (
        "D",
        "IF on something else than the current user",
        "INCLUDE ItemID WHERE Items.PRICE > 1 IF Items.PRICE < 3",
        ELEMENTS,
    ),
    ("D", "CurrentUser outside of IF", "INCLUDE ItemID WHERE CurrentUser.AGE > 30", ELEMENTS),
    (
        "D",
        "* for another field than the event type",
        'INCLUDE ItemID WHERE Items.GENRES IN ("*")',
        ELEMENTS,
    ),
    ("D", "no INCLUDE or EXCLUDE", 'ItemID WHERE Items.GENRES IN ("Horror")', ELEMENTS),
    ("D", "no WHERE", 'INCLUDE ItemID Items.GENRES IN ("Horror")', ELEMENTS),
    ("D", "a text without its end", 'INCLUDE ItemID WHERE Items.GENRES IN ("Horror)', ELEMENTS),
    ("D", "actions where there are none", "INCLUDE ActionID WHERE Actions.VALUE > 3", RULES),
    (
        "M",
        "2,501 characters",
        f'INCLUDE ItemID WHERE Items.GENRES IN ("{"x" * 2501}")',
        "FilterExpression",
    ),
]


def _taken(evidence: Any, told: str, expression: str, source: str) -> None:
    @fact(evidence, f"{told} is taken", source)
    def _(bench: Bench) -> None:
        arn = bench.filter(expression)
        told = bench.client.describe_filter(filterArn=arn)["filter"]
        assert (told["status"], told["filterExpression"]) == ("ACTIVE", expression)


def _not_taken(evidence: Any, told: str, expression: str, source: str) -> None:
    @fact(evidence, f"{told} is refused", source)
    def _(bench: Bench) -> None:
        assert refused(bench.filter, expression=expression)[0] == INVALID


for row in TAKEN:
    _taken(*row)
for row in NOT_TAKEN:
    _not_taken(*row)


@fact("D", "10 distinct fields of one filter, not 11", LIMITS)
def _(bench: Bench) -> None:
    group, more = wide(bench, 11)
    ten = " AND ".join(f"Items.{one} > 1" for one in more[:10])
    assert bench.filter(f"INCLUDE ItemID WHERE {ten}", group)
    code, _ = refused(
        bench.filter,
        expression=f"INCLUDE ItemID WHERE {ten} AND Items.{more[10]} > 1",
        group=group,
    )
    assert code in {INVALID, LIMIT}


@fact("D", "20 distinct fields of all filters of a group, not 21", LIMITS)
def _(bench: Bench) -> None:
    group, more = wide(bench, 21)
    for ten in (more[:10], more[10:20]):
        bench.filter(
            "INCLUDE ItemID WHERE " + " OR ".join(f"Items.{one} > 1" for one in ten), group
        )
    again = refused(
        bench.filter, expression=f"INCLUDE ItemID WHERE Items.{more[20]} > 1", group=group
    )
    assert again[0] == LIMIT


def wide(bench: Bench, many: int) -> tuple[str, list[str]]:
    """Return a group whose items have many numbers, and the names of these."""
    group = bench.new_group()
    names = [f"N{number}" for number in range(many)]
    bench.dataset(group, "Items", *({"name": one, "type": "long"} for one in names))
    return group, names


@fact("D", "30 filters of a group, not 31", LIMITS)
def _(bench: Bench) -> None:
    own = bench.fresh()
    group = own.group()
    own.dataset(group, "Items", "i")
    for number in range(30):
        own.filter(group, "INCLUDE ItemID WHERE Items.PRICE > 1", f"f{number}")
    again = refused(
        own.filter, group=group, expression="INCLUDE ItemID WHERE Items.PRICE > 1", name="f31"
    )
    assert again[0] == LIMIT


@fact("M", "ListFilters names its list Filters, with a capital", "ListFiltersResponse")
def _(bench: Bench) -> None:
    bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1")
    assert bench.client.list_filters(datasetGroupArn=bench.group())["Filters"]


@fact("M", "a filter's summary has no expression", "FilterSummary")
def _(bench: Bench) -> None:
    bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1")
    (first, *_) = bench.client.list_filters(datasetGroupArn=bench.group())["Filters"]
    assert "filterExpression" not in first


@fact("M", "the ARN of a filter ends with its name, which is taken once", "CreateFilter errors")
def _(bench: Bench) -> None:
    arn = bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1")
    taken = refused(
        bench.client.create_filter,
        name=arn.rpartition(":filter/")[2],
        datasetGroupArn=bench.group(),
        filterExpression="INCLUDE ItemID WHERE Items.PRICE > 1",
    )
    assert taken == (THERE, f"Another resource with Arn {arn} already exists.")


@fact("D", "a deleted filter is not found any more", f"{GUIDE}API_DeleteFilter.html")
def _(bench: Bench) -> None:
    arn = bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1")
    bench.client.delete_filter(filterArn=arn)
    bench.wait(60)
    assert refused(bench.client.describe_filter, filterArn=arn)[0] == GONE


def shown(bench: Bench, expression: str, **params: Any) -> set[str]:
    """Return the items that a filter lets through, of the most popular 500."""
    arn = bench.filter(expression)
    many = {"numResults": 500, "userId": "u1", **params}
    return {one["itemId"] for one in bench.ask(bench.campaign(), filterArn=arn, **many)}


def comedies() -> set[str]:
    return {f"i{n}" for n in range(100)}


@fact("D", "INCLUDE lets through what meets the criteria alone", ELEMENTS)
def _(bench: Bench) -> None:
    found = shown(bench, 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")')
    assert found
    assert found <= comedies()


@fact("D", "EXCLUDE takes out what meets the criteria", ELEMENTS)
def _(bench: Bench) -> None:
    found = shown(bench, 'EXCLUDE ItemID WHERE Items.GENRES IN ("Comedy")')
    assert found
    assert not found & comedies()


@fact("D", "one value of several is enough for IN", ELEMENTS)
def _(bench: Bench) -> None:
    found = shown(bench, 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")')
    assert found
    assert found <= {f"i{n}" for n in range(0, 100, 4)}


@fact("D", "values are compared with regard to case, event types are not", RULES)
def _(bench: Bench) -> None:
    assert not shown(bench, 'INCLUDE ItemID WHERE Items.GENRES IN ("comedy")')
    lower = shown(bench, 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")')
    assert lower
    assert lower == shown(bench, 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("BUY")')


@fact("D", "IF applies to the users alone that it is for", EXAMPLES)
def _(bench: Bench) -> None:
    expression = 'EXCLUDE ItemID WHERE Items.GENRES IN ("Comedy") IF CurrentUser.AGE > 40'
    assert shown(bench, expression, userId="u1") & comedies()
    assert not shown(bench, expression, userId="u33") & comedies()


@fact(
    "D",
    "several values of a placeholder are separated by commas",
    f"{GUIDE}API_RS_GetRecommendations.html",
)
def _(bench: Bench) -> None:
    expression = "INCLUDE ItemID WHERE Items.GENRES IN ($G)"
    one = shown(bench, expression, filterValues={"G": '"Comedy"'})
    both = shown(bench, expression, filterValues={"G": '"Comedy","Horror"'})
    assert one < both


@fact("D", "names of placeholders are told apart by case", f"{GUIDE}API_RS_GetRecommendations.html")
def _(bench: Bench) -> None:
    expression = "INCLUDE ItemID WHERE Items.GENRES IN ($G)"
    assert (
        refused(shown, bench=bench, expression=expression, filterValues={"g": "Comedy"})[0]
        == INVALID
    )


@fact("D", "an INCLUDE needs all its values", f"{GUIDE}API_RS_GetRecommendations.html")
def _(bench: Bench) -> None:
    expression = "INCLUDE ItemID WHERE Items.GENRES IN ($G)"
    assert refused(shown, bench=bench, expression=expression)[0] == INVALID


@fact("D", "an EXCLUDE without its values is not used", f"{GUIDE}API_RS_GetRecommendations.html")
def _(bench: Bench) -> None:
    every = shown(bench, "EXCLUDE ItemID WHERE Items.PRICE < 0")
    assert shown(bench, "EXCLUDE ItemID WHERE Items.GENRES IN ($G)") == every


@fact("D", "the same verbs are united, EXCLUDE is taken from INCLUDE whatever their order", RULES)
def _(bench: Bench) -> None:
    comedy = 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")'
    drama = 'EXCLUDE ItemID WHERE Items.GENRES IN ("Drama")'
    wanted = comedies() - {f"i{n}" for n in range(0, 100, 4)}
    for expression in (f"{comedy} | {drama}", f"{drama} | {comedy}"):
        found = shown(bench, expression)
        assert found
        assert found <= wanted


@fact("D", "a filter that is not ACTIVE cannot be used", f"{GUIDE}API_RS_GetRecommendations.html")
def _(bench: Bench) -> None:
    campaign = bench.campaign()
    made = bench.client.create_filter(
        name=bench.name("f"),
        datasetGroupArn=bench.group(),
        filterExpression="INCLUDE ItemID WHERE Items.PRICE > 1",
    )
    code, _ = refused(bench.ask, campaign=campaign, userId="u1", filterArn=made["filterArn"])
    assert code == INVALID


@fact("M", "25 values of placeholders at most, of 1,000 characters each", "FilterValues")
def _(bench: Bench) -> None:
    many = {f"P{number}": "x" for number in range(26)}
    expression = "EXCLUDE ItemID WHERE Items.GENRES IN ($G)"
    assert refused(shown, bench=bench, expression=expression, filterValues=many)[0] == INVALID
    long = {"G": "x" * 1001}
    assert refused(shown, bench=bench, expression=expression, filterValues=long)[0] == INVALID


@fact(
    "D",
    "a dataset whose group has a filter on it cannot be deleted",
    f"{GUIDE}delete-dataset.html",
)
def _(bench: Bench) -> None:
    group = bench.new_group()
    dataset = bench.dataset(group, "Items", GENRES)
    bench.filter('INCLUDE ItemID WHERE Items.GENRES IN ("x")', group)
    assert refused(bench.client.delete_dataset, datasetArn=dataset)[0] == "ResourceInUseException"


@fact("D", "CurrentItem is for recipes of related items alone", ELEMENTS)
def _(bench: Bench) -> None:
    arn = bench.filter("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE")
    assert bench.ask(bench.campaign("similar-items"), itemId="i100", filterArn=arn)
    asked = {"userId": "u1", "itemId": "i100", "filterArn": arn}
    assert refused(bench.ask, campaign=bench.campaign(), **asked)[0] == INVALID


@fact("D", "segments by attributes of items are not filtered by interactions", RULES)
def _(bench: Bench) -> None:
    arn = bench.filter('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("buy")')
    line = json.dumps({"itemAttributes": 'ITEMS.GENRES = "Comedy"'})
    params = bench.job(bench.version("item-attribute-affinity"), line, filterArn=arn)
    assert refused(bench.client.create_batch_segment_job, **params)[0] == INVALID
    fine = bench.job(bench.version("item-affinity"), '{"itemId": "i1"}', filterArn=arn)
    assert bench.client.create_batch_segment_job(**fine)
    bench.wait(1300)
