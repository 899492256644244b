"""Batch jobs, exports, deletions and metric attributions of the emulated service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.emulator import MemoryObjects, ObjectsDenied
from tests.conftest import BUCKET, ROLE, Emulated, interactions
from tests.emulator.conftest import Builder, avro

INPUT, OUTPUT = "s3://data/batch/films/job_config.json", "s3://data/batch/films/out/"


def lines(*asked: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in asked)


def job(version: str, **more: Any) -> dict[str, Any]:
    """Return the parameters of a batch job."""
    return {
        "jobName": "job",
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": INPUT}},
        "jobOutput": {"s3DataDestination": {"path": OUTPUT}},
        "roleArn": ROLE,
        **more,
    }


def trained(build: Builder, recipe: str) -> str:
    group = build.group()
    build.imported(group)
    return build.version(build.solution(group, recipe))


def ran(build: Builder, version: str, *asked: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Run a batch inference job and return the lines of its output."""
    build.emulated.objects.objects[INPUT] = lines(*asked)
    arn = build.client.create_batch_inference_job(**job(version, **more))["batchInferenceJobArn"]
    build.wait(1200)
    found = build.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert found["status"] == "ACTIVE", found.get("failureReason")
    return output(build.emulated, f"{OUTPUT}job_config.json.out")


def output(emulated: Emulated, url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in emulated.objects.objects[url].splitlines()]


def test_a_batch_job_recommends_for_each_line(build: Builder) -> None:
    version = trained(build, "user-personalization-v2")
    one, two, wrong = ran(
        build, version, {"userId": "u1"}, {"userId": "u2"}, {"x": 1}, numResults=7
    )
    assert one["input"] == {"userId": "u1"}
    assert len(one["output"]["recommendedItems"]) == len(one["output"]["scores"]) == 7
    assert one["output"] != two["output"]
    assert wrong["output"] is None
    assert "userId" in wrong["error"]


def test_a_batch_job_of_related_items_goes_by_item(build: Builder) -> None:
    (answer,) = ran(build, trained(build, "similar-items"), {"itemId": "i1"})
    assert "i1" not in answer["output"]["recommendedItems"]
    assert all(int(item[1:]) < 100 for item in answer["output"]["recommendedItems"][:5])


def test_a_batch_job_of_a_ranking_orders_the_given_items(build: Builder) -> None:
    version = trained(build, "personalized-ranking-v2")
    (answer,) = ran(build, version, {"userId": "u0", "itemList": ["i201", "i1", "i101"]})
    assert answer["output"]["recommendedItems"][0] == "i1"
    assert sorted(answer["output"]["recommendedItems"]) == ["i1", "i101", "i201"]


def test_a_batch_job_applies_its_filter_with_the_lines_values(build: Builder) -> None:
    version = trained(build, "user-personalization-v2")
    group = build.client.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"]
    items = build.dataset(group, "Items", "items")
    body = "ITEM_ID,PRICE\n" + "".join(f"i{n},{n}\n" for n in range(240))
    build.begin_import(items, body, "prices")
    build.wait(900)
    arn = build.client.create_filter(
        name="cheap",
        datasetGroupArn=group,
        filterExpression="INCLUDE ItemID WHERE Items.PRICE < $LIMIT",
    )["filterArn"]
    build.wait(60)
    cheap, lacking = ran(
        build,
        version,
        {"userId": "u1", "filterValues": {"LIMIT": "20"}},
        {"userId": "u1"},
        filterArn=arn,
    )
    assert {int(item[1:]) < 20 for item in cheap["output"]["recommendedItems"]} == {True}
    assert "LIMIT" in lacking["error"]


