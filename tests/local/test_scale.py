"""A config with a hundred solutions stays far from the limits of Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from tests.everything import RECIPE
from tests.local.conftest import CSV, User, small
from tests.local.test_everything import put_files

pytestmark = pytest.mark.local

SOLUTIONS = 100
STATE_LIMIT, EVENT_LIMIT = 256 * 1024, 25_000


def many(group: str) -> dict[str, Any]:
    solutions = [
        {
            "serviceConfig": {
                "name": f"{group}-{number}",
                "recipeArn": f"{RECIPE}aws-popularity-count",
                # The service waits a real minute for a version of ours before it trains by
                # itself, which may be over here.
                "performAutoTraining": False,
            },
            "campaigns": [{"serviceConfig": {"name": f"{group}-{number}"}}],
            "batchInferenceJobs": [{}],
        }
        for number in range(SOLUTIONS)
    ]
    return small(group, solutions=solutions)


def histories(user: User) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of the run and of every execution that it started."""
    states = user.cloud.client("stepfunctions")
    (run,) = user.executions()
    yield _events(states, run["executionArn"])
    for machine in states.list_state_machines()["stateMachines"]:
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=machine["stateMachineArn"]
        )
        for page in pages:
            for one in page["executions"]:
                told = states.describe_execution(executionArn=one["executionArn"])
                given = json.loads(told["input"])
                if given.get("run", {}).get("group") == user.group and "solution" in given:
                    yield _events(states, one["executionArn"])


def _events(states: Any, arn: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def _largest(events: list[dict[str, Any]]) -> int:
    """Return the size of the largest input or output of a state."""
    return max(
        len(str(details.get(key, "")))
        for event in events
        for details in event.values()
        if isinstance(details, dict)
        for key in ("input", "output")
    )


def test_a_hundred_solutions_with_campaigns_and_batch_jobs_pass(cloud: LocalCloud) -> None:
    user = User(cloud, "many")
    inputs = {
        f"batch/many/many-{number}/job_config.json": '{"userId": "u1"}\n'
        for number in range(SOLUTIONS)
    }
    put_files(user, inputs)
    user.put("interactions.csv", CSV)
    user.upload(many("many"))
    assert user.wait_for_run() == "SUCCEEDED", user.why()

    personalize = cloud.client("personalize")
    for number in range(SOLUTIONS):
        solution = user.arn(f"solution/many-{number}")
        (version,) = personalize.list_solution_versions(solutionArn=solution)["solutionVersions"]
        assert version["status"] == "ACTIVE"
        arn = version["solutionVersionArn"]
        (job,) = personalize.list_batch_inference_jobs(solutionVersionArn=arn)["batchInferenceJobs"]
        (live,) = personalize.list_campaigns(solutionArn=solution)["campaigns"]
        assert (job["status"], live["status"]) == ("ACTIVE", "ACTIVE")
    (mail,) = user.mail()
    assert mail["body"].count("created Campaign many-") == SOLUTIONS
    found = list(histories(user))
    assert len(found) == SOLUTIONS + 1
    longest, largest = max(map(len, found)), max(map(_largest, found))
    print(f"longest history: {longest} events; largest state: {largest} characters")
    assert largest < STATE_LIMIT / 4
    assert longest < EVENT_LIMIT / 4
