"""How jobs read and write S3: always in the name of the role that they were given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class ObjectsDenied(Exception):
    """The role, or the bucket's policy, does not let the service read there."""


class ObjectsMissing(Exception):
    """There is no such bucket or object."""


class KeyDenied(Exception):
    """The role's policies, or the key's, do not let the service use the key."""


class MetricsDenied(Exception):
    """The role's policies do not let the service publish metrics."""


class Objects(Protocol):
    """Read and write objects on behalf of a role."""

    def keys(self, url: str, *, role_arn: str, account: str) -> list[str]:
        """Return the URLs that begin as one does, in their order."""

    def read(self, url: str, *, role_arn: str, account: str) -> Iterator[bytes]:
        """Yield the bytes of one object in chunks."""

    def write(self, url: str, body: bytes, *, role_arn: str, account: str) -> None:
        """Write one object."""

    def role_trusts_service(self, role_arn: str, *, account: str) -> bool:
        """Tell whether the service may act in a role."""

    def use_key(
        self, key_arn: str, *, role_arn: str, account: str, exporting: bool = False
    ) -> None:
        """Use a KMS key as an encrypted dataset group does, and as its exports do.

        Raises KeyDenied where it may not.
        """

    def put_metrics(self, *, role_arn: str, account: str) -> None:
        """Publish a metric in CloudWatch; raise MetricsDenied where the role may not."""


class MemoryObjects:
    """Objects in a dict by URL, for tests.

    ``denied`` roles may read nothing, ``silent`` ones publish no metrics, ``locked`` keys may
    be used by nobody, and ``kept`` ones not for exports.
    """

    def __init__(self, objects: dict[str, str | bytes] | None = None) -> None:
        self.objects: dict[str, str | bytes] = dict(objects or {})
        self.denied: set[str] = set()
        self.silent: set[str] = set()
        self.untrusting: set[str] = set()
        self.locked: set[str] = set()
        self.kept: set[str] = set()

    def keys(self, url: str, *, role_arn: str, account: str) -> list[str]:
        self._allow(role_arn)
        return sorted(key for key in self.objects if key.startswith(url))

    def read(self, url: str, *, role_arn: str, account: str) -> Iterator[bytes]:
        self._allow(role_arn)
        if url not in self.objects:
            raise ObjectsMissing(url)
        body = self.objects[url]
        yield body.encode() if isinstance(body, str) else body

    def write(self, url: str, body: bytes, *, role_arn: str, account: str) -> None:
        self._allow(role_arn)
        self.objects[url] = body

    def role_trusts_service(self, role_arn: str, *, account: str) -> bool:
        return role_arn not in self.untrusting

    def use_key(
        self, key_arn: str, *, role_arn: str, account: str, exporting: bool = False
    ) -> None:
        if key_arn in self.locked or (exporting and key_arn in self.kept):
            raise KeyDenied(f"{role_arn} may not use {key_arn}")

    def put_metrics(self, *, role_arn: str, account: str) -> None:
        if role_arn in self.silent:
            raise MetricsDenied(f"{role_arn} may not publish metrics")

    def _allow(self, role_arn: str) -> None:
        if role_arn in self.denied:
            raise ObjectsDenied(role_arn)
