"""What others wrote is shown as text, in a line of its own making and nobody else's."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mpe.cli.account import show
from mpe.cli.follow import Look, _table
from mpe.cli.main import _show
from mpe.cli.terminal import print_plain, say
from mpe.cli.validate import print_checked
from mpe.model.errors import Problem
from mpe.model.messages import Message, message_for
from mpe.model.plan.inventory import Exported
from mpe.model.text import plain
from tests.model.test_messages import RUN

FORGED = "Dataset group films: the run succeeded."
HOSTILE = [
    pytest.param(f"x\n{FORGED}", id="newline"),
    pytest.param(f"x\r{FORGED}", id="return"),
    pytest.param(f"x\u2028{FORGED}", id="line-separator"),
    pytest.param(f"x\x85{FORGED}", id="next-line"),
    pytest.param("\x1b[2J\x1b[1;31mred", id="ansi"),
    pytest.param("\x9b31mred", id="c1"),
    pytest.param("\x1b]8;;http://example.com\x07link\x1b]8;;\x07", id="hyperlink"),
    pytest.param("\u202egpj.exe", id="right-to-left"),
    pytest.param("a\u200bb\ufeff", id="zero-width"),
    pytest.param("\ud800", id="surrogate"),
    pytest.param("\x00\x08\x7f", id="control"),
]
MARKUP = [
    pytest.param("[bold red]x[/]", id="markup"),
    pytest.param("\\[bold]x", id="escaped-markup"),
    pytest.param("\\\\[link=http://example.com]x[/link]", id="twice-escaped-markup"),
    pytest.param("[/]", id="end-of-nothing"),
    pytest.param(":warning:", id="emoji"),
    pytest.param("=HYPERLINK(1)", id="formula"),
]


@given(st.text(), st.integers(3, 2_000))
def test_plain_text_is_printable_and_as_short_as_asked(text: str, limit: int) -> None:
    safe = plain(text, limit)
    assert safe.isprintable()
    assert len(safe) <= limit
    if text.isprintable() and len(text) <= limit:
        assert safe == text


def lines_of(text: str) -> list[str]:
    lines = text.split("\n")
    assert all(line.isprintable() for line in lines)
    return lines


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_of_a_run_forges_a_line_of_its_mail(value: str) -> None:
    def told(text: str) -> list[str]:
        failure = dict.fromkeys(("Resource", "Name", "Path", "Error", "Reason", "Remedy"), text)
        change = {"Resource": text, "Name": text, "Did": text}
        detail = {**RUN, "Status": "FAILED", "Failures": [failure], "Failed": 1, "Notes": [text]}
        detail |= {"Changes": [change], "Config": text, "DatasetGroup": text, "ExecutionArn": text}
        message = message_for("Maintenance Run State Change", detail, region="x")
        assert message.subject.isascii()
        assert message.subject.isprintable()
        json.dumps(message.by_protocol()).encode()
        return lines_of(message.text)

    lines = told(value)
    assert len(lines) == len(told("harmless"))
    assert FORGED not in lines


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_of_a_config_forges_a_line_of_its_mail(value: str) -> None:
    problem = {"path": value, "message": value, "remedy": value}
    detail = {"Bucket": "b", "Key": value, "Total": 1, "Problems": [problem]}
    lines = lines_of(message_for("Configuration Rejected", detail, region="x").text)
    assert len(lines) == 13
    assert FORGED not in lines


@pytest.mark.parametrize("value", HOSTILE)
def test_a_problem_is_one_line(value: str) -> None:
    assert str(Problem(value, value, value)).isprintable()


def wide(**more: Any) -> Console:
    return Console(file=io.StringIO(), highlight=False, width=200, **more)


def output(console: Console) -> str:
    found = console.file
    assert isinstance(found, io.StringIO)
    return found.getvalue()


@pytest.mark.parametrize("value", [*HOSTILE, *MARKUP])
def test_the_terminal_shows_what_was_written(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console = wide()
    print_plain(console, value)
    assert output(console) == plain(value) + "\n"
    say(value)
    assert capsys.readouterr().out == plain(value) + "\n"


@pytest.mark.parametrize("value", [*HOSTILE, *MARKUP])
def test_a_table_shows_what_was_written(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    show([{"name": value}], "table", {"name": "NAME"})
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "NAME",
        plain(value),
    ]
    console = wide(force_terminal=True, color_system=None)
    console.print(_table([Look(value, value)]))
    row = output(console).splitlines()[1]
    assert row.count(plain(value)) == 2


@pytest.mark.parametrize("value", [*HOSTILE, *MARKUP])
def test_a_checked_file_is_told_in_lines_of_its_own(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_checked(value, None, (Problem(value, value),))
    assert capsys.readouterr().out.splitlines() == [
        f"{plain(value)}: 1 problem",
        f"  {plain(value)}",
        f"      {plain(value)}",
    ]


@pytest.mark.parametrize("value", [*HOSTILE, *MARKUP])
def test_no_value_forges_a_line_of_an_error(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    import click

    _show(click.ClickException(value))
    head, *more = value.split("\n")
    told = [f"Error: {plain(head)}", *(f"  {plain(line)}" for line in more), ""]
    lines = lines_of(capsys.readouterr().err)
    assert lines == told
    assert FORGED not in lines


@pytest.mark.parametrize("value", [*HOSTILE, *MARKUP])
def test_an_exported_config_is_printable_and_says_the_same(value: str) -> None:
    text = Exported({"tags": [{"tagKey": value}]}).text
    lines_of(text)
    assert json.loads(text) == {"tags": [{"tagKey": value}]}


@pytest.mark.parametrize("char", ["z", "\u3042", "\U0001f600", '"', "\\"])
def test_the_worst_run_fits_into_a_message(char: str) -> None:
    long = dict.fromkeys(("Resource", "Name", "Path", "Error", "Reason", "Remedy"), char * 1000)
    change = {"Resource": "Campaign", "Name": char * 63, "Did": "created", "Seconds": 1}
    detail = {
        **RUN,
        "Status": "FAILED",
        "Failures": [long] * 10,
        "Changes": [change] * 400,
        "Notes": [char * 500] * 20,
    }
    message = message_for("Maintenance Run State Change", detail, region="x")
    sent = message.by_protocol()
    assert len(json.dumps(sent).encode()) < 262_144
    assert json.loads(sent["sqs"])["Failed"] == RUN["Failed"]
    assert len(sent["email"]) > 1_000


def test_a_small_message_is_sent_whole() -> None:
    message = Message("subject", "text", {"Changes": [{"Name": "x"}]})
    assert message.by_protocol()["email"] == "text"
    assert json.loads(message.by_protocol()["sqs"]) == {"Changes": [{"Name": "x"}]}
