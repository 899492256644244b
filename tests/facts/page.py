"""The page of facts by area: ``python -m tests.facts.page`` writes docs/facts.md."""

from __future__ import annotations

from collections import Counter

from tests.conftest import ROOT
from tests.facts import (
    batch,
    campaigns,
    deletions,
    events,
    filters,
    groups,
    imports,
    jobs,
    recipes,
    recommenders,
    runtime,
    schemas,
    solutions,
    tags,
    wire,
)
from tests.facts.record import EVIDENCE, FACTS, Fact

PAGE = ROOT / "docs" / "facts.md"
MODULES = (
    recipes,
    schemas,
    groups,
    imports,
    filters,
    solutions,
    campaigns,
    recommenders,
    runtime,
    events,
    batch,
    jobs,
    deletions,
    tags,
    wire,
)
"""The areas, each of which records its facts as it is imported."""
ORDER = [one.fact.name for one in MODULES]
FACTS.sort(key=lambda one: ORDER.index(one.area))


def page() -> str:
    """Return the text of the page."""
    areas = list(dict.fromkeys(one.area for one in FACTS))
    tried = Counter(one.area for one in FACTS)
    wrong = Counter(one.area for one in FACTS if one.wrong)
    lines = [
        "# Facts of the service that the emulator is held to",
        "",
        "Each fact is an observable behaviour of Amazon Personalize that somebody else has written",
        "down, and a test puts it to the emulator through boto3. A fact that the emulator gets",
        "wrong is named below; its test fails as soon as that is no longer so. This page is made",
        "by `python -m tests.facts.page`.",
        "",
        "| evidence | |",
        "|---|---|",
        *(f"| {key} | {told} |" for key, told in EVIDENCE.items()),
        "",
        "| area | tried | right | wrong |",
        "|---|---|---|---|",
        *(f"| {one} | {tried[one]} | {tried[one] - wrong[one]} | {wrong[one]} |" for one in areas),
        f"| all | {len(FACTS)} | {len(FACTS) - wrong.total()} | {wrong.total()} |",
        "",
        *_known_wrong(),
        "## The facts",
        "",
        "| fact | evidence | | source |",
        "|---|---|---|---|",
        *map(_row, FACTS),
    ]
    return "\n".join(lines) + "\n"


def _known_wrong() -> list[str]:
    rows = [f"| {one.id} | {_cell(one.told)} | {_cell(one.wrong)} |" for one in FACTS if one.wrong]
    return ["| wrong | fact | why |", "|---|---|---|", *rows, ""] if rows else []


def _row(fact: Fact) -> str:
    return f"| {fact.id} | {fact.evidence} | {_cell(fact.told)} | {_cell(fact.source)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page())
