"""What ``mpe local`` says and leaves behind where no local cloud runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mpe.local.records import Record


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def run(state: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(state), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["status", "down", "mail"])
def test_where_nothing_runs_it_says_so_in_a_line(tmp_path: Path, port: int, command: str) -> None:
    done = run(tmp_path, "local", command, "--port", str(port))
    assert done.returncode == 3
    assert f"o local cloud is up at port {port}." in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_status_of_nothing_is_json_as_well(tmp_path: Path, port: int) -> None:
    done = run(tmp_path, "local", "status", "--port", str(port), "--output", "json")
    assert (done.returncode, json.loads(done.stdout)) == (3, None)


def test_a_stale_record_is_forgotten_with_its_folder(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "left"
    folder.mkdir()
    endpoint = f"http://127.0.0.1:{port}"
    Record(port, os.getpid(), endpoint, 1.0, "stack", {}, {}, str(folder), "log").save()

    assert run(tmp_path, "local", "down", "--port", str(port)).returncode == 3

    assert not folder.exists()
    assert Record.read(port) is None


def test_the_record_with_the_secret_is_its_owners_alone(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    record = Record(
        port, 1, "http://127.0.0.1", 1.0, "s", {}, {}, str(tmp_path / "f"), "l", "hidden"
    )
    path = tmp_path / "mpe" / f"local-{port}.json"
    path.parent.mkdir()
    path.write_text("an older one, that everybody may read")
    path.chmod(0o644)
    record.save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Record.read(port) == record
    assert "hidden" not in str(record.shown())


def test_a_record_that_cannot_be_read_is_as_none(tmp_path: Path, port: int) -> None:
    (tmp_path / "mpe").mkdir()
    (tmp_path / "mpe" / f"local-{port}.json").write_text("{")
    assert run(tmp_path, "local", "status", "--port", str(port)).returncode == 3


def test_a_state_directory_that_cannot_be_made_is_told_in_a_line(tmp_path: Path, port: int) -> None:
    state = tmp_path / "file"
    state.touch()
    done = run(state, "local", "up", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("mpe: ")
    assert str(state) in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run(state, "--debug", "local", "up", "--port", str(port)).stderr


def test_another_version_of_ministack_is_refused_with_what_to_do(tmp_path: Path, port: int) -> None:
    """A distribution of that name, found first, stands for another version."""
    other = tmp_path / "ministack-9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9\n")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    done = run(tmp_path, "local", "up", "--port", str(port), PYTHONPATH=paths)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "mpe: MiniStack 9.9 is installed, but the local cloud is made for 1.5.33: "
        "pip install ministack==1.5.33"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("up", "--port", "0"), id="port"),
        pytest.param(("up", "--time-scale", "0"), id="time-scale"),
        pytest.param(("status", "--output", "yaml"), id="output"),
        pytest.param(("sideways",), id="command"),
    ],
)
def test_wrong_usage_ends_with_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, "local", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