def test_themes_say_what_the_items_have_in_common(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    schema = avro(
        "Items",
        {"name": "TITLE", "type": "string"},
        {"name": "SHELF", "type": "string", "categorical": True},
    )
    made = build.client.create_schema(name="shelves", schema=schema)["schemaArn"]
    items = build.client.create_dataset(
        name="items", datasetGroupArn=group, datasetType="Items", schemaArn=made
    )["datasetArn"]
    build.wait(60)
    rows = "".join(f"i{n},1,Title {n},shelf {n // 100}\n" for n in range(240))
    build.begin_import(items, f"ITEM_ID,PRICE,TITLE,SHELF\n{rows}", "shelves")
    build.wait(900)
    (answer,) = ran(
        build,
        build.version(build.solution(group, "similar-items")),
        {"itemId": "i101"},
        batchInferenceJobMode="THEME_GENERATION",
        themeGenerationConfig={"fieldsForThemeGeneration": {"itemName": "TITLE"}},
    )
    assert answer["output"]["theme"] == "shelf 1"
    assert answer["output"]["itemsThemeRelevanceScores"][0] == 1.0


@pytest.mark.parametrize(
    ("recipe", "more", "message"),
    [
        ("trending-now", {}, "does not support batch"),
        ("user-personalization-v2", {"batchInferenceJobMode": "THEME_GENERATION"}, "THEME"),
        ("similar-items", {"batchInferenceJobMode": "THEME_GENERATION"}, "themeGenerationConfig"),
        ("user-personalization-v2", {"numResults": 501}, "numResults"),
        (
            "user-personalization-v2",
            {"jobInput": {"s3DataSource": {"path": OUTPUT}}},
            "Invalid S3 output path",
        ),
        (
            "user-personalization-v2",
            {"jobInput": {"s3DataSource": {"path": "s3://data/nothing.json"}}},
            "Invalid S3 input path",
        ),
    ],
)
def test_a_batch_job_that_cannot_be_is_refused(
    build: Builder, recipe: str, more: dict[str, Any], message: str
) -> None:
    version = trained(build, recipe)
    build.emulated.objects.objects[INPUT] = lines({"userId": "u1"})
    with pytest.raises(ClientError, match=message):
        build.client.create_batch_inference_job(**job(version, **more))


def test_what_is_not_json_lines_fails_the_job(build: Builder) -> None:
    version = trained(build, "popularity-count")
    build.emulated.objects.objects[INPUT] = '{"userId": "u1"}\nnonsense\n'
    arn = build.client.create_batch_inference_job(**job(version))["batchInferenceJobArn"]
    build.wait(1200)
    found = build.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert found["status"] == "CREATE FAILED"
    assert "Line 2" in found["failureReason"]


def test_a_segment_has_the_users_who_like_an_item(build: Builder) -> None:
    version = trained(build, "item-affinity")
    build.emulated.objects.objects[INPUT] = lines({"itemId": "i1"}, {"itemId": "i201"})
    metrics = build.client.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert set(metrics) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}
    build.client.create_batch_segment_job(**job(version, numResults=10))
    build.wait(1200)
    answers = output(build.emulated, f"{OUTPUT}job_config.json.out")
    for answer, shelf in zip(answers, (0, 2), strict=True):
        users = answer["output"]["usersList"]
        assert len(users) == 10
        assert sum(int(user[1:]) % 3 == shelf for user in users) >= 9


