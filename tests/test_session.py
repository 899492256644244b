"""What the page of a session shows is what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.maintained import maintained
from tests.session import PAGE, session


def test_the_page_of_a_session_has_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with maintained(tmp_path, monkeypatch) as stack:
        monkeypatch.chdir(tmp_path)
        assert PAGE.read_text() == session(stack), "run python -m tests.session"
