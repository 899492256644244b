"""Recommendations, rankings and actions in real time."""

from __future__ import annotations

import re
from typing import Any

from tests.facts.bench import GONE, INVALID, Bench, refused, status_of
from tests.facts.record import GUIDE, WORKSHOP, Area

fact = Area("runtime")
ASK = f"{GUIDE}API_RS_GetRecommendations.html"
RANK = f"{GUIDE}API_RS_GetPersonalizedRanking.html"
SCORES = f"{GUIDE}how-recommendation-scoring-works.html"
RETAIL = f"{WORKSHOP} Retail/Retail_03_Inference_Layer.ipynb, the output of execution 19"
NEWS = f"{WORKSHOP} NewsPublishing/News_03_Inference.ipynb"


def ranked(bench: Bench, items: list[str], **params: Any) -> list[dict[str, Any]]:
    answer = bench.runtime.get_personalized_ranking(
        campaignArn=bench.campaign("personalized-ranking"), inputList=items, userId="u1", **params
    )
    return list(answer["personalizedRanking"])


@fact("R", "recommendationId is RID-...-CID-xxxxxx", RETAIL)
def _(bench: Bench) -> None:
    answer = bench.runtime.get_recommendations(campaignArn=bench.campaign(), userId="u1")
    assert re.fullmatch(r"RID-[0-9a-f-]+-CID-[0-9a-f]{6}", answer["recommendationId"])


@fact("R", "recommendationId has 40 characters, as many as PutEvents takes", RETAIL)
def _(bench: Bench) -> None:
    answer = bench.runtime.get_recommendations(campaignArn=bench.campaign(), userId="u1")
    assert len(answer["recommendationId"]) == 40


@fact("R", "all ids of one campaign end alike", RETAIL)
def _(bench: Bench) -> None:
    ends = {
        bench.runtime.get_recommendations(campaignArn=bench.campaign(), userId=user)[
            "recommendationId"
        ].rpartition("-CID-")[2]
        for user in ("u1", "u2")
    }
    assert len(ends) == 1


@fact("D", "25 items where numResults was not given", ASK)
def _(bench: Bench) -> None:
    assert len(bench.ask(bench.campaign(), userId="u1")) == 25


@fact("D", "numResults is at most 500", ASK)
def _(bench: Bench) -> None:
    assert refused(bench.ask, campaign=bench.campaign(), userId="u1", numResults=501)[0] == INVALID


@fact("D", "at most 50 with metadata", ASK)
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    params = {"userId": "u1", "metadataColumns": {"ITEMS": ["PRICE"]}}
    assert len(bench.ask(arn, numResults=50, **params)) == 50
    assert refused(bench.ask, campaign=arn, numResults=51, **params)[0] == INVALID


@fact("D", "metadata must be enabled", f"{GUIDE}campaigns.html")
def _(bench: Bench) -> None:
    params = {"userId": "u1", "metadataColumns": {"ITEMS": ["PRICE"]}}
    assert refused(bench.ask, campaign=bench.campaign(), **params)[0] == INVALID


@fact("D", "at most ten columns of metadata", ASK)
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    columns = {"ITEMS": [f"C{number}" for number in range(11)]}
    assert refused(bench.ask, campaign=arn, userId="u1", metadataColumns=columns)[0] == INVALID


@fact(
    "R",
    "metadata: keys in lower case, values as text, categories joined as they were",
    f"{NEWS}, cell 9",
)
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    columns = {"ITEMS": ["GENRES", "PRICE"]}
    for one in bench.ask(arn, userId="u0", metadataColumns=columns):
        assert set(one["metadata"]) <= {"genres", "price"}
        assert all(isinstance(value, str) for value in one["metadata"].values())


@fact("D", "a campaign for users needs userId", ASK)
def _(bench: Bench) -> None:
    assert refused(bench.ask, campaign=bench.campaign())[0] == INVALID


@fact("D", "a campaign of related items needs itemId", ASK)
def _(bench: Bench) -> None:
    assert refused(bench.ask, campaign=bench.campaign("sims"), userId="u1")[0] == INVALID
    assert bench.ask(bench.campaign("sims"), itemId="i1")


@fact("D", "a campaign of a ranking is not asked for recommendations", ASK)
def _(bench: Bench) -> None:
    arn = bench.campaign("personalized-ranking")
    assert refused(bench.ask, campaign=arn, userId="u1")[0] == INVALID


@fact("D", "a ranking is only of a recipe for that", RANK)
def _(bench: Bench) -> None:
    call = bench.runtime.get_personalized_ranking
    code, _ = refused(call, campaignArn=bench.campaign(), inputList=["i1"], userId="u1")
    assert code == INVALID


@fact("M", "a campaign that there is not: HTTP 404", "botocore GetRecommendations errors")
def _(bench: Bench) -> None:
    arn = bench.campaign() + "x"
    assert refused(bench.ask, campaign=arn, userId="u1")[0] == GONE
    call = bench.runtime.get_recommendations
    assert status_of(call, campaignArn=arn, userId="u1") == 404


