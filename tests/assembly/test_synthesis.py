"""Synthesizing, and what is told when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mpe.assembly.synthesis import Assembly, AssemblyError, _digest, kept, synthesize

REPORT = "validation-report.json"


def test_an_app_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("raise SystemExit('the bucket has no name')")
    with pytest.raises(AssemblyError, match="the bucket has no name"):
        synthesize(tmp_path / "out", [str(app)])


def test_what_the_app_started_ends_with_it(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    pid = tmp_path / "pid"
    app.write_text(
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE,"
        " stderr=subprocess.DEVNULL)\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))\n"
        "import os; os._exit(1)\n"
    )
    with pytest.raises(AssemblyError):
        synthesize(tmp_path / "out", [str(app)])
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_an_assembly_without_a_stack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    with pytest.raises(AssemblyError, match="has no stack"):
        Assembly.read(tmp_path)


def test_without_node_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JSII_NODE", raising=False)
    with pytest.raises(AssemblyError, match=r"Node\.js is needed"):
        synthesize(tmp_path / "out")


def test_what_was_synthesized_is_kept_until_the_source_is_another(tmp_path: Path) -> None:
    module, made = tmp_path / "mpe" / "stack.py", tmp_path / "mpe" / "__pycache__" / "stack.pyc"
    made.parent.mkdir(parents=True)
    module.write_text("TIMEOUT = 1")
    before = _digest(tmp_path)
    made.write_text("of the interpreter's own")
    assert _digest(tmp_path) == before
    module.write_text("TIMEOUT = 2")
    assert _digest(tmp_path) != before
    module.rename(module.with_name("another.py"))
    assert _digest(tmp_path) != before


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The app, synthesized anew by who wants the CDK's validation."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CDK_VALIDATION", "true")
        return synthesize(tmp_path_factory.mktemp("validated"))


def test_what_is_kept_is_what_the_app_synthesizes(assembly: Assembly, validated: Assembly) -> None:
    assert kept().folder == assembly.folder
    assert validated.template.read_text() == assembly.template.read_text()


def test_the_app_validates_nothing_unless_a_variable_is_set(
    assembly: Assembly, validated: Assembly
) -> None:
    """It takes nearly as long as all else of a synthesis; `make synth` has it."""
    assert not (assembly.folder / REPORT).exists()
    assert (validated.folder / REPORT).exists()
