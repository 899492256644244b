"""DynamoDB: what a query of many items takes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from mpe.local.ministack.difference import Difference

MOST = 1024
"""How many readings are kept."""
BEGINNING = re.compile(r"\((#\w+) = (:\w+) AND begins_with\((#\w+), (:\w+)\)\)")
"""A condition on keys, as boto3 writes it: of one partition, those whose sort key begins so."""


def read_expressions_once() -> None:
    """Read an expression once, and not for each item that it is asked of.

    Tokens are only looked at: MiniStack takes none out and puts none in.
    """
    from ministack.services import dynamodb

    kept = lru_cache(MOST)
    dynamodb._tokenize = kept(dynamodb._tokenize)
    dynamodb._condition_syntax_error = kept(dynamodb._condition_syntax_error)


def compare_keys_at_once() -> None:
    """Compare an item's keys with a query's without walking the expression for each.

    MiniStack has looked at the expression before it looks at items. Two keys that are one, and
    values that are not of one type, are left to it.
    """
    from ministack.services import dynamodb

    evaluate = dynamodb._evaluate_condition

    def evaluated(
        expr: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
    ) -> bool:
        found = BEGINNING.fullmatch(expr) if slot == "KeyConditionExpression" else None
        if found:
            partition, whole, sort, begins = found.groups()
            try:
                if names[partition] != names[sort] and len(values[whole] | values[begins]) == 1:
                    same = bool(item[names[partition]] == values[whole])
                    return same and bool(item[names[sort]]["S"].startswith(values[begins]["S"]))
            except (KeyError, TypeError):
                pass
        return bool(evaluate(expr, item, values, names, slot=slot))

    dynamodb._evaluate_condition = evaluated


DIFFERENCES = (
    Difference(
        aws="what an expression costs is nothing of this machine's",
        alone="it is read anew for each item, which took half of a run with 100 solutions",
        page=None,
        test="test_dynamodb.py::test_alone_an_expression_is_read_for_each_item",
        make_good=lambda start: read_expressions_once(),
    ),
    Difference(
        aws="a query finds the items of a partition by the beginning of their sort key",
        alone="it walks an expression for each item of the partition",
        page="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html",
        test="test_dynamodb.py::test_alone_a_query_walks_its_expression_for_each_item",
        make_good=lambda start: compare_keys_at_once(),
    ),
)
