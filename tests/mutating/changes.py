"""The changes of a module that are worth a trial: Cosmic Ray's, and three kinds of our own."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.conftest import ROOT


@dataclass(frozen=True)
class Change:
    """One change of one module, and what the module's source is then."""

    module: str
    line: int
    first: int
    last: int
    """The lines of the statement: a test that runs one of them runs the change."""
    text: str
    operator: str
    becomes: str
    source: str


def changes(module: str, cosmic_python: str) -> list[Change]:
    """Return every change of the bodies of a module's functions that means something.

    Constants, defaults and the bodies of classes stay as they are: to notice another number
    there, a test would compare it with itself. Annotations are never run.
    """
    source = (ROOT / module).read_text()
    made = [*_cosmic(module, cosmic_python), *own(source)]
    tree = ast.parse(source)
    parts, spans = _parts(source, tree), statements(tree)
    found = {
        text: change(module, source, text, operator, spans[line])
        for operator, line, text in made
        if line in parts and _means(source, text, parts[line])
    }
    return sorted(found.values(), key=lambda one: (one.line, one.operator, one.becomes))


def _cosmic(module: str, python: str) -> Iterator[tuple[str, int, str]]:
    """Yield the operator, the line and the source of each of Cosmic Ray's changes."""
    script = str(Path(__file__).with_name("cosmic.py"))
    command = [python, script, module]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for line in said.splitlines():
        one = json.loads(line)
        if one["source"]:
            yield one["operator"], one["line"], one["source"]


def own(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield what Cosmic Ray has no operator for, as it yields its own.

    A call whose result nobody takes is left out, a named argument is left out, and such a call
    changes places with a neighbouring statement that calls something.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield "LeaveOutCall", node.lineno, _replaced(source, node, "pass")
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg:
                    yield "LeaveOutArgument", keyword.lineno, _without(source, keyword)
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(body, list):
                yield from _swapped(source, body)


def _swapped(source: str, body: Sequence[ast.stmt]) -> Iterator[tuple[str, int, str]]:
    for one, other in pairwise(body):
        if _calls(one) and _calls(other) and ast.Expr in {type(one), type(other)}:
            first, second = (
                ast.get_source_segment(source, one),
                ast.get_source_segment(source, other),
            )
            text = _replaced(_replaced(source, other, first or ""), one, second or "")
            yield "SwapStatements", one.lineno, text


def _calls(node: ast.stmt) -> bool:
    simple = isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign)
    return simple and any(isinstance(one, ast.Call) for one in ast.walk(node))


def _without(source: str, keyword: ast.keyword) -> str:
    """Return the source without a named argument and the comma after it."""
    text = _replaced(source, keyword, "\0")
    before, _, after = text.partition("\0")
    rest = after.lstrip()
    return before + (rest[1:].lstrip(" ") if rest.startswith(",") else after)


def _replaced(source: str, node: ast.AST, text: str) -> str:
    lines = source.splitlines(keepends=True)
    start, end = _offset(lines, node, ""), _offset(lines, node, "end_")
    return source[:start] + text + source[end:]


def _offset(lines: Sequence[str], node: ast.AST, which: str) -> int:
    """Return where a node begins or ends: Python counts columns in bytes of UTF-8."""
    line, column = getattr(node, f"{which}lineno"), getattr(node, f"{which}col_offset")
    inside = len(lines[line - 1].encode()[:column].decode())
    return sum(len(one) for one in lines[: line - 1]) + inside


def _parts(source: str, tree: ast.Module) -> dict[int, tuple[int, int]]:
    """Return where the function begins and ends that each line is in, if its body is."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found: dict[int, tuple[int, int]] = {}
    for each in ast.walk(tree):
        if isinstance(each, kinds):
            end = each.end_lineno or each.lineno
            for number in range(each.body[0].lineno, end + 1):
                found.setdefault(number, (starts[each.lineno - 1], starts[end]))
    return found


def _means(source: str, text: str, part: tuple[int, int]) -> bool:
    """Tell whether a changed source is Python, and another program."""
    start, end = part
    now = _meaning(text[start : len(text) - len(source) + end])
    return now is not None and now != _meaning(source[start:end])


class _Unannotated(ast.NodeTransformer):
    """Takes away what is not run: annotations, and casts' types."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


@cache
def _meaning(part: str) -> str | None:
    """Return what is run of a function's source; ``None`` where it is no Python."""
    inside = f"if True:\n{part}" if part[0] == " " else part
    try:
        return ast.dump(_Unannotated().visit(ast.parse(inside)))
    except SyntaxError:
        return None


def statements(tree: ast.AST) -> dict[int, tuple[int, int]]:
    """Return for each line where its statement begins and ends; of one with a body, its head."""
    found: dict[int, tuple[int, int]] = {}
    for node in ast.walk(tree):  # the outer before the inner
        if isinstance(node, ast.stmt):
            last = node.end_lineno or node.lineno
            for line in range(node.lineno, last + 1):
                body = getattr(node, "body", None)
                head = body and body[0].lineno > line
                end = max(node.lineno, body[0].lineno - 1) if body and head else last
                found[line] = (node.lineno, end)
    return found


def change(module: str, source: str, text: str, operator: str, span: tuple[int, int]) -> Change:
    """Return the change that makes ``text`` of a module's source."""
    old, new = source.splitlines(), text.splitlines()
    first = next(n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    same = 0
    while same < min(len(old), len(new)) - first and old[-1 - same] == new[-1 - same]:
        same += 1
    becomes = " ".join(part.strip() for part in new[first : len(new) - same]) or "(left out)"
    return Change(module, first + 1, *span, old[first].strip(), operator, becomes, text)
