"""Recipes, algorithms and feature transformations."""

from __future__ import annotations

from typing import Any

from mpe.model.service.recipes import RECIPES
from tests.facts.bench import GONE, INVALID, RECIPE, Bench, refused
from tests.facts.record import GUIDE, SAMPLES, WORKSHOP, Area

fact = Area("recipes")
KEPT = f"{WORKSHOP} Media/Media_03_Training.ipynb"
PAGE = f"{GUIDE}native-recipe-"


def every(bench: Bench, **params: Any) -> list[dict[str, Any]]:
    """Return all recipes, page after page."""
    pages = bench.client.get_paginator("list_recipes").paginate(**params)
    return [one for page in pages for one in page["recipes"]]


def described(bench: Bench, name: str) -> dict[str, Any]:
    told: dict[str, Any] = bench.client.describe_recipe(recipeArn=f"{RECIPE}{name}")
    return dict(told["recipe"])


@fact("R", "ListRecipes is ordered by name", f"{SAMPLES} similar_items_example.ipynb, cell 73")
def _(bench: Bench) -> None:
    names = [one["name"] for one in every(bench)]
    assert names == sorted(names)


@fact("R", "ListRecipes without a size gives 11 or 12 of them and a nextToken", KEPT)
def _(bench: Bench) -> None:
    page = bench.client.list_recipes()
    assert 11 <= len(page["recipes"]) <= 12
    assert page["nextToken"]


BORN = {
    "item-affinity": "2021-07-15",
    "item-attribute-affinity": "2021-08-25",
    "next-best-action": "2023-08-11",
    "trending-now": "2022-10-01",
    "sims": "2019-06-10",
    "similar-items": "2019-06-10",
    "popularity-count": "2019-06-10",
    "personalized-ranking": "2019-06-10",
    "user-personalization": "2019-06-10",
    "vod-top-picks": "2019-06-10",
    "personalized-ranking-v2": "2024-01-01",
}


def _born(name: str, day: str) -> None:
    @fact("R", f"aws-{name} was created on {day}", KEPT)
    def _(bench: Bench) -> None:
        (found,) = [one for one in every(bench) if one["name"] == f"aws-{name}"]
        assert found["creationDateTime"].date().isoformat() == day


for name, day in BORN.items():
    _born(name, day)


@fact("R", "every recipe of a list is ACTIVE", KEPT)
def _(bench: Bench) -> None:
    assert {one["status"] for one in every(bench)} == {"ACTIVE"}


@fact("R", "a custom recipe has no domain in the list", KEPT)
def _(bench: Bench) -> None:
    custom = {one["name"] for one in every(bench) if "domain" not in one}
    assert custom == {one.name for one in RECIPES.values() if not one.domain}


@fact("R", "a list of a domain may need its second page", KEPT)
def _(bench: Bench) -> None:
    first = bench.client.list_recipes(domain="VIDEO_ON_DEMAND")
    assert first["nextToken"]
    assert len(every(bench, domain="VIDEO_ON_DEMAND")) == 5


@fact("D", "an e-commerce group has five use cases", f"{GUIDE}ECOMMERCE-use-cases.html")
def _(bench: Bench) -> None:
    assert len(every(bench, domain="ECOMMERCE")) == 5


@fact("M", "recipeProvider SERVICE, the default, gives the same list", "ListRecipesRequest")
def _(bench: Bench) -> None:
    assert every(bench, recipeProvider="SERVICE") == every(bench)


@fact("M", "a list has at most 100 of a type in a page", "MaxResults")
def _(bench: Bench) -> None:
    assert refused(bench.client.list_recipes, maxResults=101)[0] == INVALID


TRANSFORMATIONS = {
    "sims": "sims",
    "popularity-count": "sims",
    "personalized-ranking": "JSON-percentile-filtering",
    "item-affinity": "item-affinity",
    "item-attribute-affinity": "item-attribute-affinity",
}
PAGES = {
    "sims": "sims.html",
    "popularity-count": "popularity.html",
    "personalized-ranking": "search.html",
    "item-affinity": "item-affinity.html",
    "item-attribute-affinity": "item-attribute-affinity.html",
}


