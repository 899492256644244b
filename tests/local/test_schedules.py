"""Schedules that fire by themselves, at compressed time: 2,000 seconds in one."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from mpe.local.faults import Fault, Kind
from tests.conftest import interactions
from tests.local.campaign import Lab
from tests.local.conftest import CSV, NEVER, User, names, small, wait_until

pytestmark = pytest.mark.local


def row(user: User, task: str) -> dict[str, Any]:
    table = user.cloud.outputs["TasksTable"]
    found = user.cloud.client("dynamodb").get_item(
        TableName=table, Key={"group": {"S": user.group}, "record": {"S": task}}
    )
    return found.get("Item", {})


def settled(user: User, task: str, status: str) -> dict[str, Any]:
    """Wait until a task's last run ended so, and return its row."""

    def ask() -> dict[str, Any] | None:
        found = row(user, task)
        last = found.get("last", {}).get("M", {})
        return found if last.get("status", {}).get("S") == status else None

    found: dict[str, Any] = wait_until(ask)
    return found


def versions(user: User) -> list[str]:
    found = user.cloud.client("personalize").list_solution_versions(
        solutionArn=user.arn(f"solution/{user.group}-popular")
    )["solutionVersions"]
    return [one["solutionVersionArn"] for one in sorted(found, key=lambda v: v["creationDateTime"])]


def jobs(user: User, kind: str, dataset: str = "INTERACTIONS") -> list[dict[str, Any]]:
    """Return the import or export jobs of a dataset."""
    arn = user.arn(f"dataset/{user.group}/{dataset}")
    answer = getattr(user.cloud.client("personalize"), f"list_dataset_{kind}_jobs")(datasetArn=arn)
    (found,) = [value for value in answer.values() if isinstance(value, list)]
    return found


def serving(user: User) -> str:
    found = user.cloud.client("personalize").describe_campaign(
        campaignArn=user.arn(f"campaign/{user.group}-live")
    )["campaign"]
    return str(found["solutionVersionArn"])


def test_schedules_import_and_retrain_by_themselves(cloud: LocalCloud) -> None:
    user = User(cloud, "renewed")
    document = small("renewed")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "rate(12 hours)"}}
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": "cron(0 0/12 * * ? *)"}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    first, *_ = versions(user)  # the schedule may have made another by now
    user.put("interactions.csv", interactions(seed=9))

    settled(user, "full.renewed-popular", "SUCCEEDED")
    settled(user, "import", "SUCCEEDED")

    moved = wait_until(lambda: serving(user) if serving(user) != first else None)
    assert moved in versions(user)
    imported = wait_until(lambda: _imports(user, 2))
    told = [(job["status"], job.get("failureReason")) for job in imported]
    assert told == [("ACTIVE", None)] * 2, "the newer data is imported once"
    subjects = {mail["subject"] for mail in wait_until(lambda: _told(user))}
    assert "Personalize dataset group renewed: scheduled import of the data is done" in subjects
    assert (
        "Personalize dataset group renewed: scheduled full training of renewed-popular is done"
        in subjects
    )
    assert _measured(cloud, "renewed", "coverage")

    # Without schedules the tasks are gone, and nothing fires any more.
    before = len(user.executions())
    del document["datasetGroup"]["workflowConfig"], document["solutions"][0]["workflowConfig"]
    user.upload(document)
    wait_until(lambda: not row(user, "import") and not row(user, "full.renewed-popular"))
    assert len(user.executions()) > before
    names = [
        one["Name"]
        for one in cloud.client("scheduler").list_schedules(
            GroupName=cloud.outputs["ScheduleGroup"]
        )["Schedules"]
    ]
    assert not [name for name in names if name.startswith("renewed-")]


def _imports(user: User, least: int) -> list[dict[str, Any]] | None:
    """Return the import jobs, once there are that many and none is under way."""
    found = jobs(user, "import")
    done = len(found) >= least and all(
        one["status"] in {"ACTIVE", "CREATE FAILED"} for one in found
    )
    return found if done else None


def _told(user: User) -> list[dict[str, str]] | None:
    """Return the mails of scheduled tasks, once there is one of each."""
    found = [one for one in user.cloud.mail() if f"group {user.group}: " in one["subject"]]
    kinds = {
        one["subject"].split("scheduled ")[1][:4] for one in found if "sched" in one["subject"]
    }
    return found if len(kinds) == 2 else None


def _measured(cloud: LocalCloud, group: str, metric: str) -> list[dict[str, Any]]:
    """Return what the functions' logs say of a metric, in the embedded metric format."""
    logs = cloud.client("logs")
    found = []
    for log_group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=log_group["logGroupName"])["events"]
        for event in events:
            if '"_aws"' in event["message"] and f'"{metric}"' in event["message"]:
                told = json.loads(event["message"])
                if told.get("DatasetGroup") == group:
                    found.append(told)
    return found


