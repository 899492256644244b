"""What a training learned, and how it answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpe.emulator.neighbours import RECENT, Floats, Histories, Places, best, weighed
from mpe.model.service.recipes import POPULAR_ITEMS, RELATED_ITEMS, Recipe

DEEPEST = 25
NONE = np.empty(0, np.int32)
SCORES_ALL = frozenset({"aws-user-personalization"})
"""The recipes that score the whole catalogue; others score a part of it."""
INFLUENCED = "aws-semantic-similarity"
"""The recipe that a ``rankingInfluence`` is for."""
Ranked = Iterator[tuple[int, float]]


@dataclass(frozen=True, eq=False)
class Model:
    """What a solution version learned."""

    recipe: Recipe
    items: tuple[str, ...]
    """The catalogue: items with interactions, and those of the items dataset."""
    counts: Places
    """How many interactions each item has."""
    similar: Any
    """A matrix of how similar items are, the most similar of each row first."""
    repeats: float
    """How often users come back to an item they had: the share of all interactions."""
    histories: Histories
    metrics: dict[str, float]
    order: Places
    """The items by popularity (or by trend), the most popular first."""
    births: Floats
    """When each item was created, in seconds of the epoch."""
    newest: float = 0.0
    """When the newest interaction was."""

    @property
    def kind(self) -> str:
        """The recipe's type."""
        return self.recipe.type

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of each item."""
        return {item: place for place, item in enumerate(self.items)}

    @property
    def popular(self) -> tuple[str, ...]:
        """The items by popularity, the most popular first."""
        return tuple(self.items[place] for place in self.order)

    def recommend(
        self, *, user: str | None = None, item: str | None = None, count: int = DEEPEST
    ) -> list[tuple[str, float]]:
        """Return the best items for a user or beside an item, each with its score."""
        return list(islice(self.ranked(self.history(user), item), count))

    def history(self, user: str | None, then: Sequence[str] = ()) -> NDArray[np.int32]:
        """Return what a user had, and then also had, as numbers of items."""
        later = [self.places[one] for one in then if one in self.places]
        return np.concatenate([self.histories.of(user or ""), np.array(later, np.int32)])

    def ranked(
        self,
        history: NDArray[np.int32],
        item: str | None = None,
        *,
        order: Places | None = None,
        influence: Mapping[str, float] | None = None,
    ) -> Iterator[tuple[str, float]]:
        """Yield all items for a history, or beside an item, the best first.

        ``order`` is a newer order by popularity; ``influence`` how much popularity and freshness
        weigh beside likeness.
        """
        model = self if order is None else replace(self, order=order)
        beside = None if item is None else self.places.get(item, -1)
        return (
            (self.items[place], score) for place, score in model._ranked(history, beside, influence)
        )

    def sorted(self, history: NDArray[np.int32], items: Sequence[str]) -> list[tuple[str, float]]:
        """Order given items for a history; the scores of those that were known add up to 1.

        What was not there in training comes last, with a score of 0
        (https://docs.aws.amazon.com/personalize/latest/dg/rankings.html).
        """
        places, scores = self.liking(history)
        liked = dict(zip(places.tolist(), scores.tolist(), strict=True))
        least = min(liked.values(), default=1.0) / 2 / max(1, self.counts.max(initial=1))
        raw = []
        for one in dict.fromkeys(items):
            place = self.places.get(one, -1)
            known = place >= 0 and self.counts[place] > 0
            raw.append((one, liked.get(place, least * self.counts[place]) if known else 0.0))
        total = sum(score for _, score in raw) or 1.0
        return sorted([(one, score / total) for one, score in raw], key=lambda one: -one[1])

    def order_for(self, user: str, items: Sequence[str]) -> list[tuple[str, float]]:
        """Order given items for a user, each with its score."""
        return self.sorted(self.history(user), items)

    def audience(self, items: Mapping[str, float], count: int) -> list[str]:
        """Return the users who like items most, which have weights."""
        weights = np.zeros(len(self.items))
        for item, weight in items.items():
            if item in self.places:
                weights[self.places[item]] = weight
        return [self.histories.users[place] for place in audience(self.histories, weights, count)]

    def near(self, item: str) -> dict[str, float]:
        """Return an item and those similar to it, with weights."""
        others, scores = self.beside(self.places.get(item, -1))
        named = (self.items[place] for place in others.tolist())
        return {**dict(zip(named, scores.tolist(), strict=True)), item: 1.0}

    def liking(self, history: NDArray[np.int32]) -> tuple[Places, Floats]:
        """Score items by how similar they are to what a user had, the newest counting most."""
        if not len(history):
            return np.empty(0, np.int64), np.empty(0)
        starts = np.array([0, len(history)])
        one = Histories(("",), history.astype(np.int32), starts, len(self.items))
        row = weighed(one, np.array([0])) @ self.similar
        return self._liked(row.indices, row.data, history)

    def top(self, given: NDArray[np.int32], count: int) -> list[int]:
        """Return the best items for a history, as numbers."""
        return [place for place, _ in islice(self._ranked(given, None), count)]

    def top_of(
        self, places: Places, scores: Floats, given: NDArray[np.int32], count: int
    ) -> list[int]:
        """Return the best items for a history whose neighbours are scored already."""
        places, scores = self._liked(places, scores, given)
        first = best(scores, places, count)
        ranked = self._filled(places[first], scores[first], without=given.tolist())
        return [place for place, _ in islice(ranked, count)]

    def _liked(
        self, places: Places, scores: Floats, history: NDArray[np.int32]
    ) -> tuple[Places, Floats]:
        scores = np.where(np.isin(places, history), scores * self.repeats, scores)
        return places, scores / (scores.sum() or 1.0)

    def beside(self, item: int) -> tuple[Places, Floats]:
        """Return the items similar to one, as numbers, the most similar first."""
        if item < 0:
            return np.empty(0, np.int64), np.empty(0)
        start, end = self.similar.indptr[item : item + 2]
        return self.similar.indices[start:end], self.similar.data[start:end]

    def _ranked(
        self,
        history: NDArray[np.int32],
        item: int | None,
        influence: Mapping[str, float] | None = None,
    ) -> Ranked:
        if self.kind == POPULAR_ITEMS:
            return self._filled(NONE, np.empty(0))
        if self.kind == RELATED_ITEMS:
            beside = item if item is not None else (int(history[-1]) if len(history) else -1)
            others, scores = self._influenced(*self.beside(beside), influence or {})
            return self._filled(others, scores, without={beside})
        places, scores = self.liking(history)
        return self._personal(places, scores, history)

    def _influenced(
        self, places: Places, scores: Floats, influence: Mapping[str, float]
    ) -> tuple[Places, Floats]:
        """Order similar items by their popularity and freshness as well.

        https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-semantic-similarity.html
        """
        if self.recipe.name != INFLUENCED or not any(influence.values()) or not len(places):
            return places, scores
        popular = self.counts[places] / max(1, self.counts.max())
        oldest, newest = self.births.min(), self.births.max()
        fresh = (self.births[places] - oldest) / ((newest - oldest) or 1.0)
        weights = [float(influence.get(name, 0.0)) for name in ("POPULARITY", "FRESHNESS")]
        mixed = scores + weights[0] * popular + weights[1] * fresh
        first = best(mixed, places, len(places))
        return places[first], scores[first]

    def _personal(self, places: Places, scores: Floats, history: NDArray[np.int32]) -> Ranked:
        if self.recipe.name in SCORES_ALL:
            places, scores = self._all_scored(places, scores)
        first = best(scores, places, len(scores))
        return self._filled(places[first], scores[first], without=history.tolist())

    def _all_scored(self, places: Places, scores: Floats) -> tuple[Places, Floats]:
        """Score popular items too, below all that the user likes; all scores add up to 1.

        https://docs.aws.amazon.com/personalize/latest/dg/how-recommendation-scoring-works.html
        """
        rest = np.setdiff1d(self.order, places[scores > 0])
        shares = self.counts[rest] / max(1, self.counts.sum())
        liked = scores[scores > 0]
        if len(liked) and len(shares):
            shares = shares * (liked.min() / 2 / max(shares.max(), liked.min()))
        every = np.concatenate([liked, shares])
        return np.concatenate([places[scores > 0], rest]), every / (every.sum() or 1.0)

    def _filled(
        self, places: NDArray[Any], scores: Floats, without: Collection[int] = ()
    ) -> Ranked:
        """Yield what is ranked, and then popular items."""
        ranked = places.tolist()
        yield from zip(ranked, scores.tolist(), strict=True)
        have = {*ranked, *without}
        yield from ((place, 0.0) for place in self.order.tolist() if place not in have)


def audience(histories: Histories, weights: Floats, count: int) -> Places:
    """Return the users with the highest mean weight of what they had recently."""
    recent = histories.ages < RECENT
    sums = np.bincount(
        histories.owners[recent], weights[histories.items[recent]], len(histories.users)
    )
    scores = sums / np.maximum(np.minimum(histories.lengths, RECENT), 1)
    first = best(scores, np.arange(len(scores)), count)
    return first[scores[first] > 0]
