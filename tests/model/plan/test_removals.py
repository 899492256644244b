"""What goes once a config names it no more, and what stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mpe.model.plan.desired import DELETE, KEEP, Desired, DesiredState
from mpe.model.plan.inventory import Found
from mpe.model.plan.removals import Left, Made, going, left, serves, users

START = datetime(2027, 1, 1, tzinfo=UTC)
SERVED = "solution/best/1"


def found(noun: str, name: str, **fields: Any) -> Found:
    arn = f"{noun.lower()}/{name}"
    return Found(noun, arn, "ACTIVE", {"name": name, "creationDateTime": START, **fields})


def made(noun: str, name: str) -> Made:
    return Made.of(noun, name, f"{noun.lower()}/{name}", {"creationDateTime": START})


def state(*named: tuple[str, str], on_removal: str = DELETE) -> DesiredState:
    resources = {name: Desired(name, noun, name, "$", {}) for noun, name in named}
    return DesiredState("films", "one", resources, on_removal=on_removal)


def test_what_was_made_is_known_by_its_moment_in_whatever_zone() -> None:
    one = made("Filter", "old")
    elsewhere = START.astimezone(timezone(timedelta(hours=5)))
    assert one.is_still({"creationDateTime": elsewhere})
    assert not one.is_still({"creationDateTime": START + timedelta(seconds=1)})
    assert Made.of("Filter", "old", "filter/old", {}).created == ""


def test_what_is_not_under_way_has_no_run_in_its_row() -> None:
    one = made("Filter", "old")
    row = {"noun": "Filter", "name": "old", "arn": "filter/old", "created": START.isoformat()}
    assert one.as_dict() == row
    assert replace(one, removing="run").as_dict() == {**row, "removing": "run"}


ALL = [
    made("DatasetGroup", "films"),
    made("Dataset", "views"),
    made("Schema", "views"),
    made("Filter", "old"),
    made("Solution", "best"),
    made("Campaign", "live"),
    made("Recommender", "shop"),
]


def test_what_goes_does_so_in_the_services_order_and_what_holds_data_stays() -> None:
    stages = [[one.name for one in stage] for stage in going(state(), ALL)]
    assert stages == [["live", "shop"], ["best"], ["old"]]


def test_what_is_named_or_of_no_known_moment_stays_and_so_does_all_where_it_is_to_be_kept() -> None:
    named = state(("Solution", "best"), ("Filter", "live"))
    stages = [[one.name for one in stage] for stage in going(named, ALL)]
    assert stages == [["live", "shop"], ["old"]]
    unknown = [replace(one, created="") for one in ALL]
    assert list(going(state(), unknown)) == []
    assert list(going(state(on_removal=KEEP), ALL)) == []


THERE = [
    found("Schema", "views"),
    found("Dataset", "views"),
    found("Filter", "old"),
    found("Filter", "new"),
    found("Solution", "best"),
    found("Campaign", "live", solutionVersionArn=SERVED),
]


def test_a_plan_has_what_goes_and_then_what_stays_with_what_may_be_done() -> None:
    known = [one for one in ALL if one.name != "old"]
    (campaign, solution, dataset, old) = left(state(), known, THERE, ["filter/new"])
    told = "not in the config, and removed at the end of the run"
    assert [campaign, solution] == [Left(THERE[5], told, True), Left(THERE[4], told, True)]
    stays = "not in the config, left as it is"
    assert dataset == Left(
        THERE[1],
        stays,
        note="what holds data stays whatever onRemoval says; `mpe remove films dataset/views` "
        "removes it",
    )
    assert old == Left(
        THERE[2],
        stays,
        note="no run of this stack made it, so that onRemoval leaves it; "
        "`mpe remove films filter/old` removes it",
    )


def test_what_has_gone_or_was_made_again_by_others_ends_no_search() -> None:
    others = replace(THERE[2], fields={"name": "old", "creationDateTime": START + timedelta(1)})
    again = [found("Filter", "another"), others]
    known = [made("Filter", "away"), made("Filter", "old"), made("Filter", "another")]
    goes = {one.found.name: one.goes for one in left(state(), known, again, [])}
    assert goes == {"another": True, "old": False}


def test_a_solution_that_others_campaigns_use_stays_and_is_told_once() -> None:
    theirs = [
        found("Campaign", "theirs", solutionVersionArn=SERVED),
        found("Campaign", "of-another", solutionVersionArn="solution/best-of-all/1"),
    ]
    (campaign, solution, *rest) = left(state(), ALL, [*THERE[4:], *theirs], [])
    assert (campaign.found.name, campaign.goes) == ("live", True)
    assert (solution.found.name, solution.goes) == ("best", False)
    used = "the campaign theirs uses it, which no run of this stack made"
    assert solution.why == f"not in the config, and stays: {used}"
    assert [one.found.name for one in rest] == ["theirs", "of-another"]
    assert users("solution/best", theirs) == used
    assert serves([]) == ""


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (found("Campaign", "live"), "still billed"),
        (found("Recommender", "shop"), "still billed"),
        (replace(found("Recommender", "shop"), status="INACTIVE"), "left as it is"),
        (replace(found("Filter", "old"), status="CREATE FAILED"), "left as it is"),
        (found("Solution", "best"), "left as it is"),
        (
            found("Solution", "best", performAutoTraining=True),
            "still trained by the service, and billed",
        ),
        (found("EventTracker", "clicks", performAutoTraining=True), "left as it is"),
    ],
)
def test_what_stays_is_told_with_what_it_costs(one: Found, why: str) -> None:
    (told,) = left(state(on_removal=KEEP), [], [one], [])
    assert told.why == f"not in the config, {why}"
    assert told.note.startswith("it stays, as onRemoval is keep; ")
