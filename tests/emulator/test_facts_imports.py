"""What `mpe check-data` calls an error in a CSV, the import or the training refuses."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import pytest

from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro

COLOUR = {"name": "COLOUR", "type": ["string", "null"], "categorical": True}
TITLE = {"name": "TITLE", "type": ["string", "null"], "textual": True}
WHEN = {"name": "CREATION_TIMESTAMP", "type": "long"}
FINE = "i1,1.5,red,words,1700000000"


def imported(build: Builder, body: str, record: str = "Items", *more: dict[str, Any]) -> str:
    """Import a CSV and return the job's reason to fail, or an empty text."""
    schema = build.client.create_schema(name="s", schema=avro(record, *more))["schemaArn"]
    dataset = build.client.create_dataset(
        name="d", datasetGroupArn=build.group(), datasetType=record, schemaArn=schema
    )["datasetArn"]
    build.wait(60)
    job = build.begin_import(dataset, body)
    build.wait(900)
    told = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    return str(told.get("failureReason", ""))


# https://docs.aws.amazon.com/personalize/latest/dg/items-dataset-requirements.html, limits.html
# and data-prep-formatting.html: what a cell may be.
WRONG = {
    "a category of 1,001 characters": f"i1,1.5,{'x' * 1001},words,1700000000",
    "an id of 257 characters": f"{'i' * 257},1.5,red,words,1700000000",
    "a time in milliseconds": "i1,1.5,red,words,1700000000000",
    "a whole number with a separator": "i1,1.5,red,words,1_700_000_000",
    "a number that is none": "i1,nan,red,words,1700000000",
    "the name of a column as a value": "ITEM_ID,1.5,red,words,1700000000",
    "an id that is empty": ",1.5,red,words,1700000000",
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_cell_that_check_data_calls_wrong_fails_the_import(build: Builder, row: str) -> None:
    header = "ITEM_ID,PRICE,COLOUR,TITLE,CREATION_TIMESTAMP"
    reason = imported(build, f"{header}\n{FINE}\n{row}\n", "Items", COLOUR, TITLE, WHEN)
    assert "do not conform to the dataset schema" in reason


def test_a_category_of_1000_characters_is_imported(build: Builder) -> None:
    header = "ITEM_ID,PRICE,COLOUR,TITLE,CREATION_TIMESTAMP"
    rows = f"{FINE}\ni2,1.5,{'x' * 1000},,1700000000\n"
    assert imported(build, f"{header}\n{rows}", "Items", COLOUR, TITLE, WHEN) == ""


def of_types(count: int) -> str:
    header, *rows = interactions().splitlines()
    types = cycle(range(count))
    named = [
        row.replace(",view,", f",view{next(types)},") if ",view," in row else row for row in rows
    ]
    return "\n".join([header, *named, ""])


@pytest.mark.parametrize(("count", "fails"), [(9, False), (10, True)])
def test_more_than_ten_event_types_fail_the_import(build: Builder, count: int, fails: bool) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/limits.html; beside these there is buy."""
    reason = imported(build, of_types(count), "Interactions")
    assert ("event types" in reason) == fails


def test_columns_of_metadata_count_with_the_event_types(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/limits.html."""
    device = {"name": "DEVICE", "type": ["string", "null"], "categorical": True}
    header, *rows = of_types(9).splitlines()
    body = "\n".join([f"{header},DEVICE", *(f"{row},tv" for row in rows), ""])
    assert "event types" in imported(build, body, "Interactions", device)


def test_events_that_are_the_same_are_kept_once(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/import-data.html."""
    header, *rows = interactions().splitlines()
    group = build.group()
    dataset = build.dataset(group)
    build.begin_import(dataset, "\n".join([header, *rows, *rows, ""]))
    build.wait(900)
    build.client.create_dataset_export_job(
        jobName="out",
        datasetArn=dataset,
        ingestionMode="ALL",
        roleArn="arn:aws:iam::000000000000:role/service",
        jobOutput={"s3DataDestination": {"path": "s3://data/export/"}},
    )
    build.wait(900)
    (key,) = [one for one in build.emulated.objects.objects if one.endswith("part-00000.csv")]
    assert len(build.emulated.objects.objects[key].splitlines()) == 1 + len(set(rows))


def test_training_needs_two_events_of_one_user_in_a_hundred(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/limits.html."""
    group = build.group()
    dataset = build.dataset(group)
    once = "".join(f"o{n},i1,view,1,1700000000\n" for n in range(6000))
    build.begin_import(dataset, interactions() + once)
    build.wait(900)
    version = build.version(build.solution(group))
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert told["status"] == "CREATE FAILED", json.dumps(told, default=str)
    assert "1%" in told["failureReason"]