def _transformation(name: str, wanted: str) -> None:
    @fact("D", f"aws-{name} has the feature transformation {wanted}", f"{PAGE}{PAGES[name]}")
    def _(bench: Bench) -> None:
        found = described(bench, name)["featureTransformationArn"]
        assert found == f"arn:aws:personalize:::feature-transformation/{wanted}"
        told = bench.client.describe_feature_transformation(featureTransformationArn=found)
        assert told["featureTransformation"]["status"] == "ACTIVE"


for name, wanted in TRANSFORMATIONS.items():
    _transformation(name, wanted)


@fact(
    "D", "the algorithm of aws-trending-now is aws-trending-now-custom", f"{PAGE}trending-now.html"
)
def _(bench: Bench) -> None:
    assert described(bench, "trending-now")["algorithmArn"].endswith("/aws-trending-now-custom")


TYPES = {
    "user-personalization": "USER_PERSONALIZATION",
    "user-personalization-v2": "USER_PERSONALIZATION",
    "popularity-count": "USER_PERSONALIZATION",
    "personalized-ranking": "PERSONALIZED_RANKING",
    "personalized-ranking-v2": "PERSONALIZED_RANKING",
    "sims": "RELATED_ITEMS",
    "similar-items": "RELATED_ITEMS",
    "semantic-similarity": "RELATED_ITEMS",
    "trending-now": "POPULAR_ITEMS",
    "next-best-action": "PERSONALIZED_ACTIONS",
    "item-affinity": "USER_SEGMENTATION",
    "item-attribute-affinity": "USER_SEGMENTATION",
}


def _type(name: str, wanted: str) -> None:
    @fact(
        "D", f"aws-{name} is of the type {wanted}", f"{GUIDE}working-with-predefined-recipes.html"
    )
    def _(bench: Bench) -> None:
        assert described(bench, name)["recipeType"] == wanted


for name, wanted in TYPES.items():
    _type(name, wanted)

DEFAULTS = {
    "user-personalization": (
        "new-item-USER_PERSONALIZATION.html",
        {"hidden_dimension": "149", "bptt": "32", "recency_mask": "true"},
        {"hidden_dimension": (32, 256), "bptt": (2, 32)},
    ),
    "sims": (
        "sims.html",
        {"popularity_discount_factor": "0.5", "min_cointeraction_count": "3"},
        {"popularity_discount_factor": (0, 1), "min_cointeraction_count": (0, 10)},
    ),
    "similar-items": (
        "similar-items.html",
        {"item_id_hidden_dim": "100", "item_metadata_hidden_dim": "100"},
        {"item_id_hidden_dim": (30, 200), "item_metadata_hidden_dim": (30, 200)},
    ),
}


def _algorithm(name: str) -> None:
    page, defaults, ranges = DEFAULTS[name]

    @fact("D", f"DescribeAlgorithm tells defaults and ranges of aws-{name}", f"{PAGE}{page}")
    def _(bench: Bench) -> None:
        arn = described(bench, name)["algorithmArn"]
        told = bench.client.describe_algorithm(algorithmArn=arn)["algorithm"]
        assert defaults.items() <= told["defaultHyperParameters"].items()
        found = {
            one["name"]: (one["minValue"], one["maxValue"])
            for kind, listed in told["defaultHyperParameterRanges"].items()
            if not kind.startswith("categorical")
            for one in listed
        }
        assert ranges.items() <= found.items()


for name in DEFAULTS:
    _algorithm(name)


@fact("D", "a feature transformation tells its default parameters", f"{PAGE}sims.html")
def _(bench: Bench) -> None:
    arn = "arn:aws:personalize:::feature-transformation/sims"
    told = bench.client.describe_feature_transformation(featureTransformationArn=arn)
    found = told["featureTransformation"]["defaultParameters"]
    assert found["min_user_history_length_percentile"] == "0.005"
    assert found["max_item_interaction_count_percentile"] == "0.9"


@fact("M", "a recipe that there is not is not found", "DescribeRecipe errors")
def _(bench: Bench) -> None:
    code, told = refused(bench.client.describe_recipe, recipeArn=f"{RECIPE}none")
    assert code == GONE
    assert f"{RECIPE}none" in told


@fact("D", "the legacy HRNN recipes are no longer available", f"{PAGE}hrnn.html")
def _(bench: Bench) -> None:
    assert "aws-hrnn" not in {one["name"] for one in every(bench)}
    code, _ = refused(bench.solution, recipe="hrnn")
    assert code in {INVALID, GONE}
