"""The commands about a stack that runs: schedules, runs and status."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from mpe.aws.ledger import Ledger
from mpe.cli.main import mpe
from mpe.local.cloud import LocalCloud
from tests.local.conftest import CSV, User, small, tend, wait_until
from tests.local.test_schedules import jobs, settled

pytestmark = pytest.mark.local
FAR = datetime.now(UTC) + timedelta(days=180)
YEARLY = f"cron(0 3 1 {FAR.month} ? *)"
"""Within a year, and hours away by the hastened clock."""


@pytest.fixture(scope="module")
def user(cloud: LocalCloud) -> User:
    """Somebody with a dataset group that has tasks."""
    user = User(cloud, "shown")
    document = small("shown")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": YEARLY}}
    document["solutions"][0]["workflowConfig"] = {"schedules": {"full": YEARLY}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    return user


@pytest.fixture
def run(user: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in user.cloud.environment.items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> Result:
        return CliRunner().invoke(mpe, [*words, "--stack", user.cloud.stack_name])

    return command


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_tasks_are_listed_with_their_next_fire(run: Any) -> None:
    rows = told(run("schedule", "list", "shown", "--output", "json"))
    assert [row["task"] for row in rows] == ["full.shown-popular", "import"]
    assert all(row["next"].endswith(f"-{FAR.month:02}-01T03:00:00+00:00") for row in rows)
    table = run("schedule", "list").output
    assert "TIME ZONE" in table
    assert "full.shown-popular" in table


def test_the_calendar_tells_collisions_and_trainings(run: Any) -> None:
    found = told(run("schedule", "next", "shown", "--days", "366", "--output", "json"))
    assert {fire["collides"] for fire in found["fires"]} == {"one after the other"}
    assert set(found["trainings_per_month"]) == {"shown-popular"}
    assert "each billed" in run("schedule", "next", "shown").output


def test_a_task_is_disabled_and_enabled(run: Any, user: User) -> None:
    assert "is disabled" in run("schedule", "disable", "shown", "import").output
    row = told(run("schedule", "show", "shown", "import", "--output", "json"))
    assert (row["disabled"], row["next"]) == ("user", None)
    schedule = {"Name": row["schedule"], "GroupName": user.cloud.outputs["ScheduleGroup"]}
    scheduler = user.cloud.client("scheduler")
    assert scheduler.get_schedule(**schedule)["State"] == "DISABLED"
    assert "is enabled" in run("schedule", "enable", "shown", "import").output
    assert scheduler.get_schedule(**schedule)["State"] == "ENABLED"
    assert told(run("schedule", "show", "shown", "import", "--output", "json"))["disabled"] is None


def test_a_task_that_is_not_there_is_told_with_those_that_are(run: Any) -> None:
    result = run("schedule", "run", "shown", "imports")
    assert result.exit_code == 1
    assert "Its tasks: full.shown-popular, import." in result.output


def test_a_task_is_run_now_and_its_run_is_listed(run: Any, user: User) -> None:
    assert "Started the import of the data" in run("schedule", "run", "shown", "import").output
    settled(user, "import", "SUCCEEDED")
    rows = told(run("runs", "shown", "--output", "json"))
    assert [row["what"] for row in rows] == ["import of the data", "config"]
    assert rows[1]["changed"] == 9, "seven resources and two tasks"
    (model,) = rows[1]["models"]
    assert model["Metrics"]["coverage"] > 0
    assert "shown-popular NDCG@10" in run("runs", "shown").output
    assert {row["status"] for row in rows} == {"SUCCEEDED"}
    assert "import of the data" in run("runs").output
    assert len(told(run("runs", "shown", "--limit", "1", "--output", "json"))) == 1
    watched = run("watch", "shown")
    assert watched.exit_code == 0, watched.output
    assert f"Run {rows[0]['run']} of shown" in watched.output
    assert "The run succeeded" in watched.output


def test_the_status_has_every_resource_and_how_it_differs(run: Any, user: User) -> None:
    rows = told(run("status", "shown", "--output", "json"))
    assert {row["status"] for row in rows} == {"ACTIVE"}
    assert {row["differs"] for row in rows} == {None}
    personalize, solution = user.cloud.client("personalize"), user.arn("solution/shown-popular")
    personalize.update_solution(solutionArn=solution, performAutoTraining=True)

    def differing() -> list[tuple[str, str]]:
        rows = told(run("status", "shown", "--output", "json"))
        return [(row["resource"], row["differs"]) for row in rows if row["differs"]]

    assert wait_until(differing) == [("Solution", "performAutoTraining")]
    (line,) = (row for row in told(run("status", "--output", "json")) if row["group"] == "shown")
    assert line["health"] == "DIFFERS"
    assert "not as the config says: Solution shown-popular" in line["why"]
    assert run("status", "shown", "--exit-code").exit_code == 2
    # Else the service would train by itself in a minute, which may be before the tests below.
    personalize.update_solution(solutionArn=solution, performAutoTraining=False)
    assert wait_until(lambda: not differing())


def test_a_run_is_shown_with_what_it_did_and_how_it_is_asked(run: Any, user: User) -> None:
    newest = told(run("runs", "shown", "--output", "json"))[-1]["run"]
    found = told(run("runs", "show", newest, "--output", "json"))
    assert found["status"] == "SUCCEEDED"
    (campaign,) = (one for one in found["resources"] if one["resource"] == "Campaign")
    assert campaign["arn"] in found["ask"]
    assert found["ask"].startswith("aws personalize-runtime get-recommendations --campaign-arn")
    assert f"Run {newest} of shown" in run("runs", "show", newest).output


def test_the_log_of_a_run_has_the_lines_of_several_functions(run: Any) -> None:
    newest = told(run("runs", "shown", "--output", "json"))[-1]["run"]
    lines = told(run("logs", newest, "--output", "json"))
    assert len({one["function"] for one in lines}) > 3
    assert [one["time"] for one in lines] == sorted(one["time"] for one in lines)
    assert {"begun", "finished"} <= {one["message"] for one in lines}


def test_the_models_have_their_numbers_and_where_they_are_live(run: Any, user: User) -> None:
    models = told(run("models", "shown", "--output", "json"))
    (model,) = models
    told_by_service = user.cloud.client("personalize").get_solution_metrics(
        solutionVersionArn=model["arn"]
    )
    assert model["metrics"] == told_by_service["metrics"]
    assert (model["solution"], model["mode"]) == ("shown-popular", "FULL")
    solution = model["arn"].rpartition("/")[0]
    campaigns = user.cloud.client("personalize").list_campaigns(solutionArn=solution)["campaigns"]
    assert model["live"] == [one["name"] for one in campaigns] != []
    assert "NDCG@10" in run("models", "shown", "shown-popular").output
    assert "shown-popular NDCG@10" not in run("status").output
    assert "NDCG@10" in run("status", "shown").output
    nothing = run("models", "shown", "none")
    assert (nothing.exit_code, "See `mpe models shown`." in nothing.output) == (1, True)
    assert "there is no dataset group 'gone'" in run("models", "gone").output


def test_a_campaign_is_frozen_and_what_cannot_be_decided_is_refused(run: Any) -> None:
    (model,) = told(run("models", "shown", "--output", "json"))
    why = ("--why", "a test")
    nothing = run("rollback", "shown", model["live"][0], *why)
    assert (nothing.exit_code, "name one with --to" in nothing.output) == (1, True)
    approved = run("approve", "shown", "shown-popular", *why)
    assert approved.exit_code == 0, approved.output
    assert "was approved by arn:" in run("approve", "shown", "shown-popular", *why).output
    assert "froze" in run("freeze", "shown", model["live"][0], *why).output
    assert "unfroze" in run("unfreeze", "shown", model["live"][0], *why).output


def test_a_group_that_is_not_there_is_told_with_those_that_are(run: Any) -> None:
    result = run("status", "nothing")
    assert result.exit_code == 1
    assert "shown" in result.output


def test_a_stack_that_is_not_there_is_told_in_a_line(run: Any) -> None:
    result = CliRunner().invoke(mpe, ["runs", "--stack", "none"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def test_the_doctor_finds_nothing_wrong_and_tells_what_cannot_be_tried_here(run: Any) -> None:
    result = run("doctor", "--output", "json")
    found = {one["check"]: one["verdict"] for one in json.loads(result.output)}
    right = {"credentials", "service", "stack", "functions", "service role"}
    assert {found[check] for check in right} == {"right"}, result.output
    untried = {"quotas", "bucket policy"}
    assert {found[check] for check in untried} == {"could not be tried"}, result.output
    assert "wrong" not in found.values(), result.output
    assert result.exit_code == 0


FOR_YOU = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture(scope="module")
def gated(cloud: LocalCloud) -> User:
    """Somebody whose dataset group holds worse data and worse models."""
    gated = User(cloud, "gated")
    document = small("gated")
    document["datasetGroup"]["workflowConfig"] = {
        "schedules": {"import": YEARLY},
        "gate": {"mode": "hold", "data": {"itemShift": 1}},
    }
    (solution,) = document["solutions"]
    solution["serviceConfig"]["recipeArn"] = FOR_YOU
    solution["workflowConfig"] = {
        "schedules": {"full": YEARLY},
        "gate": {"mode": "hold", "metrics": {NDCG: {"notBelow": "-30%"}}},
    }
    gated.put("interactions.csv", CSV)
    gated.upload(document)
    assert gated.wait_for_run() == "SUCCEEDED"
    return gated


def test_data_without_a_third_of_its_users_is_not_imported_until_somebody_says_so(
    gated: User, run: Any, tmp_path: Path
) -> None:
    head, *rows = CSV.splitlines()
    fewer = [row for row in rows if int(row.partition(",")[0][1:]) % 3]
    before = len(jobs(gated, "import"))
    gated.put("interactions.csv", "\n".join([head, *fewer]) + "\n")
    assert run("schedule", "run", "gated", "import").exit_code == 0
    settled(gated, "import", "FAILED")
    assert len(jobs(gated, "import")) == before
    asked = "mpe accept gated interactions"
    assert wait_until(lambda: [one for one in gated.cloud.mail() if asked in one["body"]])
    (tmp_path / "config.json").write_text(json.dumps(small("gated")))
    (tmp_path / "interactions.csv").write_text("\n".join([head, *fewer]) + "\n")
    told_before = run("check-data", str(tmp_path / "config.json"), "--against", "gated")
    assert "MPE-Q014" in told_before.output, told_before.output
    accepted = run("accept", "gated", "interactions", "--why", "a market was closed")
    assert accepted.exit_code == 0, accepted.output
    assert "Nothing was changed" in run("accept", "gated", "interactions", "--why", "again").output
    assert run("schedule", "run", "gated", "import").exit_code == 0
    settled(gated, "import", "SUCCEEDED")
    assert len(jobs(gated, "import")) == before + 1


@contextmanager
def somebody(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, policy: str) -> Iterator[None]:
    """Have ``mpe`` run by a user who has one managed policy."""
    iam, name = cloud.client("iam"), f"approver-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patched.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        yield
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.detach_user_policy(UserName=name, PolicyArn=policy)
    iam.delete_user(UserName=name)


def test_a_worse_model_is_held_approved_and_rolled_back(
    gated: User, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a person, who is told how and need have no leave to upload; each move is a row."""
    first = serves(gated)
    gated.put("interactions.csv", shuffled(CSV))
    for task in ("import", "full.gated-popular"):
        assert run("schedule", "run", "gated", task).exit_code == 0
        settled(gated, task, "SUCCEEDED")
    assert serves(gated) == first
    versions = told(run("models", "gated", "--output", "json"))
    (second,) = (one["arn"] for one in versions if one["arn"] != first)
    asked = f"mpe approve gated gated-popular {second.rpartition('/')[2]}"
    assert wait_until(lambda: [one for one in gated.cloud.mail() if asked in one["body"]])
    why = ("--why", "looked at lists", "--output", "json")
    with somebody(gated.cloud, monkeypatch, gated.cloud.outputs["ModelApproverPolicy"]):
        approved = json.loads(run("approve", "gated", "gated-popular", *why).stdout)
        shown = run("models", "show", "gated", "gated-popular").output
        assert run("freeze", "gated", "gated-live", "--why", "the sale").exit_code == 0
        assert run("unfreeze", "gated", "gated-live", "--why", "over").exit_code == 0
        own = {"Bucket": gated.bucket, "Key": "train/gated/config.json", "Body": b"{}"}
        with pytest.raises(ClientError, match="AccessDenied"):
            boto3.Session().client("s3").put_object(**own)
    assert ":user/approver" in approved["by"]
    assert "approved by" in shown
    assert "moves from" in approved["did"][1]
    assert wait_until(lambda: serves(gated) == second)
    tend(gated.cloud)
    (asked_after,) = told(run("models", "show", "gated", "gated-popular", "--output", "json"))[
        "smoke"
    ]
    assert asked_after["campaign"] == "gated-live"
    assert asked_after["word"] != "inconclusive", asked_after  # as where it may not ask
    (moved,) = json.loads(run("rollback", "gated", "gated-live", *why).stdout)["did"]
    assert "moves from" in moved
    assert wait_until(lambda: serves(gated) == first)
    database = boto3.Session().resource("dynamodb")  # of the settings that hold by now
    ledger = Ledger(database.Table(gated.cloud.outputs["LedgerTable"]))
    moves = list(ledger.moves("gated", "campaign.gated-popular.gated-live"))
    assert [one.version for one in moves] == [first, second, first]
    assert [one.why for one in moves[1:]] == ["looked at lists"] * 2
    assert moves[0].by == "gate"
    assert all(one.by.startswith("arn:") for one in moves[1:])


