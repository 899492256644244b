"""The runtime: recommendations of items and of actions, and rankings.

https://docs.aws.amazon.com/personalize/latest/dg/API_Operations_Amazon_Personalize_Runtime.html

What a request is for is found under the emulator's lock; the answer is then worked out without
it, on data that no longer changes, so that no request waits for another's answer.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from mpe.emulator import actions, exploring
from mpe.emulator.actions import ActionModel
from mpe.emulator.data import Dataset
from mpe.emulator.learned import Model
from mpe.emulator.lifecycle import ACTIVE
from mpe.emulator.resources.base import invalid
from mpe.emulator.resources.groups import fields_of
from mpe.emulator.resources.serving import version_of
from mpe.emulator.sieve import Asked, Test, datasets_of, needs_item, needs_user, sieve
from mpe.emulator.state import Resource, World
from mpe.emulator.trends import TRENDING, risen, window
from mpe.emulator.wire import ServiceError
from mpe.model.service.operations import operation
from mpe.model.service.recipes import (
    PERSONALIZED_ACTIONS,
    PERSONALIZED_RANKING,
    RECIPES,
    RELATED_ITEMS,
    USER_PERSONALIZATION,
    Recipe,
)
from mpe.model.service.shapes import violations

Params = Mapping[str, Any]
Answer = Callable[[], dict[str, Any]]
MOST, MOST_WITH_METADATA, MOST_COLUMNS = 500, 50, 10
DEFAULT = 25
MOST_ACTIONS, DEFAULT_ACTIONS = 100, 5
# The model lets numResults be 0; what that gives nobody says, so it is as if it were left out.
NEEDED = {
    "aws-ecomm-popular-items-by-views": ("userId",),
    "aws-ecomm-popular-items-by-purchases": ("userId",),
    "aws-ecomm-frequently-bought-together": ("itemId",),
    "aws-ecomm-customers-who-viewed-x-also-viewed": ("itemId", "userId"),
    "aws-ecomm-recommended-for-you": ("userId",),
    "aws-vod-because-you-watched-x": ("itemId", "userId"),
    "aws-vod-more-like-x": ("itemId", "userId"),
    "aws-vod-most-popular": ("userId",),
    "aws-vod-trending-now": (),
    "aws-vod-top-picks": ("userId",),
}
"""What a request must have, by use case; where a user need not be named, a filter may need one
(https://docs.aws.amazon.com/personalize/latest/dg/ECOMMERCE-use-cases.html,
https://docs.aws.amazon.com/personalize/latest/dg/VIDEO_ON_DEMAND-use-cases.html)."""
NEEDED_BY_TYPE = {USER_PERSONALIZATION: ("userId",), RELATED_ITEMS: ("itemId",)}
"""The same for campaigns, by the recipe's type."""
LEFT_OUT = {
    "aws-ecomm-customers-who-viewed-x-also-viewed": "Purchase",
    "aws-ecomm-recommended-for-you": "Purchase",
    "aws-vod-because-you-watched-x": "Watch",
    "aws-vod-more-like-x": "Watch",
    "aws-vod-top-picks": "Watch",
}
"""The event type whose items a use case leaves out (the same pages)."""
UNSCORED = frozenset({"aws-sims", "aws-similar-items", "aws-popularity-count", "aws-trending-now"})
"""The recipes without scores, beside all of a domain
(https://docs.aws.amazon.com/personalize/latest/dg/how-recommendation-scoring-works.html; that
page does not name Trending-Now, which has no score for a user either)."""
UNPROMOTED = frozenset({"aws-semantic-similarity"})
"""The recipes that no promotion is for
(https://docs.aws.amazon.com/personalize/latest/dg/promoting-items.html)."""
REASONED = "aws-user-personalization-v2"
"""The recipe whose items have a reason where it is a special one
(https://docs.aws.amazon.com/personalize/latest/dg/API_RS_PredictedItem.html)."""


@dataclass(frozen=True)
class Scene:
    """What a request is answered with, as it was at its moment."""

    source: Resource
    """The campaign or the recommender."""
    version: Resource
    """What has the model: a solution version, or the recommender."""
    recipe: Recipe
    datasets: Mapping[str, Dataset]
    params: Params
    keep: Test | None
    promoted: Test | None
    taken_in: list[str]
    """New items that came after the training and may be recommended."""
    seed: int

    @property
    def config(self) -> Mapping[str, Any]:
        found = self.source.fields.get("campaignConfig") or self.source.fields.get(
            "recommenderConfig"
        )
        return found or {}

    @property
    def model(self) -> Model:
        assert isinstance(self.version.model, Model)
        return self.version.model

    @property
    def items(self) -> Mapping[str, Mapping[str, Any]]:
        return self.datasets["items"].rows if "items" in self.datasets else {}

    @property
    def scored(self) -> bool:
        return self.recipe.domain is None and self.recipe.name not in UNSCORED

    @property
    def taste(self) -> str:
        """What is the same for all requests of a user, so that a list stays as it is."""
        return f"{self.version.arn} {self.params.get('userId')}"

    def answer(self, key: str, chosen: Any) -> dict[str, Any]:
        """Return an answer with its id: one of its own, and one of the campaign.

        It has 40 characters, as many as an event takes: the end of a UUID and six digits
        (aws-samples/amazon-personalize-immersion-day, Retail/Retail_03_Inference_Layer.ipynb).
        """
        own = str(uuid.UUID(int=random.Random(self.seed).getrandbits(128), version=4))
        source = hashlib.sha256(self.source.arn.encode()).hexdigest()[:6]
        return {key: chosen, "recommendationId": f"RID-{own[-25:]}-CID-{source}"}


def call(world: World, name: str, params: Params) -> Answer:
    """Return what answers a call, once it is known that it can be."""
    wrong = list(violations(operation(name, "personalize-runtime").input_shape, params))
    if wrong:
        raise invalid("; ".join(one.told.removeprefix("$.") for one in wrong))
    return _CALLS[name](world, params)


def _recommend(world: World, params: Params) -> Answer:
    scene = _scene(world, params)
    kind = scene.recipe.type
    if kind in {PERSONALIZED_RANKING, PERSONALIZED_ACTIONS}:
        other = {PERSONALIZED_RANKING: "GetPersonalizedRanking"}.get(
            kind, "GetActionRecommendations"
        )
        raise invalid(f"Campaigns of recipes of the type {kind} are asked by {other}.")
    _needs(scene)
    columns = _columns(world, scene)
    count = params.get("numResults") or DEFAULT
    most = MOST_WITH_METADATA if columns else MOST
    if count > most:
        raise invalid(f"numResults must be at most {most}.")
    _check_promotions(scene)

    def answer() -> dict[str, Any]:
        chosen = _with_promotions(scene, count)
        return scene.answer("itemList", [_described(scene, one, columns) for one in chosen])

    return answer


def _rank(world: World, params: Params) -> Answer:
    scene = _scene(world, params)
    if scene.recipe.type != PERSONALIZED_RANKING:
        raise invalid("GetPersonalizedRanking is for recipes of the type PERSONALIZED_RANKING.")
    columns = _columns(world, scene)
    most = MOST_WITH_METADATA if columns else MOST
    if not 1 <= len(params["inputList"]) <= most:
        raise invalid(f"inputList must have from 1 to {most} items.")

    def answer() -> dict[str, Any]:
        ranked = scene.model.sorted(_history(scene), params["inputList"])
        kept = [
            _described(scene, {"itemId": item, "score": score}, columns)
            for item, score in ranked
            if scene.keep is None or scene.keep(item)
        ]
        return scene.answer("personalizedRanking", kept)

    return answer


def _recommend_actions(world: World, params: Params) -> Answer:
    for key in ("campaignArn", "userId"):
        if key not in params:
            raise invalid(f"{key} is required.")
    scene = _scene(world, params)
    if scene.recipe.type != PERSONALIZED_ACTIONS:
        raise invalid("GetActionRecommendations is for recipes of the type PERSONALIZED_ACTIONS.")
    count = params.get("numResults") or DEFAULT_ACTIONS
    if count > MOST_ACTIONS:
        raise invalid(f"numResults must be at most {MOST_ACTIONS}.")
    model, user, now = scene.version.model, params["userId"], world.now
    assert isinstance(model, ActionModel)

    def answer() -> dict[str, Any]:
        rows = dict(scene.datasets["actions"].rows)
        known = {key: row for key, row in rows.items() if key in model.known}
        taken_in = {key: rows[key] for key in scene.taken_in if key in rows}
        events = scene.datasets.get("actionInteractions")
        history = events.history(user, MOST_ACTIONS) if events else []
        last = {str(row["ACTION_ID"]): int(row["TIMESTAMP"]) for row in history}
        ranked = model.ranked(user, actions.open_to({**known, **taken_in}, last, now))
        kept = [
            {"actionId": action, "score": round(score, 7)}
            for action, score in ranked
            if scene.keep is None or scene.keep(action)
        ]
        return scene.answer("actionList", kept[:count])

    return answer


_CALLS: dict[str, Callable[[World, Params], Answer]] = {
    "GetRecommendations": _recommend,
    "GetPersonalizedRanking": _rank,
    "GetActionRecommendations": _recommend_actions,
}


def _scene(world: World, params: Params) -> Scene:
    source = _source(world, params)
    version = source
    if source.noun == "Campaign":
        version = version_of(world, source.fields["solutionVersionArn"])
    recipe = RECIPES[_own(version.fields["recipeArn"])]
    datasets = datasets_of(world, version.fields["datasetGroupArn"])
    asked = Asked(params.get("userId"), params.get("itemId"), params.get("filterValues"))
    promotion: Params = next(iter(params.get("promotions", ())), {})
    promoting = Asked(asked.user, asked.item, promotion.get("filterValues"))
    kind = "actions" if recipe.type == PERSONALIZED_ACTIONS else "items"
    new = kind in datasets and (recipe.name in exploring.EXPLORING or kind == "actions")
    return Scene(
        source,
        version,
        recipe,
        datasets,
        params,
        _filter(world, version, params.get("filterArn"), asked, datasets),
        _filter(world, version, promotion.get("filterArn"), promoting, datasets),
        exploring.taken_in(world, version, datasets[kind]) if new else [],
        world.chance.getrandbits(128),
    )


def _own(recipe: str) -> str:
    """Return a recipe's ARN as the table has it, whatever the partition."""
    return "arn:aws:" + recipe.split(":", 2)[2]


def _source(world: World, params: Params) -> Resource:
    """Return the campaign or the recommender that is asked."""
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
    return found


def _needs(scene: Scene) -> None:
    """Refuse a request without what the recipe, or a filter of its use case, goes by."""
    needed = NEEDED.get(scene.recipe.name, NEEDED_BY_TYPE.get(scene.recipe.type, ()))
    for key in needed:
        if key not in scene.params:
            raise invalid(f"{key} is required by the recipe {scene.recipe.name}.")


def _filter(
    world: World,
    version: Resource,
    arn: str | None,
    asked: Asked,
    datasets: Mapping[str, Dataset],
) -> Test | None:
    if not arn:
        return None
    found = world.resources.get(arn)
    if found is None or found.noun != "Filter":
        raise ServiceError("ResourceNotFoundException", f"Filter {arn} does not exist.", 404)
    if found.state(world.now).status != ACTIVE:
        raise invalid(f"Filter {arn} is not ACTIVE.")
    if found.fields["datasetGroupArn"] != version.fields["datasetGroupArn"]:
        raise invalid(f"Filter {arn} is of another dataset group.")
    expression = found.fields["filterExpression"]
    if needs_item(expression) and RECIPES[_own(version.fields["recipeArn"])].type != RELATED_ITEMS:
        # https://docs.aws.amazon.com/personalize/latest/dg/creating-filter-expressions.html
        raise invalid(f"Filter {arn} goes by CurrentItem, which is for related items alone.")
    if asked.user is None and version.noun == "Recommender" and needs_user(expression):
        raise invalid(f"userId is required by the filter {arn}.")
    return sieve(datasets, expression, asked)


def _columns(world: World, scene: Scene) -> list[str]:
    """Return the columns of the items that are asked for, as the schema has them.

    https://docs.aws.amazon.com/personalize/latest/dg/campaigns.html#create-campaign-return-metadata
    """
    asked = scene.params.get("metadataColumns")
    if not asked:
        return []
    if not scene.config.get("enableMetadataWithRecommendations"):
        raise invalid(f"Metadata is not enabled in recommendations of {scene.source.arn}.")
    ((kind, names),) = asked.items()
    if kind.upper() != "ITEMS":
        raise invalid(f"metadataColumns are of ITEMS, not of {kind}.")
    if len(names) > MOST_COLUMNS:
        raise invalid(f"At most {MOST_COLUMNS} metadata columns can be asked for.")
    known = _item_columns(world, scene.version.fields["datasetGroupArn"])
    unknown = [name for name in names if name.upper() not in known]
    if unknown:
        raise invalid(f"The items dataset has no column {', '.join(unknown)}.")
    return [known[name.upper()] for name in names]


def _item_columns(world: World, group: str) -> dict[str, str]:
    for dataset in world.of("Dataset", datasetGroupArn=group, datasetType="ITEMS"):
        fields = fields_of(world.get("Schema", dataset.fields["schemaArn"]))
        return {one.name.upper(): one.name for one in fields}
    return {}


def _check_promotions(scene: Scene) -> None:
    for promotion in scene.params.get("promotions", ()):
        if scene.recipe.name in UNPROMOTED:
            raise invalid(f"Promotions are not supported by {scene.recipe.name}.")
        for key in ("filterArn", "percentPromotedItems"):
            if key not in promotion:
                raise invalid(f"A promotion needs {key}.")


def _with_promotions(scene: Scene, count: int) -> list[dict[str, Any]]:
    """Return the items: the promoted ones among the others, each kind in its own order.

    The filter of the promotion is for these alone, that of the request for the others.
    """
    promotion = next(iter(scene.params.get("promotions", ())), None)
    if promotion is None or scene.promoted is None:
        return list(islice(_explored(scene, count), count))
    wanted = count * promotion["percentPromotedItems"] // 100
    ranked = list(_ranked(scene))
    named = {one["itemId"] for one in ranked}
    more = ({"itemId": key} for key in list(scene.items) if key not in named)
    promoted = list(
        islice((one for one in chain(ranked, more) if scene.promoted(one["itemId"])), wanted)
    )
    gone = {one["itemId"] for one in promoted}
    others = (one for one in _explored(scene, count) if one["itemId"] not in gone)
    rest = list(islice(others, count - len(promoted)))
    name = {"promotionName": promotion["name"]} if "name" in promotion else {}
    reason = {"reason": ["Promoted item"]} if scene.recipe.name == REASONED else {}
    return _mixed([{**one, **name, **reason} for one in promoted], rest, scene.seed)


def _mixed(
    some: list[dict[str, Any]], others: list[dict[str, Any]], seed: int | str
) -> list[dict[str, Any]]:
    """Return two lists as one, at random places, each in its order."""
    size = len(some) + len(others)
    places = set(random.Random(seed).sample(range(size), len(some)))
    first, second = iter(some), iter(others)
    return [next(first if place in places else second) for place in range(size)]


def _explored(scene: Scene, count: int) -> Iterator[dict[str, Any]]:
    """Yield what is relevant, with some items to explore at random places among the first."""
    kept = (one for one in _ranked(scene) if scene.keep is None or scene.keep(one["itemId"]))
    if scene.recipe.name not in exploring.EXPLORING:
        return kept
    config = scene.config.get("itemExplorationConfig", {})
    candidates = [*exploring.unknown(scene.model, config), *scene.taken_in]
    passing = [one for one in candidates if scene.keep is None or scene.keep(one)]
    many = min(exploring.how_many(config, count), len(passing))
    if not many:
        return kept
    chosen = random.Random(scene.taste).sample(passing, many)
    reason = {"reason": ["Exploration"]} if scene.recipe.name == REASONED else {}
    score = {"score": 0.0} if scene.scored else {}
    new = [{"itemId": item, **score, **reason} for item in chosen]
    rest = list(islice((one for one in kept if one["itemId"] not in chosen), count - many))
    return iter(_mixed(new, rest, scene.taste))


def _ranked(scene: Scene) -> Iterator[dict[str, Any]]:
    """Yield all items that the recipe has for the request, the best first."""
    model, params = scene.model, scene.params
    order = None
    if scene.recipe.name in TRENDING:
        order = _trend(scene)
    out = _left_out(scene)
    influence = scene.config.get("rankingInfluence", {})
    ranked = model.ranked(_history(scene), params.get("itemId"), order=order, influence=influence)
    for item, score in ranked:
        if item in out:
            continue
        if not scene.scored:
            yield {"itemId": item}
        elif score or scene.recipe.name != REASONED:
            yield {"itemId": item, "score": score}
        else:
            yield {"itemId": item, "reason": ["Popular item"]}


def _trend(scene: Scene) -> Any:
    """Return the items by their trend, what was put since the training included."""
    events = scene.datasets["interactions"]
    if not _since(scene, events):
        return None
    parameters = scene.version.fields.get("solutionConfig", {})
    given = parameters.get("featureTransformationParameters", {})
    return risen(events.everything(), window(scene.recipe.name, given), scene.model.items)


def _since(scene: Scene, events: Dataset) -> bool:
    return any(one.arrived > scene.version.created for one in events.stream.newest(1))


def _left_out(scene: Scene) -> set[str]:
    """Return the items that the use case leaves out: those that the user had."""
    event, user = LEFT_OUT.get(scene.recipe.name), scene.params.get("userId")
    if event is None or user is None:
        return set()
    history = scene.datasets["interactions"].history(user, MOST_ACTIONS)
    return {
        str(row["ITEM_ID"])
        for row in history
        if str(row["EVENT_TYPE"] or "").lower() == event.lower()
    }


def _history(scene: Scene) -> Any:
    """Return what the user had, with what was put since the training, in real time.

    https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html
    """
    user = scene.params.get("userId")
    if user is None or "interactions" not in scene.datasets:
        return scene.model.history(user)
    put = scene.datasets["interactions"].stream.of(user)
    later = [str(one.row["ITEM_ID"]) for one in put if one.arrived > scene.version.created]
    return scene.model.history(user, later)


def _described(scene: Scene, one: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    """Return an item with its metadata: the keys in lower case, the values as text.

    So the outputs that aws-samples/amazon-personalize-immersion-day keeps have it
    (Retail/Retail_03_Inference.ipynb, NewsPublishing/News_03_Inference.ipynb).
    """
    if not columns:
        return dict(one)
    row = scene.items.get(one["itemId"], {})
    found = {name.lower(): _text(row[name]) for name in columns if row.get(name) is not None}
    return {**one, "metadata": found}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
