"""Offline metrics, as the developer guide defines them.

https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mpe.emulator.learned import Model, audience
from mpe.emulator.neighbours import Histories, Places, weighed
from mpe.model.service.recipes import POPULAR_ITEMS, RELATED_ITEMS

CUTOFFS = (5, 10, 25)
DEEPEST = max(CUTOFFS)
TESTED = 10
"""Every tenth user is for testing."""
SEGMENTS_TESTED = 100
"""For how many items segments are tested."""
AT_ONCE = 500
"""How many users are tested at once."""


@dataclass(frozen=True, eq=False)
class Held:
    """Histories without the newest tenth of the testing users', and that tenth."""

    seen: Histories
    users: Places
    truth: dict[int, NDArray[np.int32]]
    items: int
    """How many items have interactions."""


def hold_out(histories: Histories) -> Held:
    """Hold back the newest 10% of what the testing users did."""
    users = np.arange(0, len(histories.users), TESTED)
    users = users[histories.lengths[users] > 1]
    cuts = histories.starts[users] + _cut(histories.lengths[users], 0.9)
    ends = histories.starts[users + 1]
    kept = np.ones(len(histories.items), np.bool_)
    truth = {}
    for user, cut, end in zip(users.tolist(), cuts.tolist(), ends.tolist(), strict=True):
        kept[cut:end] = False
        truth[user] = histories.items[cut:end]
    return Held(histories.keep(kept), users, truth, len(np.unique(histories.items)))


def _cut(lengths: Places, share: float) -> Places:
    """Return how many of the oldest are given; at least one is, and one is not."""
    return np.minimum(lengths - 1, np.maximum(1, np.round(lengths * share))).astype(np.int64)


class Worth(Protocol):
    """What it is worth to show each item, where a solution says so."""

    @property
    def rewards(self) -> NDArray[np.float64] | None:
        """From 0 to 1, by an optimizationObjective."""

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """Around 1, by the weights of an eventsConfig."""


def of_lists(model: Model, held: Held, worth: Worth | None = None) -> dict[str, float]:
    """Measure a model's lists on what the testing users did next."""
    gains: defaultdict[str, list[float]] = defaultdict(list)
    shown: set[int] = set()
    for user, ranked in _lists(model, held):
        shown.update(ranked)
        truth = set(held.truth[user].tolist())
        hits = [item in truth for item in ranked]
        gains["mean_reciprocal_rank_at_25"].append(_reciprocal_rank(hits))
        for k in CUTOFFS:
            name = f"normalized_discounted_cumulative_gain_at_{k}"
            gains[name].append(_ndcg(hits[:k], len(truth), k))
            gains[f"precision_at_{k}"].append(sum(hits[:k]) / k)
            for name, gain in _worth(worth, ranked[:k], hits[:k], len(truth)).items():
                gains[f"{name}_at_{k}"].append(gain)
    means = {name: round(sum(some) / len(some), 4) for name, some in gains.items()}
    return {"coverage": round(len(shown) / max(held.items, 1), 4), **means}


def _worth(
    worth: Worth | None, ranked: list[int], hits: Sequence[bool], relevant: int
) -> dict[str, float]:
    """Measure one list by rewards and by the weights of events, where a solution has them."""
    found: dict[str, float] = {}
    if worth and worth.rewards is not None and ranked:
        found["average_rewards"] = float(worth.rewards[ranked].mean())
    if worth and worth.weights is not None:
        gains = [hit * worth.weights[item] for hit, item in zip(hits, ranked, strict=True)]
        found["normalized_discounted_cumulative_gain_with_event_weights"] = min(
            _ndcg(gains, relevant, len(ranked)), 1.0
        )
    return found


def _lists(model: Model, held: Held) -> Iterator[tuple[int, list[int]]]:
    """Yield each testing user with the items that the model would show."""
    seen = held.seen
    for first in range(0, len(held.users), AT_ONCE):
        users = held.users[first : first + AT_ONCE]
        table = None
        if model.kind not in {POPULAR_ITEMS, RELATED_ITEMS}:
            table = weighed(seen, users) @ model.similar
        for row, user in enumerate(users.tolist()):
            given = seen.items[seen.starts[user] : seen.starts[user + 1]]
            if table is None:
                yield user, model.top(given, DEEPEST)
            else:
                start, end = table.indptr[row : row + 2]
                places, scores = table.indices[start:end], table.data[start:end]
                yield user, model.top_of(places, scores, given, DEEPEST)


def of_segments(histories: Histories, learn: Callable[[Histories], Model]) -> dict[str, float]:
    """Measure segments: the top 1% of users for an item, against who turned to it next.

    Every user's history is split 80 to 20; the most popular items of the newest part are
    asked for.
    """
    users = np.flatnonzero(histories.lengths > 1)
    cuts = histories.starts[users] + _cut(histories.lengths[users], 0.8)
    kept = np.zeros(len(histories.items), np.bool_)
    later = np.zeros(len(histories.items), np.bool_)
    for start, cut, end in zip(
        histories.starts[users], cuts, histories.starts[users + 1], strict=True
    ):
        kept[start:cut], later[cut:end] = True, True
    model = learn(histories.keep(kept))
    turned = histories.had(later).tocsc()
    next_users = np.diff(turned.indptr)
    asked = np.argsort(-next_users, kind="stable")[:SEGMENTS_TESTED]
    asked = asked[next_users[asked] > 0]
    size = max(1, len(users) // 100)
    found: list[set[int]] = []
    recalls, hits = [], []
    for item in asked.tolist():
        weights = np.zeros(len(model.items))
        others, scores = model.beside(item)
        weights[others], weights[item] = scores, 1.0
        found.append(set(audience(model.histories, weights, size).tolist()))
        true = set(turned.indices[turned.indptr[item] : turned.indptr[item + 1]].tolist())
        hits.append(len(found[-1] & true))
        recalls.append(len(found[-1] & true) / len(true))
    return {
        "coverage": round(len(set().union(*found)) / len(users), 4),
        # A count, as kept outputs have it (19.76, 11.46: aws-samples/amazon-personalize-samples
        # user_segmentation_example.ipynb cell 136), though the guide speaks of shares.
        "hits_at_1_percent": round(sum(hits) / len(hits), 4),
        "recall_at_1_percent": round(sum(recalls) / len(recalls), 4),
    }


def _reciprocal_rank(hits: Sequence[bool]) -> float:
    return next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)


def _ndcg(hits: Sequence[float], relevant: int, k: int) -> float:
    gain = sum(hit / math.log2(1 + place) for place, hit in enumerate(hits, 1))
    top = sum(1 / math.log2(1 + place) for place in range(1, min(relevant, k) + 1))
    return gain / top if top else 0.0
