"""The runtime: recommendations from a campaign's model.

https://docs.aws.amazon.com/personalize/latest/dg/API_RS_GetRecommendations.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from mpe.emulator.lifecycle import ACTIVE
from mpe.emulator.resources.base import invalid
from mpe.emulator.resources.serving import version_of
from mpe.emulator.sieve import Asked, datasets_of, sieve
from mpe.emulator.state import Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service.recipes import RECIPES, RELATED_ITEMS, USER_PERSONALIZATION
from mpe.model.service.shapes import operation, violations

MOST = 500
DEFAULT = 25


def call(world: World, name: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a call of the runtime or of the events API."""
    if name != "GetRecommendations":
        raise ServiceError("NotImplementedException", f"{name or path} is not emulated yet.", 501)
    wrong = list(violations(operation(name, "personalize-runtime").input_shape, params))
    if wrong:
        raise invalid("; ".join(str(one).removeprefix("$.") for one in wrong))
    return _recommend(world, params)


def _recommend(world: World, params: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("promotions", "metadataColumns"):
        if key in params:
            raise ServiceError("NotImplementedException", f"{key} is not emulated yet.", 501)
    version = _source(world, params)
    _needs(version, params)
    count = params.get("numResults", DEFAULT)
    if not 1 <= count <= MOST:
        raise invalid(f"numResults must be from 1 to {MOST}.")
    assert version.model is not None
    keep = _filter(world, version, params)
    catalogue = len(version.model.popular)
    ranked = version.model.recommend(
        user=params.get("userId"),
        item=params.get("itemId"),
        count=count if keep is None else catalogue,
    )
    chosen = [(item, score) for item, score in ranked if keep is None or keep(item)][:count]
    return {
        "itemList": [_item(item, score) for item, score in chosen],
        "recommendationId": f"RID-{uuid.UUID(int=world.chance.getrandbits(128), version=4)}",
    }


def _item(item: str, score: float) -> dict[str, Any]:
    return {"itemId": item, "score": score} if score else {"itemId": item}


def _source(world: World, params: Mapping[str, Any]) -> Resource:
    """Return what has the model: a campaign's solution version, or a recommender."""
    given = [key for key in ("campaignArn", "recommenderArn") if key in params]
    if len(given) != 1:
        raise invalid("Either campaignArn or recommenderArn is required.")
    arn = params[given[0]]
    found = world.resources.get(arn)
    noun = {"campaignArn": "Campaign", "recommenderArn": "Recommender"}[given[0]]
    if found is None or found.noun != noun:
        raise ServiceError("ResourceNotFoundException", f"{noun} {arn} does not exist.", 404)
    if found.state(world.now).status != ACTIVE:
        raise invalid(f"{noun} {arn} is not ACTIVE.")
    if noun == "Recommender":
        return found
    return version_of(world, found.fields["solutionVersionArn"])


def _needs(version: Resource, params: Mapping[str, Any]) -> None:
    kind = RECIPES[version.fields["recipeArn"]].type
    needed = {USER_PERSONALIZATION: "userId", RELATED_ITEMS: "itemId"}.get(kind)
    if needed and needed not in params:
        raise invalid(f"{needed} is required by this campaign's recipe.")


def _filter(
    world: World, version: Resource, params: Mapping[str, Any]
) -> Callable[[str], bool] | None:
    arn = params.get("filterArn")
    if not arn:
        return None
    found = world.get("Filter", arn)
    if found.state(world.now).status != ACTIVE:
        raise invalid(f"Filter {arn} is not ACTIVE.")
    group = version.fields["datasetGroupArn"]
    if found.fields["datasetGroupArn"] != group:
        raise invalid(f"Filter {arn} is of another dataset group.")
    asked = Asked(params.get("userId"), params.get("itemId"), params.get("filterValues", {}))
    return sieve(datasets_of(world, group), found.fields["filterExpression"], asked)
