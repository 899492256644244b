"""What is measured: models, runs and durations, as CloudWatch metrics.

Written to the log in the embedded metric format, which CloudWatch turns into metrics
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from mpe.handlers.settings import LOGGER

NAMESPACE = "PersonalizedExperiences"
"""The infrastructure's dashboard and alarms read this namespace."""


class Gauges(Protocol):
    """Publish measurements of one stack."""

    def model(self, group: str, solution: str, metrics: Mapping[str, float]) -> None:
        """Publish the offline metrics of a solution's new version."""

    def recommender(
        self, group: str, name: str, metrics: Mapping[str, float], *, doubted: bool
    ) -> None:
        """Publish the metrics of a recommender's new model, and whether the gate would hold it."""

    def took(self, group: str, noun: str, seconds: float) -> None:
        """Publish how many seconds the service took for a resource."""

    def waited(self, group: str, noun: str, seconds: float) -> None:
        """Publish how many seconds a resource waited for a quota or a throttle."""

    def run(self, group: str, *, failed: bool, seconds: float) -> None:
        """Publish the outcome of a run."""

    def rejected(self, problems: int) -> None:
        """Publish that a config was rejected."""

    def rolled_back(self, group: str, campaign: str) -> None:
        """Publish that the gate has rolled a campaign back."""

    def tended(self, waits: int, old: int) -> None:
        """Publish how many campaigns wait long for a person, and serve an old model."""


class Emf:
    """Publish through the function's log."""

    def __init__(self, stack: str) -> None:
        self._stack = stack

    def model(self, group: str, solution: str, metrics: Mapping[str, float]) -> None:
        found = {name: (MetricUnit.NoUnit, value) for name, value in metrics.items()}
        self._put(found, DatasetGroup=group, Solution=solution)

    def recommender(
        self, group: str, name: str, metrics: Mapping[str, float], *, doubted: bool
    ) -> None:
        found = {key: (MetricUnit.NoUnit, value) for key, value in metrics.items()}
        self._put(found, DatasetGroup=group, Recommender=name)
        self._put({"WorseRecommenders": (MetricUnit.Count, float(doubted))})

    def took(self, group: str, noun: str, seconds: float) -> None:
        found = {"ResourceDuration": (MetricUnit.Seconds, seconds)}
        self._put(found, DatasetGroup=group, ResourceType=noun)

    def waited(self, group: str, noun: str, seconds: float) -> None:
        found = {"ResourceWait": (MetricUnit.Seconds, seconds)}
        self._put(found, DatasetGroup=group, ResourceType=noun)

    def run(self, group: str, *, failed: bool, seconds: float) -> None:
        found = {
            "Runs": (MetricUnit.Count, 1.0),
            "FailedRuns": (MetricUnit.Count, float(failed)),
            "RunDuration": (MetricUnit.Seconds, seconds),
        }
        self._put(found)
        self._put(found, DatasetGroup=group)

    def rejected(self, problems: int) -> None:
        found = {
            "RejectedConfigs": (MetricUnit.Count, 1.0),
            "ConfigProblems": (MetricUnit.Count, float(problems)),
        }
        self._put(found)

    def rolled_back(self, group: str, campaign: str) -> None:
        found = {"Rollbacks": (MetricUnit.Count, 1.0)}
        self._put(found)
        self._put(found, DatasetGroup=group, Campaign=campaign)

    def tended(self, waits: int, old: int) -> None:
        found = {
            "HeldModels": (MetricUnit.Count, float(waits)),
            "OldModels": (MetricUnit.Count, float(old)),
        }
        self._put(found)

    def _put(self, found: Mapping[str, tuple[MetricUnit, float]], **dimensions: str) -> None:
        """Write one line, without what is no number: CloudWatch takes none of a line that has it.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
        """
        kept = {name: one for name, one in found.items() if math.isfinite(one[1])}
        if len(kept) < len(found):
            LOGGER.warning("not measured", extra={"metrics": sorted(found.keys() - kept.keys())})
        if not kept:
            return
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension("Stack", self._stack)
        for name, value in dimensions.items():
            metrics.add_dimension(name, value)
        for name, (unit, amount) in kept.items():
            metrics.add_metric(name=name, unit=unit, value=amount)
        metrics.flush_metrics()
