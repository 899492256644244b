"""``mpe check-data`` as a command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mpe.cli.main import mpe
from tests.conftest import ROOT
from tests.data.writing import config, rows, write, write_config


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(mpe, ["check-data", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path, "interactions.csv", rows())
    return write_config(tmp_path, config("interactions"))


def test_good_data_is_fine(file: Path) -> None:
    result = run(file)
    assert (result.exit_code, result.output) == (0, "The data is fine.\n")


def test_warnings_alone_are_exit_code_0(file: Path) -> None:
    lines = rows()
    lines[1] = lines[0]
    write(file.parent, "interactions.csv", lines)
    result = run(file)
    assert result.exit_code == 0
    assert "0 errors, 1 warning." in result.output


def test_errors_are_exit_code_1_and_a_table(file: Path) -> None:
    lines = [line.replace(",1700", ",x1700") if n < 9 else line for n, line in enumerate(rows())]
    write(file.parent, "interactions.csv", lines)
    result = run(file)
    assert result.exit_code == 1
    (row,) = (line for line in result.output.splitlines() if "TIMESTAMP" in line)
    assert "2, 3, 4, 5, 6, ..." in row
    assert "is not a whole number" in row
    assert "1 error, 0 warnings." in result.output


def test_findings_come_as_json_too(file: Path) -> None:
    write(file.parent, "interactions.csv", rows(20, users=10))
    result = run(file, "--output", "json")
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert [one["count"] for one in found] == [1, 1]
    assert set(found[0]) == {
        "severity", "file", "message", "remedy", "column", "count", "lines"
    }  # fmt: skip


def test_the_data_may_lie_elsewhere_and_in_folders(file: Path, tmp_path: Path) -> None:
    (file.parent / "interactions.csv").unlink()
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, "interactions/one.csv", rows()[:600])
    write(elsewhere, "interactions/two.csv", rows()[600:])
    assert run(file).exit_code == 1
    assert run(file, "--path", elsewhere).exit_code == 0
    assert "is not a folder" in run(file, "--path", tmp_path / "nowhere").output


def test_a_config_with_problems_is_told(tmp_path: Path) -> None:
    document = config("interactions", eventTraker={})
    result = run(write_config(tmp_path, document))
    assert result.exit_code == 1
    assert "$.eventTraker" in result.output


def test_too_little_memory_is_told_without_a_stack_trace(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", "check-data", str(file), "--memory", "1MB"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "source")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "--memory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_how_far_it_is_is_shown_at_a_terminal_only(file: Path, terminal: bool) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", "check-data", str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "source"), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs if terminal else subprocess.PIPE,
        text=True,
        check=False,
    )
    shown = done.stderr
    if terminal:
        os.write(theirs, b"end\n")
        shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert done.stdout == "The data is fine.\n"
    assert ("interactions.csv" in shown) == terminal
