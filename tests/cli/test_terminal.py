"""Colours: for a terminal that has them, whose user wants them."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from mpe.cli.terminal import say


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(line: str, style: str | None = None) -> str:
    """Say a line on a terminal, and return what that was sent."""
    with redirect_stdout(Terminal()) as terminal:
        say(line, style=style)
    return terminal.getvalue()


@pytest.fixture(autouse=True)
def with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize(("style", "code"), [("red", 31), ("green", 32), ("dim", 2)])
def test_a_style_is_shown_on_a_terminal(style: str, code: int) -> None:
    assert said("films: fine", style) == f"\x1b[{code}mfilms: fine\x1b[0m\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "DUMB")])
def test_no_style_is_shown_to_who_wants_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said("films: fine", "green") == "films: fine\n"


def test_a_file_gets_no_style(capsys: pytest.CaptureFixture[str]) -> None:
    say("films: fine", style="green")
    assert capsys.readouterr().out == "films: fine\n"


def test_what_is_said_cannot_bring_its_own_style() -> None:
    assert "\x1b" not in said("films\x1b[31m: fine")
