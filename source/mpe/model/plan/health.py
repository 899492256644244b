"""How a dataset group is: the worst of everything that is known of it, in one word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Health(IntEnum):
    """How a dataset group is, the worse the greater."""

    OK = 0
    RUNNING = 1
    DIFFERS = 2
    DISABLED = 3
    ORPHANS = 4
    REJECTED = 5
    FAILED = 6


WORSE_THAN_WELL = Health.DIFFERS
"""From here on somebody should look."""


@dataclass(frozen=True, order=True)
class Sign:
    """One thing that is known of a dataset group."""

    health: Health
    told: str


def worst(signs: Iterable[Sign]) -> Health:
    """Return the worst health of all signs; without any it is OK."""
    return max((one.health for one in signs), default=Health.OK)


def told(signs: Iterable[Sign]) -> str:
    """Say all signs that are worse than well, the worst first."""
    worse = (one for one in signs if one.health >= WORSE_THAN_WELL)
    return "; ".join(one.told for one in sorted(worse, key=lambda one: (-one.health, one.told)))
