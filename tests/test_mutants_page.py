"""The page of mutants is as its generator writes it, and a reason belongs to what survived."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.mutants import PAGE, REASONS, TESTED, Measured, Survivor, kept, page


def test_the_page_is_as_make_mutants_writes_it() -> None:
    assert PAGE.read_text() == page(kept()), "run `make mutants`"


def test_each_reason_is_of_a_change_that_no_test_notices() -> None:
    survived = {
        f"{module}: {each.text}: {each.operator}"
        for module, one in kept().items()
        for each in one.survivors
    }
    assert REASONS.keys() <= survived


def test_each_module_and_its_tests_are_there() -> None:
    for module, tests in TESTED.items():
        assert (ROOT / module).exists()
        assert (ROOT / tests).exists()


def test_what_was_not_tried_is_not_taken_for_noticed() -> None:
    left = Survivor(1, "a | b", "ReplaceBinaryOperator", "a & b")
    text = page({"source/mpe/model/plan/waits.py": Measured("2026-11-28", 100, 10, (left,))})
    assert "| 100 | 10 | 9 | 90% | 2026-11-28 |" in text
    assert "`a \\| b`" in text
    assert "**not yet looked at**" in text
    assert "Not measured yet:" in text
