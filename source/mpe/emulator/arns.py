"""The ARNs of new resources, as far as a request tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARTS = {
    "DatasetGroup": "dataset-group",
    "Schema": "schema",
    "DatasetImportJob": "dataset-import-job",
    "DatasetExportJob": "dataset-export-job",
    "DataDeletionJob": "data-deletion-job",
    "EventTracker": "event-tracker",
    "Filter": "filter",
    "Solution": "solution",
    "Campaign": "campaign",
    "Recommender": "recommender",
    "BatchInferenceJob": "batch-inference-job",
    "BatchSegmentJob": "batch-segment-job",
    "MetricAttribution": "metric-attribution",
}
"""The first part of the ARN's resource, by resource type."""
NEW = "new"
"""What stands for an id that is not minted yet, where IAM checks a creation."""


def arn(resource: str, account: str, region: str) -> str:
    """Return the ARN of a resource from its resource part."""
    return f"arn:aws:personalize:{region}:{account}:{resource}"


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
    return arn(f"{PARTS.get(noun, noun)}/{name}", account, region)


def last(value: str) -> str:
    """Return the last part of an ARN: a name."""
    return value.rsplit("/", 1)[-1]
