"""No wrong input is an internal failure: every operation answers it with an error of its model.

Requests have the shape of botocore's model and odd values: too long, of no known resource, of
another type, empty, of other scripts, huge numbers; against an account that has something of
everything, so that a request gets beyond "there is no such resource".
"""

from __future__ import annotations

import json
import string
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpe.emulator import Request
from mpe.model.service.operations import (
    ListShape,
    MapShape,
    Shape,
    StructureShape,
    operation,
    service_model,
)
from tests.conftest import BUCKET, ROLE, Emulated, examples, interactions
from tests.emulator.conftest import Builder

COMMON = {"InvalidInputException", "ResourceNotFoundException"}
"""Errors of the service that its model leaves out at three of the lists: ListDatasetGroups and
ListSchemas take a maxResults, ListMetricAttributionMetrics an ARN, which may be wrong as well."""
ODD = st.sampled_from(
    ["", "abc", "-1", "0", "nan", "1e999", "9" * 40, "rate(0 days)", "rate(99 days)", "true"]
) | st.text(string.printable + "äß\u202e\u0000漢", max_size=40)
LOCATIONS = st.sampled_from([f"{BUCKET}/interactions.csv", "s3://data/", "http://x/y", "s3://"])
TEXTS = {
    "filterExpression": st.sampled_from(
        ["EXCLUDE", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")', "|", "IN ((("]
    ),
    "expression": st.sampled_from(["SAMPLECOUNT()", "SUM()", "SUM(Items.PRICE)", "AVG(x)"]),
    "schema": st.sampled_from(["{}", "[]", "null", '{"fields": 1}', '{"name": ["Items"]}', "{"]),
    "datasetType": st.sampled_from(["Items", "USERS", "interactions", "Things"]),
    "eventType": st.sampled_from(["buy", "", "view"]),
    "itemAttribute": st.sampled_from(["PRICE", "NONE"]),
}


@cache
def account() -> tuple[Emulated, tuple[str, ...]]:
    """Return an account with one of everything, and the ARNs that are there."""
    emulated = Emulated()
    build = Builder(emulated)
    group = build.group()
    build.imported(group)
    build.dataset(group, "Items", "i")
    version = build.version(build.solution(group, "user-personalization"))
    build.campaign(version)
    build.client.create_event_tracker(name="t", datasetGroupArn=group)
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    build.client.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)
    build.client.create_metric_attribution(
        name="m",
        datasetGroupArn=group,
        metrics=[{"eventType": "buy", "metricName": "b", "expression": "SAMPLECOUNT()"}],
        metricsOutputConfig={"roleArn": ROLE},
    )
    build.wait(60)
    (world,) = emulated.service._worlds.values()
    recipes = tuple(
        f"arn:aws:personalize:::recipe/aws-{name}"
        for name in ("sims", "user-personalization", "vod-top-picks", "semantic-similarity")
    )
    return emulated, (*world.resources, *recipes)


def odd(shape: Shape, key: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for values that have a shape's outline and hold to nothing else."""
    if isinstance(shape, StructureShape):
        inner = {name: odd(one, name) for name, one in shape.members.items()}
        required = {name: inner.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=inner)
    if isinstance(shape, ListShape):
        return st.lists(odd(shape.member, key), max_size=3)
    if isinstance(shape, MapShape):
        names = st.sampled_from(["Items", "bptt", "POPULARITY", "explorationWeight"]) | ODD
        return st.dictionaries(names, odd(shape.value, key), max_size=2)
    return _scalar(shape, key)


def _scalar(shape: Shape, key: str) -> st.SearchStrategy[Any]:
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name in {"integer", "long"}:
        return st.sampled_from([-1, 0, 1, 25, 101, 2**31, 2**80])
    if shape.type_name in {"double", "float"}:
        return st.sampled_from([-1.5, 0, 0.5, 1.5, 1e308])
    if shape.name in {"Arn", "ItemAttribute"} and key.lower().endswith("arn"):
        return st.sampled_from(account()[1])
    if shape.name == "RoleArn":
        return st.just(ROLE)
    if shape.name == "S3Location":
        return LOCATIONS
    if shape.name == "Name":
        return st.from_regex(r"\A[a-z][a-z0-9]{4,9}\Z")
    allowed = getattr(shape, "enum", None)
    if key in TEXTS:
        return TEXTS[key]
    return st.sampled_from(allowed) if allowed else ODD


@pytest.mark.parametrize("name", service_model().operation_names)
@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_input_is_answered_and_never_an_internal_failure(
    name: str, data: st.DataObject
) -> None:
    emulated, _ = account()
    emulated.objects.objects[f"{BUCKET}/interactions.csv"] = interactions(30, 40)
    model = operation(name)
    params = data.draw(odd(model.input_shape) if model.input_shape else st.just({}))
    (world,) = emulated.service._worlds.values()
    kept = dict(world.resources)
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"}
    request = Request("POST", "/", headers, json.dumps(params).encode())
    answer = emulated.service.handle(request)
    told = json.loads(answer.body)
    made = [one for arn, one in world.resources.items() if arn not in kept]
    reasons = [one.progress.work.failure or "" for one in made if one.progress.work]
    for one in kept.values():  # what it changed or deleted is there again for the next request
        one.deletion = one.change = one.stop = None
    world.resources.clear()
    world.resources.update(kept)
    assert not [one for one in reasons if one.startswith("Internal failure")], (params, reasons)
    if answer.status != 200:
        known = {error.name for error in model.error_shapes} | COMMON
        assert (answer.status, told["__type"] in known) == (400, True), (params, told)
