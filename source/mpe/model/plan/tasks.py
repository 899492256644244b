"""Scheduled tasks: what a config wants done again and again, as parts of its work.

A task is a run of the same workflow with less work: only the stages that it is about, and
some resources that are to be made anew. So there is one way to import, train and serve.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig
from mpe.model.plan.forms import known
from mpe.model.service.spec import SPECS

UTC = "UTC"
BY_USER = "user"
"""Why a task is disabled: somebody said so."""
GONE = "its resource was gone"
"""Why a task is disabled: it would fail for ever."""
JUDGE = "judge"
"""The kind of task that trains nothing: it looks for versions that others have trained."""
SPOKEN = {
    "import": "import of the data",
    "full": "full training",
    "update": "update training",
    "judge": "judgement of new versions",
    "export": "export",
    "batchInferenceJob": "batch inference",
    "batchSegmentJob": "batch segments",
    "start": "start of the recommender",
    "stop": "stop of the recommender",
}
"""What people call each kind of task."""


@dataclass(frozen=True)
class Task:
    """One scheduled task of a dataset group."""

    id: str
    """Unique in the dataset group: ``import``, ``full.films``, ``export.items``."""
    kind: str
    path: str
    """The JSON path of its schedule in the user's file."""
    expression: str
    zone: str
    work: Mapping[str, Any]
    anew: tuple[str, ...] = ()
    """The ids of the jobs and versions that are made anew."""
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Create parameters that the task has of its own, by resource id."""
    status: str | None = None
    """The status that its recommender is brought to."""

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Task:
        return cls(**{**known(cls, saved), "anew": tuple(saved.get("anew", ()))})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def schedule_name(group: str, task: str) -> str:
    """Return the name of a task's schedule, of at most 64 characters."""
    digest = hashlib.sha256(f"{group}/{task}".encode()).hexdigest()[:16]
    return f"{group[:47]}-{digest}"


def tasks_of(config: Config, work: Mapping[str, Any]) -> Iterator[Task]:
    """Yield the tasks of a config from its schedules, and from the ids of its whole work."""
    yield from _Tasks(config, work).all()


@dataclass(frozen=True)
class _Tasks:
    config: Config
    work: Mapping[str, Any]

    def all(self) -> Iterator[Task]:
        group = self.config.group
        expression = group.workflow.get("schedules", {}).get("import")
        if expression:
            exports = [f"export.{kind}" for kind in self._unscheduled_exports()]
            part = self._part(
                imports=self.work["imports"],
                dataDeletionJobs=self.work["dataDeletionJobs"],
                exports=exports,
            )
            yield self._task("import", group, expression, part, key="schedules.import")
        for dataset in self.config.datasets:
            if dataset.export and "schedule" in dataset.export.workflow:
                id = f"export.{dataset.kind}"
                yield self._one(id, dataset.export, self._part(exports=[id]), id)
        for recommender in self.config.recommenders:
            yield from self._windows(recommender)
        for solution in self.config.solutions:
            yield from self._solution(solution)

    def _unscheduled_exports(self) -> Iterator[str]:
        for dataset in self.config.datasets:
            if dataset.export and "schedule" not in dataset.export.workflow:
                yield dataset.kind

    def _part(self, **stages: Any) -> dict[str, Any]:
        """Return work with some stages, and nothing in the others."""
        return {**_idle(self.work), **stages}

    def _task(
        self, id: str, section: ResourceConfig, expression: str, work: Any, *, key: str, **more: Any
    ) -> Task:
        zone = self.config.group.workflow.get("timeZone", UTC)
        path = f"{section.path}.workflowConfig.{key}"
        return Task(id, id.partition(".")[0], path, expression, zone, work, **more)

    def _one(self, id: str, section: ResourceConfig, work: Any, anew: str) -> Task:
        """Return the task of a section with one schedule, which makes its job anew."""
        expression = section.workflow["schedule"]
        return self._task(id, section, expression, work, key="schedule", anew=(anew,))

    def _windows(self, section: ResourceConfig) -> Iterator[Task]:
        name = section.params["name"]
        for kind, status in (("start", "ACTIVE"), ("stop", "INACTIVE")):
            expression = section.workflow.get("schedules", {}).get(kind)
            if expression:
                part = self._part(recommenders=[f"recommender.{name}"])
                id, key = f"{kind}.{name}", f"schedules.{kind}"
                yield self._task(id, section, expression, part, key=key, status=status)

    def _solution(self, config: SolutionConfig) -> Iterator[Task]:
        name = str(config.solution.params["name"])
        (whole,) = (one for one in self.work["solutions"] if one["name"] == name)
        schedules: Mapping[str, str] = config.solution.workflow.get("schedules", {})
        idle = _idle(whole)
        served = {**idle, "campaigns": whole["campaigns"]}
        for kind in ("full", "update"):
            if kind in schedules:
                yield self._task(
                    f"{kind}.{name}",
                    config.solution,
                    schedules[kind],
                    self._part(solutions=[served]),
                    key=f"schedules.{kind}",
                    anew=(whole["version"],),
                    params={whole["version"]: {"trainingMode": kind.upper()}},
                )
        if JUDGE in schedules:
            id, part = f"{JUDGE}.{name}", self._part(solutions=[served])
            expression = schedules[JUDGE]
            yield self._task(id, config.solution, expression, part, key=f"schedules.{JUDGE}")
        for noun, jobs in config.own.items():
            stage = f"{SPECS[noun].key}s"
            for id, section in zip(whole[stage], jobs, strict=True):
                if "schedule" in section.workflow:
                    part = self._part(solutions=[{**idle, stage: [id]}])
                    yield self._one(id, section, part, id)


def ids_of(work: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the resources in some work, or in a solution's part of it."""
    for key, found in work.items():
        if isinstance(found, str) and key != "name":
            yield found
        for one in found if isinstance(found, list) else ():
            if isinstance(one, str):
                yield one
            else:
                yield from ids_of(one)


def _idle(work: Mapping[str, Any]) -> dict[str, Any]:
    """Return work with nothing in its stages."""
    return {key: [] if isinstance(ids, list) else ids for key, ids in work.items()}
