"""Hyperparameters, held beside the tables of the developer guide's pages of recipes."""

from __future__ import annotations

import pytest

from mpe.model.service.hyperparameters import HYPERPARAMETERS, of
from mpe.model.service.recipes import PREFIX, RECIPES

# Default, range and whether HPO may tune it, transcribed from
# https://docs.aws.amazon.com/personalize/latest/dg/native-recipe-<page>.html.
PAGES = {
    "sims": (
        "aws-sims",
        """
        popularity_discount_factor            0.5    0.0   1.0  Float    Yes
        min_cointeraction_count               3      0     10   Integer  Yes
        min_user_history_length_percentile    0.005  0.0   1.0  Float    No
        max_user_history_length_percentile    0.995  0.0   1.0  Float    No
        min_item_interaction_count_percentile 0.01   0.0   1.0  Float    No
        max_item_interaction_count_percentile 0.9    0.0   1.0  Float    No
        """,
    ),
    "search": (
        "aws-personalized-ranking",
        """
        hidden_dimension                      149    32    256  Integer  Yes
        bptt                                  32     2     32   Integer  Yes
        min_user_history_length_percentile    0.0    0.0   1.0  Float    No
        max_user_history_length_percentile    0.99   0.0   1.0  Float    No
        """,
    ),
    "similar-items": (
        "aws-similar-items",
        """
        popularity_discount_factor            0.0    0.0   1.0  Float    No
        item_id_hidden_dim                    100    30    200  Integer  Yes
        item_metadata_hidden_dim              100    30    200  Integer  Yes
        """,
    ),
    "item-affinity": ("aws-item-affinity", "hidden_dimension 149 32 256 Integer No"),
    "next-best-action": ("aws-next-best-action", "action_optimization_period 14 7 28 Integer No"),
}


@pytest.mark.parametrize("page", PAGES)
def test_defaults_and_ranges_are_those_of_the_recipes_page(page: str) -> None:
    recipe, table = PAGES[page]
    own = of(recipe)
    for line in table.strip().splitlines():
        name, default, least, most, kind, tunable = line.split()
        found = own[name]
        assert (float(found.default), found.least, found.most) == (
            float(default),
            float(least),
            float(most),
        )
        assert found.kind == {"Float": "continuous", "Integer": "integer"}[kind]
        assert found.tunable == (tunable == "Yes")


def test_every_default_fits_its_own_range() -> None:
    for recipe, every in HYPERPARAMETERS.items():
        assert PREFIX + recipe in RECIPES
        for one in every:
            assert one.fits(one.default), (recipe, one.name)


@pytest.mark.parametrize("value", ["", "x", "31", "257", "100.5", "1e999"])
def test_a_value_beside_its_range_does_not_fit(value: str) -> None:
    assert not of("aws-user-personalization")["hidden_dimension"].fits(value)


def test_truth_values_fit_in_any_case_and_nothing_else_does() -> None:
    mask = of("aws-user-personalization")["recency_mask"]
    assert [mask.fits(one) for one in ("true", "True", "FALSE", "yes")] == [True, True, True, False]
