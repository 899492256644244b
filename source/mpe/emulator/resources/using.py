"""Event trackers and filters."""

from __future__ import annotations

import uuid
from typing import Any

from mpe.emulator.resources.base import Kind, Params, invalid, limit, live
from mpe.emulator.resources.groups import KINDS_BY_TYPE, fields_of
from mpe.emulator.state import EXISTS, Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service import filters
from mpe.model.service.avro import Field


class EventTrackerKind(Kind):
    noun = "EventTracker"

    def arn(self, world: World, params: Params) -> str:
        return world.arn(f"event-tracker/{world.mint()}")

    def check(self, world: World, params: Params) -> None:
        group = params["datasetGroupArn"]
        world.need_active("DatasetGroup", group)
        for other in world.of(self.noun, datasetGroupArn=group):
            raise ServiceError(
                EXISTS, f"The dataset group {group} already has the event tracker {other.arn}."
            )

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        tracking = str(uuid.UUID(int=world.chance.getrandbits(128), version=4))
        own = {"trackingId": tracking, "accountId": world.account}
        return {**super().fields(world, params, arn), **own}


class FilterKind(Kind):
    noun = "Filter"

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        wrong = filters.problems(params["filterExpression"], schemas_of(world, group))
        if wrong:
            raise invalid("; ".join(one.told for one in wrong))
        if len(live(world, self.noun, datasetGroupArn=group.arn)) >= world.quotas.filters:
            raise limit(f"More than {world.quotas.filters} filters in the dataset group.")
        others = live(world, self.noun, datasetGroupArn=group.arn)
        expressions = (one.fields["filterExpression"] for one in others)
        all_of_them = [("$", one) for one in (*expressions, params["filterExpression"])]
        for too_many in filters.problems_of_all(all_of_them):
            raise limit(too_many.told)


def schemas_of(world: World, group: Resource) -> dict[str, list[Field]]:
    """Return the fields of each dataset of a group, by kind."""
    return {
        KINDS_BY_TYPE[dataset.fields["datasetType"]]: fields_of(
            world.get("Schema", dataset.fields["schemaArn"])
        )
        for dataset in world.of("Dataset", datasetGroupArn=group.arn)
    }
