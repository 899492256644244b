"""Reading CSVs as import jobs do, and the rows of a dataset.

The failure reasons are those that the developer guide gives
(https://docs.aws.amazon.com/personalize/latest/dg/bulk-data-import-step.html).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mpe.emulator.lifecycle import WorkFailed
from mpe.model.service.avro import Field
from mpe.model.service.dialect import Unended, records

LEAST_INTERACTIONS = 1000
NOT_CONFORMING = (
    "Input CSV has rows that do not conform to the dataset schema. Please ensure all required "
    "data fields are present and that they are of the type specified in the schema."
)


@dataclass(frozen=True)
class Interaction:
    """One event of one user with one item."""

    user: str
    item: str
    time: int
    event: str = ""
    value: float | None = None
    more: tuple[tuple[str, Any], ...] = ()
    """Its other columns, with their names."""

    @property
    def columns(self) -> dict[str, Any]:
        """The row as it was imported."""
        return {
            "USER_ID": self.user,
            "ITEM_ID": self.item,
            "TIMESTAMP": self.time,
            "EVENT_TYPE": self.event,
            "EVENT_VALUE": self.value,
            **dict(self.more),
        }


@dataclass
class Dataset:
    """The rows that were imported: interactions in order of arrival, others by their id."""

    kind: str
    """``interactions``, ``users``, ``items``, ``actions`` or ``actionInteractions``."""
    events: list[Interaction] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.events) or len(self.rows)

    def table(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, by column."""
        yield from (event.columns for event in self.events)
        yield from self.rows.values()

    def forget(self, users: set[str]) -> int:
        """Delete the rows of users and return how many there were."""
        before = self.count
        self.events = [one for one in self.events if one.user not in users]
        self.rows = {key: row for key, row in self.rows.items() if row.get("USER_ID") not in users}
        return before - self.count

    def load(self, rows: Iterable[dict[str, Any]], *, replace: bool) -> None:
        """Take in rows, in place of the bulk data there is or beside it."""
        if self.kind == "interactions":
            events = [_interaction(row) for row in rows]
            if len(events) < LEAST_INTERACTIONS:
                raise WorkFailed(
                    f"Dataset has fewer than {LEAST_INTERACTIONS} interactions: {len(events)}"
                )
            self.events = events if replace else self.events + events
            return
        key = {"users": "USER_ID", "items": "ITEM_ID", "actions": "ACTION_ID"}.get(self.kind)
        first = 0 if replace else len(self.rows)
        own = {row[key] if key else str(n): row for n, row in enumerate(rows, first)}
        self.rows = own if replace else {**self.rows, **own}


OWN = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"})


def _interaction(row: dict[str, Any]) -> Interaction:
    return Interaction(
        row["USER_ID"],
        row["ITEM_ID"],
        row["TIMESTAMP"],
        row.get("EVENT_TYPE") or "",
        row.get("EVENT_VALUE"),
        tuple((name, value) for name, value in row.items() if name not in OWN),
    )


def read_csv(chunks: Iterator[bytes], fields: Iterable[Field]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one CSV as its schema types them; raise WorkFailed at the first fault."""
    fields = list(fields)
    rows = records(lines_of(chunks))
    try:
        first = next(rows, None)
        header = first.cells if first else []
        missing = [one.name for one in fields if one.name not in header]
        if missing:
            raise WorkFailed(f"Input CSV is missing the following columns:[{', '.join(missing)}]")
        columns = [(one.name, header.index(one.name), _reader(one)) for one in fields]
        for row in rows:
            yield {name: read(row.cells[index]) for name, index, read in columns}
    except (ValueError, IndexError, Unended):
        raise WorkFailed(NOT_CONFORMING) from None


def lines_of(chunks: Iterator[bytes]) -> Iterator[str]:
    """Yield whole lines from chunks of bytes, each with its end."""
    decoder, rest = codecs.getincrementaldecoder("utf-8-sig")(), ""
    try:
        for chunk in chunks:
            rest += decoder.decode(chunk)
            *whole, rest = rest.split("\n")
            yield from (f"{line}\n" for line in whole)
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise WorkFailed("Input CSV is not encoded in UTF-8.") from None
    if rest:
        yield rest


def _reader(field: Field) -> Callable[[str], Any]:
    """Return what turns a cell into a value of the field's type, or raises ValueError."""
    convert = _CONVERTERS[field.type]

    def read(cell: str) -> Any:
        if cell == "":
            if field.nullable:
                return None
            raise ValueError(field.name)
        return convert(cell)

    return read


def _boolean(cell: str) -> bool:
    return {"true": True, "false": False}[cell] if cell in {"true", "false"} else _refuse(cell)


def _refuse(cell: str) -> bool:
    raise ValueError(cell)


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": _boolean,
    "null": str,
}
