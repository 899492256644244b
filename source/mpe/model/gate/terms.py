"""What a gate asks of a version: the ``gate`` of a config, read into frozen values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mpe.model.gate.versions import HEADLINES
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, USER_SEGMENTATION, Recipe

Mode = Literal["off", "observe", "hold", "approve"]
MODES: tuple[Mode, ...] = ("off", "observe", "hold", "approve")
AUTO: Literal["auto"] = "auto"
_SHARE = re.compile(r"([+-]\d+(?:\.\d+)?)%")
_RANKED = re.compile(
    r"coverage|mean_reciprocal_rank_at_25|(?:normalized_discounted_cumulative_gain|precision)"
    r"_at_(?:5|10|25)|average_rewards_at_\w+"
    r"|normalized_discounted_cumulative_gain_with_event_weights_at_\w+|.*trend.*"
)
_SEGMENTS = re.compile(r"coverage|(?:hits?|recall)_at_\w+")
_ACTIONS = re.compile(
    r"coverage|(?:normalized_discounted_cumulative_gain|precision|recall).*|.*auc.*"
)


def knows(recipe: Recipe, metric: str) -> bool:
    """Tell whether versions of a recipe have a metric.

    By the recipe's type, as the guide lists them
    (https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html). Names
    that the guide gives no spelling of may be any that are like it.
    """
    kinds = {USER_SEGMENTATION: _SEGMENTS, PERSONALIZED_ACTIONS: _ACTIONS}
    return kinds.get(recipe.type, _RANKED).fullmatch(metric) is not None


def share(text: str) -> float | None:
    """Return ``-20%`` as -0.2, or None where it is no such thing."""
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else None


@dataclass(frozen=True)
class Limits:
    """What one metric of a version is held to."""

    at_least: float | None = None
    not_below: float | Literal["auto"] | None = None
    """The share of change against the live version that is still good: -0.2; or ``auto``."""
    not_above: float | None = None
    """The same upwards: more is a leak, or lost data."""


DEFAULT = Limits(not_below=AUTO, not_above=1.0)
"""What the metric that stands for a version is held to, unless the config says so itself."""


@dataclass(frozen=True)
class Gate:
    """What every version of a solution is judged by, and what follows from it."""

    mode: Mode = "observe"
    metrics: Mapping[str, Limits] | None = None
    """None where the config says nothing: then :data:`DEFAULT` of its headline."""
    baseline: str | None = None
    """The solution whose newest version it must be better than."""
    lift: float = 1.0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Gate:
        """Read a gate from a config that has been checked."""
        baseline = given.get("baseline") or {}
        metrics = given.get("metrics")
        return cls(
            given.get("mode", "observe"),
            None if metrics is None else {name: _limits(one) for name, one in metrics.items()},
            baseline.get("solution"),
            float(baseline.get("lift", 1.0)),
        )

    def limits(self, metrics: Mapping[str, float]) -> Mapping[str, Limits]:
        """Return what each metric is held to, of a version that has some metrics."""
        if self.metrics is not None:
            return self.metrics
        return {name: DEFAULT for name in HEADLINES[:2] if name in metrics}


def _limits(given: Mapping[str, Any]) -> Limits:
    below, above = given.get("notBelow"), given.get("notAbove")
    return Limits(
        given.get("atLeast"),
        AUTO if below == AUTO else share(below or ""),
        share(above or ""),
    )


def merged(
    group: Mapping[str, Any], solution: Mapping[str, Any], name: str, recipe: Recipe | None
) -> dict[str, Any]:
    """Return the gate of a solution of a name: its own keys, and the group's where it has none.

    Of the group's it leaves out the metrics that its recipe has not, and itself as its baseline.
    """
    found = {**group, **solution}
    if "metrics" in found and "metrics" not in solution and recipe is not None:
        own = {key: one for key, one in group["metrics"].items() if knows(recipe, key)}
        found["metrics"] = own
    if "baseline" not in solution and (found.get("baseline") or {}).get("solution") == name:
        del found["baseline"]
    return found
