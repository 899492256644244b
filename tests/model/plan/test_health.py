"""How a dataset group is, from all that is known of it."""

from __future__ import annotations

from mpe.model.plan.health import Health, Sign, told, worst

SIGNS = [
    Sign(Health.OK, "all is well"),
    Sign(Health.DIFFERS, "a filter differs"),
    Sign(Health.FAILED, "the last run failed"),
    Sign(Health.RUNNING, "a run is under way"),
    Sign(Health.DIFFERS, "a campaign differs"),
]


def test_a_group_is_as_the_worst_that_is_known_of_it() -> None:
    assert worst(SIGNS) == Health.FAILED
    assert worst(SIGNS[:1]) == worst([]) == Health.OK


def test_what_somebody_should_look_at_is_told_and_the_worst_comes_first() -> None:
    assert told(SIGNS) == "the last run failed; a campaign differs; a filter differs"
    assert told([SIGNS[0], SIGNS[3]]) == ""
