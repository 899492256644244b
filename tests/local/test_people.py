"""What people do from the command line: apply, watch, export, adopt and destroy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mpe.cli.main import mpe
from mpe.local.cloud import LocalCloud
from tests.conftest import ROOT, interactions
from tests.everything import everything, files
from tests.local.conftest import CSV, NEVER, PATIENCE, User, names, role_for, small, wait_until

pytestmark = pytest.mark.local

Run = Callable[..., Result]


@pytest.fixture
def run(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Result:
        where = ("--stack", cloud.stack_name, "--endpoint-url", cloud.endpoint)
        return CliRunner().invoke(mpe, [*words, *where])

    return command


def folder_of(tmp_path: Path, group: str, document: dict[str, Any]) -> Path:
    """Write a config and its data as a user has them."""
    (tmp_path / "config.json").write_text(json.dumps(document))
    (tmp_path / "interactions.csv").write_text(CSV)
    return tmp_path


def test_a_config_is_applied_with_its_data_and_followed_to_its_end(
    cloud: LocalCloud, run: Run, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, "applied", small("applied"))
    words = ("apply", str(folder / "config.json"), "--data", str(folder))

    asked = run(*words)
    assert asked.exit_code == 1
    assert "Nobody can be asked here: say so with --yes" in asked.output
    assert not User(cloud, "applied").executions()

    result = run(*words, "--yes", "--watch")
    assert result.exit_code == 0, result.output
    assert "+ Campaign applied-live" in result.output
    assert "Uploaded " in result.output
    assert "Campaign applied-live: ACTIVE" in result.output
    assert "The run succeeded" in result.output

    again = run(*words, "--yes", "--watch")
    assert again.exit_code == 0
    assert "1 files lie there already" in again.output
    assert "Nothing to do" in again.output
    assert len(User(cloud, "applied").executions()) == 1

    (folder / "interactions.csv").write_text(interactions(seed=3))
    newer = run(*words, "--yes", "--watch")
    assert newer.exit_code == 0, newer.output
    assert "^ s3://" in newer.output
    assert "+ DatasetImportJob applied-interactions (newer data, or old age)" in newer.output
    assert "created DatasetImportJob applied-interactions" in newer.output


def test_a_run_that_fails_is_told_with_its_reason_and_remedy(run: Run, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "unlucky", small("unlucky"))
    (folder / "interactions.csv").write_text(interactions(users=10, each=20))
    words = ("apply", str(folder / "config.json"), "--data", str(folder), "--yes", "--watch")
    checked = run(*words)
    assert checked.exit_code == 1
    assert "the data has errors: nothing was uploaded" in checked.output
    result = run(*words, "--no-check")
    assert result.exit_code == 1
    assert "! DatasetImportJob unlucky-interactions" in result.output
    assert "in the config: $.datasets.interactions.dataset" in result.output
    assert "upload more data" in result.output
    assert "The run FAILED" in result.output
    watched = run("watch", "unlucky")
    assert watched.exit_code == 1
    assert "The run FAILED" in watched.output


def test_what_would_be_refused_is_not_uploaded(cloud: LocalCloud, run: Run, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "refused", small("refused"))
    words = ("apply", str(folder / "config.json"), "--data", str(folder), "--yes")
    assert run(*words, "--watch").exit_code == 0
    document = small("refused")
    document["solutions"][0]["serviceConfig"]["recipeArn"] += "-x"
    (folder / "config.json").write_text(json.dumps(document))
    assert "is not a recipe" in run(*words).output
    other = "arn:aws:personalize:::recipe/aws-sims"
    document["solutions"][0]["serviceConfig"]["recipeArn"] = other
    (folder / "config.json").write_text(json.dumps(document))
    result = run(*words)
    assert result.exit_code == 1
    assert "cannot change recipeArn" in result.output
    assert "nothing was uploaded" in result.output
    assert len(User(cloud, "refused").executions()) == 1


def test_ctrl_c_stops_watching_and_not_the_run(cloud: LocalCloud, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "unwatched", small("unwatched"))
    words = ["apply", "config.json", "--data", ".", "--yes", "--watch"]
    watching = subprocess.Popen(
        [sys.executable, "-m", "mpe.cli.main", *words, "--stack", cloud.stack_name],
        cwd=folder,
        env={**os.environ, **cloud.environment, "PYTHONPATH": str(ROOT / "source")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    assert next(line for line in watching.stdout if line.startswith("Run "))
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=PATIENCE)
    assert watching.returncode == 130, errors
    assert "The run goes on. See it with `mpe watch unwatched`." in errors
    assert User(cloud, "unwatched").wait_for_run() == "SUCCEEDED"


@pytest.fixture(scope="module")
def whole(cloud: LocalCloud) -> User:
    """Somebody with a dataset group that has everything."""
    user = User(cloud, "held")
    for key, body in files("held").items():
        cloud.client("s3").put_object(Bucket=user.bucket, Key=key, Body=body.encode())
    user.upload(everything("held"))
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    return user


def test_the_config_of_a_whole_group_has_nothing_to_do(
    whole: User, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "config.json"
    result = run("export", "held", "--out", str(out))
    assert result.exit_code == 0, result.output
    document = json.loads(out.read_text())
    assert document["datasets"].keys() - {"serviceConfig"} == {
        "interactions", "users", "items", "actions", "actionInteractions",
    }  # fmt: skip
    assert {one["serviceConfig"]["name"] for one in document["solutions"]} == {
        "held-for-you", "held-similar", "held-fans",
    }  # fmt: skip
    assert document["metricAttribution"]["serviceConfig"]["name"] == "held-metrics"
    assert document["eventTracker"]["serviceConfig"]["tags"]
    planned = run("plan", str(out), "--output", "json")
    assert planned.exit_code == 0, planned.output
    assert {step["action"] for step in json.loads(planned.output)} == {"keep"}


def test_a_group_that_is_not_there_is_told_with_those_that_are(run: Run, whole: User) -> None:
    result = run("export", "nowhere")
    assert result.exit_code == 1
    assert "There are:" in result.output
    assert "held" in result.output


def by_hand(user: User) -> None:
    """Make a dataset group without this project, as somebody did long ago."""
    personalize, group = user.cloud.client("personalize"), user.group
    schema = small(group)["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]
    made = personalize.create_dataset_group(name=group)["datasetGroupArn"]

    def active(describe: Any, key: str, **which: str) -> None:
        wait_until(lambda: describe(**which)[key]["status"] == "ACTIVE")

    active(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=made)
    schema_arn = personalize.create_schema(name=f"{group}-s", schema=json.dumps(schema))[
        "schemaArn"
    ]
    dataset = personalize.create_dataset(
        name=f"{group}-d", schemaArn=schema_arn, datasetGroupArn=made, datasetType="Interactions"
    )["datasetArn"]
    active(personalize.describe_dataset, "dataset", datasetArn=dataset)
    user.cloud.client("s3").put_object(
        Bucket=user.bucket, Key=f"train/other-{group}/old.csv", Body=CSV.encode()
    )
    job = personalize.create_dataset_import_job(
        jobName=f"{group}-i",
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{user.bucket}/train/other-{group}/old.csv"},
        roleArn=user.cloud.outputs["PersonalizeRole"],
    )["datasetImportJobArn"]
    active(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
    solution = personalize.create_solution(
        name=f"{group}-p",
        datasetGroupArn=made,
        recipeArn="arn:aws:personalize:::recipe/aws-popularity-count",
        performAutoTraining=False,
    )["solutionArn"]
    active(personalize.describe_solution, "solution", solutionArn=solution)
    versions = []
    for _ in range(2):
        version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        active(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
        versions.append(version)
    campaign = personalize.create_campaign(name=f"{group}-c", solutionVersionArn=versions[0])
    arn = campaign["campaignArn"]
    active(personalize.describe_campaign, "campaign", campaignArn=arn)


def test_a_group_that_somebody_else_made_is_exported_adopted_and_destroyed(
    cloud: LocalCloud, run: Run, tmp_path: Path
) -> None:
    user = User(cloud, "foreign")
    by_hand(user)
    out = tmp_path / "config.json"
    result = run("export", "foreign", "--out", str(out))
    assert "stays at" in result.output
    planned = run("plan", str(out), "--output", "json")
    assert planned.exit_code == 0, planned.output
    assert {step["action"] for step in json.loads(planned.output)} == {"keep"}

    schedules = ("--import-schedule", NEVER, "--full-schedule", NEVER)
    adopted = run("adopt", "foreign", *schedules, "--yes", "--watch")
    assert adopted.exit_code == 0, adopted.output
    tasks = json.loads(run("schedule", "list", "foreign", "--output", "json").output)
    assert [task["task"] for task in tasks] == ["full.foreign-p", "import"]

    asked = run("destroy", "foreign")
    assert asked.exit_code == 1
    assert "Nothing was removed" in asked.output
    wrong = run("destroy", "foreign", "--confirm", "froeign")
    assert "nothing was removed" in wrong.output

    gone = run("destroy", "foreign", "--confirm", "foreign")
    assert gone.exit_code == 0, gone.output
    order = [line for line in gone.output.splitlines() if line.startswith("  - ")]
    assert order == [
        "  - schedule of full.foreign-p",
        "  - schedule of import",
        "  - Campaign foreign-c",
        "  - Solution foreign-p",
        "  - Dataset foreign-d",
        "  - DatasetGroup foreign",
        "  - Schema foreign-s",
    ]
    assert "foreign" not in names(cloud.client("personalize"), "datasetGroups")
    assert "foreign-s" not in names(cloud.client("personalize"), "schemas")
    assert json.loads(run("schedule", "list", "foreign", "--output", "json").output) == []
    kept = cloud.client("s3").list_objects_v2(Bucket=user.bucket, Prefix="train/foreign/")
    assert [one["Key"] for one in kept["Contents"]] == ["train/foreign/config.json"]

    rest = run("destroy", "foreign", "--confirm", "foreign", "--data")
    assert rest.exit_code == 0, rest.output
    assert (
        not cloud.client("s3")
        .list_objects_v2(Bucket=user.bucket, Prefix="train/foreign/")
        .get("Contents")
    )
    assert "nor a rest of one" in run("destroy", "foreign", "--confirm", "foreign").output


def test_a_whole_group_is_destroyed_also_after_an_interruption(cloud: LocalCloud, run: Run) -> None:
    user = User(cloud, "undone")
    for key, body in files("undone").items():
        cloud.client("s3").put_object(Bucket=user.bucket, Key=key, Body=body.encode())
    user.upload(everything("undone"))
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    removing = subprocess.Popen(
        [sys.executable, "-m", "mpe.cli.main", "destroy", "undone", "--confirm", "undone",
         "--stack", cloud.stack_name],
        env={**os.environ, **cloud.environment, "PYTHONPATH": str(ROOT / "source")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert removing.stdout is not None
    for line in removing.stdout:
        if line.startswith(("removed Campaign", "removed Solution")):
            removing.send_signal(signal.SIGINT)
            break
    removing.communicate(timeout=PATIENCE)
    assert removing.returncode == 130

    result = run("destroy", "undone", "--confirm", "undone", "--keep-schemas")
    assert result.exit_code == 0, result.output
    assert "= Schema undone-items" in result.output
    assert "undone" not in names(cloud.client("personalize"), "datasetGroups")

    user.upload(everything("undone"))
    assert user.wait_for_run(2) == "SUCCEEDED", user.mail(2)[-1]["body"]


@pytest.fixture
def endless(cloud: LocalCloud) -> Iterator[str]:
    """An execution that runs until the test is over."""
    states = cloud.client("stepfunctions")
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9_999_999}}}
    definition["States"]["Wait"]["End"] = True  # type: ignore[index]
    machine = states.create_state_machine(
        name="endless",
        definition=json.dumps(definition),
        roleArn=role_for(cloud, "endless", "states.amazonaws.com", "lambda:InvokeFunction"),
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    yield arn
    states.stop_execution(executionArn=arn)


def test_a_group_in_which_a_run_works_is_not_destroyed(
    cloud: LocalCloud, run: Run, endless: str
) -> None:
    user = User(cloud, "working")
    user.put("interactions.csv", CSV)
    user.upload(small("working"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.lend_turn(endless)
    result = run("destroy", "working", "--confirm", "working")
    assert result.exit_code == 1
    assert "a run works on working" in result.output
    assert "working" in names(cloud.client("personalize"), "datasetGroups")
