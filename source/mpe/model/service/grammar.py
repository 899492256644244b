"""The grammar of filter expressions, read by lark (``filters.lark``)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken

from mpe.model.errors import PersonalizationError
from mpe.model.service.filters import CurrentItem, Expression, Filter, Parameter, Predicate


class NotReadError(PersonalizationError):
    """An expression is none of the grammar; ``position`` counts characters from 0."""

    def __init__(self, position: int) -> None:
        super().__init__(f"cannot be read at character {position}")
        self.position = position


def read(expression: str) -> Filter:
    """Return what an expression says, or raise :class:`NotReadError`."""
    try:
        tree = _parser().parse(expression)
    except UnexpectedInput as error:
        position = error.pos_in_stream
        if position is None or position < 0 or _at_the_end(error):
            position = len(expression)
        raise NotReadError(position) from None
    parsed: Filter = _Build().transform(tree)
    return parsed


def _at_the_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"


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

    def members(self, children: list[Any]) -> tuple[Any, ...]:
        (given,) = children
        return given if isinstance(given, tuple) else (given,)

    def values(self, children: list[Any]) -> tuple[Any, ...]:
        return tuple(str(one) if isinstance(one, Token) else one for one in children)

    def operand(self, children: list[Any]) -> Any:
        return children[0]

    def scalar(self, children: list[Any]) -> Any:
        return children[0]

    def current_item(self, children: list[Token]) -> CurrentItem:
        return CurrentItem(str(children[0]))

    def STRING(self, token: Token) -> str:
        return re.sub(r"\\(.)", r"\1", str(token)[1:-1])

    def NUMBER(self, token: Token) -> float | int:
        return float(token) if "." in token else int(token)

    def PARAMETER(self, token: Token) -> Parameter:
        return Parameter(str(token)[1:])
