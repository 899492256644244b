"""What a workflow may do."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

import jsonata
from mpe.local.cloud import LocalCloud
from mpe.local.ministack.stepfunctions import time_expressions
from tests.local.conftest import role_for, wait_until
from tests.local.ministack.conftest import Alone, function_in

pytestmark = pytest.mark.local


def called(cloud: LocalCloud | Alone, function: str) -> Any:
    """Run a workflow that calls a function, which its role may not; return how it ended."""
    states = cloud.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {}},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}
    machine = states.create_state_machine(
        name="calls",
        definition=json.dumps(definition),
        roleArn=role_for(cloud, "caller", "states.amazonaws.com", "lambda:GetFunction"),
    )["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    return wait_until(
        lambda: (
            found
            if (found := states.describe_execution(executionArn=run))["status"] != "RUNNING"
            else None
        )
    )


def test_a_workflow_calls_only_what_its_role_may(cloud: LocalCloud) -> None:
    function = cloud.client("lambda").list_functions()["Functions"][0]["FunctionArn"]
    ended = called(cloud, function)
    assert ended["status"] == "FAILED"
    assert ended["error"] == "Lambda.AWSLambdaException"
    assert "not authorized to perform: lambda:InvokeFunction" in ended["cause"]


FAILS = {"Type": "Fail", "Error": "DriftError", "Cause": "the recipe differs"}


def followed(
    cloud: LocalCloud | Alone,
    state: Mapping[str, Any] = FAILS,
    name: str = "fails",
    **more: Any,
) -> Any:
    """Run a workflow that follows another, which fails; return how it ended."""
    states = cloud.client("stepfunctions")
    role = role_for(cloud, f"follower-{name}", "states.amazonaws.com", "*")

    def machine(name: str, state: Mapping[str, Any]) -> str:
        definition = {"QueryLanguage": "JSONata", "StartAt": "It", "States": {"It": state}}
        made = states.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=role
        )
        return str(made["stateMachineArn"])

    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": machine(name, state), "Input": {"some": "input"}},
        "End": True,
        **more,
    }
    run = states.start_execution(stateMachineArn=machine(f"follows-{name}", task))["executionArn"]
    return wait_until(
        lambda: (
            found
            if (found := states.describe_execution(executionArn=run))["status"] != "RUNNING"
            else None
        )
    )


REAL = ["Cause", "Error", "ExecutionArn", "Input", "InputDetails", "Name", "RedriveCount"]
REAL += ["RedriveStatus", "StartDate", "StateMachineArn", "Status", "StopDate"]
"""What a cause of December 2024 holds, in its order: see ``test_stages.py``."""


def test_a_followed_execution_fails_with_its_description(cloud: LocalCloud) -> None:
    ended = followed(cloud)
    told = json.loads(ended["cause"])
    assert ended["error"] == "States.TaskFailed"
    assert list(told) == REAL
    assert (told["Error"], told["Cause"]) == ("DriftError", "the recipe differs")
    assert json.loads(told["Input"])["some"] == "input"


def test_alone_a_followed_execution_fails_with_its_own_error(alone: Alone) -> None:
    ended = followed(alone)
    assert (ended["error"], ended["cause"]) == ("DriftError", "the recipe differs")


def test_alone_a_workflow_calls_what_its_role_may_not(alone: Alone) -> None:
    ended = called(alone, function_in(alone, "called", "def handler(event, context): return 1"))
    assert ended["status"] == "SUCCEEDED"


SLOW = {"Type": "Wait", "Seconds": 10**8, "End": True}
IN_A_SECOND = "{% $count([$states.context.Execution.Id]) %}"


def test_a_task_takes_as_long_as_an_expression_says(cloud: LocalCloud) -> None:
    ended = followed(cloud, SLOW, "slow", TimeoutSeconds=IN_A_SECOND)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


def test_alone_an_expression_for_a_time_breaks_the_execution(alone: Alone) -> None:
    ended = followed(alone, SLOW, "slow", TimeoutSeconds=IN_A_SECOND)
    assert ended["error"] != "States.Timeout"


A_MOMENT = 100
"""Milliseconds that an expression may take here: many times what one takes by itself, also where
the processor is slow or garbage is collected meanwhile."""
IS_KEPT = "[1..4].$kept($)"
RUNS_AWAY = "($on := function($n) { $on($n + 1) }; $on(0))"


def evaluated(expression: str) -> Any:
    """Evaluate an expression whose function waits for others, longer than it may take."""
    engine = jsonata.Jsonata(expression, timeout=A_MOMENT)
    engine.register_lambda("kept", lambda given: time.sleep(A_MOMENT / 2000) or given)
    return engine.evaluate(None)


@pytest.fixture
def own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonata.timebox, "Timebox", jsonata.timebox.Timebox)  # put back at the end
    time_expressions()


@pytest.mark.usefixtures("own_time")
def test_an_expression_is_not_charged_with_what_others_take() -> None:
    assert evaluated(IS_KEPT) == [1, 2, 3, 4]


@pytest.mark.usefixtures("own_time")
def test_an_expression_that_runs_away_still_ends() -> None:
    with pytest.raises(jsonata.jexception.JException) as ended:
        evaluated(RUNS_AWAY)
    assert ended.value.error == "D1012"


def test_alone_an_expression_fails_for_what_others_take() -> None:
    with pytest.raises(jsonata.jexception.JException) as ended:
        evaluated(IS_KEPT)
    assert ended.value.error == "D1012"
