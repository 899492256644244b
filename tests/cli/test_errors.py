"""How the entry point of ``mpe`` tells of errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from mpe.cli.main import main
from tests.conftest import config

Shell = Callable[..., tuple[Any, list[str]]]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Return what runs a command line: its exit code, and the lines of what it says of errors."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "foo")

    def command(*words: str) -> tuple[Any, list[str]]:
        monkeypatch.setattr(sys, "argv", ["mpe", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err.splitlines()

    return command


def test_an_error_of_several_lines_is_told_in_lines(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**config(), "eventTraker": {}}))
    code, (head, *more) = shell("check-data", str(path))
    assert code == 1
    assert head.startswith("Error: ")
    assert head.endswith(" has problems; see mpe validate:")
    assert [line.partition(": ")[0] for line in more] == ["  $.eventTraker"]


def test_an_error_is_told_in_a_line(shell: Shell) -> None:
    code, lines = shell("runs", "--region", "us-east-1")
    assert code == 1
    assert [line.partition(".")[0] for line in lines] == ["Error: Invalid endpoint: foo"]


def test_debug_shows_the_stack_trace_of_an_error_with_its_cause(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["mpe", "--debug", "runs", "--region", "us-east-1"])
    with pytest.raises(click.ClickException) as raised:
        main()
    assert isinstance(raised.value.__cause__, ValueError)


def test_debug_leaves_wrong_usage_told_with_the_usage(shell: Shell) -> None:
    code, (head, *_) = shell("--debug", "runs", "--limit", "0")
    assert code == 2
    assert head.startswith("Usage: ")
