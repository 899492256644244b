"""Which desired states may go: those that are old, and tell nothing that a newer one does not."""

from __future__ import annotations

import pytest

from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.superseded import may_be_superseded, superseded

NEWEST = "20270110T120000-bfcebc31"


@pytest.mark.parametrize(
    ("version", "by", "may"),
    [
        ("20270107T115959-00000000", NEWEST, True),
        ("20270107T120000-00000000", NEWEST, False),
        ("20270109T120000-00000000", NEWEST, False),
        ("20270112T120000-00000000", NEWEST, False),
        ("of-no-moment", NEWEST, False),
        ("20270107T115959-00000000", "of-no-moment", False),
    ],
)
def test_a_state_may_go_three_days_before_a_newer_upload(version: str, by: str, may: bool) -> None:
    assert may_be_superseded(version, by) is may


def state(version: str, *schemas: str) -> DesiredState:
    """Return a state that names some schemas, and a filter that no other state has."""
    made = [
        Desired(f"schema.{one}", "Schema", one, "$", {}, arn=f"schema/{one}") for one in schemas
    ]
    filter_ = Desired("filter", "Filter", version, "$", {}, arn=f"filter/{version}")
    return DesiredState("films", version, {one.id: one for one in (*made, filter_)})


def test_of_all_that_name_a_schema_which_the_newest_does_not_the_newest_is_kept() -> None:
    same, fewer, other, again, both = (
        state("5", "views"),
        state("4"),
        state("3", "users"),
        state("2", "users"),
        state("1", "views", "users"),
    )
    gone = list(superseded([same, fewer, other, again, both], state("6", "views")))
    assert gone == [same, fewer, again, both]
