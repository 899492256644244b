"""What is not known of a library is never taken for good news."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

SAFE = {"name": "safe", "version": "1", "vulns": []}
SKIPPED = {"name": "unseen", "skip_reason": "Dependency not found: unseen (1)"}
FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
VULNERABLE = {"name": "flawed", "version": "1", "vulns": [FLAW]}


def audited(folder: Path, *answers: str) -> tuple[int, str]:
    """Run the audit with a pip-audit that gives these answers, one for each file."""
    command = folder / "pip-audit"
    command.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"answer = {list(answers)!r}[int(sys.argv[-1])]\n"
        "print(answer) if answer.startswith('{') else sys.exit(answer)\n"
    )
    command.chmod(0o755)
    files = [str(number) for number in range(len(answers))]
    done = subprocess.run(
        [sys.executable, str(ROOT / "deployment" / "audit.py"), str(command), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout


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
