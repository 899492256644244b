"""Many at the same moment: nothing is lost, nothing is done twice.

``MPE_FULL_SIZE=1`` runs the full sizes: 50 dataset groups, and 501 tasks that are due together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from mpe.local.faults import Fault, Kind
from tests.everything import schema
from tests.local.campaign import Lab
from tests.local.conftest import CSV, NEVER, User, small, wait_until
from tests.local.test_provisioning import later_second
from tests.local.test_schedules import fire, jobs, row, serving, settled, versions

pytestmark = pytest.mark.local

FULL = os.environ.get("MPE_FULL_SIZE") == "1"
GROUPS = 50 if FULL else 4
STORM_GROUPS = 167 if FULL else 6
"""Each with three tasks: more together than functions may run at a time on a small machine."""
UPLOADS = 10


def at_the_same_moment(act: Callable[[User], Any], users: Iterable[User]) -> list[Any]:
    users = list(users)
    with ThreadPoolExecutor(len(users)) as pool:
        return list(pool.map(act, users))


def rows(user: User) -> dict[str, dict[str, str]]:
    """Return the group's rows of turns, by their record."""
    items = user.cloud.client("dynamodb").query(
        TableName=user.cloud.outputs["TurnsTable"],
        KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": user.group}},
    )["Items"]
    return {
        item["record"]["S"]: {key: value["S"] for key, value in item.items() if "S" in value}
        for item in items
    }


def runs(user: User) -> list[dict[str, str]]:
    """Return the runs that had their turn, in the order in which they had it."""
    found = [one for record, one in rows(user).items() if record.startswith("RUN#")]
    return sorted(found, key=lambda one: one["started"])


def assert_one_after_the_other(user: User) -> None:
    for before, after in pairwise(runs(user)):
        assert before["ended"] <= after["started"]
    wait_until(lambda: "LEASE" not in rows(user))  # given back right after the run is recorded


def tried(group: str, **sections: Any) -> dict[str, Any]:
    """Return the small config without the service's own training.

    It waits a real minute for a version of ours, which may take longer where many are at work.
    """
    document = small(group, **sections)
    for solution in document["solutions"]:
        solution["serviceConfig"]["performAutoTraining"] = False
    return document


def campaign(user: User) -> dict[str, Any]:
    found: dict[str, Any] = user.cloud.client("personalize").describe_campaign(
        campaignArn=user.arn(f"campaign/{user.group}-live")
    )["campaign"]
    return found


def test_dataset_groups_that_are_uploaded_at_the_same_moment_are_all_provisioned(
    cloud: LocalCloud,
) -> None:
    users = [User(cloud, f"crowd{number:02}") for number in range(GROUPS)]
    at_the_same_moment(lambda user: user.put("interactions.csv", CSV), users)
    at_the_same_moment(lambda user: user.upload(tried(user.group)), users)
    for user in users:
        wait_until(lambda user=user: [one for one in runs(user) if one["status"] != "RUNNING"])
        (run,) = runs(user)
        assert run["status"] == "SUCCEEDED", user.mail()
        assert len(versions(user)) == len(jobs(user, "import")) == 1
        assert campaign(user)["status"] == "ACTIVE"
        assert_one_after_the_other(user)
        (mail,) = user.mail()
        assert "is ready" in mail["subject"]


def sized(group: str, size: int) -> dict[str, Any]:
    document = tried(group)
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = size
    return document


def test_of_many_uploads_to_one_group_the_newest_wins_and_nothing_is_made_twice(
    cloud: LocalCloud,
) -> None:
    user = User(cloud, "eager")
    user.put("interactions.csv", CSV)
    for size in range(1, UPLOADS + 1):
        user.upload(sized("eager", size))
    wait_until(lambda: campaign_of(user, UPLOADS))
    assert user.wait_for_run() == "SUCCEEDED"
    statuses = {one["status"] for one in user.executions()}
    assert statuses == {"SUCCEEDED"}, "an overtaken run is no failure"
    assert campaign(user)["minProvisionedTPS"] == UPLOADS
    assert len(versions(user)) == len(jobs(user, "import")) == 1
    assert runs(user)[-1]["record"] == f"RUN#{rows(user)['CONFIG']['run']}"
    assert_one_after_the_other(user)


def campaign_of(user: User, size: int) -> bool:
    """Tell whether the campaign is there, in this size and not being changed."""
    listed = user.cloud.client("personalize").list_campaigns(
        solutionArn=user.arn(f"solution/{user.group}-popular")
    ) if _solution(user) else {"campaigns": []}  # fmt: skip
    if not listed["campaigns"]:
        return False
    found = campaign(user)
    update = found.get("latestCampaignUpdate", {}).get("status", "ACTIVE")
    return (found.get("minProvisionedTPS"), found["status"], update) == (size, "ACTIVE", "ACTIVE")


