"""What some data is like: counts and shares of a dataset group's CSVs, without a row of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a dataset; ``least`` and ``most`` are of numbers, else of texts."""

    name: str
    filled: int
    distinct: int
    """About how many different values there are."""
    least: str
    most: str
    top: tuple[tuple[str, int], ...]
    """The most frequent values, and how often each is there."""


@dataclass(frozen=True)
class DatasetProfile:
    """One dataset; ``duplicates`` are rows that were there before."""

    kind: str
    rows: int
    duplicates: int
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True)
class Profile:
    """The data of a dataset group; times are in seconds since 1970, shares from 0 to 1."""

    datasets: tuple[DatasetProfile, ...]
    weeks: tuple[tuple[int, int], ...] = ()
    """The first second of each week that has interactions, and how many."""
    oldest: int | None = None
    newest: int | None = None
    users: int = 0
    items: int = 0
    activity: Mapping[str, int] = field(default_factory=dict)
    """How many users have so many interactions, such as ``2-4``."""
    popularity: tuple[float, ...] = ()
    """The share of all interactions that the most popular 1%, 2%, ... 100% of the items have."""
    busiest: float = 0.0
    """The share of all interactions that one user has."""
    cold_items: int | None = None
    """Items that are described and were never met; None where none are described."""
    cold_users: int | None = None
