"""The functions on the Python that Lambda runs them on, with the layer that they get there.

npm's ``pyodide`` is CPython 3.14 in WebAssembly (https://pyodide.org). Python code is the same
there; ``rpds``, the one library of machine code, is stubbed, so of it this shows nothing.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mpe.infrastructure.package import LAMBDA, code, layer
from tests.conftest import MOVIELENS, ROOT


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = Path(layer(LAMBDA)) / "python"
    own = code(LAMBDA, tmp_path_factory.mktemp("build"))
    script = ROOT / "tests" / "infrastructure" / "runtime.mjs"
    command = ["node", script, place, own, MOVIELENS / "config.json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_the_python_that_lambda_has(ran: Any) -> None:
    assert tuple(ran["version"]) == LAMBDA.python


def test_every_handler_can_be_imported_and_a_config_be_read(ran: Any) -> None:
    assert ran["failed"] == {}
    names = {one.stem for one in (ROOT / "source" / "mpe" / "handlers").glob("[a-z]*.py")}
    assert set(ran["handlers"]) == names


def test_the_libraries_are_the_layers(ran: Any) -> None:
    places = dict(ran["places"])
    assert places.pop("mpe").startswith("/var/task/")
    assert all(place.startswith("/opt/python/") for place in places.values())


def test_only_one_library_is_of_machine_code() -> None:
    """What is compiled for Lambda cannot be tried here, so it must stay this one."""
    place = Path(layer(LAMBDA)) / "python"
    compiled = {one.relative_to(place).parts[0] for one in place.rglob("*.so")}
    assert compiled == {"rpds"}
