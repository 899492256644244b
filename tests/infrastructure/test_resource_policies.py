"""Each statement of each resource's policy is needed: without it something comes out wrong."""

from __future__ import annotations

import json

from tests.infrastructure.conftest import Template
from tests.resource_policies import CASES, dropped, failed, policies


def test_every_case_comes_out_right_with_the_policies_as_they_are(template: Template) -> None:
    found = dict(policies(template))
    assert len(found) == 5
    wrong = {case.told for name, all_of in found.items() for case in failed(template, name, all_of)}
    assert wrong == set()
    assert all(any(name.startswith(case.of) for name in found) for case in CASES)


def test_without_any_one_statement_something_comes_out_wrong(template: Template) -> None:
    without_effect = [
        f"{name}: {json.dumps(statement)}"
        for name, statement, wrong in dropped(template)
        if not wrong
    ]
    assert without_effect == []