def _solution(user: User) -> bool:
    pages = user.cloud.client("personalize").get_paginator("list_solutions").paginate()
    return f"{user.group}-popular" in set(pages.search("solutions[].name"))


def test_an_upload_during_a_scheduled_run_waits_for_it_and_is_not_lost(cloud: LocalCloud) -> None:
    user = User(cloud, "between")
    document = tried("between")
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    training = Fault("EnsureSolutionVersion", "personalize", "CreateSolutionVersion", 1, Kind.HELD)
    lab = Lab(cloud)
    lab.watch("between", training)
    fire(user, "full.between-popular")
    wait_until(lambda: lab.report("between")["hits"])
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 3
    user.upload(document)

    settled(user, "full.between-popular", "SUCCEEDED")
    wait_until(lambda: [one for one in runs(user)[2:] if one["status"] != "RUNNING"])
    assert [one["status"] for one in runs(user)] == ["SUCCEEDED"] * 3
    _, task, _ = runs(user)
    assert [one.get("task") for one in runs(user)] == [None, "full.between-popular", None]
    uploaded = user.executions()[0]["startDate"]
    assert uploaded < datetime.fromisoformat(task["ended"]), "it came while the task's was at work"
    assert_one_after_the_other(user)
    assert campaign(user)["minProvisionedTPS"] == 3
    assert len(versions(user)) == 2, "one of the config, one of the task"
    assert serving(user) == versions(user)[-1]


def stormy(group: str) -> dict[str, Any]:
    """Return a config with three tasks: an import, and an export of each of two datasets."""
    document = tried(group, solutions=[])
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    columns = schema("Items", ITEM_ID="string", PRICE="float")
    document["datasets"]["items"] = {
        "dataset": {"serviceConfig": {"name": f"{group}-items"}},
        "schema": {"serviceConfig": {"name": f"{group}-items", "schema": columns}},
    }
    for kind in ("interactions", "items"):
        document["datasets"][kind]["export"] = {"workflowConfig": {"schedule": NEVER}}
    return document


TASKS = ("import", "export.interactions", "export.items")


def _prepared(user: User) -> None:
    user.put("interactions.csv", CSV)
    user.put("items.csv", "ITEM_ID,PRICE\n" + "".join(f"i{n},{n}.0\n" for n in range(240)))
    user.upload(stormy(user.group))
    wait_until(lambda: [one for one in runs(user) if one["status"] != "RUNNING"])


def test_of_many_tasks_that_are_due_together_each_runs_once(cloud: LocalCloud) -> None:
    users = [User(cloud, f"storm{number:03}") for number in range(STORM_GROUPS)]
    at_the_same_moment(_prepared, users)
    exports = {user.group: _exports(user) for user in users}
    for user in users:
        wait_until(lambda user=user: later_second(user))
        user.put("interactions.csv", CSV + "u0,i0,view,1,1800000000\n")

    at_the_same_moment(lambda user: [fire(user, task) for task in TASKS], users)

    for user in users:
        for task in TASKS:
            settled(user, task, "SUCCEEDED")
            assert "skipped" not in row(user, task)
        done = [one.get("task") for one in runs(user)]
        assert sorted(filter(None, done)) == sorted(TASKS), "each ran once"
        assert_one_after_the_other(user)
        assert len(jobs(user, "import")) == 2, "the newer data is imported, once"
        assert _exports(user) == exports[user.group] + 2


def _exports(user: User) -> int:
    return sum(len(jobs(user, "export", kind)) for kind in ("INTERACTIONS", "ITEMS"))


def test_a_task_that_is_fired_many_times_at_once_runs_at_least_once_and_never_beside_itself(
    cloud: LocalCloud,
) -> None:
    user = User(cloud, "hasty")
    _prepared(user)
    before = len(jobs(user, "export", "ITEMS"))
    at_the_same_moment(lambda user: fire(user, "export.items"), [user] * 10)
    machine = {"stateMachineArn": cloud.outputs["TaskWorkflow"]}
    states = cloud.client("stepfunctions")

    def fired() -> list[str] | None:
        found = [
            one
            for one in states.list_executions(**machine, maxResults=1000)["executions"]
            if json.loads(
                states.describe_execution(executionArn=one["executionArn"])["input"]
            )
            == {"group": "hasty", "task": "export.items"}
        ]  # fmt: skip
        ended = [one["status"] for one in found if one["status"] != "RUNNING"]
        return ended if len(ended) == 10 else None

    assert set(wait_until(fired)) == {"SUCCEEDED"}
    assert_one_after_the_other(user)
    ran = [one for one in runs(user) if one.get("task") == "export.items"]
    assert len(ran) >= 1
    assert len(jobs(user, "export", "ITEMS")) == before + len(ran)
    assert row(user, "export.items")["last"]["M"]["status"]["S"] == "SUCCEEDED"
