"""The emulator's training once more, in plain Python: slow, and easy to follow.

``mpe.emulator.training`` does the same on sparse matrices and must come to the same results.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mpe.model.service.recipes import POPULAR_ITEMS, RELATED_ITEMS, USER_SEGMENTATION

RECENT = 50
"""How many of a user's last interactions count, so that a few heavy users do not rule."""
NEIGHBOURS = 60
"""How many similar items are kept for each."""
CUTOFFS = (5, 10, 25)
DEEPEST = max(CUTOFFS)
SEGMENTS_TESTED = 100
"""For how many items segments are tested."""
TESTED = 10
"""Every tenth user is for testing."""

History = tuple[str, ...]
"""A user's items, the oldest first."""


@dataclass(frozen=True)
class Interaction:
    """One event of one user with one item."""

    user: str
    item: str
    time: int


@dataclass(frozen=True)
class Model:
    """What a solution version learned."""

    kind: str
    """The recipe's type."""
    popular: tuple[str, ...]
    """The items by popularity, the most popular first."""
    similar: dict[str, dict[str, float]]
    repeats: float
    """How often users come back to an item they had: the share of all interactions."""
    histories: dict[str, History]
    metrics: dict[str, float]

    def recommend(
        self, *, user: str | None = None, item: str | None = None, count: int = DEEPEST
    ) -> list[tuple[str, float]]:
        """Return the best items for a user or beside an item, each with its score."""
        history = self.histories.get(user or "", ())
        return self.rank(history, item, count)

    def audience(self, items: Mapping[str, float], count: int) -> list[str]:
        """Return the users who like items most, which have weights."""
        scores = {
            user: sum(items.get(item, 0.0) for item in had[-RECENT:]) / len(had[-RECENT:])
            for user, had in self.histories.items()
        }
        return [user for user, score in _best(scores, count) if score]

    def near(self, item: str) -> dict[str, float]:
        """Return an item and those similar to it, with weights."""
        return {**self.similar.get(item, {}), item: 1.0}

    def rank(self, history: Sequence[str], item: str | None, count: int) -> list[tuple[str, float]]:
        """Rank items for a history, or beside an item; by popularity where neither helps."""
        if self.kind == POPULAR_ITEMS:
            return self._filled([], count)
        if self.kind == RELATED_ITEMS:
            beside = item if item is not None else (history[-1] if history else "")
            near = self.similar.get(beside, {})
            return self._filled(_best(near, count), count, without={beside})
        return self._filled(_best(self._liking(history), count), count, without=set(history))

    def _liking(self, history: Sequence[str]) -> dict[str, float]:
        """Score items by how similar they are to what the user had, the newest counting most."""
        scores: defaultdict[str, float] = defaultdict(float)
        recent = history[-RECENT:]
        for age, had in enumerate(reversed(recent)):
            weight = 1 / (1 + age / 10)
            for item, likeness in self.similar.get(had, {}).items():
                scores[item] += weight * likeness
        for had in set(history):
            if had in scores:
                scores[had] *= self.repeats
        total = sum(scores.values()) or 1.0
        return {item: score / total for item, score in scores.items()}

    def _filled(
        self, ranked: list[tuple[str, float]], count: int, without: Iterable[str] = ()
    ) -> list[tuple[str, float]]:
        """Fill up with popular items."""
        have = {item for item, _ in ranked} | set(without)
        more = [(item, 0.0) for item in self.popular[: count + len(have)] if item not in have]
        return (ranked + more)[:count]


def train(kind: str, events: Iterable[Interaction]) -> Model:
    """Train a model of a recipe's type and measure it."""
    chosen = list(events)
    histories = _histories(chosen)
    if kind == USER_SEGMENTATION:
        return _learn(kind, histories, _evaluate_segments(histories))
    testing = sorted(histories)[::TESTED]
    held = {user: _split(histories[user]) for user in testing if len(histories[user]) > 1}
    seen = {**histories, **{user: given for user, (given, _) in held.items()}}
    metrics = _evaluate(_learn(kind, seen, {}), held, chosen)
    return _learn(kind, histories, metrics)


def _histories(events: Iterable[Interaction]) -> dict[str, History]:
    by_user: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in events:
        by_user[one.user].append((one.time, one.item))
    return {user: tuple(item for _, item in sorted(had)) for user, had in by_user.items()}


