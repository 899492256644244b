"""A dataset group that the AWS solution made, with its lower-case names, is taken over as it is.

It is made here as that solution's README has a config: records in lower case and without a
version, jobs named with a date, a solution from before the service trained by itself.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mpe.cli.account import KEY_PARAMETER
from mpe.handlers.gauges import NAMESPACE
from mpe.model.config.parse import parse
from mpe.model.plan.desired import DesiredState, desired_state
from tests.cli.maintained import BUCKET, ROLE, Maintained, maintained
from tests.local.conftest import CSV
from tests.model.config.test_public_forms import PLACE, dataset, field, named, solution

DAILY, WEEKLY = "cron(0 */6 * * ? *)", "cron(0 2 ? * 1 *)"
CONFIG: dict[str, Any] = {
    "datasetGroup": {**named("harbour"), "workflowConfig": {"schedules": {"import": DAILY}}},
    "datasets": {
        "interactions": dataset(
            "interactions",
            field("USER_ID"),
            field("ITEM_ID"),
            field("EVENT_TYPE"),
            field("EVENT_VALUE", "float"),
            field("TIMESTAMP", "long"),
        )
    },
    "solutions": [
        {
            **solution("popularity-count"),
            "workflowConfig": {"schedules": {"full": WEEKLY}},
            "campaigns": [named("harbour-campaign", minProvisionedTPS=1)],
        }
    ],
    "eventTracker": named("harbour-tracker"),
    "filters": [
        named(
            "harbour-seen",
            filterExpression='INCLUDE ItemID WHERE Interactions.EVENT_TYPE in ("view")',
        )
    ],
}
Document = dict[str, Any]
PAGE = (Path(__file__).parents[2] / "docs/moving.md").read_text()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        old_stack(made)
        yield made


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    with maintained(tmp_path, monkeypatch) as made:
        yield made


def ready(describe: Callable[..., Document], key: str, arn: str) -> str:
    """Wait for a resource, and return its ARN."""
    while describe(**{f"{key}Arn": arn})[key]["status"] != "ACTIVE":
        time.sleep(0.01)
    return arn


def old_stack(stack: Maintained) -> None:
    """Make what the config says, in another bucket, as somebody else's stack."""
    aws, params = stack.personalize, copy.deepcopy(CONFIG)
    stack.s3.create_bucket(Bucket="old")
    stack.s3.put_object(Bucket="old", Key="train/harbour/interactions.csv", Body=CSV.encode())
    group = aws.create_dataset_group(name="harbour")["datasetGroupArn"]
    ready(aws.describe_dataset_group, "datasetGroup", group)
    section = params["datasets"]["interactions"]
    schema = section["schema"]["serviceConfig"]
    made = aws.create_schema(name=schema["name"], schema=json.dumps(schema["schema"]))
    data = aws.create_dataset(
        name=section["dataset"]["serviceConfig"]["name"],
        schemaArn=made["schemaArn"],
        datasetGroupArn=group,
        datasetType="interactions",
    )["datasetArn"]
    ready(aws.describe_dataset, "dataset", data)
    job = aws.create_dataset_import_job(
        jobName="dataset_import_interactions_2026_01_02_03_04_05",
        datasetArn=data,
        dataSource={"dataLocation": "s3://old/train/harbour/interactions.csv"},
        roleArn=ROLE,
        importMode="FULL",
    )["datasetImportJobArn"]
    ready(aws.describe_dataset_import_job, "datasetImportJob", job)
    (wanted,) = params["solutions"]
    solo = {**wanted["serviceConfig"], "performAutoTraining": False}
    own = aws.create_solution(**solo, datasetGroupArn=group)["solutionArn"]
    ready(aws.describe_solution, "solution", own)
    version = aws.create_solution_version(solutionArn=own)["solutionVersionArn"]
    ready(aws.describe_solution_version, "solutionVersion", version)
    (campaign,) = wanted["campaigns"]
    live = aws.create_campaign(**campaign["serviceConfig"], solutionVersionArn=version)
    ready(aws.describe_campaign, "campaign", live["campaignArn"])
    tracker = aws.create_event_tracker(
        **params["eventTracker"]["serviceConfig"], datasetGroupArn=group
    )
    ready(aws.describe_event_tracker, "eventTracker", tracker["eventTrackerArn"])
    (kept,) = params["filters"]
    filtered = aws.create_filter(**kept["serviceConfig"], datasetGroupArn=group)["filterArn"]
    ready(aws.describe_filter, "filter", filtered)