def test_a_schedule_whose_group_was_deleted_fails_once_and_is_disabled(cloud: LocalCloud) -> None:
    user = User(cloud, "gone")
    document = small("gone", solutions=[])
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"

    personalize = cloud.client("personalize")
    personalize.delete_dataset(datasetArn=user.arn("dataset/gone/INTERACTIONS"))
    wait_until(
        lambda: (
            not personalize.list_datasets(datasetGroupArn=user.arn("dataset-group/gone"))[
                "datasets"
            ]
        )
    )
    personalize.delete_dataset_group(datasetGroupArn=user.arn("dataset-group/gone"))
    wait_until(lambda: "gone" not in names(personalize, "datasetGroups"))
    fire(user, "import")

    found = settled(user, "import", "FAILED")
    assert found["last"]["M"]["error"]["S"] == "ResourceMissing"
    assert found["disabled"]["S"]
    named = {"Name": found["schedule"]["S"], "GroupName": cloud.outputs["ScheduleGroup"]}
    scheduler = cloud.client("scheduler")
    # It is disabled right after its row is marked.
    wait_until(lambda: scheduler.get_schedule(**named)["State"] == "DISABLED")
    (mail,) = wait_until(lambda: [one for one in cloud.mail() if "group gone: " in one["subject"]])
    assert "does not exist any more" in mail["body"]
    assert "Its schedule is disabled now" in mail["body"]


def fire(user: User, task: str) -> str:
    """Start a task as its schedule would; return the execution."""
    started = user.cloud.client("stepfunctions").start_execution(
        stateMachineArn=user.cloud.outputs["TaskWorkflow"],
        input=json.dumps({"group": user.group, "task": task}),
    )
    return str(started["executionArn"])


def entered(user: User, execution: str) -> set[str]:
    """Return the states that an execution has entered."""
    states = user.cloud.client("stepfunctions").get_paginator("get_execution_history")
    pages = states.paginate(executionArn=execution)
    return set(pages.search("events[].stateEnteredEventDetails.name"))


def test_two_tasks_at_the_same_moment_run_one_after_the_other(cloud: LocalCloud) -> None:
    user = User(cloud, "pair")
    document = small("pair")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    fire(user, "import")
    fire(user, "full.pair-popular")
    settled(user, "full.pair-popular", "SUCCEEDED")
    settled(user, "import", "SUCCEEDED")
    runs = [
        {key: value["S"] for key, value in item.items() if "S" in value}
        for item in cloud.client("dynamodb").query(
            TableName=cloud.outputs["TurnsTable"],
            KeyConditionExpression="#g = :g AND begins_with(#r, :r)",
            ExpressionAttributeNames={"#g": "group", "#r": "record"},
            ExpressionAttributeValues={":g": {"S": "pair"}, ":r": {"S": "RUN#"}},
        )["Items"]
    ]
    spans = sorted((run["started"], run["ended"]) for run in runs)
    assert len(spans) == 3
    assert all(ended <= started for (_, ended), (started, _) in pairwise(spans))


def test_a_run_that_is_stopped_is_told_and_gives_its_turn_back(cloud: LocalCloud) -> None:
    user = User(cloud, "stopped")
    user.put("interactions.csv", CSV)
    user.upload(small("stopped"))
    (run,) = wait_until(user.executions)
    cloud.client("stepfunctions").stop_execution(executionArn=run["executionArn"])
    (mail,) = user.mail()
    assert "ABORTED" in mail["body"]
    assert "stopped by somebody" in mail["body"]
    user.upload(small("stopped"))
    assert wait_until(
        lambda: next((one for one in user.executions() if one["status"] == "SUCCEEDED"), None)
    )


def test_a_task_that_a_new_config_overtakes_starts_over_with_it(cloud: LocalCloud) -> None:
    user = User(cloud, "overtaken")
    document = small("overtaken")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    first = row(user, "import")["state"]["M"]["key"]["S"]

    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    lab = Lab(cloud)
    # The config is the group's by then, and the task's row still of the one before.
    lab.watch("overtaken", Fault("SchedulesKeep", "dynamodb", "Query", 1, Kind.HELD))
    user.upload(document)
    wait_until(lambda: lab.report("overtaken")["hits"])
    task = fire(user, "import")

    assert user.wait_for_run(2) == "SUCCEEDED"
    found = settled(user, "import", "SUCCEEDED")
    assert "Wait for the new config" in entered(user, task)
    assert found["state"]["M"]["key"]["S"] != first
    campaign = cloud.client("personalize").describe_campaign(
        campaignArn=user.arn("campaign/overtaken-live")
    )["campaign"]
    assert campaign["minProvisionedTPS"] == 2
