"""Whatever writes a file of the repository from the code is run by `make generate`."""

from __future__ import annotations

import re

from tests.conftest import ROOT

BY_HAND = {
    "benchmarks.run": "make bench: it measures this machine, for minutes",
    "tests.faults.campaign": "make faults: it takes an hour or more",
    "tests.kept": "at a release, and for a new version of a form: it writes nothing twice",
    "tests.local.campaign": "make faults: it takes an hour or more",
    "tests.mutants": "make mutants: it takes hours",
}
"""What writes a file of the repository, and is not run with the others."""
NONE = {
    "benchmarks.check_data": "a part of benchmarks.run",
    "benchmarks.cold_import": "a part of benchmarks.run",
    "benchmarks.as_lambda": "a function, as benchmarks.memory starts it",
    "benchmarks.durations": "prints",
    "benchmarks.gate": "writes to the file that it is told",
    "benchmarks.memory": "writes to the file that it is told",
    "benchmarks.outages": "prints",
    "benchmarks.real_size": "writes to the file that it is told",
    "benchmarks.gate_costs": "writes to the file that it is told",
    "benchmarks.scenarios": "a part of benchmarks.run",
    "benchmarks.wall_clock": "a part of benchmarks.run",
    "mpe.cli.main": "the mpe command",
    "mpe.local.ministack.forker": "what the local cloud forks",
    "mpe.local.server": "the local cloud itself",
    "mpe.release.main": "build-s3-cdk-dist",
    "tests.changed": "runs tests",
    "tests.defects": "prints",
    "tests.fuzz.fuzz": "tries inputs",
    "tests.jsonata.recording": "writes to the file that it is told",
    "tests.layers": "prints",
    "tests.local.browser": "tries a browser",
    "tests.mutating.cosmic": "prints",
    "tests.synth": "writes to the folder that it is told",
}
"""What can be run and writes no file of the repository."""


def makefile(pattern: str) -> str:
    (found,) = re.findall(pattern, (ROOT / "Makefile").read_text(), re.MULTILINE)
    return str(found)


def generators() -> set[str]:
    return set(makefile(r"^GENERATORS := (.*)$").split())


def runnable() -> set[str]:
    """Return every module that ``python -m`` runs."""
    found = set()
    for top, start in (("source", "source"), ("tests", "."), ("benchmarks", ".")):
        for path in (ROOT / top).rglob("*.py"):
            if re.search(r'^if __name__ == "__main__":', path.read_text(), re.MULTILINE):
                parts = path.relative_to(ROOT / start).with_suffix("").parts
                found.add(".".join(parts))
    return found


def test_every_module_that_can_be_run_is_known() -> None:
    assert runnable() == generators() | BY_HAND.keys() | NONE.keys()


def test_the_architecture_page_names_every_generator() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"^\| `python -m ([\w.]+)` ", page, re.MULTILINE))
    assert named == generators() | BY_HAND.keys()


def test_every_generator_has_a_test_that_tells_when_what_it_wrote_is_behind() -> None:
    """Where each is compared; that comparison fails when the file and the code differ."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `python -m ([\w.]+)` \|[^|]*\| `([\w/.]+)`", page, re.MULTILINE)
    assert {module for module, _ in rows} == generators() | BY_HAND.keys()
    for module, test in rows:
        short = module.rpartition(".")[2]
        assert short in (ROOT / test).read_text(), (module, test)
