"""End to end in the local cloud: what a user uploads, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from tests.conftest import BRIEF, MOVIELENS, config, interactions
from tests.local.conftest import CSV, User, small, wait_until

pytestmark = pytest.mark.local


def count(user: User, operation: str, key: str, **of: str) -> int:
    """Count what a list operation of the service returns."""
    return len(getattr(user.cloud.client("personalize"), operation)(**of)[key])


def trainings(user: User) -> int:
    solution = user.arn(f"solution/{user.group}-popular")
    return count(user, "list_solution_versions", "solutionVersions", solutionArn=solution)


def imports(user: User) -> int:
    dataset = user.arn(f"dataset/{user.group}/INTERACTIONS")
    return count(user, "list_dataset_import_jobs", "datasetImportJobs", datasetArn=dataset)


def test_the_example_becomes_a_campaign_that_recommends(cloud: LocalCloud) -> None:
    from tests.examples_movielens import prepare

    user = User(cloud, "movielens")
    folder = prepare.prepare()
    for path in sorted(folder.glob("*.csv")):
        user.put(path.name, path.read_text())
    user.upload((MOVIELENS / "config.json").read_text())

    assert user.wait_for_run() == "SUCCEEDED"

    personalize = cloud.client("personalize")
    campaign = personalize.describe_campaign(campaignArn=user.arn("campaign/movielens-for-you"))[
        "campaign"
    ]
    assert campaign["status"] == "ACTIVE"
    metrics = personalize.get_solution_metrics(solutionVersionArn=campaign["solutionVersionArn"])[
        "metrics"
    ]
    assert 0 < metrics["precision_at_5"] < 1
    films = cloud.client("personalize-runtime").get_recommendations(
        campaignArn=campaign["campaignArn"],
        filterArn=user.arn("filter/movielens-unseen"),
        userId="1",
        numResults=10,
    )["itemList"]
    rated = {
        line.split(",")[1]
        for line in (folder / "interactions.csv").read_text().splitlines()
        if line.startswith("1,")
    }
    assert len(films) == 10
    assert rated.isdisjoint(film["itemId"] for film in films)
    (mail,) = user.mail()
    assert mail["to"] == "you@example.com"
    assert mail["subject"] == "Personalize dataset group movielens is ready"
    for noun in (
        "DatasetGroup",
        "Schema",
        "Dataset",
        "DatasetImportJob",
        "EventTracker",
        "Filter",
        "Solution",
        "SolutionVersion",
        "Campaign",
    ):
        assert f"created {noun} movielens" in mail["body"]
    tags = personalize.list_tags_for_resource(resourceArn=campaign["campaignArn"])["tags"]
    assert tags == config()["tags"]


def test_the_same_config_again_changes_nothing_and_says_so(cloud: LocalCloud) -> None:
    user = User(cloud, "again")
    user.put("interactions.csv", CSV)
    user.upload(small("again"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()  # told before the next run begins

    user.upload(small("again"))
    assert user.wait_for_run(2) == "SUCCEEDED"

    assert (imports(user), trainings(user)) == (1, 1)
    assert "Nothing needed to change" in user.mail(2)[1]["body"]


def test_an_event_that_is_delivered_twice_starts_one_run(cloud: LocalCloud) -> None:
    user = User(cloud, "twice")
    user.put("interactions.csv", CSV)
    user.upload(small("twice"))
    assert user.wait_for_run() == "SUCCEEDED"

    event = _event(user)
    function = _function(cloud, "Configure")
    answers = []
    for _ in range(2):
        answer = cloud.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        answers.append(json.loads(answer["Payload"].read()))

    runs = {run for answer in answers for run in answer.values()}
    assert len(runs) == 1, "the same event again is the same run"
    assert "ignored" in answers[1]
    assert user.wait_for_run() == "SUCCEEDED"
    assert (imports(user), trainings(user)) == (1, 1)


def _event(user: User) -> dict[str, Any]:
    """Return an event as S3 would send it of the config that is there."""
    key = f"train/{user.group}/config.json"
    head = user.cloud.client("s3").head_object(Bucket=user.bucket, Key=key)
    return {
        "id": "one",
        "time": head["LastModified"].isoformat().replace("+00:00", "Z"),
        "region": user.cloud.region,
        "detail": {
            "bucket": {"name": user.bucket},
            "object": {"key": key, "version-id": head["VersionId"], "sequencer": "FF" * 8},
        },
    }


def _function(cloud: LocalCloud, start: str) -> str:
    functions = cloud.client("lambda").list_functions(MaxItems=1000)["Functions"]
    return next(
        str(one["FunctionName"])
        for one in functions
        if one["FunctionName"].startswith(f"{cloud.stack_name}-{start}")
    )


def test_a_config_with_problems_starts_nothing_and_one_mail_tells_all(cloud: LocalCloud) -> None:
    user = User(cloud, "wrong")
    document = small("wrong", eventTraker={})
    document["solutions"][0]["serviceConfig"]["recipeArn"] += "s"
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = "1"
    schema = document["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]
    schema["fields"][0]["type"] = "int"
    user.upload(document)

    (mail,) = user.mail()

    assert mail["subject"] == "train/wrong/config.json: 4 problems, nothing was started"
    for path in (
        "$.eventTraker",
        "$.solutions[0].serviceConfig.recipeArn",
        "$.solutions[0].campaigns[0].serviceConfig.minProvisionedTPS",
        "$.datasets.interactions.schema.serviceConfig.schema.fields[0].type",
    ):
        assert f"\n  {path}\n" in mail["body"]
    assert "Did you mean 'eventTracker'?" in mail["body"]
    assert user.executions() == []


def test_what_is_not_json_is_told_with_its_place(cloud: LocalCloud) -> None:
    user = User(cloud, "garbled")
    user.upload('{"datasetGroup": ')
    (mail,) = user.mail()
    assert "is not JSON" in mail["body"]
    assert "line 1, column 18" in mail["body"]
    assert user.executions() == []


@pytest.mark.parametrize(
    ("group", "body", "told", "begun"),
    [
        pytest.param(
            "headless",
            CSV.replace("TIMESTAMP", "WHEN", 1),
            # Told by us, as the service would: the import is not begun.
            "missing the following columns:[TIMESTAMP]",
            0,
            id="a-column-less",
        ),
        pytest.param(
            "short", "\n".join(CSV.splitlines()[:900]), "fewer than 1000", 1, id="too-few-rows"
        ),
    ],
)
def test_data_that_is_refused_stops_the_run_and_mended_data_continues_it(
    cloud: LocalCloud, group: str, body: str | None, told: str, begun: int
) -> None:
    user = User(cloud, group)
    if body is not None:
        user.put("interactions.csv", body)
    user.upload(small(group))
    assert user.wait_for_run() == "FAILED"
    (mail,) = user.mail()
    assert told in mail["body"]
    assert f"DatasetImportJob {group}-interactions failed" in mail["body"]
    assert "in the config: $.datasets.interactions.dataset" in mail["body"]
    assert imports(user) == begun
    created = user.cloud.client("personalize").describe_dataset(
        datasetArn=user.arn(f"dataset/{group}/INTERACTIONS")
    )["dataset"]

    user.put("interactions.csv", interactions())
    user.upload(small(group))

    assert user.wait_for_run(2) == "SUCCEEDED"
    after = user.cloud.client("personalize").describe_dataset(datasetArn=created["datasetArn"])
    assert after["dataset"]["creationDateTime"] == created["creationDateTime"]
    assert trainings(user) == 1
    assert "created Campaign" in user.mail(2)[1]["body"]


def test_a_dataset_without_a_csv_does_not_fail_the_run(cloud: LocalCloud) -> None:
    """As with the AWS solution: the dataset is made, and the run goes on to train."""
    user = User(cloud, "unfilled")
    user.put("interactions.csv", CSV)
    document = small("unfilled")
    schema = {
        "type": "record",
        "name": "users",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
    }
    document["datasets"]["users"] = {
        "dataset": {"serviceConfig": {"name": "unfilled-users"}},
        "schema": {"serviceConfig": {"name": "unfilled-users-schema", "schema": schema}},
    }
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    (mail,) = user.mail()
    assert (
        "Dataset unfilled-users: there is no CSV for it, so nothing was imported." in mail["body"]
    )
    assert trainings(user) == 1


def test_a_changed_campaign_is_updated_in_place(cloud: LocalCloud) -> None:
    user = User(cloud, "resized")
    user.put("interactions.csv", CSV)
    user.upload(small("resized"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()
    document = small("resized")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 3
    user.upload(document)
    assert user.wait_for_run(2) == "SUCCEEDED"
    campaign = cloud.client("personalize").describe_campaign(
        campaignArn=user.arn("campaign/resized-live")
    )["campaign"]
    assert campaign["minProvisionedTPS"] == 3
    assert trainings(user) == 1
    assert "updated Campaign resized-live" in user.mail(2)[1]["body"]


def test_newer_data_is_imported_and_older_data_is_not_again(cloud: LocalCloud) -> None:
    user = User(cloud, "fresh")
    user.put("interactions.csv", CSV)
    user.upload(small("fresh"))
    assert user.wait_for_run() == "SUCCEEDED"
    wait_until(lambda: later_second(user))
    user.put("interactions.csv", interactions(seed=9))
    user.upload(small("fresh"))
    assert user.wait_for_run(2) == "SUCCEEDED"
    assert imports(user) == 2
    user.upload(small("fresh"))
    assert user.wait_for_run(3) == "SUCCEEDED"
    assert imports(user) == 2


def later_second(user: User) -> bool:
    """Tell whether S3's clock, in whole seconds, is past the last import's start."""
    import time

    dataset = user.arn(f"dataset/{user.group}/INTERACTIONS")
    jobs = user.cloud.client("personalize").list_dataset_import_jobs(datasetArn=dataset)
    return bool(time.time() > jobs["datasetImportJobs"][0]["creationDateTime"].timestamp() + 1)


def test_a_field_that_cannot_change_is_refused_with_its_values(cloud: LocalCloud) -> None:
    user = User(cloud, "frozen")
    user.put("interactions.csv", CSV)
    user.upload(small("frozen"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()
    document = small("frozen")
    document["solutions"][0]["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/aws-sims"
    user.upload(document)
    assert user.wait_for_run(2) == "FAILED"
    body = user.mail(2)[1]["body"]
    assert "Solution frozen-popular failed (DriftError)" in body
    assert "recipe/aws-popularity-count" in body
    assert "recipe/aws-sims" in body


def test_every_change_of_a_resource_is_an_event_on_the_bus(cloud: LocalCloud) -> None:
    user = User(cloud, "heard")
    queue = cloud.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
    events = cloud.client("events")
    bus = cloud.outputs["EventBus"]
    events.put_rule(
        Name="heard",
        EventBusName=bus,
        EventPattern=json.dumps({"source": ["solutions.aws.personalize"]}),
    )
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:heard"
    events.put_targets(Rule="heard", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    user.put("interactions.csv", CSV)
    user.upload(small("heard"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()

    heard = _drained(cloud, queue)

    campaign = [one for one in heard if one["detail-type"] == "Personalize Campaign State Change"]
    assert campaign[0]["detail"]["Arn"] == user.arn("campaign/heard-live")
    assert campaign[-1]["detail"]["Status"] == "ACTIVE"
    assert abs(campaign[-1]["detail"]["Duration"] - BRIEF.create["Campaign"]) < 10
    kinds = {one["detail-type"] for one in heard}
    assert "Personalize Dataset Group State Change" in kinds
    assert "Maintenance Run State Change" in kinds


def _drained(cloud: LocalCloud, queue: str) -> list[dict[str, Any]]:
    sqs, found = cloud.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found, key=lambda one: one["time"])


def test_a_plan_says_what_the_run_then_does(cloud: LocalCloud, tmp_path: Path) -> None:
    user = User(cloud, "planned")
    config_file = tmp_path / "config.json"

    def plan(document: dict[str, Any]) -> tuple[int, str]:
        config_file.write_text(json.dumps(document))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mpe.cli.main",
                "plan",
                str(config_file),
                "--endpoint-url",
                cloud.endpoint,
            ],
            env={**os.environ, **cloud.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    code, told = plan(small("planned"))
    assert code == 2, told
    assert "+ Campaign planned-live" in told
    user.put("interactions.csv", CSV)
    user.upload(small("planned"))
    assert user.wait_for_run() == "SUCCEEDED"
    assert plan(small("planned"))[0] == 0

    document = small("planned")
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    code, told = plan(document)
    assert code == 2
    assert "minProvisionedTPS: 1 -> 2" in told


def shop(group: str) -> dict[str, Any]:
    """Return a config of an ECOMMERCE dataset group with a recommender."""
    document = small(group)
    document["datasetGroup"]["serviceConfig"]["domain"] = "ECOMMERCE"
    del document["solutions"]
    document["recommenders"] = [
        {
            "serviceConfig": {
                "name": f"{group}-for-you",
                "recipeArn": "arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you",
                "recommenderConfig": {"minRecommendationRequestsPerSecond": 1},
            }
        }
    ]
    return document


def test_a_domain_dataset_group_gets_its_recommender_and_its_updates(cloud: LocalCloud) -> None:
    user = User(cloud, "shop")
    user.put("interactions.csv", CSV)
    user.upload(shop("shop"))
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()
    arn = user.arn("recommender/shop-for-you")
    personalize = cloud.client("personalize")
    told = personalize.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["status"] == "ACTIVE"
    assert told["modelMetrics"]["coverage"] > 0
    items = cloud.client("personalize-runtime").get_recommendations(
        recommenderArn=arn, userId="u0", numResults=5
    )["itemList"]
    assert len(items) == 5

    document = shop("shop")
    config_ = document["recommenders"][0]["serviceConfig"]["recommenderConfig"]
    config_["minRecommendationRequestsPerSecond"] = 2
    user.upload(document)
    assert user.wait_for_run(2) == "SUCCEEDED"
    told = personalize.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2
    assert "updated Recommender shop-for-you" in user.mail(2)[1]["body"]
