"""DynamoDB: what a query of many items takes."""

from __future__ import annotations

from functools import lru_cache

from mpe.local.ministack.difference import Difference

MOST = 1024
"""How many readings are kept."""


def read_expressions_once() -> None:
    """Read an expression once, and not for each item that it is asked of.

    Tokens are only looked at: MiniStack takes none out and puts none in.
    """
    from ministack.services import dynamodb

    kept = lru_cache(MOST)
    dynamodb._tokenize = kept(dynamodb._tokenize)
    dynamodb._condition_syntax_error = kept(dynamodb._condition_syntax_error)


DIFFERENCES = (
    Difference(
        aws="what an expression costs is nothing of this machine's",
        alone="it is read anew for each item, which took half of a run with 100 solutions",
        page=None,
        test="test_dynamodb.py::test_alone_an_expression_is_read_for_each_item",
        make_good=lambda start: read_expressions_once(),
    ),
)
