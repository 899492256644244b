"""A small model, really trained, and its offline metrics, really measured.

Popularity counts, and item-to-item similarity from co-occurrence in users' recent
histories: far simpler than the service's recipes, but trained on the imported data and
deterministic for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mpe.emulator import evaluation
from mpe.emulator.data import LEAST_INTERACTIONS
from mpe.emulator.interactions import Interactions
from mpe.emulator.learned import NONE, Model
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.metadata import alike
from mpe.emulator.neighbours import Floats, Histories, blended, similarities, stacked
from mpe.emulator.trends import TRENDING, risen, window
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, POPULAR_ITEMS, USER_SEGMENTATION, Recipe

LEAST_USERS = 25
LEAST_SHARE = 100
"""One of so many users must have two interactions, as of
https://docs.aws.amazon.com/personalize/latest/dg/limits.html."""
BY_METADATA = frozenset({"aws-similar-items", "aws-vod-more-like-x", "aws-semantic-similarity"})
"""The recipes that look at what items are like, beside who had them."""
SEMANTIC = "aws-semantic-similarity"
Rows = Mapping[str, Mapping[str, Any]]
CUT = 25
"""How many trending items are compared with those that were foreseen."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a training goes by."""

    recipe: Recipe
    events: Interactions
    event_type: str | None = None
    threshold: float | None = None
    items: Rows = field(default_factory=dict)
    """The rows of the items dataset, by id."""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    """The columns of the items that training leaves out."""
    weights: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of an eventsConfig: for each event type, its threshold and its weight."""
    objective: str | None = None
    """The column of the items that an optimizationObjective maximizes."""


def train(lesson: Lesson) -> Model:
    """Train a model of a recipe and measure it; raise WorkFailed on too little data."""
    events = _chosen(lesson)
    _enough(events, lesson)
    items = _catalogue(events, lesson.items)
    histories = _histories(events, items)
    if lesson.recipe.type == USER_SEGMENTATION:
        metrics = evaluation.of_segments(histories, lambda some: _learn(lesson, items, some))
    else:
        held = evaluation.hold_out(histories)
        worth = Worth(lesson, events, items)
        metrics = evaluation.of_lists(_learn(lesson, items, held.seen), held, worth)
        if lesson.recipe.name in TRENDING:
            metrics["trend_prediction_accuracy"] = _foreseen(lesson, events, items)
    return replace(_learn(lesson, items, histories, events), metrics=metrics)


def _chosen(lesson: Lesson) -> Interactions:
    events = lesson.events
    if lesson.event_type is None and lesson.threshold is None and not lesson.weights:
        return events
    mask = events.of_type(lesson.event_type)
    if lesson.weights:
        chosen = [
            events.of_type(kind) & ((events.value >= least) | np.isneginf(least))
            for kind, (least, _) in lesson.weights.items()
        ]
        mask &= np.logical_or.reduce(chosen)
    if lesson.threshold is not None:
        mask &= events.value >= lesson.threshold  # NaN is not
    return events.only(mask)


class Worth:
    """What it is worth to show an item: by its objective's column, by the weight of its events."""

    def __init__(self, lesson: Lesson, events: Interactions, items: tuple[str, ...]) -> None:
        self.rewards = self._rewards(lesson, items) if lesson.objective else None
        self.weights = self._weights(lesson, events, items) if lesson.weights else None

    @staticmethod
    def _rewards(lesson: Lesson, items: tuple[str, ...]) -> Floats:
        """Return each item's share of the greatest value of the objective's column."""
        found = [lesson.items.get(one, {}).get(lesson.objective or "") or 0.0 for one in items]
        values = np.maximum(np.array(found, np.float64), 0.0)
        return np.asarray(values / max(values.max(initial=0.0), 1e-9))

    @staticmethod
    def _weights(lesson: Lesson, events: Interactions, items: tuple[str, ...]) -> Floats:
        """Return the mean weight of each item's events, divided by the mean of all weights."""
        mean = sum(weight for _, weight in lesson.weights.values()) / len(lesson.weights)
        known = {kind.lower(): weight / (mean or 1) for kind, (_, weight) in lesson.weights.items()}
        by_type = np.array([known.get(one.lower(), 0.0) for one in events.event.values])
        places = {item: place for place, item in enumerate(items)}
        codes = np.array([places[one] for one in events.item.values])[events.item.codes]
        counts = np.bincount(codes, minlength=len(items))
        total = np.bincount(codes, by_type[events.event.codes], minlength=len(items))
        return np.asarray(total / np.maximum(counts, 1))


