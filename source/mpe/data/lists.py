"""Lists that are written in one cell, parsed as what they are: JSON, Python, or plain."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

NAMES = ("name", "title", "label", "value", "text")
"""The members by which an object in a list is called."""
_STRINGS = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_APART = re.compile(r"""['"]\s+['"]""")


def parsed(cell: str) -> list[str] | None:
    """Return the parts of a list that is written in brackets; None where it is no list of texts."""
    inner = cell[1:-1].strip()
    if not inner:
        return []
    value = _literal(cell, inner)
    if value is None:
        return None
    found = [_part(one) for one in _flat(value)]
    if any(one is None for one in found):
        return None
    parts = [re.sub(r"\s*\|\s*", "/", one).strip() for one in found if one is not None]
    return list(dict.fromkeys(one for one in parts if one))


def _flat(value: Sequence[Any]) -> Iterator[Any]:
    """Yield the parts of lists in lists, which paths of categories are written as."""
    for one in value:
        if isinstance(one, list | tuple):
            yield from _flat(one)
        else:
            yield one


def _literal(cell: str, inner: str) -> Sequence[Any] | None:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = _python(cell, inner)
    if isinstance(value, dict):
        return None
    return list(value) if isinstance(value, list | tuple | set | frozenset) else None


def _python(cell: str, inner: str) -> Any:
    quoted = [one or two for one, two in _STRINGS.findall(cell)]
    if quoted and _APART.search(_STRINGS.sub("''", cell)):
        return quoted  # as numpy prints an array: without commas
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    if cell.startswith("{") and not re.search(r"[\[\]{}:]", inner):
        try:  # as PostgreSQL writes an array
            return [one.strip() for one in next(csv.reader([inner], escapechar="\\"))]
        except (csv.Error, StopIteration):
            return None
    if re.search(r"""["'\[\]{}:]""", inner):
        return None
    return [one.strip() for one in re.split(r"[,;|]", inner)]


def _part(one: Any) -> str | None:
    match one:
        case None:
            return ""
        case bool():
            return str(one).lower()
        case str() | int() | float():
            return re.sub(r"[\r\n]+", " ", str(one))
        case dict():
            named = (one[key] for key in NAMES if isinstance(one.get(key), str))
            return next(named, None)
    return None


def split(cell: str, separator: str) -> list[str]:
    """Return the parts of a cell between separators; empty ones are dropped."""
    return [one for one in (part.strip() for part in cell.split(separator)) if one]
