"""What is read of a filter expression, held against what lark reads by the grammar beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken

from mpe.model.service.expressions import (
    CurrentItem,
    Expression,
    Filter,
    NotReadError,
    Parameter,
    Predicate,
    read,
)

GRAMMAR = Path(__file__).with_name("filters.lark").read_text(encoding="utf-8")
LARK = Lark(GRAMMAR, parser="lalr", maybe_placeholders=True)
WORDS = (
    *("INCLUDE", "exclude", "ItemID", "userid", "ActionID", "WHERE", "Where", "IF", "If"),
    *("AND", "or", "NOT", "IN", "in", "(", ")", ",", "|", "*", ".", "=", "!=", "<", ">=", "!"),
    *("Items", "A", "EVENT_TYPE", "CurrentItem", "CurrentItem.G", "Items.A", "CurrentUser.AGE"),
    *("$P", "$", "1", "-2.5", "-", "1.", "00", '"x"', "'y'", '"*"', '""', '"', "'", "\\"),
    *(r'"\""', '"\\', '"a\nb"', "_", "0x", "INCLUDEItemID", "\t", "\n", "\u2003", "\u0663", "\x00"),
)
WHOLE = (
    "INCLUDE ItemID WHERE Items.GENRES IN (\"Comedy\", 'Drama') AND Items.YEAR >= 1990",
    "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*) | INCLUDE ItemID WHERE Items.A = $P",
    "INCLUDE ItemID WHERE Items.G NOT IN (1, -2.50, $Q) OR Items.H IN CurrentItem.G",
    "include UserID where Users.AGE<(5) if CurrentUser.AGE < CurrentItem.AGE AND CurrentUser.B = 1",
)


def by_lark(expression: str) -> Filter | int:
    """Return what lark reads, or the position at which it reads no further."""
    try:
        tree = LARK.parse(expression)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = error.pos_in_stream
        return len(expression) if ended or at is None or at < 0 else at
    built: Filter = Build().transform(tree)
    return built


def by_us(expression: str) -> Filter | int:
    try:
        return read(expression)
    except NotReadError as error:
        return error.position


def edited(given: tuple[str, int, int, str]) -> str:
    """Return an expression in which something else stands in a place."""
    whole, start, length, other = given
    start %= len(whole) + 1
    return whole[:start] + other + whole[start + length :]


SOME = st.lists(st.sampled_from(WORDS), max_size=3)
EDITED = st.tuples(
    st.sampled_from(WHOLE), st.integers(0, 200), st.integers(0, 12), SOME.map("".join)
).map(edited)
JOINED = st.tuples(st.sampled_from(("", " ")), st.lists(st.sampled_from(WORDS), max_size=25)).map(
    lambda one: one[0].join(one[1])
)


@given(st.one_of(EDITED, JOINED, EDITED.map(str.swapcase)))
@example('INCLUDE ItemID WHERE Items.A IN ("*", "x")')
@example("INCLUDE ItemID WHERE Items.A IN (*, 1)")
@example("INCLUDE ItemID WHERE Items.A IN$P")
@example("INCLUDE ItemID WHERE Items.A = 5AND Items.B = 1")
@example("INCLUDE ItemID WHERE Items.A = 1 ")
@example("  ")
def test_an_expression_is_read_as_lark_reads_it(expression: str) -> None:
    assert by_us(expression) == by_lark(expression)


@pytest.mark.parametrize("expression", WHOLE)
def test_every_edited_expression_was_one(expression: str) -> None:
    assert isinstance(by_us(expression), Filter)
    assert by_us(expression) == by_lark(expression)


class Build(Transformer[Token, Filter]):
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
