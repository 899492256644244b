"""What a dataset group holds, as the service describes it, and what can be made of that.

A config that asks for exactly what is there, and the order in which it can be removed. Both
are for any dataset group, also for one that this project never made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mpe.model.config.checks.parameters import FILLED
from mpe.model.plan.desired import DATASET_TYPES, LATEST, value_at
from mpe.model.plan.owner import told_template, unmarked
from mpe.model.service.operations import operation
from mpe.model.service.schedules import problem as not_a_schedule
from mpe.model.service.spec import ACTIVE, FAILED, SPECS, ResourceSpec

KINDS = {kind: section for section, kind in DATASET_TYPES.items()}
"""The config's section for each of the service's dataset types."""
DEFAULT_RATE = "rate(7 days)"
"""How often the service trains a solution by itself unless it is told otherwise
(https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html)."""
IMPLIED = frozenset({"DatasetImportJob", "SolutionVersion"})
"""The jobs and versions that a config asks for by what they are of."""
REMOVAL = (
    ("Campaign", "Recommender"),
    ("Solution",),
    ("EventTracker",),
    ("MetricAttribution",),
    ("Filter",),
    ("Dataset",),
    ("DatasetGroup",),
    ("Schema",),
)
"""What is removed after what; jobs and versions go with what they are of
(https://docs.aws.amazon.com/personalize/latest/dg/deleting-resources.html)."""


@dataclass(frozen=True)
class Found:
    """One resource as the service describes it."""

    noun: str
    arn: str
    status: str
    fields: Mapping[str, Any]
    tags: tuple[Mapping[str, str], ...] = ()

    @property
    def spec(self) -> ResourceSpec:
        return SPECS[self.noun]

    @property
    def name(self) -> str:
        given = self.fields.get(self.spec.name_param or "name")
        return str(given or "/".join(self.arn.split("/")[1:]))

    @property
    def typed(self) -> str:
        """Its type, as ARNs write it, and its name: ``event-tracker/clicks``."""
        return f"{self.spec.arn.partition('/')[0]}/{self.name}"

    @property
    def ready(self) -> bool:
        return self.status not in FAILED


@dataclass(frozen=True)
class Inventory:
    """A dataset group and everything in it."""

    group: Found
    found: tuple[Found, ...]
    shared: frozenset[str] = frozenset()
    """The ARNs of schemas that other dataset groups use as well."""

    def of(self, noun: str, **fields: Any) -> Iterator[Found]:
        """Yield the resources of a type whose fields have these values."""
        for one in (self.group, *self.found):
            if one.noun == noun and all(
                one.fields.get(key) == value for key, value in fields.items()
            ):
                yield one

    def serving(self, solution: str) -> Found | None:
        """Return a solution's newest version that did not fail."""
        versions = [one for one in self.of("SolutionVersion", solutionArn=solution) if one.ready]
        return max(versions, key=lambda one: one.fields["creationDateTime"], default=None)

    @property
    def removable_schemas(self) -> tuple[Found, ...]:
        """The schemas of its datasets that no other dataset group uses."""
        return tuple(one for one in self.of("Schema") if one.arn not in self.shared)

    def removal(self, *, schemas: bool = True) -> Iterator[tuple[Found, ...]]:
        """Yield what can be removed at the same time, in the service's order."""
        for nouns in REMOVAL:
            stage = tuple(one for noun in nouns for one in self.of(noun))
            if nouns == ("Schema",):
                stage = self.removable_schemas if schemas else ()
            if stage:
                yield stage


def using(inventory: Inventory, one: Found) -> tuple[Found, ...]:
    """Return what must be removed before one resource of an inventory can be.

    A solution is served by campaigns, a dataset is written to by the event tracker and measured by
    the metric attribution, and a schema is a dataset's
    (https://docs.aws.amazon.com/personalize/latest/dg/API_DeleteSolution.html,
    https://docs.aws.amazon.com/personalize/latest/dg/API_DeleteSchema.html,
    https://docs.aws.amazon.com/personalize/latest/dg/deleting-resources.html).
    """
    if one.noun == "Solution":
        served = inventory.of("Campaign")
        below = f"{one.arn}/"
        return tuple(each for each in served if each.fields["solutionVersionArn"].startswith(below))
    if one.noun == "Schema":
        datasets = tuple(inventory.of("Dataset", schemaArn=one.arn))
        above = {each.arn: each for dataset in datasets for each in using(inventory, dataset)}
        return (*above.values(), *datasets)
    if one.noun == "Dataset" and one.fields.get("datasetType", "").upper() == "INTERACTIONS":
        return (*inventory.of("EventTracker"), *inventory.of("MetricAttribution"))
    return ()


@dataclass
class Exported:
    """A config made of an inventory, and what could not be put into it."""

    document: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return it as JSON that is safe to print: what is not printable is escaped."""
        told = json.dumps(self.document, indent=2, ensure_ascii=False)
        return "".join(_printable(char) for char in told) + "\n"


def _printable(char: str) -> str:
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]


def exported(
    inventory: Inventory,
    *,
    bucket: str | None = None,
    pointed: Mapping[str, str] | None = None,
) -> Exported:
    """Return the config that asks for what a dataset group holds, so that nothing is to do.

    ``bucket`` is the stack's: a metric attribution that writes elsewhere is left out, since
    the stack's service role could not write there. ``pointed`` are the versions that the pointers
    of campaigns name, by the campaigns' names: what serves its own follows it without a pin.
    """
    return _Export(inventory, bucket, pointed or {}).made()


@dataclass
class _Export:
    inventory: Inventory
    bucket: str | None
    pointed: Mapping[str, str]
    notes: list[str] = field(default_factory=list)

    def made(self) -> Exported:
        datasets = {
            KINDS[one.fields["datasetType"]]: self._dataset(one) for one in self._ready("Dataset")
        }
        sections = {
            "datasetGroup": _section(self.inventory.group),
            "datasets": {kind: datasets[kind] for kind in DATASET_TYPES if kind in datasets},
            **self._own(),
            "solutions": list(self._solutions()),
        }
        self._jobs()
        for one in (self.inventory.group, *self.inventory.found):
            self.notes.extend(filter(None, [told_template(one.noun, one.name, one.tags)]))
        return Exported({key: value for key, value in sections.items() if value}, self.notes)

    def _ready(self, noun: str) -> Iterator[Found]:
        for one in self.inventory.of(noun):
            if one.ready:
                yield one
            else:
                self.notes.append(f"{noun} {one.name} is {one.status} and was left out.")

    def _dataset(self, dataset: Found) -> dict[str, Any]:
        (schema,) = (
            one for one in self.inventory.of("Schema") if one.arn == dataset.fields["schemaArn"]
        )
        described = _section(schema)
        described["serviceConfig"]["schema"] = json.loads(schema.fields["schema"])
        made = {"dataset": _section(dataset), "schema": described}
        jobs = self.inventory.of("DatasetImportJob", datasetArn=dataset.arn)
        if not any(one.ready for one in jobs):
            made["dataset"]["workflowConfig"] = {"dataOptional": True}
            self.notes.append(
                f"Dataset {dataset.name} has no import: its data is imported once there is a CSV "
                "(workflowConfig.dataOptional)."
            )
        return made

    def _own(self) -> dict[str, Any]:
        """Return the sections at the top of the file, but for jobs, which are history."""
        made: dict[str, Any] = {}
        for spec in SPECS.values():
            if spec.section in {"one", "many"} and not spec.repeatable:
                several = [_section(one) for one in self._ready(spec.noun) if self._ours(one)]
                if spec.section == "many":
                    made[f"{spec.key}s"] = several
                else:
                    made[spec.key] = next(iter(several), None)
        return made

    def _ours(self, one: Found) -> bool:
        """Tell whether a resource that writes does so to the data bucket."""
        if not one.spec.writes:
            return True
        path = value_at(one.fields, one.spec.writes)
        if self.bucket and path.startswith(f"s3://{self.bucket}/"):
            return True
        self.notes.append(
            f"{one.noun} {one.name} writes to {path or 'no bucket'} and was left out: with a "
            f"section {one.spec.key} it would write to the data bucket."
        )
        return False

    def _solutions(self) -> Iterator[dict[str, Any]]:
        for solution in self._ready("Solution"):
            version = self.inventory.serving(solution.arn)
            if version is None:
                self.notes.append(
                    f"Solution {solution.name} has no version and was left out: with a section "
                    "of its own it would be trained."
                )
                continue
            campaigns = [
                self._campaign(one, version)
                for one in self._ready("Campaign")
                if one.fields["solutionVersionArn"].startswith(f"{solution.arn}/")
            ]
            yield {**_section(solution), **({"campaigns": campaigns} if campaigns else {})}

    def _campaign(self, campaign: Found, newest: Found) -> dict[str, Any]:
        made, serves = _section(campaign), str(campaign.fields["solutionVersionArn"])
        follows = serves in {newest.arn, self.pointed.get(campaign.name)}
        if not follows and not serves.endswith(f"/{LATEST}"):
            made["serviceConfig"]["solutionVersionArn"] = serves
            self.notes.append(
                f"Campaign {campaign.name} stays at {serves}, which is not the newest version: "
                "remove solutionVersionArn to let it follow."
            )
        return made

    def _jobs(self) -> None:
        jobs = (spec.noun for spec in SPECS.values() if spec.repeatable)
        for noun in jobs:
            count = sum(1 for _ in self.inventory.of(noun))
            if count and noun not in IMPLIED:
                self.notes.append(f"{count} of type {noun} were left out: they are history.")


_UNSAID: tuple[Any, ...] = (None, False, "", {}, [])
_ALWAYS = frozenset({"performAutoTraining"})
"""Switches that are written down also where they are off."""


def _section(found: Found) -> dict[str, Any]:
    """Return a section of a config whose parameters are those of an existing resource."""
    spec = found.spec
    shape = operation(spec.create).input_shape
    left_out = {*FILLED.get(found.noun, ()), "roleArn", "solutionVersionArn", "tags"}
    params = {
        name: _plain(found.fields[name])
        for name in shape.members
        if name in found.fields
        and name not in left_out
        and (name in _ALWAYS or found.fields[name] not in _UNSAID)
    }
    if params.get("performAutoML"):
        params.pop("recipeArn", None)
    return {
        "serviceConfig": {
            **params,
            **(
                {"tags": [dict(tag) for tag in unmarked(found.tags)]}
                if unmarked(found.tags)
                else {}
            ),
        }
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def scheduled(
    document: Mapping[str, Any], *, imports: str | None = None, full: str | None = None
) -> dict[str, Any]:
    """Return a config with schedules, so that the stack trains and no longer the service.

    A solution that the service trains by itself is trained as often as before; others only
    with ``full``, for each training is billed.
    """
    for expression in filter(None, (imports, full)):
        wrong = not_a_schedule(expression)
        if wrong:
            raise ValueError(f"{expression!r} is not a schedule: {wrong}.")
    made: dict[str, Any] = json.loads(json.dumps(document))
    if imports:
        _schedules(made["datasetGroup"])["import"] = imports
    for solution in made.get("solutions", ()):
        params = solution["serviceConfig"]
        own = params.get("solutionConfig", {}).get("autoTrainingConfig", {})
        rate = own.get("schedulingExpression", DEFAULT_RATE)
        often = full or (rate if params.get("performAutoTraining") else None)
        if often:
            _schedules(solution)["full"] = often
            params["performAutoTraining"] = False
            params.get("solutionConfig", {}).pop("autoTrainingConfig", None)
            if not params.get("solutionConfig", True):
                del params["solutionConfig"]
    return made


def _schedules(section: dict[str, Any]) -> dict[str, Any]:
    schedules: dict[str, Any] = section.setdefault("workflowConfig", {}).setdefault("schedules", {})
    return schedules


def told(stages: Iterable[tuple[Found, ...]]) -> Iterator[str]:
    """Yield a line for each resource that is to be removed."""
    for stage in stages:
        for one in stage:
            yield f"{one.noun} {one.name}" + ("" if one.status == ACTIVE else f" ({one.status})")
