"""Dataset groups, datasets and event trackers."""

from __future__ import annotations

from typing import Any

from mpe.emulator import Quotas
from tests.conftest import ROLE
from tests.emulator.conftest import avro
from tests.facts.bench import (
    GENRES,
    GONE,
    IN_USE,
    INVALID,
    LIMIT,
    THERE,
    Bench,
    refused,
)
from tests.facts.record import GUIDE, SAMPLES, STORE, Area

fact = Area("groups")
CREATE = f"{GUIDE}API_CreateDatasetGroup.html"
UPDATED = f"{SAMPLES} update-item-dataset-schema-example.ipynb, cell 92"
NULLABLE = {"name": "SIZE", "type": ["null", "long"]}


def seen(bench: Bench, call: Any, key: str, *, step: float, **params: Any) -> list[str]:
    """Return the statuses that a resource goes through, as one sees them who asks often."""
    found = []
    for _ in range(40):
        found.append(call(**params)[key]["status"])
        bench.wait(step)
    return list(dict.fromkeys(found))


@fact("D", "a group goes from CREATE PENDING over CREATE IN_PROGRESS to ACTIVE", CREATE)
def _(bench: Bench) -> None:
    made = bench.client.create_dataset_group(name=bench.name("g"))
    described = bench.client.describe_dataset_group
    found = seen(bench, described, "datasetGroup", step=1, datasetGroupArn=made["datasetGroupArn"])
    assert found == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


@fact("M", "the ARN of a group ends with its name", "DatasetGroup.datasetGroupArn")
def _(bench: Bench) -> None:
    name = bench.name("g")
    arn = bench.client.create_dataset_group(name=name)["datasetGroupArn"]
    assert arn == f"arn:aws:personalize:us-east-1:000000000000:dataset-group/{name}"


@fact(
    "M",
    "a creation of a group answers with its domain, where it has one",
    "CreateDatasetGroupResponse",
)
def _(bench: Bench) -> None:
    made = bench.client.create_dataset_group(name=bench.name("g"), domain="ECOMMERCE")
    assert made["domain"] == "ECOMMERCE"
    assert "domain" not in bench.client.create_dataset_group(name=bench.name("g"))


