"""The constraints of Amazon Personalize's own service model.

botocore checks only some of what the service does: required members, types and minima. The
rest (maxima, patterns, enumerations) stands in the same model and is checked here, for the
config's validation and for the emulator alike.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mpe.model.errors import Problem
from mpe.model.rules import parameters as rules
from mpe.model.rules.record import Rule
from mpe.model.service.operations import (
    ListShape,
    MapShape,
    Shape,
    StringShape,
    StructureShape,
)


def violations(shape: Shape, value: Any, path: str = "$") -> Iterator[Problem]:
    """Yield every way in which a value is not of a shape, with the path to it."""
    check = _CHECKS.get(shape.type_name)
    if check is None:  # blob: nothing in this service's requests
        return
    wrong = _wrong_type(shape, value, path)
    if wrong:
        yield wrong
    else:
        yield from check(shape, value, path)


COMPARED = 100
"""Characters of a wrong name that are compared with the right ones."""


def near(name: str, known: Any, *, like: float = 0.6) -> str | None:
    """Return the known key that another is like, by that share of their letters, or None."""
    spelt = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name[:COMPARED].lower(), list(spelt), n=1, cutoff=like)
    return spelt[found[0]] if found else None


def unknown(name: str, known: Any, path: str, rule: Rule = rules.KEY) -> Problem:
    """Say that a key is not known, and which one may be meant."""
    meant = near(name, known)
    remedy = f"Did you mean {meant!r}?" if meant else f"Known here: {', '.join(sorted(known))}."
    return rule.problem(member(path, name), "is not a key that is known here.", remedy)


def member(path: str, name: str) -> str:
    """Return the JSON path of a member: ``$.a.b``, or ``$.a['b c']`` for unusual names."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
    return f"{path}.{name}" if plain else f"{path}[{json.dumps(name)}]"


def shown(value: Any, limit: int = 60) -> str:
    """Show a value as JSON, shortened."""
    text = json.dumps(value, default=str)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}
_SPOKEN = {
    "structure": "an object",
    "map": "an object",
    "list": "a list",
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "timestamp": "a time",
}


def _wrong_type(shape: Shape, value: Any, path: str) -> Problem | None:
    wanted = _PYTHON_TYPES[shape.type_name]
    fits = isinstance(value, wanted) and not (isinstance(value, bool) and bool not in wanted)
    if fits and not (isinstance(value, float) and not math.isfinite(value)):
        return None
    return rules.TYPE.problem(path, f"must be {_SPOKEN[shape.type_name]}, not {shown(value)}.")


def _structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for name in shape.required_members:
        if name not in value:
            yield rules.REQUIRED.problem(member(path, name), "is required.", "Add it.")
    for name, inner in value.items():
        if name not in shape.members:
            yield unknown(str(name), shape.members, path)
        else:
            yield from violations(shape.members[name], inner, member(path, name))


def _list(shape: ListShape, value: list[Any], path: str) -> Iterator[Problem]:
    yield from _size(shape, len(value), path, "items")
    for index, inner in enumerate(value):
        yield from violations(shape.member, inner, f"{path}[{index}]")


def _map(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    yield from _size(shape, len(value), path, "entries")
    for key, inner in value.items():
        yield from violations(shape.key, key, member(path, str(key)))
        yield from violations(shape.value, inner, member(path, str(key)))


def _string(shape: StringShape, value: str, path: str) -> Iterator[Problem]:
    yield from _size(shape, len(value), path, "characters")
    allowed = shape.enum
    if allowed and value not in allowed:
        near = difflib.get_close_matches(value[:COMPARED].upper(), allowed, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        told = f"{shown(value)} is not one of {', '.join(allowed)}."
        yield rules.ENUM.problem(path, told, meant.strip())
    pattern = shape.metadata.get("pattern")
    if len(value) > shape.metadata.get("max", math.inf):
        return  # told already, and a pattern may take long on a long text
    if pattern and not _compiled(shape.name, pattern).search(value):
        yield rules.PATTERN.problem(
            path, f"{shown(value)} is not of the form {pattern}.", _FORMS.get(shape.name, "")
        )


_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
"""What the types of whole numbers hold (https://smithy.io/2.0/spec/simple-types.html)."""


def _number(shape: Shape, value: float, path: str) -> Iterator[Problem]:
    least, most = _RANGES.get(shape.type_name, (None, None))
    low, high = shape.metadata.get("min", least), shape.metadata.get("max", most)
    if low is not None and value < low:
        yield rules.RANGE.problem(path, f"{value} is too small.", f"The least is {low}.")
    if high is not None and value > high:
        yield rules.RANGE.problem(path, f"{value} is too large.", f"The most is {high}.")


def _boolean(shape: Shape, value: bool, path: str) -> Iterator[Problem]:
    return iter(())


def _size(shape: Shape, size: int, path: str, unit: str) -> Iterator[Problem]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield rules.SIZE.problem(path, f"has {size} {unit}.", f"The least is {low}.")
    if high is not None and size > high:
        yield rules.SIZE.problem(path, f"has {size} {unit}.", f"The most is {high}.")


_FORMS = {
    "Name": "Use letters, digits, - and _, beginning with a letter or a digit.",
    "Arn": "Give the ARN of a resource of Amazon Personalize.",
}
"""What some patterns mean, for people."""

_ANCHORED = frozenset({"Name", "ColumnName", "SchedulingExpression"})
"""Shapes whose pattern the service means for the whole value, though it is not anchored."""


_SPACES = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's separators, which is what Java means by ``\\p{Z}``: no tabs and no line ends."""


@cache
def _compiled(shape: str, pattern: str) -> re.Pattern[str]:
    """Translate a pattern of the model, which is Java's, into Python's."""
    if r"\p{" in pattern:  # only the tags' form: letters, spaces, digits and some signs
        pattern = rf"\A[\w{_SPACES}.:/=+\-@]*\Z"
    anchored = rf"(?:{pattern})\Z" if shape in _ANCHORED else pattern
    return re.compile(rf"\A{anchored}" if shape in _ANCHORED else anchored)


_CHECKS: dict[str, Any] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _boolean,
}
