"""The profile of a dataset's CSVs, made in one pass over their lines, without a database.

It has what :mod:`mpe.model.gate.data` judges, which is a part of what ``mpe check-data`` finds:
rows, users, items, times, how active users are, and the most frequent items and event types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
from mpe.model.service.sketch import Events, Ids

KEYS = {"users": "USER_ID", "items": "ITEM_ID", "actions": "ACTION_ID"}
"""The column of each dataset that names what its rows describe."""
BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 49), (50, 199), (200, None))
MOST_IDS = 2_000_000
"""Different ids that are counted one by one: about 400 MB of memory."""
MOST_EVENT_TYPES = 10_000
"""Different event types that are counted: the service takes ten
(https://docs.aws.amazon.com/personalize/latest/dg/limits.html)."""
LOOKS = 1_000
"""So many rows are counted at a time, and then it is asked whether to go on: a row may have 20,000
characters and more."""
TOP = 10


class NotProfiled(Exception):
    """The data is more than can be counted here, or cannot be read; the message says which."""


class TooLarge(NotProfiled):
    """It is more than can be counted here; elsewhere it may be counted."""


@dataclass
class Tally:
    """What has been counted of one dataset so far."""

    kind: str
    sketches: bool = False
    """Whether what is more than :data:`MOST_IDS` is estimated, instead of not profiled."""
    rows: int = 0
    users: Ids = field(default_factory=Ids)
    items: Ids = field(default_factory=Ids)
    events: Counter[str] = field(default_factory=Counter)
    sample: Events | None = None
    """Some of the events, where not all of their items are counted any more."""
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
        if not rows:
            return
        user, item, event, time = places
        if user is not None:
            self.users.meet(columns[user])
        if item is not None:
            self.items.meet(columns[item])
            if self.sample:
                self.sample.meet(columns[item])
        if event is not None:
            self.events.update(columns[event])
        if time is not None:
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
        if len(self.events) > MOST_EVENT_TYPES:
            raise NotProfiled(f"it has more than {MOST_EVENT_TYPES:,} different event types.")
        while len(self.users) + len(self.items) > self._most:
            if not self.sketches:
                raise TooLarge(f"it has more than {MOST_IDS:,} different ids.")
            self._halve()
        if not go_on():
            raise TooLarge(f"after {self.rows:,} rows the time that there is for it was over.")

    @property
    def _most(self) -> int:
        """Return how many ids are kept: fewer once some are estimated, which is faster."""
        return MOST_IDS // 4 if self.users.halved or self.items.halved else MOST_IDS

    def _halve(self) -> None:
        """Go on with fewer of the ids of which there are more."""
        if len(self.users) < len(self.items):
            self.sample = self.sample or Events.of(self.items)
            self.items.halve()
        else:
            self.users.halve()

    def met(self) -> set[str]:
        """Return the items of the events, or of those that stand for all."""
        return set(self.sample.ids if self.sample else self.items) - {""}

    def unknown(self, left: set[str]) -> int:
        """Return how many events are of some of the items that were :meth:`met`."""
        if self.sample:
            return self.sample.among(left)
        return sum(self.items[id] for id in left)

    def profile(self, unknown: int | None = None) -> Profile:
        """Return what was counted; ``unknown`` are events with an item that none describes."""
        for ids in (self.users, self.items, self.events):
            ids.pop("", None)
        key = KEYS.get(self.kind)
        columns = []
        if key:
            ids = self._keyed(key)
            columns = [ColumnProfile(key, ids.total() << ids.halved, ids.distinct)]
        if self.events:
            columns.append(_event_types(self.events))
        dataset = DatasetProfile(self.kind, self.rows, None, tuple(columns))
        if self.kind != "interactions":
            return Profile((dataset,))
        return Profile(
            (dataset,),
            oldest=self.oldest,
            newest=self.newest,
            users=self.users.distinct,
            items=self.items.distinct,
            activity=_activity(self.users),
            unknown_items=unknown,
            shares=_most_met(self.sample.counts() if self.sample else self.items),
            errors=self._errors(),
        )

    def _errors(self) -> dict[str, float]:
        """Return the standard errors of what is estimated, and nothing of what is counted."""
        found = {"users": self.users.error, "items": self.items.error}
        if self.sample:
            found["events"] = self.sample.error
        return {what: error for what, error in found.items() if error}

    def _keyed(self, key: str) -> Ids:
        return self.users if key == "USER_ID" else self.items


@dataclass
class Described(Tally):
    """Which of some items a dataset describes: what is not :attr:`left` at its end."""

    left: set[str] = field(default_factory=set)

    def _count(
        self, rows: int, columns: Sequence[Sequence[str]], places: Sequence[int | None]
    ) -> None:
        self.rows += rows
        if rows and places[1] is not None:
            self.left.difference_update(columns[places[1]])


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


def _event_types(counts: Counter[str]) -> ColumnProfile:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:TOP]
    return ColumnProfile("EVENT_TYPE", counts.total(), len(counts), top=tuple(ranked))


def _activity(users: Ids) -> dict[str, int]:
    found = {}
    for low, high in BUCKETS:
        name = f"{low}-{high}" if high and high > low else f"{low}{'' if high else '+'}"
        some = sum(low <= count <= (high or count) for count in users.values())
        found[name] = some << users.halved
    return found


def _most_met(items: Counter[str]) -> tuple[tuple[str, int], ...]:
    met = sorted(((digest(id), count) for id, count in items.items()), key=lambda o: (-o[1], o[0]))
    return tuple(met[:MOST_SHARES])
