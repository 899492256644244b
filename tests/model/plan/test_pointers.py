"""Which campaigns and jobs follow a pointer of the gate, and which do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.plan.desired import DesiredState, desired_state
from tests.conftest import config
from tests.handlers.test_runs import PLACE

VERSION = "arn:aws:personalize:us-east-1:000000000000:solution/movielens-for-you/1"


def state(*campaigns: dict[str, Any], jobs: list[dict[str, Any]] | None = None) -> DesiredState:
    """Return what is wanted of a solution whose gate holds, with some campaigns and batch jobs."""
    document = config()
    (solution, *_) = document["solutions"]
    solution["serviceConfig"]["performAutoTraining"] = False
    solution["workflowConfig"] = {"gate": {"mode": "hold"}}
    solution["campaigns"] = [
        {**one, "serviceConfig": {"name": f"c{number}", **one.get("serviceConfig", {})}}
        for number, one in enumerate(campaigns)
    ]
    if jobs is not None:
        solution["batchInferenceJobs"] = jobs
    return desired_state(parse(json.dumps(document)), PLACE, version="1")


def pointers(found: DesiredState, noun: str = "Campaign") -> list[str | None]:
    own = (one for one in found.resources.values() if one.noun == noun)
    return [one.pointer and one.pointer.rpartition(".")[2] for one in own]


def mode(word: str) -> dict[str, Any]:
    return {"workflowConfig": {"gate": {"mode": word}}}


def test_several_campaigns_have_a_pointer_each() -> None:
    assert pointers(state({}, {})) == ["c0", "c1"]


def test_off_on_a_second_campaign_makes_it_a_canary() -> None:
    found = state({}, mode("off"))
    assert pointers(found) == ["c0", None]
    (version,) = (one for one in found.resources.values() if one.id == "version.movielens-for-you")
    assert [one["id"].rpartition(".")[2] for one in version.campaigns] == ["c0"]
    canary = found.resources["campaign.movielens-for-you.c1"]
    assert canary.given == ("solutionVersionArn",), "it follows the newest"


def test_a_pin_wins_and_is_judged_for() -> None:
    found = state({"serviceConfig": {"solutionVersionArn": VERSION}})
    assert pointers(found) == [None]
    (version,) = (one for one in found.resources.values() if one.id == "version.movielens-for-you")
    assert [one["pinned"] for one in version.campaigns] == [True]


@pytest.mark.parametrize(
    ("workflow", "followed"), [({}, "c0"), ({"version": "newest"}, None)], ids=["usual", "newest"]
)
def test_batch_jobs_follow_the_first_pointer_unless_they_want_the_newest(
    workflow: dict[str, Any], followed: str | None
) -> None:
    job = {"serviceConfig": {}, "workflowConfig": workflow}
    assert pointers(state({}, {}, jobs=[job]), "BatchInferenceJob") == [followed]
