"""What each resource type asks for, answers and does, one module per family."""

from mpe.emulator.resources.attribution import MetricAttributionKind
from mpe.emulator.resources.base import Kind
from mpe.emulator.resources.batch import BatchInferenceJobKind, BatchSegmentJobKind
from mpe.emulator.resources.groups import DatasetGroupKind, DatasetKind, SchemaKind
from mpe.emulator.resources.imports import DatasetImportJobKind
from mpe.emulator.resources.recommenders import RecommenderKind
from mpe.emulator.resources.serving import CampaignKind
from mpe.emulator.resources.solutions import SolutionKind, SolutionVersionKind
from mpe.emulator.resources.upkeep import DataDeletionJobKind, DatasetExportJobKind
from mpe.emulator.resources.using import EventTrackerKind, FilterKind

KINDS: dict[str, Kind] = {
    kind.noun: kind
    for kind in (
        DatasetGroupKind(),
        SchemaKind(),
        DatasetKind(),
        DatasetImportJobKind(),
        EventTrackerKind(),
        FilterKind(),
        SolutionKind(),
        SolutionVersionKind(),
        CampaignKind(),
        RecommenderKind(),
        BatchInferenceJobKind(),
        BatchSegmentJobKind(),
        DatasetExportJobKind(),
        DataDeletionJobKind(),
        MetricAttributionKind(),
    )
}
"""The resource types that are emulated, by noun."""

__all__ = ["KINDS", "Kind"]
