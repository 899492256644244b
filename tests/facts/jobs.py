"""Exports, deletions of data and metric attributions."""

from __future__ import annotations

from typing import Any

from tests.conftest import ROLE, interactions
from tests.facts.bench import GENRES, INVALID, LIMIT, THERE, Bench, refused
from tests.facts.groups import seen
from tests.facts.record import GUIDE, Area

fact = Area("other jobs")
EXPORT = f"{GUIDE}API_CreateDatasetExportJob.html"
DELETE = f"{GUIDE}API_CreateDataDeletionJob.html"
ATTRIBUTION = f"{GUIDE}metric-attribution-requirements.html"
RESULTS = f"{GUIDE}metric-attribution-results-s3.html"


def export(bench: Bench, dataset: str, **more: Any) -> dict[str, Any]:
    made = bench.client.create_dataset_export_job(
        jobName=bench.name("export"),
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://data/{bench.name('out')}/"}},
        **more,
    )
    bench.wait(900)
    arn = made["datasetExportJobArn"]
    told = bench.client.describe_dataset_export_job(datasetExportJobArn=arn)
    return dict(told["datasetExportJob"])


def both(bench: Bench) -> str:
    """Return a dataset with one item that was imported and one that was put."""
    dataset = bench.dataset(bench.new_group(), "Items")
    bench.imported(dataset, "ITEM_ID,PRICE\nbulk,1\n")
    bench.events.put_items(
        datasetArn=dataset, items=[{"itemId": "put", "properties": '{"price": 2}'}]
    )
    return dataset


def lines(bench: Bench, job: dict[str, Any]) -> list[str]:
    path = job["jobOutput"]["s3DataDestination"]["path"]
    (key,) = [one for one in bench.objects if one.startswith(path)]
    body = bench.objects[key]
    return (body.decode() if isinstance(body, bytes) else body).splitlines()


@fact("D", "an export is of what was put, where no mode was given", EXPORT)
def _(bench: Bench) -> None:
    job = export(bench, both(bench))
    assert job["ingestionMode"] == "PUT"
    assert lines(bench, job)[1:] == ["put,2.0"]


@fact("D", "BULK exports what was imported, ALL both", EXPORT)
def _(bench: Bench) -> None:
    dataset = both(bench)
    assert lines(bench, export(bench, dataset, ingestionMode="BULK"))[1:] == ["bulk,1.0"]
    every = lines(bench, export(bench, dataset, ingestionMode="ALL"))
    assert sorted(every[1:]) == ["bulk,1.0", "put,2.0"]


@fact("D", "an export is a CSV with the schema's columns", EXPORT)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items", GENRES)
    job = export(bench, dataset, ingestionMode="ALL")
    assert lines(bench, job)[0] == "ITEM_ID,PRICE,GENRES"


@fact("M", "the name of an export is taken once", "CreateDatasetExportJob errors")
def _(bench: Bench) -> None:
    dataset = both(bench)
    job = export(bench, dataset)
    taken = refused(
        bench.client.create_dataset_export_job,
        jobName=job["jobName"],
        datasetArn=dataset,
        roleArn=ROLE,
        jobOutput=job["jobOutput"],
    )
    assert taken[0] == THERE


# Deletions


def begin_deletion(bench: Bench, group: str, body: str = "USER_ID\nu1\n") -> str:
    name = bench.name("deletion")
    bench.objects[f"s3://data/gone/{name}.csv"] = body
    made = bench.client.create_data_deletion_job(
        jobName=name,
        datasetGroupArn=group,
        dataSource={"dataLocation": f"s3://data/gone/{name}.csv"},
        roleArn=ROLE,
    )
    return str(made["dataDeletionJobArn"])


def with_events(bench: Bench) -> tuple[str, str]:
    group = bench.new_group()
    dataset = bench.dataset(group, "Interactions")
    bench.imported(dataset, interactions())
    return group, dataset


@fact("D", "a deletion goes from PENDING over IN_PROGRESS to COMPLETED", DELETE)
def _(bench: Bench) -> None:
    arn = begin_deletion(bench, with_events(bench)[0])
    call = bench.client.describe_data_deletion_job
    found = seen(bench, call, "dataDeletionJob", step=600, dataDeletionJobArn=arn)
    assert found == ["PENDING", "IN_PROGRESS", "COMPLETED"]


@fact("M", "a deletion tells how many records it deleted", "DataDeletionJob.numDeleted")
def _(bench: Bench) -> None:
    arn = begin_deletion(bench, with_events(bench)[0])
    bench.wait(5 * 3600)
    told = bench.client.describe_data_deletion_job(dataDeletionJobArn=arn)["dataDeletionJob"]
    assert told["numDeleted"] == 30


@fact("D", "the records of the users are gone", f"{GUIDE}delete-records.html")
def _(bench: Bench) -> None:
    group, dataset = with_events(bench)
    begin_deletion(bench, group)
    bench.wait(5 * 3600)
    kept = lines(bench, export(bench, dataset, ingestionMode="ALL"))
    assert not any(line.startswith("u1,") for line in kept)


@fact("D", "the CSV has one column, USER_ID, else the status is FAILED with a reason", DELETE)
def _(bench: Bench) -> None:
    arn = begin_deletion(bench, with_events(bench)[0], "ITEM_ID\ni1\n")
    bench.wait(5 * 3600)
    told = bench.client.describe_data_deletion_job(dataDeletionJobArn=arn)["dataDeletionJob"]
    assert told["status"] == "FAILED"
    assert told["failureReason"]


