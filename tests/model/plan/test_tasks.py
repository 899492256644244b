"""Scheduled tasks: each is a part of the whole work, with what is made anew in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from mpe.model.config.parse import parse
from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.plan.desired import desired_state
from mpe.model.plan.tasks import Task, ids_of, schedule_name, tasks_of
from tests.everything import RECIPE, everything
from tests.handlers.test_runs import PLACE

SCHEDULES = {
    "full": "rate(7 days)",
    "update": "rate(1 day)",
    "judge": "rate(2 days)",
}
WINDOWS = {"start": "cron(0 8 * * ? *)", "stop": "cron(0 20 * * ? *)"}
VERSION = "version.films-for-you"


@cache
def scheduled() -> tuple[Config, Mapping[str, Any]]:
    """Return a config with all kinds of schedules, and its whole work."""
    document = everything("films")
    document["datasetGroup"]["workflowConfig"] = {
        "timeZone": "Europe/Berlin",
        "schedules": {"import": "rate(1 day)"},
    }
    datasets = document["datasets"]
    datasets["items"]["export"] = {"workflowConfig": {"schedule": "rate(3 days)"}}
    datasets["users"]["export"] = {}
    (used, *_) = document["solutions"]
    used["serviceConfig"]["recipeArn"] = f"{RECIPE}aws-user-personalization"
    used["workflowConfig"] = {"schedules": SCHEDULES}
    used["batchInferenceJobs"][1]["workflowConfig"] = {"schedule": "rate(4 days)"}
    config = parse(json.dumps(document))
    shop = ResourceConfig("$.recommenders[0]", {"name": "shop"}, {"schedules": WINDOWS})
    bare = ResourceConfig("$.recommenders[1]", {"name": "bare"}, {})
    config = replace(config, own={**config.own, "Recommender": (shop, bare)})
    return config, desired_state(config, PLACE, version="one").work


def tasks() -> dict[str, Task]:
    return {one.id: one for one in tasks_of(*scheduled())}


def about(task: Task) -> set[str]:
    """Return the ids that a task is about, but for the group, the solution and its version."""
    found = set(ids_of(task.work))
    return found - {"datasetGroup", "solution.films-for-you", VERSION}


def test_each_schedule_is_a_task_with_its_place_in_the_file() -> None:
    group, solution = "$.datasetGroup.workflowConfig", "$.solutions[0].workflowConfig"
    job = "batchInferenceJob.films-for-you.films-by-genre"
    found = {id: (one.kind, one.path, one.expression) for id, one in tasks().items()}
    assert found == {
        "import": ("import", f"{group}.schedules.import", "rate(1 day)"),
        "export.items": (
            "export",
            "$.datasets.items.export.workflowConfig.schedule",
            "rate(3 days)",
        ),
        "start.shop": (
            "start",
            "$.recommenders[0].workflowConfig.schedules.start",
            WINDOWS["start"],
        ),
        "stop.shop": ("stop", "$.recommenders[0].workflowConfig.schedules.stop", WINDOWS["stop"]),
        **{
            f"{kind}.films-for-you": (kind, f"{solution}.schedules.{kind}", expression)
            for kind, expression in SCHEDULES.items()
        },
        job: (
            "batchInferenceJob",
            "$.solutions[0].batchInferenceJobs[1].workflowConfig.schedule",
            "rate(4 days)",
        ),
    }
    assert {one.zone for one in tasks().values()} == {"Europe/Berlin"}


def test_an_import_is_of_all_data_with_what_deletes_from_it_and_exports_of_no_schedule() -> None:
    _, work = scheduled()
    task = tasks()["import"]
    assert about(task) == {
        *work["imports"],
        *work["dataDeletionJobs"],
        "export.interactions",
        "export.users",
    }
    assert len(work["imports"]) == 5
    assert (task.anew, task.params, task.status) == ((), {}, None)


def test_a_training_makes_its_version_anew_and_what_is_served_by_it_moves() -> None:
    for kind in ("full", "update"):
        task = tasks()[f"{kind}.films-for-you"]
        assert about(task) == {"campaign.films-for-you.films-live"}
        assert task.anew == (VERSION,)
        assert task.params == {VERSION: {"trainingMode": kind.upper()}}
    judged = tasks()["judge.films-for-you"]
    assert about(judged) == {"campaign.films-for-you.films-live"}
    assert (judged.anew, judged.params) == ((), {})
    (solution,) = judged.work["solutions"]
    assert (solution["name"], solution["version"]) == ("films-for-you", VERSION)


def test_a_job_of_its_own_schedule_is_made_anew_and_nothing_beside_it() -> None:
    for id in ("export.items", "batchInferenceJob.films-for-you.films-by-genre"):
        assert about(tasks()[id]) == {id}
        assert tasks()[id].anew == (id,)


def test_a_recommender_is_brought_to_the_status_of_its_window() -> None:
    for id, status in (("start.shop", "ACTIVE"), ("stop.shop", "INACTIVE")):
        assert about(tasks()[id]) == {"recommender.shop"}
        assert (tasks()[id].status, tasks()[id].anew) == (status, ())


def test_a_group_without_schedules_has_no_tasks_and_without_a_zone_it_is_utc() -> None:
    document = everything("films")
    config = parse(json.dumps(document))
    work = desired_state(config, PLACE, version="one").work
    assert list(tasks_of(config, work)) == []
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "rate(1 day)"}}
    (task,) = tasks_of(parse(json.dumps(document)), work)
    assert task.zone == "UTC"


def test_a_task_is_read_as_it_was_kept() -> None:
    for task in tasks().values():
        kept = json.loads(json.dumps(task.as_dict()))
        assert Task.from_dict({**kept, "of a newer release": 1}) == task


def test_a_task_keeps_the_name_of_its_schedule_from_release_to_release() -> None:
    assert schedule_name("films", "import") == "films-727b7b1d4491dc92"
    assert schedule_name("films", "full.best") != schedule_name("films", "full.other")


def test_the_longest_name_of_a_group_leaves_room_for_which_task_it_is() -> None:
    long = schedule_name("f" * 63, "import")
    assert long.startswith(f"{'f' * 47}-")
    assert len(long) == 64
