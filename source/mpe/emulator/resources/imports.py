"""Dataset import jobs, which really read the CSVs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from mpe.emulator.conformity import conforming
from mpe.emulator.data import EVENTS
from mpe.emulator.resources.base import Kind, Params, check_running, invalid
from mpe.emulator.resources.files import check_location, check_role, chunks, files, working
from mpe.emulator.resources.groups import fields_of
from mpe.emulator.resources.reports import publish
from mpe.emulator.state import Resource, World
from mpe.emulator.tables import Columns, read_columns, typed


class DatasetImportJobKind(Kind):
    noun = "DatasetImportJob"

    def check(self, world: World, params: Params) -> None:
        dataset = world.need_active("Dataset", params["datasetArn"])
        # The model lets it be left out; but nothing else could read the data.
        if "roleArn" not in params:
            raise invalid("Provide a roleArn that can read the data.")
        role = params["roleArn"]
        check_role(world, role)
        check_location(world, params["dataSource"].get("dataLocation", ""), role, ".csv")
        if params.get("importMode") == "INCREMENTAL" and not (dataset.data and dataset.data.count):
            raise invalid("An incremental import needs an earlier bulk import.")
        check_running(world, self.noun, world.quotas.importing)

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        return {"importMode": "FULL", **super().fields(world, params, arn)}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        dataset = world.get("Dataset", params["datasetArn"])
        fields = fields_of(world.get("Schema", dataset.fields["schemaArn"]))
        location, role = params["dataSource"]["dataLocation"], params["roleArn"]
        incremental = params.get("importMode") == "INCREMENTAL"
        assert dataset.data is not None
        target = dataset.data

        def bodies() -> Iterator[Iterator[bytes]]:
            for url in files(world, location, role, ".csv"):
                yield chunks(world, url, role)

        def events() -> Iterator[Columns]:
            known = target.events.event.values if incremental else ()
            read = (some for body in bodies() for some in read_columns(body, fields))
            return conforming(read, target.kind, fields, known)

        def rows() -> Iterator[dict[str, Any]]:
            read = (some for body in bodies() for some in read_columns(body, fields))
            return typed(conforming(read, target.kind, fields), fields)

        def work() -> None:
            if target.kind not in EVENTS:
                target.load(rows(), world.clock(), replace=not incremental)
                return
            before = len(target.events) if incremental else 0
            target.load_events(events(), fields, replace=not incremental)
            if target.kind == "interactions" and params.get("publishAttributionMetricsToS3"):
                brought = islice(target.events.rows(), before, None)
                group, mode = dataset.fields["datasetGroupArn"], made.fields["importMode"]
                publish(world, group, mode, brought)

        return working(location, work)
