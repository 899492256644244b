"""Recommenders and the use cases of the domains."""

from __future__ import annotations

from typing import Any

from tests.conftest import interactions
from tests.facts.bench import (
    GONE,
    IN_USE,
    INVALID,
    LIMIT,
    RECIPE,
    THERE,
    Bench,
    refused,
)
from tests.facts.groups import seen
from tests.facts.record import GUIDE, STORE, WORKSHOP, Area

fact = Area("recommenders")
CREATE = f"{GUIDE}API_CreateRecommender.html"
SHOP, VIDEO = f"{GUIDE}ECOMMERCE-use-cases.html", f"{GUIDE}VIDEO_ON_DEMAND-use-cases.html"
RETAIL = f"{WORKSHOP} Retail_03, cells 17 and 61; Media_04, cell 15; Media_05, cell 10"
NEEDED = {
    "ecomm-popular-items-by-views": ("userId",),
    "ecomm-popular-items-by-purchases": ("userId",),
    "ecomm-frequently-bought-together": ("itemId",),
    "ecomm-customers-who-viewed-x-also-viewed": ("itemId", "userId"),
    "ecomm-recommended-for-you": ("userId",),
    "vod-because-you-watched-x": ("itemId", "userId"),
    "vod-more-like-x": ("itemId", "userId"),
    "vod-most-popular": ("userId",),
    "vod-trending-now": (),
    "vod-top-picks": ("userId",),
}
GIVEN = {"userId": "u1", "itemId": "i1"}


def told_of(bench: Bench, arn: str) -> dict[str, Any]:
    return dict(bench.client.describe_recommender(recommenderArn=arn)["recommender"])


def made(bench: Bench, use_case: str, group: str, **more: Any) -> str:
    answer = bench.client.create_recommender(
        name=bench.name("r"), datasetGroupArn=group, recipeArn=f"{RECIPE}{use_case}", **more
    )
    bench.wait(3600)
    return str(answer["recommenderArn"])


def _needs(use_case: str, keys: tuple[str, ...]) -> None:
    needs = " and ".join(keys) or "neither userId nor itemId"

    @fact("D", f"aws-{use_case} needs {needs}", SHOP if "ecomm" in use_case else VIDEO)
    def _(bench: Bench) -> None:
        arn = bench.recommender(use_case)
        asked = {key: GIVEN[key] for key in keys}
        assert bench.ask(arn, **asked)
        for key in keys:
            less = {one: value for one, value in asked.items() if one != key}
            assert refused(bench.ask, campaign=arn, **less)[0] == INVALID


def _no_scores(use_case: str) -> None:
    @fact("R", f"aws-{use_case} gives no scores", RETAIL)
    def _(bench: Bench) -> None:
        asked = {key: GIVEN[key] for key in NEEDED[use_case]}
        found = bench.ask(bench.recommender(use_case), **asked)
        assert not any("score" in one for one in found)


for use_case, keys in NEEDED.items():
    _needs(use_case, keys)
for use_case in (
    "ecomm-recommended-for-you",
    "ecomm-customers-who-viewed-x-also-viewed",
    "vod-top-picks",
    "vod-more-like-x",
):
    _no_scores(use_case)

LEFT_OUT = {
    "ecomm-recommended-for-you": ("buy", SHOP),
    "ecomm-customers-who-viewed-x-also-viewed": ("buy", SHOP),
    "vod-top-picks": ("view", VIDEO),
    "vod-because-you-watched-x": ("view", VIDEO),
    "vod-more-like-x": ("view", VIDEO),
}


def _leaves_out(use_case: str, event: str, source: str) -> None:
    did = "purchased" if event == "buy" else "watched"

    @fact("D", f"aws-{use_case} leaves out what the user {did}", source)
    def _(bench: Bench) -> None:
        rows = [line.split(",") for line in interactions(60, 60).splitlines()[1:]]
        had = {row[1] for row in rows if row[0] == "u1" and row[2] == event}
        asked = {key: GIVEN[key] for key in NEEDED[use_case]}
        found = {
            one["itemId"] for one in bench.ask(bench.recommender(use_case), **asked, numResults=50)
        }
        assert found
        assert not found & had


