"""The schemas of a config, which other checks look fields up in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mpe.model.config.sections import Config
from mpe.model.service import avro


@dataclass(frozen=True)
class Schemas:
    """The schemas of a config, by the kinds of its datasets."""

    fields: Mapping[str, list[avro.Field]]
    """The fields of each whose schema is right."""
    wrong: frozenset[str] = frozenset()
    """Those whose schema has problems of its own: what uses them cannot be told about yet."""

    def field(self, kind: str, name: str) -> avro.Field | None:
        """Return a field of a dataset, or None where the dataset or the field is missing."""
        return next((one for one in self.fields.get(kind, ()) if one.name == name), None)


def schemas_of(config: Config) -> Schemas:
    """Return what is known of the fields of each dataset."""
    found, wrong = {}, set()
    for dataset in config.datasets:
        schema = dataset.schema.params.get("schema")
        if avro.problems(schema, dataset.kind, config.domain):
            wrong.add(dataset.kind)
        else:
            found[dataset.kind] = avro.fields(avro.loads(schema))
    return Schemas(found, frozenset(wrong))
