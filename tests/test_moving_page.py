"""Each sentence of the page on moving has tests that would fail if it were not so.

``moving.json`` has them: a sentence that is new or changed fails here until somebody has looked at
which tests hold it. ``advice`` says nothing of this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs/moving.md").read_text()
HELD: dict[str, list[str] | str] = json.loads((ROOT / "tests/moving.json").read_text())
ADVICE = "advice"


def claims(page: str) -> Iterator[str]:
    """Yield the sentences of a page, and the rows of its tables without their headings."""
    for block in page.split("\n\n"):
        if block.lstrip().startswith("#"):
            continue
        if block.startswith("|"):
            yield from block.strip().splitlines()[2:]
            continue
        for item in re.split(r"\n(?=[0-9]+\. )", block.strip()):
            told = re.sub(r"^[0-9]+\. ", "", " ".join(item.split()))
            yield from re.split(r"(?<=[.?]) (?=[A-Z`])", told)


def test_each_sentence_is_held_by_tests_and_no_other_is() -> None:
    assert sorted(claims(PAGE)) == sorted(HELD)


NAMED = sorted({one for held in HELD.values() if held != ADVICE for one in held})


@pytest.mark.parametrize("named", NAMED)
def test_each_test_that_holds_one_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert f"\ndef {name}(" in (ROOT / "tests" / path).read_text()


def test_a_sentence_has_a_test_or_is_advice() -> None:
    assert all(HELD.values())
    advice = [one for one, held in HELD.items() if held == ADVICE]
    assert len(advice) <= 5, "advice is what a reader does or knows elsewhere"
