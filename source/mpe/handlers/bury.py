"""A run was killed, ran out of time or could not report: tell so, and give its turn back.

Step Functions tells EventBridge of every execution's end
(https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html).
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.handlers.finish import from_settings
from mpe.handlers.settings import LOGGER

MOST = 2000
"""How many characters of a cause are told."""
WORDS = {
    "FAILED": "the execution failed before it could report",
    "ABORTED": "the execution was stopped by somebody",
    "TIMED_OUT": "the execution took longer than it may",
}


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Finish the run of an execution that could not do it itself."""
    detail = event["detail"]
    run = json.loads(detail["input"])["run"]
    LOGGER.set_correlation_id(run["id"])
    status = detail["status"]
    cause = ": ".join(filter(None, (WORDS.get(status, status), detail.get("cause"))))
    crash = {"error": status, "cause": cause[:MOST], "resource": "the workflow"}
    redriven = detail.get("redriveCount") or 0
    verdict = from_settings()(run, detail["executionArn"], [crash], killed=True, redriven=redriven)
    LOGGER.info("buried", extra={"verdict": verdict})
    return verdict
