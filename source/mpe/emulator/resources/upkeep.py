"""Dataset export jobs and data deletion jobs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from mpe.emulator.data import PUT
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.resources.base import Kind, Params, limit
from mpe.emulator.resources.files import check_location, check_role, chunks, files, working, write
from mpe.emulator.resources.groups import fields_of, use_key
from mpe.emulator.state import Resource, World
from mpe.emulator.tables import lines_of
from mpe.model.service.dialect import records


class DatasetExportJobKind(Kind):
    """Exports of what was imported in bulk, of what was put one by one, or of both.

    The service looks into the folder that it writes to, which takes a permission of its own:
    https://docs.aws.amazon.com/personalize/latest/dg/export-data.html
    https://docs.aws.amazon.com/personalize/latest/dg/export-permissions.html
    An encrypted group's key must allow one action more for it:
    https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html
    """

    noun = "DatasetExportJob"

    def check(self, world: World, params: Params) -> None:
        world.need_active("Dataset", params["datasetArn"])
        check_role(world, params["roleArn"])

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        return {"ingestionMode": "PUT", **super().fields(world, params, arn)}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        dataset = world.get("Dataset", params["datasetArn"])
        columns = [one.name for one in fields_of(world.get("Schema", dataset.fields["schemaArn"]))]
        target = params["jobOutput"]["s3DataDestination"]["path"].rstrip("/")
        mode = params.get("ingestionMode", PUT)
        group = world.get("DatasetGroup", dataset.fields["datasetGroupArn"])
        key = group.fields.get("kmsKeyArn")

        def work() -> None:
            assert dataset.data is not None
            if key:
                use_key(world, key, params["roleArn"], exporting=True)
            files(world, f"{target}/", params["roleArn"], ".csv")
            text = io.StringIO()
            writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(dataset.data.table(mode))
            write(world, f"{target}/part-00000.csv", text.getvalue(), params["roleArn"])

        return working(target, work)


class DataDeletionJobKind(Kind):
    """Deletion of users' data, from a CSV with one column, ``USER_ID``.

    https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html; their order in a list
    is in https://docs.aws.amazon.com/personalize/latest/dg/API_ListDataDeletionJobs.html.
    """

    noun = "DataDeletionJob"
    newest_first = True
    steps = ("PENDING", "IN_PROGRESS", "COMPLETED")
    failed = "FAILED"

    def check(self, world: World, params: Params) -> None:
        group = world.need_active("DatasetGroup", params["datasetGroupArn"])
        role = params["roleArn"]
        check_role(world, role)
        location = params["dataSource"].get("dataLocation", "")
        check_location(world, location, role, ".csv", nested=True)
        waiting = [
            one
            for one in world.of(self.noun, datasetGroupArn=group.arn)
            if one.state(world.now).status == "PENDING"
        ]
        if len(waiting) >= world.quotas.deletions:
            raise limit(f"More than {world.quotas.deletions} resources with PENDING status.")

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        location, role = params["dataSource"]["dataLocation"], params["roleArn"]
        datasets = list(world.of("Dataset", datasetGroupArn=params["datasetGroupArn"]))

        def work() -> None:
            users: set[str] = set()
            for url in files(world, location, role, ".csv", nested=True):
                rows = (one.cells for one in records(lines_of(chunks(world, url, role))))
                if next(rows, []) != ["USER_ID"]:
                    raise WorkFailed("Input CSV must have exactly one column: USER_ID")
                users.update(cells[0] for cells in rows)
            made.fields["numDeleted"] = sum(
                dataset.data.forget(users) for dataset in datasets if dataset.data
            )

        return working(location, work)
