"""The desired state: every resource that a config asks for, with names, ARNs and tags filled in.

ARNs are computed from names, never carried through the workflow; only what the service mints
(a solution version's ARN) is ``given`` while it runs. The desired state is saved to S3 and the
workflow carries the ids of its resources, so that its own state stays small whatever the
size of the config.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mpe.model.config.sections import Config, DatasetConfig, ResourceConfig, SolutionConfig
from mpe.model.plan.tasks import Task, tasks_of
from mpe.model.service import avro
from mpe.model.service.names import NAME_LIMIT, job_name
from mpe.model.service.spec import SPECS, ResourceSpec

DATASET_TYPES = {
    "interactions": "INTERACTIONS",
    "users": "USERS",
    "items": "ITEMS",
    "actions": "ACTIONS",
    "actionInteractions": "ACTION_INTERACTIONS",
}
"""The service's dataset type for each section of the config's ``datasets``."""

LATEST = "$LATEST"
"""What a campaign follows that syncs with the newest solution version by itself."""
DELETIONS = "deletions"
"""The CSV beside the config that lists the users whose data is to be deleted."""
BATCH_INPUTS = {
    "BatchInferenceJob": "job_config.json",
    "BatchSegmentJob": "segment_config.json",
}
"""What a batch job reads, in ``batch/<dataset group>/<solution>/``."""


@dataclass(frozen=True)
class Place:
    """Where a dataset group lives: the account, the data bucket and the service role."""

    region: str
    account: str
    bucket: str
    role_arn: str
    partition: str = "aws"

    def arn(self, resource: str) -> str:
        """Return the ARN of a Personalize resource from its resource part."""
        return f"arn:{self.partition}:personalize:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Data:
    """Where the data that a resource depends on lies: a file, or else a folder of CSVs."""

    bucket: str
    file: str
    folder: str = ""
    """Ends with ``/``; without it only the file will do."""
    optional: bool = False
    """Where nothing lies there, there is nothing to do."""
    nested: bool = False
    """Whether the service looks into folders of the folder as well."""

    @classmethod
    def csvs(cls, bucket: str, prefix: str, **more: Any) -> Data:
        """Return the place of CSVs: the file ``<prefix>.csv`` or the folder ``<prefix>/``."""
        return cls(bucket, f"{prefix}.csv", f"{prefix}/", **more)


@dataclass(frozen=True)
class Desired:
    """One resource as the config wants it."""

    id: str
    """Unique in the config and the same in every version of it: ``campaign.films.films-live``."""
    noun: str
    name: str
    path: str
    """The JSON path of its section in the user's file."""
    params: Mapping[str, Any]
    """The Create parameters, but for a job's name and what is :attr:`given`."""
    arn: str | None = None
    parent: str | None = None
    """The parent's ARN, by which the list operation finds it."""
    group: str | None = None
    """Its dataset group's ARN, where its parameters do not name it and names may be another's."""
    given: tuple[str, ...] = ()
    """Create parameters that an earlier step of the workflow supplies."""
    data: Data | None = None
    """The data that it depends on, where newer data makes it stale."""
    after: tuple[str, ...] = ()
    """The ARNs of datasets of which every newer import makes it stale."""
    schema: str | None = None
    """The Avro schema of that data, where its first rows are looked at."""
    output: str | None = None
    """The folder in S3 below which each job writes to one of its own name."""
    max_age: int | None = None
    """Seconds after which it is made anew, where it is history."""
    status: str | None = None
    """The status that it is brought to, where it can be started and stopped."""

    @property
    def spec(self) -> ResourceSpec:
        return SPECS[self.noun]

    def as_made_by(self, run: str, *, first: bool = False) -> dict[str, Any]:
        """Return the Create parameters of a run: a job or a version bears the run's name.

        So the service itself refuses a second one of the same run. ``first`` tells that
        there was none before that did not fail.
        """
        if not self.spec.repeatable:
            return dict(self.params)
        if self.spec.name_param is None:
            return {**self.params, "name": run[:NAME_LIMIT]}
        name = job_name(self.name, run)
        beginning = self.spec.first if first else {}
        own = {key: beginning.get(key, value) for key, value in self.params.items()}
        params = {**own, self.spec.name_param: name}
        if self.output and self.spec.writes:
            return with_value(params, self.spec.writes, f"{self.output}{name}/")
        return params

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Desired:
        """Rebuild what :func:`dataclasses.asdict` took apart."""
        data = saved.get("data")
        return cls(
            **{
                **saved,
                "given": tuple(saved.get("given", ())),
                "after": tuple(saved.get("after", ())),
                "data": Data(**data) if data else None,
            }
        )


