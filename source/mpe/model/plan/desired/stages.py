"""The stages of the work: one row for each, from which the desired state and the workflow come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mpe.model.config.sections import Config, SolutionConfig
from mpe.model.plan.desired import datasets, solutions
from mpe.model.plan.desired.making import Making, name_of
from mpe.model.plan.desired.records import KEEP, Desired, DesiredState, Place
from mpe.model.plan.desired.solutions import SolutionMaking
from mpe.model.plan.tasks import tasks_of
from mpe.model.service.spec import SPECS


class When(Enum):
    """When a stage has its turn, once the datasets are there."""

    DATA = "one after another: what reports on the data, its import, what deletes from it"
    BESIDE = "beside all of that"
    USE = "after it, when the data is used"


@dataclass(frozen=True)
class Stage:
    """What a dataset group has of one resource type, all of them side by side."""

    noun: str
    key: str
    """Its list of ids in the work."""
    when: When
    resources: Callable[[Making], Iterator[Desired]]


@dataclass(frozen=True)
class SolutionStage:
    """What uses a solution's version, all of it side by side."""

    noun: str
    key: str
    resources: Callable[[SolutionMaking], Iterator[Desired]]


def _named(noun: str) -> Callable[[Making], Iterator[Desired]]:
    """Return what makes the resources of a section whose parts have names and nothing special."""
    spec = SPECS[noun]

    def resources(making: Making) -> Iterator[Desired]:
        for section in making.config.of(noun):
            id = spec.key if spec.section == "one" else f"{spec.key}.{name_of(section)}"
            yield making.in_group(noun, id, section)

    return resources


STAGES = (
    Stage(
        "MetricAttribution",
        "metricAttributions",
        When.DATA,
        datasets.metric_attributions,
    ),
    Stage("DatasetImportJob", "imports", When.DATA, datasets.imports),
    Stage("DataDeletionJob", "dataDeletionJobs", When.DATA, datasets.deletions),
    Stage("DatasetExportJob", "exports", When.USE, datasets.exports),
    Stage("EventTracker", "eventTrackers", When.BESIDE, _named("EventTracker")),
    Stage("Filter", "filters", When.BESIDE, _named("Filter")),
    Stage("Recommender", "recommenders", When.USE, datasets.recommenders),
)
SOLUTION_STAGES = (
    SolutionStage("Campaign", "campaigns", solutions.campaigns),
    SolutionStage("BatchInferenceJob", "batchInferenceJobs", solutions.inference_jobs),
    SolutionStage("BatchSegmentJob", "batchSegmentJobs", solutions.segment_jobs),
)


def desired_state(
    config: Config, place: Place, *, version: str, folder: str | None = None
) -> DesiredState:
    """Return the desired state of a parsed config in a place, and beside it its data in a folder.

    The folder is the prefix in the bucket, ending with ``/``: without it the dataset group's own.
    """
    made = _Made(Making(config, place, folder))
    work = made.work()
    tasks = {task.id: task for task in tasks_of(config, work)}
    on_removal = str(config.group.workflow.get("onRemoval", KEEP))
    return DesiredState(made.making.group, version, made.resources, work, tasks, on_removal)


def complete(work: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids by stage, with nothing in those that an older release did not know of."""
    solutions = ({**_none(SOLUTION_STAGES), **one} for one in work.get("solutions", ()))
    return {**_none(STAGES), "datasets": [], **work, "solutions": list(solutions)}


def _none(stages: Iterable[Stage | SolutionStage]) -> dict[str, list[str]]:
    return {stage.key: [] for stage in stages}


class _Made:
    """The resources of a config, which tell their ids as they are made."""

    def __init__(self, making: Making) -> None:
        self.making = making
        self.resources: dict[str, Desired] = {}

    def work(self) -> dict[str, Any]:
        """Return the ids of the resources, by stage and in order."""
        making = self.making
        return {
            "datasetGroup": self._add(datasets.group(making)),
            "datasets": [
                {one.spec.key: self._add(one) for one in datasets.schema_and_dataset(making, each)}
                for each in making.config.datasets
            ],
            **{stage.key: self._all(stage.resources(making)) for stage in STAGES},
            "solutions": [self._solution(one) for one in making.config.solutions],
        }

    def _solution(self, config: SolutionConfig) -> dict[str, Any]:
        of = SolutionMaking(self.making, config)
        return {
            "name": of.name,
            "solution": self._add(of.solution()),
            "version": self._add(of.version()),
            **{stage.key: self._all(stage.resources(of)) for stage in SOLUTION_STAGES},
        }

    def _all(self, resources: Iterator[Desired]) -> list[str]:
        return [self._add(one) for one in resources]

    def _add(self, one: Desired) -> str:
        self.resources[one.id] = one
        return one.id
