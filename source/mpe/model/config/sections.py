"""The sections of a config file as frozen values: what the user wrote, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpe.model.errors import Problem
from mpe.model.service import schedules
from mpe.model.service.recipes import RECIPES, Recipe

KINDS = ("interactions", "users", "items", "actions", "actionInteractions")


@dataclass(frozen=True)
class ResourceConfig:
    """One section of the file: ``params`` is its serviceConfig as the user wrote it."""

    path: str
    params: Mapping[str, Any]
    workflow: Mapping[str, Any]

    @property
    def max_age(self) -> int | None:
        """Seconds after which what it asks for is made anew, or None for never."""
        return schedules.seconds(str(self.workflow.get("maxAge", "")))

    @property
    def schedules(self) -> dict[str, str]:
        """The schedules by their paths in the file."""
        several: Mapping[str, str] = self.workflow.get("schedules", {})
        place = f"{self.path}.workflowConfig"
        found = {f"{place}.schedules.{name}": one for name, one in several.items()}
        if "schedule" in self.workflow:
            found[f"{place}.schedule"] = self.workflow["schedule"]
        return found


@dataclass(frozen=True)
class DatasetConfig:
    kind: str
    """``interactions``, ``users``, ``items``, ``actions`` or ``actionInteractions``."""
    dataset: ResourceConfig
    schema: ResourceConfig
    export: ResourceConfig | None = None

    @property
    def data_optional(self) -> bool:
        """Whether there need not be a CSV: the data is streamed, or comes later."""
        return bool(self.dataset.workflow.get("dataOptional", False))


@dataclass(frozen=True)
class SolutionConfig:
    solution: ResourceConfig
    version: ResourceConfig | None
    campaigns: tuple[ResourceConfig, ...]
    batch_inference_jobs: tuple[ResourceConfig, ...]
    batch_segment_jobs: tuple[ResourceConfig, ...]

    @property
    def recipe(self) -> Recipe | None:
        return RECIPES.get(str(self.solution.params.get("recipeArn")))

    def inference_jobs(self) -> Iterator[tuple[str, ResourceConfig]]:
        """Yield the batch inference jobs, each with the name that its runs' names begin with."""
        return self._named(self.batch_inference_jobs)

    def segment_jobs(self) -> Iterator[tuple[str, ResourceConfig]]:
        """Yield the batch segment jobs, each with the name that its runs' names begin with."""
        return self._named(self.batch_segment_jobs)

    def _named(self, jobs: Sequence[ResourceConfig]) -> Iterator[tuple[str, ResourceConfig]]:
        solution = str(self.solution.params.get("name", ""))
        for number, job in enumerate(jobs, 1):
            own = solution if number == 1 else f"{solution}-{number}"
            yield str(job.params.get("jobName") or own), job


@dataclass(frozen=True)
class Config:
    """A config without problems."""

    group: ResourceConfig
    imports: ResourceConfig
    datasets: tuple[DatasetConfig, ...]
    event_tracker: ResourceConfig | None
    filters: tuple[ResourceConfig, ...]
    recommenders: tuple[ResourceConfig, ...]
    solutions: tuple[SolutionConfig, ...]
    metric_attribution: ResourceConfig | None = None
    data_deletion: ResourceConfig | None = None
    tags: tuple[Mapping[str, str], ...] = ()
    notes: tuple[Problem, ...] = field(default=())
    """What is no problem, but the user should know."""

    def has(self, kind: str) -> bool:
        """Tell whether there is a dataset of a kind."""
        return any(dataset.kind == kind for dataset in self.datasets)

    @property
    def domain(self) -> str | None:
        domain: str | None = self.group.params.get("domain")
        return domain

    def sections(self) -> Iterator[tuple[str, ResourceConfig]]:
        """Yield every section with the noun of its resource type."""
        yield "DatasetGroup", self.group
        yield "DatasetImportJob", self.imports
        for dataset in self.datasets:
            yield "Schema", dataset.schema
            yield "Dataset", dataset.dataset
            if dataset.export:
                yield "DatasetExportJob", dataset.export
        if self.metric_attribution:
            yield "MetricAttribution", self.metric_attribution
        if self.data_deletion:
            yield "DataDeletionJob", self.data_deletion
        if self.event_tracker:
            yield "EventTracker", self.event_tracker
        yield from (("Filter", one) for one in self.filters)
        yield from (("Recommender", one) for one in self.recommenders)
        for solution in self.solutions:
            yield "Solution", solution.solution
            if solution.version:
                yield "SolutionVersion", solution.version
            yield from (("Campaign", one) for one in solution.campaigns)
            yield from (("BatchInferenceJob", one) for one in solution.batch_inference_jobs)
            yield from (("BatchSegmentJob", one) for one in solution.batch_segment_jobs)
