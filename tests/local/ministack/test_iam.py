"""What IAM decided, and in whose name."""

from __future__ import annotations

import json
import urllib.error
from typing import Any

import pytest

from mpe.local.cloud import ACCOUNT, LocalCloud
from mpe.local.ministack.iam import read_policies_once
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


ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


class Roles(dict[str, Any]):
    """The roles of one account, with a policy each."""

    def get_scoped(self, account: str, region: None, name: str) -> Any:
        return self.get(name)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of policies that are parsed, of a role that has two."""
    from ministack.core import iam_evaluator
    from ministack.services import iam

    texts = [json.dumps({"Statement": {**ALLOW, "Sid": sid}}) for sid in "AB"]
    roles = Roles(one={"InlinePolicies": dict(enumerate(texts))})
    monkeypatch.setattr(iam, "_roles", roles)
    parse, found = iam_evaluator.parse_policy_document, list[str]()

    def noted(text: Any) -> Any:
        found.append(text)
        return parse(text)

    monkeypatch.setattr(iam_evaluator, "parse_policy_document", noted)
    return found


def policies() -> list[list[str]]:
    from ministack.core import iam_evaluator

    gathered = iam_evaluator._gather_role_policies("one", ACCOUNT)
    return [[one.sid for one in statements] for statements in gathered]


def test_policies_are_read_once_and_another_text_is_another_policy(read: list[str]) -> None:
    from ministack.core import iam_evaluator
    from ministack.services import iam

    read_policies_once()
    assert policies() == policies() == [["A"], ["B"]]
    assert len(read) == 2
    iam._roles["one"]["InlinePolicies"][1] = json.dumps({"Statement": {**ALLOW, "Sid": "C"}})
    assert policies() == [["A"], ["C"]]
    assert len(read) == 3
    document = {"Statement": [{**ALLOW, "Sid": "D"}]}  # which cannot be compared by what it says
    assert [one.sid for one in iam_evaluator.parse_policy_document(document)] == ["D"]
    document["Statement"][0]["Sid"] = "E"
    assert [one.sid for one in iam_evaluator.parse_policy_document(document)] == ["E"]


def test_alone_policies_are_read_anew_for_each_request(read: list[str]) -> None:
    assert policies() == policies()
    assert len(read) == 4