def rows(stack: Maintained, document: Document) -> list[Document]:
    planned = stack.mpe("plan", stack.config(document), "--output", "json")
    assert planned.exit_code in {0, 2}, planned.output
    found: list[Document] = json.loads(planned.stdout)
    return found


def counts(stack: Maintained) -> dict[str, int]:
    """Return how many there are of what is made anew where something is taken for another."""
    aws = stack.personalize
    return {
        "imports": len(aws.list_dataset_import_jobs()["datasetImportJobs"]),
        "versions": len(aws.list_solution_versions()["solutionVersions"]),
        "schemas": len(aws.list_schemas()["schemas"]),
    }


def test_its_own_config_changes_nothing_but_its_schedules(stack: Maintained) -> None:
    changed = [one for one in rows(stack, CONFIG) if one["action"] != "keep"]
    assert [(one["resource"], one["action"]) for one in changed] == [("Task", "create")] * 2
    assert {one["name"] for one in changed} == {"import", "full.harbour-popularity-count"}


def test_a_run_of_its_own_config_makes_and_imports_nothing_again(stack: Maintained) -> None:
    before = counts(stack)
    told = stack.upload(CONFIG, "train/harbour/config.json")
    assert told["Status"] == "SUCCEEDED", told
    assert counts(stack) == before
    changed = {one["Name"]: one["Did"] for one in told["Changes"]}
    tasks = {"import": "created", "full.harbour-popularity-count": "created"}
    assert changed == {"harbour": "marked", **tasks}
    again = stack.upload(CONFIG, "train/harbour/config.json")
    assert again["Status"] == "SUCCEEDED", again
    assert not again["Changes"]
    assert counts(stack) == before


def test_an_export_of_it_plans_nothing_and_is_adopted(stack: Maintained) -> None:
    before = counts(stack)
    exported = stack.mpe("export", "harbour", "--output", "json")
    assert exported.exit_code == 0, exported.output
    document = json.loads(exported.stdout)["config"]
    planned = stack.mpe("plan", stack.config(document))
    assert planned.exit_code == 0, planned.output
    adopted = stack.mpe("adopt", "harbour", "--full-schedule", WEEKLY, "--yes")
    assert adopted.exit_code == 0, adopted.output
    body = stack.s3.get_object(Bucket=BUCKET, Key="train/harbour/config.json")["Body"].read()
    told = stack.upload(json.loads(body), "train/harbour/config.json")
    assert told["Status"] == "SUCCEEDED", told
    assert counts(stack) == before
    tasks = {row["record"]: row["expression"] for row in stack.tasks.of("harbour")}
    assert tasks == {"import": "rate(1 day)", "full.harbour-popularity-count": WEEKLY}


def test_a_csv_that_is_copied_is_imported_once(stack: Maintained) -> None:
    before = counts(stack)
    listed = stack.personalize.list_dataset_import_jobs()["datasetImportJobs"]
    made = max(one["creationDateTime"] for one in listed)
    copy_later(stack, "train/harbour/interactions.csv", made, CSV)
    for _ in range(2):
        told = stack.upload(CONFIG, "train/harbour/config.json")
        assert told["Status"] == "SUCCEEDED", told
        assert counts(stack) == {**before, "imports": before["imports"] + 1}


def copy_later(stack: Maintained, key: str, than: datetime, body: str = '{"userId": "u1"}') -> None:
    """Put an object whose time, of which S3 tells whole seconds, is after another."""
    while True:
        stack.put(key, body)
        if stack.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] > than:
            return
        time.sleep(0.1)


def newest(aws: Any) -> datetime:
    """Return when the newest batch job was made."""
    jobs = aws.list_batch_inference_jobs()["batchInferenceJobs"]
    return max(one["creationDateTime"] for one in jobs)


