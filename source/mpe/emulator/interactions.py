"""Interactions by column: millions of them in little memory, and a user's own at once.

Ids and texts are kept once and stand as numbers in the rows; users and items are numbered in
the order of their ids. Nothing of a table changes once it is made, so that requests may read
one while a job makes the next.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.tables import NOT_CONFORMING, Columns, reader
from mpe.model.service.avro import Field

Whole = NDArray[np.int64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
OWN = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"})


@dataclass(frozen=True, eq=False)
class Column:
    """The values that there are, and the place of each row's among them."""

    values: tuple[Any, ...]
    codes: Codes

    @classmethod
    def of(cls, cells: Iterable[Any]) -> Column:
        coder = _Coder()
        codes = array("i", map(coder.__getitem__, cells))
        return cls(tuple(coder), _codes(codes))

    def __getitem__(self, row: int) -> Any:
        return self.values[self.codes[row]]

    def ordered(self) -> Column:
        """Return the same column with its values in their order."""
        order = sorted(range(len(self.values)), key=self.values.__getitem__)
        places = np.empty(len(order), np.int32)
        places[order] = np.arange(len(order), dtype=np.int32)
        return Column(tuple(self.values[one] for one in order), places[self.codes])

    def only(self, rows: Any) -> Column:
        """Return the values of some rows, without those that none of them has."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return Column(tuple(self.values[one] for one in kept), codes.astype(np.int32))

    def __add__(self, other: Column) -> Column:
        coder = _Coder((value, place) for place, value in enumerate(self.values))
        places = np.fromiter(map(coder.__getitem__, other.values), np.int32, len(other.values))
        codes = np.concatenate([self.codes, places[other.codes] if len(places) else other.codes])
        return Column(tuple(coder), codes)


class _Coder(dict[Any, int]):
    """Numbers values as they come."""

    def __missing__(self, value: Any) -> int:
        self[value] = place = len(self)
        return place


def _codes(numbers: array[int]) -> Codes:
    return np.frombuffer(numbers, np.int32) if numbers else np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Events of users with items (or actions), in the order of their arrival."""

    user: Column
    item: Column
    time: Whole
    event: Column
    """Event types; an empty text where there is none."""
    value: NDArray[np.float64]
    """Event values; NaN where there is none."""
    more: Mapping[str, Column] = field(default_factory=dict)
    key: str = "ITEM_ID"
    """The column that names what users interact with."""

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], key: str = "ITEM_ID") -> Interactions:
        """Make a table of rows as a schema types them."""
        names = dict.fromkeys(name for row in rows for name in row)
        return cls(
            Column.of(str(row["USER_ID"]) for row in rows).ordered(),
            Column.of(str(row[key]) for row in rows).ordered(),
            np.array([row["TIMESTAMP"] for row in rows], np.int64),
            Column.of(row.get("EVENT_TYPE") or "" for row in rows),
            np.array([_number(row.get("EVENT_VALUE")) for row in rows], np.float64),
            {
                name: Column.of(row.get(name) for row in rows)
                for name in names
                if name not in OWN - {"ITEM_ID"} | {key}
            },
            key,
        )

    def __len__(self) -> int:
        return len(self.time)

    def row(self, place: int) -> dict[str, Any]:
        """Return one row by column, as it was imported."""
        value = float(self.value[place])
        return {
            "USER_ID": self.user[place],
            self.key: self.item[place],
            "TIMESTAMP": int(self.time[place]),
            "EVENT_TYPE": self.event[place],
            "EVENT_VALUE": None if np.isnan(value) else value,
            **{name: column[place] for name, column in self.more.items()},
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        return map(self.row, range(len(self)))

    def only(self, rows: Any) -> Interactions:
        """Return some of the rows, chosen by a mask or by places."""
        return Interactions(
            self.user.only(rows),
            self.item.only(rows),
            self.time[rows],
            self.event.only(rows),
            self.value[rows],
            {name: column.only(rows) for name, column in self.more.items()},
            self.key,
        )

    def __add__(self, other: Interactions) -> Interactions:
        if not len(self) or not len(other):
            return self if len(self) else other
        names = {**self.more, **other.more}
        return Interactions(
            (self.user + other.user).ordered(),
            (self.item + other.item).ordered(),
            np.concatenate([self.time, other.time]),
            self.event + other.event,
            np.concatenate([self.value, other.value]),
            {name: self._filled(name) + other._filled(name) for name in names},
            self.key,
        )

    def _filled(self, name: str) -> Column:
        """Return a column, empty in all rows where there is none."""
        return self.more.get(name) or Column((None,), np.zeros(len(self), np.int32))

    def distinct(self) -> Interactions:
        """Return the rows without those that are like one before in all properties.

        https://docs.aws.amazon.com/personalize/latest/dg/import-data.html
        """
        columns: list[NDArray[Any]] = [self.user.codes, self.item.codes, self.time]
        columns += [self.event.codes, self.value.view(np.int64)]
        columns += [column.codes for column in self.more.values()]
        digest = np.zeros(len(self), np.uint64)
        for column in columns:
            digest = (digest ^ column.astype(np.int64).view(np.uint64)) * _MIX
            digest ^= digest >> np.uint64(29)
        order = np.argsort(digest, kind="stable")
        again = np.ones(max(len(self) - 1, 0), np.bool_)
        for column in columns:
            again &= column[order][1:] == column[order][:-1]
        if not again.any():
            return self
        kept = np.ones(len(self), np.bool_)
        kept[order[1:][again]] = False
        return self.only(kept)

    def of_type(self, event_type: str | None) -> Mask:
        """Tell which rows have an event type, case aside; all of them where it is None."""
        if event_type is None:
            return np.ones(len(self), np.bool_)
        wanted = event_type.lower()
        named = np.array([one.lower() == wanted for one in self.event.values], np.bool_)
        return named[self.event.codes] if len(named) else np.zeros(len(self), np.bool_)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The rows by user, then by time, then by item."""
        return np.lexsort((self.item.codes, self.time, self.user.codes))

    @cached_property
    def starts(self) -> Whole:
        """Where each user's rows begin in ``order``, and at the end where the last one's end."""
        counts = np.bincount(self.user.codes, minlength=len(self.user.values))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of each user."""
        return {user: place for place, user in enumerate(self.user.values)}

    def of_user(self, user: str) -> NDArray[np.int64]:
        """Return the rows of a user, the oldest first."""
        place = self.places.get(user)
        if place is None:
            return np.empty(0, np.int64)
        return self.order[self.starts[place] : self.starts[place + 1]]

    def prepare(self) -> Interactions:
        """Make at once what requests will look users up by."""
        self.order, self.starts, self.places  # noqa: B018
        return self


_MIX = np.uint64(0x9E3779B97F4A7C15)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


class Collector:
    """Gathers the columns of CSVs into a table of interactions."""

    def __init__(self, fields: Iterable[Field], key: str = "ITEM_ID") -> None:
        self._key = key
        self._fields = {one.name: one for one in fields}
        numbers = {"TIMESTAMP": "q", "EVENT_VALUE": "d"}
        self._reads = {name: reader(self._fields[name]) for name in self._fields}
        self._numbers = {name: array(numbers[name]) for name in numbers if name in self._fields}
        self._coders = {name: _Coder() for name in self._fields if name not in numbers}
        self._coded = {name: array("i") for name in self._coders}
        self.count = 0

    def add(self, columns: Columns) -> None:
        """Take in some rows; raise WorkFailed where a cell is not of its field's type."""
        try:
            for name, cells in columns.items():
                if name in self._coded:
                    self._coded[name].extend(map(self._coders[name].__getitem__, cells))
                else:
                    self._numbers[name].extend(map(self._number(name), cells))
        except (ValueError, OverflowError):
            raise WorkFailed(NOT_CONFORMING) from None
        self.count = len(self._coded["USER_ID"])

    def _number(self, name: str) -> Any:
        read = self._reads[name]
        return (lambda cell: _number(read(cell))) if self._fields[name].nullable else read

    def table(self) -> Interactions:
        """Return all rows, without duplicates."""
        columns = {name: self._column(name) for name in self._coders}
        user, item = columns.pop("USER_ID").ordered(), columns.pop(self._key).ordered()
        event = columns.pop("EVENT_TYPE", None)
        none = np.zeros(self.count, np.int32)
        value = self._numbers.get("EVENT_VALUE")
        return Interactions(
            user,
            item,
            np.frombuffer(self._numbers["TIMESTAMP"], np.int64) if self.count else none.astype("q"),
            Column(tuple(one or "" for one in event.values), event.codes)
            if event
            else Column(("",), none),
            np.frombuffer(value, np.float64) if value else np.full(self.count, np.nan),
            columns,
            self._key,
        ).distinct()

    def _column(self, name: str) -> Column:
        """Return a column of texts, each of which is read once."""
        try:
            values = tuple(map(self._reads[name], self._coders[name]))
        except ValueError:
            raise WorkFailed(NOT_CONFORMING) from None
        return Column(values, _codes(self._coded[name]))


def nothing(key: str = "ITEM_ID") -> Interactions:
    """Return a table without rows."""
    return Interactions.of([], key)
