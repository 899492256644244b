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
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from mpe.local.ministack import trusts

LOG = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
STATES, SCHEDULER = "states.amazonaws.com", "scheduler.amazonaws.com"
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

    def denied(self, role_arn: str, action: str, resource: str) -> str | None:
        """Return why a role may not do something, in IAM's words, or None where it may."""
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
        self.add(Call(name, action, resource, allowed))
        if allowed:
            return None
        return (
            f"User: {context.principal_arn} is not authorized to perform: {action} on resource: "
            f"{resource} because no identity-based policy allows the {action} action"
        )


def _role_of(arn: str) -> str:
    """Return the role of a session, or nothing where it is none."""
    _, found, rest = arn.partition(":assumed-role/")
    return rest.split("/")[0] if found else ""


_machine: ContextVar[Mapping[str, str] | None] = ContextVar("machine", default=None)


def check_workflows(calls: Calls) -> None:
    """Let Step Functions do in a task only what its machine's role may.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
    """
    from ministack.services import stepfunctions

    execute, invoke = stepfunctions._execute_task, stepfunctions._invoke_resource

    def execute_for_machine(
        state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any
    ) -> Any:
        token = _machine.set(stepfunctions._state_machines[execution["stateMachineArn"]])
        try:
            return execute(state, given, execution, context)
        finally:
            _machine.reset(token)

    def invoke_if_allowed(resource: str, given: Any) -> Any:
        machine = _machine.get()
        denied = _refusal_of_task(calls, machine, resource, given) if machine else None
        if denied:
            raise stepfunctions._ExecutionError(_error(resource), denied)
        return invoke(resource, given)

    stepfunctions._execute_task = execute_for_machine
    stepfunctions._invoke_resource = invoke_if_allowed


def _refusal_of_task(
    calls: Calls, machine: Mapping[str, str], resource: str, given: Mapping[str, Any]
) -> str | None:
    role, own = machine["roleArn"], machine["stateMachineArn"]
    if not trusts(role, STATES, own, own.split(":")[3]):
        return f"{STATES} may not assume the role {role}"
    asked = (calls.denied(role, action, on) for action, on in _needed(resource, given))
    return next((denied for denied in asked if denied), None)


def _needed(resource: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a task needs: each action, and on which resource.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    if ":lambda:invoke" in resource:
        yield "lambda:InvokeFunction", given["FunctionName"]
    if ":states:startExecution" in resource:
        machine = given["StateMachineArn"]
        yield "states:StartExecution", machine
        if ".sync" in resource:
            run = machine.replace(":stateMachine:", ":execution:") + ":any"
            yield "states:DescribeExecution", run
            yield "states:StopExecution", run
            rule = ":".join([*machine.split(":")[:5], RULE]).replace(":states:", ":events:")
            for action in ("PutTargets", "PutRule", "DescribeRule"):
                yield f"events:{action}", rule


def _error(resource: str) -> str:
    """Return the name of the error of a task whose call was refused."""
    if ":lambda:" in resource:
        return "Lambda.AWSLambdaException"
    return "StepFunctions.AWSStepFunctionsException"


def check_schedules(calls: Calls) -> None:
    """Let a schedule be made only by who may pass its role, and start only what the role may.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html
    """
    _check_passing()
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target

    def invoke_if_allowed(
        target: dict[str, Any], event: Any, rule: dict[str, Any], *more: Any
    ) -> Any:
        if "ScheduleExpressionTimezone" in rule:
            denied = _refusal_of_target(calls, target, rule)
            if denied:
                LOG.error("the schedule %s cannot start its target: %s", rule["Arn"], denied)
                return None
        return invoke(target, event, rule, *more)

    eventbridge._invoke_target = invoke_if_allowed


def _refusal_of_target(
    calls: Calls, target: Mapping[str, Any], schedule: Mapping[str, Any]
) -> str | None:
    role, arn = target["RoleArn"], target["Arn"]
    region = arn.split(":")[3]
    group = schedule["Arn"].replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]
    if not trusts(role, SCHEDULER, group, region):
        return f"{SCHEDULER} may not assume the role {role}"
    return calls.denied(role, TARGETS[arn.split(":")[2]], arn)


def _check_passing() -> None:
    """Ask IAM whether who makes or changes a schedule may pass the target's role."""
    import ministack.app
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id

    handle: Handler = ministack.app.SERVICE_HANDLERS["scheduler"]

    async def handle_if_allowed(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        role = _passed(method, path, body)
        if role:
            denied = iam_evaluator.enforce(
                extract_access_key_id(headers, query),
                "iam:PassRole",
                "iam",
                get_region(),
                resource_arn=role,
                service_context={"iam:PassedToService": SCHEDULER},
            )
            if denied:
                return _denied(role)
        return await handle(method, path, headers, body, query)

    ministack.app.SERVICE_HANDLERS["scheduler"] = handle_if_allowed


def _passed(method: str, path: str, body: bytes) -> str | None:
    """Return the role that a request hands to Scheduler."""
    if method not in {"POST", "PUT"} or not path.startswith("/schedules/"):
        return None
    target = json.loads(body or b"{}").get("Target") or {}
    return target.get("RoleArn")


def _denied(role: str) -> Answer:
    kind = "AccessDeniedException"
    told = {
        "__type": kind,
        "Message": f"not authorized to perform: iam:PassRole on resource: {role}",
    }
    headers = {"Content-Type": "application/json", "x-amzn-errortype": kind}
    return 403, headers, json.dumps(told).encode()