def test_an_input_of_a_batch_job_that_is_copied_has_its_job_run_once(stack: Maintained) -> None:
    aws, name = stack.personalize, "harbour-popularity-count"
    (version,) = aws.list_solution_versions()["solutionVersions"]
    stack.s3.put_object(Bucket="old", Key="batch/input.json", Body=b'{"userId": "u1"}')
    made = aws.create_batch_inference_job(
        jobName="batch_harbour_2026_01_02_03_04_05",
        solutionVersionArn=version["solutionVersionArn"],
        jobInput={"s3DataSource": {"path": "s3://old/batch/input.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://old/batch/output/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    ready(aws.describe_batch_inference_job, "batchInferenceJob", made)
    copy_later(stack, f"batch/harbour/{name}/job_config.json", newest(aws))
    document = copy.deepcopy(CONFIG)
    document["solutions"][0]["batchInferenceJobs"] = [{"serviceConfig": {}}]
    for _ in range(2):
        told = stack.upload(document, "train/harbour/config.json")
        assert told["Status"] == "SUCCEEDED", told
        assert len(aws.list_batch_inference_jobs()["batchInferenceJobs"]) == 2
    copy_later(stack, f"batch/harbour/{name}/job_config.json", newest(aws))
    (job,) = document["solutions"][0]["batchInferenceJobs"]
    job["workflowConfig"] = {"schedule": WEEKLY}
    assert stack.upload(document, "train/harbour/config.json")["Status"] == "SUCCEEDED"
    assert len(aws.list_batch_inference_jobs()["batchInferenceJobs"]) == 3
    told = "so is the input of a batch job, whose job runs once more, with a schedule or without."
    assert told in " ".join(PAGE.split())


KEY = "arn:aws:kms:us-east-1:000000000000:key/of-groups"


def test_a_new_group_is_made_with_the_stacks_key_and_what_exists_keeps_its_own(
    stack: Maintained,
) -> None:
    stack.parameters[KEY_PARAMETER] = KEY
    (there,) = (one for one in rows(stack, CONFIG) if one["resource"] == "DatasetGroup")
    assert there["action"] == "keep"
    assert f"not encrypted with the stack's key {KEY}" in there["note"]
    told = stack.upload(CONFIG, "train/harbour/config.json")
    assert told["Status"] == "SUCCEEDED", told
    new = {"datasetGroup": named("films")}
    (planned,) = (one for one in rows(stack, new) if one["resource"] == "DatasetGroup")
    assert planned["properties"] == {"kmsKeyArn": KEY}
    assert stack.upload(new, "train/films/config.json")["Status"] == "SUCCEEDED"
    arn = "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"
    made = stack.personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert (made["kmsKeyArn"], made["roleArn"]) == (KEY, ROLE)
    assert {one["action"] for one in rows(stack, new)} == {"keep"}


FORMS = sorted((Path(__file__).parents[1] / "model/config/forms").glob("*.json"))
USE_CASES = ("View", "Purchase", "Watch", "Click")


def cell(field: Document, number: int) -> str:
    """Return a value of a column, such that a thousand rows are enough for every recipe."""
    name, types = field["name"], field["type"]
    match name:
        case "USER_ID":
            return f"u{number % 50}"
        case "ITEM_ID":
            return f"i{number % 60}"
        case "TIMESTAMP" | "CREATION_TIMESTAMP":
            return str(1_700_000_000 + number)
        case "EVENT_TYPE":
            return USE_CASES[number % 4]
    if "string" in types:
        return f"c{number % 3}"
    return (
        str(number % 7)
        if {"int", "long"} & {*([types] if isinstance(types, str) else types)}
        else "1.5"
    )


def csv_of(section: Document, count: int) -> str:
    fields = section["schema"]["serviceConfig"]["schema"]["fields"]
    lines = (",".join(cell(one, number) for one in fields) for number in range(count))
    return "\n".join([",".join(one["name"] for one in fields), *lines]) + "\n"


@pytest.mark.parametrize("form", FORMS, ids=[form.stem for form in FORMS])
def test_a_config_in_the_solutions_form_is_run_to_its_end(empty: Maintained, form: Path) -> None:
    document = json.loads(form.read_text())
    name = document["datasetGroup"]["serviceConfig"]["name"]
    for kind, section in document["datasets"].items():
        if kind != "serviceConfig":
            count = {"interactions": 4_400, "users": 50}.get(kind, 60)
            empty.put(f"train/{name}/{kind}.csv", csv_of(section, count))
    for one in document.get("solutions", ()):
        if one.get("batchInferenceJobs") or one.get("batchSegmentJobs"):
            place = f"batch/{name}/{one['serviceConfig']['name']}/job_config.json"
            query = "itemId" if one.get("batchSegmentJobs") else "userId"
            empty.put(place, json.dumps({query: "i1" if query == "itemId" else "u1"}))
    told = empty.upload(document, f"train/{name}/config.json")
    assert told["Status"] == "SUCCEEDED", told
    changed = [row for row in rows(empty, document) if row["action"] not in {"keep", "skip"}]
    assert changed == []


RUN = "20260801T120000-0123abcd"


def whole() -> DesiredState:
    """Return what a config with all of that solution's schedules asks for."""
    document = copy.deepcopy(CONFIG)
    (one,) = document["solutions"]
    one["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/aws-user-personalization"
    one["workflowConfig"]["schedules"]["update"] = "rate(1 day)"
    job = {"serviceConfig": {}, "workflowConfig": {"schedule": "cron(0 3 * * ? *)"}}
    one["batchInferenceJobs"] = [job]
    return desired_state(parse(json.dumps(document)), PLACE, version=RUN)


def test_the_page_names_the_tasks_as_they_are() -> None:
    named = {one.replace("harbour-popularity-count", "<solution>") for one in whole().tasks}
    assert len(named) == 4
    assert all(f"`{one}`" in PAGE for one in named)


def test_results_of_batch_jobs_and_names_are_as_the_page_says() -> None:
    name = "harbour-popularity-count"
    resources = whole().resources
    job = resources[f"batchInferenceJob.{name}.{name}"].as_made_by(RUN)
    place = job["jobOutput"]["s3DataDestination"]["path"]
    assert place == f"s3://data/batch/harbour/{name}/{name}-{RUN}/"
    assert "there too, in a folder `<solution>-<run>`" in PAGE
    assert resources["import.interactions"].as_made_by(RUN)["jobName"].endswith(f"-{RUN}")
    assert resources[f"version.{name}"].as_made_by(RUN)["name"] == RUN


def test_the_page_names_the_metrics_namespace() -> None:
    assert f"the same, in the namespace `{NAMESPACE}`" in PAGE


def test_what_is_named_or_placed_otherwise_is_taken_as_the_page_says() -> None:
    document = copy.deepcopy(CONFIG)
    group, (one,) = document["datasetGroup"]["serviceConfig"], document["solutions"]
    group["roleArn"] = "arn:aws:iam::000000000000:role/of-the-old-stack"
    one["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/aws-item-affinity"
    one["serviceConfig"]["solutionVersion"] = {"name": "mine", "trainingMode": "FULL"}
    one["batchSegmentJobs"] = [{"serviceConfig": {}}]
    del one["campaigns"]
    config = parse(json.dumps(document))
    assert any(note.path == "$.datasetGroup.serviceConfig.roleArn" for note in config.notes)
    resources = desired_state(config, PLACE, version=RUN).resources
    name = "harbour-popularity-count"
    schema = resources["schema.interactions"].params["schema"]
    assert json.loads(schema)["name"] == "interactions"
    assert resources["datasetGroup"].params.get("roleArn") is None
    assert resources[f"solution.{name}"].params["performAutoTraining"] is False
    version = resources[f"version.{name}"].as_made_by(RUN)
    assert (version["name"], version["trainingMode"]) == (RUN, "FULL")
    data = resources[f"batchSegmentJob.{name}.{name}"].data
    assert data
    assert data.file == f"batch/harbour/{name}/job_config.json"


def test_a_dataset_without_a_csv_is_made_and_a_file_comes_before_its_folder(
    empty: Maintained,
) -> None:
    document = {**CONFIG, "solutions": [], "datasets": {**CONFIG["datasets"]}}
    document["datasets"]["users"] = dataset("users", field("USER_ID"), field("AGE", "int"))
    empty.put("train/harbour/interactions.csv", CSV)
    empty.put("train/harbour/interactions/other.csv", CSV)
    told = empty.upload(document, "train/harbour/config.json")
    assert told["Status"] == "SUCCEEDED", told
    note = "Dataset harbour-users-data: there is no CSV for it, so nothing was imported."
    assert told["Notes"] == [note]
    aws = empty.personalize
    kinds = {one["datasetType"].lower() for one in aws.list_datasets()["datasets"]}
    assert kinds == {"interactions", "users"}
    (job,) = aws.list_dataset_import_jobs()["datasetImportJobs"]
    arn = job["datasetImportJobArn"]
    made = aws.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
    assert made["dataSource"]["dataLocation"] == f"s3://{BUCKET}/train/harbour/interactions.csv"
