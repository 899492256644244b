"""``mpe local`` as a user runs it, and the AWS CLI against it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpe.assembly.processes import group_alive
from mpe.local.cloud import LocalCloud
from mpe.local.ports import listening
from mpe.local.variables import WATCHED
from tests.local.conftest import CSV, PATIENCE, User, small, wait_until

pytestmark = pytest.mark.local


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with a state directory of its own; nothing is left running in it."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TMPDIR": str(temporary)}
    yield environment
    for record in (tmp_path / "mpe").glob("local-*.json"):
        run(environment, "local", "down", "--port", str(json.loads(record.read_text())["port"]))


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mpe.cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def begin(environment: dict[str, str], port: str, *options: str) -> subprocess.Popen[str]:
    """Start an `up`, and return it once the server answers; nothing is deployed yet."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mpe.cli.main", "local", "up", "--port", port, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: process.poll() is not None or listening(int(port)))
    return process


def start(environment: dict[str, str], port: str) -> subprocess.Popen[str]:
    """Start a foreground `up`, and return it once the cloud is up."""
    process = begin(environment, port)
    wait_until(
        lambda: (
            process.poll() is not None
            or run(environment, "local", "status", "--port", port).returncode == 0
        )
    )
    return process


def server_pid(environment: dict[str, str], port: str) -> int:
    answer = run(environment, "local", "status", "--port", port, "--output", "json")
    return int(json.loads(answer.stdout)["pid"])


def test_up_status_down_in_the_background(home: dict[str, str], port: str) -> None:
    up = run(home, "local", "up", "--port", port, "--detach")
    assert up.returncode == 0, up.stderr
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in up.stdout
    assert "DataBucket" in up.stdout

    status = run(home, "local", "status", "--port", port, "--output", "json")
    found = json.loads(status.stdout)
    assert status.returncode == 0
    assert set(found["outputs"]) == {
        "DataBucket",
        "PersonalizeRole",
        "Workflow",
        "Topic",
        "EventBus",
        "TurnsTable",
        "LedgerTable",
        "TasksTable",
        "ScheduleGroup",
        "TaskWorkflow",
        "ModelApproverPolicy",
    }

    again = run(home, "local", "up", "--port", port)
    assert again.returncode == 1
    assert "already up" in again.stderr
    assert "Traceback" not in again.stderr

    assert run(home, "local", "down", "--port", port).returncode == 0
    assert not group_alive(found["pid"]) or not listening(int(port))
    assert run(home, "local", "status", "--port", port).returncode == 3
    assert run(home, "local", "down", "--port", port).returncode == 3


def test_ctrl_c_stops_everything(home: dict[str, str], port: str) -> None:
    process = start(home, port)
    pid = server_pid(home, port)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Stopping" in errors
    assert "Traceback" not in errors
    wait_until(lambda: not _running(pid))
    assert run(home, "local", "status", "--port", port).returncode == 3


def test_a_crash_of_the_server_is_told_with_the_end_of_its_log(
    home: dict[str, str], port: str
) -> None:
    process = start(home, port)
    os.killpg(server_pid(home, port), signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "ended by itself (exit code -9)" in errors
    assert "Traceback" not in errors
    assert run(home, "local", "down", "--port", port).returncode == 3


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_before_it_is_up_leaves_nothing(
    home: dict[str, str], port: str, sign: signal.Signals
) -> None:
    process = begin(home, port)
    process.send_signal(sign)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert errors.splitlines()[1:] == ["Stopping the local cloud ..."]
    assert not listening(int(port))
    assert list(Path(home["TMPDIR"]).iterdir()) == []
    assert not _processes_of(home)


def test_a_crash_of_the_server_before_it_is_up_is_told_with_the_end_of_its_log(
    home: dict[str, str], port: str
) -> None:
    process = begin(home, port)
    pid: int = wait_until(lambda: _server_pid(port))
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "ended by itself (exit code -9)" in errors
    assert "Traceback" not in errors
    assert list(Path(home["TMPDIR"]).iterdir()) == []


def test_the_server_goes_when_a_detaching_command_is_killed_before_it_is_up(
    home: dict[str, str], port: str
) -> None:
    process = begin(home, port, "--detach")
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: not listening(int(port)))
    wait_until(lambda: not _processes_of(home))


def test_the_server_goes_when_the_command_is_killed(home: dict[str, str], port: str) -> None:
    process = start(home, port)
    pid = server_pid(home, port)
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: not _running(pid))
    assert run(home, "local", "status", "--port", port).returncode == 3, "the record is stale"


def test_down_ends_a_foreground_up_quietly(home: dict[str, str], port: str) -> None:
    process = start(home, port)
    assert run(home, "local", "down", "--port", port).returncode == 0
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "was stopped" in errors


def test_a_port_in_use_is_told_and_nothing_is_left(home: dict[str, str], port: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(port)))
        other.listen()
        up = run(home, "local", "up", "--port", port)
    assert up.returncode == 1
    assert f"port {port} is in use" in up.stderr
    assert "Traceback" not in up.stderr


def test_the_endpoint_is_on_the_loopback_interface_only(cloud: LocalCloud) -> None:
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    listens = [
        line.split()[1]
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{cloud.port:04X}")
    ]
    assert listens == [f"0100007F:{cloud.port:04X}"]


def test_the_aws_cli_talks_to_it(cloud: LocalCloud, tmp_path: Path) -> None:
    user = User(cloud, "by-cli")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small("by-cli")))
    (tmp_path / "interactions.csv").write_text(CSV)

    def aws(*arguments: str) -> str:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("aws")),
                "--endpoint-url",
                cloud.endpoint,
                *arguments,
            ],
            env={**os.environ, **cloud.environment, "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    place = f"s3://{user.bucket}/train/by-cli"
    aws("s3", "cp", str(tmp_path / "interactions.csv"), f"{place}/interactions.csv")
    aws("s3", "cp", str(config), f"{place}/config.json")
    assert user.wait_for_run() == "SUCCEEDED"

    listed = json.loads(
        aws("stepfunctions", "list-executions", "--state-machine-arn", cloud.outputs["Workflow"])
    )
    assert any(one["name"].startswith("by-cli-") for one in listed["executions"])
    described = json.loads(
        aws("personalize", "describe-campaign", "--campaign-arn", user.arn("campaign/by-cli-live"))
    )
    assert described["campaign"]["status"] == "ACTIVE"


def _server_pid(port: str) -> int:
    """Return the process that answers at a port, or 0 while none does."""
    marks = {f"GATEWAY_PORT={port}".encode(), f"{WATCHED}=".encode()}
    for process in Path("/proc").glob("[0-9]*") if listening(int(port)) else ():
        with contextlib.suppress(OSError):
            is_server = b"mpe.local.server" in (process / "cmdline").read_bytes()
            if is_server and all(mark in (process / "environ").read_bytes() for mark in marks):
                return int(process.name)
    return 0


def _processes_of(environment: dict[str, str]) -> list[str]:
    """Return what runs with an environment's own state directory, however it was started."""
    mark, found = f"XDG_STATE_HOME={environment['XDG_STATE_HOME']}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def _running(pid: int) -> bool:
    """Tell whether a process runs; one that ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