def test_a_model_whose_lists_are_wholly_others_is_rolled_back_by_itself(
    gated: User, run: Any
) -> None:
    """Items that are named anew are found by no metric, and here by no limit of the data."""
    first = serves(gated)
    gated.put("interactions.csv", CSV.replace(",i", ",film-"))
    for task in ("import", "full.gated-popular"):  # both may have succeeded before
        assert run("schedule", "run", "gated", task).exit_code == 0

    def rolled_back() -> dict[str, Any] | None:
        newest = told(run("models", "show", "gated", "gated-popular", "--output", "json"))
        asked = [one for one in newest["smoke"] if one["back"]]
        return asked[0] if newest["state"] == "rolled back" and asked else None

    asked = wait_until(rolled_back)
    assert serves(gated) == first
    assert {one["rule"] for one in asked["reasons"]} == {"MPE-Q024"}
    assert wait_until(
        lambda: [one for one in gated.cloud.mail() if "It was rolled back." in one["body"]]
    )


def test_a_campaign_whose_requests_fail_goes_back_by_itself(gated: User, run: Any) -> None:
    """What CloudWatch counts is put there, as the service does; the rest is the stack's."""
    at = {"Bucket": gated.bucket, "Key": "train/gated/config.json"}
    document = json.loads(gated.cloud.client("s3").get_object(**at)["Body"].read())
    gate = document["solutions"][0]["workflowConfig"]["gate"]
    gate |= {"watch": {"for": "7 days"}, "metrics": {NDCG: {"atLeast": 0}}}
    gated.put("interactions.csv", CSV)
    runs = len(gated.executions())
    gated.upload(document)
    assert gated.wait_for_run(runs + 1) == "SUCCEEDED"
    first = serves(gated)
    assert run("schedule", "run", "gated", "full.gated-popular").exit_code == 0
    second = wait_until(lambda: one if (one := serves(gated)) != first else None)
    gated.wait_for_run()
    datum = {"Dimensions": [{"Name": "CampaignArn", "Value": gated.arn("campaign/gated-live")}]}
    datum |= {"MetricName": "GetRecommendations5xxErrors", "Value": 200}
    datum |= {"Timestamp": datetime.now(UTC) + timedelta(minutes=3)}
    gated.cloud.client("cloudwatch").put_metric_data(
        Namespace="AWS/Personalize", MetricData=[datum]
    )
    tend(gated.cloud)
    assert wait_until(lambda: serves(gated) == first)
    newest = told(run("models", "show", "gated", "gated-popular", "--output", "json"))
    assert (newest["arn"], newest["state"]) == (second, "rolled back")
    assert newest["watched"][0]["reasons"][0]["rule"] == "MPE-Q026"
    asked = "campaign gated-live does badly since it moved"
    assert wait_until(lambda: [one for one in gated.cloud.mail() if asked in one["body"]])


def serves(user: User) -> str:
    arn = user.arn(f"campaign/{user.group}-live")
    found = user.cloud.client("personalize").describe_campaign(campaignArn=arn)["campaign"]
    return str(found["solutionVersionArn"])


def shuffled(csv: str) -> str:
    """Return interactions whose items are dealt anew."""
    head, *rows = csv.splitlines()
    cells = [row.split(",") for row in rows]
    items = [row[1] for row in cells]
    random.Random(3).shuffle(items)
    dealt = [",".join([row[0], item, *row[2:]]) for row, item in zip(cells, items, strict=True)]
    return "\n".join([head, *dealt]) + "\n"
