"""Imports go one way: the rule in ``mpe/__init__.py``, enforced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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
    "service": {"errors", "text"},
    "config": {"service", "errors", "text"},
    "plan": {"config", "service", "errors", "text"},
    "messages": {"plan", "config", "service", "errors", "text"},
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


def test_imports_go_one_way() -> None:
    assert list(wrong()) == []


def test_imports_within_the_model_go_one_way() -> None:
    assert list(upstairs()) == []


def test_every_floor_of_the_model_has_its_rule() -> None:
    found = {path.stem for path in (SOURCE / "model").iterdir() if not path.name.startswith("_")}
    assert found == set(FLOORS)


def test_every_room_has_its_rule() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(MAY_IMPORT)
