"""Filters, applied: which items a filter lets through for a user.

An item passes that any ``INCLUDE`` names and no ``EXCLUDE`` does; without an ``INCLUDE``
every item is in to begin with
(https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html).
"""

from __future__ import annotations

import csv
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mpe.emulator.data import Dataset
from mpe.emulator.resources.base import invalid
from mpe.emulator.state import World
from mpe.model.service.expressions import CurrentItem, Expression, Filter, Parameter, Predicate
from mpe.model.service.filters import EVENT_TYPE, parse

Test = Callable[[str], bool]
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MOST_EVENTS = {"interactions": 100, "actionInteractions": 300}
"""How many of a user's last events of each type count
(https://docs.aws.amazon.com/personalize/latest/dg/limits.html)."""
SECTIONS = {"action_interactions": "actionInteractions", "currentuser": "users"}
"""The kind of dataset for a name in an expression that is not the kind itself."""
REMEMBERED = 64
"""How many answers of a filter on items are kept."""

_parsed = lru_cache(256)(parse)


@dataclass(frozen=True)
class Asked:
    """Whom and what a request is for."""

    user: str | None = None
    item: str | None = None
    values: Mapping[str, str] | None = None


def sieve(datasets: Mapping[str, Dataset], expression: str, asked: Asked) -> Test:
    """Return a test that tells which items, actions or users a filter lets through.

    An ``EXCLUDE`` that a value is lacking for is not used; for an ``INCLUDE`` it must be there
    (https://docs.aws.amazon.com/personalize/latest/dg/API_RS_GetRecommendations.html).
    """
    parsed: Filter = _parsed(expression)
    scene = _Scene(datasets, asked)
    includes = [one for one in parsed.expressions if one.verb == "INCLUDE"]
    missing = sorted({name for one in includes for name in scene.lacks(one)})
    if missing:
        raise invalid(f"filterValues lacks {', '.join(missing)}.")
    excludes = [one for one in parsed.expressions if one.verb == "EXCLUDE" and not scene.lacks(one)]
    wanted = [scene.test(one) for one in includes]
    unwanted = [scene.test(one) for one in excludes]
    return lambda key: (
        (not wanted or any(test(key) for test in wanted))
        and not any(test(key) for test in unwanted)
    )


def needs_user(expression: str) -> bool:
    """Tell whether a filter goes by the user that a request is for, or by what the user did."""
    parsed = _parsed(expression)
    by_events = any(_kind(one.predicates[0]) in MOST_EVENTS for one in parsed.expressions)
    return by_events or any(one.only_if for one in parsed.expressions)


def needs_item(expression: str) -> bool:
    """Tell whether a filter goes by the item that recommendations are asked for."""
    return any(isinstance(value, CurrentItem) for value in _values_of(_parsed(expression)))


def reads_events(expression: str) -> bool:
    """Tell whether a filter goes by what users did."""
    return any(_kind(one) in MOST_EVENTS for one in _parsed(expression).predicates)


def _values_of(parsed: Filter) -> Iterator[Any]:
    return (value for one in parsed.predicates for value in one.values)


def datasets_of(world: World, group: str) -> dict[str, Dataset]:
    """Return the datasets of a group, by kind."""
    return {
        one.data.kind: one.data
        for one in world.of("Dataset", datasetGroupArn=group)
        if one.data is not None
    }


