"""A sample of broken files: ``python -m tests.defects`` tries all of them."""

from __future__ import annotations

import pytest

from tests.defects import DEFECTS, UNKNOWABLE, Defect, told, verdict

SAMPLE = (*DEFECTS[::4], *UNKNOWABLE)


@pytest.mark.parametrize("one", SAMPLE, ids=[one.name for one in SAMPLE])
def test_a_defect_is_told_by_the_rule_that_is_meant(one: Defect) -> None:
    assert verdict(one) == ("rightly" if one.rule else "not at all")


def test_good_data_has_no_finding() -> None:
    assert told(Defect("none", "interactions", lambda lines: lines)) == []


def test_each_defect_has_its_rule_or_says_why_nobody_can_know_it() -> None:
    assert all(bool(one.rule) != bool(one.silent) for one in DEFECTS)
    assert len({one.name for one in DEFECTS}) == len(DEFECTS)
