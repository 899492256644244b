"""The data bucket: configs, desired states and the users' CSVs."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from mpe.model.errors import NewerForm, StateGone
from mpe.model.plan.desired import Data, Desired, DesiredState, value_at, with_value
from mpe.model.plan.forms import known
from mpe.model.plan.superseded import may_be_superseded, superseded
from mpe.model.service.csvs import HEAD, Head
from mpe.model.service.spec import READ, WRITTEN

FOLDERS = tuple(dict.fromkeys((*READ, *WRITTEN, "state")))
"""The top folders of the data bucket; in each a dataset group has a folder of its own."""
MOST_DELETED = 1000
"""Objects that one call deletes."""
MOST_DROPPED = 500
"""How many old states one run looks at, so that it ends in time."""
GONE = frozenset({"NoSuchKey", "AccessDenied"})
"""What S3 says of a state that is gone."""
DIGEST = 12
"""Characters that tell one version of an object from another."""
CHUNK = 1024 * 1024
"""Bytes that are read at a time of what is read to its end."""
LONGEST_LINE = 16 * CHUNK
"""Characters of a line, of which more would fill the memory of a function."""
MOST_HEADS = 5
"""How many files of a folder are looked at."""


@dataclass(frozen=True)
class DataVersion:
    """What lies at a dataset's place in S3: its location, and when it last changed."""

    location: str
    modified: datetime | None
    """None where nothing lies there; the service then says so in its own words."""
    objects: frozenset[str] = frozenset()
    """A digest of each object's key and content."""


@dataclass(frozen=True)
class Completed:
    """A resource whose parameters say where its data lies."""

    desired: Desired
    changed: datetime | None = None
    """When its data last changed."""
    objects: frozenset[str] = frozenset()
    """What its data consists of."""
    idle: bool = False
    """There is no data for it, and need not be."""

    @property
    def version(self) -> str | None:
        """Return which data it is: when that last changed, and where it lies."""
        if self.changed is None or self.desired.data is None:
            return None
        where = value_at(self.desired.params, self.desired.spec.reads)
        return f"{self.changed.isoformat(timespec='seconds')} {where}".strip()


@dataclass(frozen=True)
class Pointer:
    """A place in a bucket, small enough to carry through a workflow."""

    bucket: str
    key: str

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Pointer:
        """Read what a run or a row of some release carries."""
        return cls(**known(cls, saved))


class Unreadable(Exception):
    """An object could not be read; the message has S3's own words."""


def state_of(bucket: str, group: str, version: str) -> Pointer:
    """Return where the desired state of a version of a dataset group's config is kept."""
    return Pointer(bucket, f"state/{group}/{version}.json")


