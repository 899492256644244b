"""The filter expressions of Amazon Personalize, as they are written and as they are read.

https://docs.aws.amazon.com/personalize/latest/dg/creating-filter-expressions.html says how they
are built. The grammar itself stands in tests/model/service/filters.lark: a test has lark read by
it what is read here, which each start of a function and each ``mpe validate`` would pay for.
Keywords, datasets and fields are read in any case; values as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from mpe.model.errors import PersonalizationError

DATASETS = {
    "interactions": "interactions",
    "items": "items",
    "users": "users",
    "actions": "actions",
    "action": "actions",
    "action_interactions": "actionInteractions",
    "actioninteractions": "actionInteractions",
    "currentuser": "users",
    "currentitem": "items",
}
"""The config's section for each dataset that an expression may name.

The guide's own example has ``Action.MEMBERSHIP_LEVEL``
(https://docs.aws.amazon.com/personalize/latest/dg/action-recommendation-filter-examples.html).
"""


@dataclass(frozen=True)
class Parameter:
    """A value that is supplied with each request."""

    name: str


@dataclass(frozen=True)
class CurrentItem:
    """A field of the item that recommendations are asked for."""

    name: str


@dataclass(frozen=True)
class Predicate:
    """One comparison of a field: ``operator`` is ``IN``, ``NOT IN``, ``=``, ``<`` and so on."""

    dataset: str
    """The dataset as the expression names it, in lower case."""
    field: str
    operator: str
    values: tuple[Any, ...]
    """Strings, numbers, parameters, fields of the current item, or ``*``."""


@dataclass(frozen=True)
class Expression:
    """One ``INCLUDE`` or ``EXCLUDE``."""

    verb: str
    target: str
    predicates: tuple[Predicate, ...]
    joiners: tuple[str, ...]
    """``AND`` or ``OR`` between the predicates, read from left to right."""
    only_if: tuple[Predicate, ...] = ()
    only_joiners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filter:
    """A parsed filter: expressions whose results the service combines."""

    expressions: tuple[Expression, ...]

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        return tuple(
            predicate
            for expression in self.expressions
            for predicate in (*expression.predicates, *expression.only_if)
        )

    @property
    def fields(self) -> frozenset[tuple[str, str]]:
        """The fields it reads in upper case, each with the config's section of its dataset."""
        own = {(DATASETS[one.dataset], one.field.upper()) for one in self.predicates}
        of_item = {
            ("items", value.name.upper())
            for one in self.predicates
            for value in one.values
            if isinstance(value, CurrentItem)
        }
        return frozenset(own | of_item)

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(
            value.name
            for one in self.predicates
            for value in one.values
            if isinstance(value, Parameter)
        )


class NotReadError(PersonalizationError):
    """An expression is none; ``position`` counts the characters before what cannot be read."""

    def __init__(self, position: int) -> None:
        super().__init__(f"cannot be read at character {position}")
        self.position = position


def read(expression: str) -> Filter:
    """Return what an expression says, or raise :class:`NotReadError`."""
    words = _Words(expression)
    found = [_expression(words)]
    while words.take("|"):
        found.append(_expression(words))
    words.end()
    return Filter(tuple(found))


_KEYWORDS = {
    "verb": r"INCLUDE|EXCLUDE",
    "target": r"ItemID|UserID|ActionID",
    "where": r"WHERE",
    "joiner": r"\b(?:AND|OR)\b",
    "if": r"IF",
    "not": r"\bNOT\b",
    "in": r"IN",
    "current item": r"CurrentItem",
}
_OTHERS = {
    "name": r"[A-Za-z_][A-Za-z0-9_]*",
    "comparison": r"<=|>=|!=|=|<|>",
    "parameter": r"\$[A-Za-z_][A-Za-z0-9_]*",
    "string": r'"(?:\\.|[^"\\])*"' r"|'(?:\\.|[^'\\])*'",
    "number": r"-?[0-9]+(?:\.[0-9]+)?",
    **{sign: re.escape(sign) for sign in "|().,*"},
}
_SPACE = re.compile(r"\s*")


@cache
def _word(kind: str) -> re.Pattern[str]:
    if kind in _KEYWORDS:
        return re.compile(_KEYWORDS[kind], re.IGNORECASE)
    return re.compile(_OTHERS[kind])


class _Words:
    """An expression, word by word: each is read as what may stand at its place."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._pass_over(0)

    def take(self, kind: str) -> str | None:
        """Return the next word where it is of a kind, or None."""
        found = _word(kind).match(self._text, self._at)
        if found is None:
            return None
        self._pass_over(found.end())
        return found[0]

    def need(self, kind: str) -> str:
        """Return the next word, which must be of a kind."""
        found = self.take(kind)
        if found is None:
            raise NotReadError(self._at)
        return found

    def end(self) -> None:
        if self._at < len(self._text):
            raise NotReadError(self._at)

    def _pass_over(self, end: int) -> None:
        space = _SPACE.match(self._text, end)
        assert space is not None  # it may be empty
        self._at = space.end()


def _expression(words: _Words) -> Expression:
    verb, target = words.need("verb").upper(), words.need("target")
    words.need("where")
    condition = _condition(words)
    only_if = _condition(words) if words.take("if") else ((), ())
    return Expression(verb, target, *condition, *only_if)


def _condition(words: _Words) -> tuple[tuple[Predicate, ...], tuple[str, ...]]:
    predicates, joiners = [_predicate(words)], []
    while joiner := words.take("joiner"):
        joiners.append(joiner.upper())
        predicates.append(_predicate(words))
    return tuple(predicates), tuple(joiners)


def _predicate(words: _Words) -> Predicate:
    dataset = words.need("name").lower()
    words.need(".")
    field = words.need("name")
    if operator := words.take("comparison"):
        return Predicate(dataset, field, operator, (_operand(words),))
    negated = words.take("not")
    words.need("in")
    return Predicate(dataset, field, "NOT IN" if negated else "IN", _members(words))


def _operand(words: _Words) -> Any:
    """Read what a field is compared with: one value, which may stand in brackets."""
    if not words.take("("):
        return _value(words)
    value = _value(words)
    words.need(")")
    return value


def _members(words: _Words) -> tuple[Any, ...]:
    """Read what a field is one of: a list in brackets, a parameter, or a field of the item."""
    if not words.take("("):
        return (_reference(words),)
    values: list[Any] = []
    if words.take("*"):
        values.append("*")
    else:
        values.append(_value(words))
        while words.take(","):
            values.append(_value(words))
    words.need(")")
    return tuple(values)


def _value(words: _Words) -> Any:
    if text := words.take("string"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if number := words.take("number"):
        return float(number) if "." in number else int(number)
    return _reference(words)


def _reference(words: _Words) -> Parameter | CurrentItem:
    if name := words.take("parameter"):
        return Parameter(name[1:])
    words.need("current item")
    words.need(".")
    return CurrentItem(words.need("name"))
