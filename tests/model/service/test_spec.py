"""The resource table agrees with the service's own model."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.loaders import Loader

from mpe.emulator.arns import part
from mpe.model.service.operations import operation, service_model
from mpe.model.service.spec import DONE, FAILED, SPECS, UNDER_WAY, ResourceSpec

ROWS = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def members(name: str, *, output: bool = False) -> dict[str, Any]:
    model = operation(name)
    shape = model.output_shape if output else model.input_shape
    assert shape is not None
    return dict(shape.members)


STATUS = re.compile(
    r"\b(?:(?:CREATE|DELETE|UPDATE|START|STOP) )?"
    r"(?:PENDING|IN[_ ]PROGRESS|FAILED|STOPP(?:ED|ING))\b"
    r"|\b(?:IN)?ACTIVE\b|\bCOMPLETED\b"
)
"""How the service's own reference, which comes with botocore, spells statuses."""


def test_each_status_of_the_services_reference_is_known_as_done_failed_or_under_way() -> None:
    model = Loader().load_service_model("personalize", "service-2")
    told = [
        member.get("documentation", "")
        for shape in model["shapes"].values()
        for name, member in shape.get("members", {}).items()
        if name == "status"
    ]
    found = {one for text in told for one in STATUS.findall(text)}
    assert {"CREATE STOPPING", "IN PROGRESS", "START PENDING", "COMPLETED"} <= found
    assert found <= DONE | FAILED | UNDER_WAY


def test_no_status_is_of_two_kinds() -> None:
    assert not DONE & FAILED | FAILED & UNDER_WAY | UNDER_WAY & DONE


@ROWS
def test_its_operations_exist(spec: ResourceSpec) -> None:
    known = set(service_model().operation_names)
    assert {spec.create, spec.describe, spec.list} <= known
    assert (f"Update{spec.noun}" in known) == bool(spec.mutable)


@ROWS
def test_its_keys_are_the_models(spec: ResourceSpec) -> None:
    assert spec.arn_key in members(spec.create, output=True)
    assert spec.arn_key in members(spec.describe)
    assert spec.key in members(spec.describe, output=True)
    assert spec.list_key in members(spec.list, output=True)


@ROWS
def test_it_is_named_and_found_as_the_model_says(spec: ResourceSpec) -> None:
    created = members(spec.create)
    assert spec.name_param is None or spec.name_param in created
    if spec.listed_by:
        assert spec.listed_by in members(spec.list)
    if spec.listed:
        assert spec.listed_by, "what is found by listing needs a parent to list by"


@ROWS
def test_what_describe_never_returns_is_write_only(spec: ResourceSpec) -> None:
    described = {*members(spec.describe, output=True)[spec.key].members, spec.parts}
    assert set(members(spec.create)) - described <= spec.write_only


@ROWS
def test_what_is_mutable_is_a_parameter_of_its_update(spec: ResourceSpec) -> None:
    if spec.update:
        updated = members(spec.update)
        for name in spec.mutable - {spec.parts}:
            outer, _, inner = name.partition(".")
            place = updated[spec.update_inside[outer]].members if inner else updated
            assert (inner or outer) in place
            assert outer in members(spec.create)
        described = members(spec.describe, output=True)[spec.key].members
        assert spec.update_status is None or spec.update_status in described


@ROWS
def test_its_parts_have_a_list_and_an_update_of_their_own(spec: ResourceSpec) -> None:
    if spec.parts and spec.list_parts and spec.update:
        assert spec.parts in members(spec.list_parts, output=True)
        part = spec.parts.capitalize()
        assert {f"add{part}", f"remove{part}"} <= set(members(spec.update))


@ROWS
def test_what_it_reads_and_writes_are_places_of_its_parameters(spec: ResourceSpec) -> None:
    for path in filter(None, (spec.reads, spec.writes)):
        found = operation(spec.create).input_shape
        for name in path.split("."):
            found = found.members[name]  # type: ignore[union-attr]
        assert found.name == "S3Location"
    assert spec.told_apart_by <= set(members(spec.create))
    assert set(spec.first) <= set(members(spec.create))


@ROWS
def test_its_flags_are_the_models(spec: ResourceSpec) -> None:
    created = members(spec.create)
    described = members(spec.describe, output=True)[spec.key].members
    assert spec.tagged == ("tags" in created)
    assert spec.passes_role == any(
        "roleArn" in (name, *getattr(shape, "members", ())) for name, shape in created.items()
    )
    assert spec.has_status == ("status" in described)
    assert set(spec.needs) <= set(SPECS)


@ROWS
def test_it_comes_after_what_it_needs(spec: ResourceSpec) -> None:
    order = list(SPECS)
    assert all(order.index(needed) < order.index(spec.noun) for needed in spec.needs)


@ROWS
def test_its_arn_begins_as_the_services_do(spec: ResourceSpec) -> None:
    assert spec.arn.split("/")[0] == (spec.authorized_as or part(spec.noun))


@ROWS
def test_it_grants_no_action_on_everything(spec: ResourceSpec) -> None:
    assert spec.iam_resource != "*"
    lists = (*spec.list_actions, *spec.apart_actions)
    assert all(action.startswith("personalize:List") for action in lists)
    lists = {action for action in spec.actions if action.startswith("personalize:List")}
    # The only one that has resource-level permissions, as the authorization data has it, to which
    # tests/infrastructure/test_authorization.py holds every grant.
    assert lists <= {"personalize:ListTagsForResource"}


@ROWS
def test_its_parent_is_a_row_of_the_table(spec: ResourceSpec) -> None:
    assert spec.parent is None or SPECS[spec.parent].arn_key == spec.listed_by
    assert spec.parent or not (spec.outlives_parent or spec.grouped_by_parent)
