"""The recipes of Amazon Personalize: what each is for, and what it supports.

Custom recipes make solutions; a domain's use cases make recommenders
(https://docs.aws.amazon.com/personalize/latest/dg/working-with-predefined-recipes.html,
https://docs.aws.amazon.com/personalize/latest/dg/domain-use-cases.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PREFIX = "arn:aws:personalize:::recipe/"
_ARN = re.compile(r"arn:(aws(?:-[a-z]+)*):personalize:::recipe/(.+)")

USER_PERSONALIZATION = "USER_PERSONALIZATION"
PERSONALIZED_RANKING = "PERSONALIZED_RANKING"
RELATED_ITEMS = "RELATED_ITEMS"
POPULAR_ITEMS = "POPULAR_ITEMS"
PERSONALIZED_ACTIONS = "PERSONALIZED_ACTIONS"
USER_SEGMENTATION = "USER_SEGMENTATION"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One recipe."""

    name: str
    type: str
    domain: str | None = None
    """None for a custom recipe, else the domain whose recommenders it makes."""
    updates: bool = False
    """Whether trainingMode UPDATE is supported."""
    hpo: bool = False
    """Whether performHPO is."""
    objective: bool = False
    """Whether an optimizationObjective is."""
    incremental: bool = False
    """Whether performIncrementalUpdate is."""
    batch: bool = True
    """Whether batch inference jobs are."""
    themes: bool = False
    """Whether batch inference with theme generation is."""
    refreshed: bool = False
    """Whether the service brings new items into the newest, fully trained version every two hours
    (https://docs.aws.amazon.com/personalize/latest/dg/how-new-data-influences-recommendations.html)."""
    datasets: tuple[str, ...] = ("interactions",)
    """The datasets that it cannot do without."""
    event: str | None = None
    """The event type that a use case needs 1,000 of."""
    features: str | None = None
    """The name of the feature transformation, where the recipe's page names one."""
    trained_by: str | None = None
    """The name of the algorithm, where it is not the recipe's."""

    @property
    def arn(self) -> str:
        return PREFIX + self.name

    @property
    def algorithm(self) -> str:
        """The algorithm's ARN, which bears the recipe's name, but for one."""
        return f"arn:aws:personalize:::algorithm/{self.trained_by or self.name}"

    @property
    def transformation(self) -> str | None:
        """The feature transformation's ARN."""
        if self.features is None:
            return None
        return f"arn:aws:personalize:::feature-transformation/{self.features}"


_CUSTOM = (
    Recipe(name="aws-user-personalization-v2", type=USER_PERSONALIZATION, refreshed=True),
    Recipe(
        name="aws-user-personalization",
        type=USER_PERSONALIZATION,
        updates=True,
        hpo=True,
        objective=True,
        refreshed=True,
    ),
    Recipe(name="aws-personalized-ranking-v2", type=PERSONALIZED_RANKING),
    Recipe(
        name="aws-personalized-ranking",
        type=PERSONALIZED_RANKING,
        hpo=True,
        objective=True,
        features="JSON-percentile-filtering",
    ),
    Recipe(name="aws-similar-items", type=RELATED_ITEMS, hpo=True, themes=True),
    Recipe(name="aws-sims", type=RELATED_ITEMS, hpo=True, features="sims"),
    Recipe(
        name="aws-semantic-similarity",
        type=RELATED_ITEMS,
        incremental=True,
        datasets=("items",),
        features="aws-semantic-similarity",
    ),
    Recipe(name="aws-popularity-count", type=POPULAR_ITEMS, features="sims"),
    Recipe(
        name="aws-trending-now",
        type=POPULAR_ITEMS,
        batch=False,
        trained_by="aws-trending-now-custom",
    ),
    Recipe(
        name="aws-next-best-action",
        type=PERSONALIZED_ACTIONS,
        batch=False,
        refreshed=True,
        datasets=("interactions", "actions"),
    ),
    Recipe(name="aws-item-affinity", type=USER_SEGMENTATION, batch=False, features="item-affinity"),
    Recipe(
        name="aws-item-attribute-affinity",
        type=USER_SEGMENTATION,
        batch=False,
        datasets=("interactions", "items"),
        features="item-attribute-affinity",
    ),
)


def _use_case(
    domain: str, name: str, type: str, event: str | None, *, items: bool = False
) -> Recipe:
    datasets = ("interactions", "items") if items else ("interactions",)
    return Recipe(name=name, type=type, domain=domain, batch=False, datasets=datasets, event=event)


_SHOP, _VIDEO = "ECOMMERCE", "VIDEO_ON_DEMAND"
_DOMAIN = (
    _use_case(_SHOP, "aws-ecomm-popular-items-by-views", POPULAR_ITEMS, "View"),
    _use_case(_SHOP, "aws-ecomm-popular-items-by-purchases", POPULAR_ITEMS, "Purchase"),
    _use_case(_SHOP, "aws-ecomm-frequently-bought-together", RELATED_ITEMS, "Purchase"),
    _use_case(_SHOP, "aws-ecomm-customers-who-viewed-x-also-viewed", RELATED_ITEMS, "View"),
    _use_case(_SHOP, "aws-ecomm-recommended-for-you", USER_PERSONALIZATION, None),
    _use_case(_VIDEO, "aws-vod-because-you-watched-x", RELATED_ITEMS, "Watch"),
    _use_case(_VIDEO, "aws-vod-more-like-x", RELATED_ITEMS, None, items=True),
    _use_case(_VIDEO, "aws-vod-most-popular", POPULAR_ITEMS, "Watch"),
    _use_case(_VIDEO, "aws-vod-trending-now", POPULAR_ITEMS, None),
    _use_case(_VIDEO, "aws-vod-top-picks", USER_PERSONALIZATION, None, items=True),
)


def partition_of(arn: str) -> str | None:
    """Return the partition that a recipe's ARN names; None where it is not one of a recipe."""
    found = _ARN.fullmatch(arn)
    return found[1] if found else None


class _ByArn(Mapping[str, Recipe]):
    """Recipes by their ARN, in whichever partition: ``aws``, ``aws-cn``.

    The service is in China too, where ARNs have a partition of their own
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
    """

    def __init__(self, recipes: tuple[Recipe, ...]) -> None:
        self._recipes = {recipe.name: recipe for recipe in recipes}

    def __getitem__(self, arn: str) -> Recipe:
        found = _ARN.fullmatch(arn)
        if found is None or found[2] not in self._recipes:
            raise KeyError(arn)
        return self._recipes[found[2]]

    def __iter__(self) -> Iterator[str]:
        return (recipe.arn for recipe in self._recipes.values())

    def __len__(self) -> int:
        return len(self._recipes)


RECIPES: Mapping[str, Recipe] = _ByArn((*_CUSTOM, *_DOMAIN))
"""Every recipe by its ARN; the legacy HRNN recipes are no longer available."""