def test_a_segment_by_attribute_has_the_users_who_like_such_items(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    items = build.dataset(group, "Items", "items")
    rows = "".join(f"i{n},{n}\n" for n in range(240))
    build.begin_import(items, f"ITEM_ID,PRICE\n{rows}", "prices")
    build.wait(900)
    version = build.version(build.solution(group, "item-attribute-affinity"))
    asked = [{"itemAttributes": "ITEMS.price < 100"}, {"itemAttributes": "nonsense"}]
    build.emulated.objects.objects[INPUT] = lines(*asked)
    build.client.create_batch_segment_job(**job(version, numResults=5))
    build.wait(1200)
    good, bad = output(build.emulated, f"{OUTPUT}job_config.json.out")
    assert {int(user[1:]) % 3 for user in good["output"]["usersList"]} == {0}
    assert "itemAttributes" in bad["error"]


def test_segments_need_a_recipe_for_them(build: Builder) -> None:
    version = trained(build, "popularity-count")
    build.emulated.objects.objects[INPUT] = lines({"itemId": "i1"})
    with pytest.raises(ClientError, match="makes no user segments"):
        build.client.create_batch_segment_job(**job(version))
    segments = trained_in(build, "item-affinity")
    with pytest.raises(ClientError, match="does not support batch inference"):
        build.client.create_batch_inference_job(**job(segments))
    with pytest.raises(ClientError, match="cannot serve"):
        build.client.create_campaign(name="c", solutionVersionArn=segments)


def trained_in(build: Builder, recipe: str) -> str:
    group = build.client.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"]
    return build.version(build.solution(group, recipe, name=recipe))


def test_a_role_that_may_not_write_fails_the_job(build: Builder) -> None:
    version = trained(build, "popularity-count")
    build.emulated.objects.objects[INPUT] = lines({"userId": "u1"})
    build.emulated.objects.denied.add("arn:aws:iam::000000000000:role/other")
    more = {"roleArn": "arn:aws:iam::000000000000:role/other"}
    arn = build.client.create_batch_inference_job(**job(version, **more))["batchInferenceJobArn"]
    build.wait(1200)
    found = build.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert found["failureReason"] == "Insufficient privileges for accessing data in Amazon S3"


def test_an_export_has_the_rows_that_were_imported(build: Builder) -> None:
    dataset = build.imported(build.group())
    for name, mode in (("bulk", "BULK"), ("put", "PUT")):
        build.client.create_dataset_export_job(
            jobName=name,
            datasetArn=dataset,
            ingestionMode=mode,
            roleArn=ROLE,
            jobOutput={"s3DataDestination": {"path": f"s3://data/export/{name}/"}},
        )
    build.wait(900)
    header, *rows = interactions().splitlines()
    exported = build.emulated.objects.objects["s3://data/export/bulk/part-00000.csv"]
    exported = exported.decode() if isinstance(exported, bytes) else exported
    assert exported.splitlines()[0] == header
    assert len(exported.splitlines()) == len(rows) + 1
    user, item, *_ = rows[0].split(",")
    assert exported.splitlines()[1].startswith(f"{user},{item},")
    streamed = build.emulated.objects.objects["s3://data/export/put/part-00000.csv"]
    assert len(streamed.splitlines()) == 1


@pytest.mark.parametrize(("kept", "status"), [(False, "ACTIVE"), (True, "CREATE FAILED")])
def test_an_encrypted_group_is_exported_only_where_its_key_allows_that_too(
    build: Builder, kept: bool, status: str
) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html"""
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    group = build.client.create_dataset_group(name="films", kmsKeyArn=key, roleArn=ROLE)
    build.wait(60)
    dataset = build.imported(group["datasetGroupArn"])
    if kept:
        build.emulated.objects.kept.add(key)
    arn = build.client.create_dataset_export_job(
        jobName="all",
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": "s3://data/export/all/"}},
    )["datasetExportJobArn"]
    build.wait(900)
    found = build.client.describe_dataset_export_job(datasetExportJobArn=arn)["datasetExportJob"]
    assert found["status"] == status
    assert (f"The KMS key {key} cannot be used" in found.get("failureReason", "")) == kept


class Unlistable(MemoryObjects):
    """Objects of which those that were exported may not be listed."""

    def keys(self, url: str, *, role_arn: str, account: str) -> list[str]:
        if "/export/" in url:
            raise ObjectsDenied(url)
        return super().keys(url, role_arn=role_arn, account=account)


def test_an_export_to_where_the_role_may_not_list_fails() -> None:
    build = Builder(Emulated(objects=Unlistable()))
    dataset = build.imported(build.group())
    job = build.client.create_dataset_export_job(
        jobName="export",
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": "s3://data/export/films/"}},
    )["datasetExportJobArn"]
    build.wait()
    found = build.client.describe_dataset_export_job(datasetExportJobArn=job)["datasetExportJob"]
    assert found["status"] == "CREATE FAILED"
    assert "Insufficient privileges" in found["failureReason"]


def delete(build: Builder, group: str, body: str) -> dict[str, Any]:
    build.emulated.objects.objects["s3://data/train/films/deletions.csv"] = body
    arn = build.client.create_data_deletion_job(
        jobName="forget",
        datasetGroupArn=group,
        dataSource={"dataLocation": "s3://data/train/films/deletions.csv"},
        roleArn=ROLE,
    )["dataDeletionJobArn"]
    build.wait(8 * 3600)
    found: dict[str, Any] = build.client.describe_data_deletion_job(dataDeletionJobArn=arn)[
        "dataDeletionJob"
    ]
    return found


def test_a_deletion_forgets_users_and_is_completed(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    found = delete(build, group, "USER_ID\nu1\nu2\nnobody\n")
    assert (found["status"], found["numDeleted"]) == ("COMPLETED", 60)
    version = build.version(build.solution(group))
    build.emulated.objects.objects[INPUT] = lines({"userId": "u1"}, {"userId": "nobody"})
    known, unknown = ran(build, version, {"userId": "u1"}, {"userId": "nobody"})
    assert known["output"] == unknown["output"]


def test_a_deletion_alone_reads_files_in_folders_of_its_folder(build: Builder) -> None:
    group = build.group()
    dataset = build.dataset(group)
    objects = build.emulated.objects.objects
    objects[f"{BUCKET}/all/2026/interactions.csv"] = interactions()
    objects[f"{BUCKET}/gone/2026/users.csv"] = "USER_ID\nu1\n"
    made = {"dataSource": {"dataLocation": f"{BUCKET}/all/"}, "roleArn": ROLE, "jobName": "job"}
    with pytest.raises(build.client.exceptions.InvalidInputException, match="there is no"):
        build.client.create_dataset_import_job(**made, datasetArn=dataset)
    made["dataSource"] = {"dataLocation": f"{BUCKET}/gone/"}
    build.client.create_data_deletion_job(**made, datasetGroupArn=group)


def test_a_deletion_with_other_columns_fails(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    found = delete(build, group, "USER,DAY\nu1,2\n")
    assert found["status"] == "FAILED"
    assert "USER_ID" in found["failureReason"]


METRIC = {"eventType": "buy", "metricName": "sales", "expression": "SUM(Interactions.EVENT_VALUE)"}


def test_a_metric_attribution_is_updated_by_adding_and_removing(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    made = {
        "name": "metrics",
        "datasetGroupArn": group,
        "metrics": [METRIC],
        "metricsOutputConfig": {"roleArn": ROLE},
    }
    arn = build.client.create_metric_attribution(**made)["metricAttributionArn"]
    build.wait(60)
    views = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}
    build.client.update_metric_attribution(
        metricAttributionArn=arn, addMetrics=[views], removeMetrics=["sales"]
    )
    listed = build.client.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
    assert listed == [views]
    with pytest.raises(ClientError, match="no metric sales"):
        build.client.update_metric_attribution(metricAttributionArn=arn, removeMetrics=["sales"])
    with pytest.raises(ClientError, match="already has"):
        build.client.create_metric_attribution(**{**made, "name": "other"})
    with pytest.raises(ClientError, match="still uses it"):
        build.client.delete_dataset(datasetArn=f"{group.replace('-group', '')}/INTERACTIONS")
    build.client.delete_metric_attribution(metricAttributionArn=arn)
    build.wait(60)
    assert build.client.list_metric_attributions()["metricAttributions"] == []


def attributed(build: Builder) -> dict[str, Any]:
    """Make a metric attribution and return what becomes of it."""
    group = build.group()
    build.imported(group)
    arn = build.client.create_metric_attribution(
        name="metrics",
        datasetGroupArn=group,
        metrics=[METRIC],
        metricsOutputConfig={"roleArn": ROLE},
    )["metricAttributionArn"]
    build.wait(60)
    answer = build.client.describe_metric_attribution(metricAttributionArn=arn)
    found: dict[str, Any] = answer["metricAttribution"]
    return found


def test_a_metric_attribution_whose_role_may_publish_metrics_is_made(build: Builder) -> None:
    assert attributed(build)["status"] == "ACTIVE"


def test_a_metric_attribution_whose_role_may_publish_no_metrics_fails(build: Builder) -> None:
    build.emulated.objects.silent.add(ROLE)
    found = attributed(build)
    assert found["status"] == "CREATE FAILED"
    assert "publishing metrics to Amazon CloudWatch" in found["failureReason"]


def test_a_metric_attribution_needs_a_role_that_trusts_the_service(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    build.emulated.objects.untrusting.add(ROLE)
    with pytest.raises(ClientError, match="cannot assume the role"):
        build.client.create_metric_attribution(
            name="metrics",
            datasetGroupArn=group,
            metrics=[METRIC],
            metricsOutputConfig={"roleArn": ROLE},
        )


def test_a_metric_attribution_needs_event_types(build: Builder) -> None:
    group = build.group()
    with pytest.raises(ClientError, match="EVENT_TYPE"):
        build.client.create_metric_attribution(
            name="metrics",
            datasetGroupArn=group,
            metrics=[METRIC],
            metricsOutputConfig={"roleArn": ROLE},
        )


def test_batch_jobs_keep_to_their_quota(build: Builder) -> None:
    version = trained(build, "popularity-count")
    build.emulated.objects.objects[INPUT] = lines({"userId": "u1"})
    for number in range(5):
        build.client.create_batch_inference_job(**job(version, jobName=f"job-{number}"))
    with pytest.raises(ClientError, match="More than 5 resources"):
        build.client.create_batch_inference_job(**job(version, jobName="one-more"))
