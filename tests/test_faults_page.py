"""The page of the fault campaign says how much of it was tried, and what wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpe.local.faults import Kind
from tests.conftest import ROOT
from tests.local.campaign import (
    Case,
    Record,
    Site,
    Verdict,
    cases_of,
    command_of,
    options,
    report,
)

SITE = Site("provision", "Begin", "dynamodb", "GetItem", 1)
ALL = [one for cases in cases_of([SITE], 0, 0).values() for one in cases]


def page(tried: list[Case], left: int = 0) -> str:
    """Return the page as one line: where lines break is of no matter."""
    verdicts = [Verdict(one, "same") for one in tried]
    text = report(verdicts, "make faults", 60, cases=len(ALL), left=left)
    return " ".join(text.split())


def test_of_a_sample_it_says_how_many_of_how_many_and_that_a_blank_cell_was_not_tried() -> None:
    text = page(ALL[:2])
    assert f"Only 2 of {len(ALL)} cases were tried." in text
    assert "A blank cell, and a call that has no row, was not tried" in text
    assert "* 2 × same" in text


def test_of_all_cases_it_says_so() -> None:
    text = page(ALL)
    assert f"All {len(ALL)} cases were tried." in text
    assert "was not tried" not in text


def test_cases_that_time_did_not_suffice_for_are_counted() -> None:
    text = page(ALL[1:], left=1)
    assert f"Only {len(ALL) - 1} of {len(ALL)} cases" in text
    assert "* 1 × not tried, for lack of time" in text


def test_an_outage_of_amazon_personalize_is_no_case() -> None:
    site = Site("provision", "EnsureCampaign", "personalize", "DescribeCampaign", 1)
    kinds = {one.fault.kind for cases in cases_of([site], 0, 0).values() for one in cases}
    assert kinds
    assert Kind.OUTAGE not in kinds


@pytest.mark.parametrize(
    ("given", "command"),
    [
        pytest.param("--write docs/faults.md", "make faults", id="all"),
        pytest.param(
            "--record build/faults.jsonl --minutes 9 --write docs/faults.md",
            "make faults",
            id="what-went-on-from-a-record",
        ),
        pytest.param("--write docs/faults.md --seed 3", "make faults SEED=3", id="a-seed"),
        pytest.param(
            "--sample 300 --seed 1 --write build/faults.md",
            "make faults SAMPLE=300 SEED=1",
            id="a-sample",
        ),
        pytest.param(
            "--sample 300 --seed 1 --write docs/faults.md",
            "python -m tests.local.campaign --sample 300 --seed 1 --write docs/faults.md",
            id="a-sample-elsewhere",
        ),
        pytest.param(
            "--only Begin.*PutItem --minutes 5 --assembly cdk.out --write docs/faults.md",
            "python -m tests.local.campaign --minutes 5.0 --only 'Begin.*PutItem' "
            "--write docs/faults.md",
            id="what-make-has-no-word-for",
        ),
    ],
)
def test_the_command_is_one_that_writes_the_page(
    monkeypatch: pytest.MonkeyPatch, given: str, command: str
) -> None:
    monkeypatch.chdir(ROOT)
    assert command_of(options().parse_args(given.split())) == command


def test_a_campaign_goes_on_from_the_verdicts_that_are_known(tmp_path: Path) -> None:
    file = tmp_path / "faults.jsonl"
    first, second = Verdict(ALL[0], "same"), Verdict(ALL[1], "nobody was told", violation=True)
    for verdict in (first, second):
        Record(file).keep(verdict)
    waiting = cases_of([SITE], 0, 0)
    assert Record(file).take(waiting) == [first, second]
    assert [case for cases in waiting.values() for case in cases] == ALL[2:]
    assert Record(None).take(waiting) == []
