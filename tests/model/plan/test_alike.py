"""No run sees drift in what the service merely puts differently, and every run sees real drift.

How Describe differs from an echo is known from kept outputs: a dataset's type in capitals,
parameters renamed (https://github.com/boto/boto3/issues/3514), defaults added; and from the
types of the service's model: floats of 32 bits, maps of texts that hold numbers.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.model.plan.alike import CASELESS, RENAMED, included
from mpe.model.plan.desired import Desired
from mpe.model.plan.reconcile import drift
from mpe.model.service.operations import ListShape, MapShape, Shape, StructureShape, operation
from mpe.model.service.spec import SPECS
from tests.conftest import examples

FILTERS = (
    'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy", "Not Taken")',
    "INCLUDE ItemID WHERE Items.PRICE <= $PRICE AND Items.GENRES IN ($GENRES)",
    'INCLUDE ItemID WHERE Items.A = "x  y" IF CurrentUser.AGE > 21 | EXCLUDE ItemID WHERE '
    'Items.B NOT IN ("|")',
)
DESCRIBED = [noun for noun, spec in SPECS.items() if not spec.repeatable and noun != "Schema"]


def values(shape: Shape, key: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for values that the service's model describes."""
    if isinstance(shape, StructureShape):
        inner = {name: values(one, name) for name, one in shape.members.items()}
        return st.fixed_dictionaries({}, optional=inner)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, key), max_size=3)
    if isinstance(shape, MapShape):
        keys = st.sampled_from([*RENAMED, "explorationWeight", "bptt", "Items"])
        return st.dictionaries(keys, values(shape.value, key), max_size=3)
    if key == "filterExpression":
        return st.sampled_from(FILTERS)
    return {
        "boolean": st.booleans(),
        "integer": st.integers(1, 10**6),
        "double": st.floats(0, 1),
    }.get(shape.type_name, st.sampled_from(["0.3", "30", "true", "Items", "View", "arn:a:b"]))


def rewritten(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any], key: str = "") -> Any:
    """Return a value as the service may put it."""
    twist = draw(st.booleans())
    if isinstance(value, dict):
        renames = RENAMED if key == "featureTransformationParameters" else {}
        told = {renames.get(name, name): rewritten(one, draw, name) for name, one in value.items()}
        return {**told, "addedByTheService": 1} if twist else told
    if isinstance(value, list):
        told = [rewritten(one, draw, key) for one in value]
        return draw(st.permutations(told))
    if not twist or key == "metricName":
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        short = struct.unpack("f", struct.pack("f", value))[0]
        return draw(st.sampled_from([short, str(value), repr(short)]))
    if key == "filterExpression":
        return respaced(value)
    if key in CASELESS:
        return value.upper()
    return {"0.3": "0.30", "30": "30.0", "true": "True"}.get(value, value)


def respaced(text: str) -> str:
    """Return an expression with other spaces and other case, but for its texts and parameters."""
    parts = re.split(r'("[^"]*"|\$\w+)', text)
    return "".join(
        part if number % 2 else re.sub(r" +", "  ", part).replace("(", "( ").swapcase()
        for number, part in enumerate(parts)
    )


@pytest.mark.parametrize("noun", DESCRIBED)
@settings(max_examples=examples(40))
@given(data=st.data())
def test_what_is_only_put_differently_is_no_drift(noun: str, data: st.DataObject) -> None:
    shape = operation(f"Create{noun}").input_shape
    params = data.draw(values(shape))
    for metric in params.get("metrics", []):
        metric.setdefault("metricName", "m")
    if len({one["metricName"] for one in params.get("metrics", [])}) < len(
        params.get("metrics", [])
    ):
        params["metrics"] = params["metrics"][:1]
    desired = Desired("one", noun, "n", "$.one", params)
    assert drift(desired, rewritten(params, data.draw)) == ()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (1, 2),
        (0.5, 0.50001),
        (0.0, 1e-7),
        ("0.3", "0.31"),
        ("30", "31"),
        (True, False),
        (False, "true"),
        ({"a": True}, {}),
        ({"a": 0.0}, {}),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [1]),
        ([1], [1, 2]),
        ([1, 1], [1, 2]),
        ("a", "A"),
        ("s3://b/a", "s3://b/A"),
        ("", "0"),
    ],
)
def test_what_differs_is_drift(wanted: Any, found: Any) -> None:
    assert not included(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('ItemID WHERE A.B IN ("x")', 'ItemID WHERE A.B IN ("X")'),
        ('ItemID WHERE A.B IN ("x y")', 'ItemID WHERE A.B IN ("x  y")'),
        ("ItemID WHERE A.B IN ($P)", "ItemID WHERE A.B IN ($p)"),
        ("ItemID WHERE A.B < 1", "ItemID WHERE A.B <= 1"),
        ("ItemID WHERE A.B < 1", "ItemID WHERE A.B < 10"),
        ("ItemID WHERE A.B < 1", "ItemID WHERE A.C < 1"),
    ],
)
def test_a_filter_that_means_another_thing_is_drift(wanted: str, found: str) -> None:
    assert not included(wanted, found, "filterExpression")


def test_what_the_service_leaves_out_is_off() -> None:
    assert included({"enableMetadataWithRecommendations": False}, {})
    assert not included({"enableMetadataWithRecommendations": True}, {})


def test_nothing_is_nothing_also_where_arithmetic_left_a_trace_of_it() -> None:
    assert included(0.0, 1e-13)


def test_in_a_list_what_says_little_takes_no_place_of_what_says_more() -> None:
    little, more = {"name": "a"}, {"name": "a", "value": 1}
    found = [more, {"name": "a", "value": 2}]
    for wanted in ([little, more], [more, little]):
        assert included(wanted, found)


def test_datasets_and_columns_of_training_data_have_no_case() -> None:
    wanted = {"excludedDatasetColumns": {"Items": ["PRICE", "Colour"]}}
    assert included(wanted, {"excludedDatasetColumns": {"ITEMS": ["COLOUR", "PRICE"]}})
    assert not included(wanted, {"excludedDatasetColumns": {"ITEMS": ["COLOUR"]}})
