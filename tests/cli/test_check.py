"""``mpe check-data`` as a command."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from rich.console import Console

from mpe.aws.ledger import Ledger
from mpe.cli.apply import files_of
from mpe.cli.check import _Bar, check_folder, last_profile, progress
from mpe.cli.main import mpe
from mpe.model.config.parse import parse
from tests import clients
from tests.conftest import ROOT
from tests.data.writing import HEADERS, config, rows, write, write_config
from tests.handlers.test_runs import table

HEADER = HEADERS["interactions"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(mpe, ["check-data", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path, "interactions.csv", rows())
    return write_config(tmp_path, config("interactions"))


def test_good_data_is_fine(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "The data is fine, with 2 notes."


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
        "severity", "file", "message", "remedy", "column", "count", "lines", "rule"
    }  # fmt: skip
    assert {one["rule"][:5] for one in found} == {"MPE-D"}


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


@pytest.mark.parametrize("name", ["x\\[/red]", "[bold red]x[/]", "[/]", ":warning:"])
def test_names_in_the_data_are_no_markup(file: Path, name: str) -> None:
    write(file.parent, "interactions.csv", [f"{row},1" for row in rows()], f"{HEADER},{name}")
    result = run(file)
    assert result.exit_code == 0, result.exception
    assert f"The schema has no such column: {name}." in result.output


def test_names_of_files_are_no_markup_in_the_progress() -> None:
    shown = io.StringIO()
    with progress(Console(file=shown, force_terminal=True, width=80)) as bar:
        _Bar(bar).begin("Loading x\\[/red]\x1b[31m.csv")
    assert "Loading x\\[/red]\\x1b[31m.csv" in shown.getvalue()


def test_an_optional_dataset_without_a_csv_is_fine(file: Path) -> None:
    document = config("interactions", "users")
    document["datasets"]["users"]["dataset"]["workflowConfig"] = {"dataOptional": True}
    assert (
        run(write_config(file.parent, document)).output.splitlines()[-1]
        == "The data is fine, with 2 notes."
    )


def test_csvs_in_sub_folders_are_not_imported_and_told(file: Path) -> None:
    (file.parent / "interactions.csv").unlink()
    write(file.parent, "interactions/a.csv", rows())
    wrong = ["u1,i1,View,x,1700000000"]
    nested = [
        write(file.parent, f"interactions/{name}", wrong) for name in ("x/b.csv", "x/y/c.csv")
    ]
    result = run(file, "--output", "json")
    assert result.exit_code == 0
    found, *notes = json.loads(result.output)
    assert {one["severity"] for one in notes} == {"note"}
    assert (found["severity"], found["file"], found["count"]) == ("warning", str(nested[0]), 2)
    assert "imports only files directly in the folder" in found["message"]
    parsed = parse(file.read_bytes())
    assert [one.severity for one in check_folder(parsed, file.parent)] == [
        "warning",
        "note",
        "note",
    ]
    (file.parent / "interactions/a.csv").unlink()
    assert run(file).exit_code == 1
    assert [one.severity for one in check_folder(parsed, file.parent)] == ["warning"]


def test_an_upload_takes_what_an_import_reads_and_a_deletion_what_is_below(file: Path) -> None:
    (file.parent / "interactions.csv").unlink()
    write(file.parent, "interactions/a.csv", rows())
    write(file.parent, "interactions/x/b.csv", rows())
    write(file.parent, "deletions/x/c.csv", ["u1"], "USER_ID")
    document = config("interactions")
    document["dataDeletionJob"] = {}
    parsed = parse(write_config(file.parent, document).read_bytes())
    keys = [one.key for one in files_of(parsed, file.parent, "train/films/")]
    assert keys == ["train/films/interactions/a.csv", "train/films/deletions/x/c.csv"]


def test_objects_in_sub_folders_are_not_imported_and_told(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    body = (file.parent / "interactions.csv").read_bytes()
    with mock_aws():
        client = clients.client("s3")
        client.create_bucket(
            Bucket="films", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        client.put_object(Bucket="films", Key="train/interactions/a.csv", Body=body)
        client.put_object(Bucket="films", Key="train/interactions/x/b.csv", Body=b"no such column")
        result = run(file, "--path", "s3://films/train", "--output", "json")
    assert result.exit_code == 0, result.output
    found, *notes = json.loads(result.output)
    assert {one["severity"] for one in notes} == {"note"}
    assert found["file"] == "s3://films/train/interactions/x/b.csv"
    assert found["remedy"] == "Move it up, to s3://films/train/interactions/."


@pytest.mark.parametrize("memory", ["banana", "-1GB", "0GB", "5", "80%", "GB"])
def test_what_is_no_amount_of_memory_is_wrong_usage(file: Path, memory: str) -> None:
    result = run(file, "--memory", memory)
    assert result.exit_code == 2
    assert f"'{memory}' is no amount of memory, such as 500MB or 4GB" in result.output


@pytest.mark.parametrize("memory", ["500MB", "1.5gb", "1 GiB", "600000 kb"])
def test_amounts_of_memory_may_be_written_in_all_ways(file: Path, memory: str) -> None:
    assert run(file, "--memory", memory).exit_code == 0


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
    assert done.stdout.splitlines()[-1] == "The data is fine, with 2 notes."
    assert ("interactions.csv" in shown) == terminal


def test_data_is_compared_with_the_figures_of_an_earlier_report(file: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    write(file.parent, "interactions.csv", [*rows(), *(f"x{row}" for row in rows())])
    assert run(file, "--report", figures).exit_code == 0
    assert run(file, "--against", figures).exit_code == 0
    write(file.parent, "interactions.csv", rows())
    assert run(file).exit_code == 0
    result = run(file, "--against", figures, "--output", "json")
    assert result.exit_code == 1
    found = {one["rule"]: one["severity"] for one in json.loads(result.stdout)}
    assert {"MPE-Q013", "MPE-Q014"} <= found.keys()
    given = config("interactions")
    gate = {"data": {"rows": "-60%", "users": "-60%"}}
    given["datasetGroup"]["workflowConfig"] = {"gate": gate}
    write_config(file.parent, given)
    assert run(file, "--against", figures).exit_code == 0, "the limits are the config's"


def test_what_is_no_report_is_told(file: Path, tmp_path: Path) -> None:
    for text in ("{}", "[]", '{"version": 1}', "no", '{"version": 99}'):
        (tmp_path / "figures.json").write_text(text)
        result = run(file, "--against", tmp_path / "figures.json")
        assert result.exit_code == 1
        assert "is no report of this command" in result.output


@mock_aws
def test_the_last_import_that_was_done_is_what_a_group_is_compared_with(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    figures = tmp_path / "figures.json"
    assert run(file, "--report", figures).exit_code == 0
    ledger = Ledger(table("ledger"))
    row = {"data": "d", "at": "2026-01-01", "mode": "FULL", "profile": figures.read_text()}
    ledger.profiled("films", "import.interactions", "one", row)
    assert last_profile(ledger, "films", "interactions") is None
    ledger.imported("films", "import.interactions", "one")
    found = last_profile(ledger, "films", "interactions")
    assert found
    assert found.rows("interactions") == len(rows())
    assert last_profile(ledger, "shoes", "interactions") is None
