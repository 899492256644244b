"""What is not known of a library is never taken for good news."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

SAFE = {"name": "safe", "version": "1", "vulns": []}
SKIPPED = {"name": "unseen", "skip_reason": "Dependency not found: unseen (1)"}
FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
VULNERABLE = {"name": "flawed", "version": "1", "vulns": [FLAW]}


def audited(folder: Path, *answers: str, options: Sequence[str] = ()) -> tuple[int, str]:
    """Run the audit with a pip-audit that gives these answers, one for each file."""
    says(folder / "pip-audit", f"{list(answers)!r}[int(sys.argv[-1])]")
    return ran(folder, *options, *(str(number) for number in range(len(answers))))


def ran(folder: Path, *arguments: str) -> tuple[int, str]:
    options = [one for one in arguments if one.startswith("--")]
    files = [one for one in arguments if not one.startswith("--")]
    script = str(ROOT / "deployment" / "audit.py")
    done = subprocess.run(
        [sys.executable, script, *options, str(folder / "pip-audit"), *files],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
    )
    assert not done.stderr
    return done.returncode, done.stdout


def says(command: Path, expression: str) -> None:
    """Write a command that answers with JSON, or fails with other words."""
    command.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"answer = {expression}\n"
        "print(answer) if answer.startswith('{') else sys.exit(answer)\n"
    )
    command.chmod(0o755)


def answer(*libraries: dict[str, Any]) -> str:
    return json.dumps({"dependencies": libraries, "fixes": []})


@pytest.mark.parametrize(
    ("answers", "code", "told"),
    [
        pytest.param([answer(SAFE)], 0, "of 1 libraries no vulnerability is known", id="safe"),
        pytest.param(
            [answer(SAFE, VULNERABLE)],
            1,
            "0: flawed 1 has PYSEC-1, mended in 1.1",
            id="vulnerable",
        ),
        pytest.param(
            [answer(SAFE, SKIPPED)],
            2,
            "NOT AUDITED, 1 libraries: Dependency not found: unseen (1)",
            id="the-service-does-not-know-it",
        ),
        pytest.param(
            ["Traceback\nName or service not known"],
            2,
            "the service could not be reached: Name or service not known",
            id="the-service-is-not-reached",
        ),
        pytest.param(
            [answer(SAFE), "no route"], 2, "1: NOT AUDITED", id="one-file-of-two-is-not-known"
        ),
        pytest.param([answer(VULNERABLE), "no route"], 1, "PYSEC-1", id="the-worst-is-told"),
    ],
)
def test_only_a_full_answer_without_vulnerabilities_is_success(
    tmp_path: Path, answers: list[str], code: int, told: str
) -> None:
    found, said = audited(tmp_path, *answers)
    assert found == code
    assert told in said


@pytest.mark.parametrize(
    ("answers", "code"), [(["no route"], 0), ([answer(SAFE)], 0), ([answer(VULNERABLE)], 1)]
)
def test_where_a_service_is_not_reached_only_vulnerabilities_fail_if_so_asked(
    tmp_path: Path, answers: list[str], code: int
) -> None:
    found, said = audited(tmp_path, *answers, options=["--where-reachable"])
    assert found == code
    assert said


OF_NPM = {
    "vulnerabilities": {
        "flawed": {
            "severity": "high",
            "range": "<1.1",
            "via": [{"title": "Reads too much"}, "other"],
        }
    }
}


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        ({"vulnerabilities": {}}, 0, "of 2 libraries no vulnerability is known"),
        (OF_NPM, 1, "flawed <1.1 has a vulnerability, high: Reads too much; other"),
        ({"message": "405 Method Not Allowed", "error": {}}, 2, "405 Method Not Allowed"),
        ("no npm", 2, "NOT AUDITED, the service could not be reached: no npm"),
    ],
)
def test_npm_is_asked_about_its_lock_file(
    tmp_path: Path, answer: dict[str, Any] | str, code: int, told: str
) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text('{"packages": {"": {}, "node_modules/flawed": {}, "node_modules/other": {}}}')
    says(tmp_path / "npm", repr(answer if isinstance(answer, str) else json.dumps(answer)))
    found, said = ran(tmp_path, str(lock))
    assert found == code
    assert told in said


def test_an_auditor_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert ran(tmp_path, "pins.txt")[0] == 2
