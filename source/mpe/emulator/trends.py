"""Which items become popular fastest.

https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-trending-now.html
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mpe.emulator.interactions import Interactions
from mpe.emulator.neighbours import Places

HOUR = 60 * 60
WINDOWS = {
    "30 minutes": HOUR // 2,
    "1 hour": HOUR,
    "2 hours": 2 * HOUR,
    "3 hours": 3 * HOUR,
    "1 day": 24 * HOUR,
}
"""The values of the hyperparameter ``trend_discovery_frequency``, in seconds."""
TRENDING = {"aws-trending-now": 2 * HOUR, "aws-vod-trending-now": 2 * HOUR}
"""The recipes that go by trends, and how often they look for them."""


def window(recipe: str, hyperparameters: Mapping[str, str]) -> int:
    """Return the seconds of one interval."""
    asked = str(hyperparameters.get("trend_discovery_frequency", "")).lower()
    return WINDOWS.get(asked, TRENDING[recipe])


def risen(events: Interactions, seconds: int, items: tuple[str, ...]) -> Places:
    """Return the items by how much their interactions grew in the newest interval.

    What grew as much goes by how many it has at all; what has none is left out.
    """
    places = {item: place for place, item in enumerate(items)}
    numbers = np.array([places.get(item, -1) for item in events.item.values], np.int64)
    codes = numbers[events.item.codes]
    known = codes >= 0
    codes, times = codes[known], events.time[known]
    newest = int(times.max(initial=0))
    now = np.bincount(codes[times > newest - seconds], minlength=len(items))
    before = np.bincount(
        codes[(times <= newest - seconds) & (times > newest - 2 * seconds)], minlength=len(items)
    )
    counts = np.bincount(codes, minlength=len(items))
    growth = (now - before) / (1 + before)
    order = np.lexsort((np.arange(len(items)), -counts, -growth))
    return order[counts[order] > 0]
