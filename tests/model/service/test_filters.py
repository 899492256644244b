"""Filter expressions: the documented forms are read, the others are told."""

from __future__ import annotations

import pytest

from mpe.model.service.avro import Field
from mpe.model.service.expressions import Parameter
from mpe.model.service.filters import FilterError, parse, problems

SCHEMAS = {
    "interactions": [Field("EVENT_TYPE", ("string",))],
    "items": [
        Field("GENRES", ("string",), categorical=True),
        Field("YEAR", ("int", "null")),
        Field("STORY", ("string",), textual=True),
        Field("FREE", ("boolean",)),
    ],
    "users": [Field("AGE", ("int",))],
}


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        (
            'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy", "view")',
            {("interactions", "EVENT_TYPE")},
        ),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", {("interactions", "EVENT_TYPE")}),
        (
            'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy") AND Items.YEAR >= 1990',
            {("items", "GENRES"), ("items", "YEAR")},
        ),
        (
            'include itemid where Items.GENRES not in ("Comedy") or Items.YEAR = -1.5',
            {("items", "GENRES"), ("items", "YEAR")},
        ),
        (
            "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE) | EXCLUDE ItemID WHERE "
            'Interactions.EVENT_TYPE IN ("buy")',
            {("items", "GENRES"), ("interactions", "EVENT_TYPE")},
        ),
        (
            'INCLUDE ItemID WHERE Items.GENRES IN ("Family") IF CurrentUser.AGE < 12',
            {("items", "GENRES"), ("users", "AGE")},
        ),
        ("INCLUDE ItemID WHERE Items.GENRES IN (CurrentItem.GENRES)", {("items", "GENRES")}),
    ],
)
def test_a_documented_form_is_read(expression: str, fields: set[tuple[str, str]]) -> None:
    assert parse(expression).fields == fields
    assert problems(expression, SCHEMAS) == []


def test_parameters_are_known() -> None:
    parsed = parse("INCLUDE ItemID WHERE Items.GENRES IN ($GENRE) AND Items.YEAR > $SINCE")
    assert parsed.parameters == {"GENRE", "SINCE"}
    assert parsed.predicates[0].values == (Parameter("GENRE"),)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("INCLUDE ItemID", "the end"),
        ("INCLUDE ItemID WHER Items.A = 1", "character 15"),
        ("EXCLUDE ItemID WHERE Items.GENRES IN (*)", "only for EVENT_TYPE"),
        ('EXCLUDE ItemID WHERE Films.GENRES IN ("a")', "not a dataset"),
        ('EXCLUDE ItemID WHERE Items.YEAR = 1 AND Interactions.EVENT_TYPE IN ("a")', "join two"),
        ("EXCLUDE ItemID WHERE CurrentUser.AGE = 1", "only for IF"),
        ("EXCLUDE ItemID WHERE Items.YEAR = 1 IF Items.YEAR = 1", "only for CurrentUser"),
        ("EXCLUDE ItemID WHERE (Items.YEAR = 1)", "character 21"),
    ],
)
def test_another_form_is_told(expression: str, told: str) -> None:
    with pytest.raises(FilterError, match=told):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("EXCLUDE ItemID WHERE Items.GENRE = 1", "not in that schema"),
        ("EXCLUDE ItemID WHERE Actions.TYPE = 1", "there is no actions dataset"),
        ('EXCLUDE ItemID WHERE Items.STORY IN ("a")', "textual"),
        ('EXCLUDE ItemID WHERE Items.FREE IN ("true")', "boolean"),
    ],
)
def test_a_field_that_cannot_be_filtered_is_a_problem(expression: str, told: str) -> None:
    (problem,) = problems(expression, SCHEMAS, "$.here")
    assert problem.path == "$.here"
    assert told in problem.message
