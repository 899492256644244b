"""Dataset import jobs, which really read the CSVs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mpe.emulator.data import read_csv
from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.objects import ObjectsDenied, ObjectsMissing
from mpe.emulator.resources.base import Kind, Params, invalid, limit
from mpe.emulator.resources.groups import fields_of
from mpe.emulator.state import Resource, World

DENIED = "Insufficient privileges for accessing data in Amazon S3"


class DatasetImportJobKind(Kind):
    noun = "DatasetImportJob"

    def check(self, world: World, params: Params) -> None:
        dataset = world.need_active("Dataset", params["datasetArn"])
        location = params["dataSource"].get("dataLocation", "")
        role = params.get("roleArn", "")
        if not world.objects.role_trusts_service(role, account=world.account):
            raise invalid(f"The service cannot assume the role {role}.")
        if not self._there(world, location, role):
            raise invalid(f"Invalid Data location: there is no CSV at {location}")
        if params.get("importMode") == "INCREMENTAL" and not (dataset.data and dataset.data.count):
            raise invalid("An incremental import needs an earlier bulk import.")
        running = [one for one in world.of(self.noun) if one.changing(world.now)]
        if len(running) >= world.quotas.importing:
            raise limit(
                f"More than {world.quotas.importing} resources with PENDING or IN_PROGRESS status."
            )

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        return {"importMode": "FULL", **super().fields(world, params, arn)}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None]:
        dataset = world.get("Dataset", params["datasetArn"])
        fields = fields_of(world.get("Schema", dataset.fields["schemaArn"]))
        location, role = params["dataSource"]["dataLocation"], params["roleArn"]
        incremental = params.get("importMode") == "INCREMENTAL"
        assert dataset.data is not None
        target = dataset.data

        def rows() -> Iterator[dict[str, Any]]:
            for url in _csvs(world, location, role):
                chunks = world.objects.read(url, role_arn=role, account=world.account)
                yield from read_csv(chunks, fields)

        def work() -> None:
            try:
                target.load(rows(), replace=not incremental)
            except ObjectsDenied:
                raise WorkFailed(DENIED) from None
            except ObjectsMissing:
                raise WorkFailed(f"Invalid Data location: {location}") from None

        return work

    @staticmethod
    def _there(world: World, location: str, role: str) -> bool:
        """Tell whether there is something to import; what may not be read fails later."""
        try:
            return bool(_csvs(world, location, role))
        except ObjectsDenied:
            return True
        except ObjectsMissing:
            return False


def _csvs(world: World, location: str, role: str) -> list[str]:
    """Return the CSVs at a location: one object, or those below a folder."""
    keys = world.objects.keys(location, role_arn=role, account=world.account)
    folder = location.endswith("/")
    return [key for key in keys if key.endswith(".csv")] if folder else keys
