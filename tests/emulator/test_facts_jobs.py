"""What is known of tags, imports, batch jobs and reports from outputs and the guide."""

from __future__ import annotations

import json

import pytest

from tests.conftest import BUCKET, ROLE, interactions
from tests.emulator.conftest import Builder, avro
from tests.emulator.test_control_plane import refused
from tests.emulator.test_jobs import OUTPUT, job, lines, output, trained


def tags(count: int, key: str = "k") -> list[dict[str, str]]:
    return [{"tagKey": f"{key}{number}", "tagValue": "v"} for number in range(count)]


def test_a_resource_has_at_most_fifty_tags_from_its_creation_on(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html."""
    create = build.client.create_dataset_group
    assert refused(create, name="films", tags=tags(51))[0] == "TooManyTagsException"
    arn = create(name="films", tags=tags(50))["datasetGroupArn"]
    code, _ = refused(build.client.tag_resource, resourceArn=arn, tags=tags(1, "more"))
    assert code == "TooManyTagsException"
    build.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "k1", "tagValue": "new"}])


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "Aws:"])
def test_keys_that_are_the_services_own_are_refused(build: Builder, key: str) -> None:
    given = [{"tagKey": key, "tagValue": "v"}]
    code, _ = refused(build.client.create_dataset_group, name="films", tags=given)
    assert code == "InvalidInputException"
    group = build.group()
    code, _ = refused(build.client.tag_resource, resourceArn=group, tags=given)
    assert code == "InvalidInputException"
    code, _ = refused(build.client.untag_resource, resourceArn=group, tagKeys=[key])
    assert code == "InvalidInputException"


def test_a_schema_cannot_be_tagged(build: Builder) -> None:
    arn = build.client.create_schema(name="s", schema=avro("Interactions"))["schemaArn"]
    code, _ = refused(build.client.tag_resource, resourceArn=arn, tags=tags(1))
    assert code == "InvalidInputException"


def test_an_import_without_a_role_is_refused_and_is_no_failure_of_ours(build: Builder) -> None:
    dataset = build.dataset(build.group())
    build.emulated.objects.objects[f"{BUCKET}/interactions.csv"] = interactions()
    code, _ = refused(
        build.client.create_dataset_import_job,
        jobName="job",
        datasetArn=dataset,
        dataSource={"dataLocation": f"{BUCKET}/interactions.csv"},
    )
    assert code == "InvalidInputException"


@pytest.mark.parametrize("location", ["http://data/x.csv", "https://data/x.csv"])
def test_data_is_read_from_s3_alone(build: Builder, location: str) -> None:
    code, _ = refused(
        build.client.create_dataset_import_job,
        jobName="job",
        datasetArn=build.dataset(build.group()),
        dataSource={"dataLocation": location},
        roleArn=ROLE,
    )
    assert code == "InvalidInputException"


def test_a_batch_job_leaves_an_object_called_check_beside_its_output(build: Builder) -> None:
    """aws-samples/amazon-personalize-samples update-item-dataset-schema-example, cell 114."""
    version = trained(build, "user-personalization-v2")
    objects = build.emulated.objects.objects
    source = "s3://data/batch/films/job_config.json"
    objects[source] = lines({"userId": "u1"})
    build.client.create_batch_inference_job(**job(version))
    build.wait(1200)
    written = [key for key in objects if key.startswith(OUTPUT)]
    assert sorted(written) == [f"{OUTPUT}_CHECK", f"{OUTPUT}job_config.json.out"]


def test_an_input_without_a_slash_at_its_end_is_a_prefix(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/creating-batch-seg-job.html."""
    version = trained(build, "user-personalization-v2")
    objects = build.emulated.objects.objects
    for name in ("pre-1.json", "pre-2.json", "other.json"):
        objects[f"s3://data/in/{name}"] = lines({"userId": "u1"})
    source = {"s3DataSource": {"path": "s3://data/in/pre"}}
    build.client.create_batch_inference_job(**job(version, jobInput=source))
    build.wait(1200)
    assert {key for key in objects if key.startswith(OUTPUT)} == {
        f"{OUTPUT}_CHECK",
        f"{OUTPUT}pre-1.json.out",
        f"{OUTPUT}pre-2.json.out",
    }


def test_a_segment_is_told_as_outputs_have_it(build: Builder) -> None:
    """aws-samples/amazon-personalize-samples user_segmentation_example, cells 82 and 148."""
    version = trained(build, "item-affinity")
    source = "s3://data/batch/films/job_config.json"
    build.emulated.objects.objects[source] = lines({"itemId": "i1"})
    build.client.create_batch_segment_job(**job(version))
    build.wait(1200)
    (line,) = output(build.emulated, f"{OUTPUT}job_config.json.out")
    assert set(line) == {"input", "output", "error"}
    assert set(line["output"]) == {"usersList"}
    assert line["error"] is None


def test_two_values_of_one_column_of_several_may_both_be_asked_for(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/prepare-input-data-user-segment.html."""
    group = build.group()
    build.imported(group)
    genres = {"name": "GENRES", "type": "string", "categorical": True}
    schema = build.client.create_schema(name="i", schema=avro("Items", genres))["schemaArn"]
    items = build.client.create_dataset(
        name="i", datasetGroupArn=group, datasetType="Items", schemaArn=schema
    )["datasetArn"]
    build.wait(60)
    rows = "".join(f"i{n},1,{'Comedy|Drama' if n < 40 else 'Comedy'}\n" for n in range(240))
    build.begin_import(items, f"ITEM_ID,PRICE,GENRES\n{rows}", name="items")
    build.wait(900)
    version = build.version(build.solution(group, "item-attribute-affinity"))
    source = "s3://data/batch/films/job_config.json"
    asked = {"itemAttributes": 'ITEMS.GENRES = "Comedy" AND ITEMS.GENRES = "Drama"'}
    build.emulated.objects.objects[source] = lines(asked)
    build.client.create_batch_segment_job(**job(version))
    build.wait(1200)
    (line,) = output(build.emulated, f"{OUTPUT}job_config.json.out")
    assert line["output"]["usersList"]


def test_an_import_publishes_the_reports_of_a_metric_attribution(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-results-s3.html."""
    group = build.group()
    dataset = build.dataset(group)
    build.client.create_metric_attribution(
        name="m",
        datasetGroupArn=group,
        metrics=[
            {"eventType": "Buy", "metricName": "BUYS", "expression": "SAMPLECOUNT()"},
            {"eventType": "view", "metricName": "V", "expression": "SUM(Interactions.EVENT_VALUE)"},
        ],
        metricsOutputConfig={
            "s3DataDestination": {"path": "s3://data/reports/"},
            "roleArn": ROLE,
        },
    )
    build.wait(60)
    build.begin_import(dataset, publishAttributionMetricsToS3=True)
    build.wait(900)
    objects = build.emulated.objects.objects
    (report,) = [key for key in objects if key.startswith("s3://data/reports/")]
    assert report.startswith("s3://data/reports/AggregatedAttributionMetrics - ")
    assert report.endswith(".csv")
    body = objects[report]
    header, *rows = (body.decode() if isinstance(body, bytes) else body).splitlines()
    assert header == (
        "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP"
    )
    cells = [row.split(",") for row in rows]
    bought = [float(row[2]) for row in cells if row[0] == "BUYS"]
    csv = interactions().splitlines()[1:]
    assert sum(bought) == sum(",buy," in row for row in csv)
    assert {row[3] for row in cells} == {"samplecount", "sum"}
    assert all(int(row[5]) % 900 == 0 for row in cells)
    viewed = sum(float(row[2]) for row in cells if row[0] == "V")
    assert viewed == sum(float(row.split(",")[3]) for row in csv if ",view," in row)


def test_an_import_that_publishes_nothing_writes_no_report(build: Builder) -> None:
    build.imported(build.group())
    assert json.dumps(sorted(build.emulated.objects.objects)) == json.dumps(
        [f"{BUCKET}/interactions.csv"]
    )
