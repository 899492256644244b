"""Counts of more different ids than memory has room for, each with how far it may be off.

How many ids there are, and how often each is met, is told by a part of them that is chosen by their
hashes: adaptive sampling, by P. Flajolet (On adaptive sampling, Computing 43, 1990,
https://doi.org/10.1007/BF02241657). Which of them are met most is told by a part of the events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from random import Random

MOST_EVENTS = 200_000
"""Events that a sample has at the most."""


class Ids(Counter[str]):
    """Ids, and how often each is met: all of them until they are halved.

    After it those whose hash ends in so many zero bits. Such an id was never left out before, so
    that its own count is exact. The hash is Python's own, another in each process.
    """

    halved: int = 0

    def meet(self, ids: Iterable[str]) -> None:
        """Count some more."""
        rest = (1 << self.halved) - 1
        self.update([one for one in ids if not hash(one) & rest] if rest else ids)

    def halve(self) -> None:
        """Forget about half of them."""
        self.halved += 1
        rest = (1 << self.halved) - 1
        kept = {id: count for id, count in self.items() if not hash(id) & rest}
        self.clear()
        self.update(kept)

    @property
    def distinct(self) -> int:
        """How many different ones there are, or about so many."""
        return len(self) << self.halved

    @property
    def error(self) -> float:
        """The standard error of that, as a share of it."""
        return 1 / sqrt(max(len(self), 1)) if self.halved else 0.0


@dataclass
class Events:
    """A part of all events, by the id of each: every event has the same chance to be in it."""

    ids: list[str] = field(default_factory=list)
    share: float = 1.0
    """Which part of all events it is."""
    random: Random = field(default_factory=lambda: Random(0))

    @classmethod
    def of(cls, counts: Ids) -> Events:
        """Return a part of the events that were counted until now."""
        made, total = cls(), counts.total()
        many = min(total, MOST_EVENTS // 2)
        made.share = many / max(total, 1)
        made.ids = made.random.sample(list(counts), many, counts=list(counts.values()))
        return made

    def meet(self, ids: Sequence[str]) -> None:
        """Choose from some more."""
        wanted = len(ids) * self.share
        many = int(wanted) + (self.random.random() < wanted % 1)
        self.ids.extend(self.random.sample(ids, many))
        if len(self.ids) > MOST_EVENTS:
            self.ids = self.random.sample(self.ids, len(self.ids) // 2)
            self.share /= 2

    def among(self, ids: set[str]) -> int:
        """Return about how many events are of some ids."""
        return round(sum(id in ids for id in self.ids) / self.share)

    def counts(self) -> Counter[str]:
        """Return about how often each id is met."""
        found = Counter(self.ids)
        return Counter({id: round(count / self.share) for id, count in found.items() if id})

    @property
    def error(self) -> float:
        """The standard error of the share of events that are of some ids, at the most."""
        return 1 / (2 * sqrt(max(len(self.ids), 1)))
