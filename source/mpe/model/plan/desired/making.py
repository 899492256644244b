"""What the resources of all sections are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.plan.desired.records import Data, Desired, Place
from mpe.model.service.spec import SPECS


def folder_of(group: str) -> str:
    """Return the folder of a dataset group's own name, where its config and data lie by default."""
    return f"train/{group}/"


CONFIG_NAME = "config.json"
"""What a config is called where nobody has called it otherwise."""


def config_of(group: str) -> str:
    """Return the key of a dataset group's config, where it lies by default."""
    return f"{folder_of(group)}{CONFIG_NAME}"


@dataclass(frozen=True)
class Making:
    """A config and the place where its dataset group lives."""

    config: Config
    place: Place
    beside: str | None = None
    """The folder that the config lies in, ending with ``/``; its group's own where it is None."""

    @property
    def group(self) -> str:
        return name_of(self.config.group)

    @property
    def group_arn(self) -> str:
        return self.place.arn(f"dataset-group/{self.group}")

    def tags(self, noun: str, section: ResourceConfig) -> dict[str, Any]:
        """Return the section's own tags, or the config's where it has none."""
        if not SPECS[noun].tagged:
            return {}
        tags = section.params.get("tags", self.config.tags)
        return {"tags": [dict(tag) for tag in tags]} if tags else {}

    def csvs(self, name: str, **more: Any) -> Data:
        """Return the place of CSVs beside the config."""
        return Data.csvs(self.place.bucket, f"{self.beside or folder_of(self.group)}{name}", **more)

    def output(self, noun: str, *folders: str) -> str:
        """Return where jobs of a type write to."""
        path = "/".join((str(SPECS[noun].writes_below), self.group, *folders))
        return f"s3://{self.place.bucket}/{path}/"

    def in_group(self, noun: str, id: str, section: ResourceConfig) -> Desired:
        """Return a resource of the dataset group that bears a name of its own."""
        spec, name = SPECS[noun], name_of(section)
        params = {
            **section.params,
            "datasetGroupArn": self.group_arn,
            **self.tags(noun, section),
        }
        arn = None if spec.minted else self.place.arn(spec.arn.format(name=name))
        return Desired(id, noun, name, section.path, params, arn=arn, parent=self.group_arn)


def name_of(section: ResourceConfig) -> str:
    return str(section.params["name"])
