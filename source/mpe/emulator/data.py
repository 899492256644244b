"""The rows of a dataset: what was imported in bulk, and what was put one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from mpe.emulator.interactions import Collector, Interactions, nothing
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.tables import Columns
from mpe.model.service.avro import Field

LEAST_INTERACTIONS = 1000
KEYS = {
    "interactions": "ITEM_ID",
    "actionInteractions": "ACTION_ID",
    "users": "USER_ID",
    "items": "ITEM_ID",
    "actions": "ACTION_ID",
}
"""The column of each kind of dataset that names an item, an action or a user."""
EVENTS = frozenset({"interactions", "actionInteractions"})
BULK, PUT, ALL = "BULK", "PUT", "ALL"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Streamed:
    """One event that was put."""

    row: Row
    """By column; ``USER_ID`` is None as long as nobody is known to be behind the session."""
    session: str
    arrived: datetime
    id: str = ""


class Stream:
    """The events that were put, by user and by session.

    An event without a user belongs to whom the session is known to be of, before or after it
    (https://docs.aws.amazon.com/personalize/latest/dg/recording-events.html).
    """

    def __init__(self) -> None:
        self.version = 0
        """Counts the changes."""
        self._clear()

    def _clear(self) -> None:
        self._events: list[Streamed] = []
        self._of: defaultdict[str, list[Streamed]] = defaultdict(list)
        self._sessions: defaultdict[str, list[Streamed]] = defaultdict(list)
        self._owners: dict[str, str] = {}
        self._owned: defaultdict[str, set[str]] = defaultdict(set)
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Streamed) -> None:
        """Take in an event; one whose id was seen before does not count."""
        if event.id and event.id in self._ids:
            return
        self._ids.add(event.id)
        user = event.row["USER_ID"]
        if user is None:
            self._sessions[event.session].append(event)
        else:
            self._of[user].append(event)
            self._owners[event.session] = user
            self._owned[user].add(event.session)
        self._events.append(event)
        self.version += 1

    def of(self, user: str) -> list[Streamed]:
        """Return the events of a user, or of a session that is named in a user's place."""
        found = list(self._of.get(user, ()))
        for session in self._owned.get(user, {user}):
            found += self._sessions.get(session, ())
        return sorted(found, key=lambda one: one.row["TIMESTAMP"])

    def newest(self, count: int) -> list[Streamed]:
        """Return the events that came last."""
        return self._events[-count:]

    def rows(self) -> Iterator[Row]:
        """Yield the events of known users."""
        for event in list(self._events):
            user = event.row["USER_ID"] or self._owners.get(event.session)
            if user is not None:
                yield {**event.row, "USER_ID": user}

    def forget(self, users: set[str]) -> int:
        """Delete the events of users and return how many there were."""
        events = self._events
        kept = [
            one
            for one in events
            if (one.row["USER_ID"] or self._owners.get(one.session)) not in users
        ]
        gone = len(events) - len(kept)
        if gone:
            self.version += 1
            self._clear()
            for one in kept:
                self.add(one)
        return gone


@dataclass
class Dataset:
    """All rows of a dataset; events stand by column, others by their id."""

    kind: str
    """``interactions``, ``users``, ``items``, ``actions`` or ``actionInteractions``."""
    events: Interactions = field(init=False)
    """The events that were imported in bulk."""
    stream: Stream = field(default_factory=Stream)
    """The events that were put."""
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    put: set[str] = field(default_factory=set)
    """The ids of the rows that were put, not imported in bulk."""
    arrived: dict[str, datetime] = field(default_factory=dict)
    """When each row came first."""
    _merged: tuple[Interactions, int, Interactions] | None = None

    def __post_init__(self) -> None:
        self.events = nothing(KEYS[self.kind])

    @property
    def count(self) -> int:
        """How many rows were imported in bulk."""
        return len(self.events) + len(self.rows) - len(self.put)

    def everything(self) -> Interactions:
        """Return all events of known users."""
        merged, version = self._merged, self.stream.version
        if merged is None or merged[0] is not self.events or merged[1] != version:
            put = Interactions.of(list(self.stream.rows()), KEYS[self.kind])
            merged = self.events, version, self.events + put.distinct()
            self._merged = merged
        return merged[2]

    def table(self, mode: str = ALL) -> Iterator[Row]:
        """Yield the rows by column: those of bulk imports, those that were put, or all."""
        if mode != PUT:
            yield from self.events.rows()
        if mode != BULK:
            yield from self.stream.rows()
        for key, row in list(self.rows.items()):
            if mode == ALL or (mode == PUT) == (key in self.put):
                yield row

    def forget(self, users: set[str]) -> int:
        """Delete the rows of users and return how many there were."""
        gone = np.array([one in users for one in self.events.user.values], np.bool_)
        before = len(self.events) + len(self.rows)
        if gone.any():
            self.events = self.events.only(~gone[self.events.user.codes]).prepare()
        rows = {key: row for key, row in self.rows.items() if row.get("USER_ID") not in users}
        self._replace(rows, self.put & set(rows))
        return before - len(self.events) - len(self.rows) + self.stream.forget(users)

    def load(self, rows: Iterable[dict[str, Any]], at: datetime, *, replace: bool) -> None:
        """Take in rows of a bulk import, in place of the bulk data there is or beside it.

        What was put stays in either case
        (https://docs.aws.amazon.com/personalize/latest/dg/API_CreateDatasetImportJob.html).
        """
        own = {str(row[KEYS[self.kind]]): row for row in rows}
        kept = {key: self.rows[key] for key in self.put} if replace else self.rows
        self._replace({**kept, **own}, self.put - set(own))
        self.arrived = {key: self.arrived.get(key, at) for key in self.rows}

    def load_events(
        self, columns: Iterable[Columns], fields: Iterable[Field], *, replace: bool
    ) -> None:
        """Take in the events of a bulk import, as :meth:`load` does rows."""
        collector = Collector(fields, KEYS[self.kind])
        for some in columns:
            collector.add(some)
        if self.kind == "interactions" and collector.count < LEAST_INTERACTIONS:
            raise WorkFailed(
                f"Dataset has fewer than {LEAST_INTERACTIONS} interactions: {collector.count}"
            )
        table = collector.table()
        self.events = (table if replace else (self.events + table).distinct()).prepare()

    def put_row(self, row: dict[str, Any], at: datetime) -> None:
        """Take in one row that was put; it replaces one of the same id."""
        key = str(row[KEYS[self.kind]])
        self.rows[key] = row
        self.put.add(key)
        self.arrived.setdefault(key, at)

    def history(self, user: str, most: int) -> list[Row]:
        """Return a user's last events of each type, the oldest first."""
        table = self.events
        places = table.of_user(user)
        kept: list[int] = []
        codes = table.event.codes[places]
        for code in np.unique(codes):
            kept += places[codes == code][-most:].tolist()
        rows: list[Row] = [table.row(place) for place in kept]
        rows += [one.row for one in self.stream.of(user)]
        rows.sort(key=lambda row: int(row["TIMESTAMP"]))
        return _last(rows, most)

    def _replace(self, rows: dict[str, dict[str, Any]], put: set[str]) -> None:
        self.rows, self.put = rows, put


def _last(rows: list[Row], most: int) -> list[Row]:
    """Return the last rows of each event type."""
    counts: defaultdict[str, int] = defaultdict(int)
    kept = []
    for row in reversed(rows):
        kind = str(row.get("EVENT_TYPE") or "").lower()
        counts[kind] += 1
        if counts[kind] <= most:
            kept.append(row)
    return kept[::-1]
