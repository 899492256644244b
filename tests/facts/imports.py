"""Dataset import jobs: the data that they take, and what they tell."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from tests.conftest import BUCKET, ROLE, interactions
from tests.emulator.conftest import avro
from tests.facts.bench import (
    BORN,
    FLAG,
    GENRES,
    IN_USE,
    INVALID,
    LIMIT,
    THERE,
    WORDS,
    Bench,
    refused,
)
from tests.facts.groups import seen
from tests.facts.record import GUIDE, SAMPLES, Area

fact = Area("imports")
LIMITS = f"{GUIDE}limits.html"
ERRORS = f"{GUIDE}error-messages.html"
JOB = f"{GUIDE}API_CreateDatasetImportJob.html"
FORMAT = f"{GUIDE}data-prep-formatting.html"
HEADER = "ITEM_ID,PRICE,GENRES,CREATION_TIMESTAMP,BLURB,LENT"
FINE = "i1,1.5,Comedy,1700000000,words,true"
CONFORM = "do not conform"


def of_items(bench: Bench, *rows: str, header: str = HEADER) -> dict[str, Any]:
    """Import rows into a new dataset of items; return what the job tells."""
    dataset = bench.dataset(bench.new_group(), "Items", GENRES, BORN, WORDS, FLAG)
    return bench.imported(dataset, "\n".join([header, *rows, ""]))


def exported(bench: Bench, dataset: str) -> list[str]:
    """Return the lines of all that a dataset has."""
    name = bench.name("export")
    bench.client.create_dataset_export_job(
        jobName=name,
        datasetArn=dataset,
        ingestionMode="ALL",
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://data/{name}/"}},
    )
    bench.wait(900)
    (key,) = [one for one in bench.objects if one.startswith(f"s3://data/{name}/")]
    body = bench.objects[key]
    return (body.decode() if isinstance(body, bytes) else body).splitlines()


CELLS = {
    "a category of 1,001 characters": ("limits.html", f"i1,1,{'x' * 1001},1700000000,w,true", True),
    "a category of 1,000 characters": (
        "limits.html",
        f"i1,1,{'x' * 1000},1700000000,w,true",
        False,
    ),
    "an id of 257 characters": ("limits.html", f"{'i' * 257},1,C,1700000000,w,true", True),
    "an id of 256 characters": ("limits.html", f"{'i' * 256},1,C,1700000000,w,true", False),
    "text of 20,001 characters": (
        "items-datasets.html",
        f"i1,1,C,1700000000,{'w' * 20_001},true",
        False,
    ),
    "an empty cell of a column that allows null": (FORMAT, "i1,1,,1700000000,,true", False),
    "an empty cell of a column that does not": (FORMAT, "i1,,C,1700000000,w,true", True),
    "several categories joined by |": (FORMAT, "i1,1,C|D|E,1700000000,w,true", False),
    "a boolean in capitals": (FORMAT, "i1,1,C,1700000000,w,TRUE", True),
    "a number with a comma": (FORMAT, 'i1,"1,5",C,1700000000,w,true', True),
    "a time with a fraction": (FORMAT, "i1,1,C,1700000000.5,w,true", True),
    "a date in place of a time": (FORMAT, "i1,1,C,2023-11-14,w,true", True),
    "a row that lacks a cell": (FORMAT, "i1,1,C,1700000000,w", True),
}


def _cell(told: str, page: str, row: str, fails: bool) -> None:
    source = page if page.startswith("http") else f"{GUIDE}{page}"
    does = "fails the import" if fails else "is imported"

    @fact("D", f"{told} {does}", source)
    def _(bench: Bench) -> None:
        told = of_items(bench, FINE, row)
        assert told["status"] == ("CREATE FAILED" if fails else "ACTIVE"), told
        assert not fails or CONFORM in told["failureReason"]


for told, (page, row, fails) in CELLS.items():
    _cell(told, page, row, fails)


@fact("D", "missing columns: Input CSV is missing the following columns:[...]", ERRORS)
def _(bench: Bench) -> None:
    told = of_items(bench, "i1,1", header="ITEM_ID,PRICE")
    wanted = "Input CSV is missing the following columns:[GENRES, CREATION_TIMESTAMP, BLURB, LENT]"
    assert wanted in told["failureReason"]


@fact("D", "no rights: Insufficient privileges for accessing data in Amazon S3", ERRORS)
def _(bench: Bench) -> None:
    own = bench.fresh()
    dataset = own.dataset(own.group())
    own.emulated.objects.denied.add(ROLE)
    job = own.begin_import(dataset)
    own.wait(900)
    told = own.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert told["status"] == "CREATE FAILED"
    assert "Insufficient privileges for accessing data in Amazon S3" in told["failureReason"]


@fact("D", "a sixth job: More than 5 resources with PENDING or IN_PROGRESS status.", ERRORS)
def _(bench: Bench) -> None:
    own = bench.fresh()
    dataset = own.dataset(own.group())
    for number in range(5):
        own.begin_import(dataset, name=f"job{number}")
    assert refused(own.begin_import, dataset=dataset, name="job5") == (
        LIMIT,
        "More than 5 resources with PENDING or IN_PROGRESS status.",
    )


@fact("D", "nothing at the location: Invalid Data location", ERRORS)
def _(bench: Bench) -> None:
    code, told = refused(
        bench.client.create_dataset_import_job,
        jobName=bench.name("import"),
        datasetArn=bench.dataset(bench.new_group(), "Items"),
        dataSource={"dataLocation": "s3://data/nothing.csv"},
        roleArn=ROLE,
    )
    assert code == INVALID
    assert told.startswith("Invalid Data location")


@fact(
    "D",
    "a folder with a slash at its end: all its files, not those of its folders",
    f"{GUIDE}API_DataSource.html",
)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    for name in ("a.csv", "b.csv", "more/c.csv"):
        bench.objects[f"{BUCKET}/folder/{name}"] = f"ITEM_ID,PRICE\n{name},1\n"
    bench.client.create_dataset_import_job(
        jobName=bench.name("import"),
        datasetArn=dataset,
        dataSource={"dataLocation": f"{BUCKET}/folder/"},
        roleArn=ROLE,
    )
    bench.wait(900)
    assert sorted(exported(bench, dataset)[1:]) == ["a.csv,1.0", "b.csv,1.0"]


@fact("D", "the first import into a dataset can only be FULL", JOB)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    call = bench.begin_import
    body = "ITEM_ID,PRICE\ni1,1\n"
    assert refused(call, dataset=dataset, body=body, importMode="INCREMENTAL")[0] == INVALID


@fact("M", "importMode is FULL where it was not given, and told", "DatasetImportJob.importMode")
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    told = bench.imported(dataset, "ITEM_ID,PRICE\ni1,1\n")
    assert told["importMode"] == "FULL"
    listed = bench.client.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]
    assert [one["importMode"] for one in listed] == ["FULL"]


@fact("D", "FULL replaces all that was imported in bulk", JOB)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    bench.imported(dataset, "ITEM_ID,PRICE\ni1,1\ni2,2\n")
    bench.imported(dataset, "ITEM_ID,PRICE\ni3,3\n")
    assert exported(bench, dataset)[1:] == ["i3,3.0"]


@fact("D", "FULL leaves what was put one by one", JOB)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    bench.events.put_items(
        datasetArn=dataset, items=[{"itemId": "put", "properties": '{"price": 9}'}]
    )
    bench.imported(dataset, "ITEM_ID,PRICE\ni3,3\n")
    assert sorted(exported(bench, dataset)[1:]) == ["i3,3.0", "put,9.0"]


@fact("D", "INCREMENTAL replaces a record of the same id and keeps the others", JOB)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    bench.imported(dataset, "ITEM_ID,PRICE\ni1,1\ni2,2\n")
    bench.imported(dataset, "ITEM_ID,PRICE\ni2,22\n", importMode="INCREMENTAL")
    assert sorted(exported(bench, dataset)[1:]) == ["i1,1.0", "i2,22.0"]


@fact(
    "R",
    "the ARN of a job ends with its name",
    f"{SAMPLES} update-item-dataset-schema-example.ipynb, execution 33",
)
def _(bench: Bench) -> None:
    arn = bench.begin_import(bench.dataset(bench.new_group(), "Items"), "ITEM_ID,PRICE\ni1,1\n")
    assert ":dataset-import-job/import" in arn


@fact(
    "R",
    "a job goes from CREATE PENDING over CREATE IN_PROGRESS to ACTIVE",
    f"{SAMPLES} update-item-dataset-schema-example.ipynb, execution 33",
)
def _(bench: Bench) -> None:
    arn = bench.begin_import(bench.dataset(bench.new_group(), "Items"), "ITEM_ID,PRICE\ni1,1\n")
    call = bench.client.describe_dataset_import_job
    found = seen(bench, call, "datasetImportJob", step=30, datasetImportJobArn=arn)
    assert found == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


@fact("M", "the name of a job is taken once", "CreateDatasetImportJob errors")
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    arn = bench.begin_import(dataset, "ITEM_ID,PRICE\ni1,1\n")
    bench.wait(900)
    taken = refused(
        bench.client.create_dataset_import_job,
        jobName=arn.split("/")[1],
        datasetArn=dataset,
        dataSource={"dataLocation": f"{BUCKET}/{arn.split('/')[1]}.csv"},
        roleArn=ROLE,
    )
    assert taken[0] == THERE


def of_events(bench: Bench, body: str, *more: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    dataset = bench.dataset(bench.new_group(), "Interactions", *more)
    return dataset, bench.imported(dataset, body)


@fact("D", "events that are equal in all properties are kept once", f"{GUIDE}import-data.html")
def _(bench: Bench) -> None:
    header, *rows = interactions().splitlines()
    dataset, _ = of_events(bench, "\n".join([header, *rows, *rows, ""]))
    assert len(exported(bench, dataset)) == 1 + len(set(rows))


@fact("D", "an import of interactions needs 1,000 records", LIMITS)
def _(bench: Bench) -> None:
    _, told = of_events(bench, "\n".join(interactions().splitlines()[:1000]) + "\n")
    assert told["status"] == "CREATE FAILED"
    _, told = of_events(bench, "\n".join(interactions().splitlines()[:1001]) + "\n")
    assert told["status"] == "ACTIVE"


@fact("D", "at most ten event types, the columns of metadata counted with them", LIMITS)
def _(bench: Bench) -> None:
    header, *rows = interactions().splitlines()
    kinds = cycle(range(10))
    many = [
        row.replace(",view,", f",view{next(kinds)},") if ",view," in row else row for row in rows
    ]
    _, told = of_events(bench, "\n".join([header, *many, ""]))
    assert told["status"] == "CREATE FAILED"
    kinds = cycle(range(9))
    nine = [
        row.replace(",view,", f",view{next(kinds)},") if ",view," in row else row for row in rows
    ]
    _, told = of_events(bench, "\n".join([header, *nine, ""]))
    assert told["status"] == "ACTIVE"
    tv = {"name": "DEVICE", "type": ["null", "string"], "categorical": True}
    _, told = of_events(
        bench, "\n".join([f"{header},DEVICE", *(f"{one},tv" for one in nine), ""]), tv
    )
    assert told["status"] == "CREATE FAILED"


@fact("D", "a time in milliseconds fails the import", f"{GUIDE}interactions-datasets.html")
def _(bench: Bench) -> None:
    header, *rows = interactions().splitlines()
    _, told = of_events(bench, "\n".join([header, *(f"{row}000" for row in rows), ""]))
    assert told["status"] == "CREATE FAILED"


@fact(
    "D", "columns of the CSV that the schema has not are no fault", f"{GUIDE}API_CreateSchema.html"
)
def _(bench: Bench) -> None:
    assert of_items(bench, f"{FINE},x", header=f"{HEADER},OTHER")["status"] == "ACTIVE"


@fact("M", "a job without a role cannot read anything", "CreateDatasetImportJobRequest.roleArn")
def _(bench: Bench) -> None:
    bench.objects[f"{BUCKET}/plain.csv"] = "ITEM_ID,PRICE\ni1,1\n"
    code, _ = refused(
        bench.client.create_dataset_import_job,
        jobName=bench.name("import"),
        datasetArn=bench.dataset(bench.new_group(), "Items"),
        dataSource={"dataLocation": f"{BUCKET}/plain.csv"},
    )
    assert code == INVALID


@fact(
    "M", "an import waits for no dataset: ResourceInUseException", "CreateDatasetImportJob errors"
)
def _(bench: Bench) -> None:
    made = bench.client.create_dataset(
        name=bench.name("d"),
        datasetGroupArn=bench.new_group(),
        datasetType="Items",
        schemaArn=bench.schema(avro("Items", dict(GENRES))),
    )
    code, _ = refused(bench.begin_import, dataset=made["datasetArn"], body="ITEM_ID\n")
    assert code == IN_USE


@fact("M", "an import's summary has the mode and no source", "DatasetImportJobSummary")
def _(bench: Bench) -> None:
    bench.group()
    (told, *_) = bench.client.list_dataset_import_jobs()["datasetImportJobs"]
    assert told["importMode"] == "FULL"
    assert not {"dataSource", "roleArn", "datasetArn"} & set(told)