@fact(
    "D", "deletions are listed with the most recent first", f"{GUIDE}API_ListDataDeletionJobs.html"
)
def _(bench: Bench) -> None:
    group = with_events(bench)[0]
    made = []
    for _ in range(3):
        made.append(begin_deletion(bench, group))
        bench.wait(5 * 3600)
    listed = bench.client.list_data_deletion_jobs(datasetGroupArn=group)["dataDeletionJobs"]
    assert [one["dataDeletionJobArn"] for one in listed] == made[::-1]


@fact("D", "a folder: all files in it and in its folders", f"{GUIDE}API_DataSource.html")
def _(bench: Bench) -> None:
    group, dataset = with_events(bench)
    folder = f"s3://data/{bench.name('people')}/"
    bench.objects[f"{folder}a.csv"] = "USER_ID\nu1\n"
    bench.objects[f"{folder}deep/b.csv"] = "USER_ID\nu2\n"
    bench.client.create_data_deletion_job(
        jobName=bench.name("deletion"),
        datasetGroupArn=group,
        dataSource={"dataLocation": folder},
        roleArn=ROLE,
    )
    bench.wait(5 * 3600)
    kept = lines(bench, export(bench, dataset, ingestionMode="ALL"))
    assert not any(line.startswith(("u1,", "u2,")) for line in kept)


@fact("D", "a sixth PENDING deletion of a group is too many", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    own = Bench()
    own.build = own.fresh()
    group = with_events(own)[0]
    for _ in range(5):
        begin_deletion(own, group)
    assert refused(begin_deletion, bench=own, group=group)[0] == LIMIT


# Metric attributions


def attribution(bench: Bench, group: str, *metrics: dict[str, str]) -> str:
    listed = list(metrics) or [counted("n")]
    made = bench.client.create_metric_attribution(
        name=bench.name("m"),
        datasetGroupArn=group,
        metrics=listed,
        metricsOutputConfig={
            "s3DataDestination": {"path": f"s3://data/{bench.name('reports')}/"},
            "roleArn": ROLE,
        },
    )
    bench.wait(60)
    return str(made["metricAttributionArn"])


def counted(name: str, expression: str = "SAMPLECOUNT()") -> dict[str, str]:
    return {"eventType": "view", "metricName": name, "expression": expression}


@fact("D", "a group has one metric attribution", ATTRIBUTION)
def _(bench: Bench) -> None:
    group = with_events(bench)[0]
    attribution(bench, group)
    assert refused(attribution, bench=bench, group=group)[0] in {THERE, LIMIT}


@fact("D", "ten metrics at most", ATTRIBUTION)
def _(bench: Bench) -> None:
    group = with_events(bench)[0]
    eleven = [counted(f"m{n}") for n in range(11)]
    assert refused(lambda **_: attribution(bench, group, *eleven))[0] == INVALID


SUMS = {
    "SUM(Interactions.EVENT_VALUE)": False,
    "SUM(Items.PRICE)": False,
    "SAMPLECOUNT()": False,
    "COUNT()": True,
    "SUM(Users.AGE)": True,
    "SUM(Items.GENRES)": True,
    "SUM(Items.NOTHING)": True,
    "SUM(Interactions.EVENT_TYPE)": True,
}


def _sum(expression: str, wrong: bool) -> None:
    @fact(
        "D",
        f"{expression} is {'refused' if wrong else 'taken'}",
        f"{GUIDE}creating-metric-attribution.html",
    )
    def _(bench: Bench) -> None:
        group = with_events(bench)[0]
        bench.dataset(group, "Items", GENRES)
        metric = counted("m", expression)
        if wrong:
            assert refused(lambda **_: attribution(bench, group, metric))[0] == INVALID
        else:
            assert attribution(bench, group, metric)


for expression, wrong in SUMS.items():
    _sum(expression, wrong)


@fact("D", "an import that publishes leaves a report with these columns", RESULTS)
def _(bench: Bench) -> None:
    group, dataset = with_events(bench)
    arn = attribution(bench, group)
    bench.imported(dataset, interactions(), publishAttributionMetricsToS3=True)
    told = bench.client.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]
    path = told["metricsOutputConfig"]["s3DataDestination"]["path"]
    (key,) = [one for one in bench.objects if one.startswith(path)]
    assert key.removeprefix(path).startswith("AggregatedAttributionMetrics - ")
    body = bench.objects[key]
    header = (body.decode() if isinstance(body, bytes) else body).splitlines()[0]
    assert header == "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP"


@fact(
    "M", "metrics are added and removed by an update, and listed", "UpdateMetricAttributionRequest"
)
def _(bench: Bench) -> None:
    arn = attribution(bench, with_events(bench)[0], counted("a"), counted("b"))
    bench.client.update_metric_attribution(
        metricAttributionArn=arn, addMetrics=[counted("c")], removeMetrics=["a"]
    )
    bench.wait(60)
    listed = bench.client.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
    assert sorted(one["metricName"] for one in listed) == ["b", "c"]


@fact("M", "DescribeMetricAttribution tells no metrics", "MetricAttribution")
def _(bench: Bench) -> None:
    arn = attribution(bench, with_events(bench)[0])
    told = bench.client.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]
    assert "metrics" not in told
    assert told["status"] == "ACTIVE"
