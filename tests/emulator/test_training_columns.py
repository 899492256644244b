"""The columns that a solution or a recommender trains on are those that it says.

https://docs.aws.amazon.com/personalize/latest/dg/custom-config-columns.html
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro

GENRES = {"name": "GENRES", "type": "string", "categorical": True}
CREATED = {"name": "CREATION_TIMESTAMP", "type": "long"}
COLD = "i999"
"""An item that nobody had, with the genre of a few that some had."""


def stocked(build: Builder, domain: str | None) -> str:
    """Return a group whose items have a genre, and one of them no interactions."""
    own: dict[str, Any] = {"domain": domain} if domain else {}
    group: str = build.client.create_dataset_group(name="films", **own)["datasetGroupArn"]
    build.wait(60)
    rows = ["ITEM_ID,PRICE,GENRES,CREATION_TIMESTAMP"]
    rows += [f"i{number},1.0,{'Rare' if number < 4 else 'Drama'},1700000000"
             for number in [*range(40), *range(100, 140), *range(200, 240)]]  # fmt: skip
    rows.append(f"{COLD},1.0,Rare,1700000000")
    files = {"Interactions": interactions().replace("view", "Watch"), "Items": "\n".join(rows)}
    for record, body in files.items():
        more = (GENRES, CREATED) if record == "Items" else ()
        schema = build.client.create_schema(name=record, schema=avro(record, *more), **own)
        dataset = build.client.create_dataset(
            name=record, datasetGroupArn=group, datasetType=record, schemaArn=schema["schemaArn"]
        )["datasetArn"]
        build.wait(60)
        build.begin_import(dataset, body, name=f"import-{record}")
        build.wait(900)
    return group


def like_the_first(build: Builder, **where: str) -> list[str]:
    answer = build.emulated.runtime.get_recommendations(
        itemId="i0", userId="u0", numResults=100, **where
    )
    return [one["itemId"] for one in answer["itemList"]]


WITHOUT = {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["GENRES"]}}}
OTHERS = {"trainingDataConfig": {"includedDatasetColumns": {"ITEMS": ["ITEM_ID", "PRICE"]}}}
UNKNOWN = {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["DIRECTOR"]}}}
USES = [pytest.param({}, True, id="all"), pytest.param(WITHOUT, False, id="excluded"),
        pytest.param(OTHERS, False, id="not-included")]  # fmt: skip


@pytest.mark.parametrize(("config", "known"), USES)
def test_a_solution_trains_on_the_columns_that_it_says(
    build: Builder, config: dict[str, Any], known: bool
) -> None:
    group = stocked(build, None)
    more = {"solutionConfig": config} if config else {}
    version = build.version(build.solution(group, "similar-items", **more))
    found = like_the_first(build, campaignArn=build.campaign(version))
    assert (COLD in found) == known, found


@pytest.mark.parametrize(("config", "known"), USES)
def test_a_recommender_trains_on_the_columns_that_it_says(
    build: Builder, config: dict[str, Any], known: bool
) -> None:
    found = like_the_first(build, recommenderArn=recommender(build, config))
    assert (COLD in found) == known, found


def recommender(build: Builder, config: dict[str, Any]) -> str:
    more: dict[str, Any] = {"recommenderConfig": config} if config else {}
    arn: str = build.client.create_recommender(
        name="more",
        datasetGroupArn=stocked(build, "VIDEO_ON_DEMAND"),
        recipeArn="arn:aws:personalize:::recipe/aws-vod-more-like-x",
        **more,
    )["recommenderArn"]
    build.wait(3600)
    return arn


def test_a_recommender_cannot_leave_out_a_column_that_there_is_not(build: Builder) -> None:
    with pytest.raises(ClientError, match="DIRECTOR"):
        recommender(build, UNKNOWN)
