"""What S3's events tell, and whose a bucket is expected to be."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from mpe.local.cloud import LocalCloud
from tests.local.conftest import wait_until
from tests.local.ministack.conftest import Alone

pytestmark = pytest.mark.local


def uploaded(cloud: LocalCloud | Alone, bucket: str) -> tuple[str, dict[str, str]]:
    """Upload an object; return its version, and what its event tells of it."""
    queue = cloud.client("sqs").create_queue(QueueName="uploads")["QueueUrl"]
    events = cloud.client("events")
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": ["seen/it"]}}}
    events.put_rule(Name="uploads", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:uploads"
    events.put_targets(Rule="uploads", Targets=[{"Id": "q", "Arn": arn}])
    version = cloud.client("s3").put_object(Bucket=bucket, Key="seen/it", Body=b"x")["VersionId"]

    def received() -> list[dict[str, str]] | None:
        found: list[dict[str, str]] | None = (
            cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages")
        )
        return found

    (message,) = wait_until(received)
    told: dict[str, str] = json.loads(message["Body"])["detail"]["object"]
    return version, told


def test_an_upload_is_told_with_its_version(cloud: LocalCloud) -> None:
    version, told = uploaded(cloud, cloud.outputs["DataBucket"])
    assert told["version-id"] == version


def test_alone_an_upload_is_told_without_its_version(alone: Alone) -> None:
    s3 = alone.client("s3")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="versioned", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    version, told = uploaded(alone, "versioned")
    assert version
    assert "version-id" not in told


def test_a_bucket_of_another_account_than_expected_is_refused(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="whose")
    s3.head_bucket(Bucket="whose", ExpectedBucketOwner=cloud.account)
    for call in (
        lambda: s3.head_bucket(Bucket="whose", ExpectedBucketOwner="1" * 12),
        lambda: s3.put_object(Bucket="whose", Key="a", Body=b"", ExpectedBucketOwner="1" * 12),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_alone_a_bucket_of_another_account_than_expected_is_used(alone: Alone) -> None:
    s3 = alone.client("s3")
    s3.create_bucket(Bucket="whose")
    s3.head_bucket(Bucket="whose", ExpectedBucketOwner="1" * 12)
