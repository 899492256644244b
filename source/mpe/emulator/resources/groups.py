"""Dataset groups, schemas and datasets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from mpe.emulator.data import Dataset
from mpe.emulator.lifecycle import IN_PROGRESS, PENDING, WorkFailed
from mpe.emulator.objects import KeyDenied
from mpe.emulator.resources.base import Kind, Params, in_use, invalid, limit, live, need_none
from mpe.emulator.resources.files import check_role
from mpe.emulator.state import EXISTS, Change, Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service import avro

KINDS_BY_TYPE = {
    "INTERACTIONS": "interactions",
    "USERS": "users",
    "ITEMS": "items",
    "ACTIONS": "actions",
    "ACTION_INTERACTIONS": "actionInteractions",
}


class DatasetGroupKind(Kind):
    """Dataset groups, which know one status of a deletion (API_CreateDatasetGroup)."""

    noun = "DatasetGroup"
    deletion = ("DELETE PENDING", "DELETE PENDING", "DELETED")

    def check(self, world: World, params: Params) -> None:
        if ("roleArn" in params) != ("kmsKeyArn" in params):
            raise invalid("roleArn and kmsKeyArn must be given together.")
        if "roleArn" in params:
            check_role(world, params["roleArn"])
        if len(live(world, self.noun)) >= world.quotas.dataset_groups:
            raise limit(f"More than {world.quotas.dataset_groups} dataset groups.")

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None] | None:
        """Use the key, where there is one: a group that may not fails.

        The guide says that the role must be able to, not how the service words that it is not:
        https://docs.aws.amazon.com/personalize/latest/dg/API_CreateDatasetGroup.html
        """
        if "kmsKeyArn" not in params:
            return None
        return lambda: use_key(world, params["kmsKeyArn"], params["roleArn"])

    def check_deletion(self, world: World, found: Resource) -> None:
        for noun in ("EventTracker", "MetricAttribution", "Solution", "Recommender", "Dataset"):
            need_none(list(world.of(noun, datasetGroupArn=found.arn)), noun, found)


class SchemaKind(Kind):
    noun = "Schema"
    async_deletion = False

    def check(self, world: World, params: Params) -> None:
        problem = schema_problem(params["schema"], params.get("domain"))
        if problem:
            raise invalid(f"Schema validation failed: {problem}")
        if len(live(world, self.noun)) >= world.quotas.schemas:
            raise limit(f"More than {world.quotas.schemas} schemas.")

    def check_deletion(self, world: World, found: Resource) -> None:
        need_none(list(world.of("Dataset", schemaArn=found.arn)), "Dataset", found)


class DatasetKind(Kind):
    """Datasets, whose own status tells of an update.

    An output of aws-samples/amazon-personalize-samples has it go through UPDATE PENDING and
    UPDATE IN_PROGRESS (update-item-dataset-schema-example.ipynb, cell 92).
    """

    noun = "Dataset"
    update_key = "latestDatasetUpdate"
    updating = MappingProxyType({PENDING: "UPDATE PENDING", IN_PROGRESS: "UPDATE IN_PROGRESS"})

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        schema = world.get("Schema", params["schemaArn"])
        kind = params["datasetType"].upper()
        if kind not in KINDS_BY_TYPE:
            raise invalid(f"Invalid dataset type: {params['datasetType']}")
        domain = group.fields.get("domain")
        if schema.fields.get("domain") != domain:
            raise invalid("The domain of the schema is not the domain of the dataset group.")
        if domain and kind.startswith("ACTION"):
            raise invalid(f"A {domain} dataset group cannot have a dataset of type {kind}.")
        _needs_kind(schema, kind)
        for other in world.of(self.noun, datasetGroupArn=group.arn, datasetType=kind):
            raise ServiceError(
                EXISTS, f"Another dataset of type {kind} already exists: {other.arn}."
            )

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        kind = params["datasetType"].upper()
        told = {**super().fields(world, params, arn), "datasetType": kind}
        if kind == "ACTION_INTERACTIONS":  # which has a tracker of its own
            told["trackingId"] = str(uuid.UUID(int=world.chance.getrandbits(128), version=4))
        return told

    def new(self, world: World, params: Params) -> Resource:
        made = super().new(world, params)
        made.data = Dataset(KINDS_BY_TYPE[made.fields["datasetType"]])
        return made

    def update(self, world: World, found: Resource, params: Params) -> Change:
        kind = found.fields["datasetType"]
        schema = world.get("Schema", params["schemaArn"])
        _needs_kind(schema, kind)
        old = world.get("Schema", found.fields["schemaArn"]).fields["schema"]
        refused = avro.changes_refused(old, schema.fields["schema"], KINDS_BY_TYPE[kind])
        if refused:
            raise invalid(f"The schema cannot be updated: {'; '.join(refused)}.")
        sets = {"schemaArn": schema.arn}
        return Change(world.begin_update(self.noun), sets, sets)

    def check_deletion(self, world: World, found: Resource) -> None:
        group = found.fields["datasetGroupArn"]
        need_none(list(world.of("Filter", datasetGroupArn=group)), "Filter", found)
        if found.fields["datasetType"] == "INTERACTIONS":
            for noun in ("EventTracker", "MetricAttribution"):
                need_none(list(world.of(noun, datasetGroupArn=group)), noun, found)
        for job in world.of("DatasetImportJob", datasetArn=found.arn):
            if job.changing(world.now):
                raise in_use(f"{found.arn} is being imported by {job.arn}.")
        need_none(live(world, "Recommender", datasetGroupArn=group), "Recommender", found)
        for solution in world.of("Solution", datasetGroupArn=group):
            _unused(world, solution, found)


def _unused(world: World, solution: Resource, dataset: Resource) -> None:
    """Refuse while a solution of the group is trained or served, or a batch job goes by it.

    https://docs.aws.amazon.com/personalize/latest/dg/delete-dataset.html
    """
    for version in world.of("SolutionVersion", solutionArn=solution.arn):
        if version.changing(world.now):
            raise in_use(f"{dataset.arn} is used by {version.arn}, which is in progress.")
        for noun in ("BatchInferenceJob", "BatchSegmentJob"):
            for job in world.of(noun, solutionVersionArn=version.arn):
                if job.changing(world.now):
                    raise in_use(f"{dataset.arn} is used by {job.arn}, which is in progress.")
    campaigns = [
        one
        for one in live(world, "Campaign")
        if one.fields["solutionVersionArn"].startswith(f"{solution.arn}/")
    ]
    need_none(campaigns, "Campaign", dataset)


def schema_problem(text: str, domain: str | None) -> str:
    """Return what is wrong with a schema, whichever dataset it is for, or nothing."""
    try:
        schema = avro.loads(text)
    except ValueError as error:
        return f"not JSON: {error}"
    name = schema.get("name") if isinstance(schema, dict) else None
    kind = avro.kind_named(name)
    if kind is None:
        records = ", ".join(rules.record for rules in avro.RULES.values())
        return f"the record's name must be one of {records}"
    return "; ".join(one.told for one in avro.problems(schema, kind, domain))


def use_key(world: World, key: str, role: str, *, exporting: bool = False) -> None:
    """Use a group's key, or fail the work."""
    try:
        world.objects.use_key(key, role_arn=role, account=world.account, exporting=exporting)
    except KeyDenied as denied:
        raise WorkFailed(f"The KMS key {key} cannot be used: {denied}") from denied


def fields_of(schema: Resource) -> list[avro.Field]:
    return avro.fields(avro.loads(schema.fields["schema"]))


def _needs_kind(schema: Resource, kind: str) -> None:
    if avro.kind_of(avro.loads(schema.fields["schema"])) != KINDS_BY_TYPE[kind]:
        raise invalid(f"The schema {schema.arn} is not for a dataset of type {kind}.")
