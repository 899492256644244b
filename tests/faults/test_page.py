"""The page of faults says what the campaign of whole lives found, and no more."""

from __future__ import annotations

import re

import pytest

from mpe.local.faults import Kind
from tests.conftest import ROOT
from tests.faults import page
from tests.faults.campaign import options
from tests.faults.commands import KIND
from tests.faults.kinds import KINDS

FOUND = page.read()


def test_the_page_is_that_of_what_was_found() -> None:
    text = page.PAGE.read_text()
    assert page.with_lives(text, page.lives(FOUND)) == text


@pytest.mark.parametrize("kind", FOUND)
def test_of_each_kind_that_was_tried_what_came_of_it_is_counted(kind: str) -> None:
    told = FOUND[kind]
    names = [
        one for part in ("outcomes", "violations") for every in told[part].values() for one in every
    ]
    assert len(names) == told["tried"] <= told["cases"]


@pytest.mark.parametrize("kind", [*KINDS, KIND])
def test_the_tests_that_the_page_names_beside_it_are_there(kind: str) -> None:
    for one in page.ALSO[kind]:
        file, _, name = one.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), one


def test_a_kind_that_was_not_tried_and_a_case_that_went_wrong_are_told() -> None:
    case = {"kind": "clock jump", "violations": {"the end": ["provision: a call"]}, "outcomes": {}}
    figures = {"tried": 1, "cases": 2, "date": "2026-01-01", "minutes": 1, "seed": 0}
    text = page.lives({"clock jump": {**case, **figures}})
    assert "**1 × wrong**" in text
    assert "* clock jump, provision: a call: the end" in text
    assert f"**Not tried yet:** {', '.join(one for one in KINDS if one != 'clock jump')}" in text


def test_a_kind_can_be_tried_alone() -> None:
    for kind in (*KINDS, KIND, *Kind):
        assert options().parse_args(["--kind", kind]).kind == [kind]
