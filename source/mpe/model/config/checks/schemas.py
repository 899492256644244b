"""The schemas of a config, which other checks look fields up in."""

from __future__ import annotations

from collections.abc import Mapping

from mpe.model.config.sections import Config
from mpe.model.service import avro

Schemas = Mapping[str, list[avro.Field]]
"""The fields of each dataset, by its kind."""


def schemas_of(config: Config) -> Schemas | None:
    """Return the fields of each dataset, or None where a schema has problems."""
    found = {}
    for dataset in config.datasets:
        schema = dataset.schema.params.get("schema")
        if avro.problems(schema, dataset.kind, config.domain):
            return None
        found[dataset.kind] = avro.fields(avro.loads(schema))
    return found


def field_of(schemas: Schemas, kind: str, name: str) -> avro.Field | None:
    """Return a field of a dataset, or None where the dataset or the field is missing."""
    return next((one for one in schemas.get(kind, ()) if one.name == name), None)
