"""Upload a release to buckets that the account is sure to own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mpe.infrastructure.released import Released
from mpe.release.build import Build
from mpe.release.errors import ReleaseError

Clients = Callable[[str, str | None], Any]
"""Returns the client of a service in a region; None for the user's own."""
TYPES = {".template": "application/json", ".json": "application/json", ".txt": "text/plain"}


@dataclass(frozen=True)
class Bucket:
    """A bucket, the account that must own it and, for code, the region that it must be in."""

    s3: Any
    name: str
    owner: str
    region: str | None = None

    def problem(self) -> str | None:
        """Return why nothing may be uploaded to it; None where all is well.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        try:
            head = self.s3.head_bucket(Bucket=self.name, ExpectedBucketOwner=self.owner)
        except ClientError as error:
            return self._told(error)
        found = head.get("BucketRegion", self.region)
        if self.region and found != self.region:
            return (
                f"{self.name} is in {found}, and Lambda reads code from its own region only: "
                f"make a bucket of that name in {self.region}."
            )
        return None

    def _told(self, error: ClientError) -> str:
        code = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code == 404:
            return f"{self.name} does not exist: make it in the account {self.owner} first."
        if code == 403:
            return (
                f"{self.name} belongs to another account than {self.owner}, or these credentials "
                "may not use it. Nobody should install from a bucket of somebody else's: choose "
                "another name with --source-bucket-name."
            )
        return f"{self.name} could not be looked at: {error}"

    def put(self, key: str, path: Path) -> bool:
        """Upload a file unless the same content is there; return whether it was uploaded.

        The SHA-256 is checked by S3 as the object arrives, and kept with it:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
        """
        body = path.read_bytes()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if self._digest(key) == digest:
            return False
        self.s3.put_object(
            Bucket=self.name,
            Key=key,
            Body=body,
            ChecksumSHA256=digest,
            ContentType=TYPES.get(path.suffix, "application/zip"),
            ExpectedBucketOwner=self.owner,
        )
        return True

    def _digest(self, key: str) -> str | None:
        try:
            head = self.s3.head_object(
                Bucket=self.name,
                Key=key,
                ChecksumMode="ENABLED",
                ExpectedBucketOwner=self.owner,
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        digest: str | None = head.get("ChecksumSHA256")
        return digest


@dataclass(frozen=True)
class Uploaded:
    """Where a file of the release is, and whether it was put there just now."""

    bucket: str
    key: str
    new: bool


def buckets(released: Released, regions: Sequence[str], clients: Clients) -> list[Bucket]:
    """Return the release's buckets, those of the regions first, or tell what is wrong with any."""
    owner = clients("sts", None).get_caller_identity()["Account"]
    found = [
        *(
            Bucket(clients("s3", region), released.bucket_in(region), owner, region)
            for region in regions
        ),
        Bucket(clients("s3", None), released.bucket, owner),
    ]
    problems = [problem for one in found if (problem := one.problem())]
    if problems:
        raise ReleaseError("nothing was uploaded:\n" + "\n".join(f"  {one}" for one in problems))
    return found


def upload(build: Build, released: Released, places: Sequence[Bucket]) -> Iterator[Uploaded]:
    """Upload the assets to the regions' buckets and then, last, the templates that name them."""
    *regional, shared = places
    for bucket, files in [*((one, build.regional) for one in regional), (shared, build.shared)]:
        for path in files:
            key = released.prefix + path.name
            yield Uploaded(bucket.name, key, bucket.put(key, path))
