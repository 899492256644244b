"""Filters, applied: which items a filter lets through for a user.

An item passes that any ``INCLUDE`` names and no ``EXCLUDE`` does; without an ``INCLUDE``
every item is in to begin with.
"""

from __future__ import annotations

import csv
import operator
from collections.abc import Callable, Mapping
from typing import Any

from mpe.emulator.data import Dataset
from mpe.emulator.resources.base import invalid
from mpe.emulator.state import World
from mpe.model.service.filters import (
    EVENT_TYPE,
    CurrentItem,
    Expression,
    Filter,
    Parameter,
    Predicate,
    parse,
)

Test = Callable[[str], bool]
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def sieve(
    world: World,
    group: str,
    expression: str,
    user: str | None,
    item: str | None,
    values: Mapping[str, str],
) -> Test:
    """Return a test that tells which items a filter lets through."""
    parsed: Filter = parse(expression)
    missing = sorted(parsed.parameters - set(values))
    if missing:
        raise invalid(f"filterValues lacks {', '.join(missing)}.")
    scene = _Scene(_datasets(world, group), user, item, values)
    includes = [scene.test(one) for one in parsed.expressions if one.verb == "INCLUDE"]
    excludes = [scene.test(one) for one in parsed.expressions if one.verb == "EXCLUDE"]
    return lambda key: (
        (not includes or any(test(key) for test in includes))
        and not any(test(key) for test in excludes)
    )


def _datasets(world: World, group: str) -> dict[str, Dataset]:
    return {
        one.data.kind: one.data
        for one in world.of("Dataset", datasetGroupArn=group)
        if one.data is not None
    }


class _Scene:
    """The data that a filter is applied to, for one user and one item."""

    def __init__(
        self,
        datasets: Mapping[str, Dataset],
        user: str | None,
        item: str | None,
        values: Mapping[str, str],
    ) -> None:
        self._items = datasets["items"].rows if "items" in datasets else {}
        self._users = datasets["users"].rows if "users" in datasets else {}
        events = datasets["interactions"].events if "interactions" in datasets else []
        self._events = [one for one in events if one.user == user]
        self._user, self._item, self._values = user, item, values

    def test(self, expression: Expression) -> Test:
        """Return a test that tells whether an expression names an item."""
        if not all(self._of_user(one) for one in expression.only_if):
            return lambda key: False
        if expression.predicates[0].dataset == "interactions":
            named = self._touched(expression)
            return lambda key: key in named
        return lambda key: self._joined(expression, self._items.get(key, {}))

    def _of_user(self, predicate: Predicate) -> bool:
        return self._holds(predicate, self._users.get(self._user or "", {}))

    def _touched(self, expression: Expression) -> set[str]:
        """Return the items of the user's interactions for which the condition holds."""
        return {one.item for one in self._events if self._joined(expression, one.columns)}

    def _joined(self, expression: Expression, row: Mapping[str, Any]) -> bool:
        held = self._holds(expression.predicates[0], row)
        for joiner, predicate in zip(expression.joiners, expression.predicates[1:], strict=True):
            other = self._holds(predicate, row)
            held = (held and other) if joiner == "AND" else (held or other)
        return held

    def _holds(self, predicate: Predicate, row: Mapping[str, Any]) -> bool:
        found = _cell(row, predicate.field)
        wanted = [value for one in predicate.values for value in self._value(one)]
        if predicate.field.upper() == EVENT_TYPE:  # the one thing that is matched case aside
            found, wanted = str(found or "").lower(), [str(one).lower() for one in wanted]
        if predicate.operator in {"IN", "NOT IN"}:
            inside = "*" in wanted or bool(_parts(found) & {str(one) for one in wanted})
            return inside == (predicate.operator == "IN")
        if found is None:
            return False
        compare = COMPARISONS[predicate.operator]
        try:
            return compare(found, type(found)(wanted[0]))
        except (TypeError, ValueError):
            return False

    def _value(self, value: Any) -> list[Any]:
        """Return what a value stands for: itself, a parameter's values, an item's field."""
        if isinstance(value, Parameter):
            return next(csv.reader([self._values[value.name]], skipinitialspace=True), [])
        if isinstance(value, CurrentItem):
            return list(_parts(_cell(self._items.get(self._item or "", {}), value.name)))
        return [value]


def _cell(row: Mapping[str, Any], field: str) -> Any:
    """Return a row's value of a field, which may be written in any case."""
    if field in row:
        return row[field]
    return next((value for name, value in row.items() if name.upper() == field.upper()), None)


def _parts(value: Any) -> set[str]:
    """Return the values of a cell: categories are joined by ``|``."""
    return set(str(value).split("|")) if value is not None else set()
