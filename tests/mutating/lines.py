"""Notes which statements of some modules are run.

Their functions are put into the place of what is loaded, each statement with a note before it:
the rest of the program runs as fast as ever, which it does not where the interpreter is traced.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType

from tests.mutating.codes import Loaded, changed

NOTE = "_note_of_mutants"
"""What a statement calls before it runs: all code finds it, as it finds ``print``."""


class Lines:
    """Notes statements, by file and first line, from when it is made until it is ended."""

    def __init__(self, source: Path, folders: Sequence[str]) -> None:
        self._places: list[tuple[str, int]] = []
        self._noted: set[int] = set()
        setattr(builtins, NOTE, self._noted.add)
        both = []
        for path in sorted(path for folder in folders for path in Path(folder).rglob("*.py")):
            module = ".".join(path.relative_to(source).with_suffix("").parts)
            importlib.import_module(module.removesuffix(".__init__"))
            both.append(self._codes(path))
        self._loaded = Loaded(folders)
        self._loaded.put({key: code for each in both for key, code in changed(*each).items()})
        self._before = [changed(other, one) for one, other in both]

    def _codes(self, path: Path) -> tuple[CodeType, CodeType]:
        """Return a module's code as it is, and with notes."""
        text, name = path.read_text(), str(path)
        noting = _Noting(name, self._places).visit(ast.parse(text))
        return (
            compile(text, name, "exec"),
            compile(ast.fix_missing_locations(noting), name, "exec"),
        )

    def taken(self) -> dict[str, list[int]]:
        """Return what was noted since it was asked last."""
        found: dict[str, list[int]] = {}
        for name, line in sorted({self._places[number] for number in self._noted}):
            found.setdefault(name, []).append(line)
        self._noted.clear()
        return found

    def end(self) -> None:
        """Put the functions back as they were."""
        self._loaded.put({key: code for codes in self._before for key, code in codes.items()})


class _Noting(ast.NodeTransformer):
    """Puts a note before each statement within a function."""

    def __init__(self, name: str, places: list[tuple[str, int]]) -> None:
        self.name, self.places, self.inside = name, places, False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        was, self.inside = self.inside, True
        self.generic_visit(node)
        self.inside = was
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for key in ("body", "orelse", "finalbody"):
            body = getattr(node, key, None)
            if self.inside and isinstance(body, list):
                setattr(node, key, list(self._noting(body)))
        return node

    def _noting(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        for one in body:
            self.places.append((self.name, one.lineno))
            note = ast.parse(f"{NOTE}({len(self.places) - 1})").body[0]
            for each in ast.walk(note):
                ast.copy_location(each, one)
            yield note
            yield one
