"""The profile of a dataset's CSVs, made in one pass over their lines, without a database.

It has what :mod:`mpe.model.gate.data` judges, which is a part of what ``mpe check-data`` finds:
rows, users, items, times, how active users are, and the most frequent items and event types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import methodcaller

from mpe.model.service.dialect import QUOTE, Unended, records
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
"""So many rows are counted at a time, and then it is asked whether to go on: a row may have 20,000
characters and more."""
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
        """Count the rows of one file; raise NotProfiled where that cannot be.

        As long as there is neither a quotation mark nor a lone carriage return, lines are rows, and
        are counted many at a time; from the first one on they are read one by one.
        """
        rest, width, places, passed = iter(lines), 0, tuple[int | None, ...](), 0
        while some := list(islice(rest, LOOKS if width else 1)):
            text = "".join(some).replace("\r\n", "\n")
            if not _is_plain(text, some):
                self.add_one_by_one(chain(some, rest), go_on, width, places, passed)
                return
            passed += len(some)
            if width:
                self._count(*_columns(text, some, width, places), places)
                if len(some) == LOOKS:
                    self._look(go_on)
            elif header := text.rstrip("\n"):
                width, places = header.count(",") + 1, _places(header.split(","))

    def add_one_by_one(
        self,
        lines: Iterable[str],
        go_on: Callable[[], bool],
        width: int = 0,
        places: tuple[int | None, ...] = (),
        passed: int = 0,
    ) -> None:
        """Count the rows of a file, or of what follows ``passed`` lines, whatever they are like.

        ``width`` and ``places`` are of the header, or 0 and nothing where that is still to come.
        """
        found = records(lines)
        try:
            if not width:
                header = next(found, None)
                if header is None:
                    return
                width, places = len(header.cells), _places(header.cells)
            while some := list(islice(found, LOOKS)):
                self._count(*_turned([row.cells for row in some], width), places)
                if len(some) == LOOKS:
                    self._look(go_on)
        except Unended as error:
            raise NotProfiled(str(Unended(error.line + passed))) from error

    def _count(
        self, rows: int, columns: Sequence[Sequence[str]], places: Sequence[int | None]
    ) -> None:
        """Count so many rows by their columns."""
        self.rows += rows
        user, item, event, time = places
        for place, counts in ((user, self.users), (item, self.items), (event, self.events)):
            if place is not None and rows:
                counts.update(columns[place])
        if time is not None and rows:
            self._meet(columns[time])

    def _meet(self, cells: Sequence[str]) -> None:
        text, lengths = "".join(cells), set(map(len, cells))
        if text.isascii() and text.isdecimal() and len(lengths) == 1:  # texts sort as their numbers
            cells = (min(cells), max(cells))
        moments = [int(one) for one in cells if one.isdecimal() and len(one) <= 18]
        known = [one for one in (self.oldest, self.newest) if one is not None]
        if moments:
            self.oldest, self.newest = min((*known, *moments)), max((*known, *moments))

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


def _is_plain(text: str, lines: Sequence[str]) -> bool:
    """Tell whether lines are records: without quotation marks and lone returns, each with its end.

    The last one of a file may have none.
    """
    ends = len(lines) if lines[-1].endswith("\n") else len(lines) - 1
    return QUOTE not in text and "\r" not in text and text.count("\n") == ends


_COMMAS = methodcaller("count", ",")


def _columns(
    text: str, lines: Sequence[str], width: int, places: Sequence[int | None]
) -> tuple[int, Sequence[Sequence[str]]]:
    """Return how many rows of a width some lines without quotation marks have, and their columns.

    Where each line has as many commas all of them are cut at once, and columns that are not at any
    of the ``places`` are left empty.
    """
    if width > 1 and set(map(_COMMAS, lines)) == {width - 1}:
        cells = text.removesuffix("\n").replace("\n", ",").split(",")
        read = (cells[one::width] if one in places else () for one in range(width))
        return len(lines), list(read)
    return _turned([line.split(",") for line in text.split("\n") if line], width)


def _turned(rows: Sequence[Sequence[str]], width: int) -> tuple[int, Sequence[Sequence[str]]]:
    """Return how many rows are of a width, and their columns; others are told elsewhere."""
    kept = [row for row in rows if len(row) == width]
    return len(kept), list(zip(*kept, strict=True))


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
