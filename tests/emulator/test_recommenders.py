"""Recommenders of domain dataset groups."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro

RECIPE = "arn:aws:personalize:::recipe/aws-"


@pytest.fixture
def shop(build: Builder) -> str:
    """An ECOMMERCE dataset group with its interactions imported."""
    arn: str = build.client.create_dataset_group(name="shop", domain="ECOMMERCE")["datasetGroupArn"]
    build.wait(60)
    schema = build.client.create_schema(name="s", schema=avro("Interactions"), domain="ECOMMERCE")[
        "schemaArn"
    ]
    dataset = build.client.create_dataset(
        name="d", datasetGroupArn=arn, datasetType="Interactions", schemaArn=schema
    )["datasetArn"]
    build.wait(60)
    build.begin_import(dataset, interactions().replace("buy", "Purchase").replace("view", "View"))
    build.wait(900)
    return arn


def create(build: Builder, group: str, recipe: str = "ecomm-recommended-for-you") -> str:
    arn: str = build.client.create_recommender(
        name="r", datasetGroupArn=group, recipeArn=f"{RECIPE}{recipe}"
    )["recommenderArn"]
    build.wait(3600)
    return arn


def test_a_recommender_is_trained_and_answers(build: Builder, shop: str) -> None:
    arn = create(build, shop)
    told = build.client.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["status"] == "ACTIVE"
    assert 0 < told["modelMetrics"]["precision_at_5"] <= 1
    assert told["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 1}
    answer = build.emulated.runtime.get_recommendations(recommenderArn=arn, userId="u0")
    assert len(answer["itemList"]) == 25


def test_a_use_case_needs_enough_of_its_event(build: Builder, shop: str) -> None:
    arn = create(build, shop, "ecomm-popular-items-by-purchases")
    told = build.client.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["status"] == "CREATE FAILED"
    assert told["failureReason"].endswith("filtering by event type: Purchase")


@pytest.mark.parametrize(
    ("recipe", "told"),
    [("vod-top-picks", "Invalid recipe"), ("user-personalization-v2", "Invalid recipe")],
)
def test_a_recipe_must_be_of_the_domain(build: Builder, shop: str, recipe: str, told: str) -> None:
    with pytest.raises(ClientError, match=told):
        create(build, shop, recipe)


def test_a_custom_group_has_no_recommenders(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    with pytest.raises(ClientError, match="domain dataset group"):
        create(build, group)


def test_a_stopped_recommender_answers_no_more_until_it_is_started(
    build: Builder, shop: str
) -> None:
    arn = create(build, shop)

    def status() -> str:
        told = build.client.describe_recommender(recommenderArn=arn)["recommender"]
        return str(told["status"])

    build.client.stop_recommender(recommenderArn=arn)
    assert status() == "STOP PENDING"
    build.wait(60)
    assert status() == "INACTIVE"
    with pytest.raises(ClientError, match="not ACTIVE"):
        build.emulated.runtime.get_recommendations(recommenderArn=arn, userId="u0")
    with pytest.raises(ClientError, match="not ACTIVE"):
        build.client.stop_recommender(recommenderArn=arn)
    build.client.start_recommender(recommenderArn=arn)
    build.wait(60)
    assert status() == "ACTIVE"
    build.client.delete_recommender(recommenderArn=arn)
    build.wait(60)
    assert build.client.list_recommenders()["recommenders"] == []


def test_an_update_keeps_what_it_does_not_name(build: Builder, shop: str) -> None:
    arn = create(build, shop)
    build.client.update_recommender(
        recommenderArn=arn, recommenderConfig={"enableMetadataWithRecommendations": True}
    )
    build.wait(600)
    told = build.client.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["recommenderConfig"] == {
        "minRecommendationRequestsPerSecond": 1,
        "enableMetadataWithRecommendations": True,
    }


def test_a_group_with_a_recommender_cannot_be_deleted(build: Builder, shop: str) -> None:
    create(build, shop)
    with pytest.raises(ClientError, match="Recommender"):
        build.client.delete_dataset_group(datasetGroupArn=shop)
