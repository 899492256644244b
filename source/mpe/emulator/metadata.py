"""What items are like, by the words and categories of their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy import sparse

from mpe.emulator.interactions import Column
from mpe.emulator.neighbours import cosines

WORD = re.compile(r"\w+")
NOT_FEATURES = frozenset({"ITEM_ID", "CREATION_TIMESTAMP"})
COMMON = 0.5
"""What more than this share of the items have tells nothing of them."""


def alike(
    rows: Mapping[str, Mapping[str, Any]], items: tuple[str, ...], excluded: frozenset[str]
) -> Any:
    """Return a matrix of how alike items are: the cosine of what they have, the rarer the more."""
    found = [
        (place, feature)
        for place, item in enumerate(items)
        for feature in set(_features(rows.get(item, {}), excluded))
    ]
    if not found:
        return sparse.csr_array((len(items), len(items)))
    column = Column.of(feature for _, feature in found)
    places = np.fromiter((place for place, _ in found), np.int64, len(found))
    counts = np.bincount(column.codes)
    telling = (counts > 1) & (counts <= max(2, COMMON * len(items)))
    weights = np.where(telling, np.log((1 + len(items)) / counts), 0.0)[column.codes]
    shape = (len(items), len(column.values))
    matrix = sparse.csr_array((weights, (places, column.codes)), shape=shape)
    matrix.eliminate_zeros()
    return cosines(matrix)


def _features(row: Mapping[str, Any], excluded: frozenset[str]) -> Iterator[str]:
    """Yield what a row says: each category, and each word of it."""
    for name, value in row.items():
        if isinstance(value, str) and name not in NOT_FEATURES and name not in excluded:
            for part in value.split("|"):
                yield f"{name}={part}"
                yield from (f"{name}~{word.lower()}" for word in WORD.findall(part))
