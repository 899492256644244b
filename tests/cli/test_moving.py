"""What the commands make of a dataset group that is maintained, wherever its config lies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpe.aws.clock import Clock
from mpe.aws.events import RUN_CHANGED
from mpe.model.messages import message_for
from tests.cli.maintained import BUCKET, Maintained, maintained
from tests.local.conftest import CSV, small

PERSONAL = "arn:aws:personalize:::recipe/aws-user-personalization"
POPULAR = "arn:aws:personalize:::recipe/aws-popularity-count"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def keys(stack: Maintained) -> set[str]:
    """Return what lies in the bucket, but for the states."""
    found = stack.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {one["Key"] for one in found if not one["Key"].startswith("state/")}


def elsewhere(stack: Maintained, key: str = "train/shop/eu/my-films.json") -> dict[str, Any]:
    """Maintain a group whose config and data lie in another folder than that of its name."""
    document = small("films")
    stack.put(f"{key.rpartition('/')[0]}/interactions.csv", CSV)
    told = stack.upload(document, key)
    assert told["Status"] == "SUCCEEDED", told
    return document


def rows(result: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def test_a_plan_looks_for_data_where_the_group_is_maintained_from(stack: Maintained) -> None:
    path = stack.config(elsewhere(stack))
    planned = stack.mpe("plan", path, "--output", "json")
    assert planned.exit_code == 0, planned.output
    assert {one["action"] for one in rows(planned)} == {"keep"}
    stack.put("train/shop/eu/interactions.csv", f"{CSV}u1,i1,view,1,1800000000\n")
    planned = stack.mpe("plan", path, "--output", "json")
    assert planned.exit_code == 2
    changed = [one for one in rows(planned) if one["action"] != "keep"]
    assert [(one["resource"], one["action"]) for one in changed] == [("DatasetImportJob", "create")]


def test_what_is_applied_goes_where_the_group_is_maintained_from(stack: Maintained) -> None:
    document = elsewhere(stack)
    before = keys(stack)
    data = stack.folder / "data"
    data.mkdir()
    (data / "interactions.csv").write_text(f"{CSV}u1,i1,view,1,1800000000\n")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    applied = stack.mpe("apply", stack.config(document), "--data", str(data), "--yes")
    assert applied.exit_code == 0, applied.output
    assert keys(stack) == before
    told = stack.s3.get_object(Bucket=BUCKET, Key="train/shop/eu/my-films.json")["Body"].read()
    assert json.loads(told) == document
    assert "+ DatasetImportJob films-interactions" in applied.output


def test_what_is_destroyed_with_its_data_lies_where_the_group_is_maintained_from(
    stack: Maintained,
) -> None:
    elsewhere(stack)
    stack.put("train/shop/eu/of-somebody-else.csv", "x")
    assert list(stack.ledger.gated()) == ["films"]
    result = stack.mpe("destroy", "films", "--data", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert keys(stack) == {"train/shop/eu/of-somebody-else.csv"}
    assert list(stack.ledger.gated()) == list(stack.ledger.all_pointers("films")) == []
    assert list(stack.ledger.profiles("films", "import.interactions")) == []


def test_data_that_another_group_reads_as_well_is_left(stack: Maintained) -> None:
    elsewhere(stack)
    told = stack.upload(small("series"), "train/shop/eu/series.json")
    assert told["Status"] == "SUCCEEDED", told
    result = stack.mpe("destroy", "films", "--data", "--confirm", "films")
    assert result.exit_code == 0, result.output
    assert "which the dataset group series reads as well" in result.output
    assert keys(stack) == {"train/shop/eu/series.json", "train/shop/eu/interactions.csv"}


def refused(stack: Maintained, document: dict[str, Any]) -> dict[str, Any]:
    """Upload a config to S3 that plan refuses; return what the run told, having made nothing."""
    planned = stack.mpe("plan", stack.config(document), "--output", "json")
    assert planned.exit_code == 1, planned.output
    messages = {one["message"] for one in rows(planned) if one["action"] == "reject"}
    before = resources(stack)
    told = stack.upload(document, "train/films/config.json")
    assert told["Status"] == "FAILED"
    assert {one["Reason"] for one in told["Failures"]} == messages
    assert not told["Changes"]
    assert resources(stack) == before
    return told


def resources(stack: Maintained) -> dict[str, list[str]]:
    """Return what there is in the account, by type."""
    personalize = stack.personalize
    return {
        name: sorted(map(str, getattr(personalize, f"list_{name}")()[key]))
        for name, key in (
            ("schemas", "schemas"),
            ("datasets", "datasets"),
            ("dataset_import_jobs", "datasetImportJobs"),
            ("solutions", "solutions"),
            ("solution_versions", "solutionVersions"),
            ("campaigns", "campaigns"),
        )
    }


def applied(stack: Maintained) -> dict[str, Any]:
    document = small("films")
    stack.put("train/films/interactions.csv", CSV)
    told = stack.upload(document, "train/films/config.json")
    assert told["Status"] == "SUCCEEDED", told
    return document


def test_an_upload_with_another_recipe_makes_nothing(stack: Maintained) -> None:
    document = applied(stack)
    stack.put("train/films/interactions.csv", f"{CSV}u1,i1,view,1,1800000000\n")
    document["solutions"][0]["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/aws-sims"
    document["solutions"].append({"serviceConfig": {"name": "films-more", "recipeArn": POPULAR}})
    told = refused(stack, document)
    assert "cannot change recipeArn" in told["Failures"][0]["Reason"]
    assert told["Failures"][0]["Path"] == "$.solutions[0]"


def test_an_upload_with_a_campaign_of_another_group_makes_nothing(stack: Maintained) -> None:
    applied(stack)
    stack.put("train/series/interactions.csv", CSV)
    told = stack.upload(small("series"), "train/series/config.json")
    assert told["Status"] == "SUCCEEDED"
    document = small("films")
    document["solutions"][0]["campaigns"].append({"serviceConfig": {"name": "series-live"}})
    document["solutions"].append(
        {
            "serviceConfig": {"name": "films-more", "recipeArn": POPULAR},
            "campaigns": [{"serviceConfig": {"name": "series-live-too"}}],
        }
    )
    told = refused(stack, document)
    assert "is of the dataset group series" in told["Failures"][0]["Reason"]


def forbidden(kind: str) -> dict[str, Any]:
    document = small("films")
    schema = document["datasets"]["interactions"]["schema"]["serviceConfig"]
    schema["name"] = "films-interactions-2"
    fields = schema["schema"]["fields"]
    if kind == "dropped":
        del fields[3]
    elif kind == "changed":
        fields[3]["type"] = "double"
    else:
        fields.append({"name": "DEVICE", "type": "string"})
    return document


@pytest.mark.parametrize("kind", ["dropped", "changed", "added"])
def test_an_upload_with_a_schema_that_the_service_forbids_makes_nothing(
    stack: Maintained, kind: str
) -> None:
    applied(stack)
    told = refused(stack, forbidden(kind))
    assert told["Failures"][0]["Resource"] == "Dataset"
    message = message_for(RUN_CHANGED, told, region="us-east-1")
    assert "Nothing was created, changed or trained" in message.text


def without_its_campaign(stack: Maintained) -> dict[str, Any]:
    """Return the run of a scheduled training whose campaign somebody has deleted."""
    document = small("films")
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": "rate(7 days)"}}
    stack.put("train/films/interactions.csv", CSV)
    assert stack.upload(document, "train/films/config.json")["Status"] == "SUCCEEDED"
    row = stack.tasks.get("films", "full.films-popular")
    assert row is not None
    run = {"id": "next", "group": "films", "task": "full.films-popular", "state": row["state"]}
    assert stack.preflight(run) == {"refused": False}
    arn = stack.personalize.list_campaigns()["campaigns"][0]["campaignArn"]
    stack.personalize.delete_campaign(campaignArn=arn)
    time.sleep(0.1)
    return run


def test_a_scheduled_training_whose_campaign_is_gone_is_not_paid_for(stack: Maintained) -> None:
    assert stack.preflight(without_its_campaign(stack)) == {"refused": True}
    (outcome,) = stack.ledger.outcomes("films", "next")
    assert outcome["failed"]["error"] == "ResourceMissing"
    assert outcome["noun"] == "Campaign"


def test_what_was_made_a_moment_ago_and_is_not_seen_refuses_no_task(stack: Maintained) -> None:
    """Reads may lag behind, and a refused task's schedule is disabled."""
    run = without_its_campaign(stack)
    stack.clock = Clock()
    assert stack.preflight(run)["wait"] > 0
    assert list(stack.ledger.outcomes("films", "next")) == []


