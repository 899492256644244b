"""IAM is truly enforced, for calls of Amazon Personalize as for all others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mpe.assembly.synthesis import Assembly
from mpe.local.cloud import LocalCloud
from mpe.local.deploy import Template
from tests.conftest import BRIEF
from tests.local.conftest import CSV, SPEED, User, names, small

pytestmark = pytest.mark.local


def cloud_of(assembly: Assembly, edit: Callable[[Template], Template]) -> LocalCloud:
    return LocalCloud(speed=SPEED, assembly=assembly, durations=BRIEF, edit_template=edit)


def without(action: str, on: str) -> Callable[[Template], Template]:
    """Return an edit of the template that takes an action on one type out of every policy."""

    def edit(template: Template) -> Template:
        removed = 0
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy":
                for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                    actions = statement["Action"]
                    named = actions if isinstance(actions, list) else [actions]
                    if action in named and f":{on}/*" in json.dumps(statement["Resource"]):
                        left = [one for one in named if one != action]
                        statement["Action"] = left or ["personalize:DescribeRecipe"]
                        removed += 1
        assert removed, f"{action} is granted nowhere on {on}"
        return template

    return edit


@pytest.mark.parametrize(
    ("action", "on", "resource"),
    [
        pytest.param("CreateCampaign", "campaign", "Campaign denied-live", id="what-it-makes"),
        pytest.param("CreateCampaign", "solution", "Campaign denied-live", id="its-parent"),
        pytest.param("DescribeSchema", "schema", "DatasetGroup denied", id="what-it-looks-at"),
    ],
)
def test_a_role_that_lacks_an_action_fails_the_run(
    assembly: Assembly, action: str, on: str, resource: str
) -> None:
    action = f"personalize:{action}"
    with cloud_of(assembly, without(action, on)) as cloud:
        user = User(cloud, "denied")
        user.put("interactions.csv", CSV)
        user.upload(small("denied"))

        assert user.wait_for_run() == "FAILED"

        (mail,) = user.mail()
        assert f"{resource} failed (AccessDeniedException)" in mail["body"]
        assert f"is not authorized to perform: {action}" in mail["body"]


Grant = Callable[[list[dict[str, Any]]], Any]


@pytest.fixture
def granted(cloud: LocalCloud) -> Iterator[Grant]:
    """Make a client of Personalize whose user may do just what is granted."""
    iam = cloud.client("iam")
    made: list[str] = []

    def grant(statements: list[dict[str, Any]]) -> Any:
        name = f"someone-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        made.append(name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [WHO, *statements]})
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            "personalize",
            endpoint_url=cloud.endpoint,
            region_name=cloud.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    yield grant
    for name in made:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="all")
        iam.delete_user(UserName=name)


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


WHO = allow("sts:GetCallerIdentity")
PLACE = "arn:aws:personalize:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/some"
KEY = "arn:aws:kms:us-east-1:000000000000:key/some"
CREATE = allow("personalize:CreateDatasetGroup", f"{PLACE}dataset-group/mine-*")


@pytest.mark.parametrize(
    ("grants", "params", "denied"),
    [
        pytest.param([], {"name": "mine-1"}, "personalize:CreateDatasetGroup", id="no-action"),
        pytest.param(
            [CREATE],
            {"name": "yours"},
            f"{PLACE}dataset-group/yours",
            id="the-action-on-another-resource",
        ),
        pytest.param(
            [CREATE],
            {"name": "mine-2", "tags": [{"tagKey": "a", "tagValue": "b"}]},
            "personalize:TagResource",
            id="tags-need-a-permission-of-their-own",
        ),
        pytest.param(
            [CREATE],
            {"name": "mine-3", "roleArn": ROLE, "kmsKeyArn": KEY},
            "iam:PassRole",
            id="a-role-must-be-passed",
        ),
        pytest.param(
            [
                CREATE,
                allow(
                    "iam:PassRole",
                    ROLE,
                    Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                ),
            ],
            {"name": "mine-4", "roleArn": ROLE, "kmsKeyArn": KEY},
            "iam:PassRole",
            id="a-role-may-be-passed-to-another-service-only",
        ),
    ],
)
def test_a_call_is_denied(
    granted: Grant, grants: list[dict[str, Any]], params: dict[str, Any], denied: str
) -> None:
    with pytest.raises(ClientError) as refused:
        granted(grants).create_dataset_group(**params)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert denied in refused.value.response["Error"]["Message"]


def test_a_call_with_all_its_permissions_is_allowed(cloud: LocalCloud, granted: Grant) -> None:
    trust = allow("sts:AssumeRole")
    del trust["Resource"]
    trust = {**trust, "Principal": {"Service": "personalize.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    cloud.client("iam").create_role(RoleName="some", AssumeRolePolicyDocument=document)
    condition = {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}}
    someone = granted(
        [
            CREATE,
            allow("personalize:TagResource", f"{PLACE}dataset-group/*"),
            allow("iam:PassRole", ROLE, Condition=condition),
            allow("personalize:ListDatasetGroups"),
        ]
    )
    someone.create_dataset_group(
        name="mine-5", roleArn=ROLE, kmsKeyArn=KEY, tags=[{"tagKey": "a", "tagValue": "b"}]
    )
    assert "mine-5" in names(someone, "datasetGroups")


def test_a_list_is_authorized_on_everything_only(granted: Grant) -> None:
    someone = granted([allow("personalize:ListDatasetGroups", f"{PLACE}dataset-group/*")])
    with pytest.raises(ClientError, match="AccessDenied"):
        someone.list_dataset_groups()


def test_data_is_read_in_the_service_roles_name(assembly: Assembly) -> None:
    def forbid(template: Template) -> Template:
        """Take the reading of objects out of the service role's policy."""
        (policy,) = (
            one["Properties"]
            for name, one in template["Resources"].items()
            if name.startswith("ServiceRoleDefaultPolicy")
        )
        policy["PolicyDocument"]["Statement"] = [
            one for one in policy["PolicyDocument"]["Statement"] if one["Action"] != "s3:GetObject"
        ]
        return template

    with cloud_of(assembly, forbid) as cloud:
        user = User(cloud, "unread")
        user.put("interactions.csv", CSV)
        user.upload(small("unread"))
        assert user.wait_for_run() == "FAILED"
        (mail,) = user.mail()
        assert "Insufficient privileges for accessing data in Amazon S3" in mail["body"]