def _foreseen(lesson: Lesson, events: Interactions, items: tuple[str, ...]) -> float:
    """Return how many of the newest interval's trending items were those of the one before."""
    seconds = window(lesson.recipe.name, lesson.hyperparameters)
    newest = int(events.time.max(initial=0))
    before = events.only(events.time <= newest - seconds)
    now, then = (risen(some, seconds, items)[:CUT] for some in (events, before))
    return round(len(np.intersect1d(now, then)) / max(len(now), 1), 4)


def _enough(events: Interactions, lesson: Lesson) -> None:
    if "interactions" not in lesson.recipe.datasets:
        return
    if len(events) < LEAST_INTERACTIONS:
        told = f"Dataset has fewer than {LEAST_INTERACTIONS} interactions"
        filtered = f" after filtering by event type: {lesson.event_type}"
        raise WorkFailed(told + filtered if lesson.event_type else told)
    often = np.bincount(events.user.codes) > 1
    if int(often.sum()) < LEAST_USERS:
        raise WorkFailed(
            f"Dataset has fewer than {LEAST_USERS} users with at least 2 interactions each"
        )
    if often.sum() * LEAST_SHARE < len(often):
        raise WorkFailed("Fewer than 1% of the users have at least 2 interactions")


def _catalogue(events: Interactions, rows: Rows) -> tuple[str, ...]:
    had = events.item.values
    return had if not set(rows) - set(had) else tuple(sorted({*had, *rows}))


def _histories(events: Interactions, items: tuple[str, ...]) -> Histories:
    places = {item: place for place, item in enumerate(items)}
    numbers = np.array([places[item] for item in events.item.values], np.int32)
    codes = numbers[events.item.codes] if len(numbers) else NONE
    return Histories(events.user.values, codes[events.order], events.starts, len(items))


def _learn(
    lesson: Lesson,
    items: tuple[str, ...],
    histories: Histories,
    events: Interactions | None = None,
) -> Model:
    counts = np.bincount(histories.items, minlength=len(items))
    again = len(histories.items) - histories.had().nnz
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    if events is not None and lesson.recipe.name in TRENDING:
        order = risen(events, window(lesson.recipe.name, lesson.hyperparameters), items)
    similar = _similar(lesson, items, histories)
    repeats = again / max(len(histories.items), 1)
    newest = float(events.time.max()) if events is not None and len(events) else 0.0
    born = _births(lesson.items, items, _first_turned_to(events, items, newest))
    return Model(lesson.recipe, items, counts, similar, repeats, histories, {}, order, born, newest)


def _similar(lesson: Lesson, items: tuple[str, ...], histories: Histories) -> Any:
    recipe = lesson.recipe
    if recipe.type in {POPULAR_ITEMS, PERSONALIZED_ACTIONS}:
        return stacked([(NONE, np.empty(0))] * len(items), len(items))
    together = similarities(histories, least=_least(lesson))
    if recipe.name not in BY_METADATA or not lesson.items:
        return together
    like = alike(lesson.items, items, lesson.excluded)
    return like if recipe.name == SEMANTIC else blended(together, like)


def _least(lesson: Lesson) -> int:
    """Return how many users must have had two items together for these to be similar.

    https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-sims.html
    """
    if lesson.recipe.name != "aws-sims":
        return 2
    return int(lesson.hyperparameters.get("min_cointeraction_count", 3))


def _births(rows: Mapping[str, Mapping[str, Any]], items: tuple[str, ...], first: Floats) -> Floats:
    """Return when items were created: as their rows say, else when first turned to."""
    found = first.copy()
    for place, item in enumerate(items if rows else ()):
        created = rows.get(item, {}).get("CREATION_TIMESTAMP")
        if created is not None:
            found[place] = float(created)
    return found


def _first_turned_to(events: Interactions | None, items: tuple[str, ...], newest: float) -> Floats:
    """Return when somebody first turned to each item; the newest moment where nobody did."""
    first = np.full(len(items), np.inf)
    if events is not None and len(events):
        places = {item: place for place, item in enumerate(items)}
        numbers = np.array([places[one] for one in events.item.values], np.int64)
        np.minimum.at(first, numbers[events.item.codes], events.time)
    first[np.isinf(first)] = newest
    return first
