"""Uploads of large files: in parts, resumed where they broke off, skipped where unchanged.

What lies in S3 is compared by its ETag, which for the bucket's encryption is the MD5 digest of
the object, or of its parts' digests
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). So nothing has to be kept
beside the object, and what the aws CLI uploaded counts as well: its parts are as large.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PART = 8 * 1024 * 1024
"""Bytes of a part, doubled until 10,000 parts are enough, as the aws CLI does."""
MOST_PARTS = 10_000
AT_ONCE = 4
CHUNK = 1 << 20

Progress = Callable[[int], None]
"""Is told how many more bytes are there."""


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, and the key that it is for."""

    path: Path
    key: str

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def part(self) -> int:
        """Return how large its parts are."""
        part = PART
        while part * MOST_PARTS < self.size:
            part *= 2
        return part

    @property
    def whole(self) -> bool:
        """Whether it goes up in one piece."""
        return self.size < PART

    def digest(self, number: int) -> bytes:
        """Return the MD5 digest of a part, counted from 1."""
        found = hashlib.md5(usedforsecurity=False)
        for chunk in self._chunks(number):
            found.update(chunk)
        return found.digest()

    @cached_property
    def digests(self) -> tuple[bytes, ...]:
        count = 1 if self.whole else -(-self.size // self.part)
        return tuple(self.digest(number) for number in range(1, count + 1))

    @property
    def etag(self) -> str:
        """Return the ETag that the object has once it is there."""
        if self.whole:
            return self.digests[0].hex()
        joined = hashlib.md5(b"".join(self.digests), usedforsecurity=False)
        return f"{joined.hexdigest()}-{len(self.digests)}"

    def body(self, number: int) -> bytes:
        return b"".join(self._chunks(number))

    def _chunks(self, number: int) -> Iterator[bytes]:
        left = self.part
        with self.path.open("rb") as file:
            file.seek((number - 1) * self.part)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


class Uploads:
    """Upload files to one bucket through a boto3 ``s3`` client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def unchanged(self, file: LocalFile) -> bool:
        """Tell whether the very same bytes lie there already."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=file.key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                return False
            raise
        same: bool = found["ContentLength"] == file.size and found["ETag"].strip('"') == file.etag
        return same

    def put(self, file: LocalFile, progress: Progress = lambda _: None) -> str:
        """Upload a file and return its version; go on with what broke off before."""
        if file.whole:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=file.key, Body=file.path.read_bytes()
            )
            progress(file.size)
        else:
            answer = self._in_parts(file, progress)
        return str(answer.get("VersionId", ""))

    def _in_parts(self, file: LocalFile, progress: Progress) -> Any:
        upload, there = self._begun(file)
        lock = threading.Lock()

        def send(number: int) -> dict[str, Any]:
            body = file.body(number)
            etag = there.get(number)
            if etag != file.digests[number - 1].hex():
                etag = self._client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
            with lock:
                progress(len(body))
            return {"PartNumber": number, "ETag": etag}

        with ThreadPoolExecutor(AT_ONCE) as pool:
            parts = list(pool.map(send, range(1, len(file.digests) + 1)))
        return self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    def _begun(self, file: LocalFile) -> tuple[dict[str, str], dict[int, str]]:
        """Return the newest upload of the key that broke off, with its parts, or a new one."""
        listed = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=file.key
        )
        begun = [
            one for page in listed for one in page.get("Uploads", ()) if one["Key"] == file.key
        ]
        where = {"Bucket": self._bucket, "Key": file.key}
        if not begun:
            return {
                **where,
                "UploadId": self._client.create_multipart_upload(**where)["UploadId"],
            }, {}
        newest = max(begun, key=lambda one: one["Initiated"])
        upload = {**where, "UploadId": newest["UploadId"]}
        pages = self._client.get_paginator("list_parts").paginate(**upload)
        return upload, {
            part["PartNumber"]: part["ETag"].strip('"')
            for page in pages
            for part in page.get("Parts", ())
        }