@fact("D", "a sixth dataset group of a region is too many", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    own = bench.fresh()
    for number in range(5):
        own.client.create_dataset_group(name=f"g{number}")
    assert refused(own.client.create_dataset_group, name="g5")[0] == LIMIT


@fact("D", "a role is only valid together with a key", CREATE)
def _(bench: Bench) -> None:
    call = bench.client.create_dataset_group
    assert refused(call, name=bench.name("g"), roleArn=ROLE)[0] == INVALID


@fact("D", "a key needs a role that may use it", CREATE)
def _(bench: Bench) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/k"
    call = bench.client.create_dataset_group
    assert refused(call, name=bench.name("g"), kmsKeyArn=key)[0] == INVALID


NAMES = {
    "of 64 characters": "n" * 64,
    "that begins with a hyphen": "-films",
    "with a dot": "my.films",
    "with a space": "my films",
}


def _name(told: str, name: str) -> None:
    @fact("M", f"a name {told} is refused", "Name")
    def _(bench: Bench) -> None:
        assert refused(bench.client.create_dataset_group, name=name)[0] == INVALID


for told, name in NAMES.items():
    _name(told, name)


@fact("M", "a name of 63 characters is taken", "Name")
def _(bench: Bench) -> None:
    assert bench.client.create_dataset_group(name=bench.name("n" * 55))


@fact("D", "a dataset cannot be added before its group is ACTIVE", CREATE)
def _(bench: Bench) -> None:
    group = bench.client.create_dataset_group(name=bench.name("g"))["datasetGroupArn"]
    schema = bench.schema(avro("Interactions"))
    assert (
        refused(
            bench.client.create_dataset,
            name="d",
            datasetGroupArn=group,
            datasetType="Interactions",
            schemaArn=schema,
        )[0]
        == IN_USE
    )


@fact("R", "the ARN of a dataset has its group's name and its type: dataset/GROUP/ITEMS", UPDATED)
def _(bench: Bench) -> None:
    group = bench.new_group()
    arn = bench.dataset(group, "Items")
    assert arn == f"{group.replace(':dataset-group/', ':dataset/')}/ITEMS"


@fact("R", "the type of a dataset is told in capitals, however it was written", UPDATED)
def _(bench: Bench) -> None:
    arn = bench.dataset(bench.new_group(), "Items")
    assert bench.client.describe_dataset(datasetArn=arn)["dataset"]["datasetType"] == "ITEMS"


@fact("D", "a group has one dataset of each type", f"{GUIDE}API_DatasetGroup.html")
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.dataset(group, "Items")
    assert refused(bench.dataset, group=group, record="Items")[0] == THERE


@fact("D", "a schema of no domain is not for a domain's group", f"{GUIDE}API_CreateSchema.html")
def _(bench: Bench) -> None:
    group = bench.new_group(domain="ECOMMERCE")
    assert refused(bench.dataset, group=group, record="Interactions")[0] == INVALID


@fact("D", "a domain's group has no actions", f"{GUIDE}actions-datasets.html")
def _(bench: Bench) -> None:
    group = bench.new_group(domain="ECOMMERCE")
    assert refused(bench.dataset, group=group, record="Actions")[0] == INVALID


@fact("D", "action interactions have a tracking id of their own", f"{GUIDE}API_Dataset.html")
def _(bench: Bench) -> None:
    arn = bench.dataset(bench.new_group(), "Action_Interactions")
    assert bench.client.describe_dataset(datasetArn=arn)["dataset"]["trackingId"]


def updated(bench: Bench) -> tuple[str, str]:
    """Return a dataset of items whose update has just begun, and its new schema."""
    dataset = bench.dataset(bench.new_group(), "Items")
    schema = bench.schema(avro("Items", NULLABLE))
    bench.client.update_dataset(datasetArn=dataset, schemaArn=schema)
    return dataset, schema


@fact(
    "R",
    "an update shows in the dataset's own status: UPDATE PENDING, UPDATE IN_PROGRESS, ACTIVE",
    UPDATED,
)
def _(bench: Bench) -> None:
    dataset, _ = updated(bench)
    found = seen(bench, bench.client.describe_dataset, "dataset", step=2, datasetArn=dataset)
    assert found == ["UPDATE PENDING", "UPDATE IN_PROGRESS", "ACTIVE"]


@fact("R", "latestDatasetUpdate has the schema, the status and two times", UPDATED)
def _(bench: Bench) -> None:
    dataset, schema = updated(bench)
    bench.wait(60)
    told = bench.client.describe_dataset(datasetArn=dataset)["dataset"]
    newest = told["latestDatasetUpdate"]
    assert set(newest) == {"schemaArn", "status", "creationDateTime", "lastUpdatedDateTime"}
    assert (told["schemaArn"], newest["schemaArn"], newest["status"]) == (schema, schema, "ACTIVE")


@fact("R", "a dataset that was updated was last updated then", UPDATED)
def _(bench: Bench) -> None:
    dataset, _ = updated(bench)
    bench.wait(60)
    told = bench.client.describe_dataset(datasetArn=dataset)["dataset"]
    assert told["lastUpdatedDateTime"] >= told["latestDatasetUpdate"]["lastUpdatedDateTime"]


@fact("M", "latestDatasetUpdate is there only after an update", "Dataset.latestDatasetUpdate")
def _(bench: Bench) -> None:
    arn = bench.dataset(bench.new_group(), "Items")
    assert "latestDatasetUpdate" not in bench.client.describe_dataset(datasetArn=arn)["dataset"]


SCHEMA_PAGE = f"{GUIDE}updating-dataset-schema.html"


@fact("D", "a column that is added must allow null", SCHEMA_PAGE)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items")
    schema = bench.schema(avro("Items", {"name": "SIZE", "type": "long"}))
    assert refused(bench.client.update_dataset, datasetArn=dataset, schemaArn=schema)[0] == INVALID


@fact("D", "a column cannot be taken out", SCHEMA_PAGE)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Items", GENRES)
    schema = bench.schema(avro("Items"))
    assert refused(bench.client.update_dataset, datasetArn=dataset, schemaArn=schema)[0] == INVALID


@fact("D", "interactions keep their schema", SCHEMA_PAGE)
def _(bench: Bench) -> None:
    dataset = bench.dataset(bench.new_group(), "Interactions")
    schema = bench.schema(avro("Interactions", NULLABLE))
    assert refused(bench.client.update_dataset, datasetArn=dataset, schemaArn=schema)[0] == INVALID


@fact("D", "a group with a dataset cannot be deleted", f"{GUIDE}API_DeleteDatasetGroup.html")
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.dataset(group, "Items")
    assert refused(bench.client.delete_dataset_group, datasetGroupArn=group)[0] == IN_USE


@fact("R", "a group that is being deleted already is in use", f"{STORE}#527")
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.client.delete_dataset_group(datasetGroupArn=group)
    assert refused(bench.client.delete_dataset_group, datasetGroupArn=group)[0] == IN_USE
    described = bench.client.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]
    assert described["status"] == "DELETE PENDING"
    bench.wait(60)
    code, told = refused(bench.client.describe_dataset_group, datasetGroupArn=group)
    assert (code, group in told) == (GONE, True)


