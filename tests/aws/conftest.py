"""A bucket, and a table as an adapter meets it where reads lag behind writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.handlers.test_runs import table

BUCKET = "data"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield a client of S3 with a bucket whose objects have versions."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


class Behind:
    """A DynamoDB table that answers reads with what there was before, unless they are consistent.

    "The response might not reflect the results of a recently completed write operation"
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html).
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def get_item(self, **asked: Any) -> Any:
        return self._table.get_item(**asked) if asked.get("ConsistentRead") else {}

    def query(self, **asked: Any) -> Any:
        return self._table.query(**asked) if asked.get("ConsistentRead") else {"Items": []}


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield Behind(table("rows"))
