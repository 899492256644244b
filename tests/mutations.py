"""Takes a parameter out of every request that a test sends, to see whether the test notices.

A plugin of pytest. Alone it notes which parameters of which operations each test sends. With
``--trials FILE`` it runs each test that the file names, once for each parameter named beside it,
with that parameter left out (or, where it is required, with another value), until one fails.
A parameter of which all tests pass has no effect that a test shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from mpe.model.service.operations import service_model
from tests.conftest import REWRITES, ROOT

Document = dict[str, Any]
Trials = dict[str, list[str]]
"""For each test, the parameters to try, as ``Operation.parameter``."""
NUMBERS = count()


def sent() -> Trials:
    """Run the emulator's tests; return the parameters that each sends."""
    return dict(_run(None))


def noticed(trials: Trials) -> dict[str, str]:
    """Run tests without a parameter each; return the first test that failed, by parameter."""
    return dict(_run(trials))


def _run(trials: Trials | None) -> Any:
    with TemporaryDirectory() as folder:
        report, asked = Path(folder, "report.json"), Path(folder, "trials.json")
        asked.write_text(json.dumps(trials))
        more = ["--trials", str(asked)] if trials else []
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        plugin = ["-p", "tests.mutations", "--noticed", str(report), *more]
        subprocess.run(
            [*command, *plugin, "tests/emulator"],
            cwd=ROOT,
            env={**os.environ, "PYTEST_ADDOPTS": ""},  # somebody's --maxfail would end it early
            capture_output=True,
            check=False,
        )
        return json.loads(report.read_text())


@dataclass
class Sent:
    """Notes the parameters of every request."""

    met: set[str] = field(default_factory=set)

    def __call__(self, service: str, name: str, params: Document) -> Document:
        """Return the parameters as they are."""
        for outer, value in params.items():
            self.met.add(f"{name}.{outer}")
            if isinstance(value, dict):
                self.met |= {f"{name}.{outer}.{inner}" for inner in value}
        return params


@dataclass
class Mutation:
    """One parameter of an operation that is taken out."""

    parameter: str
    met: bool = False

    def __call__(self, service: str, name: str, params: Document) -> Document:
        """Return the parameters without it, or with another where it must be there."""
        operation, outer, *inner = self.parameter.split(".")
        if (
            name != operation
            or outer not in params
            or any(one not in params[outer] for one in inner)
        ):
            return params
        self.met = True
        if inner:
            rest = {key: value for key, value in params[outer].items() if key not in inner}
            return {**params, outer: rest}
        shape = service_model(service).operation_model(name).input_shape
        if shape and outer in shape.required_members:
            return {**params, outer: changed(params[outer])}
        return {key: value for key, value in params.items() if key != outer}


def changed(value: Any) -> Any:
    """Return another value of the same kind, never the same twice."""
    if isinstance(value, dict):
        return {key: changed(one) for key, one in value.items()}
    if isinstance(value, list):
        return value[1:]
    return f"{value}-{next(NUMBERS)}"


SENT = pytest.StashKey[dict[str, set[str]]]()
NOTICED = pytest.StashKey[dict[str, str]]()
TRIALS = pytest.StashKey[Trials]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest what to try and where the report goes."""
    parser.addoption("--noticed", type=Path)
    parser.addoption("--trials", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Read what is to be tried."""
    asked = config.getoption("trials")
    config.stash[TRIALS] = json.loads(asked.read_text()) if asked else {}
    config.stash[SENT], config.stash[NOTICED] = {}, {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each parameter that is to be tried with it."""
    named = metafunc.config.stash[TRIALS].get(metafunc.function.__name__)
    if named:
        metafunc.parametrize("mutation", [Mutation(one) for one in named], indirect=True)


@pytest.fixture(autouse=True)
def mutation(request: pytest.FixtureRequest) -> Iterator[Sent | Mutation]:
    """Note or rewrite every request while a test runs."""
    found: Sent | Mutation = getattr(request, "param", None) or Sent()
    if isinstance(found, Mutation) and found.parameter in request.config.stash[NOTICED]:
        pytest.skip("noticed already")
    REWRITES.append(found)
    yield found
    REWRITES.remove(found)
    if isinstance(found, Sent):
        name = request.function.__name__
        request.config.stash[SENT].setdefault(name, set()).update(found.met)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests with which nothing is to be tried."""
    if config.stash[TRIALS]:
        items[:] = [one for one in items if mutation_of(one)]
        order = list(config.stash[TRIALS])
        items.sort(key=lambda one: order.index(one.function.__name__))  # type: ignore[attr-defined]


def mutation_of(item: pytest.Item) -> Mutation | None:
    """Return what is taken out while a test runs."""
    called = getattr(item, "callspec", None)
    found = called.params.get("mutation") if called else None
    return found if isinstance(found, Mutation) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note which test failed without a parameter."""
    report = yield
    found = mutation_of(item)
    if found and found.met and report.failed:  # type: ignore[attr-defined]
        name = item.function.__name__  # type: ignore[attr-defined]
        item.config.stash[NOTICED].setdefault(found.parameter, name)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was sent, or what was noticed."""
    stash = session.config.stash
    met = {name: sorted(every) for name, every in stash[SENT].items()}
    told = stash[NOTICED] if stash[TRIALS] else met
    session.config.getoption("noticed").write_text(json.dumps(told))
