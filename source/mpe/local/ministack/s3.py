"""S3: what its events tell, and whose a bucket is expected to be."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from mpe.local.ministack.difference import Difference
from mpe.local.ministack.http import App, Scope, answer, wrap
from mpe.local.ministack.iam import lets

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

_version: ContextVar[str | None] = ContextVar("version", default=None)


def name_versions() -> None:
    """Let S3's events for EventBridge name the version of the object, as in AWS."""
    from ministack.services import eventbridge, s3

    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*args: Any, **more: Any) -> None:
        _version.set(more.get("version_id"))
        fire(*args, **more)

    def dispatch_with_version(event: dict[str, Any], *args: Any, **more: Any) -> Any:
        version = _version.get()
        if event.get("Source") == "aws.s3" and version:
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version)
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *args, **more)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_with_version, dispatch_with_version


def bucket_lets(service: str, action: str, bucket: str, *, key: str = "", source: str) -> bool:
    """Tell whether a bucket's policy allows a service an action, on behalf of a resource.

    A bucket that is not there forbids nothing.
    """
    from ministack.services import s3

    account = source.split(":")[4]
    if not s3._buckets.contains_scoped(account, None, bucket):
        return True
    policy = s3._bucket_policies.get_scoped(account, None, bucket)
    listing = action == "s3:ListBucket"
    place = f"arn:aws:s3:::{bucket}" + ("" if listing else f"/{key}")
    more = {"s3:prefix": key} if listing else {}
    return lets(policy, service, action, resource=place, source=source, **more)


def check_owners(app: App) -> App:
    """Refuse a request that expects another account to own the bucket."""

    async def checked(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and expects_another_owner(scope):
            await answer(send, 403, "application/xml", DENIED)
            return
        await app(scope, receive, send)

    return checked


def expects_another_owner(scope: Scope) -> bool:
    """Tell whether a request to S3 names another account than the one that owns the bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    expected = headers.get("x-amz-expected-bucket-owner")
    if expected is None:
        return False
    from ministack.services import s3

    bucket, _ = s3._parse_bucket_key(scope["path"], headers)
    return s3._bucket_owner_account(bucket) not in {None, expected}


DIFFERENCES = (
    Difference(
        aws="an event of an object names its version",
        alone="it does not",
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html",
        test="test_s3.py::test_alone_an_upload_is_told_without_its_version",
        make_good=lambda start: name_versions(),
    ),
    Difference(
        aws="a request that expects another owner of the bucket is refused",
        alone="it is answered",
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html",
        test="test_s3.py::test_alone_a_bucket_of_another_account_than_expected_is_used",
        make_good=lambda start: wrap(check_owners),
    ),
)
