"""Each rule has an id of its own, a reason and a source, and what is told has a rule."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import chain

import pytest

from mpe.model.rules.catalogue import ALL, RETIRED, SUBJECTS, rules_of
from mpe.model.rules.record import OURS, Rule
from tests.conftest import ROOT

RULES = list(chain.from_iterable(map(rules_of, SUBJECTS.values())))


def test_no_two_rules_have_one_id() -> None:
    counts = Counter(rule.id for rule in RULES)
    assert [name for name, count in counts.items() if count > 1] == []
    assert not set(counts) & RETIRED


@pytest.mark.parametrize("letter", SUBJECTS)
def test_a_subjects_ids_are_its_letter_and_numbers_without_a_gap(letter: str) -> None:
    """A gap would be an id that was taken away: it is retired, so that no rule gets it again."""
    known = {*(rule.id for rule in rules_of(SUBJECTS[letter])), *RETIRED}
    own = {name for name in known if name.startswith(f"MPE-{letter}")}
    assert own == {f"MPE-{letter}{number:03}" for number in range(1, len(own) + 1)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_and_who_says_so(rule: Rule) -> None:
    assert rule.why.endswith(".")
    assert not rule.title.endswith(".")
    if rule.source.startswith(OURS):
        assert len(rule.source) > len(OURS) + 20
    elif "://" in rule.source:
        assert re.fullmatch(r"https://[a-z.-]+/[\w./#-]*", rule.source)
    elif not rule.source.startswith("botocore/"):
        assert (ROOT / rule.source).exists()


def test_only_rules_make_problems_and_findings() -> None:
    """So whatever is told bears the id of a rule, wherever it is told."""
    makers: dict[str, set[str]] = {}
    for path in sorted((ROOT / "source").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = (
                getattr(node.func, "id", getattr(node.func, "attr", ""))
                if isinstance(node, ast.Call)
                else ""
            )
            if name in {"Problem", "Finding"}:
                makers.setdefault(path.relative_to(ROOT).as_posix(), set()).add(name)
    assert makers == {"source/mpe/model/rules/record.py": {"Problem", "Finding"}}


def test_every_rule_is_in_the_catalogue() -> None:
    rooms = {path.stem for path in (ROOT / "source/mpe/model/rules").glob("*.py")}
    listed = {one.__name__.rpartition(".")[2] for one in SUBJECTS.values()}
    assert rooms - {"__init__", "record", "catalogue"} == listed
    assert len(ALL) == len(RULES)
