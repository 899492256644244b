"""Plain HTTP on the loopback interface, which counts as TLS."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.local.cloud import LocalCloud
from tests.local.ministack.conftest import Alone, user_who_may

pytestmark = pytest.mark.local


def bucket_that_asks_for_tls(cloud: LocalCloud | Alone, user: str) -> None:
    """Make a bucket as `cdk bootstrap` does, that one user may use."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tls-only")
    places = ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"]
    whom = {"AWS": f"arn:aws:iam::{cloud.account}:user/{user}"}
    allow = {"Effect": "Allow", "Principal": whom, "Action": "s3:*", "Resource": places}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {**allow, "Effect": "Deny", "Principal": "*", "Condition": insecure}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})
    s3.put_bucket_policy(Bucket="tls-only", Policy=policy)


def test_a_bucket_that_asks_for_tls_can_be_used(cloud: LocalCloud, nobody: dict[str, str]) -> None:
    """`cdk deploy` uses it in the name of a role.

    Not as the account's root, whom MiniStack lets pass whatever a bucket's policy denies.
    """
    bucket_that_asks_for_tls(cloud, "nobody")

    theirs = boto3.client("s3", endpoint_url=cloud.endpoint, region_name=cloud.region, **nobody)
    theirs.put_object(Bucket="tls-only", Key="it", Body=b"x")
    assert theirs.get_object(Bucket="tls-only", Key="it")["Body"].read() == b"x"


def test_alone_a_bucket_that_asks_for_tls_cannot_be_used(alone: Alone) -> None:
    key = user_who_may(alone, "somebody")
    bucket_that_asks_for_tls(alone, "somebody")
    with pytest.raises(ClientError, match="AccessDenied"):
        alone.client("s3", **key).put_object(Bucket="tls-only", Key="it", Body=b"x")
