"""``mpe init`` as a command."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mpe.cli.init import Terminal
from mpe.cli.main import mpe
from mpe.data.files import Unwatched
from tests.conftest import ROOT

START = 1_700_000_000
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    rows = [f"c{n % 90};s{n % 30};{START + n}" for n in range(1200)]
    path.write_text("\n".join(["customer;sku;when", *rows]) + "\n")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(mpe, [*map(str, arguments)])


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "mpe.cli.main", "init", *map(str, arguments)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "source")}


def test_two_commands_lead_from_a_csv_to_checked_data(orders: Path, tmp_path: Path) -> None:
    out = tmp_path / "shop"
    made = run("init", "--interactions", orders, "--out", out)
    assert made.exit_code == 0, made.output
    assert "1,200 rows -> interactions.csv" in made.output
    assert f"Next: mpe check-data {out / 'config.json'}" in made.output
    assert run("validate", out / "config.json").exit_code == 0
    assert run("check-data", out / "config.json").exit_code == 0


def test_a_query_takes_the_place_of_a_file(orders: Path, tmp_path: Path) -> None:
    query = f"SELECT * FROM read_csv('{orders}', delim = ';') WHERE customer <> 'c1';"
    items = f"SELECT sku, left(sku, 2) AS kind FROM read_csv('{orders}', delim = ';') GROUP BY ALL"
    out = tmp_path / "shop"
    sql = ("--sql", f"items={items}", "--sql", f"interactions={query}")
    made = run("init", *sql, "--out", out)
    assert made.exit_code == 0, made.output
    assert "--sql interactions: 1,186 rows -> interactions.csv" in made.output
    assert "--sql items: 30 rows -> items.csv" in made.output


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM 's3://bucket/log.parquet'", "Only what ships with the engine can be read"),
        (
            "SELECT * FROM postgres_scan('', 'a', 'b')",
            "Only what ships with the engine can be read",
        ),
        ("DROP TABLE orders", "syntax error"),
        ("SELECT * FROM 'nowhere.parquet'", "No files found"),
        ("", "write it as --sql KIND=QUERY"),
    ],
)
def test_a_query_that_cannot_be_run_is_told(tmp_path: Path, query: str, told: str) -> None:
    refused = run("init", "--sql", f"interactions={query}", "--out", tmp_path / "shop")
    assert refused.exit_code == 1
    assert told in refused.output


def test_interactions_are_asked_for(orders: Path, tmp_path: Path) -> None:
    refused = run("init", "--items", orders, "--out", tmp_path / "shop")
    assert "Pass --interactions FILE, or --sql interactions=QUERY" in refused.output


def test_without_a_terminal_nothing_is_asked_and_what_to_pass_is_told(
    orders: Path, tmp_path: Path
) -> None:
    orders.write_text(orders.read_text().replace("customer", "wer"))
    done = subprocess.run(
        command("--interactions", orders, "--out", tmp_path / "shop"),
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Which column of the interactions is USER_ID? It could be: wer" in done.stderr
    assert "--map COLUMN=USER_ID" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "shop").exists()


def test_at_a_terminal_it_is_asked(orders: Path, tmp_path: Path) -> None:
    orders.write_text(orders.read_text().replace("customer", "wer"))
    out = tmp_path / "shop"
    ours, theirs = pty.openpty()
    os.write(ours, b"1\n")
    done = subprocess.run(
        command("--interactions", orders, "--out", out),
        env=ENVIRONMENT,
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "Which column of the interactions is USER_ID?" in done.stderr
    assert "wer -" not in done.stdout
    assert (out / "interactions.csv").read_text().startswith("USER_ID,ITEM_ID,TIMESTAMP\nc0,s0,")


def test_the_progress_is_gone_while_it_asks(orders: Path, tmp_path: Path) -> None:
    orders.write_text(orders.read_text().replace("customer", "wer"))
    ours, theirs = pty.openpty()
    os.write(ours, b"1\n")
    with subprocess.Popen(
        command("--interactions", orders, "--out", tmp_path / "shop"),
        env=ENVIRONMENT | {"TERM": "xterm"},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as done:
        os.close(theirs)
        shown = all_of(ours).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    before, _, after = shown.partition("Which column of the interactions is USER_ID?")
    assert before.rfind(SHOW_CURSOR) > before.rfind(HIDE_CURSOR) > 0
    assert "Reading" in before
    assert after.find(SHOW_CURSOR) > after.find(HIDE_CURSOR) > after.find("Number")


def all_of(terminal: int) -> bytes:
    """Return all that is written to a terminal until its other side is closed."""
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that it is closed
        while more := os.read(terminal, 1 << 16):
            shown += more
    return shown


@pytest.mark.parametrize("name", ["\x1b[2J\x1b[31mred", "x\x9b31m", "a\u202eb"])
def test_names_of_columns_command_no_terminal(orders: Path, tmp_path: Path, name: str) -> None:
    rows = [f"c{n % 9};s{n % 30};{START + n};e{n % 12};{n % 5}" for n in range(1200)]
    orders.write_text("\n".join([f"customer;sku;when;event;{name}", *rows]))
    made = run("init", "--interactions", orders, "--out", tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert name.encode("unicode_escape").decode("ascii") in made.output
    assert all(line.isprintable() for line in made.output.split("\n"))


def test_a_question_commands_no_terminal() -> None:
    with CliRunner().isolation(input="1\n") as (_, shown, _):
        answer = Terminal(Unwatched()).choose("Which\x1b[2J?", ["\x1b[31mred", "blue"])
        told = shown.getvalue().decode()
    assert answer == "\x1b[31mred"
    assert "Which\\x1b[2J?" in told
    assert "1  \\x1b[31mred" in told
    assert all(line.isprintable() for line in told.split("\n"))


@pytest.mark.parametrize("sign", [";;;;;", "", '"', "\n"])
def test_what_separates_no_columns_is_wrong_usage(orders: Path, tmp_path: Path, sign: str) -> None:
    made = run("init", "--interactions", orders, "--out", tmp_path / "shop", "--delimiter", sign)
    assert made.exit_code == 2
    assert "is not one to 4 characters" in made.output


def test_all_options_reach_their_places(tmp_path: Path) -> None:
    events = tmp_path / "e.csv"
    rows = [f"u{n}\tKäse\t{1 + n % 28:02}.02.2024 10:30\tView" for n in range(40)]
    events.write_bytes("\n".join(["u\titem\twhen\twhat", *rows]).encode("latin-1"))
    users = tmp_path / "u.csv"
    users.write_text("user\tage\nu1\t7\nu2\t8\n")
    items = tmp_path / "i.csv"
    items.write_text("key\tprice\tcategory\nKäse\t1\ta\nBrot\t2\ta\nWurst\t3\tb\n", "latin-1")
    out = tmp_path / "out"
    options = (
        "--interactions", events, "--users", users, "--items", items, "--out", out,
        "--domain", "ECOMMERCE", "--name", "deli", "--delimiter", "tab", "--encoding", "latin-1",
        "--time-format", "%d.%m.%Y %H:%M", "--time-zone", "Europe/Berlin", "--memory", "500MB",
        "--map", "u=USER_ID", "--map", "items.key=ITEM_ID", "--map", "what=EVENT_TYPE",
    )  # fmt: skip
    made = run("init", *options)
    assert made.exit_code == 0, made.output
    lines = (out / "interactions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", "u0,Käse,1706779800,View"]
    assert run("init", *options).exit_code == 1
    assert run("init", *options, "--force").exit_code == 0


def test_a_pipe_is_read(orders: Path, tmp_path: Path) -> None:
    arguments = command("--interactions", "-", "--out", tmp_path / "shop")
    with orders.open("rb") as given:
        made = subprocess.run(
            arguments, stdin=given, capture_output=True, text=True, env=ENVIRONMENT, check=False
        )
    assert made.returncode == 0, made.stderr
    assert "standard input: 1,200 rows -> interactions.csv" in made.stdout
    assert len((tmp_path / "shop" / "interactions.csv").read_text().splitlines()) == 1201
