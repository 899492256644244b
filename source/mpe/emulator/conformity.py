"""What an import job refuses of the cells, beyond what is not of its column's type.

The rules are those of :mod:`mpe.model.service.csvs`, by which ``mpe check-data`` calls a cell
wrong: what that calls an error must not pass here. How the service words it is documented only
as rows that "do not conform to the dataset schema".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.tables import NOT_CONFORMING, Columns
from mpe.model.service.avro import RULES, Field
from mpe.model.service.csvs import TIMES, CellRule, cell_rules

MOST_EVENTS_AND_COLUMNS = 10
"""Event types and columns of metadata (https://docs.aws.amazon.com/personalize/latest/dg/limits.html)."""
LONGEST_TIME = 10
"""Digits of a time in seconds; its rules are tried one by one only where one is longer."""


def conforming(
    blocks: Iterable[Columns], kind: str, fields: Sequence[Field], known: Iterable[str] = ()
) -> Iterator[Columns]:
    """Pass rows on; raise WorkFailed where a cell is wrong, or there are too many event types.

    ``known`` are the event types that the dataset has already. Each value of a column is
    looked at once.
    """
    rules: defaultdict[str, list[CellRule]] = defaultdict(list)
    for rule in cell_rules(kind, fields):
        if rule.severity == "error":
            rules[rule.column].append(rule)
    seen: defaultdict[str, set[str]] = defaultdict(set, {"EVENT_TYPE": set(known) - {""}})
    most = most_event_types(kind, fields)
    for block in blocks:
        for name, cells in block.items():
            if name in rules and not (name in TIMES and _plain(cells)):
                new = set(cells) - seen[name]
                _refuse(name, new, rules[name])
                seen[name] |= new
        if len(seen["EVENT_TYPE"] - {""}) > most:
            raise WorkFailed(
                f"Dataset has more than {most} event types: with the optional columns there may "
                f"be {MOST_EVENTS_AND_COLUMNS}"
            )
        yield block


def most_event_types(kind: str, fields: Sequence[Field]) -> int:
    """Return how many event types a dataset may have beside its columns of metadata."""
    if kind != "interactions":
        return 1_000_000_000
    own = RULES[kind]
    return MOST_EVENTS_AND_COLUMNS - sum(
        one.name not in {**own.required, **own.optional} for one in fields
    )


def _plain(cells: Sequence[str]) -> bool:
    """Tell at once whether all are whole numbers, and none too long for a time."""
    joined = "".join(cells)
    return joined.isascii() and joined.isdigit() and max(map(len, cells)) <= LONGEST_TIME


def _refuse(name: str, cells: Iterable[str], rules: Iterable[CellRule]) -> None:
    for rule in rules:
        if any(map(rule.broken_by, cells)):
            raise WorkFailed(f"{NOT_CONFORMING} {name} {rule.message}")