def test_a_role_that_does_not_trust_the_service_cannot_be_used(assembly: Assembly) -> None:
    def distrust(template: Template) -> Template:
        (role,) = (
            one["Properties"]
            for name, one in template["Resources"].items()
            if name.startswith("ServiceRole") and one["Type"] == "AWS::IAM::Role"
        )
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        statement["Condition"]["StringEquals"]["aws:SourceAccount"] = "111111111111"
        return template

    with cloud_of(assembly, distrust) as cloud:
        user = User(cloud, "distrusted")
        user.put("interactions.csv", CSV)
        user.upload(small("distrusted"))
        assert user.wait_for_run() == "FAILED"
        (mail,) = user.mail()
        assert "cannot assume the role" in mail["body"]


def test_an_encrypted_group_fails_where_the_role_may_not_use_the_key(cloud: LocalCloud) -> None:
    """The stack was deployed without the parameter that grants it."""
    user = User(cloud, "locked")
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    document = small("locked")
    document["datasetGroup"]["serviceConfig"]["kmsKeyArn"] = key
    user.upload(document)
    assert user.wait_for_run() == "FAILED"
    (mail,) = user.mail()
    assert "DatasetGroup locked failed" in mail["body"]
    assert f"The KMS key {key} cannot be used" in mail["body"]
    assert "not authorized to perform: kms:DescribeKey" in mail["body"]
