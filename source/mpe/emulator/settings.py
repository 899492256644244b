"""How long things take and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Durations:
    """Typical durations in the service's seconds.

    The developer guide's samples wait up to 15 minutes for a dataset group and hours for
    imports and training; campaigns take minutes.
    """

    create: dict[str, float] = field(
        default_factory=lambda: {
            "DatasetGroup": 30,
            "Schema": 0,
            "Dataset": 60,
            "DatasetImportJob": 900,
            "EventTracker": 15,
            "Filter": 15,
            "Solution": 10,
            "SolutionVersion": 3600,
            "Campaign": 600,
            "Recommender": 3600,
            "BatchInferenceJob": 1200,
            "BatchSegmentJob": 1200,
            "DatasetExportJob": 900,
            "DataDeletionJob": 4 * 3600,
            "MetricAttribution": 15,
        }
    )
    update: dict[str, float] = field(
        default_factory=lambda: {"Dataset": 30, "Solution": 10, "Campaign": 600, "Recommender": 600}
    )
    delete: float = 20
    start_stop: float = 60
    first_training: float = 3600
    """By when the service has begun to train a new solution by itself."""
    pending: float = 0.1
    """The share of a duration that is spent pending."""


@dataclass(frozen=True)
class Quotas:
    """How many resources of a type there may be (https://docs.aws.amazon.com/personalize/latest/dg/limits.html)."""

    dataset_groups: int = 5
    schemas: int = 500
    importing: int = 5
    solutions: int = 10
    """Per dataset group."""
    campaigns: int = 5
    """Per dataset group."""
    recommenders: int = 5
    """Per dataset group."""
    filters: int = 30
    """Per dataset group."""
    training: int = 20
    batch_jobs: int = 5
    """Batch inference jobs, and as many batch segment jobs, at the same time."""
    deletions: int = 5
    """Per dataset group, at the same time."""


def utcnow() -> datetime:
    return datetime.now(UTC)


class FakeClock:
    """A clock for tests, which passes only when told to."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
