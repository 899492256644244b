"""Where a release is, as the app's context says it: see :mod:`mpe.release`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

CONTEXT = "release"
"""The key of the app's context; without it the app is deployed by the CDK itself."""


@dataclass(frozen=True)
class Released:
    """One version of a solution, and the buckets that it is released to."""

    bucket: str
    solution: str
    version: str

    @classmethod
    def of(cls, context: Mapping[str, str] | None) -> Released | None:
        return cls(**context) if context else None

    @property
    def context(self) -> dict[str, dict[str, str]]:
        return {CONTEXT: asdict(self)}

    @property
    def prefix(self) -> str:
        """The start of every key in the buckets."""
        return f"{self.solution}/{self.version}/"

    @property
    def assets_bucket(self) -> str:
        """The bucket of the assets in the region where the stack is created.

        Lambda reads code from a bucket in the function's own region only:
        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
        """
        return self.bucket_in("${AWS::Region}")

    def bucket_in(self, region: str) -> str:
        return f"{self.bucket}-{region}"
