"""``mpe init`` as a command."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mpe.cli.main import mpe
from tests.conftest import ROOT

START = 1_700_000_000


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
