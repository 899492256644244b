"""What IAM decided, and in whose name."""

from __future__ import annotations

import json
import urllib.error

import pytest

from mpe.local.cloud import LocalCloud
from tests.local.ministack.conftest import Alone, function_in

pytestmark = pytest.mark.local

DENIED = """
import boto3
def handler(event, context):
    boto3.client("s3").list_buckets()
"""


def test_what_a_role_was_denied_is_kept(cloud: LocalCloud) -> None:
    function = function_in(cloud, "denied", DENIED)
    cloud.client("lambda").invoke(FunctionName=function)
    kept = [one for one in cloud.calls() if one["action"] == "s3:ListAllMyBuckets"]
    assert {one["allowed"] for one in kept} == {False}


SESSION = """
import boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="a", Body=b"")
"""


def kept_for_one_role(at: Alone | LocalCloud) -> str | None:
    """Let one role alone write to a bucket, let a function with it write; return its error."""
    function = function_in(at, "writer", SESSION)
    role = at.client("lambda").get_function(FunctionName=function)["Configuration"]["Role"]
    at.client("s3").create_bucket(Bucket="for-one")
    place = "arn:aws:s3:::for-one/*"
    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": place}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": place,
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": role}},
    }
    at.client("s3").put_bucket_policy(Bucket="for-one", Policy=json.dumps({"Statement": [deny]}))
    at.client("iam").put_role_policy(
        RoleName=role.rsplit("/", 1)[-1],
        PolicyName="write",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    asked = json.dumps({"bucket": "for-one"}).encode()
    answer = at.client("lambda").invoke(FunctionName=function, Payload=asked)
    return str(answer["FunctionError"]) if "FunctionError" in answer else None


def test_the_principal_of_a_session_is_its_role(cloud: LocalCloud) -> None:
    assert kept_for_one_role(cloud) is None


def test_alone_the_principal_of_a_session_is_the_session(alone: Alone) -> None:
    assert kept_for_one_role(alone) is not None


def test_alone_no_decision_is_kept(alone: Alone) -> None:
    """AWS has CloudTrail for it; MiniStack's events tell no action that was denied."""
    function = function_in(alone, "denied", DENIED)
    alone.client("lambda").invoke(FunctionName=function)
    try:
        events = alone.client("cloudtrail").lookup_events(MaxResults=50)["Events"]
    except (alone.client("cloudtrail").exceptions.ClientError, urllib.error.HTTPError):
        events = []
    assert "ListBuckets" not in json.dumps(events, default=str)
