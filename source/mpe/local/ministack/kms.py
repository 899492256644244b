"""What the policy of a key says: asked of MiniStack's evaluator, which the services do not ask."""

from __future__ import annotations

KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:ListGrants",
)
"""What the policy of a key must allow the service."""


def key_lets(service: str, key_arn: str, action: str, *, account: str) -> bool:
    """Tell whether a key's policy allows a service an action."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.services import kms

    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=key_arn,
        region=key_arn.split(":")[3],
        service_context={"aws:sourceaccount": account},
    )
    policy, _ = kms.key_policy_for_arn(key_arn)
    allowed = evaluate_resource_policy(policy, context, service=service)
    return str(allowed.decision) == "Allow"