class Objects:
    """Read and write the data bucket through a boto3 ``s3`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(
        self, bucket: str, key: str, version: str | None = None, *, most: int | None = None
    ) -> bytes:
        """Return one object, the very version that an event was about, or its first bytes.

        Raises botocore's ResponseStreamingError or IncompleteReadError where the connection breaks
        in the middle: a body is read to its end, since botocore compares only that with its length.
        """
        which = {"VersionId": version} if version else {}
        if most is not None:
            return self._first(bucket, key, most, **which)[0]
        body: bytes = self._client.get_object(Bucket=bucket, Key=key, **which)["Body"].read()
        return body

    def save_state(self, bucket: str, state: DesiredState) -> Pointer:
        """Keep a desired state; the same config version always goes to the same key."""
        pointer = state_of(bucket, state.group, state.version)
        self._client.put_object(
            Bucket=bucket,
            Key=pointer.key,
            Body=state.to_json().encode(),
            ContentType="application/json",
        )
        return pointer

    def load_state(self, pointer: Pointer) -> DesiredState:
        """Return the desired state that a run works towards."""
        return DesiredState.from_json(self.read(pointer.bucket, pointer.key))

    def states(self, bucket: str, group: str) -> Iterator[DesiredState]:
        """Yield the desired states that a dataset group has or had, as far as they can be read."""
        yield from self._readable(Pointer(bucket, key) for key in self._states(bucket, group))

    def drop_superseded(self, bucket: str, newest: DesiredState) -> list[str]:
        """Delete the desired states that no run can need after a newer one, and return the refused.

        Their versions stay for as long as those of other files.
        """
        old = [
            Pointer(bucket, key)
            for key in self._states(bucket, newest.group)
            if may_be_superseded(PurePosixPath(key).stem, newest.version)
        ]
        old.sort(key=lambda one: one.key, reverse=True)
        gone = superseded(self._readable(old[:MOST_DROPPED]), newest)
        keys = ({"Key": state_of(bucket, one.group, one.version).key} for one in gone)
        return self._delete(bucket, keys)

    def _states(self, bucket: str, group: str) -> Iterator[str]:
        yield from (str(item["Key"]) for item in self._below(bucket, f"state/{group}/"))

    def _readable(self, pointers: Iterable[Pointer]) -> Iterator[DesiredState]:
        for pointer in pointers:
            with suppress(NewerForm, ValueError, KeyError, TypeError):
                yield self.load_state(pointer)

    def state_of_run(self, pointer: Pointer) -> DesiredState:
        """Return the desired state that a run works towards, or raise StateGone.

        Who may not list is told 403 of an object that is gone, and not 404
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        """
        try:
            return self.load_state(pointer)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            raise StateGone(f"s3://{pointer.bucket}/{pointer.key}") from error

    def completed(self, desired: Desired) -> Completed:
        """Fill in where a resource's data lies, and tell when it last changed."""
        if desired.data is None:
            return Completed(desired)
        found = self.data(desired.data)
        idle = desired.data.optional and found.modified is None
        params = desired.params
        if desired.spec.reads:
            params = with_value(params, desired.spec.reads, found.location)
        made = replace(desired, params=params)
        return Completed(made, found.modified, found.objects, idle)

    def count(self, bucket: str, prefix: str) -> int:
        """Return how many objects lie below a prefix that ends with ``/``, or at that key."""
        return sum(1 for _ in self._below(bucket, prefix))

    def versions(self, bucket: str, prefix: str, *, marks: bool = True) -> int:
        """Return how many versions of objects, and marks of deleted ones, lie below a prefix."""
        return sum(1 for _ in self._versions(bucket, prefix, marks=marks))

    def delete_below(self, bucket: str, prefix: str, *, versions: bool = False) -> list[str]:
        """Delete the objects below a prefix; older versions of them stay, unless asked for.

        Return what was refused, key by key: S3 tells of it within an answer of HTTP 200
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
        """
        if versions:
            found = self._versions(bucket, prefix)
        else:
            found = ({"Key": item["Key"]} for item in self._below(bucket, prefix))
        return self._delete(bucket, found)

    def _delete(self, bucket: str, found: Iterable[dict[str, str]]) -> list[str]:
        refused = []
        for some in _batches(found):
            given = {"Objects": some, "Quiet": True}
            answer = self._client.delete_objects(Bucket=bucket, Delete=given)
            for one in answer.get("Errors", ()):
                refused.append(f"{one.get('Key')}: {one.get('Code')}: {one.get('Message', '')}")
        return refused

    def _versions(
        self, bucket: str, prefix: str, *, marks: bool = True
    ) -> Iterator[dict[str, str]]:
        paginator = self._client.get_paginator("list_object_versions")
        for page in paginator.paginate(Bucket=bucket, Prefix=prefix):
            deleted = page.get("DeleteMarkers", ()) if marks else ()
            for item in (*page.get("Versions", ()), *deleted):
                if not _at(item["Key"], prefix):
                    continue
                yield {"Key": item["Key"], "VersionId": item["VersionId"]}

    def _below(self, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from (one for one in page.get("Contents", ()) if _at(one["Key"], prefix))

    def data(self, data: Data) -> DataVersion:
        """Return where data lies: the file, or else the folder of CSVs.

        An import takes those directly in the folder, a data deletion those in its folders as well
        (https://docs.aws.amazon.com/personalize/latest/dg/API_DataSource.html).
        """
        found = {
            item["Key"]: item
            for prefix in filter(None, (data.file, data.folder))
            for item in self._below(data.bucket, prefix)
        }
        file = f"s3://{data.bucket}/{data.file}"
        if data.file in found:
            return _version_of(file, [found[data.file]])
        csvs = [
            item
            for key, item in found.items()
            if data.folder and _csv(key, data.folder, nested=data.nested)
        ]
        folder = f"s3://{data.bucket}/{data.folder}"
        return _version_of(folder, csvs) if csvs else DataVersion(file, None)

    def heads(self, location: str) -> Iterator[Head]:
        """Yield the first bytes of a file, or of the first CSVs of a folder."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            for one in self._csvs(bucket, key) if key.endswith("/") else [key]:
                yield self._head(bucket, one)
        except ClientError as error:
            raise Unreadable(str(error)) from error

    def lines(self, location: str) -> Iterator[Iterator[str]]:
        """Yield the lines of a file, or of each CSV of a folder, as they come."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            keys = [key]
            if key.endswith("/"):
                keys = [one["Key"] for one in self._below(bucket, key) if _csv(one["Key"], key)]
            for one in keys:
                body = self._client.get_object(Bucket=bucket, Key=one)["Body"]
                yield _lines(body.iter_chunks(CHUNK))
        except ClientError as error:
            raise Unreadable(str(error)) from error

    def _csvs(self, bucket: str, folder: str) -> list[str]:
        page = self._client.list_objects_v2(Bucket=bucket, Prefix=folder)
        keys = [str(item["Key"]) for item in page.get("Contents", ())]
        return [key for key in keys if _csv(key, folder)][:MOST_HEADS]

    def _head(self, bucket: str, key: str) -> Head:
        content, whole = self._first(bucket, key, HEAD)
        return Head(f"s3://{bucket}/{key}", content, whole=whole)

    def _first(self, bucket: str, key: str, most: int, **which: str) -> tuple[bytes, bool]:
        """Return the first bytes of an object, and whether that is all of it."""
        span = f"bytes=0-{most - 1}"
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key, Range=span, **which)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":
                return b"", True  # S3 has no range of what is empty
            raise
        content: bytes = answer["Body"].read()
        total = str(answer.get("ContentRange", "")).rpartition("/")[2]
        return content, not total.isdigit() or int(total) <= len(content)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield lines with their ends; what is no UTF-8 is replaced, since others tell of it."""
    return chain.from_iterable(StringIO(text, newline="\n") for text in _whole_lines(chunks))


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield as many whole lines at a time as each chunk ends."""
    decode = codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode
    rest = ""
    for chunk in chunks:
        text = rest + decode(chunk)
        end = text.rfind("\n") + 1
        whole, rest = text[:end], text[end:]
        if len(rest) > LONGEST_LINE:
            raise Unreadable(f"a line has more than {LONGEST_LINE:,} characters.")
        yield whole
    yield rest + decode(b"", final=True)


def _at(key: str, prefix: str) -> bool:
    """Tell whether an object lies below a prefix that ends with ``/``, or else at that very key."""
    return key == prefix or not prefix or prefix.endswith("/")


def _batches(found: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """Yield as many objects at a time as one call may delete."""
    rest = iter(found)
    while some := list(islice(rest, MOST_DELETED)):
        yield some


def _version_of(location: str, items: Sequence[Mapping[str, Any]]) -> DataVersion:
    digests = (
        hashlib.sha256(f"{item['Key']} {item.get('ETag', '')}".encode()).hexdigest()[:DIGEST]
        for item in items
    )
    return DataVersion(location, max(item["LastModified"] for item in items), frozenset(digests))


def _csv(key: str, folder: str, *, nested: bool = False) -> bool:
    below = key.removeprefix(folder)
    return key.startswith(folder) and key.endswith(".csv") and (nested or "/" not in below)
