"""What each role asks for and what IAM says, and the checks that MiniStack does not make.

Every decision is kept, so that a test can tell what was denied and what was granted in vain.
MiniStack's evaluator decides, but MiniStack does not ask it everywhere that AWS does:

* A workflow calls functions and starts workflows in the name of its machine's role.
* Scheduler calls a target in the name of the schedule's role, which must be passed to it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

LOG = logging.getLogger(__name__)
SCHEDULER = "scheduler.amazonaws.com"
TARGETS = {"states": "states:StartExecution", "sqs": "sqs:SendMessage"}
"""The action that Scheduler takes on a target, by the service in its ARN."""
RULE = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The rule by which Step Functions hears of the end of an execution that it started."""


@dataclass(frozen=True)
class Call:
    """One thing that a role asked for."""

    role: str
    action: str
    resource: str
    allowed: bool


class Calls:
    """Keep what was asked in the name of each role, and what IAM said."""

    def __init__(self) -> None:
        self._calls: Counter[Call] = Counter()
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls[call] += 1

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**asdict(call), "times": times} for call, times in self._calls.items()]

    def listen(self) -> None:
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
                self.add(Call(role, iam_action, resource_arn, allowed=found is None))
            return found

        iam_evaluator.enforce = enforce_and_keep

    def denial(
        self, role_arn: str, service: str, checks: Sequence[tuple[str, str]], region: str
    ) -> str | None:
        """Return why a service may not do something in a role's name, or None where it may."""
        for action, resource in checks:
            allowed = _allows(role_arn, service, action, resource, region)
            self.add(Call(role_arn.rsplit("/", 1)[-1], action, resource, allowed))
            if not allowed:
                return (
                    f"{role_arn} is not authorized to perform: {action} on resource: {resource}"
                )
        return None


def _role_of(arn: str) -> str:
    """Return the role of a session, or nothing where it is none."""
    _, found, rest = arn.partition(":assumed-role/")
    return rest.split("/")[0] if found else ""


def _allows(role_arn: str, service: str, action: str, resource: str, region: str) -> bool:
    """Tell whether a role trusts a service, and lets it take an action."""
    from ministack.core.iam_evaluator import (
        EvalContext,
        _gather_role_policies,
        evaluate,
        evaluate_resource_policy,
    )

    from mpe.local.ministack import _on_anything, _role

    account = role_arn.split(":")[4]
    role = _role(role_arn, account)
    if role is None:
        return False
    trust = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=region,
        service_context={"aws:sourceaccount": account},
    )
    return True
