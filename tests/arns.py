"""The template's references as the ARNs that they become, and what such an ARN can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.authorization import arns

Json = dict[str, Any]
PLACE = "us-east-1:111122223333"
STACK = f"arn:aws:cloudformation:{PLACE}:stack/mpe/11112222-3333-4444-5555-666677778888"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AWS::StackName": "mpe",
    "AWS::StackId": STACK,
    "AWS::URLSuffix": "amazonaws.com",
    "PersonalizeKmsKeyArn": f"arn:aws:kms:{PLACE}:key/of-groups",
}
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{PLACE}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{PLACE}:{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{PLACE}:key/{{}}",
    "AWS::DynamoDB::GlobalTable": f"arn:aws:dynamodb:{PLACE}:table/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{PLACE}:function:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{PLACE}:stateMachine:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{PLACE}:log-group:{{}}:*",
    "AWS::Events::EventBus": f"arn:aws:events:{PLACE}:event-bus/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{PLACE}:rule/{{}}",
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/{}",
    "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{PLACE}:schedule-group/{{}}",
}
"""The ARN of a resource by its type; its logical id stands for its name."""
REFERRED_BY_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
"""The types whose ``Ref`` is the ARN
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ref.html)."""


def resolved(template: Json, value: Any) -> Any:
    """Return a value of a template as it is once deployed, in the account 111122223333."""
    match value:
        case {"Ref": name} if name in PSEUDO:
            return PSEUDO[name]
        case {"Ref": name}:
            kind = template["Resources"][name]["Type"]
            return ARNS[kind].format(name) if kind in REFERRED_BY_ARN else name
        case {"Fn::GetAtt": [name, "Arn"]}:
            return ARNS[template["Resources"][name]["Type"]].format(name)
        case {"Fn::GetAtt": [name, "Name"]}:
            return name
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolved(template, part) for part in parts)
        case {"Fn::Split": [separator, text]}:
            return resolved(template, text).split(separator)
        case {"Fn::Select": [index, parts]}:
            return resolved(template, parts)[int(index)]
        case dict():
            return {key: resolved(template, one) for key, one in value.items()}
        case list():
            return [resolved(template, one) for one in value]
    return value


def kinds(service: str, arn: str) -> frozenset[str]:
    """Return the types of a service's resources that an ARN, or a pattern of such, can be of."""
    found = {kind for kind, pattern in arns(service).items() if _meet(arn, _tokens(pattern))}
    # A bucket's name has no slash: what has one is an object, and the like for access points.
    return frozenset(found - ({"bucket"} if service == "s3" and "/" in arn else set()))


@cache
def _tokens(pattern: str) -> tuple[str, ...]:
    """Split the pattern of a type's ARN into letters and variables."""
    return tuple(re.findall(r"\$\{\w+\}|.", pattern))


def _meet(arn: str, tokens: tuple[str, ...]) -> bool:
    """Tell whether some ARN is matched by both: a pattern with ``*``, and a type's.

    What a variable stands for has no colon, except that it is the last.
    """
    last = len(tokens) - 1

    @cache
    def meet(at: int, to: int) -> bool:
        if at == len(arn) and to == len(tokens):
            return True
        if at < len(arn) and arn[at] == "*":
            return meet(at + 1, to) or (to < len(tokens) and meet(at, to + 1))
        if to == len(tokens):
            return False
        if len(tokens[to]) > 1:
            more = at < len(arn) and (arn[at] != ":" or (to == last and tokens[to - 1] != ":"))
            return meet(at, to + 1) or (more and meet(at + 1, to))
        return at < len(arn) and arn[at] == tokens[to] and meet(at + 1, to + 1)

    return meet(0, 0)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: Json) -> list[tuple[str, Json]]:
    """Return every statement of the template, resolved, with whom it is of.

    Those of a role's policies bear the role's name, and others that of their resource.
    """
    found: list[tuple[str, Json]] = []
    for name, resource in template["Resources"].items():
        given: Mapping[str, Any] = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Policy":
            owners = [one["Ref"] for one in given["Roles"]]
            found += [(owner, one) for owner in owners for one in _of(template, given)]
        elif "PolicyDocument" in given or "KeyPolicy" in given:
            found += [(name, one) for one in _of(template, given)]
        elif resource["Type"] == "AWS::IAM::Role":
            trust = given["AssumeRolePolicyDocument"]
            found += [(name, one) for one in resolved(template, trust["Statement"])]
    return found


def _of(template: Json, given: Mapping[str, Any]) -> list[Json]:
    document = given.get("PolicyDocument") or given["KeyPolicy"]
    found: list[Json] = resolved(template, document["Statement"])
    return found
