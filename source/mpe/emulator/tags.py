"""Tags of resources.

https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html: a resource has up to
50, and keys that begin with ``aws:``, in whatever case, are the service's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mpe.emulator.state import INVALID, NOT_FOUND, Resource, World
from mpe.emulator.wire import ServiceError

MOST = 50
RESERVED = "aws:"
UNTAGGED = frozenset({"Schema", "MetricAttribution"})
"""The types whose Create operations take no tags."""


def tag(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Add tags to a resource, up to 50."""
    found = _resource(world, params)
    found.tags = accepted(params["tags"], found.tags)
    return {}


def untag(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Remove tags from a resource; those that it has not are no error."""
    found = _resource(world, params)
    _not_reserved(params["tagKeys"])
    if len(params["tagKeys"]) > MOST:  # in the words of botocore's TooManyTagKeysException
        told = (
            f"The request contains more tag keys than can be associated with a resource ({MOST})."
        )
        raise ServiceError("TooManyTagKeysException", told)
    for key in params["tagKeys"]:
        found.tags.pop(key, None)
    return {}


def listed(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags of a resource."""
    found = _resource(world, params)
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in found.tags.items()]}


def accepted(given: Iterable[Mapping[str, str]], had: Mapping[str, str]) -> dict[str, str]:
    """Return what a resource's tags become; raise a ServiceError where they may not."""
    given = list(given)
    _not_reserved(one["tagKey"] for one in given)
    tags = {**had, **{one["tagKey"]: one["tagValue"] for one in given}}
    if max(len(tags), len(given)) > MOST:
        raise ServiceError("TooManyTagsException", f"A resource may have {MOST} tags.")
    return tags


def _not_reserved(keys: Iterable[str]) -> None:
    for key in keys:
        if key.lower().startswith(RESERVED):
            raise ServiceError(INVALID, f"Tag keys that begin with {RESERVED} are reserved: {key}")


def _resource(world: World, params: Mapping[str, Any]) -> Resource:
    arn = params["resourceArn"]
    if arn not in world.resources:
        raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.")
    if world.resources[arn].noun in UNTAGGED:
        raise ServiceError(INVALID, f"Resource Arn {arn} cannot be tagged.")
    return world.resources[arn]
