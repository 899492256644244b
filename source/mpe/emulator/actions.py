"""The next best action: how likely users are to take each.

https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-next-best-action.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from mpe.emulator.interactions import Interactions
from mpe.emulator.neighbours import Floats

DAY = 24 * 60 * 60
DOUBT = 2.0
"""How many interactions of others weigh as much as what the user did with an action."""
TESTED = 10
"""Every tenth user is for testing."""
CUTOFFS = (5, 10, 25)
EXPIRY = ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")
"""The column of the guide's table, and that of its text."""
Rows = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ActionModel:
    """What a training learned of actions."""

    rates: dict[str, float]
    """How often an action is taken where it is shown, of all users."""
    own: dict[tuple[str, str], tuple[int, int]]
    """How often a user took an action, and how often it was shown to that user."""
    metrics: dict[str, float]
    known: frozenset[str] = frozenset()
    """The actions that there were."""

    def score(self, user: str, action: str) -> float:
        """Return how likely a user is to take an action; 0 where nothing is known of it."""
        if action not in self.rates:
            return 0.0
        taken, shown = self.own.get((user, action), (0, 0))
        return (taken + DOUBT * self.rates[action]) / (shown + DOUBT)

    def ranked(self, user: str, actions: Rows) -> list[tuple[str, float]]:
        """Order actions for a user: the likeliest first, of equal ones the more valuable."""
        scored = [(action, self.score(user, action)) for action in sorted(actions)]
        return sorted(scored, key=lambda one: (-round(one[1], 6), -_value(actions[one[0]])))


def train(events: Interactions, actions: Iterable[str]) -> ActionModel:
    """Train a model of actions on what users did with them, if anything, and measure it."""
    catalogue = list(actions)
    testing = set(events.user.values[::TESTED])
    places = np.array([user in testing for user in events.user.values], np.bool_)
    held = places[events.user.codes] if len(events) else np.zeros(0, np.bool_)
    metrics = _measured(_learned(events.only(~held)), events.only(held), catalogue)
    return ActionModel(*_learned(events), metrics, frozenset(catalogue))


def _learned(
    events: Interactions,
) -> tuple[dict[str, float], dict[tuple[str, str], tuple[int, int]]]:
    shown: defaultdict[str, int] = defaultdict(int)
    taken: defaultdict[str, int] = defaultdict(int)
    own: dict[tuple[str, str], tuple[int, int]] = {}
    for user, action, did in _facts(events):
        shown[action] += 1
        taken[action] += did
        before = own.get((user, action), (0, 0))
        own[user, action] = (before[0] + did, before[1] + 1)
    return {action: (taken[action] + 0.5) / (shown[action] + 1) for action in shown}, own


def _facts(events: Interactions) -> Iterable[tuple[str, str, bool]]:
    """Yield who did something with which action, and whether it was taken."""
    took = [one.lower() == "taken" for one in events.event.values]
    users, actions = events.user.values, events.item.values
    for user, action, event in zip(
        events.user.codes.tolist(),
        events.item.codes.tolist(),
        events.event.codes.tolist(),
        strict=True,
    ):
        yield users[user], actions[action], took[event]


def _measured(
    learned: tuple[dict[str, float], dict[tuple[str, str], tuple[int, int]]],
    held: Interactions,
    actions: list[str],
) -> dict[str, float]:
    """Measure lists of actions on which of them the testing users took."""
    rates, _ = learned
    ranked = sorted(actions, key=lambda one: (-rates.get(one, 0.0), one))
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for user, action, did in _facts(held):
        if did:
            taken[user].add(action)
    found = {"coverage": round(min(len(ranked), CUTOFFS[-1]) / max(len(actions), 1), 4)}
    for k in CUTOFFS:
        gains = [_ndcg([one in own for one in ranked[:k]], len(own)) for own in taken.values()]
        hits = [sum(one in own for one in ranked[:k]) / k for own in taken.values()]
        found[f"normalized_discounted_cumulative_gain_at_{k}"] = _mean(gains)
        found[f"precision_at_{k}"] = _mean(hits)
    return found


def _ndcg(hits: list[bool], relevant: int) -> float:
    weights: Floats = 1 / np.log2(np.arange(2, len(hits) + 2))
    top = weights[:relevant].sum()
    return float(weights[np.array(hits, np.bool_)].sum() / top) if top else 0.0


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def open_to(actions: Rows, last: Mapping[str, int], now: datetime) -> Rows:
    """Return the actions that may be shown to a user who last did something with some.

    What has expired is not, nor what repeats only after more days than have passed since
    (https://docs.aws.amazon.com/personalize/latest/dg/actions-datasets.html).
    """
    moment = now.timestamp()
    return {
        action: row
        for action, row in actions.items()
        if not _expired(row, moment) and not _too_soon(row, last.get(action), moment)
    }


def _expired(row: Mapping[str, Any], moment: float) -> bool:
    return any(row.get(name) is not None and float(row[name]) <= moment for name in EXPIRY)


def _too_soon(row: Mapping[str, Any], last: int | None, moment: float) -> bool:
    days = row.get("REPEAT_FREQUENCY")
    return days is not None and last is not None and moment < last + float(days) * DAY


def _value(row: Mapping[str, Any]) -> float:
    return float(row.get("VALUE") or 0.0)
