"""The ARNs of new resources, as far as a request tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NEW = "new"
"""What stands for an id that is not minted yet, where IAM checks a creation."""


def arn(resource: str, account: str, region: str) -> str:
    """Return the ARN of a resource from its resource part."""
    return f"arn:aws:personalize:{region}:{account}:{resource}"


def part(noun: str) -> str:
    """Return the first part of the ARN's resource: ``data-deletion-job``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()


def created_arn(noun: str, params: Mapping[str, Any], account: str, region: str) -> str:
    """Return the ARN that a creation is authorized on."""
    if noun == "SolutionVersion":
        return str(params.get("solutionArn", "*"))
    if noun == "Dataset":
        group = last(str(params.get("datasetGroupArn", "")))
        kind = str(params.get("datasetType", "")).upper()
        return arn(f"dataset/{group}/{kind}", account, region)
    if noun == "EventTracker":
        return arn(f"event-tracker/{NEW}", account, region)
    name = params.get("name") or params.get("jobName") or ""
    return arn(f"{part(noun)}/{name}", account, region)


def last(value: str) -> str:
    """Return the last part of an ARN: a name."""
    return value.rsplit("/", 1)[-1]
