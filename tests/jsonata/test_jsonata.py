"""Each JSONata expression of the workflows means the same to the reference implementation.

The local cloud evaluates with a port to Python; AWS implements JSONata 2.0.6
(https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html), which is the
release of npm's ``jsonata`` that package.json pins. Both get what the states of whole runs were
given, and that with each value that an expression reads missing, empty, alone or of another type.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpe.assembly.synthesis import Assembly
from tests.conftest import ROOT
from tests.workflows import GOLDEN

Evaluation = dict[str, Any]
REFERENCE = Path(__file__).parent / "reference.mjs"
EDGES: tuple[Any, ...] = (
    None, False, True, 0, 1, -1.5, 2**53, "", "0", "näïve ☃ 𝄞", "x" * 3000,
    [], [None], [1], [[]], [[1]], [True], [False, True], [{}],
    {}, {"failed": True}, {"failed": []}, {"id": "a", "version": "v"}, {"cause": "c"},
    [{"cause": "c"}], [{"cause": "c"}, {}], [{"failed": False}, {"failed": True}],
)  # fmt: skip
"""What stands in the place of each value that an expression reads."""
MISSING = object()
PORTS_OWN = {
    "[null]": "a null that is mapped is left out; no list of nulls is read",
    "null": "$contains of null is false, not an error; a cause is a string",
    "1": "true in 1, since Python's true is 1; failed is true or false",
    "[1]": "true in [1], for the same reason",
    '""': "$partition cuts text too, and nothing of an object; what is cut is a list",
    "{}": "the same",
    '"0"': "the same",
    json.dumps("näïve ☃ 𝄞"): "the same",
    json.dumps("x" * 3000): "the same",
}
"""Where the port differs, by what stands in the place of a value: why no state has it."""
ENGINE = "States.QueryEvaluationError"


def expressions() -> dict[str, list[str]]:
    """Return every expression of the synthesized machines, and the fields that it stands in."""
    found: dict[str, list[str]] = {}
    for path in GOLDEN.glob("*.asl.json"):
        for field, text in _texts(json.loads(path.read_text()), ""):
            if text.startswith("{%"):
                found.setdefault(text[2:-2].strip(), []).append(field)
    return found


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    items = value.items() if isinstance(value, dict) else ()
    for key, one in items:
        yield from _texts(one, key)
    for one in value if isinstance(value, list) else ():
        yield from _texts(one, field)


@pytest.fixture(scope="module")
def recorded(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> list[Evaluation]:
    """Return what whole runs evaluate; in a process of its own, whose clock they change."""
    path = tmp_path_factory.mktemp("recorded") / "evaluations.json"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'source'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.jsonata.recording", assembly.folder, path]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Evaluation] = {}
    for one in json.loads(path.read_text()):
        found.setdefault(json.dumps(one, sort_keys=True), one)
    return list(found.values())


def edges(expression: str, bindings: dict[str, Any]) -> Iterator[Evaluation]:
    """Yield an expression with each value that it reads, and what holds it, replaced in turn."""
    for path in sorted(_read(expression)):
        always = path[0] == "states" and len(path) == 2  # the states' input is never missing
        for value in EDGES if always else (MISSING, *EDGES):
            found = _with(bindings, path, value)
            said = None if value is MISSING else json.dumps(value)
            yield {"expression": expression, "bindings": found, "value": said}


def _read(expression: str) -> set[tuple[str, ...]]:
    """Return the paths that an expression reads from, and those above them."""
    names = re.findall(r"\$((?:states|work|run)\b[\w.]*)", expression)
    inner = re.findall(r"\[\$exists\((\w+)\)\]", expression)
    paths = {tuple(name.strip(".").split(".")) for name in names}
    paths |= {(*path, more) for path in paths for more in inner}
    above = {path[:length] for path in paths for length in range(2, len(path))}
    return {path for path in paths | above if path != ("states", "context")}


def _with(bindings: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return bindings with another value at a path; with MISSING, with none there."""
    found = copy.deepcopy(bindings)
    at = found
    for key in path[:-1]:
        if not isinstance(at.get(key), dict):
            at[key] = {}
        at = at[key]
    at.pop(path[-1], None)
    if value is not MISSING:
        at[path[-1]] = copy.deepcopy(value)  # no two share one
    return found