@dataclass(frozen=True)
class DesiredState:
    """All desired resources of one version of one config, and the order of the work."""

    group: str
    version: str
    resources: Mapping[str, Desired]
    work: Mapping[str, Any] = field(default_factory=dict)
    """The ids by stage, as the workflow walks them."""
    tasks: Mapping[str, Task] = field(default_factory=dict)
    """What is done again and again, by task id."""

    def to_json(self) -> str:
        """Return the document that is saved to S3, its resources in the order of the work."""
        document = {
            "group": self.group,
            "version": self.version,
            "resources": {key: asdict(value) for key, value in self.resources.items()},
            "work": self.work,
            "tasks": {key: task.as_dict() for key, task in self.tasks.items()},
        }
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str | bytes) -> DesiredState:
        """Read back what :meth:`to_json` wrote."""
        saved = json.loads(text)
        resources = {key: Desired.from_dict(value) for key, value in saved["resources"].items()}
        tasks = {key: Task.from_dict(value) for key, value in saved["tasks"].items()}
        return cls(saved["group"], saved["version"], resources, saved["work"], tasks)


def value_at(params: Mapping[str, Any], path: str | None) -> str:
    """Return the text at a dotted path of parameters, or nothing where there is none."""
    found: Any = params
    for part in path.split(".") if path else ():
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, str) else ""


