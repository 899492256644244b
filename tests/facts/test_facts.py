"""Each fact of the real service is put to the emulator; the page counts them."""

from __future__ import annotations

import pytest

from tests.facts import page
from tests.facts.bench import Bench
from tests.facts.record import FACTS, Fact


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("fact", FACTS, ids=[one.id for one in FACTS])
def test_the_emulator_does_as_the_fact_says(
    fact: Fact, bench: Bench, request: pytest.FixtureRequest
) -> None:
    if fact.wrong:
        mark = pytest.mark.xfail(reason=fact.wrong, strict=True)
        request.applymarker(mark)
    fact.tried(bench)


def test_the_page_is_as_its_generator_writes_it() -> None:
    assert page.PAGE.read_text() == page.page(), "run `python -m tests.facts.page`"
