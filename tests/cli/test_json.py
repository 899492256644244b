"""JSON on every command and on every path: of what went well, and of what did not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mpe.cli.main import mpe
from mpe.cli.terminal import json_of
from tests.conftest import MOVIELENS, config
from tests.reference import commands

NO_JSON = {("completion",): "it prints a shell's script"}
"""The commands without JSON, and why."""
CONFIG = str(MOVIELENS / "config.json")
WORDS = {
    "init": ("--interactions", "none.csv"),
    "check-data": (CONFIG, "--path", "nowhere"),
    "plan": (CONFIG,),
    "apply": (CONFIG,),
    "watch": ("films",),
    "export": ("films",),
    "adopt": ("films",),
    "destroy": ("films",),
    "runs list": ("films",),
    "runs show": ("one",),
    "status": (),
    "models list": ("films",),
    "models show": ("films", "films"),
    "models diff": ("films", "films", "1a2b"),
    "remove": ("films", "campaign/live"),
    "approve": ("films", "films", "--why", "good"),
    "reject": ("films", "films", "--why", "bad"),
    "rollback": ("films", "live", "--why", "bad"),
    "freeze": ("films", "live", "--why", "sale"),
    "unfreeze": ("films", "live", "--why", "over"),
    "accept": ("films", "interactions", "--why", "right"),
    "gate replay": ("films",),
    "logs": ("one",),
    "schedule list": (),
    "schedule show": ("films", "import"),
    "schedule enable": ("films", "import"),
    "schedule disable": ("films", "import"),
    "schedule run": ("films", "import"),
    "schedule next": (),
}
"""What a command is given to fail with, where nobody answers."""
ALL = [path for path, _ in commands(mpe)]


def run(*words: str) -> Result:
    return CliRunner().invoke(mpe, words)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint where nobody listens, nor comes to while a test lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_json(path: tuple[str, ...]) -> None:
    (command,) = (one for known, one in commands(mpe) if known == path)
    formats = [one.type for one in command.params if one.name == "output"]
    if path in NO_JSON:
        assert not formats
    else:
        assert "json" in formats[0].choices  # type: ignore[attr-defined]


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("path", [one for one in ALL if " ".join(one) in WORDS], ids=" ".join)
def test_a_command_that_fails_prints_json_and_nothing_else(path: tuple[str, ...]) -> None:
    result = run(*path, *WORDS[" ".join(path)], "--output", "json")
    assert result.exit_code
    told = json.loads(result.stdout)
    assert told["exit_code"] == result.exit_code
    assert told["error"]


@pytest.mark.parametrize("path", [one for one in ALL if one not in NO_JSON], ids=" ".join)
def test_wrong_usage_is_told_in_json_as_well(path: tuple[str, ...]) -> None:
    result = run(*path, "--output", "json", "--no-such-option")
    assert result.exit_code == 2
    assert "no-such-option" in json.loads(result.stdout)["error"]


@pytest.mark.parametrize("words", [("plan",), ("apply",), ("validate",)])
def test_the_problems_of_a_config_are_json(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config(), "eventTraker": {}}))
    result = run(*words, str(path), "--output", "json")
    assert result.exit_code == 1
    told: dict[str, Any] = json.loads(result.stdout)
    assert [one["path"] for one in told[str(path)]["problems"]] == ["$.eventTraker"]


def test_where_no_local_cloud_is_up_that_is_json(tmp_path: Path) -> None:
    for command in ("down", "mail"):
        result = run("local", command, "--port", "1", "--output", "json")
        assert (result.exit_code, json.loads(result.stdout)["exit_code"]) == (3, 3)
    assert json.loads(run("local", "status", "--port", "1", "--output", "json").stdout) is None


def test_numbers_are_numbers_and_times_are_of_iso_8601() -> None:
    told = {"count": Decimal(7), "seconds": Decimal("1.5"), "at": datetime(2026, 8, 1, 3)}
    assert json.loads(json_of(told)) == {"count": 7, "seconds": 1.5, "at": "2026-08-01T03:00:00"}
