"""The sections of a config file as frozen values: what the user wrote, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mpe.model.errors import Problem
from mpe.model.service import schedules
from mpe.model.service.recipes import RECIPES, Recipe


def inner(params: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object below a key, or an empty one where there is none."""
    found = params.get(key)
    return found if isinstance(found, Mapping) else {}


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

    @property
    def trained_by_schedule(self) -> bool:
        """Whether a schedule trains it, and not merely looks for what others have trained."""
        return bool(self.workflow.get("schedules", {}).keys() - {"judge"})


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
    own: Mapping[str, tuple[ResourceConfig, ...]]
    """What uses its version, by noun."""

    def of(self, noun: str) -> tuple[ResourceConfig, ...]:
        """Return the sections of a type that uses its version."""
        return self.own[noun]

    @property
    def campaigns(self) -> tuple[ResourceConfig, ...]:
        return self.of("Campaign")

    @property
    def batch_inference_jobs(self) -> tuple[ResourceConfig, ...]:
        return self.of("BatchInferenceJob")

    @property
    def batch_segment_jobs(self) -> tuple[ResourceConfig, ...]:
        return self.of("BatchSegmentJob")

    @property
    def recipe(self) -> Recipe | None:
        return RECIPES.get(str(self.solution.params.get("recipeArn")))

    def jobs(self, noun: str) -> Iterator[tuple[str, ResourceConfig]]:
        """Yield the jobs of a type, each with the name that its runs' names begin with."""
        solution = str(self.solution.params.get("name", ""))
        for number, job in enumerate(self.of(noun), 1):
            own = solution if number == 1 else f"{solution}-{number}"
            yield str(job.params.get("jobName") or own), job


@dataclass(frozen=True)
class Config:
    """A config without problems."""

    group: ResourceConfig
    imports: ResourceConfig
    datasets: tuple[DatasetConfig, ...]
    solutions: tuple[SolutionConfig, ...]
    own: Mapping[str, tuple[ResourceConfig, ...]]
    """What has a section of its own at the top of the file, by noun."""
    tags: tuple[Mapping[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    """The ids of the rules whose warnings are not to be told."""
    notes: tuple[Problem, ...] = field(default=())
    """What is no problem, but the user should know."""

    def of(self, noun: str) -> tuple[ResourceConfig, ...]:
        """Return the sections of a type that has its own at the top of the file."""
        return self.own[noun]

    @property
    def event_tracker(self) -> ResourceConfig | None:
        return next(iter(self.of("EventTracker")), None)

    @property
    def filters(self) -> tuple[ResourceConfig, ...]:
        return self.of("Filter")

    @property
    def recommenders(self) -> tuple[ResourceConfig, ...]:
        return self.of("Recommender")

    @property
    def metric_attribution(self) -> ResourceConfig | None:
        return next(iter(self.of("MetricAttribution")), None)

    @property
    def data_deletion(self) -> ResourceConfig | None:
        return next(iter(self.of("DataDeletionJob")), None)

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
        yield from _by_noun(self.own)
        for solution in self.solutions:
            yield "Solution", solution.solution
            if solution.version:
                yield "SolutionVersion", solution.version
            yield from _by_noun(solution.own)


def _by_noun(
    sections: Mapping[str, tuple[ResourceConfig, ...]],
) -> Iterator[tuple[str, ResourceConfig]]:
    for noun, several in sections.items():
        yield from ((noun, one) for one in several)
