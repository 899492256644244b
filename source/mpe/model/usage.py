"""Operational metrics: what a stack may report of its use, and nothing else.

A report has counts of resource types, an outcome and a duration. It has no name, ARN, account,
region, address or text of any kind: what is not written down here is not sent.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

SOLUTION = "maintaining-personalized-experiences"


def usage_report(
    detail: Mapping[str, Any], *, version: str, installation: str, now: datetime
) -> dict[str, Any]:
    """Return the report of a run from its event.

    ``installation`` is something that only this stack has; a digest of it tells reports of
    the same stack from others', and not which stack it is.
    """
    changes = Counter(str(one["Resource"]) for one in detail["Changes"])
    return {
        "Solution": SOLUTION,
        "Version": version,
        "UUID": hashlib.sha256(installation.encode()).hexdigest()[:32],
        "TimeStamp": now.strftime("%Y-%m-%d %H:00:00"),
        "Data": {
            "Run": str(detail["Task"]).partition(".")[0] if "Task" in detail else "config",
            "Status": detail["Status"],
            "Minutes": round(detail["Duration"] / 60),
            "Changes": dict(sorted(changes.items())),
            "Kept": detail["Kept"],
            "Failed": detail["Failed"],
        },
    }
