"""What the policy of a key says: asked of MiniStack's evaluator, which the services do not ask."""

from __future__ import annotations

from mpe.local.ministack.iam import lets

KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:ListGrants",
)
"""What the policy of a key must allow the service."""
EXPORT_ACTION = "kms:GenerateDataKeyWithoutPlaintext"
"""What it must allow as well where an encrypted group's data is exported."""


def key_lets(service: str, key_arn: str, action: str, *, source: str) -> bool:
    """Tell whether a key's policy allows a service an action, on behalf of a resource."""
    from ministack.services import kms

    policy, _ = kms.key_policy_for_arn(key_arn)
    return lets(policy, service, action, resource=key_arn, source=source)
