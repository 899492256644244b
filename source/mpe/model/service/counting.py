"""The profile of a dataset's CSVs, made in one pass over their lines, without a database.

It has what :mod:`mpe.model.gate.data` judges, which is a part of what ``mpe check-data`` finds:
rows, users, items, times, how active users are, and the most frequent items and event types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field

from mpe.model.service.dialect import Unended, records
from mpe.model.service.profile import (
    MOST_SHARES,
    ColumnProfile,
    DatasetProfile,
    Profile,
    digest,
)

KEYS = {"users": "USER_ID", "items": "ITEM_ID", "actions": "ACTION_ID"}
"""The column of each dataset that names what its rows describe."""
BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 49), (50, 199), (200, None))
MOST_IDS = 2_000_000
"""Different ids that are counted: about 400 MB of memory."""
LOOKS = 1_000
"""After so many rows it is asked whether to go on: a row may have 20,000 characters and more."""
TOP = 10


class NotProfiled(Exception):
    """The data is more than can be counted here, or cannot be read; the message says which."""


@dataclass
class Tally:
    """What has been counted of one dataset so far."""

    kind: str
    rows: int = 0
    users: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    oldest: int | None = None
    newest: int | None = None

    def add(self, lines: Iterable[str], *, go_on: Callable[[], bool]) -> None:
        """Count the rows of one file; raise NotProfiled where that cannot be."""
        found = records(lines)
        try:
            header = next(found, None)
            if header is None:
                return
            user, item, event, time = _places(header.cells)
            width = len(header.cells)
            for row in found:
                cells = row.cells
                if len(cells) != width:
                    continue  # told by the check of the file
                self.rows += 1
                if user is not None:
                    self.users[cells[user]] += 1
                if item is not None:
                    self.items[cells[item]] += 1
                if event is not None:
                    self.events[cells[event]] += 1
                if time is not None:
                    self._meet(cells[time])
                if not self.rows % LOOKS:
                    self._look(go_on)
        except Unended as error:
            raise NotProfiled(str(error)) from error

    def _meet(self, cell: str) -> None:
        if cell.isdecimal() and len(cell) <= 18:
            moment = int(cell)
            self.oldest = moment if self.oldest is None else min(self.oldest, moment)
            self.newest = moment if self.newest is None else max(self.newest, moment)

    def _look(self, go_on: Callable[[], bool]) -> None:
        if len(self.users) + len(self.items) > MOST_IDS:
            raise NotProfiled(f"it has more than {MOST_IDS:,} different ids.")
        if not go_on():
            raise NotProfiled(f"after {self.rows:,} rows the time that there is for it was over.")

    def unknown(self, items: Container[str]) -> int:
        """Return how many events have an item that is not among some items."""
        return sum(n for id, n in self.items.items() if id and id not in items)

    def profile(self, unknown: int | None = None) -> Profile:
        """Return what was counted; ``unknown`` are events with an item that none describes."""
        for ids in (self.users, self.items, self.events):
            ids.pop("", None)
        key = KEYS.get(self.kind)
        columns = [_column(key, self._keyed(key))] if key else []
        if self.events:
            columns.append(_column("EVENT_TYPE", self.events, named=True))
        dataset = DatasetProfile(self.kind, self.rows, None, tuple(columns))
        if self.kind != "interactions":
            return Profile((dataset,))
        return Profile(
            (dataset,),
            oldest=self.oldest,
            newest=self.newest,
            users=len(self.users),
            items=len(self.items),
            activity=_activity(self.users),
            unknown_items=unknown,
            shares=_most_met(self.items),
        )

    def _keyed(self, key: str) -> Counter[str]:
        return self.users if key == "USER_ID" else self.items


def _places(header: Sequence[str]) -> tuple[int | None, ...]:
    """Return where a file has the user, the item or action, the event's type and its time."""
    places = {name: place for place, name in enumerate(header)}
    item = places.get("ITEM_ID", places.get("ACTION_ID"))
    return places.get("USER_ID"), item, places.get("EVENT_TYPE"), places.get("TIMESTAMP")


def _column(name: str, counts: Counter[str], *, named: bool = False) -> ColumnProfile:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:TOP] if named else ()
    return ColumnProfile(name, counts.total(), len(counts), top=tuple(ranked))


def _activity(users: Counter[str]) -> dict[str, int]:
    found = {}
    for low, high in BUCKETS:
        name = f"{low}-{high}" if high and high > low else f"{low}{'' if high else '+'}"
        found[name] = sum(low <= count <= (high or count) for count in users.values())
    return found


def _most_met(items: Counter[str]) -> tuple[tuple[str, int], ...]:
    met = sorted(((digest(id), count) for id, count in items.items()), key=lambda o: (-o[1], o[0]))
    return tuple(met[:MOST_SHARES])
