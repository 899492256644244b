"""Rooms, floors and arrows of ``mpe``, and how long its functions are: ``python -m tests.layers``.

An arrow leads from a room to one that it imports; a room's floor is one above the highest that
it imports, so every arrow leads down.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles

import mpe

SOURCE = Path(mpe.__file__).parent
MAY_IMPORT = {
    "model": set(),
    "aws": {"model"},
    "handlers": {"model", "aws"},
    "infrastructure": {"model"},
    "assembly": set(),
    "emulator": {"model"},
    "local": {"model", "emulator", "assembly"},
    "release": {"model", "infrastructure", "assembly"},
    "data": {"model"},
    "cli": {"model", "aws", "infrastructure", "emulator", "local", "data"},
}
FLOORS = {
    "errors": {"text"},
    "text": set(),
    "endpoints": set(),
    "usage": set(),
    "rules": {"errors", "text"},
    "service": {"rules", "errors", "text"},
    "config": {"gate", "service", "rules", "errors", "text"},
    "plan": {"gate", "config", "service", "rules", "errors", "text"},
    "gate": {"service", "rules", "errors", "text"},
    "remedies": {"plan", "service"},
    "messages": {"gate", "plan", "remedies", "rules", "config", "service", "errors", "text"},
}
"""What each room of the model may use of the others: no arrow leads back up."""
LIBRARIES = {
    "boto3": {"aws", "local", "release", "cli"},
    "aws_cdk": {"infrastructure"},
    "constructs": {"infrastructure"},
    "ministack": {"local"},
    "duckdb": {"data"},
    "numpy": {"emulator"},
    "scipy": {"emulator"},
    "click": {"release", "cli"},
    "rich": {"release", "cli"},
    "aws_lambda_powertools": {"handlers"},
}
"""Libraries that only some rooms may use; botocore's data serves the model as well."""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def wrong() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        if len(parts) == 1:
            continue
        room = parts[0]
        for line, name in imports(path):
            place = f"{path.relative_to(SOURCE)}:{line} imports {name}"
            top, *rest = name.split(".")
            if top == "mpe" and rest and rest[0] != room and rest[0] not in MAY_IMPORT[room]:
                yield place
            if room not in LIBRARIES.get(top, {room}):
                yield place


def upstairs() -> Iterator[str]:
    """Find the imports within the model that lead back up."""
    model = SOURCE / "model"
    for path in sorted(model.rglob("*.py")):
        room = path.relative_to(model).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for line, name in imports(path):
            *top, found = name.split(".")[:3]
            inner = top == ["mpe", "model"] and found != room
            if name == "mpe.model" or (inner and found not in FLOORS[room]):
                yield f"{path.relative_to(SOURCE)}:{line} imports {name}"


Arrows = dict[str, set[str]]


def arrows(top: Path = SOURCE, package: str = "mpe") -> Arrows:
    """Return which rooms of a package each of its rooms imports."""
    found: Arrows = {}
    for path in sorted(top.rglob("*.py")):
        room = path.relative_to(top).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        others = found.setdefault(room, set())
        for _, name in imports(path):
            if name.startswith(f"{package}."):
                others.add(name.removeprefix(f"{package}.").split(".")[0])
        others.discard(room)
    return found


def floors(found: Mapping[str, set[str]]) -> dict[str, int]:
    """Return each room's floor; raise ValueError where rooms import each other in a circle."""
    left, known = dict(found), dict[str, int]()
    while left:
        ready = [room for room, others in left.items() if others <= known.keys()]
        if not ready:
            raise ValueError(f"a circle: {', '.join(sorted(left))}")
        known |= {room: 1 + max((known[one] for one in left[room]), default=0) for room in ready}
        left = {room: others for room, others in left.items() if room not in known}
    return known


def drawn(found: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the rooms from the top floor down, each with its arrows."""
    on = floors(found)
    for room in sorted(found, key=lambda one: (-on[one], one)):
        arrow = f" -> {', '.join(sorted(found[room]))}" if found[room] else ""
        yield f"{on[room]}  {room}{arrow}"


def lengths(paths: Iterable[Path]) -> list[tuple[int, str]]:
    """Return how many lines each function has, longest first.

    Its docstring counts, and its parameters do not: a command's are its options.
    """
    found = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
                found.append((lines, f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}"))
    return sorted(found, reverse=True)


def share_below(found: Iterable[tuple[int, str]], percent: int) -> float:
    """Return the length that this share of functions does not exceed."""
    return quantiles([lines for lines, _ in found], n=100)[percent - 1]


def report() -> Iterator[str]:
    yield from ("Floors and arrows of mpe", *drawn(arrows()), "")
    inner = arrows(SOURCE / "model", "mpe.model")
    yield from ("Floors and arrows of mpe.model", *drawn(inner), "")
    found = lengths(SOURCE.rglob("*.py"))
    middle, most = median(lines for lines, _ in found), share_below(found, 90)
    yield f"{len(found)} functions: median {middle:g} lines, 90 % of them at most {most:g}"
    yield from (f"{lines:4}  {place}" for lines, place in found[:10])


if __name__ == "__main__":
    print("\n".join(report()))
