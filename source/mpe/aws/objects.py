"""The data bucket: configs, desired states and the users' CSVs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mpe.model.desired import Data, Desired, DesiredState


@dataclass(frozen=True)
class DataVersion:
    """What lies at a dataset's place in S3: its location, and when it last changed."""

    location: str
    modified: datetime | None
    """None where nothing lies there; the service then says so in its own words."""


@dataclass(frozen=True)
class Pointer:
    """A place in a bucket, small enough to carry through a workflow."""

    bucket: str
    key: str


class Objects:
    """Read and write the data bucket through a boto3 ``s3`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return one object, the very version that an event was about."""
        which = {"VersionId": version} if version else {}
        body: bytes = self._client.get_object(Bucket=bucket, Key=key, **which)["Body"].read()
        return body

    def save_state(self, bucket: str, state: DesiredState) -> Pointer:
        """Keep a desired state; the same config version always goes to the same key."""
        key = f"state/{state.group}/{state.version}.json"
        self._client.put_object(
            Bucket=bucket,
            Key=key,
            Body=state.to_json().encode(),
            ContentType="application/json",
        )
        return Pointer(bucket, key)

    def load_state(self, pointer: Pointer) -> DesiredState:
        """Return the desired state that a run works towards."""
        return DesiredState.from_json(self.read(pointer.bucket, pointer.key))

    def completed(self, desired: Desired) -> tuple[Desired, datetime | None]:
        """Fill in where a resource's data lies, and tell when it last changed."""
        if desired.data is None:
            return desired, None
        found = self.data(desired.data)
        source = {"dataSource": {"dataLocation": found.location}}
        return replace(desired, params={**desired.params, **source}), found.modified

    def data(self, data: Data) -> DataVersion:
        """Return where a dataset's data lies: the file, or else the folder of CSVs."""
        file, folder = f"{data.prefix}.csv", f"{data.prefix}/"
        found = {
            item["Key"]: item["LastModified"]
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=data.bucket, Prefix=data.prefix
            )
            for item in page.get("Contents", ())
        }
        if file in found:
            return DataVersion(f"s3://{data.bucket}/{file}", found[file])
        times = [
            time for key, time in found.items() if key.startswith(folder) and key.endswith(".csv")
        ]
        if times:
            return DataVersion(f"s3://{data.bucket}/{folder}", max(times))
        return DataVersion(f"s3://{data.bucket}/{file}", None)