def with_value(params: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of parameters with a value at a dotted path."""
    first, _, rest = path.partition(".")
    inner = with_value(params.get(first, {}), rest, value) if rest else value
    return {**params, first: inner}


def desired_state(config: Config, place: Place, *, version: str) -> DesiredState:
    """Return the desired state of a parsed config in a place."""
    group = str(config.group.params["name"])
    builder = _Builder(config, place, group)
    resources = {resource.id: resource for resource in builder.resources()}
    work = builder.work()
    tasks = {task.id: task for task in tasks_of(config, work)}
    return DesiredState(group, version, resources, work, tasks)


@dataclass(frozen=True)
class _Builder:
    config: Config
    place: Place
    group: str

    @property
    def group_arn(self) -> str:
        return self.place.arn(f"dataset-group/{self.group}")

    @property
    def domain(self) -> dict[str, Any]:
        domain = self.config.group.params.get("domain")
        return {"domain": domain} if domain else {}

    def work(self) -> dict[str, Any]:
        """Return the ids of the resources, by stage and in order."""
        return {
            "datasetGroup": "datasetGroup",
            "datasets": [
                {step: f"{step}.{dataset.kind}" for step in ("schema", "dataset")}
                for dataset in self.config.datasets
            ],
            "metricAttributions": ["metricAttribution"] if self.config.metric_attribution else [],
            "imports": [f"import.{dataset.kind}" for dataset in self.config.datasets],
            "dataDeletionJobs": ["dataDeletionJob"] if self.config.data_deletion else [],
            "exports": [
                f"export.{dataset.kind}" for dataset in self.config.datasets if dataset.export
            ],
            "eventTrackers": ["eventTracker"] if self.config.event_tracker else [],
            "filters": [f"filter.{_name(one)}" for one in self.config.filters],
            "recommenders": [f"recommender.{_name(one)}" for one in self.config.recommenders],
            "solutions": [_solution_work(solution) for solution in self.config.solutions],
        }

    def resources(self) -> Iterator[Desired]:
        yield self._group()
        for dataset in self.config.datasets:
            yield from self._dataset(dataset)
        if self.config.metric_attribution:
            yield self._metric_attribution(self.config.metric_attribution)
        for dataset in self.config.datasets:
            yield self._import(dataset)
        if self.config.data_deletion:
            yield self._deletion(self.config.data_deletion)
        for dataset in self.config.datasets:
            if dataset.export:
                yield self._export(dataset, dataset.export)
        if self.config.event_tracker:
            yield self._in_group("EventTracker", "eventTracker", self.config.event_tracker)
        for one in self.config.filters:
            yield self._in_group("Filter", f"filter.{_name(one)}", one)
        for one in self.config.recommenders:
            yield self._in_group("Recommender", f"recommender.{_name(one)}", one)
        for solution in self.config.solutions:
            yield from self._solution(solution)

    def _tags(self, noun: str, section: ResourceConfig) -> dict[str, Any]:
        """Return the section's own tags, or the config's where it has none."""
        if not SPECS[noun].tagged:
            return {}
        tags = section.params.get("tags", self.config.tags)
        return {"tags": [dict(tag) for tag in tags]} if tags else {}

    def _group(self) -> Desired:
        section = self.config.group
        role = {"roleArn": self.place.role_arn} if section.params.get("kmsKeyArn") else {}
        own = {key: value for key, value in section.params.items() if key != "roleArn"}
        params = {**own, **role, **self._tags("DatasetGroup", section)}
        return Desired(
            "datasetGroup", "DatasetGroup", self.group, section.path, params, arn=self.group_arn
        )

    def _dataset(self, config: DatasetConfig) -> Iterator[Desired]:
        schema_name, dataset_name = _name(config.schema), _name(config.dataset)
        schema_arn = self.place.arn(f"schema/{schema_name}")
        kind = DATASET_TYPES[config.kind]
        dataset_arn = self.place.arn(f"dataset/{self.group}/{kind}")
        yield Desired(
            f"schema.{config.kind}",
            "Schema",
            schema_name,
            config.schema.path,
            {
                "name": schema_name,
                "schema": avro.dumps(config.schema.params["schema"]),
                **self.domain,
            },
            arn=schema_arn,
        )
        yield Desired(
            f"dataset.{config.kind}",
            "Dataset",
            dataset_name,
            config.dataset.path,
            {
                **config.dataset.params,
                "schemaArn": schema_arn,
                "datasetGroupArn": self.group_arn,
                "datasetType": kind,
                **self._tags("Dataset", config.dataset),
            },
            arn=dataset_arn,
            parent=self.group_arn,
        )

    def _dataset_arn(self, config: DatasetConfig) -> str:
        return self.place.arn(f"dataset/{self.group}/{DATASET_TYPES[config.kind]}")

    def _csvs(self, name: str, **more: Any) -> Data:
        return Data.csvs(self.place.bucket, f"train/{self.group}/{name}", **more)

    def _import(self, config: DatasetConfig) -> Desired:
        options, dataset_arn = self.config.imports, self._dataset_arn(config)
        return Desired(
            f"import.{config.kind}",
            "DatasetImportJob",
            _name(config.dataset),
            config.dataset.path,
            {
                **options.params,
                "datasetArn": dataset_arn,
                "roleArn": self.place.role_arn,
                **self._tags("DatasetImportJob", options),
            },
            parent=dataset_arn,
            data=self._csvs(config.kind, optional=config.data_optional),
            schema=avro.dumps(config.schema.params["schema"]),
            max_age=self.config.group.max_age,
        )

    def _export(self, config: DatasetConfig, section: ResourceConfig) -> Desired:
        """Export a dataset again whenever it was imported again."""
        dataset_arn = self._dataset_arn(config)
        return Desired(
            f"export.{config.kind}",
            "DatasetExportJob",
            _name(config.dataset),
            section.path,
            {
                **section.params,
                "datasetArn": dataset_arn,
                "roleArn": self.place.role_arn,
                **self._tags("DatasetExportJob", section),
            },
            parent=dataset_arn,
            after=(dataset_arn,),
            output=f"s3://{self.place.bucket}/export/{self.group}/{config.kind}/",
            max_age=section.max_age,
        )

    def _deletion(self, section: ResourceConfig) -> Desired:
        """Delete users' data after every import, which may have brought it back."""
        return Desired(
            "dataDeletionJob",
            "DataDeletionJob",
            self.group,
            section.path,
            {
                **section.params,
                "datasetGroupArn": self.group_arn,
                "roleArn": self.place.role_arn,
                **self._tags("DataDeletionJob", section),
            },
            parent=self.group_arn,
            data=self._csvs(DELETIONS, optional=True, nested=True),
            after=tuple(self._dataset_arn(dataset) for dataset in self.config.datasets),
        )

    def _metric_attribution(self, section: ResourceConfig) -> Desired:
        place = f"s3://{self.place.bucket}/metric-attribution/{self.group}/"
        config = {"s3DataDestination": {"path": place}, "roleArn": self.place.role_arn}
        made = self._in_group("MetricAttribution", "metricAttribution", section)
        return replace(made, params={**made.params, "metricsOutputConfig": config})

    def _in_group(self, noun: str, id: str, section: ResourceConfig) -> Desired:
        spec, name = SPECS[noun], _name(section)
        return Desired(
            id,
            noun,
            name,
            section.path,
            {
                **section.params,
                "datasetGroupArn": self.group_arn,
                **self._tags(noun, section),
            },
            arn=None if spec.minted else self.place.arn(spec.arn.format(name=name)),
            parent=self.group_arn,
        )

    def _solution(self, config: SolutionConfig) -> Iterator[Desired]:
        name = _name(config.solution)
        solution_arn = self.place.arn(f"solution/{name}")
        solution = self._in_group("Solution", f"solution.{name}", config.solution)
        yield replace(solution, params={**self._training(config), **solution.params})
        section = config.version or ResourceConfig(config.solution.path, {}, {})
        yield Desired(
            f"version.{name}",
            "SolutionVersion",
            name,
            section.path,
            {
                **section.params,
                "solutionArn": solution_arn,
                **self._tags("SolutionVersion", section),
            },
            parent=solution_arn,
            max_age=config.solution.max_age,
        )
        for campaign in config.campaigns:
            yield self._campaign(campaign, name, solution_arn)
        for base, section in config.inference_jobs():
            yield self._batch("BatchInferenceJob", base, section, config)
        for base, section in config.segment_jobs():
            yield self._batch("BatchSegmentJob", base, section, config)

    @staticmethod
    def _training(config: SolutionConfig) -> dict[str, Any]:
        """Let one alone train a solution: the schedule where there is one, else the service."""
        return {"performAutoTraining": False} if config.solution.schedules else {}

    def _batch(
        self, noun: str, base: str, section: ResourceConfig, config: SolutionConfig
    ) -> Desired:
        """Run a job on a solution's version, again where its input is newer than the last."""
        solution = _name(config.solution)
        folder = f"batch/{self.group}/{solution}/"
        return Desired(
            batch_id(noun, solution, base),
            noun,
            base,
            section.path,
            {
                **{key: value for key, value in section.params.items() if key != "jobName"},
                "roleArn": self.place.role_arn,
                **self._tags(noun, section),
            },
            parent=self.place.arn(f"solution/{solution}"),
            given=("solutionVersionArn",),
            data=Data(self.place.bucket, folder + BATCH_INPUTS[noun]),
            output=f"s3://{self.place.bucket}/{folder}",
            max_age=section.max_age,
        )

    def _campaign(self, section: ResourceConfig, solution: str, solution_arn: str) -> Desired:
        name = _name(section)
        follows = (section.params.get("campaignConfig") or {}).get("syncWithLatestSolutionVersion")
        version = {"solutionVersionArn": f"{solution_arn}/{LATEST}"} if follows else {}
        stays = "solutionVersionArn" in section.params
        return Desired(
            f"campaign.{solution}.{name}",
            "Campaign",
            name,
            section.path,
            {**version, **section.params, **self._tags("Campaign", section)},
            arn=self.place.arn(f"campaign/{name}"),
            parent=solution_arn,
            group=self.group_arn,
            given=() if follows or stays else ("solutionVersionArn",),
        )


def _solution_work(config: SolutionConfig) -> dict[str, Any]:
    name = _name(config.solution)
    return {
        "name": name,
        "solution": f"solution.{name}",
        "version": f"version.{name}",
        "campaigns": [f"campaign.{name}.{_name(one)}" for one in config.campaigns],
        "batchInferenceJobs": [
            batch_id("BatchInferenceJob", name, base) for base, _ in config.inference_jobs()
        ],
        "batchSegmentJobs": [
            batch_id("BatchSegmentJob", name, base) for base, _ in config.segment_jobs()
        ],
    }


def batch_id(noun: str, solution: str, base: str) -> str:
    return f"{SPECS[noun].key}.{solution}.{base}"


def _name(section: ResourceConfig) -> str:
    return str(section.params["name"])
