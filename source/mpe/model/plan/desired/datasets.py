"""The dataset group, its datasets with their schemas, and what reads and writes their data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mpe.model.config.sections import DatasetConfig, ResourceConfig, inner
from mpe.model.plan.desired.making import Making, name_of
from mpe.model.plan.desired.records import Desired
from mpe.model.service import avro

INTERACTIONS_IMPORT = "import.interactions"
"""The id of the import that versions are trained on, and whose users campaigns are asked for."""
DATASET_TYPES = {
    "interactions": "INTERACTIONS",
    "users": "USERS",
    "items": "ITEMS",
    "actions": "ACTIONS",
    "actionInteractions": "ACTION_INTERACTIONS",
}
"""The service's dataset type for each section of the config's ``datasets``."""
DELETIONS = "deletions"
"""The CSV beside the config that lists the users whose data is to be deleted."""


def group(making: Making) -> Desired:
    """Return the dataset group; it has the config's key, or else is created with the stack's.

    The AWS solution does so with its parameter of the same name, as its README says.
    """
    section, place = making.config.group, making.place
    by_role, stacks = {"roleArn": place.role_arn}, place.kms_key_arn
    named = bool(section.params.get("kmsKeyArn"))
    role = by_role if named else {}
    initial = {"kmsKeyArn": stacks, **by_role} if stacks and not named else {}
    own = {key: value for key, value in section.params.items() if key != "roleArn"}
    params = {**own, **role, **making.tags("DatasetGroup", section)}
    made = Desired(
        "datasetGroup",
        "DatasetGroup",
        making.group,
        section.path,
        params,
        arn=making.group_arn,
        initial=initial,
    )
    return made.owned_by(place.stack) if place.stack else made


def schema_and_dataset(making: Making, config: DatasetConfig) -> tuple[Desired, Desired]:
    """Return a dataset with its schema, which comes first."""
    schema = _schema(making, config)
    params = {
        **config.dataset.params,
        "schemaArn": schema.arn,
        "datasetGroupArn": making.group_arn,
        "datasetType": DATASET_TYPES[config.kind],
        **making.tags("Dataset", config.dataset),
    }
    dataset = Desired(
        f"dataset.{config.kind}",
        "Dataset",
        name_of(config.dataset),
        config.dataset.path,
        params,
        arn=_dataset_arn(making, config),
        parent=making.group_arn,
    )
    return schema, dataset


def _schema(making: Making, config: DatasetConfig) -> Desired:
    name = name_of(config.schema)
    domain = making.config.domain
    return Desired(
        f"schema.{config.kind}",
        "Schema",
        name,
        config.schema.path,
        {
            "name": name,
            "schema": avro.dumps(config.schema.params["schema"]),
            **({"domain": domain} if domain else {}),
        },
        arn=making.place.arn(f"schema/{name}"),
    )


def _dataset_arn(making: Making, config: DatasetConfig) -> str:
    return making.place.arn(f"dataset/{making.group}/{DATASET_TYPES[config.kind]}")


def metric_attributions(making: Making) -> Iterator[Desired]:
    """Yield what reports to the data bucket."""
    for section in making.config.of("MetricAttribution"):
        output = {
            "s3DataDestination": {"path": making.output("MetricAttribution")},
            "roleArn": making.place.role_arn,
        }
        made = making.in_group("MetricAttribution", "metricAttribution", section)
        yield replace(made, params={**made.params, "metricsOutputConfig": output})


def imports(making: Making) -> Iterator[Desired]:
    options = making.config.imports
    for config in making.config.datasets:
        dataset_arn = _dataset_arn(making, config)
        yield Desired(
            f"import.{config.kind}",
            "DatasetImportJob",
            name_of(config.dataset),
            config.dataset.path,
            _job_params(making, "DatasetImportJob", options, datasetArn=dataset_arn),
            parent=dataset_arn,
            data=making.csvs(config.kind, optional=True),
            schema=avro.dumps(config.schema.params["schema"]),
            max_age=making.config.group.max_age,
            gate=_data_gate(making),
        )


def _data_gate(making: Making) -> dict[str, Any]:
    """Return what imports are judged by, which is for the whole group to say."""
    found = inner(making.config.group.workflow, "gate")
    return {"mode": found.get("mode", "observe"), "data": inner(found, "data")}


def recommenders(making: Making) -> Iterator[Desired]:
    """Yield what the service trains by itself, and the group's gate judges without holding it."""
    gate = inner(making.config.group.workflow, "gate")
    for section in making.config.of("Recommender"):
        made = making.in_group("Recommender", f"recommender.{name_of(section)}", section)
        judged = {"mode": "observe"} | ({"metrics": gate["metrics"]} if "metrics" in gate else {})
        off = gate.get("mode") == "off"
        yield replace(made, gate={} if off else judged)


def deletions(making: Making) -> Iterator[Desired]:
    """Delete users' data after every import, which may have brought it back."""
    for section in making.config.of("DataDeletionJob"):
        yield Desired(
            "dataDeletionJob",
            "DataDeletionJob",
            making.group,
            section.path,
            _job_params(making, "DataDeletionJob", section, datasetGroupArn=making.group_arn),
            parent=making.group_arn,
            data=making.csvs(DELETIONS, optional=True, nested=True),
            after=tuple(_dataset_arn(making, one) for one in making.config.datasets),
        )


def exports(making: Making) -> Iterator[Desired]:
    """Export a dataset again whenever it was imported again."""
    for config in making.config.datasets:
        if config.export is None:
            continue
        dataset_arn = _dataset_arn(making, config)
        yield Desired(
            f"export.{config.kind}",
            "DatasetExportJob",
            name_of(config.dataset),
            config.export.path,
            _job_params(making, "DatasetExportJob", config.export, datasetArn=dataset_arn),
            parent=dataset_arn,
            after=(dataset_arn,),
            output=making.output("DatasetExportJob", config.kind),
            max_age=config.export.max_age,
        )


def _job_params(making: Making, noun: str, section: ResourceConfig, **of: str) -> dict[str, Any]:
    """Return a job's parameters: what the user wrote, what it is of, and the role."""
    role = {"roleArn": making.place.role_arn}
    return {**section.params, **of, **role, **making.tags(noun, section)}
