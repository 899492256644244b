"""Step Functions: what a workflow may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from mpe.local.kept import Calls
from mpe.local.ministack.difference import Difference
from mpe.local.ministack.iam import denied_to, trusts

SERVICE = "states.amazonaws.com"
RULE = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The rule by which Step Functions hears of the end of an execution that it started."""

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
    if not trusts(role, SERVICE, own, own.split(":")[3]):
        return f"{SERVICE} may not assume the role {role}"
    asked = (denied_to(role, action, on, calls) for action, on in _needed(resource, given))
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


def wrap_failures() -> None:
    """Let an execution that a workflow follows fail as in AWS: with its description as the cause.

    So it is in events that AWS sent, such as one of 2024 that somebody's error handler is tried
    with, and so LocalStack has it, whose tests are validated against AWS (localstack/localstack,
    state_task_service_sfn.py; test_start_execution_sync_delegate_failure in
    tests/aws/services/stepfunctions/v2/services/test_sfn_task_service.py).
    """
    from ministack.services import stepfunctions

    stepfunctions._nested_execution_failure = lambda found: ("States.TaskFailed", described(found))


def described(execution: Mapping[str, Any]) -> str:
    """Return an execution that did not succeed as Step Functions writes it into a cause.

    Names are in alphabetical order, times in milliseconds, and what is not there is left out.
    """
    told = {
        "Cause": execution.get("cause"),
        "Error": execution.get("error"),
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE",
        "StartDate": _milliseconds(execution["startDate"]),
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": _milliseconds(execution["stopDate"]),
    }
    there = {name: value for name, value in told.items() if value not in (None, "")}
    return json.dumps(there, separators=(",", ":"))


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)


def _error(resource: str) -> str:
    """Return the name of the error of a task whose call was refused."""
    if ":lambda:" in resource:
        return "Lambda.AWSLambdaException"
    return "StepFunctions.AWSStepFunctionsException"


def evaluate_times() -> None:
    """Let a task take as long as an expression says."""
    from ministack.services import stepfunctions

    execute = stepfunctions._execute_task

    def execute_in_time(
        state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any
    ) -> Any:
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = stepfunctions._jsonata_state_field(
                state, "TimeoutSeconds", "number", given, context
            )
            state = {**state, "TimeoutSeconds": seconds}
        return execute(state, given, execution, context)

    stepfunctions._execute_task = execute_in_time


def time_expressions() -> None:
    """Bound an expression by the time that its own thread spends.

    The engine is imported where it is needed: it raises the recursion limit of a whole process.
    """
    from jsonata import timebox
    from mpe.local.ministack.expressions import OwnTime

    timebox.Timebox = OwnTime


DIFFERENCES = (
    Difference(
        aws="a workflow does only what its machine's role may",
        alone="no role is asked",
        page="https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html",
        test="test_stepfunctions.py::test_alone_a_workflow_calls_what_its_role_may_not",
        make_good=lambda start: check_workflows(start.calls),
    ),
    Difference(
        aws="an execution that a workflow follows fails it with `States.TaskFailed`, and its "
        "description as the cause",
        alone="with the execution's own error and cause",
        page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html",
        test="test_stepfunctions.py::test_alone_a_followed_execution_fails_with_its_own_error",
        make_good=lambda start: wrap_failures(),
    ),
    Difference(
        aws="an expression may say how long a task takes at most",
        alone="the execution breaks down",
        page="https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html",
        test="test_stepfunctions.py::test_alone_an_expression_for_a_time_breaks_the_execution",
        make_good=lambda start: evaluate_times(),
    ),
    Difference(
        aws="an expression takes at most a second, whatever other executions do meanwhile",
        alone="a second by the clock, while every execution shares one processor with it",
        page="https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
        test="test_stepfunctions.py::test_alone_an_expression_fails_for_what_others_take",
        make_good=lambda start: time_expressions(),
    ),
)
