"""The hyperparameters of Amazon Personalize's algorithms: defaults, ranges, what HPO may tune.

From the tables of the recipes' pages of the developer guide
(https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-sims.html and its like, one per
recipe); ``tests/model/service/test_hyperparameters.py`` holds them beside what the pages say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "continuous", "categorical"]


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter, with what an algorithm takes where nothing is given."""

    name: str
    kind: Kind
    default: str
    least: float = 0
    most: float = 1
    values: tuple[str, ...] = ()
    """The values of one that is categorical."""
    tunable: bool = False
    """Whether HPO may look for its value."""
    features: bool = False
    """Whether it stands in ``featureTransformationParameters``."""

    def fits(self, text: str) -> bool:
        """Tell whether a value, as text, is of its kind and in its range."""
        if self.kind == "categorical":
            return text.lower() in {one.lower() for one in self.values}
        try:
            number = int(text) if self.kind == "integer" else float(text)
        except ValueError:
            return False
        return self.least <= number <= self.most


def _whole(
    name: str, default: int, bounds: tuple[int, int], *, tunable: bool = False
) -> Hyperparameter:
    return Hyperparameter(name, "integer", str(default), *bounds, tunable=tunable)


def _share(
    name: str, default: float, *, tunable: bool = False, features: bool = False
) -> Hyperparameter:
    kind: Kind = "continuous"
    return Hyperparameter(name, kind, str(default), tunable=tunable, features=features)


def _switch(name: str, *, tunable: bool = False) -> Hyperparameter:
    both = ("true", "false")
    return Hyperparameter(name, "categorical", "true", values=both, tunable=tunable)


def _percentiles(what: str, least: float, most: float) -> tuple[Hyperparameter, ...]:
    return (
        _share(f"min_{what}_percentile", least, features=True),
        _share(f"max_{what}_percentile", most, features=True),
    )


_HIDDEN = "hidden_dimension"
_NETWORK = (
    _whole(_HIDDEN, 149, (32, 256), tunable=True),
    _whole("bptt", 32, (2, 32), tunable=True),
    _switch("recency_mask", tunable=True),
    *_percentiles("user_history_length", 0.0, 0.99),
)
_EXPLORING = (
    _share("exploration_weight", 0.3),
    Hyperparameter("exploration_item_age_cut_off", "continuous", "30.0", 1, 1_000_000),
)
_RECENT = (_switch("apply_recency_bias"),)

HYPERPARAMETERS: dict[str, tuple[Hyperparameter, ...]] = {
    "aws-user-personalization-v2": _RECENT,
    "aws-user-personalization": (*_NETWORK, *_EXPLORING),
    "aws-personalized-ranking-v2": _RECENT,
    "aws-personalized-ranking": _NETWORK,
    "aws-similar-items": (
        _share("popularity_discount_factor", 0.0),
        _whole("item_id_hidden_dim", 100, (30, 200), tunable=True),
        _whole("item_metadata_hidden_dim", 100, (30, 200), tunable=True),
    ),
    "aws-sims": (
        _share("popularity_discount_factor", 0.5, tunable=True),
        _whole("min_cointeraction_count", 3, (0, 10), tunable=True),
        *_percentiles("user_history_length", 0.005, 0.995),
        *_percentiles("item_interaction_count", 0.01, 0.9),
    ),
    "aws-trending-now": (
        Hyperparameter(
            "trend_discovery_frequency",
            "categorical",
            "2 hours",
            values=("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
            features=True,
        ),
    ),
    "aws-next-best-action": (
        Hyperparameter("action_optimization_period", "integer", "14", 7, 28, features=True),
    ),
    "aws-item-affinity": (_whole(_HIDDEN, 149, (32, 256)),),
    "aws-item-attribute-affinity": (_whole(_HIDDEN, 149, (32, 256)),),
}
"""The hyperparameters by recipe; the recipes that are not here have none to be set."""

EXPLORATION = {
    one.name: one
    for one in (
        _share("explorationWeight", 0.3),
        Hyperparameter("explorationItemAgeCutOff", "continuous", "30.0", 0, 1_000_000),
    )
}
"""What an itemExplorationConfig has: a share, and days
(https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html#about-exploration)."""


def of(recipe: str) -> dict[str, Hyperparameter]:
    """Return a recipe's hyperparameters by name."""
    return {one.name: one for one in HYPERPARAMETERS.get(recipe, ())}
