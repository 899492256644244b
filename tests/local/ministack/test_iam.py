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


def test_alone_no_decision_is_kept(alone: Alone) -> None:
    """AWS has CloudTrail for it; MiniStack's events tell no action that was denied."""
    function = function_in(alone, "denied", DENIED)
    alone.client("lambda").invoke(FunctionName=function)
    try:
        events = alone.client("cloudtrail").lookup_events(MaxResults=50)["Events"]
    except (alone.client("cloudtrail").exceptions.ClientError, urllib.error.HTTPError):
        events = []
    assert "ListBuckets" not in json.dumps(events, default=str)