def scheduled() -> dict[str, Any]:
    """Return a config with schedules in every place, a time zone, ages and sections of jobs."""
    document = small("films")
    document["datasetGroup"]["workflowConfig"] = {
        "timeZone": "Europe/Berlin",
        "maxAge": "3000 days",
        "schedules": {"import": "cron(0 3 * * ? *)"},
    }
    document["datasets"]["interactions"]["export"] = {
        "serviceConfig": {"ingestionMode": "ALL"},
        "workflowConfig": {"schedule": "rate(30 days)"},
    }
    document["solutions"][0]["serviceConfig"]["recipeArn"] = PERSONAL
    document["solutions"][0] |= {
        "workflowConfig": {"schedules": {"full": "rate(7 days)"}, "maxAge": "2000 days"},
    }
    document["filters"] = [
        {
            "serviceConfig": {
                "name": "films-bought",
                "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
            }
        }
    ]
    return document


def kept(stack: Maintained, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Maintain a group by a config, and return its tasks' rows."""
    stack.put("train/films/interactions.csv", CSV)
    told = stack.upload(document, "train/films/config.json")
    assert told["Status"] == "SUCCEEDED", told
    return tasks(stack)


def tasks(stack: Maintained) -> dict[str, dict[str, Any]]:
    wanted = ("kind", "expression", "zone", "path")
    return {row["record"]: {name: row[name] for name in wanted} for row in stack.tasks.of("films")}


def test_an_export_that_is_applied_again_changes_no_task(stack: Maintained) -> None:
    before = kept(stack, scheduled())
    assert set(before) == {"import", "full.films-popular", "export.interactions"}
    out = stack.folder / "exported.json"
    exported = stack.mpe("export", "films", "--out", str(out))
    assert exported.exit_code == 0, exported.output
    document = json.loads(out.read_text())
    assert (
        document["datasetGroup"]["workflowConfig"] == scheduled()["datasetGroup"]["workflowConfig"]
    )
    assert document["solutions"][0]["workflowConfig"]["maxAge"] == "2000 days"
    planned = stack.mpe("plan", str(out), "--output", "json")
    assert planned.exit_code == 0, planned.output
    assert {one["action"] for one in rows(planned)} == {"keep"}
    assert sum(one["resource"] == "Task" for one in rows(planned)) == 3
    told = stack.upload(document, "train/films/config.json")
    assert told["Status"] == "SUCCEEDED", told
    assert not told["Changes"]
    assert tasks(stack) == before


def test_a_plan_shows_tasks_ages_and_what_the_config_does_not_name(stack: Maintained) -> None:
    kept(stack, scheduled())
    document = scheduled()
    del document["datasets"]["interactions"]["export"]
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(1 day)"
    document["datasetGroup"]["workflowConfig"]["timeZone"] = "UTC"
    document["solutions"][0]["workflowConfig"] = {
        "schedules": {"update": "rate(1 day)", "full": "rate(7 days)"},
        "maxAge": "1000 days",
    }
    document["solutions"][0]["campaigns"] = [{"serviceConfig": {"name": "films-new"}}]
    document["filters"] = []
    planned = stack.mpe("plan", stack.config(document))
    assert planned.exit_code == 2, planned.output
    told = planned.output
    assert "+ Task update.films-popular: rate(1 day) (UTC)" in told
    assert "~ Task import: rate(1 day) (UTC)" in told
    assert '    schedule: "cron(0 3 * * ? *)" -> "rate(1 day)"' in told
    assert '    timeZone: "Europe/Berlin" -> "UTC"' in told
    assert "- Task export.interactions: rate(30 days) (Europe/Berlin)" in told
    assert '    maxAge: "172800000 seconds" -> "86400000 seconds"' in told
    assert "? Campaign films-live: not in the config, still billed" in told
    assert "? Filter films-bought: not in the config, left as it is" in told
    assert "+ Campaign films-new\n    minProvisionedTPS: 1\n" in told


@pytest.mark.parametrize("change", ["task", "left", "age"])
def test_whatever_a_plan_shows_is_exit_code_2(stack: Maintained, change: str) -> None:
    kept(stack, scheduled())
    document = scheduled()
    if change == "task":
        del document["datasets"]["interactions"]["export"]
    elif change == "left":
        document["filters"] = []
    else:
        document["solutions"][0]["workflowConfig"]["maxAge"] = "1000 days"
    assert stack.mpe("plan", stack.config(document)).exit_code == 2


def test_an_import_that_would_find_no_data_is_told_before_it(stack: Maintained) -> None:
    path = stack.config(small("films"))
    planned = stack.mpe("plan", path)
    assert planned.exit_code == 2
    assert "! DatasetImportJob films-interactions" in planned.output
    assert (
        "no CSV lies at s3://data/train/films/interactions.csv: nothing will be imported."
        in planned.output
    )


def test_a_maintained_group_is_not_adopted_again(stack: Maintained) -> None:
    before = kept(stack, scheduled())
    result = stack.mpe("adopt", "films", "--yes")
    assert result.exit_code == 1
    assert "films is maintained already, from s3://data/train/films/config.json" in result.output
    assert tasks(stack) == before


def test_what_a_group_made_by_hand_gets_is_shown_before_it_is_adopted(stack: Maintained) -> None:
    kept(stack, small("films"))
    assert stack.turns.forget("films", stack.turns.newest_run("films"))
    for name in ("films-popular",):
        arn = f"arn:aws:personalize:us-east-1:000000000000:solution/{name}"
        assert stack.personalize.describe_solution(solutionArn=arn)["solution"][
            "performAutoTraining"
        ]
    asked = stack.mpe("adopt", "films")
    assert asked.exit_code == 1
    assert "+ Task import: rate(1 day) (UTC)" in asked.output
    assert "+ Task full.films-popular: rate(7 days) (UTC)" in asked.output
    assert "    performAutoTraining: true -> false" in asked.output
    assert not tasks(stack)


def test_a_group_with_a_tracker_and_no_interactions_yet_is_adopted(stack: Maintained) -> None:
    """The service lets one be there: CreateEventTracker asks for a dataset group alone
    (https://docs.aws.amazon.com/personalize/latest/dg/API_CreateEventTracker.html)."""
    service = stack.personalize
    arn = service.create_dataset_group(name="early")["datasetGroupArn"]
    while service.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] != "ACTIVE":
        pass
    service.create_event_tracker(name="early-tracker", datasetGroupArn=arn)
    result = stack.mpe("adopt", "early", "--yes")
    assert result.exit_code == 0, result.output
    assert "MPE-G003" in result.output
