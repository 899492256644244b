"""Changes the plan rooms' code in small ways, and notes which changes no test notices.

``make mutants`` runs it, outside of ``make test``: Cosmic Ray makes the changes in a copy of the
tree, and the tests beside each module run on each (https://cosmic-ray.readthedocs.io). It writes
docs/mutants.md: how many were noticed, and each that was not, with the reason why it may stay.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PAGE, KEPT = ROOT / "docs" / "mutants.md", ROOT / "tests" / "mutants.json"
TREE = ROOT / "build" / "mutants"
PLAN = "source/mpe/model/plan"
TESTED = {
    f"{PLAN}/alike.py": "tests/model/plan/test_alike.py",
    f"{PLAN}/inventory.py": "tests/model/plan/test_inventory.py",
    f"{PLAN}/reconcile.py": "tests/model/plan/test_reconcile.py",
    f"{PLAN}/superseded.py": "tests/handlers/test_tasks.py",
    f"{PLAN}/waits.py": "tests/model/plan/test_waits.py",
    f"{PLAN}/forms.py": "tests/test_upgrades.py",
    f"{PLAN}/owner.py": "tests/handlers/test_ensure.py",
    f"{PLAN}/quotas.py": "tests/handlers/test_quotas.py",
    f"{PLAN}/outcome.py": "tests/handlers/test_runs.py",
}
"""The modules, and the tests that are nearest to each."""
REASONS: dict[str, str] = {}
"""Why a change that no test notices may stay, by module, line's text and operator."""
CONFIG = """\
[cosmic-ray]
module-path = "{module}"
timeout = {patience}
excluded-modules = []
test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"

[cosmic-ray.distributor]
name = "local"
"""


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed."""

    line: int
    text: str
    operator: str
    change: str


@dataclass(frozen=True)
class Measured:
    """What became of the changes of one module."""

    date: str
    made: int
    tried: int
    survivors: tuple[Survivor, ...]

    @property
    def noticed(self) -> int:
        return self.tried - len(self.survivors)


def measure(module: str, cosmic_ray: str, patience: float, minutes: float) -> Measured:
    """Try the changes of a module in a copy of the tree, as many as there is time for."""
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, TREE / name)
    text = CONFIG.format(
        module=module, tests=TESTED[module], python=sys.executable, patience=patience
    )
    (TREE / "mutants.toml").write_text(text)
    for words in (["init"], ["baseline"], ["exec"]):
        session = [] if words == ["baseline"] else ["mutants.sqlite"]
        command = [cosmic_ray, *words, "mutants.toml", *session]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, cwd=TREE, check=True, timeout=60 * minutes)
    return read(module, cosmic_ray)


def read(module: str, cosmic_ray: str) -> Measured:
    """Return what a session that has ended says."""
    dumped = subprocess.run(
        [cosmic_ray, "dump", "mutants.sqlite"],
        cwd=TREE, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    lines = (ROOT / module).read_text().splitlines()
    found = [json.loads(line) for line in dumped.splitlines()]
    survivors = []
    tried = [(item, result) for item, result in found if result]
    for item, result in tried:
        if result["test_outcome"] != "survived":
            continue
        (mutation,) = item["mutations"]
        line = mutation["start_pos"][0]
        operator = mutation["operator_name"].removeprefix("core/")
        survivors.append(Survivor(line, lines[line - 1].strip(), operator, _changed(result)))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return Measured(today, len(found), len(tried), tuple(survivors))


def _changed(result: dict[str, str]) -> str:
    """Return the changed line of a difference."""
    lines = (result.get("diff") or "").splitlines()
    added = (one[1:].strip() for one in lines if one.startswith("+") and not one.startswith("+++"))
    return next(added, "")


def kept() -> dict[str, Measured]:
    """Return what was measured last of each module."""
    found = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return {
        module: Measured(**{**one, "survivors": _survivors(one)}) for module, one in found.items()
    }


def _survivors(saved: dict[str, Any]) -> tuple[Survivor, ...]:
    return tuple(Survivor(**one) for one in saved["survivors"])


def page(found: dict[str, Measured]) -> str:
    """Return the page of the docs."""
    return "\n".join(_page(found)) + "\n"


def _page(found: dict[str, Measured]) -> Iterator[str]:
    yield "# Mutants"
    yield ""
    yield "Small changes of the code, one at a time, and whether the tests beside it notice. Made"
    yield "by `make mutants` with Cosmic Ray, outside of `make test`; `MODULE=waits` tries one"
    yield "module anew, `MINUTES=30` ends it then. What is not in the table has not been measured."
    yield ""
    yield "| module | tests | changes | tried | noticed | share | measured |"
    yield "|---|---|---|---|---|---|---|"
    for module, one in sorted(found.items()):
        share = f"{one.noticed / one.tried:.0%}" if one.tried else ""
        tests = f"`{TESTED[module]}`"
        cells = (_short(module), tests, one.made, one.tried, one.noticed, share, one.date)
        yield f"| {' | '.join(map(str, cells))} |"
    left = sorted(set(TESTED) - set(found))
    if left:
        yield ""
        yield f"Not measured yet: {', '.join(map(_short, left))}."
    yield ""
    yield "## What no test notices"
    yield ""
    yield "| module | line | becomes | why it may stay |"
    yield "|---|---|---|---|"
    for module, one in sorted(found.items()):
        for each in one.survivors:
            why = REASONS.get(f"{module}: {each.text}: {each.operator}", "**not yet looked at**")
            yield f"| {_short(module)} | `{_cell(each.text)}` | `{_cell(each.change)}` | {why} |"


def _short(module: str) -> str:
    return f"`{module.removeprefix('source/mpe/')}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--module", default="", help="the name of one module, such as waits")
    parser.add_argument("--patience", type=float, default=120, help="seconds for one run of tests")
    parser.add_argument("--minutes", type=float, default=600, help="for one module, at most")
    parser.add_argument("cosmic_ray", help="the command")
    given = parser.parse_args(arguments)
    found = kept()
    for module in TESTED:
        if given.module in ("", Path(module).stem):
            found[module] = measure(module, given.cosmic_ray, given.patience, given.minutes)
            said = {name: asdict(one) for name, one in sorted(found.items())}
            KEPT.write_text(json.dumps(said, indent=1) + "\n")
            PAGE.write_text(page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
