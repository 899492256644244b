"""The template's policies against AWS's own authorization data, and not against our table.

The data is that of the npm package which ``tests/authorization.py`` names, of the day that the
pinned version ends with.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.arns import kinds, listed, resolved, statements
from tests.authorization import EXTRACT, PACKAGE, actions, keys, version, written
from tests.conftest import ROOT
from tests.infrastructure.conftest import Template

BEYOND = {
    ("personalize:CreateSolution", "recipe"): "The AWS solution, which runs, grants it.",
    ("personalize:CreateRecommender", "recipe"): "The AWS solution, which runs, grants it.",
    **{
        ("lambda:InvokeFunction", kind): "CDK grants a function's versions; there are none."
        for kind in ("function alias", "function version", "durable execution")
    },
    ("personalize:CreateBatchSegmentJob", "solution"): (
        "The data has it for the batch inference job, whose parameters are the same."
    ),
}
"""What is granted on a type that the data does not give an action, and why it is granted."""
GLOBAL_KEYS = {
    "aws:principalarn",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
}
"""The keys of all services that the template uses
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html); the last
is SNS's own (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html)."""


def action(name: str) -> Any:
    """Return what the data has of an action."""
    service, _, operation = name.partition(":")
    return actions(service.lower()).get(operation.lower())


def expanded(name: str) -> list[str]:
    """Return the actions that one with a wildcard stands for."""
    service, _, pattern = name.partition(":")
    known = actions(service.lower())
    return [f"{service}:{one}" for one in known if fnmatchcase(one, pattern.lower())]


def granted(template: Template) -> Iterator[tuple[str, str, str]]:
    """Yield each role or resource with an action that is allowed, and on what."""
    for owner, statement in statements(template):
        if statement["Effect"] == "Allow":
            for name in listed(statement["Action"]):
                for arn in listed(statement.get("Resource", "*")):
                    yield owner, name, arn


def types(name: str, arn: str) -> frozenset[str]:
    """Return the types of an action's service that an ARN can be of."""
    return kinds(name.partition(":")[0].lower(), arn)


def required(name: str) -> set[str]:
    """Return the types of resources that an action is not allowed without."""
    return {one["name"] for one in action(name)["resourceTypes"] if one["required"]}


def test_the_data_is_the_pinned_packages() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"][PACKAGE]
    assert wanted == lock[f"node_modules/{PACKAGE}"]["version"] == version()


def test_the_emulators_extract_is_of_that_data() -> None:
    assert EXTRACT.read_text() == written(), "run: python -m tests.authorization"


def test_every_action_of_every_policy_exists(template: Template) -> None:
    unknown = {
        name
        for _, statement in statements(template)
        for name in listed(statement["Action"])
        if not expanded(name)
    }
    assert unknown == set(UNLISTED)


UNLISTED = {
    "SNS:Receive": "It stands in the policy that SNS gives every topic, where it does nothing.",
}
"""Actions that the data no longer has, and why they stand there."""


def test_every_required_type_of_an_action_is_granted_to_each_role_that_has_it(
    template: Template,
) -> None:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for owner, name, arn in granted(template):
        if "*" not in name and _is_a_roles(template, owner):
            found[owner, name].append(arn)
    missing = {
        (owner, name, kind)
        for (owner, name), on in found.items()
        for kind in required(name)
        if not any(arn == "*" or kind in types(name, arn) for arn in on) and kind not in OTHER
    }
    assert len(found) > 250
    assert missing == set()


OTHER = {
    "express": "An execution of a machine that is express, of which the stack has none.",
}
"""Types that the data calls required where they are an alternative, and why they are not ours."""


def test_no_action_is_granted_on_a_type_that_it_does_not_have(template: Template) -> None:
    beyond = {
        (name, kind)
        for _, name, arn in granted(template)
        if arn != "*" and "*" not in name and name not in UNLISTED
        for kind in _beyond(name, arn)
    }
    assert beyond == set(BEYOND)


def _beyond(name: str, arn: str) -> set[str]:
    """Return what an ARN is, where the action has no such type."""
    found = types(name, arn)
    own = {one["name"] for one in action(name)["resourceTypes"]}
    return set() if found & own else set(found or {arn})


EVERYWHERE = {
    "cloudwatch:DescribeAlarms": (
        "Composite alarms are told of only with the permission on *, says the API's own page: "
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"
    ),
}
"""What the data has a type for, and another page of AWS's asks to be granted on everything."""


def test_a_role_may_do_everywhere_only_what_no_type_is_required_for(template: Template) -> None:
    everywhere = {
        name
        for owner, name, arn in granted(template)
        if arn == "*" and _is_a_roles(template, owner) and not name.startswith("sts:")
    }
    assert "personalize:ListSolutionVersions" in everywhere
    assert {name for name in everywhere if required(name)} == EVERYWHERE.keys()


def _is_a_roles(template: Template, owner: str) -> bool:
    return bool(template["Resources"][owner]["Type"] == "AWS::IAM::Role")


def test_every_condition_key_is_one_of_the_action_or_of_its_resource(template: Template) -> None:
    wrong = {
        (owner, name, key)
        for owner, statement in statements(template)
        for key in {key for one in statement.get("Condition", {}).values() for key in one}
        if key.lower() not in GLOBAL_KEYS
        for name in listed(statement["Action"])
        for one in expanded(name)
        if key not in _keys(one)
    }
    assert wrong == set()


def _keys(name: str) -> set[str]:
    """Return the condition keys of an action, and those of its types of resources."""
    found = action(name)
    service = name.partition(":")[0].lower()
    own = {key for one in found["resourceTypes"] for key in one.get("conditionKeys", ())}
    of_types = {key for one in found["resourceTypes"] for key in keys(service, one["name"])}
    return {*found["conditionKeys"], *own, *of_types}


@pytest.mark.parametrize(
    ("service", "arn", "found"),
    [
        ("personalize", "arn:aws:personalize:us-east-1:1:dataset/a/ITEMS", {"dataset"}),
        ("personalize", "arn:aws:personalize:us-east-1:1:dataset-group/*", {"datasetGroup"}),
        ("personalize", "arn:aws:personalize:::recipe/*", {"recipe"}),
        ("personalize", "arn:aws:personalize:us-east-1:1:recipe/*", set()),
        ("s3", "arn:aws:s3:::data", {"bucket"}),
        ("s3", "arn:aws:s3:::data/train/*", {"object"}),
        ("states", "arn:aws:states:us-east-1:1:execution:m:*", {"execution"}),
        ("logs", "arn:aws:logs:us-east-1:1:log-group:g:*", {"log-stream"}),
    ],
)
def test_an_arn_is_of_the_types_that_its_pattern_can_be(
    service: str, arn: str, found: set[str]
) -> None:
    assert kinds(service, arn) >= found
    assert bool(kinds(service, arn)) == bool(found)


def test_a_reference_becomes_the_arn_that_it_is_of() -> None:
    template = {"Resources": {"Data": {"Type": "AWS::S3::Bucket"}}}
    place = {"Fn::Join": ["", [{"Fn::GetAtt": ["Data", "Arn"]}, "/train/*"]]}
    assert resolved(template, place) == "arn:aws:s3:::Data/train/*"
