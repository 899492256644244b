"""What a desired state is made of, and how it is saved and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mpe.model.errors import NewerForm
from mpe.model.plan.forms import RELEASE, STATE, known
from mpe.model.plan.owner import marked, owner_of
from mpe.model.plan.tasks import Task
from mpe.model.service.names import NAME_LIMIT, job_name
from mpe.model.service.spec import SPECS, ResourceSpec

KEEP, DELETE = "keep", "delete"
"""What becomes of what a config names no more."""


@dataclass(frozen=True)
class Place:
    """Where a dataset group lives: the account, the data bucket and the service role."""

    region: str
    account: str
    bucket: str
    role_arn: str
    partition: str = "aws"
    stack: str = ""
    """The stack that maintains it; without it nobody is said to."""
    kms_key_arn: str = ""
    """The key of the dataset groups that are created, where their configs name none."""

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
    initial: Mapping[str, Any] = field(default_factory=dict)
    """Create parameters that the stack chooses: what exists already may have others for good."""
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
    gate: Mapping[str, Any] = field(default_factory=dict)
    """What its versions are judged by (:meth:`mpe.model.gate.terms.Gate.of`), where they are; of an
    import its ``mode``, and the ``data`` that is asked of it."""
    campaigns: tuple[Mapping[str, Any], ...] = ()
    """The campaigns that its versions are judged for: each its ``id``, ``arn`` and ``mode``."""
    pointer: str | None = None
    """The id of the campaign whose pointer says which version it is to have."""
    status: str | None = None
    """The status that it is brought to, where it can be started and stopped."""

    @property
    def spec(self) -> ResourceSpec:
        return SPECS[self.noun]

    @property
    def owner(self) -> str | None:
        """The stack that it is to be marked with, where its type is."""
        return owner_of(self.params.get("tags", ())) if self.spec.marked else None

    def owned_by(self, stack: str) -> Desired:
        """Return it with a stack's mark."""
        tags = marked(self.params.get("tags", ()), stack)
        return replace(self, params={**self.params, "tags": tags})

    def as_made_by(self, run: str, *, first: bool = False) -> dict[str, Any]:
        """Return the Create parameters of a run: a job or a version bears the run's name.

        So the service itself refuses a second one of the same run. ``first`` tells that
        there was none before that did not fail.
        """
        if not self.spec.repeatable:
            return {**self.initial, **self.params}
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
        """Rebuild what :func:`dataclasses.asdict` took apart, whichever release did so.

        Raises NewerForm of a resource type that only a newer release knows.
        """
        if saved["noun"] not in SPECS:
            raise NewerForm(
                f"{saved['path']} is of a type that this release, {RELEASE}, does not know: "
                f"{saved['noun']}. Deploy the release that wrote it again, or {STATE.remedy}."
            )
        data = saved.get("data")
        return cls(
            **{
                **known(cls, saved),
                "given": tuple(saved.get("given", ())),
                "after": tuple(saved.get("after", ())),
                "campaigns": tuple(saved.get("campaigns", ())),
                "data": Data(**known(Data, data)) if data else None,
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
    on_removal: str = KEEP
    """What becomes of what earlier configs named and this one does not."""

    def trained_with(self, id: str) -> Mapping[str, Any]:
        """Return the parameters that a version or a recommender is trained with, else nothing."""
        if self.resources[id].noun == "Recommender":
            return self.resources[id].params
        for solution in self.work.get("solutions", ()):
            if solution["version"] == id:
                return self.resources[solution["solution"]].params
        return {}

    def together(self, id: str) -> int:
        """Return how many must all be done before anything goes on, one itself included.

        Imports wait for all datasets, and solutions for all imports. A version that nothing uses
        is waited for by nobody but the run, which ends with the last of its solutions.
        """
        noun = self.resources[id].noun
        if noun in {"Dataset", "DatasetImportJob"}:
            return sum(one.noun == noun for one in self.resources.values())
        solutions = self.work.get("solutions", ())
        for solution in solutions:
            if solution["version"] == id:
                uses = any(isinstance(one, list) and one for one in solution.values())
                return 1 if uses else len(solutions)
        return 1

    def to_json(self) -> str:
        """Return the document that is saved to S3, its resources in the order of the work."""
        document = {
            "group": self.group,
            "version": self.version,
            "resources": {key: asdict(value) for key, value in self.resources.items()},
            "work": self.work,
            "tasks": {key: task.as_dict() for key, task in self.tasks.items()},
            "onRemoval": self.on_removal,
        }
        return json.dumps(STATE.marked(document))

    @classmethod
    def from_json(cls, text: str | bytes) -> DesiredState:
        """Read what :meth:`to_json` of some release wrote, or raise NewerForm."""
        saved = STATE.read(json.loads(text))
        resources = {key: Desired.from_dict(value) for key, value in saved["resources"].items()}
        tasks = {key: Task.from_dict(one) for key, one in saved.get("tasks", {}).items()}
        kept = str(saved.get("onRemoval", KEEP))
        return cls(saved["group"], saved["version"], resources, saved["work"], tasks, kept)


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
