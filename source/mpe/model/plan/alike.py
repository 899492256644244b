"""Whether what the service describes is what a config asks for, though it is put differently.

Describe does not echo: it renames keys, adds defaults, gives numbers as text, rounds, sorts
and changes the case of what has none. To take that for a difference would refuse every later
run of a config, or update for ever.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mpe.model.text import number_of

ROUNDED = 1e-6
"""The share by which a number may differ: what a float of 32 bits makes of one of 64."""
CASELESS = frozenset(
    {
        "datasetType",
        "eventType",
        "excludedDatasetColumns",
        "includedDatasetColumns",
        "itemAttribute",
    }
)
"""Keys below which texts are compared case aside: names of datasets, columns and event types
(https://docs.aws.amazon.com/personalize/latest/dg/filter-expressions.html, and kept outputs)."""
RENAMED = {
    f"{end}_user_history_length_percentile": f"{end}_hist_length_percentile"
    for end in ("min", "max")
}
"""What Describe calls a key, whatever was given (https://github.com/boto/boto3/issues/3514)."""
EXPRESSIONS = frozenset({"filterExpression", "expression"})
TOKENS = re.compile(r'"[^"]*"|\$?\w+|[<>!=]+|\S')


def included(wanted: Any, found: Any, key: str = "") -> bool:
    """Tell whether all of ``wanted`` is in ``found``; ``key`` is the nearest above both."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and _keys(wanted, found, key)
    if isinstance(wanted, list | tuple):
        return isinstance(found, list | tuple) and _items(wanted, found, key)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return str(wanted).lower() == str(found).lower()
    if isinstance(wanted, str) and isinstance(found, str):
        return _texts(wanted, found, key) or _numbers(wanted, found)
    return bool(wanted == found) or _numbers(wanted, found)


def _keys(wanted: Mapping[str, Any], found: Mapping[str, Any], above: str) -> bool:
    known = {_name(key, above): value for key, value in found.items()}
    return all(
        included(value, known[name], above if above in CASELESS else key)
        if (name := _name(key, above)) in known
        else _nothing(value)
        for key, value in wanted.items()
    )


def _name(key: str, above: str) -> str:
    if above in CASELESS:
        return key.lower()
    return RENAMED.get(key, key) if above == "featureTransformationParameters" else key


def _nothing(value: Any) -> bool:
    """Tell whether a value is what the service means where it leaves the key out."""
    return value is False or value in ({}, [], None)


def _items(wanted: Sequence[Any], found: Sequence[Any], key: str) -> bool:
    """Tell whether lists have the same items, whatever their order, which means nothing.

    What says most is looked for first, so that what says little does not take its place.
    """
    left = list(found)
    for one in sorted(wanted, key=_size, reverse=True):
        same = next((other for other in left if included(one, other, key)), None)
        if same is None:
            return False
        left.remove(same)
    return not left


def _size(value: Any) -> int:
    """Return how much a value says."""
    if isinstance(value, Mapping):
        return len(value) + sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list | tuple) else 1


def _numbers(wanted: Any, found: Any) -> bool:
    one, other = number_of(wanted), number_of(found)
    if one is None or other is None:
        return False
    return math.isclose(one, other, rel_tol=ROUNDED, abs_tol=ROUNDED**2)


def _texts(wanted: str, found: str, key: str) -> bool:
    if key in EXPRESSIONS:
        return _tokens(wanted) == _tokens(found)
    if key in CASELESS:
        return wanted.lower() == found.lower()
    return wanted == found or _truth(wanted, found) or _newest_of(wanted, found)


def _tokens(text: str) -> list[str]:
    """Return what an expression is made of; only its words have no case."""
    return [one if one[0] in '"$' else one.lower() for one in TOKENS.findall(text)]


def _truth(wanted: str, found: str) -> bool:
    return wanted.lower() == found.lower() and wanted.lower() in {"true", "false"}


def _newest_of(wanted: str, found: str) -> bool:
    """Tell whether ``<solution>/$LATEST`` was asked for and the service says which that is."""
    solution, slash, version = wanted.rpartition("/")
    return version == "$LATEST" and found.startswith(solution + slash)