def by_reference(asked: list[Evaluation]) -> list[Any]:
    """Return what the reference implementation makes of each."""
    ran = subprocess.run(
        ["node", REFERENCE], input=json.dumps(asked), capture_output=True, text=True, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stderr
    return [one.get("value", ENGINE) for one in json.loads(ran.stdout)]


def by_port(asked: Evaluation) -> Any:
    """Return what the local cloud's engine makes of one."""
    from ministack.services import stepfunctions

    states = asked["bindings"]["states"]
    variables = {key: one for key, one in asked["bindings"].items() if key != "states"}
    context = {**states.get("context", {}), "variables": variables}
    try:
        return stepfunctions._evaluate_jsonata(
            asked["expression"],
            states.get("input"),
            context,
            states.get("result"),
            states.get("errorOutput"),
        )
    except stepfunctions._ExecutionError:
        return ENGINE


def differing(asked: list[Evaluation]) -> list[Evaluation]:
    """Return where the two do not agree, with what each made of it."""
    answers = zip(asked, by_reference(asked), strict=True)
    compared = [{**one, "port": by_port(one), "reference": found} for one, found in answers]
    return [one for one in compared if _plain(one["port"]) != _plain(one["reference"])]


def _plain(value: Any) -> str:
    """Return a value as JSON with one form for each number: JavaScript has one type of them."""
    return json.dumps(json.loads(json.dumps(value), parse_int=float), sort_keys=True)


def told(differences: list[Evaluation]) -> list[tuple[Any, ...]]:
    return [
        (one["expression"], one.get("value"), one["port"], one["reference"]) for one in differences
    ]


def all_edges(first: dict[str, dict[str, Any]]) -> list[Evaluation]:
    """Return the edges of every expression, around the bindings that are given for it."""
    nothing: dict[str, Any] = {"states": {"input": {}, "context": {}}}
    every = expressions()
    return [one for text in every for one in edges(text, first.get(text, nothing))]


@pytest.mark.local
def test_on_what_whole_runs_evaluate_both_agree(recorded: list[Evaluation]) -> None:
    assert told(differing(recorded)) == []


@pytest.mark.local
def test_no_expression_of_a_run_is_without_a_result(recorded: list[Evaluation]) -> None:
    """What is undefined fails a state: the page above, and the States Language's own text."""
    assert ENGINE not in by_reference(recorded)


@pytest.mark.local
def test_the_runs_evaluate_nearly_every_expression(recorded: list[Evaluation]) -> None:
    unseen = expressions().keys() - {one["expression"] for one in recorded}
    rare = ("tries", "$states.input.cause, 'AccessDenied'", "/ 1000); $max([$left, 1])")
    assert all(one == "$run" or any(part in one for part in rare) for one in unseen), unseen


@pytest.mark.local
def test_at_the_edges_of_what_runs_have_both_agree(recorded: list[Evaluation]) -> None:
    first: dict[str, dict[str, Any]] = {}
    for one in recorded:
        first.setdefault(one["expression"], one["bindings"])
    found = differing(all_edges(first))
    assert told([one for one in found if one["value"] not in PORTS_OWN]) == []


def test_at_the_edges_of_nothing_both_agree() -> None:
    found = differing(all_edges({}))
    assert told([one for one in found if one["value"] not in PORTS_OWN]) == []
    assert len(all_edges({})) > 3000


def test_the_port_still_differs_where_it_is_said_to() -> None:
    found = differing(all_edges({}))
    assert {one["value"] for one in found} == PORTS_OWN.keys()


@pytest.mark.parametrize("count", [0, 1, 2, 41])
def test_a_list_of_any_length_is_a_list_to_a_map(count: int) -> None:
    """A sequence of one collapses in JSONata, and ``Items`` must be an array.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
    """
    items = [text for text, fields in expressions().items() if "Items" in fields]
    assert items
    asked = []
    for text in items:
        (path,) = (one for one in _read(text) if not any(one == more[:-1] for more in _read(text))
                   and one != ("states", "input", "arn"))  # fmt: skip
        bindings: dict[str, Any] = {"states": {"input": {"arn": "a"}, "context": {}}}
        values = [f"r{number}" for number in range(count)]
        asked.append({"expression": text, "bindings": _with(bindings, path, values)})
    for one, found in zip(asked, by_reference(asked), strict=True):
        assert isinstance(found, list), one["expression"]
        chunked = 40 if "$partition" in one["expression"] else 1
        assert len(found) == -(-count // chunked), one["expression"]
