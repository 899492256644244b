"""What a workflow may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
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


def test_alone_a_workflow_calls_what_its_role_may_not(alone: Alone) -> None:
    ended = called(alone, function_in(alone, "called", "def handler(event, context): return 1"))
    assert ended["status"] == "SUCCEEDED"
