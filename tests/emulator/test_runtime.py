"""What the runtime answers: each rule beside the page or the kept output that has it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.emulator.runtime import NEEDED
from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro

GENRE = {"name": "GENRE", "type": ["null", "string"], "categorical": True}
GENRES = ("Comedy", "Drama|Comedy", "Horror")
YULIN = {
    "aws-vod-most-popular": ("unused", "required"),
    "aws-vod-trending-now": ("unused", "optional"),
    "aws-vod-top-picks": ("unused", "required"),
    "aws-vod-more-like-x": ("required", "required"),
    "aws-vod-because-you-watched-x": ("required", "required"),
    "aws-ecomm-popular-items-by-views": ("unused", "required"),
    "aws-ecomm-popular-items-by-purchases": ("unused", "required"),
    "aws-ecomm-recommended-for-you": ("unused", "required"),
    "aws-ecomm-frequently-bought-together": ("required", "optional"),
    "aws-ecomm-customers-who-viewed-x-also-viewed": ("required", "required"),
}
"""itemId and userId of each use case, as another implementation read the guide
(KensioSoftware/yulin, 2026)."""


def items_csv(count: int = 140) -> str:
    rows = [f"i{n},{n + 0.5},{GENRES[n // 100 % 3]}" for n in range(count * 2)]
    return "\n".join(["ITEM_ID,PRICE,GENRE", *rows]) + "\n"


@pytest.fixture
def group(build: Builder) -> str:
    """A dataset group with interactions and items; the first hundred items are comedies."""
    arn = build.group()
    build.imported(arn)
    items = build.dataset(arn, "Items", "i", GENRE)
    build.begin_import(items, items_csv(), name="items")
    build.wait(900)
    return arn


def served(build: Builder, group: str, recipe: str = "user-personalization-v2", **more: Any) -> str:
    solution = build.solution(group, recipe, name=recipe)
    return build.campaign(build.version(solution), name=recipe, **more)


def ask(build: Builder, campaign: str, **params: Any) -> list[dict[str, Any]]:
    answer = build.emulated.runtime.get_recommendations(campaignArn=campaign, **params)
    found: list[dict[str, Any]] = answer["itemList"]
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["itemId"] for one in found]


def test_what_a_use_case_needs_is_what_another_implementation_read_in_the_guide() -> None:
    required = {
        recipe: tuple(
            key for key, role in zip(("itemId", "userId"), roles, strict=True) if role == "required"
        )
        for recipe, roles in YULIN.items()
    }
    assert {recipe: tuple(needed) for recipe, needed in NEEDED.items()} == required


def test_a_recommendation_id_has_two_parts(build: Builder, group: str) -> None:
    # aws-samples/amazon-personalize-immersion-day Retail/Retail_03_Inference.ipynb, cell 17
    campaign = served(build, group)
    answers = [
        build.emulated.runtime.get_recommendations(campaignArn=campaign, userId="u0")
        for _ in range(2)
    ]
    told = [one["recommendationId"] for one in answers]
    assert all(re.fullmatch(r"RID-[0-9a-f-]{25}-CID-\w{6}", one) for one in told)
    assert told[0] != told[1]


@pytest.mark.parametrize("recipe", ["sims", "similar-items", "popularity-count"])
def test_some_recipes_show_no_scores(build: Builder, group: str, recipe: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/how-recommendation-scoring-works.html
    found = ask(build, served(build, group, recipe), userId="u0", itemId="i1")
    assert len(found) == 25
    assert not any("score" in one for one in found)


def test_user_personalization_scores_the_whole_catalogue(build: Builder, group: str) -> None:
    # the same page: all scores of the catalogue add up to 1
    off = {"itemExplorationConfig": {"explorationWeight": "0"}}
    campaign = served(build, group, "user-personalization", campaignConfig=off)
    found = ask(build, campaign, userId="u0", numResults=500)
    assert sum(one["score"] for one in found) == pytest.approx(1)
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_placeholders_of_v2_have_a_reason_and_no_score(build: Builder, group: str) -> None:
    # the same page, and API_RS_PredictedItem
    off = {"itemExplorationConfig": {"explorationWeight": "0"}}
    found = ask(build, served(build, group, campaignConfig=off), userId="nobody-knows")
    assert {tuple(one["reason"]) for one in found} == {("Popular item",)}
    assert not any("score" in one for one in found)


def test_similar_items_leave_out_the_item_itself(build: Builder, group: str) -> None:
    for recipe in ("sims", "similar-items"):
        assert "i1" not in ids(ask(build, served(build, group, recipe), itemId="i1"))


def test_similar_items_know_an_item_by_its_metadata_and_sims_does_not(
    build: Builder, group: str
) -> None:
    # i250 is a horror film that nobody had
    near = ids(ask(build, served(build, group, "similar-items"), itemId="i250", numResults=10))
    assert all(int(item[1:]) >= 200 for item in near)
    popular = ids(ask(build, served(build, group, "popularity-count"), numResults=10))
    assert ids(ask(build, served(build, group, "sims"), itemId="i250", numResults=10)) == popular


def test_a_ranking_campaign_is_asked_for_rankings_alone(build: Builder, group: str) -> None:
    # the note of https://docs.aws.amazon.com/personalize/latest/dg/API_RS_GetRecommendations.html
    ranking = served(build, group, "personalized-ranking")
    with pytest.raises(ClientError, match="GetPersonalizedRanking"):
        ask(build, ranking, userId="u0")
    other = served(build, group)
    with pytest.raises(ClientError, match="PERSONALIZED_RANKING"):
        build.emulated.runtime.get_personalized_ranking(
            campaignArn=other, userId="u0", inputList=["i1"]
        )


def test_a_ranking_orders_its_items_and_puts_unknown_ones_last(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/rankings.html
    answer = build.emulated.runtime.get_personalized_ranking(
        campaignArn=served(build, group, "personalized-ranking-v2"),
        userId="u0",
        inputList=["nothing", "i205", "i105", "i5"],
    )
    ranked = answer["personalizedRanking"]
    assert ids(ranked)[0] == "i5", "user 0 is of the first shelf"
    assert ids(ranked)[-1] == "nothing"
    assert ranked[-1]["score"] == 0
    assert sum(one["score"] for one in ranked) == pytest.approx(1)
    assert "-CID-" in answer["recommendationId"]


def test_a_ranking_is_filtered(build: Builder, group: str) -> None:
    comedies = build.filter(group, "INCLUDE ItemID WHERE items.genre IN ($G)")
    answer = build.emulated.runtime.get_personalized_ranking(
        campaignArn=served(build, group, "personalized-ranking"),
        userId="u0",
        inputList=["i205", "i105", "i5"],
        filterArn=comedies,
        filterValues={"G": '"Comedy"'},
    )
    assert sorted(ids(answer["personalizedRanking"])) == ["i105", "i5"]


@pytest.mark.parametrize("count", [0, 501])
def test_a_ranking_has_from_1_to_500_items(build: Builder, group: str, count: int) -> None:
    # API_RS_GetPersonalizedRanking
    with pytest.raises(ClientError, match="inputList"):
        build.emulated.runtime.get_personalized_ranking(
            campaignArn=served(build, group, "personalized-ranking"),
            userId="u0",
            inputList=[f"i{n}" for n in range(count)],
        )


def test_metadata_has_keys_in_lower_case_and_values_as_text(build: Builder, group: str) -> None:
    # aws-samples/amazon-personalize-immersion-day Retail/Retail_03_Inference.ipynb, cell 61
    campaign = served(build, group, campaignConfig={"enableMetadataWithRecommendations": True})
    columns = {"ITEMS": ["PRICE", "GENRE"]}
    (one,) = ask(build, campaign, userId="u0", numResults=1, metadataColumns=columns)
    number = int(one["itemId"][1:])
    assert one["metadata"] == {"price": str(number + 0.5), "genre": GENRES[number // 100]}
    with pytest.raises(ClientError, match="50"):
        ask(build, campaign, userId="u0", numResults=51, metadataColumns=columns)
    with pytest.raises(ClientError, match="NOTHING"):
        ask(build, campaign, userId="u0", metadataColumns={"ITEMS": ["NOTHING"]})
    with pytest.raises(ClientError, match="10"):
        ask(build, campaign, userId="u0", metadataColumns={"ITEMS": ["PRICE"] * 11})


def test_metadata_must_be_enabled(build: Builder, group: str) -> None:
    with pytest.raises(ClientError, match="not enabled"):
        ask(build, served(build, group), userId="u0", metadataColumns={"ITEMS": ["PRICE"]})


def test_promoted_items_are_named_and_as_many_as_asked(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/promoting-items.html
    horror = build.filter(group, "INCLUDE ItemID WHERE Items.GENRE IN ($G)")
    comedies = build.filter(group, 'INCLUDE ItemID WHERE Items.GENRE IN ("Comedy")', "c")
    campaign = served(build, group)
    promotion = {
        "name": "scary",
        "percentPromotedItems": 40,
        "filterArn": horror,
        "filterValues": {"G": '"Horror"'},
    }
    found = ask(
        build, campaign, userId="u0", numResults=10, promotions=[promotion], filterArn=comedies
    )
    promoted = [one for one in found if one.get("promotionName") == "scary"]
    assert (len(found), len(promoted)) == (10, 4)
    assert all(int(one["itemId"][1:]) >= 200 for one in promoted), "the promotion's filter alone"
    assert all(int(one["itemId"][1:]) < 200 for one in found if one not in promoted)
    assert {tuple(one["reason"]) for one in promoted} == {("Promoted item",)}


def test_fewer_items_are_promoted_where_fewer_meet_the_criteria(build: Builder, group: str) -> None:
    few = build.filter(group, "INCLUDE ItemID WHERE Items.PRICE < 2")
    promotion = {"name": "cheap", "percentPromotedItems": 100, "filterArn": few}
    found = ask(build, served(build, group), userId="u0", numResults=10, promotions=[promotion])
    promoted = {one["itemId"] for one in found if "promotionName" in one}
    assert promoted == {"i0", "i1"}
    assert len(found) == 10


def test_a_promotion_needs_its_filter(build: Builder, group: str) -> None:
    few = build.filter(group, "INCLUDE ItemID WHERE Items.PRICE < 2")
    campaign = served(build, group, "sims")
    promotion = {"name": "cheap", "percentPromotedItems": 10}
    with pytest.raises(ClientError, match="filterArn"):
        ask(build, campaign, itemId="i1", promotions=[promotion])
    assert ask(build, campaign, itemId="i1", promotions=[{**promotion, "filterArn": few}])


def test_an_exclude_without_its_values_is_not_used(build: Builder, group: str) -> None:
    # API_RS_GetRecommendations, filterValues
    campaign = served(build, group)
    without = build.filter(group, "EXCLUDE ItemID WHERE Items.GENRE IN ($G)")
    assert ids(ask(build, campaign, userId="u0", filterArn=without)) == ids(
        ask(build, campaign, userId="u0")
    )
    only = build.filter(group, "INCLUDE ItemID WHERE Items.GENRE IN ($G)", "only")
    with pytest.raises(ClientError, match="filterValues lacks G"):
        ask(build, campaign, userId="u0", filterArn=only)


def test_current_item_stands_for_the_item_that_is_asked_about(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/item-recommendation-filter-examples.html
    same = build.filter(
        group,
        "INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRE IN CurrentItem.GENRE",
    )
    found = ids(ask(build, served(build, group, "sims"), itemId="i20", filterArn=same))
    assert found
    assert all(int(item[1:]) < 20 for item in found)


def test_exploration_shows_unknown_items_by_its_weight(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/use-case-recipe-features.html
    shown = []
    for weight in ("0", "1"):
        config = {"itemExplorationConfig": {"explorationWeight": weight}}
        version = build.version(build.solution(group, "user-personalization", name=f"w{weight}"))
        campaign = build.campaign(version, name=f"c{weight}", campaignConfig=config)
        found = ids(ask(build, campaign, userId="u0", numResults=30))
        shown.append(sum(int(item[1:]) % 100 >= 40 for item in found))
    assert shown == [0, 10], "nobody had the items from 40 to 99 of each shelf"


@pytest.fixture
def shop(build: Builder) -> str:
    """An ECOMMERCE dataset group with interactions."""
    arn: str = build.client.create_dataset_group(name="shop", domain="ECOMMERCE")["datasetGroupArn"]
    build.wait(60)
    schema = build.client.create_schema(name="s", schema=avro("Interactions"), domain="ECOMMERCE")
    dataset = build.client.create_dataset(
        name="d",
        datasetGroupArn=arn,
        datasetType="Interactions",
        schemaArn=schema["schemaArn"],
    )["datasetArn"]
    build.wait(60)
    body = interactions(each=80).replace("buy", "Purchase").replace("view", "View")
    build.begin_import(dataset, body)
    build.wait(900)
    return arn


def recommender(build: Builder, shop: str, recipe: str) -> str:
    arn: str = build.client.create_recommender(
        name=recipe, datasetGroupArn=shop, recipeArn=f"arn:aws:personalize:::recipe/aws-{recipe}"
    )["recommenderArn"]
    build.wait(3600)
    return arn


def bought(user: str, each: int = 80) -> set[str]:
    rows = [line.split(",") for line in interactions(each=each).splitlines()]
    return {row[1] for row in rows if row[0] == user and row[2] == "buy"}


@pytest.mark.parametrize(
    ("recipe", "params"),
    [
        ("ecomm-recommended-for-you", {"userId": "u0"}),
        ("ecomm-customers-who-viewed-x-also-viewed", {"userId": "u0", "itemId": "i1"}),
    ],
)
def test_what_the_user_purchased_is_left_out(
    build: Builder, shop: str, recipe: str, params: dict[str, str]
) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/ECOMMERCE-use-cases.html
    arn = recommender(build, shop, recipe)
    answer = build.emulated.runtime.get_recommendations(
        recommenderArn=arn, numResults=100, **params
    )
    found = answer["itemList"]
    assert bought("u0").isdisjoint(ids(found))
    assert not any("score" in one for one in found), "Retail_03_Inference.ipynb, cells 17 and 61"


def test_customers_who_viewed_x_needs_the_user_too(build: Builder, shop: str) -> None:
    arn = recommender(build, shop, "ecomm-customers-who-viewed-x-also-viewed")
    with pytest.raises(ClientError, match="userId"):
        build.emulated.runtime.get_recommendations(recommenderArn=arn, itemId="i1")


def test_frequently_bought_together_needs_a_user_for_a_filter_by_users(
    build: Builder, shop: str
) -> None:
    arn = recommender(build, shop, "ecomm-frequently-bought-together")
    assert build.emulated.runtime.get_recommendations(recommenderArn=arn, itemId="i1")["itemList"]
    seen = build.filter(shop, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")')
    with pytest.raises(ClientError, match="userId"):
        build.emulated.runtime.get_recommendations(recommenderArn=arn, itemId="i1", filterArn=seen)
