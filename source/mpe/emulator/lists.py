"""Lists and their pages, and answers cut to the shapes of the service's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpe.emulator.pages import paged
from mpe.emulator.resources.base import Kind
from mpe.emulator.state import Resource, World
from mpe.model.service.operations import ListShape, Shape, StructureShape, operation

PAGING = ("nextToken", "maxResults")


def listed(world: World, kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of the resources of a type, the oldest first but for some."""
    if kind.noun == "SolutionVersion" and "solutionArn" in params:
        # Of all lists the model has ResourceNotFoundException for this one alone.
        world.get("Solution", params["solutionArn"])
    wanted = {key: value for key, value in params.items() if key not in PAGING}
    found = [one for one in world.of(kind.noun) if _belongs(one, wanted)]
    found.sort(key=lambda one: (one.created, one.arn), reverse=kind.newest_first)
    page, token = paged([kind.describe(world, one) for one in found], params)
    return {list_key(kind.noun): page, **({"nextToken": token} if token else {})}


def list_key(noun: str) -> str:
    """Return the member of a list operation's answer that has the items."""
    shape = operation(f"List{noun}s").output_shape
    assert shape is not None
    return next(str(name) for name, one in shape.members.items() if one.type_name == "list")


def _belongs(one: Resource, wanted: Mapping[str, Any]) -> bool:
    """Tell whether a resource is of the parent that a list is for."""
    for key, value in wanted.items():
        if key == "solutionArn" and one.noun == "Campaign":
            if one.fields["solutionVersionArn"].rsplit("/", 1)[0] != value:
                return False
        elif one.fields.get(key) != value:
            return False
    return True


def shaped(shape: Shape | None, value: Any) -> Any:
    """Cut an answer to the members that its shape has."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            name: shaped(member, value[name])
            for name, member in shape.members.items()
            if name in value and value[name] is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [shaped(shape.member, one) for one in value]
    return {} if shape is None else value
