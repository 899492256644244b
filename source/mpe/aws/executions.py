"""Step Functions executions: start one exactly once, and ask whether one still runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


class Executions:
    """Start and look at executions through a boto3 ``stepfunctions`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        """Start an execution and return whether it is new.

        A name is good once in 90 days, so that a duplicate event starts nothing
        (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
        """
        try:
            self._client.start_execution(
                stateMachineArn=machine, name=name, input=json.dumps(given, sort_keys=True)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def running(self, execution: str) -> bool:
        """Tell whether an execution is under way; one that is forgotten is not.

        A holder of a turn that is no execution is somebody at the command line: nobody can
        tell but the turn's own end.
        """
        if not execution.startswith("arn:"):
            return True
        return self._status(execution) in {"RUNNING", "PENDING_REDRIVE"}

    def known(self, execution: str) -> bool:
        """Tell whether there is, or lately was, such an execution."""
        return self._status(execution) is not None

    def _status(self, execution: str) -> str | None:
        try:
            return str(self._client.describe_execution(executionArn=execution)["status"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
