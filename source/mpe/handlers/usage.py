"""Report a run's use of the stack, where whoever deployed it has not opted out."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.handlers.settings import LOGGER, setting
from mpe.model.usage import usage_report

SECONDS = 5


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the report of one run; that it cannot be sent harms nothing and is noted."""
    report = usage_report(
        event["detail"],
        version=setting("VERSION"),
        installation=setting("INSTALLATION"),
        now=datetime.now(UTC),
    )
    return {"sent": send(setting("ENDPOINT"), report)}


def send(endpoint: str, report: Mapping[str, Any]) -> bool:
    """Post a report as JSON, and return whether it was taken."""
    body = json.dumps(report).encode()
    request = urllib.request.Request(endpoint, body, {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=SECONDS).close()  # raises what is no success
    except (OSError, HTTPException) as error:
        LOGGER.info("not reported", extra={"error": str(error)})
        return False
    return True
