"""The filter expressions of Amazon Personalize: parsed, and checked against the schemas.

https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken

from mpe.model.errors import PersonalizationError, Problem
from mpe.model.service.avro import Field

DATASETS = {
    "interactions": "interactions",
    "items": "items",
    "users": "users",
    "actions": "actions",
    "action_interactions": "actionInteractions",
    "currentuser": "users",
}
"""The config's section for each dataset that an expression may name."""
MOST_FIELDS = 10
LONGEST = 2_500
"""Characters of an expression."""


class FilterError(PersonalizationError):
    """A filter expression is wrong; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


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
        """The fields it reads, each with the config's section of its dataset."""
        return frozenset((DATASETS[one.dataset], one.field) for one in self.predicates)

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(
            value.name
            for one in self.predicates
            for value in one.values
            if isinstance(value, Parameter)
        )


def parse(expression: str) -> Filter:
    """Return the parsed filter, or raise :class:`FilterError`."""
    if len(expression) > LONGEST:
        raise FilterError(f"has {len(expression)} characters; the most is {LONGEST}")
    try:
        tree = _parser().parse(expression)
    except UnexpectedInput as error:
        position = error.pos_in_stream
        if position is None or position < 0 or _at_the_end(error):
            position = len(expression)
        found = expression[position : position + 20] or "the end"
        raise FilterError(f"cannot be read at character {position}: {found!r}", position) from None
    parsed: Filter = _Build().transform(tree)
    for one in parsed.expressions:
        _check(one)
    return parsed


def _at_the_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"


def problems(expression: str, schemas: Mapping[str, list[Field]], path: str = "$") -> list[Problem]:
    """Return all that is wrong with an expression, given the schema fields by section."""
    if len(expression) > LONGEST:
        # in the words of the service's model, so that it is told once
        return [Problem(path, f"has {len(expression)} characters.", f"The most is {LONGEST}.")]
    try:
        parsed = parse(expression)
    except FilterError as error:
        return [Problem(path, f"{error}.", "See the filter expression syntax of the service.")]
    return list(_against(parsed, schemas, path))


def _against(parsed: Filter, schemas: Mapping[str, list[Field]], path: str) -> Iterator[Problem]:
    for section, name in sorted(parsed.fields):
        if section not in schemas:
            yield Problem(path, f"reads {section}.{name}, but there is no {section} dataset.")
            continue
        field = next((one for one in schemas[section] if one.name == name), None)
        if field is None:
            yield Problem(
                path,
                f"reads {section}.{name}, which is not in that schema.",
                f"It has: {', '.join(one.name for one in schemas[section])}.",
            )
        elif field.textual or field.type == "boolean":
            kind = "textual" if field.textual else "boolean"
            yield Problem(path, f"reads {section}.{name}, but a {kind} field cannot be filtered.")
    if len(parsed.fields) > MOST_FIELDS:
        yield Problem(path, f"reads {len(parsed.fields)} fields.", f"The most is {MOST_FIELDS}.")


def _check(expression: Expression) -> None:
    """Hold an expression to the rules that its grammar cannot say."""
    known = ", ".join(("Interactions", "Items", "Users", "Actions", "Action_Interactions"))
    for one in (*expression.predicates, *expression.only_if):
        if one.dataset not in DATASETS:
            raise FilterError(f"{one.dataset} is not a dataset; known: {known}")
        if "*" in one.values and one.field.upper() != "EVENT_TYPE":
            raise FilterError(f"* is only for EVENT_TYPE, not for {one.field}")
    if len({one.dataset for one in expression.predicates}) > 1:
        raise FilterError("one expression may read one dataset; join two with |")
    if any(one.dataset == "currentuser" for one in expression.predicates):
        raise FilterError("CurrentUser is only for IF")
    if any(one.dataset != "currentuser" for one in expression.only_if):
        raise FilterError("IF is only for CurrentUser")
    if "OR" in expression.only_joiners:
        raise FilterError("the conditions after IF are joined by AND only")


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("filters.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


class _Build(Transformer[Token, Filter]):
    """Build the parsed filter from the grammar's tree."""

    def start(self, children: list[Expression]) -> Filter:
        return Filter(tuple(children))

    def expression(self, children: list[Any]) -> Expression:
        verb, target, (predicates, joiners), only_if = children
        return Expression(verb.upper(), str(target), predicates, joiners, *(only_if or ((), ())))

    def condition(self, children: list[Any]) -> tuple[Any, Any]:
        return tuple(children[::2]), tuple(one.upper() for one in children[1::2])

    def if_part(self, children: list[Any]) -> tuple[Any, Any]:
        return children[0]  # type: ignore[no-any-return]

    def membership(self, children: list[Any]) -> Predicate:
        (dataset, name), negated, values = children
        return Predicate(dataset, name, "NOT IN" if negated else "IN", values)

    def comparison(self, children: list[Any]) -> Predicate:
        (dataset, name), operator, value = children
        return Predicate(dataset, name, str(operator), (value,))

    def field(self, children: list[Token]) -> tuple[str, str]:
        return str(children[0]).lower(), str(children[1])

    def values(self, children: list[Any]) -> tuple[Any, ...]:
        return tuple(str(one) if isinstance(one, Token) else one for one in children)

    def scalar(self, children: list[Any]) -> Any:
        return children[0]

    def current_item(self, children: list[Token]) -> CurrentItem:
        return CurrentItem(str(children[0]))

    def STRING(self, token: Token) -> str:
        return str(token)[1:-1]

    def NUMBER(self, token: Token) -> float | int:
        return float(token) if "." in token else int(token)

    def PARAMETER(self, token: Token) -> Parameter:
        return Parameter(str(token)[1:])
