"""The bucket's policy at work: each statement for the service, and who may write the states."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.local.cloud import LocalCloud
from tests.conftest import ROOT
from tests.local.conftest import CSV, User, small

pytestmark = pytest.mark.local
Json = dict[str, Any]
SERVICE = {"Service": "personalize.amazonaws.com"}
INSUFFICIENT = "Insufficient privileges for accessing data in Amazon S3"


@contextmanager
def without(cloud: LocalCloud, action: str, principal: Any) -> Iterator[None]:
    """Leave one statement out of the data bucket's policy, for a while."""
    s3, bucket = cloud.client("s3"), cloud.outputs["DataBucket"]
    whole = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    policy = json.loads(whole)
    before = policy["Statement"]
    policy["Statement"] = [
        one
        for one in before
        if one["Principal"] != principal or action not in [one["Action"], *one["Action"]]
    ]
    assert len(policy["Statement"]) == len(before) - 1
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=whole)


@pytest.mark.parametrize(
    ("action", "failed"),
    [
        ("s3:GetObject", "DatasetImportJob"),
        ("s3:ListBucket", "DatasetImportJob"),
        ("s3:PutObject", "DatasetExportJob"),
    ],
)
def test_a_run_fails_without_the_statement_for_the_service(
    cloud: LocalCloud, action: str, failed: str
) -> None:
    name = f"shut-{action[3:].lower()}"
    user, document = User(cloud, name), small(name, solutions=[])
    document["datasets"]["interactions"]["export"] = {"serviceConfig": {}}
    user.put("interactions.csv", CSV)
    with without(cloud, action, SERVICE):
        user.upload(document)
        assert user.wait_for_run() == "FAILED"
    (mail,) = user.mail()
    assert failed in mail["body"]
    assert INSUFFICIENT in mail["body"]


@dataclass(frozen=True)
class Uploader:
    """Somebody with a policy, and S3 as they have it."""

    name: str
    s3: Any


@pytest.fixture
def uploader(cloud: LocalCloud) -> Iterator[Uploader]:
    """Somebody who may do all with the bucket's objects, states as well."""
    iam, name = cloud.client("iam"), f"uploader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    place = f"arn:aws:s3:::{cloud.outputs['DataBucket']}"
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": [place, f"{place}/*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    s3 = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    yield Uploader(name, s3)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="all")
    iam.delete_user(UserName=name)


def documented(bucket: str, group: str) -> str:
    """Return the policy for uploaders that the docs have."""
    page = (ROOT / "docs" / "security.md").read_text()
    (policy,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    return str(policy).replace("BUCKET", bucket).replace("GROUP", group)


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("train/theirs/interactions.csv", True),
        ("train/theirs/config.json", True),
        ("batch/theirs/input/users.json", True),
        ("train/others/interactions.csv", False),
        ("state/theirs/forged.json", False),
        ("export/theirs/data.csv", False),
        ("train/theirs-too/config.json", False),
    ],
)
def test_an_uploader_with_the_documented_policy_writes_in_one_group_alone(
    cloud: LocalCloud, uploader: Uploader, key: str, allowed: bool
) -> None:
    bucket = cloud.outputs["DataBucket"]
    policy = documented(bucket, "theirs")
    cloud.client("iam").put_user_policy(
        UserName=uploader.name, PolicyName="all", PolicyDocument=policy
    )
    if allowed:
        uploader.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            uploader.s3.put_object(Bucket=bucket, Key=key, Body=b"")


FORGED = "state/theirs/forged.json"


def test_who_may_write_everywhere_cannot_write_a_state(
    cloud: LocalCloud, uploader: Uploader
) -> None:
    bucket = cloud.outputs["DataBucket"]
    uploader.s3.put_object(Bucket=bucket, Key="train/theirs/notes.txt", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        uploader.s3.put_object(Bucket=bucket, Key=FORGED, Body=b"{}")
    with pytest.raises(ClientError, match="AccessDenied"):
        uploader.s3.copy_object(
            Bucket=bucket, Key=FORGED, CopySource=f"{bucket}/train/theirs/notes.txt"
        )
    with pytest.raises(ClientError, match="AccessDenied"):
        uploader.s3.create_multipart_upload(Bucket=bucket, Key=FORGED)
    with without(cloud, "s3:PutObject", {"AWS": "*"}):
        uploader.s3.put_object(Bucket=bucket, Key=FORGED, Body=b"{}")
    uploader.s3.delete_object(Bucket=bucket, Key=FORGED)