class _Scene:
    """The data that a filter is applied to, for one user and one item."""

    def __init__(self, datasets: Mapping[str, Dataset], asked: Asked) -> None:
        self._datasets = datasets
        self._asked = asked
        self._values = asked.values or {}

    def lacks(self, expression: Expression) -> set[str]:
        """Return the parameters of an expression that the request has no value for."""
        return {
            value.name
            for one in (*expression.predicates, *expression.only_if)
            for value in one.values
            if isinstance(value, Parameter) and value.name not in self._values
        }

    def test(self, expression: Expression) -> Test:
        """Return a test that tells whether an expression names an item (or an action, a user)."""
        if not all(self._of_user(one) for one in expression.only_if):
            return lambda key: False
        kind = _kind(expression.predicates[0])
        if kind in MOST_EVENTS:
            return self._by_events(expression, kind)
        rows = self._rows(kind)
        resolved = [(one, self._wanted(one)) for one in expression.predicates]
        return lambda key: _joined(resolved, expression.joiners, rows.get(key, {}))

    def _rows(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        return self._datasets[kind].rows if kind in self._datasets else {}

    def _row(self, kind: str, key: str | None) -> Mapping[str, Any]:
        return self._rows(kind).get(key or "", {})

    def _of_user(self, predicate: Predicate) -> bool:
        return _holds(predicate, self._wanted(predicate), self._row("users", self._asked.user))

    def _by_events(self, expression: Expression, kind: str) -> Test:
        """Test by events: items by those of the user, users by their own."""
        dataset = self._datasets.get(kind)
        if dataset is None:
            return lambda key: False
        resolved = [(one, self._wanted(one)) for one in expression.predicates]

        def touched(user: str) -> set[str]:
            name = "USER_ID" if expression.target.lower() == "userid" else dataset.events.key
            history = dataset.history(user, MOST_EVENTS[kind])
            return {
                str(row[name] or user)
                for row in history
                if _joined(resolved, expression.joiners, row)
            }

        if expression.target.lower() == "userid":
            return lambda key: bool(touched(key))
        named = touched(self._asked.user) if self._asked.user else set()
        return lambda key: key in named

    def _wanted(self, predicate: Predicate) -> list[Any]:
        """Return what a predicate compares with."""
        return [value for one in predicate.values for value in self._value(one)]

    def _value(self, value: Any) -> list[Any]:
        """Return what a value stands for: itself, a parameter's values, an item's field."""
        if isinstance(value, Parameter):
            return _listed(self._values[value.name])
        if isinstance(value, CurrentItem):
            found = _field(self._row("items", self._asked.item), value.name)
            return [found] if isinstance(found, int | float) else sorted(_parts(found))
        return [value]


def _listed(text: str) -> list[str]:
    """Return the values of a parameter: separated by commas, each in quotes or not.

    https://docs.aws.amazon.com/personalize/latest/dg/filter-real-time.html
    """
    return next(csv.reader([text], skipinitialspace=True), [])


def _kind(predicate: Predicate) -> str:
    return SECTIONS.get(predicate.dataset, predicate.dataset)


def _joined(
    resolved: list[tuple[Predicate, list[Any]]], joiners: tuple[str, ...], row: Mapping[str, Any]
) -> bool:
    held = _holds(*resolved[0], row)
    for joiner, (predicate, wanted) in zip(joiners, resolved[1:], strict=True):
        other = _holds(predicate, wanted, row)
        held = (held and other) if joiner == "AND" else (held or other)
    return held


def _holds(predicate: Predicate, wanted: list[Any], row: Mapping[str, Any]) -> bool:
    found = _field(row, predicate.field)
    if predicate.operator in {"IN", "NOT IN"}:
        inside = "*" in wanted or _inside(predicate, found, wanted)
        return inside == (predicate.operator == "IN")
    if found is None or not wanted:
        return False
    if isinstance(found, str):
        alike = _inside(predicate, found, wanted)
        return {"=": alike, "!=": not alike}.get(predicate.operator, False)
    try:
        return COMPARISONS[predicate.operator](float(found), float(wanted[0]))
    except (TypeError, ValueError):
        return False


def _inside(predicate: Predicate, found: Any, wanted: list[Any]) -> bool:
    """Tell whether a field has one of some values; event types alone are compared case aside."""
    if isinstance(found, int | float) and not isinstance(found, bool):
        return any(_same_number(found, one) for one in wanted)
    texts, have = set(map(str, wanted)), _parts(found)
    if predicate.field.upper() == EVENT_TYPE:
        texts, have = {one.lower() for one in texts}, {one.lower() for one in have}
    return bool(have & texts)


def _same_number(found: float, other: Any) -> bool:
    try:
        return float(found) == float(other)
    except (TypeError, ValueError):
        return False


def _field(row: Mapping[str, Any], name: str) -> Any:
    """Return a field of a row, whatever the case of its name."""
    if name in row:
        return row[name]
    wanted = name.lower()
    return next((value for key, value in row.items() if key.lower() == wanted), None)


def _parts(value: Any) -> set[str]:
    """Return the values of a cell: categories are joined by ``|``."""
    return set(str(value).split("|")) if value is not None else set()
