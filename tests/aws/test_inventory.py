"""Everything that a dataset group holds, as the emulated service tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.inventory import Inventories
from mpe.aws.personalize import Missing, Personalize
from mpe.model.plan.inventory import Found
from mpe.model.service.spec import ACTIVE
from tests.conftest import Emulated
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE

NOWHERE = f"{PLACE}dataset-group/nowhere"


@pytest.fixture
def inventories(emulated: Emulated) -> Inventories:
    return Inventories(Personalize(emulated.client))


@pytest.fixture
def films(build: Builder) -> str:
    """Return a dataset group with some of everything that lies below one another."""
    group = build.group()
    build.imported(group)
    build.campaign(build.version(build.solution(group)))
    return group


class Going:
    """A client to whom some resources are gone by the time that they are described."""

    def __init__(self, client: Any, *arns: str) -> None:
        self._client, self._arns = client, set(arns)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def called(**params: Any) -> Any:
            if name.startswith("describe") and self._arns.intersection(params.values()):
                gone = {"Code": "ResourceNotFoundException", "Message": "not there"}
                raise ClientError({"Error": gone}, name)
            return call(**params)

        return called


def nouns(found: Iterator[Found] | tuple[Found, ...]) -> list[str]:
    return sorted(one.noun for one in found)


def schema(build: Builder, name: str) -> str:
    """Make a schema that no dataset has."""
    made: str = build.client.create_schema(name=name, schema=avro("Items"))["schemaArn"]
    return made


def test_groups_are_told_by_their_names(inventories: Inventories, build: Builder) -> None:
    arns = {name: build.group(name) for name in ("films", "series")}
    assert inventories.groups() == arns


def test_all_that_a_group_holds_is_found_with_its_history_and_its_schemas(
    inventories: Inventories, films: str
) -> None:
    inventory = inventories.of(films)
    assert inventory.group.arn == films
    held = ["Campaign", "Dataset", "DatasetImportJob", "Schema", "Solution", "SolutionVersion"]
    assert nouns(inventory.found) == held
    assert {one.status for one in inventory.found} == {ACTIVE}
    (job,) = inventory.of("DatasetImportJob", datasetArn=f"{PLACE}dataset/films/INTERACTIONS")
    (version,) = inventory.of("SolutionVersion", solutionArn=f"{PLACE}solution/for-you")
    assert {"jobName", "creationDateTime"} <= job.fields.keys()
    (campaign,) = inventory.of("Campaign", solutionVersionArn=version.arn)
    assert campaign.name == "live"


def test_what_is_of_another_group_is_not_found(
    inventories: Inventories, build: Builder, films: str
) -> None:
    other = build.group("series")
    build.dataset(other, "Items", "other")
    before = inventories.of(films)
    assert len(before.found) == 6
    assert nouns(inventories.of(other).found) == ["Dataset", "Schema"]


def test_tags_are_found_of_what_can_have_some(
    inventories: Inventories, build: Builder, films: str
) -> None:
    tag = {"tagKey": "team", "tagValue": "films"}
    build.client.tag_resource(resourceArn=films, tags=[tag])
    inventory = inventories.of(films)
    assert inventory.group.tags == (tag,)
    assert {one.tags for one in inventory.found} == {()}


def test_the_history_is_left_out_of_what_has_a_name(inventories: Inventories, films: str) -> None:
    assert nouns(inventories.named(films)) == ["Campaign", "Dataset", "Solution"]


def test_a_group_that_is_not_there_is_missing_and_holds_nothing(inventories: Inventories) -> None:
    with pytest.raises(Missing):
        inventories.of(NOWHERE)
    assert not list(inventories.named(NOWHERE))


def test_a_schema_that_a_dataset_of_another_group_has_is_shared(
    inventories: Inventories, build: Builder, films: str
) -> None:
    mine = {one.arn for one in inventories.of(films).of("Schema")}
    assert inventories.of(films).shared == frozenset()
    (arn,) = mine
    other = build.group("series")
    params = {"name": "e", "datasetGroupArn": other, "datasetType": "Interactions"}
    build.client.create_dataset(**params, schemaArn=arn)
    build.dataset(build.group("books"), "Items", "books")
    assert inventories.of(films).shared == mine


def test_what_goes_while_it_is_looked_at_is_left_out_with_all_below_it(
    build: Builder, films: str
) -> None:
    """Those that come after it are found all the same."""
    solution = f"{PLACE}solution/for-you"
    build.solution(films, name="second")
    going = Inventories(Personalize(Going(build.client, solution)))
    found = going.of(films)
    assert [one.name for one in found.of("Solution")] == ["second"]
    assert not list(found.of("SolutionVersion"))
    assert not list(found.of("Campaign"))


def test_a_dataset_that_goes_meanwhile_shares_no_schema(build: Builder, films: str) -> None:
    (arn,) = (one.arn for one in Inventories(Personalize(build.client)).of(films).of("Schema"))
    other = build.group("series")
    params = {"name": "e", "datasetGroupArn": other, "datasetType": "Interactions"}
    dataset = build.client.create_dataset(**params, schemaArn=arn)["datasetArn"]
    going = Inventories(Personalize(Going(build.client, dataset)))
    assert going.of(films).shared == frozenset()


def test_former_schemas_are_added_that_are_there_and_not_there_already(
    inventories: Inventories, build: Builder, films: str
) -> None:
    inventory = inventories.of(films)
    (present,) = (one.arn for one in inventory.of("Schema"))
    former, shared = schema(build, "former"), schema(build, "shared")
    params = {"name": "e", "datasetGroupArn": build.group("series"), "datasetType": "Items"}
    build.client.create_dataset(**params, schemaArn=shared)
    gone = f"{PLACE}schema/gone"
    whole = inventories.with_schemas(inventory, [shared, present, gone, former])
    assert [one.arn for one in whole.of("Schema")] == [present, former, shared]
    assert {one.noun for one in whole.found} == {one.noun for one in inventory.found}
    assert whole.shared == {shared}
    assert [one.arn for one in whole.removable_schemas] == [present, former]
    assert inventories.with_schemas(inventory, [gone]) == inventory


def test_what_was_shared_stays_so_when_former_schemas_are_added(
    inventories: Inventories, build: Builder, films: str
) -> None:
    (arn,) = (one.arn for one in inventories.of(films).of("Schema"))
    params = {"name": "e", "datasetGroupArn": build.group("s"), "datasetType": "Interactions"}
    build.client.create_dataset(**params, schemaArn=arn)
    inventory = inventories.of(films)
    assert inventories.with_schemas(inventory, [schema(build, "former")]).shared == {arn}
    assert inventories.with_schemas(inventory, []).shared == {arn}


def test_schemas_that_no_dataset_has_are_unused(
    inventories: Inventories, build: Builder, films: str
) -> None:
    (used,) = (one.arn for one in inventories.of(films).of("Schema"))
    free = schema(build, "free")
    found = inventories.unused([used, free, f"{PLACE}schema/gone"])
    assert [one.arn for one in found] == [free]
    assert inventories.unused([]) == ()
