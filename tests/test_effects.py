"""Each parameter that has its effect is missed by a test when it is taken out."""

from __future__ import annotations

from tests.coverage import PROBES
from tests.mutations import Trials, noticed


def test_each_parameter_that_has_its_effect_is_missed_when_it_is_taken_out() -> None:
    trials: Trials = {}
    for parameter, test in PROBES.items():
        trials.setdefault(test, []).append(parameter)
    found = noticed(trials)
    assert {name: test for name, test in PROBES.items() if name not in found} == {}
