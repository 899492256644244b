"""Executions of a state machine: each started once, and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.executions import Executions

PLACE = "arn:aws:states:us-east-1:123456789012:"
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
NOBODY = f"{PLACE}execution:machine:nobody"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        made = boto3.client("stepfunctions", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/states"
        made.create_state_machine(name="machine", definition=json.dumps(WAITS), roleArn=role)
        yield made


def start(client: Any, name: str = "one", **given: Any) -> bool:
    machine = f"{PLACE}stateMachine:machine"
    return Executions(client).start(machine, name, given or {"run": {"id": "r", "group": "films"}})


def arn(name: str = "one") -> str:
    return f"{PLACE}execution:machine:{name}"


def test_an_execution_is_started_by_its_name_with_what_it_is_given(client: Any) -> None:
    assert start(client, b=1, a={"d": 2, "c": 3})
    found = client.describe_execution(executionArn=arn())
    assert found["input"] == '{"a": {"c": 3, "d": 2}, "b": 1}', "the same however it was put"


def test_a_name_that_is_taken_starts_nothing(client: Any) -> None:
    assert start(client, run=1)
    assert not start(client, run=2)
    machine = f"{PLACE}stateMachine:machine"
    assert len(client.list_executions(stateMachineArn=machine)["executions"]) == 1
    assert start(client, "two", run=2)


def test_a_start_that_fails_otherwise_is_an_error(client: Any) -> None:
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        Executions(client).start(f"{PLACE}stateMachine:other", "one", {})


def test_an_execution_runs_until_it_is_stopped_and_says_when(client: Any) -> None:
    executions = Executions(client)
    start(client)
    assert executions.running(arn())
    assert executions.known(arn())
    assert executions.ended(arn()) is None
    client.stop_execution(executionArn=arn())
    assert not executions.running(arn())
    assert executions.known(arn())
    stopped = client.describe_execution(executionArn=arn())["stopDate"]
    assert executions.ended(arn()) == stopped


def test_an_execution_that_is_forgotten_neither_runs_nor_ended(client: Any) -> None:
    executions = Executions(client)
    assert not executions.running(NOBODY)
    assert not executions.known(NOBODY)
    assert executions.ended(NOBODY) is None


def test_who_holds_a_turn_at_the_command_line_runs_for_all_that_is_known() -> None:
    nobody = Executions(None)
    assert nobody.running("approve:films:me")
    assert nobody.ended("approve:films:me") is None


class Telling:
    """Step Functions with one answer."""

    def __init__(self, status: str = "", error: str = "") -> None:
        self.status, self.error = status, error

    def describe_execution(self, executionArn: str) -> Any:
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "DescribeExecution")
        return {"executionArn": executionArn, "status": self.status}


@pytest.mark.parametrize(
    ("status", "runs"),
    [("RUNNING", True), ("PENDING_REDRIVE", True), ("SUCCEEDED", False), ("TIMED_OUT", False)],
)
def test_one_that_is_about_to_be_redriven_runs(status: str, runs: bool) -> None:
    assert Executions(Telling(status)).running(arn()) is runs


def test_who_may_not_ask_is_told_so_and_takes_nothing_for_forgotten() -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        Executions(Telling(error="AccessDeniedException")).running(arn())