@fact("M", "an input that is not valid: HTTP 400", "botocore GetRecommendations errors")
def _(bench: Bench) -> None:
    assert status_of(bench.runtime.get_recommendations, campaignArn=bench.campaign()) == 400


@fact("D", "a user whom nobody knows gets popular items", f"{GUIDE}recommendations.html")
def _(bench: Bench) -> None:
    assert len(bench.ask(bench.campaign(), userId="nobody")) == 25


def _scored(recipe: str, asked: dict[str, str]) -> None:
    @fact("D", f"aws-{recipe} gives scores from 0 to 1, the highest first", SCORES)
    def _(bench: Bench) -> None:
        found = [one["score"] for one in bench.ask(bench.campaign(recipe), **asked)]
        assert all(0 <= one <= 1 for one in found)


def _unscored(recipe: str, asked: dict[str, str]) -> None:
    @fact("D", f"aws-{recipe} gives no scores", SCORES)
    def _(bench: Bench) -> None:
        found = bench.ask(bench.campaign(recipe), **asked)
        assert found
        assert not any("score" in one for one in found)


_scored("user-personalization", {"userId": "u1"})
_unscored("sims", {"itemId": "i1"})
_unscored("similar-items", {"itemId": "i1"})
_unscored("popularity-count", {"userId": "u1"})


@fact("D", "the scores of all items of User-Personalization sum up to 1", SCORES)
def _(bench: Bench) -> None:
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}
    arn = bench.served(bench.version(), campaignConfig=config)
    total = sum(one["score"] for one in bench.ask(arn, userId="u1", numResults=500))
    assert abs(total - 1) < 0.01


@fact("D", "the scores of a ranking sum up to 1", SCORES)
def _(bench: Bench) -> None:
    found = ranked(bench, [f"i{n}" for n in range(20)])
    assert abs(sum(one.get("score", 0) for one in found) - 1) < 0.01


@fact("D", "a ranking orders its own items alone, the likeliest first", RANK)
def _(bench: Bench) -> None:
    items = [f"i{n}" for n in range(20)]
    found = ranked(bench, items)
    assert sorted(one["itemId"] for one in found) == sorted(items)
    scores = [one.get("score", 0) for one in found]
    assert scores == sorted(scores, reverse=True)


@fact("D", "items that were not trained on come last in a ranking", RANK)
def _(bench: Bench) -> None:
    assert ranked(bench, ["unknown", "i1", "i2"])[-1]["itemId"] == "unknown"


@fact("D", "500 items at most in a ranking", RANK)
def _(bench: Bench) -> None:
    assert refused(ranked, bench=bench, items=[f"i{n}" for n in range(501)])[0] == INVALID
    assert len(ranked(bench, [f"i{n}" for n in range(240)])) == 240


@fact("D", "a ranking is filtered", RANK)
def _(bench: Bench) -> None:
    arn = bench.filter('INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")')
    found = ranked(bench, ["i1", "i150"], filterArn=arn)
    assert [one["itemId"] for one in found] == ["i1"]


@fact("M", "context is taken: 150 entries at most", "Context")
def _(bench: Bench) -> None:
    assert bench.ask(bench.campaign(), userId="u1", context={"DEVICE": "tv"})
    many = {f"C{number}": "x" for number in range(151)}
    assert refused(bench.ask, campaign=bench.campaign(), userId="u1", context=many)[0] == INVALID


@fact("D", "v2 names the reason of placeholders: Popular item", f"{GUIDE}API_RS_PredictedItem.html")
def _(bench: Bench) -> None:
    found = bench.ask(bench.campaign("user-personalization-v2"), userId="nobody", numResults=100)
    reasons = {reason for one in found for reason in one.get("reason", ())}
    assert reasons <= {"Popular item", "Exploration"}
    assert "Popular item" in reasons


def promoted(bench: Bench, **promotion: Any) -> list[dict[str, Any]]:
    arn = bench.filter('INCLUDE ItemID WHERE Items.GENRES IN ("Horror")')
    given = {"name": "sale", "percentPromotedItems": 50, "filterArn": arn, **promotion}
    return bench.ask(bench.campaign(), userId="u0", numResults=20, promotions=[given])


@fact("R", "promoted items bear promotionName", f"{NEWS}, cell 42")
def _(bench: Bench) -> None:
    found = promoted(bench)
    assert {one["promotionName"] for one in found if "promotionName" in one} == {"sale"}


@fact("D", "as many items are promoted as the percentage says", f"{GUIDE}promoting-items.html")
def _(bench: Bench) -> None:
    for percent, wanted in ((50, 10), (25, 5), (100, 20)):
        found = promoted(bench, percentPromotedItems=percent)
        assert sum("promotionName" in one for one in found) == wanted


