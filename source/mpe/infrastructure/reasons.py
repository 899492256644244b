"""Reasons for what cdk-nag's rules would refuse, each beside the resource that it is for.

A wildcard in a policy must be explained where it is granted: there is no blanket exception.
"""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def accept(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding of cdk-nag on a construct, for a reason."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))


def accept_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Accept one resource with a wildcard in a policy, for a reason."""
    accept(construct, f"AwsSolutions-IAM5[Resource::{_written(construct, resource)}]", reason)


def _written(construct: IConstruct, resource: str) -> str:
    """Write a resource as cdk-nag does: references in angle brackets."""
    return _flat(Stack.of(construct).resolve(resource))


def _flat(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_flat(part) for part in parts)
        case _:
            return json.dumps(value, separators=(",", ":"))
