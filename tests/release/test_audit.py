"""What is not known of a library is never taken for good news."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
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


def advisory(id: str, name: str, system: str = "PyPI", **affected: Any) -> dict[str, Any]:
    """Return a record in the form of https://ossf.github.io/osv-schema/."""
    one = {"package": {"ecosystem": system, "name": name}, **affected}
    return {"id": id, "modified": "2026-11-20T00:00:00Z", "affected": [one]}


def between(*events: dict[str, str], type: str = "ECOSYSTEM") -> list[dict[str, Any]]:
    return [{"type": type, "events": list(events)}]


def database(folder: Path, *records: dict[str, Any]) -> str:
    file = folder / "osv.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))
    return f"--database={file}"


FIXED = between({"introduced": "1.0"}, {"fixed": "1.10"})
TWICE = between({"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2"}, {"fixed": "2.1"})
LAST = between({"introduced": "0"}, {"last_affected": "1.9"})


@pytest.mark.parametrize(
    ("version", "affected", "code"),
    [
        pytest.param("1.9", {"ranges": FIXED}, 1, id="before-it-was-mended"),
        pytest.param("1.10", {"ranges": FIXED}, 0, id="mended-in-a-number-not-a-text"),
        pytest.param("0.9", {"ranges": FIXED}, 0, id="before-it-came-in"),
        pytest.param("1.10rc1", {"ranges": FIXED}, 1, id="a-release-candidate-is-before"),
        pytest.param("2.0.5", {"ranges": TWICE}, 1, id="it-came-back"),
        pytest.param("1.5", {"ranges": TWICE}, 0, id="between-the-two"),
        pytest.param("1.9", {"ranges": LAST}, 1, id="the-last-that-has-it"),
        pytest.param("1.9.1", {"ranges": LAST}, 0, id="after-the-last-that-has-it"),
        pytest.param("7", {"versions": ["7"]}, 1, id="listed"),
        pytest.param("7", {"versions": ["6"]}, 0, id="another-is-listed"),
        pytest.param("7", {"ranges": between({"introduced": "0"}, type="GIT")}, 0, id="of-commits"),
    ],
)
def test_pins_are_looked_up_in_advisories_that_are_given_as_a_file(
    tmp_path: Path, version: str, affected: dict[str, Any], code: int
) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text(f"# all\nZope.Interface=={version} \\\n    --hash=sha256:0\nother==1\n")
    records = advisory("PYSEC-1", "zope-interface", **affected), advisory("PYSEC-2", "unused")
    found, said = ran(tmp_path, database(tmp_path, *records), str(pins))
    assert found == code
    assert ("has PYSEC-1" in said) == bool(code)
    assert "of 1 libraries" in said if code else "of 2 libraries" in said
    assert "the newest of 2026-11-20" in said


def test_npms_lock_file_is_looked_up_by_the_rules_of_semantic_versions(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    packages = {"": {}, "node_modules/a/node_modules/@x/b": {"version": "2.0.0-rc.1"}}
    lock.write_text(json.dumps({"packages": packages}))
    record = advisory(
        "GHSA-1", "@x/b", "npm", ranges=between({"introduced": "0"}, {"fixed": "2.0.0"})
    )
    found, said = ran(tmp_path, database(tmp_path, record), str(lock))
    assert found == 1
    assert "@x/b 2.0.0-rc.1 has GHSA-1, mended in 2.0.0" in said


def test_a_database_without_an_ecosystem_says_nothing_of_its_libraries(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps({"packages": {"": {}}}))
    found, said = ran(tmp_path, database(tmp_path, advisory("PYSEC-1", "a")), str(lock))
    assert found == 2
    assert "NOT AUDITED, the database has nothing on npm" in said


def test_what_is_withdrawn_does_not_count_and_what_is_no_database_is_told(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("a==1\n")
    gone = {**advisory("PYSEC-1", "a", versions=["1"]), "withdrawn": "2026-01-01T00:00:00Z"}
    assert ran(tmp_path, database(tmp_path, gone, advisory("P", "b")), str(pins))[0] == 0
    (tmp_path / "none.zip").write_text("no zip")
    for place in (tmp_path / "none.zip", tmp_path / "missing"):
        found, said = ran(tmp_path, f"--database={place}", str(pins))
        assert found == 2
        assert "NOT AUDITED" in said