def _split(history: History, share: float = 0.9) -> tuple[History, History]:
    """Split a user's history: the oldest 90% to go by, the newest 10% to guess."""
    cut = min(len(history) - 1, max(1, round(len(history) * share)))
    return history[:cut], history[cut:]


def _learn(kind: str, histories: dict[str, History], metrics: dict[str, float]) -> Model:
    counts: Counter[str] = Counter()
    total = again = 0
    for had in histories.values():
        counts.update(had)
        total += len(had)
        again += len(had) - len(set(had))
    popular = tuple(sorted(counts, key=lambda item: (-counts[item], item)))
    similar = {} if kind == POPULAR_ITEMS else _similarities(histories)
    return Model(kind, popular, similar, again / max(total, 1), histories, metrics)


def _similarities(histories: dict[str, History]) -> dict[str, dict[str, float]]:
    """Return for each item the most similar ones: the cosine of who had them, recently."""
    together: defaultdict[str, Counter[str]] = defaultdict(Counter)
    alone: Counter[str] = Counter()
    for user in sorted(histories):
        recent = sorted(set(histories[user][-RECENT:]))
        alone.update(recent)
        for item in recent:
            together[item].update(recent)
    return {
        item: dict(
            _best(
                {
                    # A few shared users prove little: shrink what rests on them.
                    other: count / math.sqrt(alone[item] * alone[other]) * count / (count + 3)
                    for other, count in near.items()
                    if other != item and count > 1
                },
                NEIGHBOURS,
            )
        )
        for item, near in together.items()
    }


def _best(scores: dict[str, float], count: int) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:count]


def _evaluate(
    model: Model, held: dict[str, tuple[History, History]], events: Sequence[Interaction]
) -> dict[str, float]:
    """Measure a model on what the testing users did next."""
    gains: dict[str, list[float]] = defaultdict(list)
    shown: set[str] = set()
    for given, truth in held.values():
        ranked = [item for item, _ in model.rank(given, None, DEEPEST)]
        shown.update(ranked)
        hits = [item in set(truth) for item in ranked]
        gains["mean_reciprocal_rank_at_25"].append(_reciprocal_rank(hits))
        for k in CUTOFFS:
            name = f"normalized_discounted_cumulative_gain_at_{k}"
            gains[name].append(_ndcg(hits[:k], len(set(truth)), k))
            gains[f"precision_at_{k}"].append(sum(hits[:k]) / k)
    items = len({one.item for one in events})
    means = {name: round(sum(all_) / len(all_), 4) for name, all_ in gains.items()}
    return {"coverage": round(len(shown) / items, 4), **means}


def _evaluate_segments(histories: dict[str, History]) -> dict[str, float]:
    """Measure segments: the top 1% of users for an item, against who turned to it next.

    Every user's history is split 80 to 20; the most popular items of the newest part are
    asked for.
    """
    split = {user: _split(had, 0.8) for user, had in histories.items() if len(had) > 1}
    model = _learn(USER_SEGMENTATION, {user: given for user, (given, _) in split.items()}, {})
    next_users: defaultdict[str, set[str]] = defaultdict(set)
    for user, (_, truth) in split.items():
        for item in truth:
            next_users[item].add(user)
    size = max(1, len(split) // 100)
    asked = sorted(next_users, key=lambda item: (-len(next_users[item]), item))[:SEGMENTS_TESTED]
    found = {item: set(model.audience(model.near(item), size)) for item in asked}
    hits = [len(found[item] & next_users[item]) for item in asked]
    recalls = [len(found[item] & next_users[item]) / len(next_users[item]) for item in asked]
    return {
        "coverage": round(len(set().union(*found.values())) / len(split), 4),
        "hits_at_1_percent": round(sum(hits) / len(hits), 4),
        "recall_at_1_percent": round(sum(recalls) / len(recalls), 4),
    }


def _reciprocal_rank(hits: Sequence[bool]) -> float:
    return next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)


def _ndcg(hits: Sequence[bool], relevant: int, k: int) -> float:
    gain = sum(1 / math.log2(1 + place) for place, hit in enumerate(hits, 1) if hit)
    best = sum(1 / math.log2(1 + place) for place in range(1, min(relevant, k) + 1))
    return gain / best if best else 0.0
