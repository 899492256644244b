"""Everything that a custom dataset group can hold, end to end, and an upgrade in steps."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from tests.conftest import interactions
from tests.everything import RECIPE, everything, files, schema
from tests.local.conftest import CSV, User, small

pytestmark = pytest.mark.local


def put_files(user: User, found: dict[str, str]) -> None:
    for key, body in found.items():
        user.cloud.client("s3").put_object(Bucket=user.bucket, Key=key, Body=body.encode())


def keys(user: User, prefix: str) -> list[str]:
    found = user.cloud.client("s3").list_objects_v2(Bucket=user.bucket, Prefix=prefix)
    return [one["Key"] for one in found.get("Contents", ())]


def lines(user: User, prefix: str) -> list[dict[str, Any]]:
    """Return the lines of the one object below a prefix."""
    # The service leaves a mark beside the results.
    (key,) = [one for one in keys(user, prefix) if not one.endswith("_CHECK")]
    body = user.cloud.client("s3").get_object(Bucket=user.bucket, Key=key)["Body"].read()
    return [json.loads(line) for line in body.decode().splitlines()]


def changes(user: User, count: int) -> set[str]:
    """Return what the newest mail says was changed: ``created Campaign live``."""
    body = user.mail(count)[-1]["body"]
    told = [re.split(r": | in ", line)[0].strip() for line in body.splitlines()]
    return {line for line in told if line.startswith(("created ", "updated "))}


def test_a_custom_group_with_everything_is_provisioned(cloud: LocalCloud) -> None:
    user = User(cloud, "all")
    put_files(user, files("all"))
    user.upload(everything("all"))
    assert user.wait_for_run() == "SUCCEEDED", user.mail()

    (mail,) = user.mail()
    assert re.search(r"^Stack \S+, account \d{12}, region \S+, bucket \S+$", mail["body"], re.M)
    for noun in ("MetricAttribution", "DataDeletionJob", "DatasetExportJob", "BatchSegmentJob"):
        assert f"created {noun} all" in mail["body"]
    assert mail["body"].count("created BatchInferenceJob") == 3
    assert mail["body"].count("created DatasetImportJob") == 5

    by_genre = lines(user, "batch/all/all-for-you/all-by-genre-")
    assert [len(one["output"]["recommendedItems"]) for one in by_genre] == [5, 5]
    assert all(int(item[1:]) % 2 for item in by_genre[0]["output"]["recommendedItems"])
    (answer, _) = lines(user, "batch/all/all-similar/all-similar-")
    assert answer["output"]["theme"]
    (fans, _) = lines(user, "batch/all/all-fans/all-fans-")
    assert len(fans["output"]["usersList"]) == 10
    (export,) = keys(user, "export/all/interactions/")
    assert export.endswith(".csv")

    personalize = cloud.client("personalize")
    (deletion,) = personalize.list_data_deletion_jobs(
        datasetGroupArn=user.arn("dataset-group/all")
    )["dataDeletionJobs"]
    found = personalize.describe_data_deletion_job(
        dataDeletionJobArn=deletion["dataDeletionJobArn"]
    )["dataDeletionJob"]
    assert (found["status"], found["numDeleted"]) == ("COMPLETED", 33)  # 30 + 1 + 2 rows of u59

    user.upload(everything("all"))
    assert user.wait_for_run(2) == "SUCCEEDED", user.mail(2)[1]["body"]
    assert "Nothing needed to change" in user.mail(2)[1]["body"]

    user.put("interactions.csv", interactions(seed=8))
    bent = everything("all")
    bent["datasetGroup"]["workflowConfig"]["maxAge"] = "1 minute"  # else newer data waits a year
    bent["metricAttribution"]["serviceConfig"]["metrics"][1]["expression"] = "SUM(Items.PRICE)"
    bent["metricAttribution"]["serviceConfig"]["metrics"].pop(0)
    user.upload(bent)
    assert user.wait_for_run(3) == "SUCCEEDED", user.mail(3)[2]
    assert changes(user, 3) == {
        "created DatasetImportJob all-interactions",
        "created DatasetExportJob all-interactions",
        "created DataDeletionJob all",
        "updated MetricAttribution all-metrics",
    }
    imports = personalize.list_dataset_import_jobs(datasetArn=user.arn("dataset/all/INTERACTIONS"))
    modes = [one["importMode"] for one in imports["datasetImportJobs"]]
    assert sorted(modes) == ["FULL", "INCREMENTAL"]


def test_a_config_is_upgraded_in_three_steps_each_doing_only_what_is_new(cloud: LocalCloud) -> None:
    group = "steps"
    user = User(cloud, group)
    document = small(group)
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED"
    user.mail()  # told before the next run begins

    # more: a dataset, a filter, a solution with a batch job
    items = {"ITEM_ID": "string", "PRICE": "float"}
    user.put("items.csv", "ITEM_ID,PRICE\n" + "".join(f"i{n},{n}.0\n" for n in range(240)))
    document["datasets"]["items"] = {
        "dataset": {"serviceConfig": {"name": f"{group}-items"}},
        "schema": {"serviceConfig": {"name": f"{group}-items", "schema": schema("Items", **items)}},
    }
    document["filters"] = [
        {
            "serviceConfig": {
                "name": f"{group}-cheap",
                "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < 20",
            }
        }
    ]
    document["solutions"].append(
        {
            "serviceConfig": {"name": f"{group}-near", "recipeArn": f"{RECIPE}aws-similar-items"},
            "batchInferenceJobs": [
                {"serviceConfig": {"filterArn": user.arn(f"filter/{group}-cheap")}}
            ],
        }
    )
    key = f"batch/{group}/{group}-near/job_config.json"
    put_files(user, {key: '{"itemId": "i1"}\n'})
    user.upload(document)
    assert user.wait_for_run(2) == "SUCCEEDED", user.mail(2)[1]
    assert changes(user, 2) == {
        f"created Schema {group}-items",
        f"created Dataset {group}-items",
        f"created DatasetImportJob {group}-items",
        f"created Filter {group}-cheap",
        f"created Solution {group}-near",
        f"created SolutionVersion {group}-near",
        f"created BatchInferenceJob {group}-near",
    }

    # other: a schema with a column more, another capacity, no automatic training
    more = {**items, "COLOUR": ["string", "null"]}
    document["datasets"]["items"]["schema"]["serviceConfig"] = {
        "name": f"{group}-items-2",
        "schema": schema("Items", **more),
    }
    document["solutions"][0]["serviceConfig"]["performAutoTraining"] = False
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    user.upload(document)
    assert user.wait_for_run(3) == "SUCCEEDED", user.mail(3)[2]
    assert changes(user, 3) == {
        f"created Schema {group}-items-2",
        f"updated Dataset {group}-items",
        f"updated Solution {group}-popular",
        f"updated Campaign {group}-live",
    }


def test_a_batch_job_without_input_fails_alone_and_says_where_to_put_it(cloud: LocalCloud) -> None:
    user = User(cloud, "noinput")
    document = small("noinput")
    document["solutions"][0]["batchInferenceJobs"] = [{}]
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "FAILED"
    (mail,) = user.mail()
    assert "created Campaign noinput-live" in mail["body"]
    assert "$.solutions[0].batchInferenceJobs[0]" in mail["body"]
    assert "batch/noinput/noinput-popular/job_config.json" in mail["body"]
    assert "Upload" in mail["body"]
