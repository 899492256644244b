"""What some data is like: counts and shares of a dataset group's CSVs, without an id of theirs.

A profile is a plain record: :func:`as_document` makes JSON of it, :func:`of_document` reads that
again. ``VERSION`` grows when a figure changes its meaning or goes; new ones may come without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

VERSION = 1
DIGEST = 8
"""Hexadecimal digits that stand for an id: of a thousand two are alike once in 8,000 times."""
MOST_SHARES = 1_000
"""How many of the most frequent items a profile has."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a dataset; ``least`` and ``most`` are of numbers, else of texts.

    Columns that name users or items have counts alone.
    """

    name: str
    filled: int
    distinct: int
    """How many different values there are, nothing aside."""
    least: str = ""
    most: str = ""
    top: tuple[tuple[str, int], ...] = ()
    """The most frequent values, and how often each is there."""
    quantiles: tuple[float, ...] = ()
    """About the values at :data:`QUANTILES`, where all are numbers."""


@dataclass(frozen=True)
class DatasetProfile:
    """One dataset; ``duplicates`` are rows that were there before, None where nobody counted."""

    kind: str
    rows: int
    duplicates: int | None
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True)
class Profile:
    """The data of a dataset group; times are in seconds since 1970, shares from 0 to 1."""

    datasets: tuple[DatasetProfile, ...]
    weeks: tuple[tuple[int, int], ...] = ()
    """The first second of each week that has interactions, and how many; the newest weeks."""
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
    unknown_items: int | None = None
    """Interactions with an item that is not described; None where none are described."""
    unknown_users: int | None = None
    shares: tuple[tuple[str, int], ...] = ()
    """The most frequent items, by a digest of their ids, and how often each is met."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """The standard errors of what was estimated and not counted: of ``users`` and ``items`` as a
    share of their number, of ``events`` by their items as a share of all."""
    version: int = VERSION

    @property
    def tested(self) -> int:
        """How many users have two interactions or more, as it takes to test a model on one."""
        return self.users - self.activity.get("1", 0)

    def rows(self, kind: str) -> int | None:
        """Return how many rows a dataset has, or None where it is not there."""
        return next((one.rows for one in self.datasets if one.kind == kind), None)

    def top(self, kind: str, column: str) -> tuple[tuple[str, int], ...]:
        """Return the most frequent values of a column."""
        columns = (one for each in self.datasets if each.kind == kind for one in each.columns)
        return next((one.top for one in columns if one.name == column), ())


def digest(id: str) -> str:
    """Return what stands for an id in a profile."""
    return hashlib.sha256(id.encode()).hexdigest()[:DIGEST]


def as_document(one: Profile) -> dict[str, Any]:
    """Return the JSON of a profile."""
    return asdict(one)


def of_document(document: Mapping[str, Any]) -> Profile:
    """Return the profile of a JSON; raise ValueError where it is of another version."""
    if document.get("version") != VERSION:
        raise ValueError(
            f"it is of version {document.get('version')}, and version {VERSION} is read"
        )
    datasets = tuple(
        DatasetProfile(**{**one, "columns": tuple(map(_column, one["columns"]))})
        for one in document["datasets"]
    )
    weeks = tuple((week, count) for week, count in document["weeks"])
    popularity = tuple(document["popularity"])
    shares = tuple((item, count) for item, count in document.get("shares", ()))
    names = {one.name for one in fields(Profile)}
    return Profile(
        **{
            **{key: value for key, value in document.items() if key in names},
            "datasets": datasets,
            "weeks": weeks,
            "popularity": popularity,
            "shares": shares,
        }
    )


def _column(document: Mapping[str, Any]) -> ColumnProfile:
    top = tuple((value, count) for value, count in document["top"])
    return ColumnProfile(**{**document, "top": top, "quantiles": tuple(document["quantiles"])})
