"""Tags of resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpe.emulator.state import NOT_FOUND, Resource, World
from mpe.emulator.wire import ServiceError

MOST = 50


def tag(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Add tags to a resource, up to 50."""
    found = _resource(world, params)
    tags = {**found.tags, **{one["tagKey"]: one["tagValue"] for one in params["tags"]}}
    if len(tags) > MOST:
        raise ServiceError("TooManyTagsException", f"A resource may have {MOST} tags.")
    found.tags = tags
    return {}


def untag(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Remove tags from a resource."""
    found = _resource(world, params)
    for key in params["tagKeys"]:
        found.tags.pop(key, None)
    return {}


def listed(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags of a resource."""
    found = _resource(world, params)
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in found.tags.items()]}


def _resource(world: World, params: Mapping[str, Any]) -> Resource:
    arn = params["resourceArn"]
    if arn not in world.resources:
        raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.")
    return world.resources[arn]
