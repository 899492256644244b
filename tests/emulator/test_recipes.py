"""Recipes, algorithms and feature transformations, as outputs of the service have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Emulated

NOTEBOOK = "aws-samples/amazon-personalize-immersion-day Media/Media_03_Training.ipynb"
"""Its kept outputs of April 2024 have the order, the dates and the second page."""
DATES = {
    "aws-item-affinity": "2021-07-15",
    "aws-item-attribute-affinity": "2021-08-25",
    "aws-next-best-action": "2023-08-11",
    "aws-personalized-ranking": "2019-06-10",
    "aws-personalized-ranking-v2": "2024-01-01",
    "aws-popularity-count": "2019-06-10",
    "aws-similar-items": "2019-06-10",
    "aws-sims": "2019-06-10",
    "aws-trending-now": "2022-10-01",
    "aws-user-personalization": "2019-06-10",
    "aws-vod-trending-now": "2019-06-10",
}


def every(emulated: Emulated, **options: Any) -> list[dict[str, Any]]:
    pages = emulated.client.get_paginator("list_recipes").paginate(**options)
    return [one for page in pages for one in page["recipes"]]


def test_recipes_are_listed_by_name(emulated: Emulated) -> None:
    names = [one["name"] for one in every(emulated)]
    assert names == sorted(names)
    assert len(names) == 22


def test_a_list_without_a_size_tells_only_where_its_first_page_ends(emulated: Emulated) -> None:
    page = emulated.client.list_recipes()
    assert 11 <= len(page["recipes"]) <= 12
    assert page["nextToken"]


def test_the_recipes_of_a_domain_may_stand_on_the_second_page(emulated: Emulated) -> None:
    """The notebook reads ``nextToken`` of a list of five, and joins two pages."""
    first = emulated.client.list_recipes(domain="VIDEO_ON_DEMAND")
    second = emulated.client.list_recipes(domain="VIDEO_ON_DEMAND", nextToken=first["nextToken"])
    assert [one["name"] for one in first["recipes"] + second["recipes"]] == [
        "aws-vod-because-you-watched-x",
        "aws-vod-more-like-x",
        "aws-vod-most-popular",
        "aws-vod-top-picks",
        "aws-vod-trending-now",
    ]


def test_recipes_have_the_dates_that_outputs_have(emulated: Emulated) -> None:
    told = {one["name"]: one["creationDateTime"].strftime("%Y-%m-%d") for one in every(emulated)}
    assert {name: told[name] for name in DATES} == DATES


def test_a_custom_recipe_tells_no_domain(emulated: Emulated) -> None:
    told = {one["name"]: one.get("domain") for one in every(emulated)}
    assert told["aws-sims"] is None
    assert told["aws-vod-top-picks"] == "VIDEO_ON_DEMAND"


# The properties on https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-*.html:
# algorithm, feature transformation, type.
PROPERTIES = {
    "aws-sims": ("aws-sims", "sims", "RELATED_ITEMS"),
    "aws-popularity-count": ("aws-popularity-count", "sims", "USER_PERSONALIZATION"),
    "aws-trending-now": ("aws-trending-now-custom", None, "POPULAR_ITEMS"),
    "aws-personalized-ranking": (
        "aws-personalized-ranking",
        "JSON-percentile-filtering",
        "PERSONALIZED_RANKING",
    ),
    "aws-personalized-ranking-v2": ("aws-personalized-ranking-v2", None, "PERSONALIZED_RANKING"),
    "aws-user-personalization": ("aws-user-personalization", None, "USER_PERSONALIZATION"),
    "aws-user-personalization-v2": ("aws-user-personalization-v2", None, "USER_PERSONALIZATION"),
    "aws-similar-items": ("aws-similar-items", None, "RELATED_ITEMS"),
    "aws-item-affinity": ("aws-item-affinity", "item-affinity", "USER_SEGMENTATION"),
    "aws-item-attribute-affinity": (
        "aws-item-attribute-affinity",
        "item-attribute-affinity",
        "USER_SEGMENTATION",
    ),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_recipe_has_the_properties_of_its_page(emulated: Emulated, name: str) -> None:
    algorithm, features, kind = PROPERTIES[name]
    arn = f"arn:aws:personalize:::recipe/{name}"
    told = emulated.client.describe_recipe(recipeArn=arn)["recipe"]
    assert told["algorithmArn"] == f"arn:aws:personalize:::algorithm/{algorithm}"
    wanted = f"arn:aws:personalize:::feature-transformation/{features}" if features else None
    assert told.get("featureTransformationArn") == wanted
    assert told["recipeType"] == kind
    assert told["status"] == "ACTIVE"


def test_an_algorithm_tells_its_hyperparameters_and_their_ranges(emulated: Emulated) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-sims.html."""
    arn = "arn:aws:personalize:::algorithm/aws-sims"
    told = emulated.client.describe_algorithm(algorithmArn=arn)["algorithm"]
    assert told["defaultHyperParameters"] == {
        "popularity_discount_factor": "0.5",
        "min_cointeraction_count": "3",
    }
    assert told["defaultHyperParameterRanges"] == {
        "continuousHyperParameterRanges": [
            {
                "name": "popularity_discount_factor",
                "minValue": 0.0,
                "maxValue": 1.0,
                "isTunable": True,
            }
        ],
        "integerHyperParameterRanges": [
            {"name": "min_cointeraction_count", "minValue": 0, "maxValue": 10, "isTunable": True}
        ],
    }


def test_a_feature_transformation_tells_its_default_parameters(emulated: Emulated) -> None:
    arn = "arn:aws:personalize:::feature-transformation/sims"
    told = emulated.client.describe_feature_transformation(featureTransformationArn=arn)
    parameters = told["featureTransformation"]["defaultParameters"]
    assert parameters["min_user_history_length_percentile"] == "0.005"


@pytest.mark.parametrize("what", ["recipe", "algorithm", "feature_transformation"])
def test_what_the_service_has_not_is_not_found(emulated: Emulated, what: str) -> None:
    key = {"feature_transformation": "featureTransformation"}.get(what, what)
    arn = f"arn:aws:personalize:::{what.replace('_', '-')}/aws-none"
    with pytest.raises(emulated.client.exceptions.ResourceNotFoundException):
        getattr(emulated.client, f"describe_{what}")(**{f"{key}Arn": arn})
