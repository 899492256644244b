"""Builders of resources in the emulated service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import BUCKET, ROLE, Emulated, interactions

FIELDS = {
    "Interactions": [
        ("USER_ID", "string"),
        ("ITEM_ID", "string"),
        ("EVENT_TYPE", "string"),
        ("EVENT_VALUE", "float"),
        ("TIMESTAMP", "long"),
    ],
    "Items": [("ITEM_ID", "string"), ("PRICE", "float")],
    "Users": [("USER_ID", "string"), ("AGE", "int")],
    "Actions": [("ACTION_ID", "string"), ("VALUE", "long"), ("MONTHS", "long")],
    "Action_Interactions": [
        ("USER_ID", "string"),
        ("ACTION_ID", "string"),
        ("EVENT_TYPE", "string"),
        ("TIMESTAMP", "long"),
    ],
}


def avro(record: str, *more: dict[str, Any]) -> str:
    """Return a schema as the text that the service takes."""
    fields = [{"name": name, "type": kind} for name, kind in FIELDS[record]]
    return json.dumps(
        {
            "type": "record",
            "name": record.replace("_", ""),
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [*fields, *more],
            "version": "1.0",
        }
    )


@dataclass
class Builder:
    """Build resources, each ACTIVE when it is returned."""

    emulated: Emulated

    @property
    def client(self) -> Any:
        return self.emulated.client

    def wait(self, seconds: float = 4000) -> None:
        self.emulated.clock.advance(seconds)

    def group(self, name: str = "films") -> str:
        arn: str = self.client.create_dataset_group(name=name)["datasetGroupArn"]
        self.wait(60)
        return arn

    def dataset(
        self, group: str, record: str = "Interactions", name: str = "d", *more: dict[str, Any]
    ) -> str:
        schema = self.client.create_schema(name=f"{name}-{record}", schema=avro(record, *more))
        arn: str = self.client.create_dataset(
            name=name,
            datasetGroupArn=group,
            datasetType=record,
            schemaArn=schema["schemaArn"],
        )["datasetArn"]
        self.wait(60)
        return arn

    def begin_import(
        self, dataset: str, body: str | None = None, name: str = "job", **options: Any
    ) -> str:
        location = f"{BUCKET}/interactions.csv"
        self.emulated.objects.objects[location] = interactions() if body is None else body
        arn: str = self.client.create_dataset_import_job(
            jobName=name,
            datasetArn=dataset,
            dataSource={"dataLocation": location},
            roleArn=ROLE,
            **options,
        )["datasetImportJobArn"]
        return arn

    def tracker(self, group: str) -> str:
        """Create an event tracker; return its tracking id."""
        tracking: str = self.client.create_event_tracker(name="t", datasetGroupArn=group)[
            "trackingId"
        ]
        self.wait(60)
        return tracking

    def filter(self, group: str, expression: str, name: str = "f") -> str:
        arn: str = self.client.create_filter(
            name=name, datasetGroupArn=group, filterExpression=expression
        )["filterArn"]
        self.wait(60)
        return arn

    def imported(self, group: str) -> str:
        dataset = self.dataset(group)
        self.begin_import(dataset)
        self.wait(900)
        return dataset

    def solution(self, group: str, recipe: str = "user-personalization-v2", **more: Any) -> str:
        arn: str = self.client.create_solution(
            name=more.pop("name", "for-you"),
            datasetGroupArn=group,
            recipeArn=f"arn:aws:personalize:::recipe/aws-{recipe}",
            **{"performAutoTraining": False, **more},
        )["solutionArn"]
        self.wait(10)
        return arn

    def version(self, solution: str, **more: Any) -> str:
        arn: str = self.client.create_solution_version(solutionArn=solution, **more)[
            "solutionVersionArn"
        ]
        self.wait(3600)
        return arn

    def campaign(self, version: str, **more: Any) -> str:
        arn: str = self.client.create_campaign(
            name=more.pop("name", "live"), solutionVersionArn=version, **more
        )["campaignArn"]
        self.wait(600)
        return arn


@pytest.fixture
def build(emulated: Emulated) -> Builder:
    return Builder(emulated)
