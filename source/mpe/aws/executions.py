"""Step Functions executions: start one exactly once, and ask whether one still runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
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

    def ended(self, execution: str) -> datetime | None:
        """Return when an execution ended, or None where it runs or nobody knows."""
        if not execution.startswith("arn:"):
            return None
        found = self._described(execution) or {}
        stopped: datetime | None = found.get("stopDate")
        return stopped

    def known(self, execution: str) -> bool:
        """Tell whether there is, or lately was, such an execution."""
        return self._status(execution) is not None

    def _status(self, execution: str) -> str | None:
        found = self._described(execution)
        return str(found["status"]) if found else None

    def _described(self, execution: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._client.describe_execution(executionArn=execution)
            return found
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
