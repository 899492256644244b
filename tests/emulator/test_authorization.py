"""What the emulator lets IAM be asked: all that AWS's own data requires of an action."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.emulator import Request, authorizations
from mpe.model.service.spec import SPECS
from tests.arns import kinds
from tests.authorization import actions

PLACE = "arn:aws:personalize:us-east-1:000000000000:"
GROUP, ROLE = f"{PLACE}dataset-group/g", "arn:aws:iam::000000000000:role/service"
NAMED: dict[str, Any] = {
    "name": "n",
    "jobName": "n",
    "datasetType": "INTERACTIONS",
    "datasetGroupArn": GROUP,
    "datasetArn": f"{PLACE}dataset/g/INTERACTIONS",
    "schemaArn": f"{PLACE}schema/s",
    "solutionArn": f"{PLACE}solution/s",
    "solutionVersionArn": f"{PLACE}solution/s/1",
    "recipeArn": "arn:aws:personalize:::recipe/aws-sims",
    "filterArn": f"{PLACE}filter/f",
}


def asked(operation: str, **params: Any) -> list[tuple[str, str]]:
    headers = {"x-amz-target": f"AmazonPersonalize.{operation}"}
    found = authorizations(Request("POST", "/", headers, json.dumps(params).encode()))
    return [(one.action, one.resource) for one in found]


@pytest.mark.parametrize("noun", SPECS)
def test_a_creation_is_checked_on_every_type_that_aws_requires(noun: str) -> None:
    types = actions("personalize")[f"create{noun}".lower()]["resourceTypes"]
    required = {one["name"] for one in types if one["required"]}
    resources = [arn for _, arn in asked(f"Create{noun}", **NAMED)]
    found = {kind for arn in resources for kind in kinds("personalize", arn)}
    assert found == required
    assert len(resources) == len(required)


def test_tags_and_a_role_cost_a_check_each() -> None:
    tags = [{"tagKey": "a", "tagValue": "b"}]
    assert asked("CreateDatasetGroup", name="g", tags=tags, roleArn=ROLE) == [
        ("personalize:CreateDatasetGroup", GROUP),
        ("personalize:TagResource", GROUP),
        ("iam:PassRole", ROLE),
    ]


@pytest.mark.parametrize(
    ("operation", "params", "resource"),
    [
        ("ListSolutionVersions", {"solutionArn": f"{PLACE}solution/s"}, "*"),
        ("TagResource", {"resourceArn": GROUP, "tags": []}, GROUP),
        ("DescribeSolutionVersion", {"solutionVersionArn": f"{PLACE}solution/s/1"}, "solution/s/1"),
        ("DescribeRecipe", {"recipeArn": NAMED["recipeArn"]}, NAMED["recipeArn"]),
        ("UpdateDataset", {"datasetArn": NAMED["datasetArn"], "schemaArn": "x"}, "dataset/g/INTER"),
        ("DescribeDatasetGroup", {}, "*"),
        ("Dance", {}, "*"),
    ],
)
def test_other_calls_are_checked_on_what_they_name(
    operation: str, params: dict[str, Any], resource: str
) -> None:
    ((action, found),) = asked(operation, **params)
    assert action == f"personalize:{operation}"
    assert resource in found


def test_a_recommender_is_asked_for_where_the_data_knows_campaigns_alone() -> None:
    body = json.dumps({"recommenderArn": f"{PLACE}recommender/r", "userId": "u"}).encode()
    (found,) = authorizations(Request("POST", "/recommendations", {}, body))
    assert (found.action, found.resource) == (
        "personalize:GetRecommendations",
        f"{PLACE}recommender/r",
    )
