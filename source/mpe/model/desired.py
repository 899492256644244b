"""The desired state: every resource that a config asks for, with names, ARNs and tags filled in.

ARNs are computed from names, never carried through the workflow; only what the service mints
(a solution version's ARN) is ``given`` while it runs. The desired state is saved to S3 and the
workflow carries the ids of its resources, so that its own state stays small whatever the
size of the config.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mpe.model import avro
from mpe.model.config import Config, DatasetConfig, ResourceConfig, SolutionConfig
from mpe.model.spec import SPECS, ResourceSpec

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
    """Where a dataset's CSV lies: one file ``<prefix>.csv`` or a folder ``<prefix>/``."""

    bucket: str
    prefix: str


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
    given: tuple[str, ...] = ()
    """Create parameters that an earlier step of the workflow supplies."""
    data: Data | None = None
    """The data it reads, where newer data makes it stale."""

    @property
    def spec(self) -> ResourceSpec:
        return SPECS[self.noun]

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Desired:
        """Rebuild what :func:`dataclasses.asdict` took apart."""
        data = saved.get("data")
        return cls(
            **{
                **saved,
                "given": tuple(saved.get("given", ())),
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

    def to_json(self) -> str:
        """Return the document that is saved to S3, the same bytes for the same state."""
        document = {
            "group": self.group,
            "version": self.version,
            "resources": {key: asdict(value) for key, value in self.resources.items()},
            "work": self.work,
        }
        return json.dumps(document, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> DesiredState:
        """Read back what :meth:`to_json` wrote."""
        saved = json.loads(text)
        resources = {key: Desired.from_dict(value) for key, value in saved["resources"].items()}
        return cls(saved["group"], saved["version"], resources, saved["work"])


def desired_state(config: Config, place: Place, *, version: str) -> DesiredState:
    """Return the desired state of a parsed config in a place."""
    group = str(config.group.params["name"])
    builder = _Builder(config, place, group)
    resources = {resource.id: resource for resource in builder.resources()}
    return DesiredState(group, version, resources, builder.work())


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
                {step: f"{step}.{dataset.kind}" for step in ("schema", "dataset", "import")}
                for dataset in self.config.datasets
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
        params = {**section.params, **role, **self._tags("DatasetGroup", section)}
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
        yield self._import(config, dataset_name, dataset_arn)

    def _import(self, config: DatasetConfig, dataset_name: str, dataset_arn: str) -> Desired:
        options = self.config.imports
        return Desired(
            f"import.{config.kind}",
            "DatasetImportJob",
            dataset_name,
            config.dataset.path,
            {
                **options.params,
                "datasetArn": dataset_arn,
                "roleArn": self.place.role_arn,
                **self._tags("DatasetImportJob", options),
            },
            parent=dataset_arn,
            data=Data(self.place.bucket, f"train/{self.group}/{config.kind}"),
        )

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
        yield self._in_group("Solution", f"solution.{name}", config.solution)
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
        )
        for campaign in config.campaigns:
            yield self._campaign(campaign, name, solution_arn)

    def _campaign(self, section: ResourceConfig, solution: str, solution_arn: str) -> Desired:
        name = _name(section)
        follows = (section.params.get("campaignConfig") or {}).get("syncWithLatestSolutionVersion")
        version = {"solutionVersionArn": f"{solution_arn}/{LATEST}"} if follows else {}
        return Desired(
            f"campaign.{solution}.{name}",
            "Campaign",
            name,
            section.path,
            {**section.params, **version, **self._tags("Campaign", section)},
            arn=self.place.arn(f"campaign/{name}"),
            parent=solution_arn,
            given=() if follows else ("solutionVersionArn",),
        )


def _solution_work(config: SolutionConfig) -> dict[str, Any]:
    name = _name(config.solution)
    return {
        "name": name,
        "solution": f"solution.{name}",
        "version": f"version.{name}",
        "campaigns": [f"campaign.{name}.{_name(one)}" for one in config.campaigns],
    }


def _name(section: ResourceConfig) -> str:
    return str(section.params["name"])