@fact("M", "one promotion at most", "PromotionList")
def _(bench: Bench) -> None:
    arn = bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1")
    one = {"name": "p", "percentPromotedItems": 10, "filterArn": arn}
    params = {"userId": "u1", "promotions": [one, {**one, "name": "q"}]}
    assert refused(bench.ask, campaign=bench.campaign(), **params)[0] == INVALID


@fact("M", "from 1 to 100 percent are promoted", "PercentPromotedItems")
def _(bench: Bench) -> None:
    assert refused(promoted, bench=bench, percentPromotedItems=101)[0] == INVALID


@fact("D", "related items leave out the item itself", f"{GUIDE}native-recipe-similar-items.html")
def _(bench: Bench) -> None:
    found = bench.ask(bench.campaign("similar-items"), itemId="i1", numResults=100)
    assert "i1" not in {one["itemId"] for one in found}


@fact(
    "D",
    "an item that nobody turned to: SIMS gives popular items",
    f"{GUIDE}native-recipe-sims.html",
)
def _(bench: Bench) -> None:
    assert bench.ask(bench.campaign("sims"), itemId="nothing")


# Actions


def acting(bench: Bench) -> str:
    """Return a campaign of the next best action."""
    group = bench.new_group()
    from tests.conftest import interactions

    bench.imported(bench.dataset(group, "Interactions"), interactions())
    rows = [f"a{n},{n},1" for n in range(120)]
    body = "\n".join(["ACTION_ID,VALUE,MONTHS", *rows]) + "\n"
    bench.imported(bench.dataset(group, "Actions"), body)
    return bench.served(bench.trained(bench.solution("next-best-action", group=group)))


ACTIONS = f"{GUIDE}API_RS_GetActionRecommendations.html"


@fact("D", "five actions where numResults was not given, 100 at most", ACTIONS)
def _(bench: Bench) -> None:
    arn = acting(bench)
    call = bench.runtime.get_action_recommendations
    assert len(call(campaignArn=arn, userId="u1")["actionList"]) == 5
    assert len(call(campaignArn=arn, userId="u1", numResults=100)["actionList"]) == 100
    assert refused(call, campaignArn=arn, userId="u1", numResults=101)[0] == INVALID


@fact("D", "actions are sorted by score", ACTIONS)
def _(bench: Bench) -> None:
    call = bench.runtime.get_action_recommendations
    found = call(campaignArn=acting(bench), userId="u1", numResults=50)["actionList"]
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)


@fact("D", "actions are only of a recipe for actions", ACTIONS)
def _(bench: Bench) -> None:
    call = bench.runtime.get_action_recommendations
    assert refused(call, campaignArn=bench.campaign(), userId="u1")[0] == INVALID


@fact("M", "numResults may be 0 and not less", "NumResults")
def _(bench: Bench) -> None:
    answer = bench.runtime.get_recommendations(
        campaignArn=bench.campaign(), userId="u1", numResults=0
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@fact("M", "ids of users and items have 256 characters at most", "UserID, ItemID")
def _(bench: Bench) -> None:
    assert refused(bench.ask, campaign=bench.campaign(), userId="u" * 257)[0] == INVALID
    assert refused(bench.ask, campaign=bench.campaign("sims"), itemId="i" * 257)[0] == INVALID


@fact("D", "one of campaignArn and recommenderArn is needed, not both", ASK)
def _(bench: Bench) -> None:
    call, both = bench.runtime.get_recommendations, bench.recommender("ecomm-recommended-for-you")
    assert refused(call, userId="u1")[0] == INVALID
    given = {"campaignArn": bench.campaign(), "recommenderArn": both}
    assert refused(call, userId="u1", **given)[0] == INVALID


@fact("D", "a filter of another dataset group is refused", f"{GUIDE}filter-real-time.html")
def _(bench: Bench) -> None:
    other = bench.filter("INCLUDE ItemID WHERE Items.PRICE > 1", bench.shop("ECOMMERCE"))
    call = bench.runtime.get_recommendations
    given = {"campaignArn": bench.campaign(), "userId": "u1", "filterArn": other}
    assert refused(call, **given)[0] == INVALID


@fact("M", "a filter that there is not: ResourceNotFoundException", "GetRecommendations errors")
def _(bench: Bench) -> None:
    arn = "arn:aws:personalize:us-east-1:000000000000:filter/none"
    call = bench.runtime.get_recommendations
    assert refused(call, campaignArn=bench.campaign(), userId="u1", filterArn=arn)[0] == GONE


@fact("D", "a promotion needs a filter", f"{GUIDE}promoting-items.html")
def _(bench: Bench) -> None:
    given = {"promotions": [{"name": "p", "percentPromotedItems": 20}]}
    call = bench.runtime.get_recommendations
    assert refused(call, campaignArn=bench.campaign(), userId="u1", **given)[0] == INVALID


@fact("D", "metadata of a column that there is not is refused", f"{GUIDE}campaigns.html")
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    given = {"metadataColumns": {"ITEMS": ["NOTHING"]}}
    call = bench.runtime.get_recommendations
    assert refused(call, campaignArn=arn, userId="u1", **given)[0] == INVALID
