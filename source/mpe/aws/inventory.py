"""Everything that a dataset group holds, described: also what this project never made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from mpe.aws.personalize import Missing, Personalize
from mpe.model.plan.inventory import Found, Inventory
from mpe.model.service.spec import ACTIVE, SPECS, ResourceSpec


@dataclass(frozen=True)
class Inventories:
    """Make inventories through the adapter of the service."""

    personalize: Personalize

    def groups(self) -> dict[str, str]:
        """Return the ARNs of the account's dataset groups by name."""
        listed = self.personalize.listed(SPECS["DatasetGroup"])
        return {one["name"]: one["datasetGroupArn"] for one in listed}

    def of(self, group_arn: str) -> Inventory:
        """Return the inventory of a dataset group; raise Missing where there is none."""
        group = self._found(SPECS["DatasetGroup"], group_arn)
        found = tuple(self._below(group_arn, "datasetGroupArn"))
        schemas = {one.fields["schemaArn"] for one in found if one.noun == "Dataset"}
        return Inventory(
            group,
            (*found, *(self._found(SPECS["Schema"], arn) for arn in sorted(schemas))),
            frozenset(self._shared(schemas, group_arn)),
        )

    def with_schemas(self, inventory: Inventory, arns: Iterable[str]) -> Inventory:
        """Add schemas that are there and that no dataset of it has any more."""
        found = self._there(set(arns) - {one.arn for one in inventory.of("Schema")})
        shared = self._shared({one.arn for one in found}, inventory.group.arn) if found else ()
        more = frozenset(shared) | inventory.shared
        return replace(inventory, found=(*inventory.found, *found), shared=more)

    def unused(self, arns: Iterable[str]) -> tuple[Found, ...]:
        """Return those of the schemas that are there and that no dataset has."""
        found = self._there(arns)
        used = set(self._shared({one.arn for one in found}, "")) if found else set()
        return tuple(one for one in found if one.arn not in used)

    def _there(self, arns: Iterable[str]) -> tuple[Found, ...]:
        found = []
        for arn in sorted(arns):
            with suppress(Missing):
                found.append(self._found(SPECS["Schema"], arn))
        return tuple(found)

    def named(self, group_arn: str) -> Iterator[Found]:
        """Yield what a dataset group holds, but for its history; nothing where there is none."""
        yield from self._below(group_arn, "datasetGroupArn", history=False)

    def _below(self, parent: str, listed_by: str, *, history: bool = True) -> Iterator[Found]:
        """Yield what is listed by a parent, and what is below that."""
        for spec in SPECS.values():
            if spec.listed_by != listed_by or (spec.repeatable and not history):
                continue
            for one in self.personalize.listed(spec, {listed_by: parent}):
                arn = one[spec.arn_key]
                try:
                    # History is long, and what is listed of it will do.
                    yield (
                        Found(spec.noun, arn, one["status"], {**one, listed_by: parent})
                        if spec.repeatable
                        else self._found(spec, arn)
                    )
                except Missing:
                    continue  # it went meanwhile
                yield from self._below(arn, spec.arn_key, history=history)

    def _found(self, spec: ResourceSpec, arn: str) -> Found:
        described = self.personalize.described(spec, arn)
        tags = self.personalize.tags(arn) if spec.tagged else ()
        return Found(spec.noun, arn, described.get("status", ACTIVE), described, tuple(tags))

    def _shared(self, schemas: set[str], group_arn: str) -> Iterator[str]:
        """Yield the schemas that datasets of other groups have."""
        for dataset in self.personalize.listed(SPECS["Dataset"]):
            described = self._dataset(dataset["datasetArn"])
            if described.get("datasetGroupArn") != group_arn:
                yield from schemas & {described.get("schemaArn")}

    def _dataset(self, arn: str) -> Mapping[str, Any]:
        try:
            return self.personalize.described(SPECS["Dataset"], arn)
        except Missing:
            return {}
