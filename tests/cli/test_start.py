"""What starting ``mpe`` imports: a Tab must not wait for what it does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpe.cli import known
from mpe.local.ports import free_port
from tests.conftest import ROOT

HEAVY = frozenset(
    {"boto3", "botocore", "duckdb", "jsonschema", "lark", "ministack", "numpy", "rich", "scipy"}
)
"""What a command may need, and the list of commands may not."""
SHOW = "import atexit, json, sys; atexit.register(lambda: print(json.dumps(sorted(sys.modules))))"
COMPLETE = {"_MPE_COMPLETE": "bash_complete"}


EXAMPLE = ROOT / "examples/01-movielens/config.json"


def started(*words: str, **environment: str) -> tuple[str, set[str]]:
    """Return what a start of ``mpe`` prints, and the modules that it has imported."""
    source = f"{SHOW}\nfrom mpe.cli.main import main\nsys.argv = {['mpe', *words]!r}\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": str(ROOT / "source"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    *told, modules = done.stdout.strip().splitlines()
    return "\n".join(told), set(json.loads(modules))


def tab(*words: str, **environment: str) -> tuple[list[str], set[str]]:
    """Return what a Tab offers after some words, the last of which is not whole."""
    place = {"COMP_WORDS": " ".join(["mpe", *words]), "COMP_CWORD": str(len(words))}
    told, modules = started(**COMPLETE, **place, **environment)
    return [line.partition(",")[2] for line in told.splitlines()], modules


def only_light(modules: set[str]) -> bool:
    commands = {one for one in modules if one.startswith("mpe.")}
    light = {"mpe.cli", "mpe.cli.main", "mpe.cli.outline", "mpe.cli.known", "mpe.cli.terminal"}
    return not modules & HEAVY and commands <= light | {
        "mpe.model",
        "mpe.model.errors",
        "mpe.model.text",
    }


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_a_start_imports_no_command(words: tuple[str, ...]) -> None:
    told, modules = started(*words)
    assert told
    assert only_light(modules)


def test_checking_a_config_imports_nothing_of_an_account() -> None:
    told, modules = started("validate", str(EXAMPLE))
    assert told.endswith(": fine")
    assert not modules & {"boto3", "duckdb", "mpe.aws", "mpe.cli.account", "mpe.emulator"}
    assert not modules & {"botocore.model", "lark", "urllib3", "rich"}


def test_asking_after_a_local_cloud_imports_nothing_of_what_it_serves() -> None:
    told, modules = started("local", "status", "--output", "json", "--port", str(free_port()))
    assert told == "null", "none is up"
    assert not modules & {"ministack", "numpy", "scipy", "mpe.emulator.service", "mpe.local.server"}


def test_a_tab_knows_commands_and_options_and_imports_none() -> None:
    for words, offered in (
        (("sta",), "status"),
        (("runs", "s"), "show"),
        (("schedule", "next", "--da"), "--days"),
        (("plan", "--output", "j"), "json"),
    ):
        found, modules = tab(*words)
        assert offered in found
        assert only_light(modules)


def test_a_tab_knows_groups_tasks_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    known.note_groups("Films", ["movielens", "books"])
    known.note("Films", "movielens", task=["import", "full.for-you"], run=["20260801T1-ab"])
    for words, offered in (
        (("status", "mo"), ["movielens"]),
        (("watch", "movielens", ""), ["20260801T1-ab"]),
        (("runs", "show", "2026"), ["20260801T1-ab"]),
        (("schedule", "run", "movielens", "fu"), ["full.for-you"]),
        (("schedule", "run", "books", "fu"), []),
    ):
        found, modules = tab(*words, XDG_CACHE_HOME=str(tmp_path))
        assert found == offered, words
        assert only_light(modules)


def test_a_group_that_is_gone_is_offered_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    known.note_groups("Films", ["movielens", "books"])
    known.note_groups("Films", ["books"])
    assert known.known("group", group=None, stack=None) == ["books"]
