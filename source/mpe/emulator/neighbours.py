"""Item-to-item similarity on sparse matrices, in blocks, so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
RECENT = 50
"""How many of a user's last interactions count, so that a few heavy users do not rule."""
NEIGHBOURS = 60
"""How many similar items are kept for each."""
WORK = 4_000_000
"""How many pairs of items are looked at at once."""


@dataclass(frozen=True, eq=False)
class Histories:
    """The items of each user, the oldest first, as one row of numbers."""

    users: tuple[str, ...]
    """In their order."""
    items: NDArray[np.int32]
    starts: Places
    """Where each user's items begin, and at the end where the last one's end."""
    catalogue: int
    """How many items there are."""

    @cached_property
    def places(self) -> dict[str, int]:
        return {user: place for place, user in enumerate(self.users)}

    @cached_property
    def lengths(self) -> Places:
        return np.diff(self.starts)

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """The user of each item."""
        return np.repeat(np.arange(len(self.users), dtype=np.int32), self.lengths)

    @cached_property
    def ages(self) -> Places:
        """How many items the same user had after each."""
        return self.starts[1:][self.owners] - 1 - np.arange(len(self.items))

    def of(self, user: str) -> NDArray[np.int32]:
        place = self.places.get(user)
        if place is None:
            return np.empty(0, np.int32)
        return self.items[self.starts[place] : self.starts[place + 1]]

    def keep(self, mask: NDArray[np.bool_]) -> Histories:
        """Return the histories without some items."""
        counts = np.bincount(self.owners[mask], minlength=len(self.users))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return Histories(self.users, self.items[mask], starts, self.catalogue)

    def had(self, mask: NDArray[np.bool_] | None = None) -> Any:
        """Return the matrix of who had what, once, of all items or of some."""
        chosen = slice(None) if mask is None else mask
        owners, items = self.owners[chosen], self.items[chosen]
        shape = (len(self.users), self.catalogue)
        matrix = sparse.csr_array((np.ones(len(items)), (owners, items)), shape=shape)
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix


def similarities(histories: Histories, *, least: int = 2) -> Any:
    """Return for each item the most similar ones: the cosine of who had them, recently.

    A matrix, of each row the best first. What fewer than ``least`` users had together does not
    count; a few shared users prove little, so what rests on them is shrunk.
    """
    had = histories.had(histories.ages < RECENT)
    users = had.T.tocsr()
    alone = np.diff(users.indptr).astype(np.float64)
    reach = np.bincount(
        had.tocoo().col, weights=np.diff(had.indptr)[had.tocoo().row], minlength=len(alone)
    )
    rows = []
    for first, last in _blocks(reach):
        together = (users[first:last] @ had).tocsr()
        rows += [
            _nearest(together, place, first + place, alone, least) for place in range(last - first)
        ]
    return stacked(rows, len(alone))


def stacked(rows: list[tuple[Any, Any]], width: int) -> Any:
    """Return a matrix of rows that are given as columns and values."""
    lengths = np.fromiter((len(columns) for columns, _ in rows), np.int64, len(rows))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.concatenate([one for one, _ in rows]) if rows else np.empty(0, np.int32)
    values = np.concatenate([one for _, one in rows]) if rows else np.empty(0)
    return sparse.csr_array((values, columns, starts), shape=(len(rows), width))


def _blocks(reach: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Yield ranges of items that are about as much work each."""
    done = np.cumsum(reach)
    first = 0
    while first < len(reach):
        before = done[first - 1] if first else 0.0
        last = int(np.searchsorted(done, before + WORK, side="right"))
        last = max(last, first + 1)
        yield first, last
        first = last


def _nearest(
    together: Any, place: int, item: int, alone: Floats, least: int
) -> tuple[NDArray[np.int32], Floats]:
    start, end = together.indptr[place : place + 2]
    others, counts = together.indices[start:end], together.data[start:end]
    counting = (counts >= least) & (others != item)
    others, counts = others[counting], counts[counting]
    likeness = counts / np.sqrt(alone[item] * alone[others]) * counts / (counts + 3)
    chosen = best(likeness, others, NEIGHBOURS)
    return others[chosen], likeness[chosen]


def best(scores: Floats, places: NDArray[Any], count: int) -> Places:
    """Return where the highest scores are, the highest first; ties go by place."""
    if count <= 0:
        return np.empty(0, np.int64)
    among = np.arange(len(scores))
    if len(scores) > count:
        bound = np.partition(scores, len(scores) - count)[len(scores) - count]
        among = np.flatnonzero(scores >= bound)
    return among[np.lexsort((places[among], -scores[among]))][:count]


def weighed(histories: Histories, users: Places) -> Any:
    """Return what some users had recently, the newest first and weighing most."""
    ends = histories.starts[users + 1]
    lengths = np.minimum(ends - histories.starts[users], RECENT)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    ages = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    columns = histories.items[np.repeat(ends, lengths) - 1 - ages]
    shape = (len(users), histories.catalogue)
    return sparse.csr_array((1 / (1 + ages / 10), columns, starts), shape=shape)


def blended(first: Any, second: Any, share: float = 0.1) -> Any:
    """Return similarities of two kinds added up, the second by a share."""
    both = (first + share * second).tocsr()
    rows = []
    for place in range(both.shape[0]):
        start, end = both.indptr[place : place + 2]
        others, values = both.indices[start:end], both.data[start:end]
        chosen = best(values, others, NEIGHBOURS)
        rows.append((others[chosen], values[chosen]))
    return stacked(rows, both.shape[1])


def cosines(features: Any) -> Any:
    """Return for each row of a matrix the most similar other rows."""
    features = features.tocsr()
    lengths = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    unit = sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ features
    unit, other = unit.tocsr(), unit.T.tocsr()
    reach = unit.sign() @ np.diff(other.indptr).astype(np.float64)
    rows = []
    for first, last in _blocks(np.asarray(reach)):
        block = (unit[first:last] @ other).tocsr()
        for place in range(last - first):
            start, end = block.indptr[place : place + 2]
            others, values = block.indices[start:end], block.data[start:end]
            counting = others != first + place
            others, values = others[counting], values[counting]
            chosen = best(values, others, NEIGHBOURS)
            rows.append((others[chosen], values[chosen]))
    return stacked(rows, unit.shape[0])