for use_case, (event, source) in LEFT_OUT.items():
    _leaves_out(use_case, event, source)


@fact(
    "D",
    "Dataset has fewer than 1000 interactions after filtering by event type: TYPE",
    f"{GUIDE}error-messages.html",
)
def _(bench: Bench) -> None:
    group = bench.new_group(domain="ECOMMERCE")
    body = interactions().replace("view", "View").replace("buy", "Purchase")
    bench.imported(bench.dataset(group, "Interactions", domain="ECOMMERCE"), body)
    told = told_of(bench, made(bench, "ecomm-popular-items-by-purchases", group))
    assert told["status"] == "CREATE FAILED"
    wanted = "Dataset has fewer than 1000 interactions after filtering by event type: Purchase"
    assert wanted in told["failureReason"]


@fact("D", "minRecommendationRequestsPerSecond is 1 where it was not given", CREATE)
def _(bench: Bench) -> None:
    told = told_of(bench, bench.recommender("ecomm-recommended-for-you"))
    assert told["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 1


@fact("M", "ListRecommenders gives the whole config", "RecommenderSummary.recommenderConfig")
def _(bench: Bench) -> None:
    bench.recommender("ecomm-recommended-for-you")
    listed = bench.client.list_recommenders(datasetGroupArn=bench.shop("ECOMMERCE"))
    assert all(one["recommenderConfig"] for one in listed["recommenders"])


@fact("D", "a recommender has the metrics of lists", f"{GUIDE}API_Recommender.html")
def _(bench: Bench) -> None:
    told = told_of(bench, bench.recommender("ecomm-recommended-for-you"))
    assert {"coverage", "precision_at_5", "mean_reciprocal_rank_at_25"} <= set(told["modelMetrics"])


@fact("D", "a custom group has no recommenders", CREATE)
def _(bench: Bench) -> None:
    code, _ = refused(made, bench=bench, use_case="vod-top-picks", group=bench.group())
    assert code == INVALID


@fact("D", "a use case of the other domain is refused", CREATE)
def _(bench: Bench) -> None:
    code, _ = refused(made, bench=bench, use_case="vod-top-picks", group=bench.shop("ECOMMERCE"))
    assert code == INVALID


@fact("D", "a recipe that is no use case is refused", CREATE)
def _(bench: Bench) -> None:
    code, _ = refused(made, bench=bench, use_case="sims", group=bench.shop("ECOMMERCE"))
    assert code == INVALID


@fact("D", "More like X and Top picks need items", VIDEO)
def _(bench: Bench) -> None:
    group = bench.new_group(domain="VIDEO_ON_DEMAND")
    body = interactions().replace("view", "Watch")
    bench.imported(bench.dataset(group, "Interactions", domain="VIDEO_ON_DEMAND"), body)
    for use_case in ("vod-more-like-x", "vod-top-picks"):
        assert refused(made, bench=bench, use_case=use_case, group=group)[0] == INVALID


@fact(
    "D",
    "stopped: STOP PENDING, STOP IN_PROGRESS, INACTIVE; started: START ..., ACTIVE",
    CREATE,
)
def _(bench: Bench) -> None:
    arn = made(bench, "ecomm-recommended-for-you", bench.shop("ECOMMERCE"))
    call = bench.client.describe_recommender
    bench.client.stop_recommender(recommenderArn=arn)
    stopped = seen(bench, call, "recommender", step=3, recommenderArn=arn)
    assert stopped == ["STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"]
    assert refused(bench.ask, campaign=arn, userId="u1")[0] in {INVALID, GONE}
    assert refused(bench.client.stop_recommender, recommenderArn=arn)[0] in {INVALID, IN_USE}
    bench.client.start_recommender(recommenderArn=arn)
    started = seen(bench, call, "recommender", step=3, recommenderArn=arn)
    assert started == ["START PENDING", "START IN_PROGRESS", "ACTIVE"]
    assert bench.ask(arn, userId="u1")


@fact("R", "an INACTIVE recommender can be deleted", f"{STORE}#527")
def _(bench: Bench) -> None:
    arn = made(bench, "ecomm-recommended-for-you", bench.shop("ECOMMERCE"))
    bench.client.stop_recommender(recommenderArn=arn)
    bench.wait(100)
    bench.client.delete_recommender(recommenderArn=arn)
    bench.wait(100)
    assert refused(bench.client.describe_recommender, recommenderArn=arn)[0] == GONE


@fact("D", "an update is told by latestRecommenderUpdate", f"{GUIDE}API_UpdateRecommender.html")
def _(bench: Bench) -> None:
    arn = made(bench, "ecomm-recommended-for-you", bench.shop("ECOMMERCE"))
    assert "latestRecommenderUpdate" not in told_of(bench, arn)
    config = {"minRecommendationRequestsPerSecond": 2}
    bench.client.update_recommender(recommenderArn=arn, recommenderConfig=config)
    told = told_of(bench, arn)
    assert (told["status"], told["latestRecommenderUpdate"]["status"]) == (
        "ACTIVE",
        "CREATE PENDING",
    )
    bench.wait(4000)
    told = told_of(bench, arn)
    assert told["latestRecommenderUpdate"]["status"] == "ACTIVE"
    assert told["recommenderConfig"]["minRecommendationRequestsPerSecond"] == 2


@fact("D", "a sixth recommender of a group is too many", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    own = Bench()
    own.build = own.fresh()
    group = own.new_group(domain="ECOMMERCE")
    body = interactions(60, 60).replace("view", "View").replace("buy", "Purchase")
    own.imported(own.dataset(group, "Interactions", domain="ECOMMERCE"), body)
    for _ in range(5):
        made(own, "ecomm-popular-items-by-views", group)
    code, _ = refused(made, bench=own, use_case="ecomm-popular-items-by-views", group=group)
    assert code == LIMIT


@fact("M", "the name of a recommender is taken once", "CreateRecommender errors")
def _(bench: Bench) -> None:
    arn = bench.recommender("ecomm-recommended-for-you")
    taken = refused(
        bench.client.create_recommender,
        name=arn.rpartition("/")[2],
        datasetGroupArn=bench.shop("ECOMMERCE"),
        recipeArn=f"{RECIPE}ecomm-recommended-for-you",
    )
    assert taken[0] == THERE


@fact(
    "R",
    "metadata of items: keys in lower case, values as text",
    f"{WORKSHOP} Retail_03, cell 61; News_03, cell 9",
)
def _(bench: Bench) -> None:
    (first, *_) = bench.ask(
        bench.recommender("ecomm-recommended-for-you"),
        userId="u1",
        metadataColumns={"ITEMS": ["CATEGORY_L1", "PRICE"]},
    )
    assert set(first["metadata"]) == {"category_l1", "price"}
    assert all(isinstance(one, str) for one in first["metadata"].values())


@fact("D", "an INACTIVE recommender does not answer", f"{GUIDE}stopping-starting-recommender.html")
def _(bench: Bench) -> None:
    made = bench.client.create_recommender(
        name=bench.name("r"),
        datasetGroupArn=bench.shop("ECOMMERCE"),
        recipeArn=f"{RECIPE}ecomm-recommended-for-you",
    )["recommenderArn"]
    bench.wait(3600)
    assert bench.runtime.get_recommendations(recommenderArn=made, userId="u1")["itemList"]
    bench.client.stop_recommender(recommenderArn=made)
    bench.wait(3600)
    ask = bench.runtime.get_recommendations
    assert refused(ask, recommenderArn=made, userId="u1")[0] == INVALID
    assert refused(bench.client.stop_recommender, recommenderArn=made)[0] == IN_USE


@fact("M", "an ACTIVE recommender cannot be started", "StartRecommender errors")
def _(bench: Bench) -> None:
    arn = bench.recommender("ecomm-recommended-for-you")
    assert refused(bench.client.start_recommender, recommenderArn=arn)[0] == IN_USE


@fact("D", "EVENT_TYPE cannot be left out of a training", f"{GUIDE}custom-config-columns.html")
def _(bench: Bench) -> None:
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}}
    code, _ = refused(
        bench.client.create_recommender,
        name=bench.name("r"),
        datasetGroupArn=bench.shop("ECOMMERCE"),
        recipeArn=f"{RECIPE}ecomm-recommended-for-you",
        recommenderConfig=config,
    )
    assert code == INVALID
