"""How large a document may be that somebody else wrote, so that checking it ends soon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mpe.model.errors import Problem
from mpe.model.rules import files as rules

SIZE_LIMIT = 1_000_000
"""Bytes that a config may have."""
DEPTH_LIMIT = 32
"""How deep objects and lists may be nested; the service's own parameters need about ten."""
VALUES_LIMIT = 20_000
"""Values that a config may hold: a hundred solutions, each with a campaign, need about 1,500."""
PROBLEMS_LIMIT = 1_000
"""Problems that are told of one config; the search for more ends there."""
DIGITS_LIMIT = 20
"""Digits of a whole number: more than 64 bits hold is nowhere a value."""
TOO_DEEP = f"is nested more than {DEPTH_LIMIT} deep."

_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def too_deep(text: str) -> bool:
    """Tell whether a text that is no JSON is nested deeper than anything needs, as far as it goes.

    How deep the parser of the standard library goes depends on the process that it is in.
    """
    depth = 0
    for found in _NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > DEPTH_LIMIT:
            return True
    return False


def excesses(document: Any, path: str = "$") -> Iterator[Problem]:
    """Find a document that would take too long to check, or more stack than there is."""
    layer, depth, count = [document], 0, 1
    while layer:
        if depth > DEPTH_LIMIT:
            yield rules.DEPTH.problem(path, TOO_DEEP, "Nothing needs that.")
            return
        layer = [inner for one in layer for inner in _inner(one)]
        depth, count = depth + 1, count + len(layer)
    if count > VALUES_LIMIT:
        many = f"holds {count:,} values; the most is {VALUES_LIMIT:,}."
        yield rules.VALUES.problem(path, many, "Split it into several dataset groups.")


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def some(found: Iterable[Problem]) -> list[Problem]:
    """Return each problem once; where there are too many, the first and one that says so."""
    kept: dict[Problem, None] = {}
    for one in found:
        kept[one] = None
        if len(kept) > PROBLEMS_LIMIT:
            more = f"has more problems than these {PROBLEMS_LIMIT:,}."
            last = rules.MANY_PROBLEMS.problem("$", more, "Mend these first.")
            return [*list(kept)[:PROBLEMS_LIMIT], last]
    return list(kept)