@fact("D", "a group never tells DELETE IN_PROGRESS", CREATE)
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.client.delete_dataset_group(datasetGroupArn=group)
    found = []
    for _ in range(30):
        pages = bench.client.get_paginator("list_dataset_groups").paginate()
        every = [one for page in pages for one in page["datasetGroups"]]
        found += [one["status"] for one in every if one["datasetGroupArn"] == group]
        bench.wait(1)
    assert set(found) == {"DELETE PENDING"}


@fact("D", "a group has one event tracker", f"{GUIDE}API_CreateEventTracker.html")
def _(bench: Bench) -> None:
    group = bench.new_group()
    create = bench.client.create_event_tracker
    create(name=bench.name("t"), datasetGroupArn=group)
    assert refused(create, name=bench.name("t"), datasetGroupArn=group)[0] == THERE


@fact("M", "a tracker tells its tracking id and the account", "EventTracker")
def _(bench: Bench) -> None:
    made = bench.client.create_event_tracker(
        name=bench.name("t"), datasetGroupArn=bench.new_group()
    )
    arn = made["eventTrackerArn"]
    told = bench.client.describe_event_tracker(eventTrackerArn=arn)["eventTracker"]
    assert (told["trackingId"], told["accountId"]) == (made["trackingId"], "000000000000")


@fact("R", "a tracking id is a UUID", f"{SAMPLES}#15")
def _(bench: Bench) -> None:
    made = bench.client.create_event_tracker(
        name=bench.name("t"), datasetGroupArn=bench.new_group()
    )
    assert [len(part) for part in made["trackingId"].split("-")] == [8, 4, 4, 4, 12]


@fact("D", "deleting a tracker leaves the dataset", f"{GUIDE}API_DeleteEventTracker.html")
def _(bench: Bench) -> None:
    group = bench.new_group()
    dataset = bench.dataset(group, "Interactions")
    made = bench.client.create_event_tracker(name=bench.name("t"), datasetGroupArn=group)
    bench.wait(60)
    bench.client.delete_event_tracker(eventTrackerArn=made["eventTrackerArn"])
    bench.wait(60)
    assert bench.client.describe_dataset(datasetArn=dataset)["dataset"]["status"] == "ACTIVE"


@fact("M", "a group of a domain tells it, another tells none", "DatasetGroup.domain")
def _(bench: Bench) -> None:
    call = bench.client.describe_dataset_group
    told = call(datasetGroupArn=bench.new_group(domain="VIDEO_ON_DEMAND"))["datasetGroup"]
    assert told["domain"] == "VIDEO_ON_DEMAND"
    assert "domain" not in call(datasetGroupArn=bench.new_group())["datasetGroup"]


@fact("D", "500 schemas of a region, not 501", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    own = bench.fresh(schemas=3)
    assert Quotas().schemas == 500
    for number in range(3):
        own.client.create_schema(name=f"s{number}", schema=avro("Items"))
    assert refused(own.client.create_schema, name="more", schema=avro("Items"))[0] == LIMIT


@fact("D", "datasets of two groups may have the same name", f"{GUIDE}API_CreateDataset.html")
def _(bench: Bench) -> None:
    schema, name = bench.schema(avro("Items", dict(GENRES))), bench.name("same")
    arns = {
        bench.client.create_dataset(
            name=name, datasetGroupArn=bench.new_group(), datasetType="Items", schemaArn=schema
        )["datasetArn"]
        for _ in range(2)
    }
    assert len(arns) == 2


@fact("D", "a type of datasets that there is not is refused", f"{GUIDE}API_CreateDataset.html")
def _(bench: Bench) -> None:
    schema, group = bench.schema(avro("Items", dict(GENRES))), bench.new_group()
    call = bench.client.create_dataset
    given = {"name": "d", "datasetGroupArn": group, "schemaArn": schema}
    assert refused(call, datasetType="Films", **given)[0] == INVALID
    assert refused(call, datasetType="Users", **given)[0] == INVALID


@fact("M", "a dataset's summary has neither group nor schema", "DatasetSummary")
def _(bench: Bench) -> None:
    (told, *_) = bench.client.list_datasets(datasetGroupArn=bench.group())["datasets"]
    assert not {"datasetGroupArn", "schemaArn"} & set(told)
