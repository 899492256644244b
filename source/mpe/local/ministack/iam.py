"""IAM's decisions: each is kept, and services ask about roles as AWS's do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mpe.local.kept import Call, Calls
from mpe.local.ministack.difference import Difference

POLICIES = 1024
"""How many policies are kept as they were read."""


def keep_decisions(calls: Calls) -> None:
    """Take note of every decision that MiniStack asks its evaluator for."""
    from ministack.core import iam_evaluator

    enforce = iam_evaluator.enforce

    def enforce_and_keep(
        key: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        found = enforce(key, iam_action, service, region, resource_arn, service_context)
        caller = iam_evaluator.resolve_caller_identity(key) or {}
        role = _role_of(str(caller.get("userArn", "")))
        if role and not isinstance(found, iam_evaluator.AuthError):
            calls.add(Call(role, iam_action, resource_arn, allowed=found is None))
        return found

    iam_evaluator.enforce = enforce_and_keep


def read_policies_once() -> None:
    """Read the text of a policy once, and not twice for each request of whom it is attached to.

    Its statements are only looked at.
    """
    from ministack.core import iam_evaluator

    read = iam_evaluator.parse_policy_document
    kept = lru_cache(POLICIES)(read)
    iam_evaluator.parse_policy_document = lambda one: (kept if isinstance(one, str) else read)(one)


def denied_to(role_arn: str, action: str, resource: str, calls: Calls) -> str | None:
    """Return why a role may not do something, in IAM's words, or None where it may.

    The decision is kept in ``calls``.
    """
    from ministack.core import iam_evaluator

    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3],
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    allowed = str(iam_evaluator.evaluate(context, policies).decision) == "Allow"
    calls.add(Call(name, action, resource, allowed))
    return None if allowed else refusal(context.principal_arn, action, resource)


def refusal(principal: str, action: str, resource: str) -> str:
    """Return IAM's words for what no policy of a principal allows."""
    return (
        f"User: {principal} is not authorized to perform: {action} on resource: "
        f"{resource} because no identity-based policy allows the {action} action"
    )


def name_roles() -> None:
    """Let ``aws:PrincipalArn`` be the role of a session, and not the session."""
    from ministack.core import iam_evaluator

    resolve = iam_evaluator._resolve_condition_key

    def resolve_role(key: str, context: Any) -> Any:
        found = resolve(key, context)
        if key.lower() == "aws:principalarn" and _role_of(str(found)):
            return f"arn:aws:iam::{context.principal_account}:role/{_role_of(str(found))}"
        return found

    iam_evaluator._resolve_condition_key = resolve_role


def _role_of(arn: str) -> str:
    """Return the role of a session, or nothing where it is none."""
    _, found, rest = arn.partition(":assumed-role/")
    return rest.split("/")[0] if found else ""


def trusts(role_arn: str, service: str, source: str, region: str) -> bool:
    """Tell whether a role lets a service of its account assume it, on behalf of a resource."""
    role = _role(role_arn, source.split(":")[4])
    if role is None:
        return False
    policy = _on_anything(role)
    return lets(policy, service, "sts:AssumeRole", resource="*", source=source, region=region)


def lets(
    policy: Any,
    service: str,
    action: str,
    *,
    resource: str,
    source: str,
    region: str = "",
    **context: str,
) -> bool:
    """Tell whether a resource's policy allows a service an action, on behalf of a resource.

    The service says whose that is, as against the confused deputy:
    https://docs.aws.amazon.com/personalize/latest/dg/cross-service-confused-deputy-prevention.html
    """
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

    account = source.split(":")[4]
    asked = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source, **context},
    )
    return str(evaluate_resource_policy(policy, asked, service=service).decision) == "Allow"


def _role(role_arn: str, account: str) -> dict[str, Any] | None:
    from ministack.services import iam

    found: dict[str, Any] | None = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    return found if found and found.get("Arn") == role_arn else None


def _on_anything(role: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trust policy as the evaluator reads a resource's: with a resource named."""
    policy = role.get("AssumeRolePolicyDocument", "{}")
    policy = json.loads(policy) if isinstance(policy, str) else policy
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {"Statement": [{**one, "Resource": "*"} for one in statements]}


DIFFERENCES = (
    Difference(
        aws="CloudTrail can tell what was asked in whose name, and what was denied",
        alone="no decision is kept",
        page="https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
        test="test_iam.py::test_alone_no_decision_is_kept",
        make_good=lambda start: keep_decisions(start.calls),
    ),
    Difference(
        aws="aws:PrincipalArn is the ARN of the role, whatever its session is called",
        alone="it is the ARN of the session",
        page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn",
        test="test_iam.py::test_alone_the_principal_of_a_session_is_the_session",
        make_good=lambda start: name_roles(),
    ),
    Difference(
        aws="what a policy costs is nothing of this machine's",
        alone="each request reads anew all policies of the role that asks, twice",
        page=None,
        test="test_iam.py::test_alone_policies_are_read_anew_for_each_request",
        make_good=lambda start: read_policies_once(),
    ),
)
